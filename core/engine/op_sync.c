/* op_sync.c - SYNC and CONVERSATIONS: fetch, open, keep, tell.
 *
 *   GET the conversations (or the one) -> absorb -> for each with news or a kept message:
 *     flush its outbox (op_flush.c) -> GET a page after `seen` -> open each message
 *     -> again while there is more
 *
 * One page is one step: state, history and the new `seen` are persisted together. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "crypto/encoding.h"
#include "engine/engine_int.h"
#include "wire/names.h"

static enum tacit_err next_conversation(struct tacit_engine *e, struct tacit_op *op);
static enum tacit_err fetch_page(struct tacit_engine *e, struct tacit_op *op);

/* --- one message
 * ----------------------------------------------------------------------------------- */

struct incoming {
	uint64_t id;
	struct tacit_bytes username; /* by the server's word */
	int64_t time, expires;
	struct tacit_buf envelope;
	bool readable;
};

static enum tacit_err read_incoming(
        const json_t *item, const struct tacit_conversation *c, struct incoming *out)
{
	enum tacit_err err;
	struct tacit_bytes content, created, expires;
	uint64_t conversation;
	TRY(tacit_answer_id(item, "id", &out->id));
	TRY(tacit_answer_id(item, "conversation_id", &conversation));
	if (conversation != c->id) {
		err = TACIT_E_MALFORMED;
		goto out;
	}
	TRY(tacit_json_text(item, "created_at", TACIT_OPTIONAL, 64, &created));
	out->time = tacit_answer_time(created);
	TRY(tacit_json_text(item, "expires_at", TACIT_OPTIONAL, 64, &expires));
	out->expires = tacit_answer_time(expires);
	/* What follows is one message's own matter: a bad one is refused, the others are read. */
	err = tacit_json_text(item, "username", TACIT_REQUIRED, TACIT_MAX_USERNAME, &out->username);
	if (err == TACIT_OK && !tacit_username_valid(out->username))
		err = TACIT_E_MALFORMED;
	if (err != TACIT_OK)
		out->username = tacit_bytes(NULL, 0);
	if (err == TACIT_OK)
		err = tacit_json_text(item, "content", TACIT_REQUIRED,
		        (TACIT_MAX_ENVELOPE + 2) / 3 * 4, &content);
	if (err == TACIT_OK)
		err = tacit_unbase64(TACIT_BASE64, content, &out->envelope);
	out->readable = err == TACIT_OK;
	if (err != TACIT_E_NOMEM)
		err = TACIT_OK;
out:
	return err;
}

static const char *reason(enum tacit_err why)
{
	switch (why) {
	case TACIT_E_BAD_SIGNATURE:
		return "the signature is not theirs";
	case TACIT_E_UNKNOWN_SENDER:
		return "it is signed by nobody who is in this conversation";
	case TACIT_E_KEY_CHANGED:
		return "it is signed by somebody else";
	case TACIT_E_WRONG_RECIPIENT:
		return "it was not sealed for this device and conversation";
	case TACIT_E_REPLAY:
		return "it was here before";
	case TACIT_E_ORDER_CHANGED:
		return "it is out of order, or what came before it was changed";
	case TACIT_E_BAD_SEAL:
		return "it was changed on the way";
	case TACIT_E_UNSUPPORTED:
		return "it needs a newer version of tacit";
	case TACIT_E_LIMIT:
	case TACIT_E_TOO_LARGE:
		return "it is beyond what is allowed";
	default:
		return "it is not in the expected form";
	}
}

static enum tacit_err refuse(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, const struct incoming *m, enum tacit_err why)
{
	enum tacit_err err;
	struct tacit_buf text = {0};
	bool named = m->username.n > 0;
	TRY(tacit_buf_printf(&text, "A message that claims to be from %.*s was refused: %s.",
	        named ? (int)m->username.n : 8, named ? (const char *)m->username.p : "somebody",
	        reason(why)));
	struct tacit_notice n = {
	        .kind = TACIT_NOTICE_REFUSED,
	        .err = why,
	        .text = tacit_buf_view(&text),
	        .username = m->username,
	        .conversation = c->id,
	        .message = m->id,
	        .time = m->time,
	};
	TRY(tacit_log_put(e, c, m->id, LOG_MESSAGE, &n));
	TRY(tacit_op_tell(e, op, &n));
out:
	tacit_buf_clear(&text);
	return err;
}

static enum tacit_err tell_missing(struct tacit_engine *e, const struct tacit_op *op,
        const struct tacit_conversation *c, const struct incoming *m, uint64_t count)
{
	enum tacit_err err;
	struct tacit_notice n = {
	        .kind = TACIT_NOTICE_MISSING,
	        .username = m->username,
	        .conversation = c->id,
	        .message = m->id,
	        .count = count,
	        .time = m->time,
	};
	TRY(tacit_log_put(e, c, m->id, LOG_BEFORE, &n));
	TRY(tacit_op_tell(e, op, &n));
out:
	return err;
}

static enum tacit_err show(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, const struct incoming *m, struct tacit_notice *n)
{
	enum tacit_err err;
	n->kind = TACIT_NOTICE_MESSAGE;
	n->username = m->username;
	n->conversation = c->id;
	n->message = m->id;
	n->time = m->time;
	n->flag = tacit_contact_is_self(e, m->username);
	TRY(tacit_log_put(e, c, m->id, LOG_MESSAGE, n));
	TRY(tacit_op_tell(e, op, n));
out:
	return err;
}

/* Everyone who is or was a member, by pinned key. */
static enum tacit_err member_keys(struct tacit_engine *e, const struct tacit_conversation *c,
        struct tacit_sign_public **out, size_t *count)
{
	*count = 0;
	*out = tacit_calloc(c->member_count + 1, sizeof(**out));
	if (*out == NULL)
		return TACIT_E_NOMEM;
	for (size_t i = 0; i < c->member_count; i++) {
		const struct tacit_sign_public *key =
		        tacit_contact_key(e, tacit_name_view(&c->members[i].name));
		if (key != NULL)
			(*out)[(*count)++] = *key;
	}
	return TACIT_OK;
}

static enum tacit_err open_envelope(struct tacit_engine *e, struct tacit_conversation *c,
        const struct incoming *m, struct tacit_opened *opened, struct tacit_buf *plain)
{
	enum tacit_err err;
	struct tacit_sign_public *keys = NULL;
	size_t count;
	struct tacit_self self = tacit_roster_self(e);
	if (!m->readable)
		return TACIT_E_MALFORMED;
	TRY(tacit_conversation_group(c));
	TRY(member_keys(e, c, &keys, &count));
	c->group_dirty = e->changed = true;
	TRY(tacit_group_ops->unprotect(
	        c->group, &self, keys, count, tacit_buf_view(&m->envelope), opened, plain));
	/* The name that is shown is the one to which the proven key is pinned; a server that says
	 * another one lies. */
	struct tacit_name own;
	const struct tacit_name *proven = tacit_contact_by_key(e, &opened->sender, &own);
	if (proven == NULL || !tacit_name_same(tacit_name_view(proven), m->username))
		err = TACIT_E_KEY_CHANGED;
out:
	tacit_free(keys);
	return err;
}

/* Sealed before this device could be among those for whom it is sealed: no cause for alarm. */
static bool before_our_time(
        const struct tacit_engine *e, const struct tacit_op *op, const struct incoming *m)
{
	int64_t joined = (int64_t)op->message;
	return m->time != 0 && (m->time <= e->device.created_at || m->time <= joined);
}

static enum tacit_err take_message(struct tacit_engine *e, struct tacit_op *op,
        struct tacit_conversation *c, const struct incoming *m)
{
	enum tacit_err err;
	struct tacit_opened opened = {0};
	struct tacit_notice n = {0};
	struct tacit_buf plain = {0};
	enum tacit_err why = open_envelope(e, c, m, &opened, &plain);
	if (why == TACIT_E_NOMEM || why == TACIT_E_CRYPTO)
		TRY(why);
	if (why == TACIT_E_WRONG_RECIPIENT && before_our_time(e, op, m)) {
		op->earlier++;
		err = TACIT_OK;
		goto out;
	}
	if (why == TACIT_OK && opened.own) {
		err = tacit_outbox_met(e, op, c, tacit_buf_view(&m->envelope), m->id, m->time);
		goto out;
	}
	if (op->by_event && (why != TACIT_OK || opened.missing > 0))
		TRY(TACIT_E_ORDER_CHANGED); /* the history may have what the events do not */
	if (why == TACIT_OK && opened.missing > 0)
		TRY(tell_missing(e, op, c, m, opened.missing));
	if (why == TACIT_OK)
		why = tacit_content_decode(tacit_buf_view(&plain), &n.content);
	if (why == TACIT_E_NOMEM)
		TRY(why);
	if (why != TACIT_OK) {
		err = refuse(e, op, c, m, why);
		goto out;
	}
	op->fetched++;
	TRY(show(e, op, c, m, &n));
out:
	tacit_content_wipe(&n.content);
	tacit_buf_clear(&plain);
	return err;
}

/* --- one page
 * -------------------------------------------------------------------------------------- */

static struct tacit_conversation *current(const struct tacit_engine *e, const struct tacit_op *op)
{
	return tacit_conversation_find(e, op->todo[op->todo_next]);
}

/* A sender whom the list of members does not hold may have joined after we asked for it. */
static bool newcomer(
        const struct tacit_op *op, const struct tacit_conversation *c, const struct incoming *m)
{
	const struct tacit_member *known = tacit_conversation_member(c, m->username);
	return !op->refreshed && m->username.n > 0 && known == NULL;
}

enum page_end { PAGE_READ, PAGE_NEEDS_MEMBERS };

static enum tacit_err take_page(struct tacit_engine *e, struct tacit_op *op,
        struct tacit_conversation *c, const json_t *messages, enum page_end *end)
{
	enum tacit_err err = TACIT_OK;
	uint64_t before = op->asked_after;
	struct incoming m = {0};
	size_t i;
	json_t *item;
	*end = PAGE_READ;
	json_array_foreach(messages, i, item)
	{
		tacit_buf_clear(&m.envelope);
		m = (struct incoming){0};
		TRY(read_incoming(item, c, &m));
		if (m.id <= before) {
			err = TACIT_E_ORDER_CHANGED;
			goto out;
		}
		before = m.id;
		if (m.id <= c->seen) /* another SYNC was faster */
			continue;
		if (newcomer(op, c, &m)) {
			*end = PAGE_NEEDS_MEMBERS;
			goto out;
		}
		TRY(take_message(e, op, c, &m));
		c->seen = m.id;
		c->event_slot = LOG_EVENTS;
		c->group_dirty = e->changed = true;
		TRY(tacit_lifetime_logged(e, c, m.id, m.expires));
	}
out:
	tacit_buf_clear(&m.envelope);
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

static enum tacit_err tell_earlier(
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
	enum page_end end = PAGE_READ;
	const struct tacit_member *self =
	        tacit_conversation_member(c, tacit_buf_view(&e->username));
	struct tacit_op op = {
	        .kind = TACIT_CMD_SYNC,
	        .own_accord = true,
	        .by_event = from == TACIT_FROM_EVENT,
	        .conversation = c->id,
	        .asked_after = c->seen,
	        .message = self != NULL ? (uint64_t)self->joined : 0,
	};
	TRY(take_page(e, &op, c, messages, &end));
	TRY(tell_earlier(e, &op, c));
out:
	*whole = err == TACIT_OK && end == PAGE_READ;
	return err;
}

static enum tacit_err leave_conversation(struct tacit_engine *e, struct tacit_op *op)
{
	struct tacit_conversation *c = current(e, op);
	c->holder = c->holder == op->id ? 0 : c->holder;
	op->todo_next++;
	enum tacit_err err = tell_earlier(e, op, c);
	return err != TACIT_OK ? err : next_conversation(e, op);
}

static enum tacit_err got_members(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	struct tacit_conversation *c;
	if (a->err != TACIT_OK)
		return tacit_op_fail_answer(e, op, a);
	TRY(tacit_conversation_absorb(e, op, a->body, &c));
	TRY(fetch_page(e, op));
out:
	return err;
}

static enum tacit_err ask_members(struct tacit_engine *e, struct tacit_op *op)
{
	char path[64];
	op->refreshed = true;
	snprintf(path, sizeof(path), "/api/conversations/%" PRIu64, op->todo[op->todo_next]);
	return tacit_op_get(e, op, got_members, path);
}

static enum tacit_err gone(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	struct tacit_conversation *c = current(e, op);
	enum tacit_err err;
	if (a->status != 403 && a->status != 404 && a->status != 410)
		return tacit_op_fail_answer(e, op, a);
	c->in = false;
	c->dirty = e->changed = true;
	if (a->status == 410 && c->kind == TACIT_SESSION)
		TRY(tacit_conversation_close(e, op, c));
	TRY(leave_conversation(e, op));
out:
	return err;
}

static enum tacit_err got_page(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	enum page_end end;
	const json_t *messages;
	struct tacit_conversation *c = current(e, op);
	uint64_t before = c->seen;
	/* A page of large messages may be larger than what is read at once; one message is not. */
	if (a->err == TACIT_E_TOO_LARGE && a->status == 200 && op->limit > 1) {
		op->limit /= 8;
		op->limit += op->limit == 0;
		return fetch_page(e, op);
	}
	if (a->err != TACIT_OK)
		return gone(e, op, a);
	TRY(tacit_answer_list(a->body, "messages", op->limit, &messages));
	err = take_page(e, op, c, messages, &end);
	if (err == TACIT_E_ORDER_CHANGED)
		return tacit_op_fail(e, op, err,
		        TACIT_STR("The server gives the messages out of order. What follows is not "
		                  "read."));
	TRY(err);
	TRY(take_reads(e, op, c, a->body));
	if (end == PAGE_NEEDS_MEMBERS)
		return ask_members(e, op);
	bool more = json_is_true(json_object_get(a->body, "has_more"));
	if (!more || c->seen <= before)
		return leave_conversation(e, op);
	if (++op->pages >= MAX_PAGES)
		return tacit_op_fail(e, op, TACIT_E_LIMIT,
		        TACIT_STR("There is more than one go takes. Sync again for the rest."));
	TRY(fetch_page(e, op));
out:
	return err;
}

static enum tacit_err fetch_page(struct tacit_engine *e, struct tacit_op *op)
{
	const struct tacit_conversation *c = current(e, op);
	char path[128];
	op->asked_after = c->seen;
	snprintf(path, sizeof(path),
	        "/api/conversations/%" PRIu64 "/messages?after=%" PRIu64 "&limit=%u", c->id,
	        c->seen, op->limit);
	return tacit_op_get(e, op, got_page, path);
}

/* --- all of them
 * ------------------------------------------------------------------------------------ */

static enum tacit_err next_conversation(struct tacit_engine *e, struct tacit_op *op)
{
	if (op->todo_next >= op->todo_count)
		return tacit_op_done(e, op,
		        &(struct tacit_notice){
		                .conversation = op->conversation, .count = op->fetched});
	struct tacit_conversation *c = current(e, op);
	bool kept = tacit_outbox_of(e, c->id) != NULL || tacit_outbox_draft(e, c->id) != NULL;
	const struct tacit_member *self =
	        tacit_conversation_member(c, tacit_buf_view(&e->username));
	op->refreshed = false;
	op->limit = PAGE_MESSAGES;
	op->message = self != NULL ? (uint64_t)self->joined : 0;
	if (!kept || (c->holder != 0 && c->holder != op->id))
		return fetch_page(e, op);
	c->holder = op->id;
	op->after = fetch_page;
	return tacit_op_flush(e, op);
}

static enum tacit_err add_todo(struct tacit_op *op, uint64_t id)
{
	for (size_t i = 0; i < op->todo_count; i++)
		if (op->todo[i] == id)
			return TACIT_OK;
	uint64_t *todo = tacit_realloc(op->todo, (op->todo_count + 1) * sizeof(*todo));
	if (todo == NULL)
		return TACIT_E_NOMEM;
	op->todo = todo;
	todo[op->todo_count++] = id;
	return TACIT_OK;
}

static bool has_news(const struct tacit_engine *e, const struct tacit_conversation *c)
{
	return c->last > c->seen || tacit_outbox_of(e, c->id) != NULL ||
	       tacit_outbox_draft(e, c->id) != NULL;
}

/* What the list does not name any more, this account is no longer in. */
static enum tacit_err drop_unlisted(
        struct tacit_engine *e, struct tacit_op *op, const uint64_t *listed, size_t count)
{
	enum tacit_err err = TACIT_OK;
	for (struct tacit_conversation *c = e->conversations; c != NULL; c = c->next) {
		bool there = false;
		for (size_t i = 0; i < count && !there; i++)
			there = listed[i] == c->id;
		if (there || !c->known || !c->in)
			continue;
		c->in = false;
		c->dirty = e->changed = true;
		if (c->kind == TACIT_SESSION) {
			TRY(tacit_conversation_close(e, op, c));
			continue;
		}
		struct tacit_bytes title = tacit_conversation_title(e, c);
		TRY(tacit_op_warn(e, op, c, TACIT_E_GONE,
		        "The server does not show the conversation \"%.*s\" any more.",
		        (int)title.n, title.n > 0 ? (const char *)title.p : ""));
	}
out:
	return err;
}

static enum tacit_err absorb_all(struct tacit_engine *e, struct tacit_op *op, const json_t *body)
{
	enum tacit_err err = TACIT_OK;
	size_t i, count = 0;
	json_t *item;
	const json_t *list = json_object_get(body, "conversations");
	uint64_t *listed = tacit_calloc(json_array_size(list) + 1, sizeof(*listed));
	if (listed == NULL)
		return TACIT_E_NOMEM;
	json_array_foreach(list, i, item)
	{
		struct tacit_conversation *c;
		TRY(tacit_answer_id(item, "id", &listed[count++]));
		TRY(tacit_conversation_absorb(e, op, item, &c));
		if (c != NULL && c->in && has_news(e, c))
			TRY(add_todo(op, c->id));
		if (c != NULL && c->in && op->kind == TACIT_CMD_CONVERSATIONS)
			TRY(tacit_conversation_tell(e, op, c));
	}
	/* Of a list in pages, one that moved between them may be on none. */
	if (op->listed == 0 && !json_is_true(json_object_get(body, "has_more")))
		TRY(drop_unlisted(e, op, listed, count));
	for (const struct tacit_outgoing *o = e->outbox; o != NULL; o = o->next)
		if (tacit_conversation_find(e, o->conversation) != NULL)
			TRY(add_todo(op, o->conversation));
out:
	tacit_free(listed);
	return err;
}

static enum tacit_err got_list(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	const json_t *list;
	if (a->err != TACIT_OK)
		return tacit_op_fail_answer(e, op, a);
	TRY(tacit_answer_list(a->body, "conversations", MAX_CONVERSATIONS, &list));
	TRY(absorb_all(e, op, a->body));
	op->listed += json_array_size(list);
	bool more = json_is_true(json_object_get(a->body, "has_more")) && json_array_size(list) > 0;
	if (more && op->listed < MAX_CONVERSATIONS)
		return tacit_op_call(e, op, &(struct tacit_call){.method = TACIT_GET}, got_list,
		        "/api/conversations?skip=%zu", op->listed);
	if (op->kind == TACIT_CMD_CONVERSATIONS)
		TRY(tacit_op_done(e, op, NULL));
	else
		TRY(next_conversation(e, op));
out:
	return err;
}

static enum tacit_err got_one(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	struct tacit_conversation *c;
	if (a->err != TACIT_OK)
		return tacit_op_fail_answer(e, op, a);
	TRY(tacit_conversation_absorb(e, op, a->body, &c));
	if (c == NULL || c->id != op->conversation)
		return tacit_op_fail(e, op, TACIT_E_REFUSED,
		        TACIT_STR("The server's description of the conversation is refused."));
	if (has_news(e, c))
		TRY(add_todo(op, c->id));
	TRY(next_conversation(e, op));
out:
	return err;
}

enum tacit_err tacit_op_conversations(struct tacit_engine *e, struct tacit_op *op)
{
	return tacit_op_get(e, op, got_list, "/api/conversations");
}

enum tacit_err tacit_op_sync(struct tacit_engine *e, struct tacit_op *op)
{
	char path[64];
	if (op->conversation == 0)
		return tacit_op_get(e, op, got_list, "/api/conversations");
	snprintf(path, sizeof(path), "/api/conversations/%" PRIu64, op->conversation);
	return tacit_op_get(e, op, got_one, path);
}
