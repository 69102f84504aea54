/* logins.c - POST /api/login (signed) and /api/login/new-device (unsigned).
 *
 * An unknown name, a wrong key, a wrong password: the same words after the same work. A name that
 * nobody has goes through Argon2id against a string that nothing matches. */
#include <string.h>

#include "base/alloc.h"
#include "base/reader.h"
#include "base/writer.h"
#include "crypto/pwhash.h"
#include "server/api/auth.h"
#include "server/api/handlers.h"
#include "server/api/sessions.h"
#include "server/api/totp.h"

#define TICKET_KIND "ticket"
#define TICKET_SECONDS (5 * 60)

/* The cost of register's strings (accounts.c) over a random password that was thrown away. */
static const char nobodys_hash[TACIT_PWHASH_STR_BYTES] =
        "$argon2id$v=19$m=19456,t=2,p=1$nd3FTGSO1+an3JfCm9dzNg$0/udFSkOGDFEUZT/LAq1s+zPMa/"
        "u8gllqsDB4ks/+L0";

/* A point of the curve (RFC 8032 7.1, TEST 1). */
static const struct tacit_sign_public nobodys_key = {{0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a,
        0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6,
        0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a}};

enum factor { NO_FACTOR, BY_TOTP, BY_RECOVERY_CODE, BY_TICKET };

struct login {
	struct store_user user;
	bool known;                  /* the name exists, and the signature is its key's */
	bool secretive;              /* a wrong code is told as a wrong password */
	struct tacit_bytes password; /* in the call's body */
	struct tacit_bytes code;
	enum factor factor;
	int64_t totp_step;
	uint8_t hash[STORE_HASH_BYTES]; /* of recovery code or ticket */
};

static void login_free(struct api *a, void *work)
{
	(void)a;
	tacit_wipe(work, sizeof(struct login));
	tacit_free(work);
}

/* Who has the password may try few codes: three of a million are right at any time, and day and
 * night are long. Such tries are counted for the account, wherever they come from. */
static enum tacit_err count_code(struct api_call *c, const struct login *l)
{
	bool allowed = api_limiter_take(
	        c->api->codes, (uint64_t)l->user.id, 1, api_monotonic_ms(), &c->retry_after);
	if (allowed)
		return TACIT_OK;
	return api_refuse(c, l->secretive ? API_INVALID_CREDENTIALS : API_RATE_LIMITED);
}

static enum tacit_err refuse_code(struct api_call *c, enum api_problem p)
{
	const struct login *l = c->work;
	return api_refuse(c, l->secretive ? API_INVALID_CREDENTIALS : p);
}

static enum tacit_err read_factor(struct api_call *c, struct login *l)
{
	static const struct {
		const char *name;
		enum factor factor;
	} kinds[] = {
	        {"totp_code", BY_TOTP}, {"recovery_code", BY_RECOVERY_CODE}, {"ticket", BY_TICKET}};
	enum tacit_err err;
	for (size_t i = 0; i < TACIT_COUNT(kinds); i++) {
		if (l->secretive && kinds[i].factor == BY_TICKET)
			continue; /* a ticket would buy the next one, for ever */
		TRY(api_text(c, kinds[i].name, TACIT_OPTIONAL, 100, &l->code));
		if (l->code.n > 0) {
			l->factor = kinds[i].factor;
			return TACIT_OK;
		}
	}
	err = api_refuse_member(c, API_INVALID_FIELD, "totp_code");
out:
	return err;
}

/* A wrong key makes the name unknown; an unknown name costs the same work. */
static void check_key(struct api_call *c, struct login *l)
{
	if (!l->known) {
		tacit_ignore(tacit_signed_request_verify(&c->signed_request, &nobodys_key),
		        "only its time counts");
	} else if (api_verify_signature(c, l->user.public_key, l->user.id) != TACIT_OK) {
		c->problem = API_FINE;
		l->known = false;
	}
}

static enum tacit_err find(struct api_call *c, struct store *store, struct login *l)
{
	enum tacit_err err;
	struct tacit_bytes name;
	char text[TACIT_MAX_USERNAME + 1] = "";
	TRY(api_text(c, "username", TACIT_REQUIRED, TACIT_MAX_USERNAME, &name));
	TRY(api_text(c, "password_hash", TACIT_REQUIRED, 128, &l->password));
	TRY(read_factor(c, l));
	memcpy(text, name.p, name.n);
	err = store->ops->user_by_name(store, text, &l->user);
	l->known = err == TACIT_OK;
	if (err == TACIT_E_NOT_FOUND)
		err = TACIT_OK;
	TRY(err);
	if (!l->secretive)
		check_key(c, l);
	/* Who holds the account's key is not kept out by those who guess at its name. */
	if (!c->verified && !api_limiter_take(c->api->login_by_name, api_name_key(text), 1,
	                            api_monotonic_ms(), &c->retry_after))
		err = api_refuse(c, API_RATE_LIMITED);
out:
	return err;
}

static enum tacit_err begin(struct api_call *c, struct store *store, bool secretive)
{
	struct login *l = tacit_calloc(1, sizeof(*l));
	if (l == NULL)
		return TACIT_E_NOMEM;
	c->work = l;
	c->work_free = login_free;
	l->secretive = secretive;
	return find(c, store, l);
}

enum tacit_err api_login_find(struct api_call *c, struct store *store)
{
	return begin(c, store, false);
}

enum tacit_err api_new_device_find(struct api_call *c, struct store *store)
{
	return begin(c, store, true);
}

/* What can be said of the second factor without the store. */
static enum tacit_err check_factor(struct api_call *c, struct login *l)
{
	enum tacit_err err;
	uint8_t seed[API_TOTP_SEED_BYTES];
	if (l->factor == BY_TICKET) {
		api_token_hash(l->code, l->hash);
		return TACIT_OK;
	}
	if (l->factor == BY_RECOVERY_CODE)
		return api_recovery_code_hash(l->code, l->hash) == TACIT_OK
		               ? TACIT_OK
		               : refuse_code(c, API_INVALID_TOTP);
	TRY(api_open_totp(&c->api->keys, l->user.username,
	        tacit_bytes(l->user.totp_sealed, l->user.totp_sealed_bytes), seed));
	err = api_totp_check(seed, l->code, c->now, &l->totp_step);
	if (err == TACIT_E_BAD_PASSWORD)
		err = refuse_code(c, API_INVALID_TOTP);
out:
	tacit_wipe(seed, sizeof(seed));
	return err;
}

/* HASH lane, for both ways of logging in. */
enum tacit_err api_login_check(struct api_call *c, struct store *store)
{
	struct login *l = c->work;
	(void)store;
	enum tacit_err err = tacit_pwhash_str_verify(
	        l->known ? l->user.password_hash : nobodys_hash, l->password);
	if (err == TACIT_E_BAD_PASSWORD || (err == TACIT_OK && !l->known))
		return api_refuse(c, API_INVALID_CREDENTIALS);
	if (err != TACIT_OK)
		return err;
	if (l->user.disabled)
		return api_refuse(c, l->secretive ? API_INVALID_CREDENTIALS : API_ACCOUNT_DISABLED);
	err = count_code(c, l);
	return err == TACIT_OK ? check_factor(c, l) : err;
}

static enum tacit_err take_ticket(struct api_call *c, struct store *store, const struct login *l)
{
	struct tacit_buf value = {0};
	enum tacit_err err = store->ops->token_take(store, TICKET_KIND, l->hash, c->now, &value);
	if (err == TACIT_OK) {
		struct tacit_reader r = tacit_reader(tacit_buf_view(&value));
		if ((int64_t)tacit_read_u64(&r) != l->user.id)
			err = TACIT_E_NOT_FOUND;
	}
	tacit_buf_clear(&value);
	return err == TACIT_E_NOT_FOUND ? refuse_code(c, API_INVALID_TICKET) : err;
}

/* The second factor is used up, whichever it is. */
static enum tacit_err use_factor(struct api_call *c, struct store *store, const struct login *l)
{
	enum tacit_err err;
	if (l->factor == BY_TICKET)
		return take_ticket(c, store, l);
	if (l->factor == BY_TOTP)
		err = store->ops->totp_use(store, l->user.id, l->totp_step);
	else
		err = store->ops->recovery_code_use(store, l->user.id, l->hash);
	if (err == TACIT_E_CONFLICT || err == TACIT_E_NOT_FOUND)
		err = refuse_code(c, API_INVALID_TOTP);
	return err;
}

static enum tacit_err add_wrapped_key(
        struct api_json *w, struct store *store, const struct store_user *u)
{
	enum tacit_err err;
	struct tacit_buf wrapped = {0};
	TRY(store->ops->user_wrapped_key(store, u->id, &wrapped));
	api_json_text(w, "encrypted_private_key", tacit_buf_view(&wrapped));
	api_json_text(w, "encryption_iv", tacit_cstr(u->encryption_iv));
out:
	tacit_buf_clear(&wrapped);
	return err;
}

enum tacit_err api_login_store(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	const struct login *l = c->work;
	struct api_new_session session = {0};
	struct api_json w;
	TRY(use_factor(c, store, l));
	TRY(api_session_new(c, store, l->user.id, &session));
	TRY(api_answer_json(c, 200, &w));
	api_json_open_object(&w, "user");
	api_user_members(&w, &l->user, API_OWNER_VIEW);
	api_json_close_object(&w);
	api_session_members(&w, &session);
	TRY(add_wrapped_key(&w, store, &l->user));
	TRY(api_json_finish(&w));
	TRY(api_session_cookie(c, &session));
out:
	api_session_clear(&session);
	return err;
}

enum tacit_err api_new_device_store(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	const struct login *l = c->work;
	struct api_json w;
	struct tacit_buf value = {0};
	char ticket[API_TOKEN_CHARS + 1];
	uint8_t hash[STORE_HASH_BYTES];
	struct tacit_writer out = tacit_writer(&value);
	tacit_write_u64(&out, (uint64_t)l->user.id);
	TRY(tacit_writer_finish(&out));
	TRY(use_factor(c, store, l));
	TRY(api_token_new(&c->api->settings.env, ticket, hash));
	TRY(store->ops->token_put(
	        store, TICKET_KIND, hash, tacit_buf_view(&value), c->now + TICKET_SECONDS));
	TRY(api_answer_json(c, 200, &w));
	TRY(add_wrapped_key(&w, store, &l->user));
	api_json_text(&w, "ticket", tacit_cstr(ticket));
	api_json_integer(&w, "expires_in", TICKET_SECONDS);
	TRY(api_json_finish(&w));
out:
	tacit_wipe(ticket, sizeof(ticket));
	tacit_buf_clear(&value);
	return err;
}
