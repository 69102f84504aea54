/* recovery.c - POST /api/forgot-password and /api/reset-password: another password for whoever
 * still holds the account's key. The server cannot give that key back: what it has of it is wrapped
 * by the password that was forgotten. So the token of the letter is only half; the other half is
 * the signature.
 *
 * Whether an address belongs to anybody shows neither in the answer nor in the work. */
#include <string.h>

#include "base/alloc.h"
#include "base/reader.h"
#include "base/writer.h"
#include "crypto/encoding.h"
#include "crypto/pwhash.h"
#include "server/api/auth.h"
#include "server/api/handlers.h"
#include "server/log.h"
#include "wire/names.h"

#define RESET_KIND "reset"
#define RESET_SECONDS 3600
#define MAX_TOKEN (TACIT_MAX_USERNAME + 1 + API_TOKEN_CHARS)

/* --- forgotten ----------------------------------------------------------------------------------
 */

struct forgotten {
	struct store_user user; /* id 0: nobody's address */
	char token[API_TOKEN_CHARS + 1];
};

static void forgotten_free(struct api *a, void *work)
{
	(void)a;
	tacit_wipe(work, sizeof(struct forgotten));
	tacit_free(work);
}

enum tacit_err api_forgot_find(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct tacit_bytes email;
	char text[TACIT_MAX_EMAIL + 1] = "";
	struct forgotten *f = tacit_calloc(1, sizeof(*f));
	if (f == NULL)
		return TACIT_E_NOMEM;
	c->work = f;
	c->work_free = forgotten_free;
	TRY(api_text(c, "email", TACIT_REQUIRED, TACIT_MAX_EMAIL, &email));
	if (!tacit_email_valid(email))
		TRY(api_refuse_member(c, API_INVALID_VALUE, "email"));
	if (c->api->mailer == NULL)
		TRY(api_refuse(c, API_MAIL_UNAVAILABLE));
	if (mailer_is_full(c->api->mailer)) /* before it is known whether anybody gets one */
		TRY(api_refuse(c, API_UNAVAILABLE));
	memcpy(text, email.p, email.n);
	/* Nobody's letter box is to be filled by strangers. */
	if (!api_limiter_take(c->api->login_by_name, api_name_key(text), 5, api_monotonic_ms(),
	            &c->retry_after))
		TRY(api_refuse(c, API_RATE_LIMITED));
	err = store->ops->user_by_email(store, text, &f->user);
	if (err == TACIT_E_NOT_FOUND || (err == TACIT_OK && f->user.disabled)) {
		f->user = (struct store_user){0};
		err = TACIT_OK;
	}
out:
	return err;
}

/* Also for nobody, whom no token will ever find. */
enum tacit_err api_forgot_store(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct forgotten *f = c->work;
	uint8_t hash[STORE_HASH_BYTES];
	struct tacit_buf value = {0};
	struct tacit_writer w = tacit_writer(&value);
	tacit_write_u64(&w, (uint64_t)f->user.id);
	TRY(tacit_writer_finish(&w));
	TRY(api_token_new(&c->api->settings.env, f->token, hash));
	TRY(store->ops->token_put(
	        store, RESET_KIND, hash, tacit_buf_view(&value), c->now + RESET_SECONDS));
out:
	tacit_buf_clear(&value);
	return err;
}

static enum tacit_err post_letter(struct api_call *c, const struct forgotten *f)
{
	enum tacit_err err;
	struct tacit_buf text = {0};
	TRY(tacit_buf_reserve(&text, 2048)); /* in one piece, so that no copy of the token stays */
	TRY(tacit_buf_printf(&text,
	        "Somebody, perhaps you, has asked to reset the password of %s.\n\n"
	        "This token is good for one hour:\n\n    %s.%s\n\n"
	        "Give it to the tacit agent of a machine on which you are still logged in, with a\n"
	        "new password: your keys are there, and nowhere else. If it was not you, there is\n"
	        "nothing to do: without your keys the token is of no use.\n",
	        f->user.username, f->user.username, f->token));
	const struct mail_letter letter = {
	        .to = tacit_cstr(f->user.email),
	        .subject = TACIT_STR("Reset your tacit password"),
	        .text = tacit_buf_view(&text),
	};
	TRY(mailer_post(c->api->mailer, &letter));
out:
	tacit_buf_clear(&text);
	return err;
}

/* After the token is on the disk. */
enum tacit_err api_forgot_send(struct api_call *c, struct store *store)
{
	enum tacit_err err = TACIT_OK;
	struct api_json w;
	(void)store;
	const struct forgotten *f = c->work;
	if (f->user.id != 0)
		err = post_letter(c, f);
	/* Full since api_forgot_find has looked: an answer of its own would tell that there is one.
	 */
	if (err == TACIT_E_LIMIT) {
		log_event(LOG_WARNING, "mail", "a letter was dropped: too many wait");
		err = TACIT_OK;
	}
	TRY(err);
	TRY(api_answer_json(c, 200, &w));
	api_json_text(&w, "message",
	        TACIT_STR("If somebody here has that address, a letter is on its way."));
	TRY(api_json_finish(&w));
out:
	return err;
}

/* --- reset ---------------------------------------------------------------------------------------
 */

struct reset {
	int64_t user_id;
	uint8_t token[STORE_HASH_BYTES];
	struct tacit_bytes password, wrapped; /* in the call's body */
	char iv[33];
	char hash[TACIT_PWHASH_STR_BYTES];
};

static void reset_free(struct api *a, void *work)
{
	(void)a;
	tacit_wipe(work, sizeof(struct reset));
	tacit_free(work);
}

static bool is_lower_hex(struct tacit_bytes text)
{
	for (size_t i = 0; i < text.n; i++)
		if (!((text.p[i] >= '0' && text.p[i] <= '9') ||
		            (text.p[i] >= 'a' && text.p[i] <= 'f')))
			return false;
	return true;
}

static enum tacit_err read_reset(struct api_call *c, struct reset *r)
{
	enum tacit_err err;
	struct tacit_bytes iv;
	uint8_t ignored[16];
	struct tacit_buf raw = {0};
	TRY(api_text(c, "password_hash", TACIT_REQUIRED, 64, &r->password));
	if (r->password.n != 64 || !is_lower_hex(r->password))
		TRY(api_refuse_member(c, API_INVALID_VALUE, "password_hash"));
	TRY(api_text(c, "encryption_iv", TACIT_REQUIRED, sizeof(r->iv) - 1, &iv));
	if ((iv.n != 24 && iv.n != 32) || tacit_unhex(iv, ignored, iv.n / 2) != TACIT_OK)
		TRY(api_refuse_member(c, API_INVALID_VALUE, "encryption_iv"));
	memcpy(r->iv, iv.p, iv.n);
	TRY(api_base64(c, "encrypted_private_key", TACIT_MAX_WRAPPED_KEY / 4 * 3, &raw));
	TRY(api_text(
	        c, "encrypted_private_key", TACIT_REQUIRED, TACIT_MAX_WRAPPED_KEY, &r->wrapped));
out:
	tacit_buf_clear(&raw);
	return err;
}

/* "NAME.TOKEN": the name tells the client whose keys are meant; what counts is the token. */
static enum tacit_err find_token(struct api_call *c, struct store *store, struct reset *r)
{
	enum tacit_err err;
	struct tacit_bytes text;
	struct tacit_buf value = {0};
	TRY(api_text(c, "token", TACIT_REQUIRED, MAX_TOKEN, &text));
	size_t from = text.n > API_TOKEN_CHARS ? text.n - API_TOKEN_CHARS : 0;
	api_token_hash(tacit_bytes_part(text, from, API_TOKEN_CHARS), r->token);
	err = store->ops->token_peek(store, RESET_KIND, r->token, c->now, &value);
	if (err == TACIT_E_NOT_FOUND)
		err = api_refuse(c, API_RESET_TOKEN_EXPIRED);
	TRY(err);
	struct tacit_reader in = tacit_reader(tacit_buf_view(&value));
	r->user_id = (int64_t)tacit_read_u64(&in);
	TRY(tacit_reader_end(&in));
out:
	tacit_buf_clear(&value);
	return err;
}

enum tacit_err api_reset_check(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct store_user user;
	struct reset *r = tacit_calloc(1, sizeof(*r));
	if (r == NULL)
		return TACIT_E_NOMEM;
	c->work = r;
	c->work_free = reset_free;
	TRY(read_reset(c, r));
	TRY(find_token(c, store, r));
	err = store->ops->user_by_id(store, r->user_id, &user);
	if (err == TACIT_E_NOT_FOUND)
		err = api_refuse(c, API_RESET_TOKEN_EXPIRED);
	TRY(err);
	TRY(api_verify_signature(c, user.public_key, user.id));
	if (user.disabled)
		TRY(api_refuse(c, API_ACCOUNT_DISABLED));
out:
	return err;
}

/* RFC 9106 4; as accounts.c has it. */
static const struct tacit_pwhash_cost cost = {.kib = 19456, .passes = 2};

enum tacit_err api_reset_hash(struct api_call *c, struct store *store)
{
	struct reset *r = c->work;
	(void)store;
	return tacit_pwhash_str(r->password, cost, r->hash);
}

enum tacit_err api_reset_store(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	const struct reset *r = c->work;
	struct tacit_buf value = {0};
	struct api_json w;
	const struct store_new_login login = {r->hash, r->iv, r->wrapped};
	err = store->ops->token_take(store, RESET_KIND, r->token, c->now, &value);
	if (err == TACIT_E_NOT_FOUND)
		err = api_refuse(c, API_RESET_TOKEN_EXPIRED);
	TRY(err);
	TRY(store->ops->user_set_login(store, r->user_id, &login));
	TRY(api_answer_json(c, 200, &w));
	api_json_text(&w, "message", TACIT_STR("The password is another one now; log in again."));
	TRY(api_json_finish(&w));
	c->outbox.recheck = true; /* live connections of the sessions that have ended */
out:
	tacit_buf_clear(&value);
	return err;
}
