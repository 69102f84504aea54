/* kdf.h - HMAC (RFC 2104) and HKDF (RFC 5869) with SHA-256, SHA-384, SHA-512. */
#ifndef TACIT_CRYPTO_KDF_H
#define TACIT_CRYPTO_KDF_H

#include "base/bytes.h"
#include "base/err.h"
#include "crypto/hash.h"

/* out has tacit_hash_bytes(h) bytes. TACIT_SHA1 is not accepted (aborts: a bug of ours). */
void tacit_hmac(enum tacit_hash h, struct tacit_bytes key, struct tacit_bytes in, uint8_t *out);

/* RFC 5869 2.2: prk has tacit_hash_bytes(h) bytes. */
void tacit_hkdf_extract(enum tacit_hash h, struct tacit_bytes salt, struct tacit_bytes ikm, uint8_t *prk);
/* RFC 5869 2.3. Fails: USAGE when n > 255 * hash length. */
TACIT_MUST_USE enum tacit_err tacit_hkdf_expand(
	enum tacit_hash h, struct tacit_bytes prk, struct tacit_bytes info, uint8_t *out, size_t n);

/* Extract with an empty salt, then expand with the label as info: one secret, many keys. */
TACIT_MUST_USE enum tacit_err tacit_derive(
	struct tacit_bytes secret, const char *label, uint8_t *out, size_t n);

#endif
