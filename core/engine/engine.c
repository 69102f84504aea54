/* engine.c - life and dispatch: one public call is one step, whole or not at all.
 *
 * A step collects its effects in stages (what is kept, the cookie, what goes out), seals what
 * became dirty, and hands all of it over in that order. When it cannot (no memory), nothing is
 * handed over, and an engine that had changed something is broken: its memory is ahead of the
 * store. */
#include "engine/engine.h"

#include <string.h>

#include "base/alloc.h"
#include "engine/changes_int.h"

enum need { NEED_NOTHING, NEED_ACCOUNT, NEED_SESSION, NEED_DEVICE /* a session, and published */ };

static const struct command {
	tacit_op_step *start;
	enum need need;
} commands[] = {
        [TACIT_CMD_REGISTER] = {tacit_op_register, NEED_NOTHING},
        [TACIT_CMD_VERIFY_TOTP] = {tacit_op_verify_totp, NEED_NOTHING},
        [TACIT_CMD_LOGIN] = {tacit_op_login, NEED_NOTHING},
        [TACIT_CMD_LOGOUT] = {tacit_op_logout, NEED_SESSION},
        [TACIT_CMD_WHOAMI] = {tacit_op_whoami, NEED_SESSION},
        [TACIT_CMD_USERS] = {tacit_op_users, NEED_SESSION},
        [TACIT_CMD_CONVERSATIONS] = {tacit_op_conversations, NEED_DEVICE},
        [TACIT_CMD_SYNC] = {tacit_op_sync, NEED_DEVICE},
        [TACIT_CMD_SEND] = {tacit_op_send, NEED_DEVICE},
        [TACIT_CMD_RESOLVE] = {tacit_op_resolve_cmd, NEED_DEVICE},
        [TACIT_CMD_CREATE_GROUP] = {tacit_op_create_group, NEED_DEVICE},
        [TACIT_CMD_ADD] = {tacit_op_add, NEED_DEVICE},
        [TACIT_CMD_REMOVE] = {tacit_op_remove, NEED_DEVICE},
        [TACIT_CMD_MARK_READ] = {tacit_op_mark_read, NEED_SESSION},
        [TACIT_CMD_SAFETY_NUMBER] = {tacit_op_safety_number, NEED_ACCOUNT},
        [TACIT_CMD_SET_VERIFIED] = {tacit_op_set_verified, NEED_ACCOUNT},
        [TACIT_CMD_ACCEPT_KEY] = {tacit_op_accept_key, NEED_ACCOUNT},
        [TACIT_CMD_DEVICES] = {tacit_op_devices, NEED_SESSION},
        [TACIT_CMD_REVOKE_DEVICE] = {tacit_op_revoke_device, NEED_SESSION},
        [TACIT_CMD_TYPING] = {tacit_op_typing, NEED_SESSION},
        [TACIT_CMD_CREATE_SESSION] = {tacit_op_create_session, NEED_DEVICE},
        [TACIT_CMD_CLOSE_SESSION] = {tacit_op_close_session, NEED_SESSION},
        [TACIT_CMD_RESET_PASSWORD] = {tacit_op_reset_password, NEED_ACCOUNT},
        [TACIT_CMD_SET_EXPIRY] = {tacit_op_set_expiry, NEED_DEVICE},
        [TACIT_CMD_DROP] = {tacit_op_drop, NEED_ACCOUNT},
        [TACIT_CMD_COMPARE] = {tacit_op_compare, NEED_ACCOUNT},
        [TACIT_CMD_CREATE_ROOM] = {tacit_op_create_room, NEED_DEVICE},
        [TACIT_CMD_KEEP_CONTACT] = {tacit_op_keep_contact, NEED_ACCOUNT},
        [TACIT_CMD_GRANT] = {tacit_op_grant, NEED_SESSION},
};

/* --- life
 * ------------------------------------------------------------------------------------------- */

enum tacit_err tacit_engine_new(const struct tacit_env *env, struct tacit_engine **out)
{
	*out = NULL;
	tacit_json_init();
	struct tacit_engine *e = tacit_calloc(1, sizeof(*e));
	if (e == NULL)
		return TACIT_E_NOMEM;
	e->env = *env;
	*out = e;
	return TACIT_OK;
}

enum tacit_err tacit_engine_open(
        const struct tacit_env *env, struct tacit_bytes profile, struct tacit_engine **out)
{
	enum tacit_err err = tacit_engine_new(env, out);
	if (err == TACIT_OK)
		err = tacit_profile_decode(profile, *out);
	if (err != TACIT_OK) {
		tacit_engine_free(*out);
		*out = NULL;
	}
	return err;
}

static void free_lists(struct tacit_engine *e)
{
	while (e->contacts != NULL) {
		struct tacit_contact *c = e->contacts;
		e->contacts = c->next;
		tacit_free(c);
	}
	while (e->conversations != NULL) {
		struct tacit_conversation *c = e->conversations;
		e->conversations = c->next;
		tacit_conversation_free(c);
	}
	while (e->outbox != NULL) {
		struct tacit_outgoing *o = e->outbox;
		e->outbox = o->next;
		tacit_outbox_free(o);
	}
	while (e->ops != NULL) {
		struct tacit_op *op = e->ops;
		e->ops = op->next;
		tacit_op_free(op);
	}
	while (e->notes != NULL)
		tacit_ignore(
		        tacit_note_set(e, tacit_buf_view(&e->notes->name), tacit_bytes(NULL, 0)),
		        "dropping a note cannot fail");
}

void tacit_engine_free(struct tacit_engine *e)
{
	if (e == NULL)
		return;
	for (size_t i = 0; i < STAGE_COUNT; i++)
		tacit_effects_clear(&e->stage[i]);
	free_lists(e);
	tacit_buf_clear(&e->username);
	tacit_buf_clear(&e->email);
	tacit_buf_clear(&e->wrapped);
	tacit_buf_clear(&e->cookie);
	tacit_account_clear(&e->account);
	tacit_secret_free(&e->store_key);
	tacit_secret_free(&e->device_sk);
	tacit_key_packages_free(e);
	tacit_account_clear(&e->pending.account);
	tacit_buf_clear(&e->pending.username);
	tacit_buf_clear(&e->pending.email);
	tacit_buf_clear(&e->pending.wrapped);
	tacit_wipe(e, sizeof(*e));
	tacit_free(e);
}

static enum tacit_err unlock_as(struct tacit_engine *e, struct tacit_account *account)
{
	enum tacit_err err = TACIT_E_BAD_PASSWORD;
	if (tacit_key_same(&account->public, &e->public))
		err = tacit_profile_unlock(e, account);
	tacit_account_clear(account);
	return err;
}

enum tacit_err tacit_engine_unlock(struct tacit_engine *e, struct tacit_bytes password)
{
	enum tacit_err err;
	struct tacit_account account = {0};
	if (!e->has_account)
		return TACIT_E_BAD_PASSWORD;
	TRY(tacit_account_unwrap(tacit_buf_view(&e->wrapped), tacit_bytes(e->iv, sizeof(e->iv)),
	        tacit_buf_view(&e->username), password, &account));
	TRY(unlock_as(e, &account));
out:
	return err == TACIT_OK || err == TACIT_E_NOMEM ? err : TACIT_E_BAD_PASSWORD;
}

enum tacit_err tacit_engine_unlock_with_secret(
        struct tacit_engine *e, struct tacit_bytes account_secret)
{
	enum tacit_err err;
	struct tacit_account account = {0};
	if (!e->has_account)
		return TACIT_E_BAD_PASSWORD;
	TRY(tacit_account_from_secret(account_secret, &account));
	TRY(unlock_as(e, &account));
out:
	return err == TACIT_OK || err == TACIT_E_NOMEM ? err : TACIT_E_BAD_PASSWORD;
}

struct tacit_bytes tacit_engine_account_secret(const struct tacit_engine *e)
{
	return tacit_secret_view(&e->account.secret);
}

/* The decoders' errors of our own sealed bytes are one thing to a host: not what was written. */
enum tacit_err tacit_engine_restore(
        struct tacit_engine *e, const struct tacit_record_id *id, struct tacit_bytes sealed)
{
	enum tacit_err err;
	struct tacit_buf plain = {0}, name = {0};
	struct tacit_record_id belongs;
	if (!e->unlocked)
		return TACIT_E_BAD_SEAL;
	TRY(tacit_record_open(e->store_key.p, id, sealed, &plain));
	TRY(tacit_records_decode(e, tacit_buf_view(&plain), &name));
	tacit_record_id(e->store_key.p, tacit_buf_view(&name), &belongs);
	if (!tacit_bytes_eq(
	            tacit_bytes(belongs.b, sizeof(belongs.b)), tacit_bytes(id->b, sizeof(id->b))))
		err = TACIT_E_MALFORMED;
out:
	tacit_buf_clear(&plain);
	tacit_buf_clear(&name);
	if (err == TACIT_OK || err == TACIT_E_NOMEM || err == TACIT_E_BAD_SEAL ||
	        err == TACIT_E_UNSUPPORTED)
		return err;
	return TACIT_E_MALFORMED;
}

/* --- steps
 * ------------------------------------------------------------------------------------------ */

static void sweep_ended(struct tacit_engine *e)
{
	struct tacit_op **at = &e->ops;
	while (*at != NULL) {
		struct tacit_op *op = *at;
		if (!op->ended) {
			at = &op->next;
			continue;
		}
		*at = op->next;
		tacit_op_release(e, op);
		tacit_op_free(op);
	}
}

/* An error of an operation becomes its end, but for those that end the step. */
static enum tacit_err settle(struct tacit_engine *e, struct tacit_op *op, enum tacit_err err)
{
	if (err == TACIT_OK || err == TACIT_E_NOMEM)
		return err;
	if (op->ended)
		return TACIT_OK;
	const char *text = tacit_err_text(err);
	if (err == TACIT_E_REFUSED)
		text = "What the server says contradicts what was known before. It is refused.";
	else if (tacit_err_class(err) == TACIT_CLASS_PEER && op->call.request == 0 &&
	         op->call.tries > 0)
		text = "The server's answer is not in the expected form.";
	return tacit_op_fail(e, op, err, tacit_cstr(text));
}

static enum tacit_err run_waiting(struct tacit_engine *e)
{
	enum tacit_err err = TACIT_OK;
	for (struct tacit_op *op = e->ops; op != NULL && err == TACIT_OK; op = op->next) {
		const struct tacit_conversation *c = tacit_op_at(e, op);
		if (op->waiting == NULL || op->ended || (c != NULL && c->holder != 0))
			continue;
		tacit_op_step *step = op->waiting;
		op->waiting = NULL;
		err = settle(e, op, step(e, op));
		if (op->ended) /* what it held is free again for those before it */
			return err != TACIT_OK ? err : run_waiting(e);
	}
	return err;
}

/* Operations name conversations, so what is destroyed goes when none is left. */
static void sweep_closed(struct tacit_engine *e)
{
	struct tacit_conversation **at = &e->conversations;
	while (*at != NULL && e->ops == NULL) {
		struct tacit_conversation *c = *at;
		if (!c->closed) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		e->conversation_count--;
		tacit_conversation_free(c);
	}
}

/* Ends the step: everything goes to fx, or nothing. */
static enum tacit_err finish(struct tacit_engine *e, enum tacit_err err, struct tacit_effects *fx)
{
	if (err == TACIT_OK)
		err = run_waiting(e);
	if (err == TACIT_OK)
		err = tacit_live_follow_up(e);
	if (err == TACIT_OK)
		err = tacit_changes_follow_up(e);
	if (err == TACIT_OK)
		err = tacit_records_flush(e);
	if (err == TACIT_OK)
		err = tacit_effects_move(fx, e->stage, STAGE_COUNT);
	for (size_t i = 0; i < STAGE_COUNT; i++)
		tacit_effects_clear(&e->stage[i]);
	if (err != TACIT_OK && e->changed)
		e->broken = true;
	e->changed = false;
	sweep_ended(e);
	sweep_closed(e);
	return err;
}

enum tacit_err tacit_engine_finish(
        struct tacit_engine *e, enum tacit_err err, struct tacit_effects *fx)
{
	return finish(e, err, fx);
}

static enum tacit_err start(struct tacit_engine *e, struct tacit_op *op)
{
	const struct command *command = &commands[op->kind];
	if (command->need == NEED_DEVICE && !e->device_published && e->device_sk.n > 0) {
		op->after = command->start;
		return tacit_op_publish(e, op);
	}
	return command->start(e, op);
}

static enum tacit_err check_need(const struct tacit_engine *e, const struct command *command)
{
	if (command->need == NEED_NOTHING)
		return TACIT_OK;
	if (!e->unlocked || (command->need >= NEED_SESSION && e->cookie.n == 0) ||
	        (command->need == NEED_DEVICE && e->device_sk.n == 0))
		return TACIT_E_NOT_LOGGED_IN;
	return TACIT_OK;
}

enum tacit_err tacit_engine_begin(
        struct tacit_engine *e, const struct tacit_command *c, uint64_t *id)
{
	struct tacit_op *op;
	*id = 0;
	enum tacit_err err = check_need(e, &commands[c->kind]);
	if (err != TACIT_OK)
		return err;
	err = tacit_op_new(e, c, &op);
	if (op == NULL)
		return err;
	op->own_accord = true;
	*id = op->id;
	if (err == TACIT_OK)
		err = start(e, op);
	return settle(e, op, err);
}

/* The operation that was not begun. */
static void forget(struct tacit_engine *e, uint64_t id)
{
	for (struct tacit_op *op = e->ops; op != NULL; op = op->next)
		op->ended |= op->id == id;
	sweep_ended(e);
}

enum tacit_err tacit_engine_command(struct tacit_engine *e, const struct tacit_command *c,
        uint64_t *op_id, struct tacit_effects *fx)
{
	struct tacit_op *op;
	*op_id = 0;
	if (e->broken)
		return TACIT_E_NOMEM;
	if ((size_t)c->kind >= TACIT_COUNT(commands))
		return TACIT_E_USAGE;
	enum tacit_err err = check_need(e, &commands[c->kind]);
	if (err != TACIT_OK)
		return err;
	err = tacit_op_new(e, c, &op);
	if (op == NULL)
		return err;
	uint64_t id = op->id;
	if (err == TACIT_OK)
		err = start(e, op);
	err = settle(e, op, err);
	err = finish(e, err, fx);
	if (err == TACIT_OK)
		*op_id = id;
	else
		forget(e, id);
	return err;
}

static struct tacit_op *op_of_request(const struct tacit_engine *e, uint64_t request)
{
	for (struct tacit_op *op = e->ops; op != NULL && request != 0; op = op->next)
		if (op->call.request == request)
			return op;
	return NULL;
}

/* Destroyed while the request was under way: nothing of it may be kept any more. */
static bool is_closed(const struct tacit_engine *e, const struct tacit_op *op)
{
	const struct tacit_conversation *c = tacit_op_at(e, op);
	return c != NULL && c->closed;
}

static enum tacit_err take_answer(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_http_answer *from)
{
	enum tacit_err err;
	json_t *body = NULL;
	struct tacit_answer a;
	op->call.request = 0;
	if (from->status == 0 && !op->call.once && op->call.tries < REQUEST_TRIES)
		return tacit_op_emit(e, op);
	if (is_closed(e, op))
		return tacit_op_fail(e, op, TACIT_E_GONE, tacit_cstr(tacit_err_text(TACIT_E_GONE)));
	TRY(tacit_answer_read(from, &a, &body));
	TRY(settle(e, op, op->call.then(e, op, &a)));
out:
	json_decref(body);
	return err;
}

enum tacit_err tacit_engine_answer(struct tacit_engine *e, uint64_t request,
        const struct tacit_http_answer *a, struct tacit_effects *fx)
{
	if (e->broken)
		return TACIT_E_NOMEM;
	struct tacit_op *op = op_of_request(e, request);
	if (op == NULL)
		return TACIT_E_USAGE;
	/* The request is used up: an operation that cannot go on can only be restored. */
	e->changed = true;
	return finish(e, take_answer(e, op, a), fx);
}

static struct tacit_op *op_of_recall(const struct tacit_engine *e, uint64_t request)
{
	for (struct tacit_op *op = e->ops; op != NULL && request != 0; op = op->next)
		if (op->recall == request)
			return op;
	return NULL;
}

static enum tacit_err take_recalled(
        struct tacit_engine *e, struct tacit_op *op, struct tacit_bytes sealed)
{
	struct tacit_entry entry = {0};
	struct tacit_buf room = {0};
	const struct tacit_conversation *c = tacit_conversation_find(e, op->conversation);
	op->recall = 0;
	e->changed = true;
	if (c == NULL || c->closed)
		return tacit_op_fail(e, op, TACIT_E_GONE, tacit_cstr(tacit_err_text(TACIT_E_GONE)));
	enum tacit_err err = tacit_entry_open(e, c, op->about, sealed, &entry, &room);
	if (err == TACIT_OK || err == TACIT_E_NOT_FOUND)
		err = settle(e, op, op->recalled(e, op, err == TACIT_OK ? &entry : NULL));
	tacit_content_wipe(&entry.n.content);
	tacit_buf_clear(&room);
	return err;
}

enum tacit_err tacit_engine_recalled(struct tacit_engine *e, uint64_t request,
        struct tacit_bytes sealed, struct tacit_effects *fx)
{
	if (e->broken)
		return TACIT_E_NOMEM;
	struct tacit_op *op = op_of_recall(e, request);
	return finish(e,
	        op != NULL ? take_recalled(e, op, sealed)
	                   : tacit_changes_recalled(e, request, sealed),
	        fx);
}

/* --- what is known locally
 * ---------------------------------------------------------------------------- */

bool tacit_engine_has_account(const struct tacit_engine *e)
{
	return e->has_account;
}

bool tacit_engine_locked(const struct tacit_engine *e)
{
	return e->has_account && !e->unlocked;
}

bool tacit_engine_logged_in(const struct tacit_engine *e)
{
	return e->has_account && e->unlocked && e->cookie.n > 0;
}

struct tacit_bytes tacit_engine_username(const struct tacit_engine *e)
{
	return tacit_buf_view(&e->username);
}

struct tacit_bytes tacit_engine_cookie(const struct tacit_engine *e)
{
	return tacit_buf_view(&e->cookie);
}
