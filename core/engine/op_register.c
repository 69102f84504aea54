/* op_register.c - a new person: REGISTER, VERIFY_TOTP, and the publishing of the device.
 *
 *   REGISTER: checks -> account made, wrapped -> POST /api/register -> TOTP_SETUP, DONE
 *   VERIFY_TOTP: POST verify-2fa -> profile, device, session persisted -> RECOVERY_CODES
 *                -> POST /api/devices -> DONE */
#include <string.h>

#include "crypto/encoding.h"
#include "engine/engine_int.h"
#include "wire/names.h"
#include "wire/pem.h"

static void forget_pending(struct tacit_pending *p)
{
	tacit_account_clear(&p->account);
	tacit_buf_clear(&p->username);
	tacit_buf_clear(&p->email);
	tacit_buf_clear(&p->wrapped);
	*p = (struct tacit_pending){0};
}

static enum tacit_err registered(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	struct tacit_notice n = {.kind = TACIT_NOTICE_TOTP_SETUP};
	if (a->err != TACIT_OK) {
		forget_pending(&e->pending);
		return tacit_op_fail_answer(e, op, a);
	}
	TRY(tacit_json_text(a->body, "otpauth_uri", TACIT_REQUIRED, 1024, &n.text));
	TRY(tacit_json_text(a->body, "secret", TACIT_REQUIRED, 256, &n.detail));
	/* Kept in memory only: nothing is final yet. */
	TRY(tacit_profile_session(e, a->cookie_name, a->cookie));
	TRY(tacit_op_tell(e, op, &n));
	TRY(tacit_op_done(e, op, NULL));
out:
	return err;
}

static enum tacit_err make_pending(struct tacit_engine *e, const struct tacit_op *op)
{
	enum tacit_err err;
	struct tacit_pending *p = &e->pending;
	forget_pending(p);
	TRY(tacit_account_create(&e->env, &p->account));
	TRY(tacit_buf_append(&p->username, tacit_buf_view(&op->username)));
	TRY(tacit_buf_append(&p->email, tacit_buf_view(&op->email)));
	TRY(tacit_account_wrap(&p->account, tacit_buf_view(&p->username),
	        tacit_secret_view(&op->password), &e->env, &p->wrapped, p->iv));
	p->there = true;
out:
	if (err != TACIT_OK)
		forget_pending(p);
	return err;
}

static enum tacit_err ask_register(struct tacit_engine *e, struct tacit_op *op)
{
	enum tacit_err err;
	json_t *data = NULL;
	char hash[65] = {0}, iv[2 * TACIT_WRAP_IV_BYTES + 1];
	struct tacit_buf wrapped = {0}, pem = {0};
	const struct tacit_pending *p = &e->pending;
	TRY(tacit_password_hash(tacit_secret_view(&op->password), tacit_buf_view(&p->email), hash));
	TRY(tacit_base64(TACIT_BASE64, tacit_buf_view(&p->wrapped), &wrapped));
	TRY(tacit_pem_write_public(&p->account.public, &pem));
	tacit_hex(tacit_bytes(p->iv, sizeof(p->iv)), iv);
	struct tacit_pair pairs[] = {
	        {"email", tacit_buf_view(&p->email)},
	        {"username", tacit_buf_view(&p->username)},
	        {"password_hash", tacit_cstr(hash)},
	        {"encrypted_private_key", tacit_buf_view(&wrapped)},
	        {"public_key", tacit_buf_view(&pem)},
	        {"encryption_iv", tacit_cstr(iv)},
	        {"invitation", tacit_buf_view(&op->text)},
	};
	TRY(tacit_op_data(pairs, TACIT_COUNT(pairs) - (op->text.n == 0), &data));
	TRY(tacit_op_call(e, op,
	        &(struct tacit_call){.method = TACIT_POST, .body = TACIT_BODY_SIGNED, .data = data},
	        registered, "/api/register"));
out:
	tacit_wipe(hash, sizeof(hash));
	tacit_buf_clear(&wrapped);
	tacit_buf_clear(&pem);
	return err;
}

enum tacit_err tacit_op_register(struct tacit_engine *e, struct tacit_op *op)
{
	enum tacit_err err;
	if (e->has_account)
		return tacit_op_fail(e, op, TACIT_E_EXISTS,
		        TACIT_STR("This profile has an account already. Use another profile."));
	if (!tacit_username_valid(tacit_buf_view(&op->username)))
		return tacit_op_fail(e, op, TACIT_E_BAD_NAME,
		        TACIT_STR("A username has 1 to 24 letters, digits, dots, underscores or "
		                  "hyphens."));
	if (!tacit_email_valid(tacit_buf_view(&op->email)))
		return tacit_op_fail(
		        e, op, TACIT_E_BAD_NAME, TACIT_STR("That is not a valid e-mail address."));
	const char *problem = tacit_password_problem(tacit_secret_view(&op->password));
	if (problem != NULL)
		return tacit_op_fail(e, op, TACIT_E_WEAK_PASSWORD, tacit_cstr(problem));
	TRY(make_pending(e, op));
	TRY(ask_register(e, op));
out:
	if (err != TACIT_OK)
		forget_pending(&e->pending);
	return err;
}

/* --- verifying
 * ------------------------------------------------------------------------------------ */

static enum tacit_err tell_codes(
        struct tacit_engine *e, const struct tacit_op *op, const json_t *body)
{
	enum tacit_err err;
	const json_t *list;
	struct tacit_buf text = {0};
	size_t i;
	json_t *code;
	TRY(tacit_buf_reserve(&text, 64 * 64));
	TRY(tacit_answer_list(body, "recovery_codes", 32, &list));
	json_array_foreach(list, i, code)
	{
		if (!json_is_string(code) || json_string_length(code) > 64) {
			err = TACIT_E_MALFORMED;
			goto out;
		}
		TRY(tacit_buf_append(
		        &text, tacit_bytes(json_string_value(code), json_string_length(code))));
		TRY(tacit_buf_append(&text, TACIT_STR("\n")));
	}
	TRY(tacit_op_tell(e, op,
	        &(struct tacit_notice){
	                .kind = TACIT_NOTICE_RECOVERY_CODES, .text = tacit_buf_view(&text)}));
out:
	tacit_buf_clear(&text);
	return err;
}

static enum tacit_err end_with_done(struct tacit_engine *e, struct tacit_op *op)
{
	return tacit_op_done(e, op, NULL);
}

static enum tacit_err verified(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	struct tacit_person user = {0};
	const json_t *object = json_object_get(a->body, "user");
	if (a->err != TACIT_OK)
		return tacit_op_fail_answer(e, op, a);
	TRY(tacit_answer_person(object, "id", &user));
	if (!tacit_key_same(&user.key, &e->pending.account.public))
		return tacit_op_fail(e, op, TACIT_E_KEY_CHANGED,
		        TACIT_STR("The server has registered another public key than yours."));
	TRY(tacit_profile_adopt(e, &e->pending.account, &e->pending));
	e->user_id = user.user_id;
	forget_pending(&e->pending);
	TRY(tacit_profile_session(e, a->cookie_name, a->cookie));
	enum tacit_err codes = tell_codes(e, op, a->body);
	if (codes == TACIT_E_MALFORMED)
		codes = tacit_op_warn(e, op, NULL, TACIT_E_MALFORMED,
		        "The server has sent no recovery codes that can be read.");
	TRY(codes);
	op->after = end_with_done;
	TRY(tacit_op_publish(e, op));
out:
	return err;
}

enum tacit_err tacit_op_verify_totp(struct tacit_engine *e, struct tacit_op *op)
{
	enum tacit_err err;
	json_t *data;
	if (!e->pending.there)
		return tacit_op_fail(e, op, TACIT_E_CONFLICT,
		        TACIT_STR("There is no registration to complete. Register first."));
	struct tacit_pair pair = {"totp_code", tacit_secret_view(&op->code)};
	TRY(tacit_op_data(&pair, 1, &data));
	TRY(tacit_op_call(e, op,
	        &(struct tacit_call){.method = TACIT_POST, .body = TACIT_BODY_SIGNED, .data = data},
	        verified, "/api/register/verify-2fa"));
out:
	return err;
}

/* --- the device
 * ----------------------------------------------------------------------------------- */

static enum tacit_err published(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	if (a->err == TACIT_OK) {
		e->device_published = true;
		e->device_dirty = e->changed = true;
		return tacit_key_packages_offer(e, op);
	} else {
		TRY(tacit_op_warn(e, op, NULL, a->err,
		        "This device is not known to the server yet, so nobody can write to it; "
		        "the next command tries again. (%.*s)",
		        (int)a->text.n, (const char *)a->text.p));
	}
	TRY(op->after(e, op));
out:
	return err;
}

enum tacit_err tacit_op_publish(struct tacit_engine *e, struct tacit_op *op)
{
	enum tacit_err err;
	json_t *data;
	struct tacit_buf device = {0}, text = {0};
	TRY(tacit_device_encode(&e->device, &device));
	TRY(tacit_base64(TACIT_BASE64, tacit_buf_view(&device), &text));
	struct tacit_pair pair = {"device", tacit_buf_view(&text)};
	TRY(tacit_op_data(&pair, 1, &data));
	TRY(tacit_op_call(e, op,
	        &(struct tacit_call){.method = TACIT_POST, .body = TACIT_BODY_SIGNED, .data = data},
	        published, "/api/devices"));
out:
	tacit_buf_clear(&device);
	tacit_buf_clear(&text);
	return err;
}
