/* op_login.c - back in: LOGIN on a known profile or on a new device, LOGOUT, WHOAMI; GRANT for a
 * device that is to be linked.
 *
 *   known profile: signed POST /api/login -> session
 *   new device:    POST /api/login/new-device (unsigned) -> unwrap with the password
 *                  -> signed POST /api/login with the ticket -> profile, device, session
 *                  -> POST /api/devices -> DONE
 *   linked device: signed POST /api/login with what was granted -> as a new one
 *   GRANT:         POST /api/login/new-device -> the grant -> DONE */
#include <string.h>

#include "crypto/encoding.h"
#include "engine/engine_int.h"
#include "wire/names.h"

static tacit_op_then logged_in;

static bool is_totp(struct tacit_bytes code)
{
	for (size_t i = 0; i < code.n; i++)
		if (code.p[i] < '0' || code.p[i] > '9')
			return false;
	return code.n == 6;
}

static struct tacit_pair second_factor(const struct tacit_op *op)
{
	struct tacit_bytes code = tacit_secret_view(&op->code);
	return (struct tacit_pair){is_totp(code) ? "totp_code" : "recovery_code", code};
}

/* To /api/login, signed, or to /api/login/new-device, which nobody can sign yet. */
static enum tacit_err post_hash(struct tacit_engine *e, struct tacit_op *op,
        struct tacit_bytes hash, struct tacit_pair factor, tacit_op_then *then)
{
	enum tacit_err err;
	json_t *data;
	bool signs = then == logged_in;
	struct tacit_pair pairs[] = {
	        {"username", tacit_buf_view(&op->username)},
	        {"password_hash", hash},
	        factor,
	};
	TRY(tacit_op_data(pairs, TACIT_COUNT(pairs), &data));
	TRY(tacit_op_call(e, op,
	        &(struct tacit_call){
	                .method = TACIT_POST,
	                .body = signs ? TACIT_BODY_SIGNED : TACIT_BODY_PLAIN,
	                .data = data,
	        },
	        then, "%s", signs ? "/api/login" : "/api/login/new-device"));
out:
	return err;
}

static enum tacit_err hash_password(
        const struct tacit_engine *e, const struct tacit_op *op, char hash[65])
{
	return tacit_password_hash(tacit_secret_view(&op->password),
	        tacit_buf_view(e->has_account ? &e->email : &op->email), hash);
}

static enum tacit_err post(
        struct tacit_engine *e, struct tacit_op *op, struct tacit_pair factor, tacit_op_then *then)
{
	enum tacit_err err;
	char hash[65] = {0};
	TRY(hash_password(e, op, hash));
	TRY(post_hash(e, op, tacit_cstr(hash), factor, then));
out:
	tacit_wipe(hash, sizeof(hash));
	return err;
}

static enum tacit_err end_with_done(struct tacit_engine *e, struct tacit_op *op)
{
	return tacit_op_done(e, op, NULL);
}

static enum tacit_err become(struct tacit_engine *e, struct tacit_op *op)
{
	struct tacit_pending from = {
	        .username = op->username,
	        .email = op->email,
	        .wrapped = op->wrapped,
	};
	memcpy(from.iv, op->iv, sizeof(from.iv));
	return tacit_profile_adopt(e, &op->account, &from);
}

static enum tacit_err logged_in(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	struct tacit_person user = {0};
	if (a->err != TACIT_OK)
		return tacit_op_fail_answer(e, op, a);
	TRY(tacit_answer_person(json_object_get(a->body, "user"), "id", &user));
	const struct tacit_sign_public *mine =
	        op->account.secret.n > 0 ? &op->account.public : &e->public;
	if (!tacit_key_same(&user.key, mine))
		return tacit_op_fail(e, op, TACIT_E_KEY_CHANGED,
		        TACIT_STR("The server gives out another public key for your account than "
		                  "yours. Do not trust this server."));
	if (a->cookie.n == 0)
		return tacit_op_fail(
		        e, op, TACIT_E_MALFORMED, TACIT_STR("The server has begun no session."));
	if (op->account.secret.n > 0)
		TRY(become(e, op));
	e->user_id = user.user_id;
	TRY(tacit_profile_session(e, a->cookie_name, a->cookie));
	op->after = end_with_done;
	TRY(e->device_published ? tacit_op_done(e, op, NULL) : tacit_op_publish(e, op));
out:
	return err;
}

/* Into op: what the server keeps, opened by the password. Fails: BAD_PASSWORD, and as decoders. */
static enum tacit_err take_wrapped(
        struct tacit_op *op, const struct tacit_answer *a, struct tacit_bytes *ticket)
{
	enum tacit_err err;
	struct tacit_bytes wrapped, iv;
	TRY(tacit_json_text(a->body, "encrypted_private_key", TACIT_REQUIRED,
	        2 * TACIT_MAX_WRAPPED_KEY, &wrapped));
	TRY(tacit_json_text(a->body, "encryption_iv", TACIT_REQUIRED, 32, &iv));
	TRY(tacit_json_text(a->body, "ticket", TACIT_REQUIRED, 512, ticket));
	TRY(tacit_unbase64(TACIT_BASE64, wrapped, &op->wrapped));
	TRY(tacit_unhex(iv, op->iv, sizeof(op->iv)));
	TRY(tacit_account_unwrap(tacit_buf_view(&op->wrapped), tacit_bytes(op->iv, sizeof(op->iv)),
	        tacit_buf_view(&op->username), tacit_secret_view(&op->password), &op->account));
out:
	return err;
}

static enum tacit_err got_wrapped(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	struct tacit_bytes ticket;
	if (a->err != TACIT_OK)
		return tacit_op_fail_answer(e, op, a);
	err = take_wrapped(op, a, &ticket);
	if (err == TACIT_E_BAD_PASSWORD)
		return tacit_op_fail(e, op, err,
		        TACIT_STR("The password does not open the key that the server keeps for "
		                  "you: the server has changed it, or it is not yours."));
	TRY(err);
	TRY(post(e, op, (struct tacit_pair){"ticket", ticket}, logged_in));
out:
	return err;
}

/* Another device of this account has handed over everything: e2e/parcel/grant.h. */
static enum tacit_err login_by_grant(struct tacit_engine *e, struct tacit_op *op)
{
	enum tacit_err err;
	struct tacit_parcel_grant g;
	err = tacit_parcel_grant_decode(tacit_buf_view(&op->text), &g);
	if (err != TACIT_OK)
		return tacit_op_fail(e, op, TACIT_E_MALFORMED,
		        TACIT_STR("What the other device has handed over cannot be read."));
	TRY(tacit_account_from_secret(g.secret, &op->account));
	op->username.n = op->email.n = 0;
	TRY(tacit_buf_append(&op->username, g.username));
	TRY(tacit_buf_append(&op->email, g.email));
	TRY(tacit_buf_append(&op->wrapped, g.wrapped));
	memcpy(op->iv, g.iv.p, sizeof(op->iv));
	TRY(post_hash(e, op, g.password_hash, (struct tacit_pair){"ticket", g.ticket}, logged_in));
out:
	return err;
}

enum tacit_err tacit_op_login(struct tacit_engine *e, struct tacit_op *op)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_bytes name = tacit_buf_view(&op->username);
	if (e->has_account && !e->unlocked)
		return tacit_op_fail(e, op, TACIT_E_NOT_LOGGED_IN,
		        TACIT_STR("This profile is locked. Unlock it with the password first."));
	if (e->has_account && name.n > 0 && !tacit_contact_is_self(e, name))
		return tacit_op_fail(e, op, TACIT_E_CONFLICT,
		        TACIT_STR("This profile belongs to somebody else. Use another profile."));
	if (e->has_account && op->text.n > 0)
		return tacit_op_fail(e, op, TACIT_E_CONFLICT,
		        TACIT_STR("This profile has an account. Use another profile."));
	if (op->text.n > 0)
		return login_by_grant(e, op);
	if (e->has_account) {
		op->username.n = 0;
		TRY(tacit_buf_append(&op->username, tacit_buf_view(&e->username)));
		return post(e, op, second_factor(op), logged_in);
	}
	if (!tacit_username_valid(name))
		return tacit_op_fail(
		        e, op, TACIT_E_BAD_NAME, tacit_cstr(tacit_err_text(TACIT_E_BAD_NAME)));
	if (!tacit_email_valid(tacit_buf_view(&op->email)))
		return tacit_op_fail(e, op, TACIT_E_BAD_NAME,
		        TACIT_STR("A new device needs the e-mail address of the account."));
	TRY(post(e, op, second_factor(op), got_wrapped));
out:
	return err;
}

/* --- a new device, by this one ------------------------------------------------------------------
 */

static enum tacit_err tell_grant(
        struct tacit_engine *e, struct tacit_op *op, struct tacit_bytes ticket)
{
	enum tacit_err err;
	char hash[65] = {0};
	struct tacit_buf grant = {0};
	TRY(hash_password(e, op, hash));
	const struct tacit_parcel_grant g = {
	        .server = tacit_buf_view(&op->text),
	        .username = tacit_buf_view(&op->username),
	        .email = tacit_buf_view(&e->email),
	        .secret = tacit_secret_view(&op->account.secret),
	        .wrapped = tacit_buf_view(&op->wrapped),
	        .iv = tacit_bytes(op->iv, sizeof(op->iv)),
	        .password_hash = tacit_cstr(hash),
	        .ticket = ticket,
	};
	TRY(tacit_parcel_grant_encode(&g, &grant));
	TRY(tacit_op_done(e, op, &(struct tacit_notice){.text = tacit_buf_view(&grant)}));
out:
	tacit_wipe(hash, sizeof(hash));
	tacit_buf_clear(&grant);
	return err;
}

/* The new device unlocks with what the server keeps: it must be ours. */
static enum tacit_err got_ticket(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	struct tacit_bytes ticket;
	if (a->err != TACIT_OK)
		return tacit_op_fail_answer(e, op, a);
	err = take_wrapped(op, a, &ticket);
	if (err == TACIT_E_BAD_PASSWORD ||
	        (err == TACIT_OK && !tacit_key_same(&op->account.public, &e->public)))
		return tacit_op_fail(e, op, TACIT_E_KEY_CHANGED,
		        TACIT_STR("The server keeps another key for you than yours. Do not trust "
		                  "this server."));
	TRY(err);
	TRY(tell_grant(e, op, ticket));
out:
	return err;
}

enum tacit_err tacit_op_grant(struct tacit_engine *e, struct tacit_op *op)
{
	enum tacit_err err;
	op->username.n = 0;
	TRY(tacit_buf_append(&op->username, tacit_buf_view(&e->username)));
	TRY(post(e, op, second_factor(op), got_ticket));
out:
	return err;
}

/* --- out, and who -------------------------------------------------------------------------------
 */

static enum tacit_err logged_out(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	/* A session that the server does not know any more has ended, too. */
	if (a->err != TACIT_OK && a->err != TACIT_E_NOT_LOGGED_IN)
		return tacit_op_fail_answer(e, op, a);
	TRY(tacit_profile_session(e, tacit_bytes(NULL, 0), tacit_bytes(NULL, 0)));
	TRY(tacit_op_done(e, op, NULL));
out:
	return err;
}

static enum tacit_err post_empty(
        struct tacit_engine *e, struct tacit_op *op, const char *path, tacit_op_then *then)
{
	json_t *data;
	enum tacit_err err = tacit_op_data(NULL, 0, &data);
	if (err != TACIT_OK)
		return err;
	return tacit_op_call(e, op,
	        &(struct tacit_call){.method = TACIT_POST, .body = TACIT_BODY_SIGNED, .data = data},
	        then, "%s", path);
}

enum tacit_err tacit_op_logout(struct tacit_engine *e, struct tacit_op *op)
{
	return post_empty(e, op, "/api/logout", logged_out);
}

static enum tacit_err got_me(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	struct tacit_person me = {0};
	struct tacit_bytes created;
	if (a->err != TACIT_OK)
		return tacit_op_fail_answer(e, op, a);
	const json_t *user = json_object_get(a->body, "user");
	if (user == NULL)
		user = a->body;
	TRY(tacit_answer_person(user, "id", &me));
	TRY(tacit_json_text(user, "created_at", TACIT_OPTIONAL, 64, &created));
	err = tacit_contact_is_self(e, tacit_name_view(&me.name))
	              ? tacit_contact_observe(e, op, &me)
	              : TACIT_E_CONFLICT;
	if (err == TACIT_E_CONFLICT)
		return tacit_op_fail(
		        e, op, err, TACIT_STR("The session of the server is somebody else's."));
	TRY(err);
	TRY(tacit_op_tell(e, op,
	        &(struct tacit_notice){
	                .kind = TACIT_NOTICE_USER,
	                .username = tacit_buf_view(&e->username),
	                .detail = tacit_buf_view(&e->email),
	                .time = tacit_answer_time(created),
	                .flag = true,
	        }));
	TRY(tacit_op_done(e, op, NULL));
out:
	return err;
}

enum tacit_err tacit_op_whoami(struct tacit_engine *e, struct tacit_op *op)
{
	return post_empty(e, op, "/api/me", got_me);
}
