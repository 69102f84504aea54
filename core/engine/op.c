/* op.c - an operation: its copy of the command, its requests, its one end. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "crypto/encoding.h"
#include "engine/engine_int.h"
#include "wire/names.h"
#include "wire/signed_request.h"

/* Room for the longest that a warning quotes, a conversation's title in UTF-8, and our words. */
#define MAX_WARNING (4 * TACIT_MAX_CONVERSATION_NAME + 256)

static enum tacit_err copy(struct tacit_buf *to, struct tacit_bytes from)
{
	return tacit_buf_append(to, from);
}

static enum tacit_err copy_secret(struct tacit_secret *to, struct tacit_bytes from)
{
	return from.n == 0 ? TACIT_OK : tacit_secret_copy(to, from);
}

static enum tacit_err copy_users(struct tacit_op *op, const struct tacit_command *c)
{
	if (c->user_count == 0)
		return TACIT_OK;
	if (c->user_count > TACIT_MAX_PARTICIPANTS)
		return TACIT_E_LIMIT;
	op->users = tacit_calloc(c->user_count, sizeof(*op->users));
	if (op->users == NULL)
		return TACIT_E_NOMEM;
	for (size_t i = 0; i < c->user_count; i++) {
		if (!tacit_username_valid(c->users[i]))
			return TACIT_E_BAD_NAME;
		tacit_name_set(&op->users[op->user_count++], c->users[i]);
	}
	return TACIT_OK;
}

static enum tacit_err copy_content(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_command *c)
{
	if (c->content == NULL)
		return TACIT_OK;
	struct tacit_content content = *c->content;
	content.sent_at = tacit_env_now(&e->env);
	enum tacit_err err = tacit_content_encode(&content, &op->content);
	tacit_content_wipe(&content);
	return err;
}

enum tacit_err tacit_op_new(
        struct tacit_engine *e, const struct tacit_command *c, struct tacit_op **out)
{
	enum tacit_err err;
	*out = NULL;
	struct tacit_op *op = tacit_calloc(1, sizeof(*op));
	if (op == NULL)
		return TACIT_E_NOMEM;
	op->id = ++e->next_op;
	op->kind = c->kind;
	op->conversation = c->conversation;
	op->message = c->message;
	op->seconds = c->seconds;
	op->flag = c->flag;
	TRY(copy(&op->username, c->username));
	TRY(copy(&op->email, c->email));
	TRY(copy(&op->text, c->text));
	TRY(copy_secret(&op->password, c->password));
	TRY(copy_secret(&op->code, c->code));
	TRY(copy_users(op, c));
	TRY(copy_content(e, op, c));
out:
	if (err == TACIT_E_NOMEM) {
		tacit_op_free(op);
		return err;
	}
	/* What is wrong with the command itself is told as its end. */
	op->next = e->ops;
	e->ops = op;
	*out = op;
	return err;
}

static void clear_call(struct tacit_call *call)
{
	json_decref(call->data); /* wiped: wire/json.c */
	tacit_buf_clear(&call->path);
	*call = (struct tacit_call){0};
}

void tacit_op_free(struct tacit_op *op)
{
	if (op == NULL)
		return;
	clear_call(&op->call);
	tacit_buf_clear(&op->username);
	tacit_buf_clear(&op->email);
	tacit_buf_clear(&op->text);
	tacit_buf_clear(&op->content);
	tacit_buf_clear(&op->wrapped);
	tacit_secret_free(&op->password);
	tacit_secret_free(&op->code);
	tacit_account_clear(&op->account);
	tacit_roster_clear(&op->leaves);
	tacit_free(op->users);
	tacit_free(op->todo);
	tacit_free(op);
}

/* Two requests with the same data in the same second have the same signature, and the server takes
 * a signature once: a nonce keeps them apart. */
static enum tacit_err add_nonce(struct tacit_engine *e, json_t *data)
{
	uint8_t random[8];
	char hex[2 * sizeof(random) + 1];
	tacit_env_random(&e->env, random, sizeof(random));
	tacit_hex(tacit_bytes(random, sizeof(random)), hex);
	return tacit_json_set_text(data, "nonce", tacit_cstr(hex));
}

static const struct tacit_sign_sk *signer(const struct tacit_engine *e, const struct tacit_op *op)
{
	if (op->account.sign_sk.n > 0)
		return tacit_account_sk(&op->account);
	return tacit_account_sk(e->pending.there ? &e->pending.account : &e->account);
}

enum tacit_err tacit_op_emit(struct tacit_engine *e, struct tacit_op *op)
{
	enum tacit_err err;
	struct tacit_call *call = &op->call;
	struct tacit_effect *fx;
	TRY(tacit_effects_add(&e->stage[STAGE_OUT], TACIT_EFFECT_SEND, &fx));
	fx->method = call->method;
	TRY(tacit_buf_append(&fx->path, tacit_buf_view(&call->path)));
	TRY(tacit_buf_terminate(&fx->path));
	if (call->body == TACIT_BODY_PLAIN)
		TRY(tacit_json_write(call->data, &fx->data));
	if (call->body == TACIT_BODY_SIGNED) {
		TRY(add_nonce(e, call->data));
		TRY(tacit_signed_request_build(
		        call->data, tacit_env_now(&e->env), signer(e, op), &fx->data));
	}
	call->tries++;
	call->request = op->asked = ++e->next_request;
	fx->request = call->request;
out:
	return err;
}

enum tacit_err tacit_op_call(struct tacit_engine *e, struct tacit_op *op,
        const struct tacit_call *call, tacit_op_then *then, const char *path, ...)
{
	clear_call(&op->call);
	op->call = *call;
	op->call.then = then;
	char text[512];
	va_list args;
	va_start(args, path);
	int n = vsnprintf(text, sizeof(text), path, args);
	va_end(args);
	TACIT_ASSERT(n > 0 && (size_t)n < sizeof(text));
	enum tacit_err err = tacit_buf_append(&op->call.path, tacit_cstr(text));
	return err != TACIT_OK ? err : tacit_op_emit(e, op);
}

enum tacit_err tacit_op_get(
        struct tacit_engine *e, struct tacit_op *op, tacit_op_then *then, const char *path)
{
	return tacit_op_call(e, op, &(struct tacit_call){.method = TACIT_GET}, then, "%s", path);
}

enum tacit_err tacit_op_data(const struct tacit_pair *pairs, size_t count, json_t **out)
{
	*out = NULL;
	json_t *data = json_object();
	enum tacit_err err = data == NULL ? TACIT_E_NOMEM : TACIT_OK;
	for (size_t i = 0; i < count && err == TACIT_OK; i++)
		err = tacit_json_set_text(data, pairs[i].name, pairs[i].text);
	if (err == TACIT_OK)
		*out = data;
	else
		json_decref(data);
	return err;
}

void tacit_op_release(struct tacit_engine *e, const struct tacit_op *op)
{
	for (struct tacit_conversation *c = e->conversations; c != NULL; c = c->next)
		if (c->holder == op->id)
			c->holder = 0;
	for (struct tacit_outgoing *o = e->outbox; o != NULL; o = o->next)
		if (o->op == op->id)
			o->op = 0;
}

bool tacit_op_hold(struct tacit_op *op, struct tacit_conversation *c, tacit_op_step *step)
{
	if (c->holder != 0 && c->holder != op->id) {
		op->waiting = step;
		return false;
	}
	c->holder = op->id;
	return true;
}

enum tacit_err tacit_op_tell(
        struct tacit_engine *e, const struct tacit_op *op, const struct tacit_notice *n)
{
	struct tacit_notice mine = *n;
	mine.op = op->own_accord ? 0 : op->id;
	enum tacit_err err = tacit_effects_deliver(&e->stage[STAGE_OUT], &mine);
	tacit_content_wipe(&mine.content);
	return err;
}

/* A host that polls would repeat every warning at every turn. */
static bool told_before(
        struct tacit_engine *e, const struct tacit_conversation *c, struct tacit_bytes text)
{
	uint8_t digest[TACIT_SHA256_BYTES];
	uint64_t mark = c != NULL ? c->id : 0;
	tacit_sha256(text, digest);
	for (size_t i = 0; i < sizeof(mark); i++)
		mark ^= (uint64_t)digest[i] << (8 * i);
	for (size_t i = 0; i < WARNINGS_KEPT; i++)
		if (e->warned[i] == mark)
			return true;
	e->warned[e->warned_next++ % WARNINGS_KEPT] = mark;
	return false;
}

enum tacit_err tacit_op_warn(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, enum tacit_err why, const char *fmt, ...)
{
	char text[MAX_WARNING];
	va_list args;
	va_start(args, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	TACIT_ASSERT(n > 0 && (size_t)n < sizeof(text));
	if (told_before(e, c, tacit_cstr(text)))
		return TACIT_OK;
	struct tacit_notice notice = {
	        .kind = TACIT_NOTICE_WARNING,
	        .err = why,
	        .text = tacit_cstr(text),
	        .time = tacit_env_now(&e->env),
	};
	if (c == NULL)
		return tacit_op_tell(e, op, &notice);
	notice.conversation = c->id;
	notice.message = c->seen;
	return tacit_log_event(e, op, c, &notice);
}

enum tacit_err tacit_op_done(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_notice *n)
{
	struct tacit_notice notice = n != NULL ? *n : (struct tacit_notice){0};
	notice.kind = TACIT_NOTICE_DONE;
	op->ended = true;
	tacit_op_release(e, op);
	if (!op->own_accord)
		return tacit_op_tell(e, op, &notice);
	tacit_live_fetched(e, op, TACIT_OK);
	return TACIT_OK;
}

enum tacit_err tacit_op_fail(
        struct tacit_engine *e, struct tacit_op *op, enum tacit_err why, struct tacit_bytes text)
{
	op->ended = true;
	tacit_op_release(e, op);
	if (op->own_accord) {
		tacit_live_fetched(e, op, why);
		return TACIT_OK;
	}
	return tacit_op_tell(e, op,
	        &(struct tacit_notice){
	                .kind = TACIT_NOTICE_FAILED,
	                .err = why,
	                .text = text,
	                .conversation = op->conversation,
	                .flag = op->drafted ||
	                        (op->sealed && tacit_outbox_of(e, op->conversation) != NULL),
	        });
}

enum tacit_err tacit_op_fail_answer(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	struct tacit_conversation *c = tacit_conversation_find(e, op->conversation);
	if (a->status == 410 && c != NULL && c->kind == TACIT_SESSION && !c->closed) {
		enum tacit_err err = tacit_conversation_close(e, op, c);
		if (err != TACIT_OK)
			return err;
	}
	return tacit_op_fail(e, op, a->err, a->text);
}
