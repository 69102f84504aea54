/* op_group.c - CREATE_GROUP, CREATE_ROOM, ADD, REMOVE: a request, and the group follows at once;
 * MARK_READ. */
#include <inttypes.h>
#include <stdio.h>

#include "engine/engine_int.h"
#include "wire/names.h"

static enum tacit_err user_list(const struct tacit_op *op, json_t **out)
{
	json_t *list = json_array();
	*out = NULL;
	if (list == NULL)
		return TACIT_E_NOMEM;
	for (size_t i = 0; i < op->user_count; i++)
		if (json_array_append_new(list, json_string(op->users[i].c)) != 0) {
			json_decref(list);
			return TACIT_E_NOMEM;
		}
	*out = list;
	return TACIT_OK;
}

static enum tacit_err end(struct tacit_engine *e, struct tacit_op *op)
{
	return tacit_op_done(e, op, &(struct tacit_notice){.conversation = op->conversation});
}

/* Whoever is in the conversation now is to be in its group, and nobody else: at once. */
static enum tacit_err follow(struct tacit_engine *e, struct tacit_op *op)
{
	return tacit_visit_begin(e, op,
	        &(struct tacit_visit){.commit = true, .done = end, .failed = tacit_visit_forgive});
}

static enum tacit_err created(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	struct tacit_conversation *c;
	if (a->status == 0)
		TRY(tacit_op_warn(e, op, NULL, a->err,
		        "No answer came. It may have been made all the same: look at your "
		        "conversations before you make it again."));
	if (a->err != TACIT_OK)
		return tacit_op_fail_answer(e, op, a);
	TRY(tacit_conversation_absorb(e, op, a->body, &c));
	enum tacit_conversation_kind wanted =
	        op->kind == TACIT_CMD_CREATE_ROOM ? TACIT_ROOM : TACIT_GROUP;
	if (c == NULL || c->kind != wanted)
		return tacit_op_fail(e, op, TACIT_E_REFUSED,
		        TACIT_STR("The server has made another conversation than the one that was "
		                  "asked for. It is refused."));
	op->conversation = c->id;
	TRY(tacit_name_take(e, c, tacit_buf_view(&op->text)));
	TRY(tacit_conversation_tell(e, op, c));
	TRY(follow(e, op));
out:
	return err;
}

/* A name that the server has is said to the members all the same: it cannot change theirs. */
static enum tacit_err create(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_pair *pairs, size_t count)
{
	enum tacit_err err;
	json_t *data = NULL, *users = NULL;
	if (!tacit_conversation_name_valid(tacit_buf_view(&op->text)))
		return tacit_op_fail(
		        e, op, TACIT_E_BAD_NAME, tacit_cstr(tacit_err_text(TACIT_E_BAD_NAME)));
	TRY(tacit_op_data(pairs, count, &data));
	TRY(user_list(op, &users));
	if (json_object_set_new(data, "participants", users) != 0) {
		err = TACIT_E_NOMEM;
		goto out;
	}
	struct tacit_call call = {
	        .method = TACIT_POST, .body = TACIT_BODY_SIGNED, .data = data, .once = true};
	data = NULL;
	TRY(tacit_op_call(e, op, &call, created, "/api/conversations"));
out:
	json_decref(data);
	return err;
}

enum tacit_err tacit_op_create_group(struct tacit_engine *e, struct tacit_op *op)
{
	const struct tacit_pair kind = {
	        "kind", TACIT_STR("group")}; /* its name is not the server's */
	return create(e, op, &kind, 1);
}

enum tacit_err tacit_op_create_room(struct tacit_engine *e, struct tacit_op *op)
{
	const struct tacit_pair pairs[] = {
	        {"kind", TACIT_STR("room")}, {"name", tacit_buf_view(&op->text)}};
	return create(e, op, pairs, TACIT_COUNT(pairs));
}

/* --- members
 * ---------------------------------------------------------------------------------------- */

static enum tacit_err got_members(
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
	TRY(tacit_conversation_tell(e, op, c));
	TRY(follow(e, op));
out:
	return err;
}

static enum tacit_err ask_members(struct tacit_engine *e, struct tacit_op *op)
{
	char path[64];
	snprintf(path, sizeof(path), "/api/conversations/%" PRIu64, op->conversation);
	return tacit_op_get(e, op, got_members, path);
}

static enum tacit_err changed(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	return a->err != TACIT_OK ? tacit_op_fail_answer(e, op, a) : ask_members(e, op);
}

enum tacit_err tacit_op_add(struct tacit_engine *e, struct tacit_op *op)
{
	enum tacit_err err;
	json_t *data = NULL, *users = NULL;
	if (op->conversation == 0 || op->user_count == 0)
		return tacit_op_fail(
		        e, op, TACIT_E_USAGE, TACIT_STR("Say whom to add, and where."));
	TRY(tacit_op_data(NULL, 0, &data));
	TRY(user_list(op, &users));
	if (json_object_set_new(data, "usernames", users) != 0) {
		err = TACIT_E_NOMEM;
		goto out;
	}
	struct tacit_call call = {.method = TACIT_POST, .body = TACIT_BODY_SIGNED, .data = data};
	data = NULL;
	TRY(tacit_op_call(e, op, &call, changed, "/api/conversations/%" PRIu64 "/participants",
	        op->conversation));
out:
	json_decref(data);
	return err;
}

static enum tacit_err left(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	struct tacit_conversation *c = tacit_conversation_find(e, op->conversation);
	if (a->err != TACIT_OK)
		return tacit_op_fail_answer(e, op, a);
	if (c != NULL) {
		tacit_conversation_put_out(e, c);
		tacit_membership_set(e, c, NULL); /* what it could still open is not ours */
		c->receipts.print_count = 0;
		c->receipts.dirty = true;
		tacit_pending_clear(e, c);
	}
	return end(e, op);
}

enum tacit_err tacit_op_remove(struct tacit_engine *e, struct tacit_op *op)
{
	enum tacit_err err;
	json_t *data;
	struct tacit_bytes name = tacit_buf_view(&op->username);
	if (op->conversation == 0 || !tacit_username_valid(name))
		return tacit_op_fail(
		        e, op, TACIT_E_USAGE, TACIT_STR("Say whom to remove, and where."));
	struct tacit_pair pair = {"username", name};
	TRY(tacit_op_data(&pair, 1, &data));
	TRY(tacit_op_call(e, op,
	        &(struct tacit_call){
	                .method = TACIT_DELETE, .body = TACIT_BODY_SIGNED, .data = data},
	        tacit_contact_is_self(e, name) ? left : changed,
	        "/api/conversations/%" PRIu64 "/participants/%.*s", op->conversation, (int)name.n,
	        (const char *)name.p));
out:
	return err;
}

/* --- read marks
 * --------------------------------------------------------------------------------------- */

static enum tacit_err marked(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	struct tacit_conversation *c = tacit_conversation_find(e, op->conversation);
	if (a->err != TACIT_OK)
		return tacit_op_fail_answer(e, op, a);
	if (c->unread != 0 && op->message >= c->last) {
		c->unread = 0;
		c->dirty = e->changed = true;
	}
	return end(e, op);
}

enum tacit_err tacit_op_mark_read(struct tacit_engine *e, struct tacit_op *op)
{
	const struct tacit_conversation *c = tacit_conversation_find(e, op->conversation);
	if (c == NULL)
		return tacit_op_fail(
		        e, op, TACIT_E_NOT_FOUND, TACIT_STR("There is no such conversation."));
	if (op->message == 0)
		op->message = c->seen > c->own_last ? c->seen : c->own_last;
	if (op->message == 0)
		return end(e, op);
	json_t *data = json_pack("{s:I}", "message_id", (json_int_t)op->message);
	if (data == NULL)
		return TACIT_E_NOMEM;
	return tacit_op_call(e, op,
	        &(struct tacit_call){.method = TACIT_POST, .body = TACIT_BODY_SIGNED, .data = data},
	        marked, "/api/conversations/%" PRIu64 "/read", op->conversation);
}
