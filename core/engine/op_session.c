/* op_session.c - what passes: CREATE_SESSION, CLOSE_SESSION, SET_EXPIRY, and TYPING. */
#include <inttypes.h>

#include "engine/engine_int.h"

#define LONGEST_SECONDS (10 * 365 * 86400)

static enum tacit_err end(struct tacit_engine *e, struct tacit_op *op)
{
	return tacit_op_done(e, op, &(struct tacit_notice){.conversation = op->conversation});
}

static enum tacit_err fail(
        struct tacit_engine *e, struct tacit_op *op, enum tacit_err why, const char *text)
{
	return tacit_op_fail(e, op, why, tacit_cstr(text));
}

/* --- sessions ------------------------------------------------------------------------------------
 */

static enum tacit_err created(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	struct tacit_conversation *c;
	if (a->status == 0)
		TRY(tacit_op_warn(e, op, NULL, a->err,
		        "No answer came. The session may have been made all the same: look before "
		        "you make it again."));
	if (a->err != TACIT_OK)
		return tacit_op_fail_answer(e, op, a);
	TRY(tacit_conversation_absorb(e, op, a->body, &c));
	if (c == NULL || c->kind != TACIT_SESSION)
		return fail(e, op, TACIT_E_REFUSED,
		        "The server has made another conversation than the one that was asked for. "
		        "It is refused.");
	op->conversation = c->id;
	TRY(tacit_conversation_tell(e, op, c));
	TRY(tacit_visit_begin(e, op,
	        &(struct tacit_visit){.commit = true, .done = end, .failed = tacit_visit_forgive}));
out:
	return err;
}

static json_t *session_data(const struct tacit_op *op)
{
	json_t *users = json_array();
	bool ok = users != NULL;
	for (size_t i = 0; i < op->user_count; i++)
		ok = ok && json_array_append_new(users, json_string(op->users[i].c)) == 0;
	json_t *data = ok ? json_pack("{s:O,s:I}", "participants", users, "ttl_seconds",
	                            (json_int_t)op->seconds)
	                  : NULL;
	json_decref(users);
	return data;
}

enum tacit_err tacit_op_create_session(struct tacit_engine *e, struct tacit_op *op)
{
	if (op->user_count == 0 || op->seconds == 0 || op->seconds > LONGEST_SECONDS)
		return fail(e, op, TACIT_E_USAGE, "Say with whom, and for how long.");
	json_t *data = session_data(op);
	if (data == NULL)
		return TACIT_E_NOMEM;
	return tacit_op_call(e, op,
	        &(struct tacit_call){.method = TACIT_POST,
	                .body = TACIT_BODY_SIGNED,
	                .data = data,
	                .once = true},
	        created, "/api/sessions");
}

static enum tacit_err closed(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_conversation *c = tacit_conversation_find(e, op->conversation);
	if (a->err != TACIT_OK && a->status != 410)
		return tacit_op_fail_answer(e, op, a);
	if (c != NULL)
		TRY(tacit_conversation_close(e, op, c));
	TRY(end(e, op));
out:
	return err;
}

enum tacit_err tacit_op_close_session(struct tacit_engine *e, struct tacit_op *op)
{
	const struct tacit_conversation *c = tacit_conversation_find(e, op->conversation);
	if (c == NULL || c->kind != TACIT_SESSION)
		return fail(e, op, TACIT_E_NOT_FOUND, "There is no such session.");
	json_t *data = json_object();
	if (data == NULL)
		return TACIT_E_NOMEM;
	return tacit_op_call(e, op,
	        &(struct tacit_call){
	                .method = TACIT_DELETE, .body = TACIT_BODY_SIGNED, .data = data},
	        closed, "/api/sessions/%" PRIu64, op->conversation);
}

/* --- how long messages are kept ----------------------------------------------------------------
 */

static enum tacit_err described(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	struct tacit_conversation *c;
	if (a->err != TACIT_OK)
		return tacit_op_fail_answer(e, op, a);
	TRY(tacit_conversation_absorb(e, op, a->body, &c));
	if (c == NULL || c->id != op->conversation || c->life.ttl != op->seconds)
		return fail(e, op, TACIT_E_REFUSED, "The server has not kept the setting.");
	TRY(end(e, op));
out:
	return err;
}

static enum tacit_err set(struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	if (a->err != TACIT_OK)
		return tacit_op_fail_answer(e, op, a);
	return tacit_op_call(e, op, &(struct tacit_call){.method = TACIT_GET}, described,
	        "/api/conversations/%" PRIu64, op->conversation);
}

enum tacit_err tacit_op_set_expiry(struct tacit_engine *e, struct tacit_op *op)
{
	if (tacit_conversation_find(e, op->conversation) == NULL)
		return fail(e, op, TACIT_E_NOT_FOUND, "There is no such conversation.");
	if (op->seconds > LONGEST_SECONDS)
		return fail(e, op, TACIT_E_USAGE, "That is too long.");
	json_t *data = json_pack("{s:I}", "message_ttl_seconds", (json_int_t)op->seconds);
	if (data == NULL)
		return TACIT_E_NOMEM;
	return tacit_op_call(e, op,
	        &(struct tacit_call){.method = TACIT_PUT, .body = TACIT_BODY_SIGNED, .data = data},
	        set, "/api/conversations/%" PRIu64 "/expiry", op->conversation);
}

/* --- typing --------------------------------------------------------------------------------------
 */

enum tacit_err tacit_op_typing(struct tacit_engine *e, struct tacit_op *op)
{
	enum tacit_err err;
	const struct tacit_conversation *c = tacit_conversation_find(e, op->conversation);
	json_t *body = NULL;
	if (c == NULL)
		return fail(e, op, TACIT_E_NOT_FOUND, "There is no such conversation.");
	body = json_pack("{s:I,s:b}", "room_id", (json_int_t)c->id, "typing", op->flag);
	if (e->live.up && c->live.state == LIVE_IN)
		TRY(tacit_live_emit(e, "typing", body));
	TRY(end(e, op));
out:
	json_decref(body);
	return err;
}
