/* op_commit.c - the group follows the members: who should be in, who is in, and the commit between.
 *
 *   GET the devices -> who may read (roster.c) -> compare with the leaves
 *     nobody to come or go -> even
 *     else: claim key packages for those who come, check each -> stage: pending, persisted
 *   POST the pending commit
 *     201 -> the next epoch     409 -> somebody was first: dropped; read, and compare again */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "crypto/encoding.h"
#include "engine/engine_int.h"

#define MAX_REFUSALS 8
#define UPDATE_MESSAGES 100
#define UPDATE_SECONDS ((int64_t)7 * 86400)

/* --- posting -------------------------------------------------------------------------------------
 */

static enum tacit_err add_base64(json_t *data, const char *name, const struct tacit_buf *bytes)
{
	enum tacit_err err;
	struct tacit_buf text = {0};
	TRY(tacit_base64(TACIT_BASE64, tacit_buf_view(bytes), &text));
	TRY(tacit_json_set_text(data, name, tacit_buf_view(&text)));
out:
	tacit_buf_clear(&text);
	return err;
}

static enum tacit_err add_hex(json_t *list, const struct tacit_device_id *id)
{
	char hex[2 * TACIT_DEVICE_ID_BYTES + 1];
	tacit_hex(tacit_bytes(id->b, sizeof(id->b)), hex);
	return json_array_append_new(list, json_string(hex)) == 0 ? TACIT_OK : TACIT_E_NOMEM;
}

static enum tacit_err add_welcome(json_t *data, const struct tacit_pending_commit *p)
{
	enum tacit_err err;
	json_t *list = json_array();
	TRY(add_base64(data, "welcome", &p->welcome));
	for (size_t i = 0; i < p->joiner_count; i++)
		TRY(add_hex(list, &p->joiners[i]));
	if (json_object_set(data, "welcome_devices", list) != 0)
		err = TACIT_E_NOMEM;
out:
	json_decref(list);
	return err;
}

static enum tacit_err commit_data(const struct tacit_pending_commit *p, json_t **out)
{
	enum tacit_err err;
	json_t *data =
	        json_pack("{s:I,s:s}", "epoch", (json_int_t)p->epoch, "client_id", p->client_id);
	*out = NULL;
	if (data == NULL)
		return TACIT_E_NOMEM;
	TRY(add_base64(data, "content", &p->commit));
	TRY(add_base64(data, "group_info", &p->group_info));
	if (p->welcome.n > 0)
		TRY(add_welcome(data, p));
	*out = data;
	data = NULL;
out:
	json_decref(data);
	return err;
}

static enum tacit_err taken(
        struct tacit_engine *e, struct tacit_op *op, struct tacit_conversation *c, uint64_t message)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_belonging b;
	struct tacit_self self = tacit_self_in(e, c, &b);
	const struct tacit_pending_commit *p = c->pending;
	if (message <= c->seen && tacit_group_is_pending(c->group))
		TRY(tacit_op_warn(e, op, c, TACIT_E_ORDER_CHANGED,
		        "The server gives a new message a place where another one stands."));
	if (tacit_group_is_pending(c->group))
		TRY(tacit_group_accept(c->group, &self, message));
	if (p->external) {
		TRY(tacit_membership_joined(e, c, message));
		op->visit.read = false;
	} else if (p->epoch == 0) {
		TRY(tacit_membership_joined(e, c, message));
		op->visit.even = true;
	} else {
		TRY(tacit_membership_began(e, c));
		op->visit.even = true;
	}
	if (p->joiner_count > 0 && c->name.n > 0) {
		c->name_due = true;
		c->name_dirty = true;
	}
	tacit_pending_clear(e, c);
out:
	return err;
}

/* Another commit was first, or the server says so. */
static enum tacit_err overtaken(struct tacit_engine *e, struct tacit_op *op)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_visit *v = &op->visit;
	struct tacit_conversation *c = tacit_op_at(e, op);
	uint64_t epoch = c->pending->epoch;
	/* Who was first may have let us in. */
	bool outside = c->pending->external || epoch == 0;
	bool again = v->refusals > 0 && v->refused_epoch == epoch && !c->pending->external;
	if (outside)
		tacit_membership_set(e, c, NULL);
	else
		tacit_group_drop(c->group);
	tacit_pending_clear(e, c);
	v->refused_epoch = epoch;
	v->read = v->even = v->nobody = false;
	op->welcomed &= !outside;
	v->looked_again &= !outside;
	if (++v->refusals > MAX_REFUSALS)
		return tacit_visit_stop(e, op, TACIT_E_REFUSED,
		        "The server refuses every change of this conversation's keys.");
	if (again)
		TRY(tacit_membership_astray(e, op, c, TACIT_E_ORDER_CHANGED,
		        "the server says that others have changed the keys, and does not show "
		        "it"));
	TRY(tacit_visit_go(e, op));
out:
	return err;
}

static void forget_commit(struct tacit_engine *e, struct tacit_conversation *c)
{
	if (c->pending->external || c->pending->epoch == 0)
		tacit_membership_set(e, c, NULL);
	else
		tacit_group_drop(c->group);
	tacit_pending_clear(e, c);
}

static enum tacit_err answered(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	uint64_t id;
	struct tacit_conversation *c = tacit_op_at(e, op);
	if (c->pending == NULL) /* settled by a page that came meanwhile */
		return tacit_visit_go(e, op);
	if (a->err == TACIT_OK) {
		TRY(tacit_answer_id(a->body, "id", &id));
		TRY(taken(e, op, c, id));
		return tacit_visit_go(e, op);
	}
	if (a->status == 409)
		return overtaken(e, op);
	bool final = a->status >= 400 && a->status < 500 && a->status != 401 && a->status != 408 &&
	             a->status != 429;
	if (final)
		forget_commit(e, c);
	err = tacit_visit_fail(e, op, a);
out:
	return err;
}

enum tacit_err tacit_commit_post(struct tacit_engine *e, struct tacit_op *op)
{
	enum tacit_err err;
	json_t *data;
	const struct tacit_conversation *c = tacit_op_at(e, op);
	TRY(commit_data(c->pending, &data));
	TRY(tacit_op_call(e, op,
	        &(struct tacit_call){.method = TACIT_POST, .body = TACIT_BODY_SIGNED, .data = data},
	        answered, "/api/conversations/%" PRIu64 "/commits", c->id));
out:
	return err;
}

/* --- staging -------------------------------------------------------------------------------------
 */

struct staging {
	struct tacit_buf *packages; /* one for each of change.add; empty: none that can be used */
	struct tacit_bytes *add;
	struct tacit_leaf *joiners;
	size_t count; /* of the last two */
	struct tacit_group_change change;
};

static void staging_clear(struct staging *s)
{
	for (size_t i = 0; s->packages != NULL && i < s->change.add_count; i++)
		tacit_buf_clear(&s->packages[i]);
	tacit_free(s->packages);
	tacit_free(s->add);
	tacit_free(s->joiners);
	tacit_group_change_clear(&s->change);
}

static enum tacit_err staging_begin(
        struct tacit_engine *e, const struct tacit_op *op, struct staging *s)
{
	enum tacit_err err;
	const struct tacit_roster roster = {op->leaves.list, op->leaves.count};
	TRY(tacit_group_compare(tacit_op_at(e, op)->group, &roster, &s->change));
	size_t n = s->change.add_count + 1;
	s->packages = tacit_calloc(n, sizeof(*s->packages));
	s->add = tacit_calloc(n, sizeof(*s->add));
	s->joiners = tacit_calloc(n, sizeof(*s->joiners));
	if (s->packages == NULL || s->add == NULL || s->joiners == NULL)
		err = TACIT_E_NOMEM;
out:
	return err;
}

static enum tacit_err keep_commit(struct tacit_engine *e, struct tacit_conversation *c,
        struct tacit_group_staged *from, const struct staging *s)
{
	struct tacit_pending_commit *p = tacit_calloc(1, sizeof(*p));
	struct tacit_device_id *joiners = tacit_calloc(s->count + 1, sizeof(*joiners));
	if (p == NULL || joiners == NULL) {
		tacit_free(p);
		tacit_free(joiners);
		return TACIT_E_NOMEM;
	}
	for (size_t i = 0; i < s->count; i++)
		joiners[i] = s->joiners[i].device.id;
	*p = (struct tacit_pending_commit){.epoch = tacit_group_epoch(c->group),
	        .commit = from->commit,
	        .welcome = from->welcome,
	        .group_info = from->group_info,
	        .joiners = joiners,
	        .joiner_count = s->count};
	*from = (struct tacit_group_staged){0};
	tacit_client_id(e, c, p->client_id);
	c->pending = p;
	c->pending_dirty = c->group_dirty = e->changed = true;
	return TACIT_OK;
}

static enum tacit_err stage(struct tacit_engine *e, struct tacit_op *op, struct staging *s)
{
	enum tacit_err err;
	struct tacit_belonging b;
	struct tacit_conversation *c = tacit_op_at(e, op);
	struct tacit_self self = tacit_self_in(e, c, &b);
	struct tacit_group_staged staged = {0};
	const struct tacit_group_commit what = {
	        s->add, s->count, s->change.remove, s->change.remove_count};
	const struct tacit_group_event coming = {.added = s->joiners, .added_count = s->count};
	e->changed = true;
	TRY(tacit_group_stage(c->group, &self, &what, &staged));
	TRY(keep_commit(e, c, &staged, s));
	TRY(tacit_membership_tell(e, op, c, &coming));
	TRY(tacit_visit_go(e, op));
out:
	tacit_group_staged_clear(&staged);
	return err;
}

/* --- those who come ------------------------------------------------------------------------------
 */

static const char *owner_of(
        const struct tacit_engine *e, const struct tacit_leaf *leaf, struct tacit_name *room)
{
	const struct tacit_name *who = tacit_contact_by_key(e, &leaf->account, room);
	return who != NULL ? who->c : "somebody";
}

/* The id may be that of several: it is the one for whom the key package is good. */
static enum tacit_err place_package(
        struct tacit_engine *e, const struct tacit_op *op, struct staging *s, const json_t *item)
{
	enum tacit_err err, why = TACIT_E_NOT_FOUND;
	struct tacit_bytes hex, text;
	struct tacit_device_id id;
	struct tacit_name room;
	const struct tacit_leaf *about = NULL;
	struct tacit_buf package = {0};
	struct tacit_belonging b;
	struct tacit_conversation *c = tacit_op_at(e, op);
	struct tacit_self self = tacit_self_in(e, c, &b);
	TRY(tacit_json_text(item, "device", TACIT_REQUIRED, 2 * sizeof(id.b), &hex));
	TRY(tacit_unhex(hex, id.b, sizeof(id.b)));
	TRY(tacit_json_text(item, "key_package", TACIT_REQUIRED, 64 * 1024, &text));
	TRY(tacit_unbase64(TACIT_BASE64, text, &package));
	for (size_t i = 0; i < s->change.add_count && why != TACIT_OK; i++) {
		const struct tacit_leaf *leaf = &op->leaves.list[s->change.add[i]];
		if (memcmp(leaf->device.id.b, id.b, sizeof(id.b)) != 0 || s->packages[i].n > 0)
			continue;
		about = leaf;
		why = tacit_group_check_key_package(&self, tacit_buf_view(&package), leaf);
		if (why == TACIT_E_NOMEM)
			TRY(why);
		if (why != TACIT_OK)
			continue;
		s->packages[i] = package;
		package = (struct tacit_buf){0};
	}
	if (why != TACIT_OK && about != NULL)
		TRY(tacit_op_warn(e, op, c,
		        why == TACIT_E_GONE ? TACIT_E_REFUSED : TACIT_E_BAD_CERTIFICATE,
		        "The server gave out a key package for a device of %s that %s. It is not "
		        "used.",
		        owner_of(e, about, &room),
		        why == TACIT_E_GONE ? "has lapsed" : "is not that device's"));
out:
	tacit_buf_clear(&package);
	return err;
}

static enum tacit_err line_up(struct tacit_engine *e, const struct tacit_op *op, struct staging *s)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_name room;
	for (size_t i = 0; i < s->change.add_count; i++) {
		const struct tacit_leaf *leaf = &op->leaves.list[s->change.add[i]];
		if (s->packages[i].n > 0) {
			s->joiners[s->count] = *leaf;
			s->add[s->count++] = tacit_buf_view(&s->packages[i]);
			continue;
		}
		TRY(tacit_op_warn(e, op, tacit_op_at(e, op), TACIT_E_NO_DEVICE,
		        "A device of %s has left nothing by which it can be let in: it cannot read "
		        "this until it comes by itself.",
		        owner_of(e, leaf, &room)));
	}
out:
	return err;
}

static enum tacit_err settle_even(struct tacit_engine *e, struct tacit_op *op)
{
	op->visit.even = true;
	return tacit_visit_go(e, op);
}

/* An epoch began since the devices were asked for: who came by it may not be among them, and is not
 * to be put out. */
static bool has_moved(const struct tacit_engine *e, const struct tacit_op *op)
{
	const struct tacit_conversation *c = tacit_op_at(e, op);
	return tacit_membership_good(c) && tacit_group_epoch(c->group) != op->visit.roster_epoch;
}

static enum tacit_err got_packages(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	struct staging s = {0};
	const json_t *list;
	size_t i;
	json_t *item;
	if (a->err != TACIT_OK)
		return tacit_visit_fail(e, op, a);
	if (!tacit_membership_good(tacit_op_at(e, op)) || has_moved(e, op)) /* put out, say */
		return tacit_visit_go(e, op);
	TRY(staging_begin(e, op, &s));
	TRY(tacit_answer_list(a->body, "key_packages", TACIT_MAX_RECIPIENTS, &list));
	json_array_foreach(list, i, item) TRY(place_package(e, op, &s, item));
	TRY(line_up(e, op, &s));
	if (s.count == 0 && s.change.remove_count == 0)
		err = settle_even(e, op);
	else
		err = stage(e, op, &s);
out:
	staging_clear(&s);
	return err;
}

static enum tacit_err claim(struct tacit_engine *e, struct tacit_op *op, const struct staging *s)
{
	enum tacit_err err = TACIT_OK;
	json_t *list = json_array(), *data = NULL;
	for (size_t i = 0; i < s->change.add_count; i++)
		TRY(add_hex(list, &op->leaves.list[s->change.add[i]].device.id));
	data = json_pack("{s:O}", "devices", list);
	if (data == NULL)
		TRY(TACIT_E_NOMEM);
	TRY(tacit_op_call(e, op,
	        &(struct tacit_call){.method = TACIT_POST, .body = TACIT_BODY_SIGNED, .data = data},
	        got_packages, "/api/conversations/%" PRIu64 "/key-packages/claim",
	        tacit_op_at(e, op)->id));
out:
	json_decref(list);
	return err;
}

/* --- comparing -----------------------------------------------------------------------------------
 */

static bool update_due(const struct tacit_engine *e, const struct tacit_conversation *c)
{
	struct tacit_group_age age = tacit_group_age(c->group);
	return tacit_group_epoch(c->group) > 0 &&
	       (age.messages >= UPDATE_MESSAGES ||
	               age.updated_at + UPDATE_SECONDS <= tacit_env_now(&e->env));
}

static enum tacit_err make_group(struct tacit_engine *e, struct tacit_conversation *c)
{
	struct tacit_belonging b;
	struct tacit_group *group;
	struct tacit_self self = tacit_self_in(e, c, &b);
	enum tacit_err err = tacit_group_create(c->id, &self, &group);
	if (err != TACIT_OK)
		return err;
	tacit_membership_set(e, c, group);
	c->stray = false;
	return TACIT_OK;
}

static enum tacit_err compare(struct tacit_engine *e, struct tacit_op *op)
{
	enum tacit_err err;
	struct staging s = {0};
	struct tacit_conversation *c = tacit_op_at(e, op);
	if (!tacit_membership_good(c))
		TRY(make_group(e, c));
	TRY(staging_begin(e, op, &s));
	if (s.change.add_count > 0)
		err = claim(e, op, &s);
	else if (s.change.remove_count > 0 || update_due(e, c))
		err = stage(e, op, &s);
	else
		err = settle_even(e, op);
out:
	staging_clear(&s);
	return err;
}

/* Not sealed for reasons that the person should hear in words. */
static enum tacit_err refuse_members(
        struct tacit_engine *e, struct tacit_op *op, enum tacit_err why)
{
	if (why == TACIT_E_KEY_CHANGED)
		return tacit_visit_stop(e, op, why,
		        "Not sent: a key in this conversation is not the one known before. Compare "
		        "safety numbers, then accept the new key.");
	if (why == TACIT_E_REFUSED)
		return tacit_visit_stop(e, op, why,
		        "Not sent: what the server says about the members contradicts what was "
		        "known before.");
	return why;
}

static enum tacit_err got_devices(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	const json_t *devices;
	if (a->err != TACIT_OK)
		return tacit_visit_fail(e, op, a);
	if (has_moved(e, op))
		return tacit_visit_go(e, op);
	TRY(tacit_answer_list(a->body, "devices", TACIT_MAX_RECIPIENTS, &devices));
	tacit_roster_clear(&op->leaves);
	err = tacit_roster_read(e, op, tacit_op_at(e, op), devices, &op->leaves);
	if (err == TACIT_OK && op->leaves.stranger && !op->refreshed)
		return tacit_read_members(e, op);
	if (err == TACIT_OK && op->leaves.stranger)
		err = TACIT_E_REFUSED;
	if (err != TACIT_OK)
		return refuse_members(e, op, err);
	TRY(compare(e, op));
out:
	return err;
}

enum tacit_err tacit_commit_roster(struct tacit_engine *e, struct tacit_op *op)
{
	const struct tacit_conversation *c = tacit_op_at(e, op);
	op->visit.roster_epoch = tacit_membership_good(c) ? tacit_group_epoch(c->group) : 0;
	return tacit_op_call(e, op, &(struct tacit_call){.method = TACIT_GET}, got_devices,
	        "/api/conversations/%" PRIu64 "/devices", c->id);
}
