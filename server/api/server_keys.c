#include "server/api/server_keys.h"

#include <string.h>

#include "crypto/aead.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "server/api/api.h"

#define KEY_BYTES 32

enum tacit_err api_server_keys_init(struct api_server_keys *k, struct tacit_bytes secret)
{
	enum tacit_err err;
	*k = (struct api_server_keys){0};
	TRY(tacit_secret_new(&k->all, 3 * KEY_BYTES));
	TRY(tacit_derive(secret, "tacitd jwt hs256", k->all.p, KEY_BYTES));
	TRY(tacit_derive(secret, "tacitd csrf", k->all.p + KEY_BYTES, KEY_BYTES));
	TRY(tacit_derive(secret, "tacitd totp seal", k->all.p + 2 * KEY_BYTES, KEY_BYTES));
	k->jwt = tacit_bytes(k->all.p, KEY_BYTES);
	k->csrf = tacit_bytes(k->all.p + KEY_BYTES, KEY_BYTES);
	k->totp = tacit_bytes(k->all.p + 2 * KEY_BYTES, KEY_BYTES);
out:
	if (err != TACIT_OK)
		api_server_keys_clear(k);
	return err;
}

void api_server_keys_clear(struct api_server_keys *k)
{
	tacit_secret_free(&k->all);
	*k = (struct api_server_keys){0};
}

enum tacit_err api_seal_totp(const struct api_server_keys *k, const struct tacit_env *env,
        const char *username, const uint8_t seed[API_TOTP_SEED_BYTES],
        uint8_t out[API_TOTP_SEALED_BYTES])
{
	tacit_env_random(env, out, TACIT_AEAD_NONCE_BYTES);
	return tacit_aead_seal_once(TACIT_AES256_GCM, k->totp.p, out, tacit_cstr(username),
	        tacit_bytes(seed, API_TOTP_SEED_BYTES), out + TACIT_AEAD_NONCE_BYTES);
}

enum tacit_err api_open_totp(const struct api_server_keys *k, const char *username,
        struct tacit_bytes sealed, uint8_t seed[API_TOTP_SEED_BYTES])
{
	if (sealed.n != API_TOTP_SEALED_BYTES)
		return TACIT_E_BAD_SEAL;
	return tacit_aead_open_once(TACIT_AES256_GCM, k->totp.p, sealed.p, tacit_cstr(username),
	        tacit_bytes_part(sealed, TACIT_AEAD_NONCE_BYTES, sealed.n), seed);
}

void api_token_hash(struct tacit_bytes token, uint8_t out[STORE_HASH_BYTES])
{
	tacit_sha256(token, out);
}

enum tacit_err api_token_new(
        const struct tacit_env *env, char text[API_TOKEN_CHARS + 1], uint8_t hash[STORE_HASH_BYTES])
{
	enum tacit_err err;
	struct tacit_buf encoded = {0};
	uint8_t raw[32];
	tacit_env_random(env, raw, sizeof(raw));
	TRY(tacit_base64(TACIT_BASE64URL, tacit_bytes(raw, sizeof(raw)), &encoded));
	TACIT_ASSERT(encoded.n == API_TOKEN_CHARS);
	memcpy(text, encoded.p, API_TOKEN_CHARS);
	text[API_TOKEN_CHARS] = '\0';
	api_token_hash(tacit_cstr(text), hash);
out:
	tacit_wipe(raw, sizeof(raw));
	tacit_buf_clear(&encoded);
	return err;
}

void api_file_id_new(const struct tacit_env *env, char out[STORE_FILE_ID_CHARS + 1])
{
	uint8_t raw[STORE_FILE_ID_CHARS / 2];
	tacit_env_random(env, raw, sizeof(raw));
	tacit_hex(tacit_bytes(raw, sizeof(raw)), out);
}

enum tacit_err api_check_secret(
        struct tacit_bytes secret, struct store *store, enum api_secret_use use)
{
	enum tacit_err err;
	struct tacit_buf kept = {0};
	uint8_t check[TACIT_SHA256_BYTES];
	TRY(tacit_derive(secret, "tacitd key check", check, sizeof(check)));
	struct tacit_bytes now = tacit_bytes(check, sizeof(check));
	err = store->ops->meta_get(store, "key_check", &kept);
	if (err == TACIT_E_NOT_FOUND)
		err = use == API_SECRET_REMEMBER ? store->ops->meta_set(store, "key_check", now)
		                                 : TACIT_OK;
	else if (err == TACIT_OK && !tacit_ct_eq(tacit_buf_view(&kept), now))
		err = TACIT_E_BAD_SEAL;
out:
	tacit_buf_clear(&kept);
	return err;
}
