/* profile.c - whose engine this is: the PROFILE record, the account, the device, the session. */
#include <string.h>

#include "base/reader.h"
#include "base/writer.h"
#include "engine/engine_int.h"
#include "wire/names.h"

#define PROFILE_VERSION 2 /* 1: of before the conversations were MLS groups */

enum tacit_err tacit_profile_encode(const struct tacit_engine *e, struct tacit_buf *out)
{
	struct tacit_writer w = tacit_writer(out);
	tacit_write_raw(&w, TACIT_STR("tacit-profile"));
	tacit_write_u8(&w, PROFILE_VERSION);
	tacit_write_vec8(&w, tacit_buf_view(&e->username));
	tacit_write_vec8(&w, tacit_buf_view(&e->email));
	tacit_write_raw(&w, tacit_bytes(e->public.b, sizeof(e->public.b)));
	tacit_write_raw(&w, tacit_bytes(e->iv, sizeof(e->iv)));
	tacit_write_vec16(&w, tacit_buf_view(&e->wrapped));
	return tacit_writer_finish(&w);
}

enum tacit_err tacit_profile_decode(struct tacit_bytes in, struct tacit_engine *e)
{
	enum tacit_err err;
	struct tacit_reader r = tacit_reader(in);
	struct tacit_bytes magic = tacit_read_view(&r, 13);
	if (r.err == TACIT_OK && !tacit_bytes_eq(magic, TACIT_STR("tacit-profile")))
		tacit_reader_fail(&r, TACIT_E_MALFORMED);
	if (tacit_read_u8(&r) != PROFILE_VERSION)
		tacit_reader_fail(&r, TACIT_E_UNSUPPORTED);
	struct tacit_bytes username = tacit_read_vec8(&r, TACIT_MAX_USERNAME);
	struct tacit_bytes email = tacit_read_vec8(&r, TACIT_MAX_EMAIL);
	tacit_read_into(&r, e->public.b, sizeof(e->public.b));
	tacit_read_into(&r, e->iv, sizeof(e->iv));
	struct tacit_bytes wrapped = tacit_read_vec16(&r, TACIT_MAX_WRAPPED_KEY);
	TRY(tacit_reader_end(&r));
	if (!tacit_username_valid(username)) {
		err = TACIT_E_MALFORMED;
		goto out;
	}
	TRY(tacit_buf_append(&e->username, username));
	TRY(tacit_buf_append(&e->email, email));
	TRY(tacit_buf_append(&e->wrapped, wrapped));
	e->has_account = true;
out:
	return err == TACIT_E_TRUNCATED || err == TACIT_E_TRAILING || err == TACIT_E_TOO_LARGE
	               ? TACIT_E_MALFORMED
	               : err;
}

enum tacit_err tacit_profile_unlock(struct tacit_engine *e, struct tacit_account *account)
{
	enum tacit_err err;
	TRY(tacit_secret_new(&e->store_key, TACIT_STORE_KEY_BYTES));
	TRY(tacit_account_derive(account, "store", e->store_key.p, e->store_key.n));
	tacit_account_clear(&e->account);
	e->account = *account;
	*account = (struct tacit_account){0};
	e->public = e->account.public;
	e->unlocked = true;
out:
	return err;
}

static enum tacit_err make_device(struct tacit_engine *e)
{
	enum tacit_err err;
	uint8_t seed[TACIT_SIGN_SEED_BYTES];
	TRY(tacit_secret_new(&e->device_sk, sizeof(struct tacit_sign_sk)));
	tacit_env_random(&e->env, seed, sizeof(seed));
	tacit_env_random(&e->env, e->device.id.b, sizeof(e->device.id.b));
	tacit_sign_keypair(
	        seed, (struct tacit_sign_sk *)(void *)e->device_sk.p, &e->device.signature_key);
	tacit_wipe(seed, sizeof(seed));
	e->device.created_at = tacit_env_now(&e->env);
	tacit_device_certify(&e->device, tacit_account_sk(&e->account));
	e->device_published = false;
	e->device_dirty = true;
	e->changed = true;
out:
	return err;
}

static enum tacit_err replace(struct tacit_buf *to, const struct tacit_buf *from)
{
	tacit_buf_clear(to);
	return tacit_buf_append(to, tacit_buf_view(from));
}

enum tacit_err tacit_profile_adopt(
        struct tacit_engine *e, struct tacit_account *account, const struct tacit_pending *from)
{
	enum tacit_err err;
	struct tacit_effect *fx;
	e->changed = true;
	TRY(replace(&e->username, &from->username));
	TRY(replace(&e->email, &from->email));
	TRY(replace(&e->wrapped, &from->wrapped));
	memcpy(e->iv, from->iv, sizeof(e->iv));
	TRY(tacit_profile_unlock(e, account));
	e->has_account = true;
	TRY(make_device(e));
	TRY(tacit_effects_add(&e->stage[STAGE_STORE], TACIT_EFFECT_PROFILE, &fx));
	TRY(tacit_profile_encode(e, &fx->data));
out:
	return err;
}

enum tacit_err tacit_profile_session(
        struct tacit_engine *e, struct tacit_bytes cookie_name, struct tacit_bytes cookie)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_effect *fx;
	if (cookie_name.n + cookie.n + 1 > MAX_COOKIE) {
		err = TACIT_E_TOO_LARGE;
		goto out;
	}
	e->changed = true;
	e->session_dirty = e->has_account;
	tacit_buf_clear(&e->cookie);
	/* In one piece, so that growing leaves no copies behind. */
	TRY(tacit_buf_reserve(&e->cookie, cookie_name.n + cookie.n + 1));
	if (cookie.n > 0) {
		TRY(tacit_buf_append(&e->cookie, cookie_name));
		TRY(tacit_buf_append(&e->cookie, TACIT_STR("=")));
		TRY(tacit_buf_append(&e->cookie, cookie));
	}
	TRY(tacit_effects_add(&e->stage[STAGE_COOKIE], TACIT_EFFECT_COOKIE, &fx));
	TRY(tacit_buf_append(&fx->data, tacit_buf_view(&e->cookie)));
out:
	return err;
}
