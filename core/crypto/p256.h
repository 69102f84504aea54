/* p256.h - the group NIST P-256 (SP 800-186 3.2.1.3), as far as SPAKE2 needs more of it than dh.h
 * gives. Points are uncompressed (SEC 1 2.3.3), scalars big-endian. Constant-time in the scalars.
 * Nothing here allocates. */
#ifndef TACIT_CRYPTO_P256_H
#define TACIT_CRYPTO_P256_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define TACIT_P256_POINT_BYTES 65
#define TACIT_P256_SCALAR_BYTES 32

/* 1 <= k < order? */
bool tacit_p256_scalar_valid(const uint8_t k[TACIT_P256_SCALAR_BYTES]);
/* order - k, for a valid k. */
void tacit_p256_scalar_negate(
        const uint8_t k[TACIT_P256_SCALAR_BYTES], uint8_t out[TACIT_P256_SCALAR_BYTES]);

/* point becomes k * point + m * other; other NULL: the generator. Both points are checked to be on
 * the curve and not at infinity. k and m are valid scalars. On error point is wiped.
 * Fails: MALFORMED (a point that is none, a scalar out of range, a sum at infinity). */
TACIT_MUST_USE enum tacit_err tacit_p256_mul_add(uint8_t point[TACIT_P256_POINT_BYTES],
        const uint8_t k[TACIT_P256_SCALAR_BYTES], const uint8_t other[TACIT_P256_POINT_BYTES],
        const uint8_t m[TACIT_P256_SCALAR_BYTES]);
/* point becomes k * point. The same errors. */
TACIT_MUST_USE enum tacit_err tacit_p256_mul(
        uint8_t point[TACIT_P256_POINT_BYTES], const uint8_t k[TACIT_P256_SCALAR_BYTES]);

#endif
