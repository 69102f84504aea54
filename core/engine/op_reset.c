/* op_reset.c - RESET_PASSWORD: the password was forgotten, the key is still here. The key is
 * wrapped by the new password; the server believes it by the token of its letter and the signature
 * of that key.
 *
 *   POST /api/reset-password -> the profile becomes the new one, the session is forgotten -> DONE
 */
#include <string.h>

#include "crypto/encoding.h"
#include "engine/engine_int.h"
#include "wire/names.h"

static enum tacit_err reset(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	struct tacit_effect *fx;
	if (a->err != TACIT_OK)
		return tacit_op_fail_answer(e, op, a);
	e->changed = true;
	tacit_buf_clear(&e->wrapped);
	TRY(tacit_buf_append(&e->wrapped, tacit_buf_view(&op->wrapped)));
	memcpy(e->iv, op->iv, sizeof(e->iv));
	TRY(tacit_effects_add(&e->stage[STAGE_STORE], TACIT_EFFECT_PROFILE, &fx));
	TRY(tacit_profile_encode(e, &fx->data));
	TRY(tacit_profile_session(e, tacit_bytes(NULL, 0), tacit_bytes(NULL, 0)));
	TRY(tacit_op_done(e, op, NULL));
out:
	return err;
}

enum tacit_err tacit_op_reset_password(struct tacit_engine *e, struct tacit_op *op)
{
	enum tacit_err err;
	json_t *data = NULL;
	char hash[65] = {0}, iv[2 * TACIT_WRAP_IV_BYTES + 1];
	struct tacit_buf text = {0};
	struct tacit_bytes password = tacit_secret_view(&op->password);
	const char *problem = tacit_password_problem(password);
	if (problem != NULL)
		return tacit_op_fail(e, op, TACIT_E_WEAK_PASSWORD, tacit_cstr(problem));
	TRY(tacit_account_wrap(&e->account, tacit_buf_view(&e->username), password, &e->env,
	        &op->wrapped, op->iv));
	TRY(tacit_password_hash(password, tacit_buf_view(&e->email), hash));
	TRY(tacit_base64(TACIT_BASE64, tacit_buf_view(&op->wrapped), &text));
	tacit_hex(tacit_bytes(op->iv, sizeof(op->iv)), iv);
	const struct tacit_pair pairs[] = {
	        {"token", tacit_buf_view(&op->text)},
	        {"password_hash", tacit_cstr(hash)},
	        {"encrypted_private_key", tacit_buf_view(&text)},
	        {"encryption_iv", tacit_cstr(iv)},
	};
	TRY(tacit_op_data(pairs, TACIT_COUNT(pairs), &data));
	TRY(tacit_op_call(e, op,
	        &(struct tacit_call){.method = TACIT_POST, .body = TACIT_BODY_SIGNED, .data = data},
	        reset, "/api/reset-password"));
out:
	tacit_wipe(hash, sizeof(hash));
	tacit_buf_clear(&text);
	return err;
}
