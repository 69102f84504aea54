/* ML-KEM-768 and SHA-3 beside what Wycheproof has: refusals, implicit rejection, lack of memory. */
#include <string.h>

#include "crypto/mlkem.h"
#include "crypto/secret.h"
#include "crypto/sha3.h"
#include "support/from_hex.h"

static const uint8_t seed[TACIT_MLKEM_SEED_BYTES] = {1, 2, 3};
static const uint8_t coins[TACIT_MLKEM_COINS_BYTES] = {4, 5, 6};

struct exchange {
	uint8_t sk[TACIT_MLKEM_SK_BYTES], pk[TACIT_MLKEM_PUBLIC_BYTES];
	uint8_t ct[TACIT_MLKEM_CIPHERTEXT_BYTES];
	uint8_t sent[TACIT_MLKEM_SHARED_BYTES], got[TACIT_MLKEM_SHARED_BYTES];
};

static struct tacit_bytes pk_of(const struct exchange *x)
{
	return tacit_bytes(x->pk, sizeof(x->pk));
}

static struct tacit_bytes ct_of(const struct exchange *x)
{
	return tacit_bytes(x->ct, sizeof(x->ct));
}

static bool agree(const struct exchange *x)
{
	return tacit_ct_eq(
	        tacit_bytes(x->sent, sizeof(x->sent)), tacit_bytes(x->got, sizeof(x->got)));
}

static enum tacit_err exchange(struct exchange *x)
{
	enum tacit_err err;
	TRY(tacit_mlkem_keypair(seed, x->sk, x->pk));
	TRY(tacit_mlkem_check_public(pk_of(x)));
	TRY(tacit_mlkem_check_sk(tacit_bytes(x->sk, sizeof(x->sk))));
	TRY(tacit_mlkem_encap(pk_of(x), coins, x->ct, x->sent));
	TRY(tacit_mlkem_decap(x->sk, ct_of(x), x->got));
out:
	return err;
}

static void both_sides_agree(void)
{
	struct exchange x;
	uint8_t sk[TACIT_MLKEM_SK_BYTES];
	CHECK_OK(exchange(&x));
	CHECK(agree(&x));
	CHECK_OK(tacit_mlkem_keypair(seed, sk, NULL));
	CHECK_BYTES(tacit_bytes(sk, sizeof(sk)), tacit_bytes(x.sk, sizeof(x.sk)));
	CHECK(strlen(tacit_mlkem_library()) > 0);
}

static void another_ciphertext_gives_another_secret(void)
{
	struct exchange x;
	uint8_t again[TACIT_MLKEM_SHARED_BYTES];
	CHECK_OK(exchange(&x));
	for (size_t i = 0; i < sizeof(x.ct); i += 61) {
		x.ct[i] ^= 1;
		CHECK_OK(tacit_mlkem_decap(x.sk, ct_of(&x), x.got));
		CHECK(!agree(&x));
		CHECK_OK(tacit_mlkem_decap(x.sk, ct_of(&x), again));
		CHECK_BYTES(
		        tacit_bytes(again, 32), tacit_bytes(x.got, 32)); /* the same each time */
		x.ct[i] ^= 1;
	}
	for (size_t n = 0; n < sizeof(x.ct); n += 97)
		CHECK_ERR(tacit_mlkem_decap(x.sk, tacit_bytes(x.ct, n), x.got), TACIT_E_MALFORMED);
}

static void refuses_keys_that_are_none(void)
{
	struct exchange x;
	CHECK_OK(exchange(&x));
	CHECK_ERR(tacit_mlkem_check_public(tacit_bytes(x.pk, sizeof(x.pk) - 1)), TACIT_E_MALFORMED);
	CHECK_ERR(tacit_mlkem_check_sk(tacit_bytes(x.sk, sizeof(x.sk) - 1)), TACIT_E_MALFORMED);
	x.sk[1200] ^= 1; /* in the public key inside */
	CHECK_ERR(tacit_mlkem_check_sk(tacit_bytes(x.sk, sizeof(x.sk))), TACIT_E_MALFORMED);
	/* The first pair of coefficients: q - 1 is the last that is reduced. */
	static const struct {
		uint8_t b[3];
		enum tacit_err want;
	} pairs[] = {
	        {{0x00, 0x0d, 0x00}, TACIT_OK},          /* q - 1, 0 */
	        {{0x01, 0x0d, 0x00}, TACIT_E_MALFORMED}, /* q, 0 */
	        {{0x00, 0x00, 0xd0}, TACIT_OK},          /* 0, q - 1 */
	        {{0x00, 0x10, 0xd0}, TACIT_E_MALFORMED}, /* 0, q */
	        {{0xff, 0xff, 0xff}, TACIT_E_MALFORMED},
	};
	for (size_t i = 0; i < TACIT_COUNT(pairs); i++) {
		for (size_t at = 0; at < 1152; at += 1149) { /* the first and the last */
			uint8_t kept[3];
			memcpy(kept, x.pk + at, 3);
			memcpy(x.pk + at, pairs[i].b, 3);
			CHECK_ERR(tacit_mlkem_check_public(pk_of(&x)), pairs[i].want);
			memset(x.sent, 1, sizeof(x.sent));
			CHECK_ERR(tacit_mlkem_encap(pk_of(&x), coins, x.ct, x.sent), pairs[i].want);
			static const uint8_t wiped[TACIT_MLKEM_SHARED_BYTES];
			CHECK(tacit_ct_eq(tacit_bytes(x.sent, 32), tacit_bytes(wiped, 32)) ==
			        (pairs[i].want != TACIT_OK));
			memcpy(x.pk + at, kept, 3);
		}
	}
}

/* Computed with Python's hashlib. */
static void hashes_as_fips_202_says(void)
{
	uint8_t out[48];
	struct tacit_bytes parts[] = {TACIT_STR("a"), TACIT_STR(""), TACIT_STR("bc")};
	struct tacit_room room = {out, sizeof(out)};
	CHECK_OK(tacit_sha3_256(TACIT_STR("abc"), out));
	CHECK_HEX(out, 32, "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532");
	CHECK_OK(tacit_shake(TACIT_SHAKE256, parts, TACIT_COUNT(parts), room));
	CHECK_HEX(out, sizeof(out),
	        "483366601360a8771c6863080cc4114d8db44530f8f1e1ee"
	        "4f94ea37e78b5739d5a15bef186a5386c75744c0527e1faa");
	CHECK_OK(tacit_shake(TACIT_SHAKE128, parts, TACIT_COUNT(parts), room));
	CHECK_HEX(out, sizeof(out),
	        "5881092dd818bf5cf8a3ddb793fbcba74097d5c526a6d35f"
	        "97b83351940f2cc844c50af32acd3f2cdd066568706f509b");
}

static enum tacit_err sweep(void)
{
	static struct exchange x;
	return exchange(&x);
}

static void survives_failing_allocations(void)
{
	tap_alloc_sweep(sweep);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"both sides agree", both_sides_agree},
	        {"another ciphertext gives another secret",
	                another_ciphertext_gives_another_secret},
	        {"refuses keys that are none", refuses_keys_that_are_none},
	        {"hashes as FIPS 202 says", hashes_as_fips_202_says},
	        {"survives failing allocations", survives_failing_allocations},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
