/* op_join.c - into a group: by the Welcome of somebody who let this device in, or, where there is
 * none, by an external commit of its own (RFC 9420 12.4.3).
 *
 *   GET the Welcomes (once in an operation) -> joined wherever one fits -> DELETE them
 *   still outside: GET the group -> epoch 0: nobody has begun it
 *                                -> external commit, pending (op_commit.c) */
#include <inttypes.h>

#include "base/alloc.h"
#include "crypto/encoding.h"
#include "engine/engine_int.h"

#define MAX_JOINS 6 /* in one visit: then somebody keeps us out */

static void own_hex(const struct tacit_engine *e, char out[2 * TACIT_DEVICE_ID_BYTES + 1])
{
	tacit_hex(tacit_bytes(e->device.id.b, sizeof(e->device.id.b)), out);
}

/* --- Welcomes ------------------------------------------------------------------------------------
 */

struct welcome {
	uint64_t id, conversation, message;
	int64_t epoch;
	struct tacit_buf bytes;
};

static enum tacit_err read_welcome(const json_t *item, struct welcome *out)
{
	enum tacit_err err;
	struct tacit_bytes text;
	TRY(tacit_answer_id(item, "id", &out->id));
	TRY(tacit_answer_id(item, "conversation_id", &out->conversation));
	TRY(tacit_answer_id(item, "message_id", &out->message));
	TRY(tacit_json_integer(item, "epoch", TACIT_REQUIRED, 1, TACIT_MAX_INTEGER, &out->epoch));
	TRY(tacit_json_text(
	        item, "welcome", TACIT_REQUIRED, (TACIT_MAX_GROUP_INFO + 2) / 3 * 4, &text));
	TRY(tacit_unbase64(TACIT_BASE64, text, &out->bytes));
out:
	return err;
}

static enum tacit_err join_by(struct tacit_engine *e, struct tacit_conversation *c,
        const struct welcome *w, struct tacit_key_package *k)
{
	enum tacit_err err;
	struct tacit_group *group = NULL;
	struct tacit_belonging b;
	struct tacit_self self = tacit_self_in(e, c, &b);
	const struct tacit_group_place place = {c->id, w->message};
	TRY(tacit_group_join(
	        &place, &self, tacit_buf_view(&w->bytes), tacit_buf_view(&k->secret), &group));
	tacit_membership_set(e, c, group);
	TRY(tacit_membership_joined(e, c, w->message));
out:
	return err;
}

/* *used: it is of no use any more. One that does not open is none: we can come by ourselves. */
static enum tacit_err take_welcome(
        struct tacit_engine *e, const struct tacit_op *op, const struct welcome *w, bool *used)
{
	enum tacit_err err;
	struct tacit_conversation *c = tacit_conversation_find(e, w->conversation);
	*used = false;
	if (c == NULL || !c->known || c->pending != NULL || (c->holder != 0 && c->holder != op->id))
		return TACIT_OK;
	TRY(tacit_membership_load(e, c));
	if (tacit_membership_good(c)) {
		*used = (uint64_t)w->epoch <= tacit_group_epoch(c->group);
		return TACIT_OK;
	}
	struct tacit_key_package *k = tacit_key_package_for(e, tacit_buf_view(&w->bytes));
	*used = true;
	if (k == NULL)
		return TACIT_OK;
	err = join_by(e, c, w, k);
	if (err == TACIT_E_NOMEM)
		return err;
	TRY(tacit_key_package_used(e, k));
out:
	return err;
}

static enum tacit_err delete_used(struct tacit_engine *e, struct tacit_op *op);

static enum tacit_err deleted(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	(void)a; /* one that is left lapses, or is deleted the next time */
	return delete_used(e, op);
}

static enum tacit_err delete_used(struct tacit_engine *e, struct tacit_op *op)
{
	enum tacit_err err;
	json_t *data;
	char hex[2 * TACIT_DEVICE_ID_BYTES + 1];
	if (op->used_welcome_count == 0)
		return tacit_visit_go(e, op);
	own_hex(e, hex);
	TRY(tacit_op_data(NULL, 0, &data));
	TRY(tacit_op_call(e, op,
	        &(struct tacit_call){
	                .method = TACIT_DELETE, .body = TACIT_BODY_SIGNED, .data = data},
	        deleted, "/api/devices/%s/welcomes/%" PRIu64, hex,
	        op->used_welcomes[--op->used_welcome_count]));
out:
	return err;
}

static enum tacit_err got_welcomes(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	const json_t *list;
	size_t i;
	json_t *item;
	struct welcome w = {0};
	if (a->status == 404) /* the server does not know this device any more: told elsewhere */
		return tacit_visit_go(e, op);
	if (a->err != TACIT_OK)
		return tacit_visit_fail(e, op, a);
	TRY(tacit_answer_list(a->body, "welcomes", MAX_WELCOMES, &list));
	json_array_foreach(list, i, item)
	{
		bool used;
		tacit_buf_clear(&w.bytes);
		w = (struct welcome){0};
		TRY(read_welcome(item, &w));
		TRY(take_welcome(e, op, &w, &used));
		if (used)
			op->used_welcomes[op->used_welcome_count++] = w.id;
	}
	TRY(delete_used(e, op));
out:
	tacit_buf_clear(&w.bytes);
	return err;
}

static enum tacit_err ask_welcomes(struct tacit_engine *e, struct tacit_op *op)
{
	char hex[2 * TACIT_DEVICE_ID_BYTES + 1];
	op->welcomed = true;
	own_hex(e, hex);
	return tacit_op_call(e, op, &(struct tacit_call){.method = TACIT_GET}, got_welcomes,
	        "/api/devices/%s/welcomes", hex);
}

/* --- by ourselves --------------------------------------------------------------------------------
 */

static enum tacit_err join_from(
        struct tacit_engine *e, struct tacit_conversation *c, struct tacit_bytes group_info)
{
	enum tacit_err err;
	struct tacit_group *group = NULL;
	struct tacit_belonging b;
	struct tacit_self self = tacit_self_in(e, c, &b);
	struct tacit_pending_commit *p = tacit_calloc(1, sizeof(*p));
	if (p == NULL)
		return TACIT_E_NOMEM;
	TRY(tacit_group_join_external(
	        c->id, &self, group_info, &p->commit, &p->group_info, &group));
	tacit_client_id(e, c, p->client_id);
	p->external = true;
	p->epoch = tacit_group_epoch(group) - 1;
	tacit_membership_set(e, c, group);
	c->pending = p;
	c->pending_dirty = true;
	p = NULL;
out:
	tacit_pending_free(p);
	return err;
}

/* A server that has forgotten, or wants it to be so. */
static enum tacit_err check_epoch(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, uint64_t epoch)
{
	if (epoch >= c->epoch_seen)
		return TACIT_OK;
	uint64_t known = c->epoch_seen;
	c->epoch_seen = epoch;
	c->group_dirty = e->changed = true;
	return tacit_op_warn(e, op, c, TACIT_E_ORDER_CHANGED,
	        "The server has gone back in time: it knows %" PRIu64
	        " changes of this conversation's keys, but %" PRIu64 " were there before.",
	        epoch, known);
}

/* Somebody has, since the Welcomes were asked for: to come by ourselves would be to lose what was
 * said in between. Once, for the leaf may be that of a state that is lost. */
static bool let_in_meanwhile(struct tacit_engine *e, struct tacit_op *op,
        const struct tacit_conversation *c, struct tacit_bytes group_info)
{
	struct tacit_belonging b;
	struct tacit_self self = tacit_self_in(e, c, &b);
	if (op->visit.looked_again || !tacit_group_info_has(&self, group_info))
		return false;
	op->visit.looked_again = true;
	return true;
}

static enum tacit_err got_group(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	int64_t epoch;
	struct tacit_bytes text;
	struct tacit_buf info = {0};
	struct tacit_conversation *c = tacit_op_at(e, op);
	if (a->err != TACIT_OK)
		return tacit_visit_fail(e, op, a);
	TRY(tacit_json_integer(a->body, "epoch", TACIT_REQUIRED, 0, TACIT_MAX_INTEGER, &epoch));
	TRY(check_epoch(e, op, c, (uint64_t)epoch));
	if (epoch == 0) {
		op->visit.nobody = true;
		return tacit_visit_go(e, op);
	}
	TRY(tacit_json_text(
	        a->body, "group_info", TACIT_REQUIRED, (TACIT_MAX_GROUP_INFO + 2) / 3 * 4, &text));
	TRY(tacit_unbase64(TACIT_BASE64, text, &info));
	if (let_in_meanwhile(e, op, c, tacit_buf_view(&info))) {
		op->welcomed = false;
		err = tacit_visit_go(e, op);
		goto out;
	}
	err = join_from(e, c, tacit_buf_view(&info));
	if (err != TACIT_OK && err != TACIT_E_NOMEM) {
		err = tacit_visit_stop(e, op, err,
		        "This device cannot join the conversation: what the server gives out as "
		        "its group is not one.");
		goto out;
	}
	TRY(err);
	TRY(tacit_visit_go(e, op));
out:
	tacit_buf_clear(&info);
	return err;
}

static enum tacit_err ask_group(struct tacit_engine *e, struct tacit_op *op)
{
	if (++op->visit.joins > MAX_JOINS)
		return tacit_visit_stop(e, op, TACIT_E_LIMIT,
		        "This device cannot join the conversation: the server lets it in nowhere.");
	return tacit_op_call(e, op, &(struct tacit_call){.method = TACIT_GET}, got_group,
	        "/api/conversations/%" PRIu64 "/group", tacit_op_at(e, op)->id);
}

/* --- two groups where there should be one
 * -------------------------------------------------------- */

/* Both halves ask, and the one that the server knows stays: so the other one comes to it. Whose
 * GroupInfo cannot be joined proves nothing. */
static enum tacit_err compare(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, struct tacit_bytes group_info)
{
	enum tacit_err err = TACIT_OK;
	if (!tacit_group_info_parts(c->group, group_info))
		return TACIT_OK;
	err = join_from(e, c, group_info);
	if (err != TACIT_OK)
		return err == TACIT_E_NOMEM ? err : TACIT_OK;
	return tacit_membership_astray(
	        e, op, c, TACIT_E_ORDER_CHANGED, "the server has split it, and this is a part");
}

static enum tacit_err got_other(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	struct tacit_bytes text;
	struct tacit_buf info = {0};
	struct tacit_conversation *c = tacit_op_at(e, op);
	if (a->err != TACIT_OK)
		return tacit_visit_fail(e, op, a);
	bool still = tacit_membership_good(c) && c->pending == NULL &&
	             c->doubted == tacit_group_epoch(c->group);
	c->doubted = 0;
	err = tacit_json_text(
	        a->body, "group_info", TACIT_REQUIRED, (TACIT_MAX_GROUP_INFO + 2) / 3 * 4, &text);
	if (err == TACIT_OK && still)
		err = tacit_unbase64(TACIT_BASE64, text, &info);
	if (err == TACIT_OK && still)
		err = compare(e, op, c, tacit_buf_view(&info));
	if (err != TACIT_E_NOMEM) /* a server that tells nothing leaves things as they are */
		err = tacit_visit_go(e, op);
	tacit_buf_clear(&info);
	return err;
}

enum tacit_err tacit_join_compare(struct tacit_engine *e, struct tacit_op *op)
{
	return tacit_op_call(e, op, &(struct tacit_call){.method = TACIT_GET}, got_other,
	        "/api/conversations/%" PRIu64 "/group", tacit_op_at(e, op)->id);
}

/* --- a revoked device does not come back
 * --------------------------------------------------------- */

static bool is_listed(const struct tacit_engine *e, const json_t *devices)
{
	size_t i;
	json_t *item;
	char hex[2 * TACIT_DEVICE_ID_BYTES + 1];
	struct tacit_bytes id;
	own_hex(e, hex);
	json_array_foreach(devices, i, item)
	{
		if (tacit_json_text(item, "id", TACIT_REQUIRED, 64, &id) == TACIT_OK &&
		        tacit_name_same(id, tacit_cstr(hex)))
			return true;
	}
	return false;
}

static enum tacit_err got_own_devices(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	const json_t *list;
	if (a->err != TACIT_OK)
		return tacit_visit_fail(e, op, a);
	TRY(tacit_answer_list(a->body, "devices", 256, &list));
	if (!is_listed(e, list))
		return tacit_visit_stop(e, op, TACIT_E_NO_DEVICE,
		        "This device was revoked: it can read and write no more.");
	op->device_checked = true;
	TRY(ask_group(e, op));
out:
	return err;
}

enum tacit_err tacit_join(struct tacit_engine *e, struct tacit_op *op)
{
	const struct tacit_conversation *c = tacit_op_at(e, op);
	if (!op->welcomed)
		return ask_welcomes(e, op);
	bool was_put_out = c->group != NULL && tacit_group_is_over(c->group);
	if (was_put_out && !op->device_checked)
		return tacit_op_get(e, op, got_own_devices, "/api/devices");
	return ask_group(e, op);
}
