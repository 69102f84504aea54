/* sha3.h - SHA3-256, SHAKE128 and SHAKE256 (FIPS 202), as the hybrid KEM and HPKE need them. */
#ifndef TACIT_CRYPTO_SHA3_H
#define TACIT_CRYPTO_SHA3_H

#include "base/bytes.h"
#include "base/err.h"
#include "crypto/kdf.h"

#define TACIT_SHA3_256_BYTES 32

/* Fails: CRYPTO, NOMEM (both only with OpenSSL below). */
TACIT_MUST_USE enum tacit_err tacit_sha3_256(
        struct tacit_bytes in, uint8_t out[TACIT_SHA3_256_BYTES]);

enum tacit_shake { TACIT_SHAKE128, TACIT_SHAKE256 };

/* Of the concatenation of the parts; any length out. Fails as above. */
TACIT_MUST_USE enum tacit_err tacit_shake(
        enum tacit_shake h, const struct tacit_bytes *parts, size_t count, struct tacit_room out);

#endif
