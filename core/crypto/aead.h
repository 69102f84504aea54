/* aead.h - authenticated encryption (RFC 5116): AES-GCM, ChaCha20-Poly1305.
 *
 * 12-byte nonces, 16-byte tags at the end of the ciphertext. A nonce is used once per key: that is
 * the caller's duty. One context serves one thread. */
#ifndef TACIT_CRYPTO_AEAD_H
#define TACIT_CRYPTO_AEAD_H

#include "base/bytes.h"
#include "base/err.h"

enum tacit_aead_alg { TACIT_AES128_GCM, TACIT_AES256_GCM, TACIT_CHACHA20_POLY1305 };

#define TACIT_AEAD_NONCE_BYTES 12
#define TACIT_AEAD_TAG_BYTES 16
#define TACIT_AEAD_KEY_MAX_BYTES 32

size_t tacit_aead_key_bytes(enum tacit_aead_alg alg);

/* A keyed context, for many calls under one key. key has tacit_aead_key_bytes(alg) bytes. */
struct tacit_aead;
TACIT_MUST_USE enum tacit_err tacit_aead_new(
        enum tacit_aead_alg alg, const uint8_t *key, struct tacit_aead **out);
void tacit_aead_free(struct tacit_aead *a);

/* Writes plain.n + 16 bytes to out, which may be plain.p itself. Fails: CRYPTO, TOO_LARGE. */
TACIT_MUST_USE enum tacit_err tacit_aead_seal(struct tacit_aead *a,
        const uint8_t nonce[TACIT_AEAD_NONCE_BYTES], struct tacit_bytes aad,
        struct tacit_bytes plain, uint8_t *out);
/* Writes sealed.n - 16 bytes to out, which may be sealed.p itself; on failure that room is wiped.
 * Fails: BAD_SEAL (also when shorter than a tag), CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_aead_open(struct tacit_aead *a,
        const uint8_t nonce[TACIT_AEAD_NONCE_BYTES], struct tacit_bytes aad,
        struct tacit_bytes sealed, uint8_t *out);

/* One message under one key, in one call. Same contracts. */
TACIT_MUST_USE enum tacit_err tacit_aead_seal_once(enum tacit_aead_alg alg, const uint8_t *key,
        const uint8_t nonce[TACIT_AEAD_NONCE_BYTES], struct tacit_bytes aad,
        struct tacit_bytes plain, uint8_t *out);
TACIT_MUST_USE enum tacit_err tacit_aead_open_once(enum tacit_aead_alg alg, const uint8_t *key,
        const uint8_t nonce[TACIT_AEAD_NONCE_BYTES], struct tacit_bytes aad,
        struct tacit_bytes sealed, uint8_t *out);

#endif
