/* kdf.h - HMAC (RFC 2104) and HKDF (RFC 5869) with SHA-256, SHA-384, SHA-512.
 *
 * Nothing here allocates. TACIT_SHA1 is not accepted anywhere (aborts: a bug of ours). */
#ifndef TACIT_CRYPTO_KDF_H
#define TACIT_CRYPTO_KDF_H

#include "base/bytes.h"
#include "base/err.h"
#include "crypto/hash.h"

/* out has tacit_hash_bytes(h) bytes. */
void tacit_hmac(enum tacit_hash h, struct tacit_bytes key, struct tacit_bytes in, uint8_t *out);
/* The same over the concatenation of the parts. */
void tacit_hmac_parts(enum tacit_hash h, struct tacit_bytes key, const struct tacit_bytes *parts,
        size_t count, uint8_t *out);

/* RFC 5869 2.2: prk has tacit_hash_bytes(h) bytes. */
void tacit_hkdf_extract(
        enum tacit_hash h, struct tacit_bytes salt, struct tacit_bytes ikm, uint8_t *prk);
/* RFC 5869 2.3. Fails: USAGE when n > 255 * hash length. */
TACIT_MUST_USE enum tacit_err tacit_hkdf_expand(
        enum tacit_hash h, struct tacit_bytes prk, struct tacit_bytes info, uint8_t *out, size_t n);
/* The same with the concatenation of the parts as info. out may not overlap prk or info. */
struct tacit_room {
	uint8_t *p;
	size_t n;
};
TACIT_MUST_USE enum tacit_err tacit_hkdf_expand_parts(enum tacit_hash h, struct tacit_bytes prk,
        const struct tacit_bytes *info, size_t count, struct tacit_room out);

/* HKDF-SHA256 with an empty salt and the label as info: one secret, many keys. Fails: USAGE. */
TACIT_MUST_USE enum tacit_err tacit_derive(
        struct tacit_bytes secret, const char *label, uint8_t *out, size_t n);

#endif
