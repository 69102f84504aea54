/* op_read.c - the pages of a conversation: what is new there, in the server's order.
 *
 *   GET a page after `seen` -> take each message (incoming.c) -> again while there is more
 *     somebody unknown: GET the members, once     not in the group any more: back to the visit
 *
 * One page is one step: state, history and the new `seen` are persisted together. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/engine_int.h"

/* A sender whom the list of members does not hold may have joined after we asked for it, or have
 * left before we first did. */
static enum tacit_page_end who_is_it(
        struct tacit_op *op, const struct tacit_conversation *c, const struct tacit_incoming *m)
{
	if (m->username.n == 0 || tacit_conversation_member(c, m->username) != NULL)
		return PAGE_READ;
	if (!op->refreshed)
		return PAGE_NEEDS_MEMBERS;
	if (c->kind == TACIT_DIRECT || tacit_name_same(tacit_name_view(&op->stranger), m->username))
		return PAGE_READ;
	tacit_name_set(&op->stranger, m->username);
	return PAGE_NEEDS_PERSON;
}

enum tacit_err tacit_read_messages(struct tacit_engine *e, struct tacit_op *op,
        struct tacit_conversation *c, const json_t *messages, enum tacit_page_end *end)
{
	enum tacit_err err = TACIT_OK;
	uint64_t before = op->asked_after;
	struct tacit_incoming m = {0};
	size_t i;
	json_t *item;
	*end = PAGE_READ;
	json_array_foreach(messages, i, item)
	{
		tacit_buf_clear(&m.bytes);
		m = (struct tacit_incoming){0};
		TRY(tacit_incoming_read(item, c, &m));
		if (m.id <= before) {
			err = TACIT_E_ORDER_CHANGED;
			goto out;
		}
		before = m.id;
		if (m.id <= c->seen) /* another SYNC was faster */
			continue;
		*end = who_is_it(op, c, &m);
		if (*end != PAGE_READ)
			goto out;
		TRY(tacit_incoming_take(e, op, c, &m, end));
		/* A commit that put us out is done with; one that was not followed is not. */
		if (*end == PAGE_NEEDS_MEMBERS ||
		        (*end == PAGE_NEEDS_GROUP &&
		                (c->group == NULL || !tacit_group_is_over(c->group))))
			goto out;
		c->seen = m.id;
		c->moved_at = e->next_request;
		c->event_slot = LOG_EVENTS;
		c->group_dirty = e->changed = true;
		TRY(tacit_lifetime_logged(e, c, m.id, m.commit ? 0 : m.expires));
		if (*end == PAGE_NEEDS_GROUP)
			goto out;
	}
out:
	tacit_buf_clear(&m.bytes);
	return err;
}

static enum tacit_err take_reads(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, const json_t *body)
{
	enum tacit_err err = TACIT_OK;
	const json_t *marks = json_object_get(body, "message_read_statuses");
	size_t i;
	json_t *item;
	if (json_array_size(marks) > TACIT_MAX_PARTICIPANTS)
		return TACIT_E_MALFORMED;
	json_array_foreach(marks, i, item)
	{
		struct tacit_bytes name;
		uint64_t message;
		TRY(tacit_json_text(item, "username", TACIT_REQUIRED, TACIT_MAX_USERNAME, &name));
		TRY(tacit_answer_id(item, "message_id", &message));
		TRY(tacit_conversation_read(e, op, c, name, message));
	}
out:
	return err;
}

enum tacit_err tacit_read_end(
        struct tacit_engine *e, struct tacit_op *op, struct tacit_conversation *c)
{
	if (op->earlier == 0 || c->closed)
		return TACIT_OK;
	uint64_t count = op->earlier;
	op->earlier = 0;
	return tacit_op_warn(e, op, c, TACIT_E_WRONG_RECIPIENT,
	        "%" PRIu64 " earlier messages were sealed before this device was there, and cannot "
	        "be read here.",
	        count);
}

enum tacit_err tacit_sync_take(struct tacit_engine *e, struct tacit_conversation *c,
        const json_t *messages, enum tacit_sync_from from, bool *whole)
{
	enum tacit_err err;
	enum tacit_page_end end = PAGE_READ;
	struct tacit_op op = {
	        .kind = TACIT_CMD_SYNC,
	        .own_accord = true,
	        .by_event = from == TACIT_FROM_EVENT,
	        .conversation = c->id,
	        .asked_after = c->seen,
	};
	*whole = false;
	TRY(tacit_membership_load(e, c));
	/* A group of ours at epoch 0 may never be: another's may be first. */
	if (!tacit_membership_good(c) || tacit_group_epoch(c->group) == 0)
		return TACIT_OK;
	TRY(tacit_read_messages(e, &op, c, messages, &end));
	TRY(tacit_read_end(e, &op, c));
out:
	*whole = err == TACIT_OK && end == PAGE_READ;
	return err;
}

/* --- pages ---------------------------------------------------------------------------------------
 */

static enum tacit_err got_members(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	struct tacit_conversation *c = tacit_op_at(e, op), *described;
	if (a->err != TACIT_OK)
		return tacit_visit_fail(e, op, a);
	TRY(tacit_conversation_absorb(e, op, a->body, &described));
	if (described != c)
		return tacit_visit_stop(e, op, TACIT_E_REFUSED,
		        "The server's description of the conversation is refused.");
	TRY(tacit_visit_go(e, op));
out:
	return err;
}

enum tacit_err tacit_read_members(struct tacit_engine *e, struct tacit_op *op)
{
	op->refreshed = true;
	return tacit_op_call(e, op, &(struct tacit_call){.method = TACIT_GET}, got_members,
	        "/api/conversations/%" PRIu64, tacit_op_at(e, op)->id);
}

static enum tacit_err got_person(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	struct tacit_person p = {0};
	struct tacit_conversation *c = tacit_op_at(e, op);
	if (a->err == TACIT_E_NOT_FOUND) /* what they said is refused */
		return tacit_visit_go(e, op);
	if (a->err != TACIT_OK)
		return tacit_visit_fail(e, op, a);
	TRY(tacit_answer_person(a->body, "id", &p));
	err = tacit_name_same(tacit_name_view(&p.name), tacit_name_view(&op->stranger))
	              ? tacit_contact_observe(e, op, &p)
	              : TACIT_E_REFUSED;
	if (err == TACIT_OK)
		TRY(tacit_conversation_add_former(e, op, c, &p.name));
	else if (err != TACIT_E_REFUSED && err != TACIT_E_KEY_CHANGED)
		TRY(err);
	TRY(tacit_visit_go(e, op));
out:
	return err;
}

enum tacit_err tacit_read_person(struct tacit_engine *e, struct tacit_op *op)
{
	return tacit_op_call(e, op, &(struct tacit_call){.method = TACIT_GET}, got_person,
	        "/api/users/%s", op->stranger.c);
}

static enum tacit_err read_on(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_conversation *c, bool more)
{
	if (!more) {
		op->visit.read = true;
		return tacit_visit_go(e, op);
	}
	if (++op->pages >= MAX_PAGES)
		return tacit_op_fail(e, op, TACIT_E_LIMIT,
		        TACIT_STR("There is more than one go takes. Sync again for the rest."));
	(void)c;
	return tacit_read_page(e, op);
}

static enum tacit_err got_page(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	enum tacit_page_end end;
	const json_t *messages;
	struct tacit_conversation *c = tacit_op_at(e, op);
	uint64_t before = c->seen;
	/* A page of large messages may be larger than what is read at once; one message is not. */
	if (a->err == TACIT_E_TOO_LARGE && a->status == 200 && op->limit > 1) {
		op->limit /= 8;
		op->limit += op->limit == 0;
		return tacit_read_page(e, op);
	}
	if (a->err != TACIT_OK)
		return tacit_visit_fail(e, op, a);
	TRY(tacit_answer_list(a->body, "messages", op->limit, &messages));
	err = tacit_read_messages(e, op, c, messages, &end);
	if (err == TACIT_E_ORDER_CHANGED)
		return tacit_visit_stop(e, op, err,
		        "The server gives the messages out of order. What follows is not read.");
	TRY(err);
	TRY(take_reads(e, op, c, a->body));
	if (end == PAGE_NEEDS_MEMBERS)
		return tacit_read_members(e, op);
	if (end == PAGE_NEEDS_PERSON)
		return tacit_read_person(e, op);
	if (end == PAGE_NEEDS_GROUP) {
		op->visit.nobody = false;
		return tacit_visit_go(e, op);
	}
	bool more = json_is_true(json_object_get(a->body, "has_more"));
	TRY(read_on(e, op, c, more && c->seen > before));
out:
	return err;
}

enum tacit_err tacit_read_page(struct tacit_engine *e, struct tacit_op *op)
{
	const struct tacit_conversation *c = tacit_op_at(e, op);
	if (op->limit == 0)
		op->limit = PAGE_MESSAGES;
	op->asked_after = c->seen;
	return tacit_op_call(e, op, &(struct tacit_call){.method = TACIT_GET}, got_page,
	        "/api/conversations/%" PRIu64 "/messages?after=%" PRIu64 "&limit=%u", c->id,
	        c->seen, op->limit);
}
