/* op_send.c - SEND and RESOLVE.
 *
 *   RESOLVE: known direct chat -> its id; else GET the user (pin) -> POST the conversation
 *   SEND: resolve -> visit the conversation (visit.c), with something to say -> DONE
 *         Somebody new there: told, FAILED; without a server the message becomes a draft. */
#include <stdio.h>

#include "engine/changes_int.h"
#include "wire/names.h"

#define NEWCOMERS_NAMED 3 /* in one sentence */

/* --- from a name to a conversation
 * ---------------------------------------------------------------- */

static enum tacit_err made(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	struct tacit_conversation *c;
	if (a->err != TACIT_OK)
		return tacit_op_fail_answer(e, op, a);
	TRY(tacit_conversation_absorb(e, op, a->body, &c));
	struct tacit_bytes name = tacit_buf_view(&op->username);
	if (c == NULL || tacit_conversation_direct(e, name) == NULL || c->kind != TACIT_DIRECT ||
	        tacit_conversation_member(c, name) == NULL)
		return tacit_op_fail(e, op, TACIT_E_REFUSED,
		        TACIT_STR("The server has made another conversation than the one that was "
		                  "asked for. It is refused."));
	op->conversation = c->id;
	TRY(op->after(e, op));
out:
	return err;
}

static enum tacit_err make_direct(struct tacit_engine *e, struct tacit_op *op)
{
	enum tacit_err err;
	struct tacit_bytes name = tacit_buf_view(&op->username);
	json_t *data = json_pack(
	        "{s:s,s:[s%]}", "kind", "direct", "participants", (const char *)name.p, name.n);
	if (data == NULL)
		return TACIT_E_NOMEM;
	TRY(tacit_op_call(e, op,
	        &(struct tacit_call){.method = TACIT_POST, .body = TACIT_BODY_SIGNED, .data = data},
	        made, "/api/conversations"));
out:
	return err;
}

static enum tacit_err got_user(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	struct tacit_person user = {0};
	if (a->err == TACIT_E_NOT_FOUND)
		return tacit_op_fail(e, op, a->err, TACIT_STR("There is no user of that name."));
	if (a->err != TACIT_OK)
		return tacit_op_fail_answer(e, op, a);
	TRY(tacit_answer_person(a->body, "id", &user));
	if (!tacit_name_same(tacit_name_view(&user.name), tacit_buf_view(&op->username)))
		return tacit_op_fail(e, op, TACIT_E_REFUSED,
		        TACIT_STR("The server has answered with another person than asked for."));
	TRY(tacit_contact_observe(e, op, &user));
	TRY(make_direct(e, op));
out:
	return err;
}

enum tacit_err tacit_op_resolve(struct tacit_engine *e, struct tacit_op *op)
{
	struct tacit_bytes name = tacit_buf_view(&op->username);
	char path[64 + TACIT_MAX_USERNAME];
	if (!tacit_username_valid(name))
		return tacit_op_fail(
		        e, op, TACIT_E_BAD_NAME, tacit_cstr(tacit_err_text(TACIT_E_BAD_NAME)));
	if (tacit_contact_is_self(e, name))
		return tacit_op_fail(e, op, TACIT_E_USAGE, TACIT_STR("That is you yourself."));
	const struct tacit_conversation *c = tacit_conversation_direct(e, name);
	if (c != NULL) {
		op->conversation = c->id;
		return op->after(e, op);
	}
	snprintf(path, sizeof(path), "/api/users/%.*s", (int)name.n, (const char *)name.p);
	return tacit_op_get(e, op, got_user, path);
}

static enum tacit_err tell_resolved(struct tacit_engine *e, struct tacit_op *op)
{
	enum tacit_err err;
	TRY(tacit_conversation_tell(e, op, tacit_conversation_find(e, op->conversation)));
	TRY(tacit_op_done(e, op, &(struct tacit_notice){.conversation = op->conversation}));
out:
	return err;
}

enum tacit_err tacit_op_resolve_cmd(struct tacit_engine *e, struct tacit_op *op)
{
	op->after = tell_resolved;
	return tacit_op_resolve(e, op);
}

/* --- sending
 * -------------------------------------------------------------------------------------- */

/* As far as is known here, it could be sealed for everybody. */
static bool may_keep(
        const struct tacit_engine *e, const struct tacit_op *op, const struct tacit_conversation *c)
{
	struct tacit_content content = {0};
	enum tacit_err err = tacit_content_decode(tacit_buf_view(&op->content), &content);
	bool text = err == TACIT_OK &&
	            (content.kind == TACIT_CONTENT_TEXT || tacit_content_is_change(&content));
	tacit_content_wipe(&content);
	if (!text || c == NULL || !c->known || !c->in)
		return false;
	for (size_t i = 0; i < c->member_count; i++) {
		struct tacit_bytes name = tacit_name_view(&c->members[i].name);
		const struct tacit_contact *contact = tacit_contact_find(e, name);
		if (c->members[i].in && !tacit_contact_is_self(e, name) &&
		        (contact == NULL || contact->changed))
			return false;
	}
	return true;
}

static bool is_away(int status)
{
	return status == 0 || status == 408 || status == 429 || status >= 500;
}

/* A server that is away now has the message later. */
static enum tacit_err sent(struct tacit_engine *e, struct tacit_op *op);

static enum tacit_err keep_or_fail(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	struct tacit_conversation *c = tacit_conversation_find(e, op->conversation);
	if (op->said)
		return sent(e, op);
	/* A server tells nobody what there is besides their own. */
	if (c != NULL && c->known && tacit_bytes_eq(a->code, TACIT_STR("NOT_FOUND")))
		return tacit_op_fail(e, op, a->err,
		        TACIT_STR("You are no longer in this conversation, or the server does not "
		                  "show it any more."));
	/* What is sealed is kept already, or was refused. */
	if (op->sealed || !is_away(a->status) || !may_keep(e, op, c))
		return tacit_op_fail_answer(e, op, a);
	enum tacit_err err = tacit_outbox_keep(e, op, c);
	if (err == TACIT_E_LIMIT)
		return tacit_op_fail(e, op, err,
		        TACIT_STR("The server cannot be reached, and too many messages wait here "
		                  "already: this one is not kept."));
	if (err != TACIT_OK)
		return err;
	return tacit_op_fail(e, op, TACIT_E_NETWORK,
	        TACIT_STR("The server cannot be reached. The message is kept, and goes out with "
	                  "the next command that reaches it."));
}

/* The nth whom this operation found to be in the conversation though nobody here had heard of it.
 */
static const struct tacit_member *newcomer(
        const struct tacit_op *op, const struct tacit_conversation *c, size_t nth)
{
	for (size_t i = 0; i < c->member_count; i++)
		if (c->members[i].in && c->members[i].announced == op->id && nth-- == 0)
			return &c->members[i];
	return NULL;
}

/* Who wrote the message did not know who would read it: it is not sealed for anybody. The next one
 * goes to those who were told now. */
static enum tacit_err fail_for_newcomers(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_conversation *c)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_buf text = {0};
	size_t count = 0;
	while (newcomer(op, c, count) != NULL)
		count++;
	size_t named = count < NEWCOMERS_NAMED ? count : NEWCOMERS_NAMED;
	for (size_t i = 0; i < named; i++)
		TRY(tacit_buf_printf(&text, "%s%s",
		        i == 0           ? ""
		        : i + 1 == count ? " and "
		                         : ", ",
		        newcomer(op, c, i)->name.c));
	if (count > named)
		TRY(tacit_buf_printf(&text, " and %zu more", count - named));
	TRY(tacit_buf_printf(&text, " %s in the conversation now; send again to include them.",
	        count == 1 ? "is" : "are"));
	TRY(tacit_op_fail(e, op, TACIT_E_CONFLICT, tacit_buf_view(&text)));
out:
	tacit_buf_clear(&text);
	return err;
}

/* A direct chat is between the same two for ever, and the person named the other one. */
bool tacit_send_newcomers(struct tacit_engine *e, struct tacit_op *op,
        const struct tacit_conversation *c, enum tacit_err *err)
{
	if (op->sealed || c->kind == TACIT_DIRECT || newcomer(op, c, 0) == NULL)
		return false;
	*err = fail_for_newcomers(e, op, c);
	return true;
}

static enum tacit_err sent(struct tacit_engine *e, struct tacit_op *op)
{
	enum tacit_err err;
	TRY(tacit_read_end(e, op, tacit_op_at(e, op)));
	TRY(tacit_op_done(e, op,
	        &(struct tacit_notice){.conversation = op->conversation,
	                .message = op->message,
	                .time = op->sent_at}));
out:
	return err;
}

static enum tacit_err go(struct tacit_engine *e, struct tacit_op *op)
{
	op->message = 0;
	return tacit_visit_begin(
	        e, op, &(struct tacit_visit){.done = sent, .failed = keep_or_fail});
}

/* The others would not carry it out either. */
static enum tacit_err check_change(struct tacit_engine *e, struct tacit_op *op,
        const struct tacit_entry *entry, const struct tacit_content *content)
{
	const struct tacit_notice *n = entry != NULL ? &entry->n : NULL;
	if (n != NULL && n->kind == TACIT_NOTICE_DELETED)
		return tacit_op_fail(e, op, TACIT_E_GONE, TACIT_STR("That message was deleted."));
	if (n == NULL || n->kind != TACIT_NOTICE_MESSAGE)
		return tacit_op_fail(
		        e, op, TACIT_E_NOT_FOUND, TACIT_STR("There is no such message here."));
	if (content->kind == TACIT_CONTENT_REACTION)
		return go(e, op);
	if (!tacit_contact_is_self(e, n->username))
		return tacit_op_fail(e, op, TACIT_E_REFUSED,
		        TACIT_STR("Only an own message can be edited or deleted."));
	if (content->kind == TACIT_CONTENT_EDIT && n->content.kind != TACIT_CONTENT_TEXT)
		return tacit_op_fail(e, op, TACIT_E_USAGE,
		        TACIT_STR("A file cannot be edited: delete it, and send another."));
	return go(e, op);
}

static enum tacit_err recalled(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_entry *entry)
{
	enum tacit_err err;
	struct tacit_content content;
	TRY(tacit_content_decode(tacit_buf_view(&op->content), &content));
	TRY(check_change(e, op, entry, &content));
out:
	return err;
}

/* What is about another message is said when that one is there, and the own one where it must be.
 */
static enum tacit_err begin(struct tacit_engine *e, struct tacit_op *op)
{
	enum tacit_err err;
	struct tacit_content content;
	TRY(tacit_content_decode(tacit_buf_view(&op->content), &content));
	bool change = tacit_content_is_change(&content);
	op->about = content.message;
	bool between = !tacit_content_is_said(&content);
	tacit_content_wipe(&content);
	if (between)
		return tacit_op_fail(e, op, TACIT_E_USAGE, TACIT_STR("That is not for people."));
	if (!change)
		return go(e, op);
	op->recalled = recalled;
	TRY(tacit_entry_ask(
	        e, tacit_conversation_find(e, op->conversation), op->about, &op->recall));
out:
	return err;
}

static enum tacit_err found(
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
	TRY(begin(e, op));
out:
	return err;
}

enum tacit_err tacit_op_send(struct tacit_engine *e, struct tacit_op *op)
{
	if (op->content.n == 0)
		return tacit_op_fail(e, op, TACIT_E_USAGE, TACIT_STR("There is nothing to send."));
	op->after = begin;
	if (op->conversation == 0)
		return tacit_op_resolve(e, op);
	const struct tacit_conversation *c = tacit_conversation_find(e, op->conversation);
	if (c != NULL && c->known)
		return begin(e, op);
	char path[64];
	snprintf(path, sizeof(path), "/api/conversations/%llu",
	        (unsigned long long)op->conversation);
	return tacit_op_get(e, op, found, path);
}
