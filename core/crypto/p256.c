#include "crypto/p256.h"

#include <bearssl.h>

#include "base/attr.h"
#include "crypto/dh.h"
#include "crypto/secret.h"

/* Named, as in dh.c: the same code on every machine and in WASM. */
static const br_ec_impl *const p256 = &br_ec_p256_m31;

bool tacit_p256_scalar_valid(const uint8_t k[TACIT_P256_SCALAR_BYTES])
{
	return tacit_dh_sk_valid(TACIT_P256, k);
}

void tacit_p256_scalar_negate(
        const uint8_t k[TACIT_P256_SCALAR_BYTES], uint8_t out[TACIT_P256_SCALAR_BYTES])
{
	size_t n;
	const uint8_t *order = p256->order(BR_EC_secp256r1, &n);
	TACIT_ASSERT(n == TACIT_P256_SCALAR_BYTES);
	uint32_t borrow = 0;
	for (size_t i = n; i-- > 0;) {
		uint32_t d = (uint32_t)order[i] - k[i] - borrow;
		out[i] = (uint8_t)d;
		borrow = d >> 31;
	}
}

enum tacit_err tacit_p256_mul_add(uint8_t point[TACIT_P256_POINT_BYTES],
        const uint8_t k[TACIT_P256_SCALAR_BYTES], const uint8_t other[TACIT_P256_POINT_BYTES],
        const uint8_t m[TACIT_P256_SCALAR_BYTES])
{
	if (tacit_p256_scalar_valid(k) && tacit_p256_scalar_valid(m) &&
	        p256->muladd(point, other, TACIT_P256_POINT_BYTES, k, TACIT_P256_SCALAR_BYTES, m,
	                TACIT_P256_SCALAR_BYTES, BR_EC_secp256r1) == 1)
		return TACIT_OK;
	tacit_wipe(point, TACIT_P256_POINT_BYTES);
	return TACIT_E_MALFORMED;
}

enum tacit_err tacit_p256_mul(
        uint8_t point[TACIT_P256_POINT_BYTES], const uint8_t k[TACIT_P256_SCALAR_BYTES])
{
	if (tacit_p256_scalar_valid(k) && p256->mul(point, TACIT_P256_POINT_BYTES, k,
	                                          TACIT_P256_SCALAR_BYTES, BR_EC_secp256r1) == 1)
		return TACIT_OK;
	tacit_wipe(point, TACIT_P256_POINT_BYTES);
	return TACIT_E_MALFORMED;
}
