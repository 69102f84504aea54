/* server_keys.h - keys that the server derives from its one secret, one for each purpose. */
#ifndef TACIT_SERVER_API_SERVER_KEYS_H
#define TACIT_SERVER_API_SERVER_KEYS_H

#include "base/bytes.h"
#include "base/env.h"
#include "base/err.h"
#include "crypto/secret.h"
#include "server/store/store.h"

struct api_server_keys {
	struct tacit_secret all; /* guarded memory; the views below point into it */
	struct tacit_bytes jwt, csrf, totp;
};

/* Fails: NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err api_server_keys_init(
        struct api_server_keys *k, struct tacit_bytes secret);
void api_server_keys_clear(struct api_server_keys *k);

#define API_TOTP_SEED_BYTES 20 /* RFC 4226 4, R6: the recommended 160 bits */
#define API_TOTP_SEALED_BYTES (12 + API_TOTP_SEED_BYTES + 16)

/* AES-256-GCM: nonce, ciphertext, tag; bound to the name. Fails: CRYPTO. */
TACIT_MUST_USE enum tacit_err api_seal_totp(const struct api_server_keys *k,
        const struct tacit_env *env, const char *username, const uint8_t seed[API_TOTP_SEED_BYTES],
        uint8_t out[API_TOTP_SEALED_BYTES]);
/* Fails: BAD_SEAL. */
TACIT_MUST_USE enum tacit_err api_open_totp(const struct api_server_keys *k, const char *username,
        struct tacit_bytes sealed, uint8_t seed[API_TOTP_SEED_BYTES]);

/* SHA-256 of a random token: all that is kept of it. */
void api_token_hash(struct tacit_bytes token, uint8_t out[STORE_HASH_BYTES]);

#define API_TOKEN_CHARS 43 /* 256 random bits as base64url */
TACIT_MUST_USE enum tacit_err api_token_new(const struct tacit_env *env,
        char text[API_TOKEN_CHARS + 1], uint8_t hash[STORE_HASH_BYTES]);

/* 128 random bits as hex: the id of a file. */
void api_file_id_new(const struct tacit_env *env, char out[STORE_FILE_ID_CHARS + 1]);

#endif
