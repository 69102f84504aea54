#include "crypto/dh.h"

#include <bearssl.h>
#include <sodium.h>
#include <string.h>

#include "crypto/curve448_int.h"
#include "crypto/secret.h"
#include "crypto/x25519_int.h"

static const struct group {
	int curve; /* BearSSL's number */
	size_t sk_bytes, public_bytes, shared_bytes;
} groups[] = {
        [TACIT_X25519] = {BR_EC_curve25519, 32, 32, 32},
        [TACIT_P256] = {BR_EC_secp256r1, 32, 65, 32},
        [TACIT_P384] = {BR_EC_secp384r1, 48, 97, 48},
        [TACIT_P521] = {BR_EC_secp521r1, 66, 133, 66},
        [TACIT_X448] = {0, TACIT_X448_BYTES, TACIT_X448_BYTES, TACIT_X448_BYTES},
};

/* Named, not br_ec_get_default(): the same code on every machine and in WASM. */
static const br_ec_impl *const nist = &br_ec_all_m31;

size_t tacit_dh_sk_bytes(enum tacit_dh g)
{
	return groups[g].sk_bytes;
}

size_t tacit_dh_public_bytes(enum tacit_dh g)
{
	return groups[g].public_bytes;
}

size_t tacit_dh_shared_bytes(enum tacit_dh g)
{
	return groups[g].shared_bytes;
}

/* BearSSL leaves the result open for a multiplier outside of this range. Constant-time in sk. */
bool tacit_dh_sk_valid(enum tacit_dh g, const uint8_t *sk)
{
	if (g == TACIT_X25519 || g == TACIT_X448)
		return true;
	size_t n;
	const uint8_t *order = nist->order(groups[g].curve, &n);
	TACIT_ASSERT(n == groups[g].sk_bytes);
	uint32_t any = 0, borrow = 0;
	for (size_t i = n; i-- > 0;) {
		any |= sk[i];
		borrow = ((uint32_t)sk[i] - order[i] - borrow) >> 31;
	}
	return any != 0 && borrow == 1;
}

enum tacit_err tacit_dh_public(enum tacit_dh g, const uint8_t *sk, uint8_t *pk)
{
	if (g == TACIT_X25519)
		return tacit_x25519_public_many(sk, 1, pk);
	if (g == TACIT_X448)
		return tacit_x448_public(sk, pk);
	if (!tacit_dh_sk_valid(g, sk))
		return TACIT_E_MALFORMED;
	size_t n = nist->mulgen(pk, sk, groups[g].sk_bytes, groups[g].curve);
	return n == groups[g].public_bytes ? TACIT_OK : TACIT_E_CRYPTO;
}

enum tacit_err tacit_dh_public_many(enum tacit_dh g, const uint8_t *sk, size_t n, uint8_t *pk)
{
	if (g == TACIT_X25519)
		return tacit_x25519_public_many(sk, n, pk);
	enum tacit_err err = TACIT_OK;
	for (size_t i = 0; i < n && err == TACIT_OK; i++)
		err = tacit_dh_public(
		        g, sk + i * groups[g].sk_bytes, pk + i * groups[g].public_bytes);
	return err;
}

/* mul checks that the point is uncompressed, reduced, on the curve and not at infinity; the
 * cofactor is 1, so the public key validation of SP 800-56A 5.6.2.3.3 is complete. */
static enum tacit_err dh_nist(
        enum tacit_dh g, const uint8_t *sk, const uint8_t *pk, uint8_t *shared)
{
	uint8_t point[TACIT_DH_PUBLIC_MAX_BYTES];
	const struct group *group = &groups[g];
	memcpy(point, pk, group->public_bytes);
	uint32_t on_curve =
	        nist->mul(point, group->public_bytes, sk, group->sk_bytes, group->curve);
	memcpy(shared, point + 1, group->shared_bytes);
	tacit_wipe(point, sizeof(point));
	return on_curve == 1 ? TACIT_OK : TACIT_E_MALFORMED;
}

enum tacit_err tacit_dh(enum tacit_dh g, const uint8_t *sk, struct tacit_bytes pk, uint8_t *shared)
{
	enum tacit_err err = TACIT_E_MALFORMED;
	if (pk.n != groups[g].public_bytes || !tacit_dh_sk_valid(g, sk))
		goto out;
	if (g == TACIT_X25519) /* refuses the all-zero result */
		err = crypto_scalarmult(shared, sk, pk.p) == 0 ? TACIT_OK : TACIT_E_MALFORMED;
	else if (g == TACIT_X448)
		err = tacit_x448(sk, pk.p, shared);
	else
		err = dh_nist(g, sk, pk.p, shared);
out:
	if (err != TACIT_OK)
		tacit_wipe(shared, groups[g].shared_bytes);
	return err;
}

/* u-coordinates of small order, on the curve and on its twist, reduced and not (RFC 7748 6). The
 * two long ones are those of order 8 on Curve25519. */
static const uint8_t small_25519[][32] = {
        {0},
        {1},
        {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4,
                0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f,
                0x49, 0xb8, 0x00},
        {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef,
                0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0,
                0x9f, 0x11, 0x57},
};

static bool all_are(const uint8_t *p, size_t n, uint8_t value)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != value)
			return false;
	return true;
}

static bool small_x25519(const uint8_t *pk)
{
	uint8_t u[32];
	memcpy(u, pk, sizeof(u));
	u[31] &= 0x7f; /* RFC 7748 5: ignored */
	for (size_t i = 0; i < TACIT_COUNT(small_25519); i++)
		if (tacit_bytes_eq(tacit_bytes(u, 32), tacit_bytes(small_25519[i], 32)))
			return true;
	/* p - 1, p, p + 1 */
	return u[0] >= 0xec && u[0] <= 0xee && all_are(u + 1, 30, 0xff) && u[31] == 0x7f;
}

/* 0, 1, p - 1, p, p + 1, where p = 2^448 - 2^224 - 1. */
static bool small_x448(const uint8_t *u)
{
	if (u[0] <= 1 && all_are(u + 1, 55, 0))
		return true;
	if (u[0] >= 0xfe && all_are(u + 1, 27, 0xff) && u[28] == 0xfe && all_are(u + 29, 27, 0xff))
		return true;
	return all_are(u, 28, 0) && all_are(u + 28, 28, 0xff);
}

enum tacit_err tacit_dh_check_public(enum tacit_dh g, struct tacit_bytes pk)
{
	static const uint8_t one[1] = {1};
	uint8_t point[TACIT_DH_PUBLIC_MAX_BYTES];
	if (pk.n != groups[g].public_bytes)
		return TACIT_E_MALFORMED;
	bool good;
	if (g == TACIT_X25519) {
		good = !small_x25519(pk.p);
	} else if (g == TACIT_X448) {
		good = !small_x448(pk.p);
	} else { /* the multiplication checks; once around is enough */
		memcpy(point, pk.p, pk.n);
		good = nist->mul(point, pk.n, one, sizeof(one), groups[g].curve) == 1;
	}
	return good ? TACIT_OK : TACIT_E_MALFORMED;
}
