#include "crypto/dh.h"

#include <bearssl.h>
#include <sodium.h>
#include <string.h>

#include "crypto/secret.h"

static const struct group {
	int curve; /* BearSSL's number */
	size_t sk_bytes, public_bytes, shared_bytes;
} groups[] = {
        [TACIT_X25519] = {BR_EC_curve25519, 32, 32, 32},
        [TACIT_P256] = {BR_EC_secp256r1, 32, 65, 32},
        [TACIT_P384] = {BR_EC_secp384r1, 48, 97, 48},
        [TACIT_P521] = {BR_EC_secp521r1, 66, 133, 66},
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
	if (g == TACIT_X25519)
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
		return crypto_scalarmult_base(pk, sk) == 0 ? TACIT_OK : TACIT_E_CRYPTO;
	if (!tacit_dh_sk_valid(g, sk))
		return TACIT_E_MALFORMED;
	size_t n = nist->mulgen(pk, sk, groups[g].sk_bytes, groups[g].curve);
	return n == groups[g].public_bytes ? TACIT_OK : TACIT_E_CRYPTO;
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
	else
		err = dh_nist(g, sk, pk.p, shared);
out:
	if (err != TACIT_OK)
		tacit_wipe(shared, groups[g].shared_bytes);
	return err;
}
