/* op_sync.c - SYNC and CONVERSATIONS: which conversations have something for us.
 *
 *   GET the conversations (or the one) -> absorb -> key packages, when they are due
 *   -> visit each with news or a kept message (visit.c)
 *   -> tell how many could not be opened, if any (op_report.c) */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/engine_int.h"

static enum tacit_err next_conversation(struct tacit_engine *e, struct tacit_op *op);

/* --- one of them
 * --------------------------------------------------------------------------------- */

static enum tacit_err leave_conversation(struct tacit_engine *e, struct tacit_op *op)
{
	enum tacit_err err = tacit_read_end(e, op, tacit_op_at(e, op));
	op->todo_next++;
	return err != TACIT_OK ? err : next_conversation(e, op);
}

static enum tacit_err gone(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_conversation *c = tacit_op_at(e, op);
	struct tacit_outgoing *draft;
	while ((draft = tacit_outbox_draft(e, c->id)) != NULL)
		TRY(tacit_outbox_refuse(e, op, c, draft, a));
	tacit_conversation_put_out(e, c);
	if (a->status == 410 && c->kind == TACIT_SESSION)
		TRY(tacit_conversation_close(e, op, c));
	TRY(leave_conversation(e, op));
out:
	return err;
}

/* What cannot be done in one conversation (a full quota, a changed key, a group that cannot be
 * joined) must not keep others out. */
static enum tacit_err visit_failed(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	struct tacit_conversation *c = tacit_op_at(e, op);
	bool waits = tacit_outbox_of(e, c->id) != NULL || tacit_outbox_draft(e, c->id) != NULL;
	if (a->status == 0 || a->status == 401 || a->err == TACIT_E_ORDER_CHANGED)
		return tacit_op_fail(e, op, a->err, a->text);
	if (a->status == 403 || a->status == 404 || a->status == 410)
		return gone(e, op, a);
	if (waits)
		TRY(tacit_op_warn(e, op, c, a->err,
		        "A message that waits here could not be sent yet. (%.*s)", (int)a->text.n,
		        (const char *)a->text.p));
	else if (a->status != 200)
		return tacit_op_fail(e, op, a->err, a->text);
	else
		TRY(tacit_op_warn(
		        e, op, c, a->err, "%.*s", (int)a->text.n, (const char *)a->text.p));
	TRY(leave_conversation(e, op));
out:
	return err;
}

/* --- all of them
 * ------------------------------------------------------------------------------------ */

static enum tacit_err finish(struct tacit_engine *e, struct tacit_op *op)
{
	return tacit_op_done(e, op,
	        &(struct tacit_notice){.conversation = op->conversation, .count = op->fetched});
}

static enum tacit_err next_conversation(struct tacit_engine *e, struct tacit_op *op)
{
	if (op->todo_next >= op->todo_count) {
		op->after = finish;
		return tacit_report(e, op);
	}
	op->limit = PAGE_MESSAGES;
	return tacit_visit_begin(
	        e, op, &(struct tacit_visit){.done = leave_conversation, .failed = visit_failed});
}

enum tacit_err tacit_op_todo(struct tacit_op *op, uint64_t id)
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
	       tacit_outbox_draft(e, c->id) != NULL || c->pending != NULL || c->name_due ||
	       c->stray || c->doubted > 0;
}

/* What the members call a group is in its messages: it is told when that is read. */
static bool waits_for_name(const struct tacit_engine *e, const struct tacit_conversation *c)
{
	return c->kind == TACIT_GROUP && tacit_conversation_title(e, c).n == 0;
}

static bool is_in(const struct tacit_conversation *c)
{
	return c != NULL && c->known && c->in;
}

/* Whom somebody has taken in is told before anything is said there. Of a direct one there is
 * nothing to tell before that. */
static enum tacit_err tell_newcomer(struct tacit_engine *e, const struct tacit_op *op,
        const struct tacit_conversation *c, bool was_in)
{
	if (was_in || !c->in || c->kind == TACIT_DIRECT || waits_for_name(e, c))
		return TACIT_OK;
	return tacit_conversation_tell(e, op, c);
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
		tacit_conversation_put_out(e, c);
		if (c->kind == TACIT_SESSION) {
			TRY(tacit_conversation_close(e, op, c));
			continue;
		}
		struct tacit_bytes title = tacit_conversation_title(e, c);
		TRY(tacit_op_warn(e, op, c, TACIT_E_GONE,
		        "You were removed from a conversation, or the server does not show it any "
		        "more: \"%.*s\".",
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
		TRY(tacit_answer_id(item, "id", &listed[count]));
		bool was_in = is_in(tacit_conversation_find(e, listed[count++]));
		TRY(tacit_conversation_absorb(e, op, item, &c));
		if (c == NULL || !c->in)
			continue;
		if (has_news(e, c))
			TRY(tacit_op_todo(op, c->id));
		if (op->kind == TACIT_CMD_CONVERSATIONS)
			TRY(tacit_conversation_tell(e, op, c));
		else
			TRY(tell_newcomer(e, op, c, was_in));
	}
	/* Of a list in pages, one that moved between them may be on none. */
	if (op->listed == 0 && !json_is_true(json_object_get(body, "has_more")))
		TRY(drop_unlisted(e, op, listed, count));
	for (const struct tacit_outgoing *o = e->outbox; o != NULL; o = o->next)
		if (tacit_conversation_find(e, o->conversation) != NULL)
			TRY(tacit_op_todo(op, o->conversation));
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
		return tacit_op_done(e, op, NULL);
	op->after = next_conversation;
	TRY(tacit_key_packages_offer(e, op));
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
	bool was_in = is_in(tacit_conversation_find(e, op->conversation));
	TRY(tacit_conversation_absorb(e, op, a->body, &c));
	if (c == NULL || c->id != op->conversation)
		return tacit_op_fail(e, op, TACIT_E_REFUSED,
		        TACIT_STR("The server's description of the conversation is refused."));
	TRY(tell_newcomer(e, op, c, was_in));
	if (has_news(e, c))
		TRY(tacit_op_todo(op, c->id));
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
