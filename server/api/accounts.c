/* accounts.c - POST /api/register and /api/register/verify-2fa: a name becomes an account. */
#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "crypto/encoding.h"
#include "crypto/pwhash.h"
#include "server/api/auth.h"
#include "server/api/handlers.h"
#include "server/api/pending.h"
#include "server/api/sessions.h"
#include "server/api/totp.h"
#include "wire/names.h"
#include "wire/pem.h"

#define INVITATION_KIND "invitation"
#define INVITATION_SECONDS (7 * 24 * 3600)

/* --- invitations --------------------------------------------------------------------------- */

enum tacit_err api_invitation_create(struct store *writer, const struct tacit_env *env,
        enum api_invitation what, char out[API_INVITATION_CHARS + 1])
{
	uint8_t raw[API_INVITATION_CHARS / 2], hash[STORE_HASH_BYTES];
	tacit_env_random(env, raw, sizeof(raw));
	tacit_hex(tacit_bytes(raw, sizeof(raw)), out);
	api_token_hash(tacit_cstr(out), hash);
	return writer->ops->token_put(writer, INVITATION_KIND, hash,
	        what == API_INVITE_ADMIN ? TACIT_STR("admin") : TACIT_STR("user"),
	        tacit_env_now(env) + INVITATION_SECONDS);
}

static bool is_admin_invitation(const struct tacit_buf *value)
{
	return tacit_bytes_eq(tacit_buf_view(value), TACIT_STR("admin"));
}

/* May this call register at all? An administrator's invitation opens every door. */
static enum tacit_err check_invitation(
        struct api_call *c, struct store *store, struct api_pending *p)
{
	enum tacit_err err;
	struct tacit_bytes text;
	struct tacit_buf value = {0};
	enum api_registration policy = c->api->settings.registration;
	TRY(api_text(c, "invitation", TACIT_OPTIONAL, 100, &text));
	if (text.n == 0) {
		if (policy == API_REGISTRATION_OFF)
			return api_refuse(c, API_REGISTRATION_CLOSED);
		return policy == API_REGISTRATION_INVITE ? api_refuse(c, API_INVITATION_REQUIRED)
		                                         : TACIT_OK;
	}
	api_token_hash(text, p->invitation);
	err = store->ops->token_peek(store, INVITATION_KIND, p->invitation, c->now, &value);
	if (err == TACIT_E_NOT_FOUND)
		err = api_refuse(c, API_INVITATION_REQUIRED);
	else if (err == TACIT_OK && policy == API_REGISTRATION_OFF && !is_admin_invitation(&value))
		err = api_refuse(c, API_REGISTRATION_CLOSED);
	p->invited = true;
out:
	tacit_buf_clear(&value);
	return err;
}

/* --- register ------------------------------------------------------------------------------ */

struct registration {
	struct api_pending pending;
	struct tacit_bytes password; /* 64 hex, in the call's body */
	uint8_t seed[API_TOTP_SEED_BYTES];
	struct tacit_buf uri, qr;
};

static void registration_free(struct api *a, void *work)
{
	struct registration *r = work;
	(void)a;
	tacit_buf_clear(&r->uri);
	tacit_buf_clear(&r->qr);
	tacit_wipe(r, sizeof(*r));
	tacit_free(r);
}

static enum tacit_err take_text(
        struct api_call *c, const char *name, size_t max, char *out, struct tacit_bytes *view)
{
	enum tacit_err err;
	TRY(api_text(c, name, TACIT_REQUIRED, max, view));
	memcpy(out, view->p, view->n);
	out[view->n] = '\0';
out:
	return err;
}

static bool is_lower_hex(struct tacit_bytes text)
{
	for (size_t i = 0; i < text.n; i++)
		if (!((text.p[i] >= '0' && text.p[i] <= '9') ||
		            (text.p[i] >= 'a' && text.p[i] <= 'f')))
			return false;
	return true;
}

static enum tacit_err read_key_members(struct api_call *c, struct store_new_user *n)
{
	enum tacit_err err;
	struct tacit_bytes pem, iv;
	struct tacit_sign_public key;
	struct tacit_buf raw = {0};
	TRY(api_text(c, "public_key", TACIT_REQUIRED, 512, &pem));
	if (tacit_pem_read_public(pem, &key) != TACIT_OK)
		TRY(api_refuse_member(c, API_INVALID_VALUE, "public_key"));
	memcpy(n->user.public_key, key.b, sizeof(key.b));
	TRY(take_text(
	        c, "encryption_iv", sizeof(n->user.encryption_iv) - 1, n->user.encryption_iv, &iv));
	uint8_t ignored[16];
	if ((iv.n != 24 && iv.n != 32) || tacit_unhex(iv, ignored, iv.n / 2) != TACIT_OK)
		TRY(api_refuse_member(c, API_INVALID_VALUE, "encryption_iv"));
	TRY(api_base64(c, "encrypted_private_key", TACIT_MAX_WRAPPED_KEY / 4 * 3, &raw));
	TRY(api_text(c, "encrypted_private_key", TACIT_REQUIRED, TACIT_MAX_WRAPPED_KEY,
	        &n->encrypted_private_key));
out:
	tacit_buf_clear(&raw);
	return err;
}

static enum tacit_err read_registration(struct api_call *c, struct registration *r)
{
	enum tacit_err err;
	struct store_user *u = &r->pending.new_user.user;
	struct tacit_bytes text;
	u->quota_bytes = -1;
	TRY(take_text(c, "username", TACIT_MAX_USERNAME, u->username, &text));
	if (!tacit_username_valid(text))
		TRY(api_refuse_member(c, API_INVALID_VALUE, "username"));
	TRY(take_text(c, "email", TACIT_MAX_EMAIL, u->email, &text));
	if (!tacit_email_valid(text))
		TRY(api_refuse_member(c, API_INVALID_VALUE, "email"));
	TRY(api_text(c, "password_hash", TACIT_REQUIRED, 64, &r->password));
	if (r->password.n != 64 || !is_lower_hex(r->password))
		TRY(api_refuse_member(c, API_INVALID_VALUE, "password_hash"));
	TRY(read_key_members(c, &r->pending.new_user));
out:
	return err;
}

enum tacit_err api_register_check(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct registration *r = tacit_calloc(1, sizeof(*r));
	if (r == NULL)
		return TACIT_E_NOMEM;
	c->work = r;
	c->work_free = registration_free;
	const struct store_user *u = &r->pending.new_user.user;
	TRY(read_registration(c, r));
	TRY(api_verify_signature(c, u->public_key, 0));
	TRY(check_invitation(c, store, &r->pending));
	err = store->ops->user_available(store, u->username, u->email, u->public_key);
	if (err == TACIT_E_EXISTS)
		err = api_refuse(c, API_USER_EXISTS);
out:
	return err;
}

/* RFC 9106 4, the second recommendation scaled as OWASP gives it for servers: what is hashed here
 * is already the output of the client's Argon2id. */
static const struct tacit_pwhash_cost cost = {.kib = 19456, .passes = 2};

enum tacit_err api_register_hash(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct registration *r = c->work;
	struct store_user *u = &r->pending.new_user.user;
	const struct tacit_env *env = &c->api->settings.env;
	(void)store;
	static_assert(sizeof(u->password_hash) == TACIT_PWHASH_STR_BYTES, "the string fits");
	TRY(tacit_pwhash_str(r->password, cost, u->password_hash));
	tacit_env_random(env, r->seed, sizeof(r->seed));
	TRY(api_seal_totp(&c->api->keys, env, u->username, r->seed, u->totp_sealed));
	u->totp_sealed_bytes = API_TOTP_SEALED_BYTES;
	TRY(api_totp_uri(u->username, r->seed, &r->uri));
	TRY(tacit_buf_terminate(&r->uri));
	TRY(api_qr_data_uri((const char *)r->uri.p, &r->qr));
out:
	return err;
}

static enum tacit_err answer_registration(struct api_call *c, const struct registration *r)
{
	enum tacit_err err;
	struct api_json w;
	struct tacit_buf secret = {0};
	TRY(api_totp_secret_text(r->seed, &secret));
	TRY(api_answer_json(c, 201, &w));
	api_json_text(&w, "username", tacit_cstr(r->pending.new_user.user.username));
	api_json_text(&w, "secret", tacit_buf_view(&secret));
	api_json_text(&w, "otpauth_uri", tacit_buf_view(&r->uri));
	api_json_text(&w, "qr_code", tacit_buf_view(&r->qr));
	api_json_integer(&w, "expires_in", API_PENDING_SECONDS);
	TRY(api_json_finish(&w));
out:
	tacit_buf_clear(&secret);
	return err;
}

enum tacit_err api_register_store(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	const struct registration *r = c->work;
	struct tacit_buf value = {0};
	char token[API_TOKEN_CHARS + 1];
	uint8_t hash[STORE_HASH_BYTES];
	TRY(api_pending_encode(&r->pending, &value));
	TRY(api_token_new(&c->api->settings.env, token, hash));
	TRY(store->ops->token_put(store, API_PENDING_KIND, hash, tacit_buf_view(&value),
	        c->now + API_PENDING_SECONDS));
	TRY(answer_registration(c, r));
	TRY(api_set_cookie(c, "tacit_pending", token, API_PENDING_SECONDS));
out:
	tacit_wipe(token, sizeof(token));
	tacit_buf_clear(&value);
	return err;
}

/* --- verify-2fa ---------------------------------------------------------------------------- */

struct verification {
	uint8_t token[STORE_HASH_BYTES];
	struct tacit_buf value; /* what pending's views point into */
	struct api_pending pending;
	bool code_right;
	int64_t totp_step;
};

static void verification_free(struct api *a, void *work)
{
	struct verification *v = work;
	(void)a;
	tacit_buf_clear(&v->value);
	tacit_wipe(v, sizeof(*v));
	tacit_free(v);
}

enum tacit_err api_verify_check(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct tacit_bytes code;
	uint8_t seed[API_TOTP_SEED_BYTES];
	struct verification *v = tacit_calloc(1, sizeof(*v));
	if (v == NULL)
		return TACIT_E_NOMEM;
	c->work = v;
	c->work_free = verification_free;
	const struct store_user *u = &v->pending.new_user.user;
	if (c->header[API_H_PENDING].n == 0)
		return api_refuse(c, API_NO_PENDING_REGISTRATION);
	api_token_hash(c->header[API_H_PENDING], v->token);
	err = store->ops->token_peek(store, API_PENDING_KIND, v->token, c->now, &v->value);
	if (err == TACIT_E_NOT_FOUND)
		err = api_refuse(c, API_NO_PENDING_REGISTRATION);
	TRY(err);
	TRY(api_pending_decode(tacit_buf_view(&v->value), &v->pending));
	TRY(api_verify_signature(c, u->public_key, 0));
	TRY(api_text(c, "totp_code", TACIT_REQUIRED, 16, &code));
	TRY(api_open_totp(&c->api->keys, u->username,
	        tacit_bytes(u->totp_sealed, u->totp_sealed_bytes), seed));
	v->code_right = api_totp_check(seed, code, c->now, &v->totp_step) == TACIT_OK;
out:
	tacit_wipe(seed, sizeof(seed));
	return err;
}

/* Counts the wrong code; the last try ends the registration. */
static enum tacit_err count_try(struct api_call *c, struct store *store, struct verification *v)
{
	enum tacit_err err;
	struct tacit_buf value = {0};
	v->pending.tries++;
	if (v->pending.tries >= API_PENDING_TRIES) {
		err = store->ops->token_take(store, API_PENDING_KIND, v->token, c->now, &value);
	} else {
		TRY(api_pending_encode(&v->pending, &value));
		err = store->ops->token_update(
		        store, API_PENDING_KIND, v->token, c->now, tacit_buf_view(&value));
	}
	if (err == TACIT_OK || err == TACIT_E_NOT_FOUND)
		err = api_refuse_and_keep(c, API_INVALID_TOTP);
out:
	tacit_buf_clear(&value);
	return err;
}

static enum tacit_err create_user(
        struct api_call *c, struct store *store, struct verification *v, int64_t *id)
{
	enum tacit_err err;
	struct tacit_buf taken = {0}, invitation = {0};
	struct store_new_user *n = &v->pending.new_user;
	err = store->ops->token_take(store, API_PENDING_KIND, v->token, c->now, &taken);
	if (err == TACIT_E_NOT_FOUND)
		err = api_refuse(c, API_NO_PENDING_REGISTRATION);
	TRY(err);
	if (v->pending.invited) {
		err = store->ops->token_take(
		        store, INVITATION_KIND, v->pending.invitation, c->now, &invitation);
		if (err == TACIT_E_NOT_FOUND)
			err = api_refuse(c, API_INVITATION_REQUIRED);
		TRY(err);
		n->user.admin = is_admin_invitation(&invitation);
	}
	n->user.created_at = c->now;
	err = store->ops->user_create(store, n, id);
	if (err == TACIT_E_EXISTS)
		err = api_refuse(c, API_USER_EXISTS);
	TRY(err);
	n->user.id = *id;
	TRY(store->ops->totp_use(store, *id, v->totp_step));
out:
	tacit_buf_clear(&taken);
	tacit_buf_clear(&invitation);
	return err;
}

static enum tacit_err answer_verified(struct api_call *c, const struct store_new_user *n,
        const struct api_new_session *s, char codes[][API_RECOVERY_CHARS + 1])
{
	enum tacit_err err;
	struct api_json w;
	TRY(api_answer_json(c, 201, &w));
	api_json_open_object(&w, "user");
	api_user_members(&w, &n->user, API_OWNER_VIEW);
	api_json_close_object(&w);
	api_session_members(&w, s);
	api_json_text(&w, "encrypted_private_key", n->encrypted_private_key);
	api_json_text(&w, "encryption_iv", tacit_cstr(n->user.encryption_iv));
	api_json_open_array(&w, "recovery_codes");
	for (size_t i = 0; i < API_RECOVERY_CODES; i++)
		api_json_text(&w, NULL, tacit_cstr(codes[i]));
	api_json_close_array(&w);
	TRY(api_json_finish(&w));
	TRY(api_session_cookie(c, s));
	TRY(api_set_cookie(c, "tacit_pending", "", 0));
out:
	return err;
}

enum tacit_err api_verify_store(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct verification *v = c->work;
	struct api_new_session session = {0};
	char codes[API_RECOVERY_CODES][API_RECOVERY_CHARS + 1];
	uint8_t hashes[API_RECOVERY_CODES][STORE_HASH_BYTES];
	int64_t id = 0;
	if (!v->code_right)
		return count_try(c, store, v);
	TRY(create_user(c, store, v, &id));
	TRY(api_recovery_codes_new(&c->api->settings.env, codes, hashes));
	TRY(store->ops->recovery_codes_set(
	        store, id, (const uint8_t(*)[STORE_HASH_BYTES])hashes, API_RECOVERY_CODES));
	TRY(api_session_new(c, store, id, &session));
	TRY(answer_verified(c, &v->pending.new_user, &session, codes));
out:
	tacit_wipe(codes, sizeof(codes));
	api_session_clear(&session);
	return err;
}
