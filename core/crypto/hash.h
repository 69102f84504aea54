/* hash.h - SHA-2 (FIPS 180-4), in one call or in pieces. */
#ifndef TACIT_CRYPTO_HASH_H
#define TACIT_CRYPTO_HASH_H

#include "base/bytes.h"
#include "base/err.h"

enum tacit_hash {
	TACIT_SHA256,
	TACIT_SHA384,
	TACIT_SHA512,
	TACIT_SHA1 /* tus checksums, RFC 6455 */
};

#define TACIT_SHA256_BYTES 32
#define TACIT_HASH_MAX_BYTES 64

size_t tacit_hash_bytes(enum tacit_hash h);

/* out has tacit_hash_bytes(h) bytes. Fails: CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_hash(enum tacit_hash h, struct tacit_bytes in, uint8_t *out);

/* The same over the concatenation of the parts; not for TACIT_SHA1. Allocates nothing. */
TACIT_MUST_USE enum tacit_err tacit_hash_parts(
        enum tacit_hash h, const struct tacit_bytes *parts, size_t count, uint8_t *out);

/* Cannot fail: libsodium's SHA-256, for small inputs where a plain call reads better. */
void tacit_sha256(struct tacit_bytes in, uint8_t out[TACIT_SHA256_BYTES]);

/* Streaming, hardware-accelerated; for files. */
struct tacit_hasher;
TACIT_MUST_USE enum tacit_err tacit_hasher_new(enum tacit_hash h, struct tacit_hasher **out);
TACIT_MUST_USE enum tacit_err tacit_hasher_update(struct tacit_hasher *h, struct tacit_bytes in);
/* The digest of all so far; the hasher may go on (for tus, which asks in between). */
TACIT_MUST_USE enum tacit_err tacit_hasher_peek(const struct tacit_hasher *h, uint8_t *out);
void tacit_hasher_free(struct tacit_hasher *h);

#endif
