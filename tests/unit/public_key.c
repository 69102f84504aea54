/* Ed25519 and the Diffie-Hellman groups. The exchanges were computed with OpenSSL (those of P-384
 * and X448 with @noble/curves); the official vectors have no P-521 but inside of HPKE. */
#include <string.h>

#include "base/env.h"
#include "crypto/dh.h"
#include "crypto/secret.h"
#include "crypto/sign.h"
#include "support/from_hex.h"

static void verifies_only_what_was_signed(void)
{
	/* RFC 8032 7.1, test 2. */
	struct tacit_sign_sk sk;
	struct tacit_sign_public pk;
	struct tacit_signature sig;
	struct tacit_bytes message = TACIT_STR("\x72");
	tacit_sign_keypair(
	        from_hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb").p, &sk,
	        &pk);
	CHECK_HEX(pk.b, sizeof(pk.b),
	        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
	tacit_sign(&sk, message, &sig);
	CHECK_HEX(sig.b, sizeof(sig.b),
	        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
	        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
	CHECK_OK(tacit_sign_verify(&pk, message, &sig));
	CHECK_ERR(tacit_sign_verify(&pk, TACIT_STR("\x73"), &sig), TACIT_E_BAD_SIGNATURE);
	CHECK_ERR(tacit_sign_verify(&pk, TACIT_STR(""), &sig), TACIT_E_BAD_SIGNATURE);
	for (size_t i = 0; i < sizeof(sig.b); i++) {
		sig.b[i] ^= 1;
		CHECK_ERR(tacit_sign_verify(&pk, message, &sig), TACIT_E_BAD_SIGNATURE);
		sig.b[i] ^= 1;
	}
	tacit_sign_sk_wipe(&sk);
	static const struct tacit_sign_sk wiped;
	CHECK(tacit_ct_eq(tacit_bytes(&sk, sizeof(sk)), tacit_bytes(&wiped, sizeof(wiped))));
}

static void refuses_weak_keys_and_a_second_form(void)
{
	/* With the neutral element as key, R = 0 B and S = 0 would sign everything. */
	struct tacit_sign_public neutral = {{1}};
	struct tacit_signature sig = {{1}};
	CHECK_ERR(tacit_sign_verify(&neutral, TACIT_STR("any"), &sig), TACIT_E_BAD_SIGNATURE);

	struct tacit_sign_sk sk;
	struct tacit_sign_public pk;
	static const uint8_t seed[TACIT_SIGN_SEED_BYTES] = {7};
	tacit_sign_keypair(seed, &sk, &pk);
	tacit_sign(&sk, TACIT_STR("m"), &sig);
	CHECK_OK(tacit_sign_verify(&pk, TACIT_STR("m"), &sig));
	struct tacit_bytes order = /* L, little-endian */
	        from_hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
	unsigned carry = 0;
	for (size_t i = 0; i < order.n; i++) {
		carry += (unsigned)sig.b[32 + i] + order.p[i];
		sig.b[32 + i] = (uint8_t)carry;
		carry >>= 8;
	}
	CHECK_ERR(tacit_sign_verify(&pk, TACIT_STR("m"), &sig), TACIT_E_BAD_SIGNATURE);
}

static const struct exchange {
	enum tacit_dh g;
	const char *sk, *peer, *shared;
} exchanges[] = {
        {TACIT_X25519, "af02d3a4b16e71d39e2457eb01ea04a5a41d6e9ce56d851e0d8f97f2ea785772",
                "3c0e05b45edfd27e8da9694a791ad30df61cacef0e525ff290f3b2ea1ef20136",
                "11cc2fcc25f193b4ab48c300840ee1a116054142ef503aaae9aa2f3a120f0c43"},
        {TACIT_P256, "2f02d3a4b16e71d39e2457eb01ea04a5a41d6e9ce56d851e0d8f97f2ea785772",
                "0405d6752c1aa2a5dfcae02b7175f8daaf0eb352dd0e4c30fd831bce5b03c2fefb"
                "790655e2b489a8c4bd1678d98557f6796b2cc8c6e4cdb82a2f4d5969a4fed644",
                "6a83b6dc39f7269bb421ef745c0cc8331f02657c74b9feb6ff1540398572379e"},
        {TACIT_P521,
                "0002d3a4b16e71d39e2457eb01ea04a5a41d6e9ce56d851e0d8f97f2ea785772"
                "b4e5ed1227adb09f620566ab7b1123969cabc711d1bbb97d90e687bba4b93f3f09ed",
                "0401ea3ddb75d92af00c0e1862cf70b61e6c6d6a35994546193ea670faf47b501160cf"
                "e40354784df2bd972254fb10a1261f6f1170b0b43af9ad3b13c59c1862e6dd2f0151be"
                "e727902159df0967d8992280bb30ab5d83ab1c44def497e7d380df8ecd5a4a1f53ca0f"
                "d0b9c7e4d7d7ab962a854c488ae258e70dd937a24394226b013b0bcf",
                "017c0315fc93bcef6df42f73c1c954a3be06d96c741d0db0b95a930c5998727d5a27827f"
                "89f18d6d67b840a50f4010e25d250ed713a00072b926aedc3da4fb50cf99"},
        {TACIT_P384,
                "030a11181f262d343b424950575e656c737a81888f969da4abb2b9c0c7ced5dc"
                "e3eaf1f8ff060d141b222930373e454c",
                "04b9e66d226d49a612ed0d7fd1be613b534fa060e6222744c32dd87e1d5719fc"
                "6079bb15358d32a9dc9e6ba99c4626596fe385be448953a8bbabea40cd0fb9c2"
                "51a4e9853b21d9ad4f0af8e04f5faaa4e070014b05c441985e65934efb394af8"
                "de",
                "55ed08c298e7a85c806c760465a29bda23dbc512353098654760317c8ebda18f"
                "6e01a3b32c39928d16a13c98b2df828e"},
#ifndef TACIT_NO_CURVE448
        {TACIT_X448,
                "030a11181f262d343b424950575e656c737a81888f969da4abb2b9c0c7ced5dc"
                "e3eaf1f8ff060d141b222930373e454c535a61686f767d84",
                "6dfd3c003252df5b7d3372972a1e5ad3dc56eadf0ede944e4fabf6d244524462"
                "0f9ca51488fbf0a3f81f7bfe89498607af38a0417e1a9378",
                "7a71abc7a5c54a17a4e3f68aac5514b5bca74feed231555354673d3c95248904"
                "5461d578ee9fbe8a7578316ec7eaef679d524efa68ede266"},
#endif
};

static void both_sides_agree(void)
{
	uint8_t mine[TACIT_DH_SHARED_MAX_BYTES], theirs[TACIT_DH_SHARED_MAX_BYTES];
	uint8_t pk[TACIT_DH_PUBLIC_MAX_BYTES], peer_pk[TACIT_DH_PUBLIC_MAX_BYTES];
	uint8_t peer_sk[TACIT_DH_SK_MAX_BYTES];
	for (size_t i = 0; i < TACIT_COUNT(exchanges); i++) {
		const struct exchange *x = &exchanges[i];
		size_t n = tacit_dh_shared_bytes(x->g), pk_n = tacit_dh_public_bytes(x->g);
		struct tacit_bytes sk = from_hex(x->sk);
		CHECK_INT(sk.n, tacit_dh_sk_bytes(x->g));
		CHECK_OK(tacit_dh(x->g, sk.p, from_hex(x->peer), mine));
		CHECK_HEX(mine, n, x->shared);

		memcpy(peer_sk, sk.p, sk.n);
		peer_sk[sk.n - 1] ^= 1;
		CHECK_OK(tacit_dh_public(x->g, sk.p, pk));
		CHECK_OK(tacit_dh_public(x->g, peer_sk, peer_pk));
		CHECK_OK(tacit_dh(x->g, sk.p, tacit_bytes(peer_pk, pk_n), mine));
		CHECK_OK(tacit_dh(x->g, peer_sk, tacit_bytes(pk, pk_n), theirs));
		CHECK(tacit_ct_eq(tacit_bytes(mine, n), tacit_bytes(theirs, n)));
	}
}

static void private_keys_have_a_range(void)
{
	static const struct {
		enum tacit_dh g;
		const char *order;
	} curves[] = {
	        {TACIT_P256, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"},
	        {TACIT_P384, "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf"
	                     "581a0db248b0a77aecec196accc52973"},
	        {TACIT_P521, "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	                     "fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409"},
	};
	for (size_t i = 0; i < TACIT_COUNT(curves); i++) {
		enum tacit_dh g = curves[i].g;
		uint8_t sk[TACIT_DH_SK_MAX_BYTES] = {0}, pk[TACIT_DH_PUBLIC_MAX_BYTES];
		uint8_t shared[TACIT_DH_SHARED_MAX_BYTES];
		size_t n = tacit_dh_sk_bytes(g);
		CHECK(!tacit_dh_sk_valid(g, sk));
		CHECK_ERR(tacit_dh_public(g, sk, pk), TACIT_E_MALFORMED);
		sk[n - 1] = 1;
		CHECK(tacit_dh_sk_valid(g, sk));
		CHECK_OK(tacit_dh_public(g, sk, pk));

		memcpy(sk, from_hex(curves[i].order).p, n);
		CHECK(!tacit_dh_sk_valid(g, sk));
		CHECK_ERR(tacit_dh(g, sk, tacit_bytes(pk, tacit_dh_public_bytes(g)), shared),
		        TACIT_E_MALFORMED);
		sk[n - 1]--; /* the order is odd; order - 1 gives the generator's mirror image */
		CHECK(tacit_dh_sk_valid(g, sk));
		CHECK_OK(tacit_dh(g, sk, tacit_bytes(pk, tacit_dh_public_bytes(g)), shared));
		CHECK_BYTES(tacit_bytes(shared, tacit_dh_shared_bytes(g)),
		        tacit_bytes(pk + 1, tacit_dh_shared_bytes(g)));
		memset(sk, 0xff, n);
		CHECK(!tacit_dh_sk_valid(g, sk));
	}
	static const uint8_t zeroes[32];
	CHECK(tacit_dh_sk_valid(TACIT_X25519, zeroes));
}

/* RFC 7748 6.1: the public key is the multiple of 9, by whatever way it is found. */
static void public_keys_are_multiples_of_the_base(void)
{
	static const uint8_t base[32] = {9};
	struct tacit_env env = tap_env(7748);
	for (int i = 0; i < 66; i++) {
		uint8_t sk[32], pk[32], ladder[32];
		if (i < 2)
			memset(sk, i == 0 ? 0 : 0xff, sizeof(sk)); /* the ends, once clamped */
		else
			tacit_env_random(&env, sk, sizeof(sk));
		CHECK_OK(tacit_dh_public(TACIT_X25519, sk, pk));
		CHECK_OK(tacit_dh(TACIT_X25519, sk, tacit_bytes(base, 32), ladder));
		CHECK_BYTES(tacit_bytes(pk, 32), tacit_bytes(ladder, 32));
	}
}

/* Many at once are what they are one by one, across the bounds of the pieces that they are made in.
 */
static void many_public_keys_at_once(void)
{
	static const size_t counts[] = {0, 1, 2, 63, 64, 65, 130};
	static uint8_t sk[130 * 32], pk[131 * 32], one[32];
	struct tacit_env env = tap_env(130);
	tacit_env_random(&env, sk, sizeof(sk));
	memcpy(sk + 32, sk, 32); /* twice the same */
	for (size_t i = 0; i < TACIT_COUNT(counts); i++) {
		memset(pk, 0xaa, sizeof(pk));
		CHECK_OK(tacit_dh_public_many(TACIT_X25519, sk, counts[i], pk));
		for (size_t k = 0; k < counts[i]; k++) {
			CHECK_OK(tacit_dh_public(TACIT_X25519, sk + 32 * k, one));
			CHECK_BYTES(tacit_bytes(pk + 32 * k, 32), tacit_bytes(one, 32));
		}
		CHECK_INT(pk[32 * counts[i]], 0xaa); /* and no more */
	}
	uint8_t nist[2 * 65], nist_one[65];
	sk[0] = sk[32] = 1; /* below the order */
	CHECK_OK(tacit_dh_public_many(TACIT_P256, sk, 2, nist));
	CHECK_OK(tacit_dh_public(TACIT_P256, sk + 32, nist_one));
	CHECK_BYTES(tacit_bytes(nist + 65, 65), tacit_bytes(nist_one, 65));
	memset(sk + 32, 0xff, 32);
	CHECK_ERR(tacit_dh_public_many(TACIT_P256, sk, 2, nist), TACIT_E_MALFORMED);
}

/* The check must say what the exchange would. */
static void knows_the_points_of_small_order(void)
{
	static const struct {
		enum tacit_dh g;
		const char *point;
	} points[] = {
	        {TACIT_X25519, "0000000000000000000000000000000000000000000000000000000000000000"},
	        {TACIT_X25519, "0100000000000000000000000000000000000000000000000000000000000000"},
	        {TACIT_X25519, "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"},
	        {TACIT_X25519, "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"},
	        {TACIT_X25519, "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
	        {TACIT_X25519, "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
	        {TACIT_X25519, "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
	        {TACIT_X25519, "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
#ifndef TACIT_NO_CURVE448
	        {TACIT_X448, "00000000000000000000000000000000000000000000000000000000"
	                     "00000000000000000000000000000000000000000000000000000000"},
	        {TACIT_X448, "01000000000000000000000000000000000000000000000000000000"
	                     "00000000000000000000000000000000000000000000000000000000"},
	        {TACIT_X448, "feffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	                     "feffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
	        {TACIT_X448, "ffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	                     "feffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
	        {TACIT_X448, "00000000000000000000000000000000000000000000000000000000"
	                     "ffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
#endif
	};
	static const uint8_t sk[TACIT_DH_SK_MAX_BYTES] = {8, 7, 6, 5, 4, 3, 2, 1};
	uint8_t shared[TACIT_DH_SHARED_MAX_BYTES], near[TACIT_DH_PUBLIC_MAX_BYTES];
	for (size_t i = 0; i < TACIT_COUNT(points); i++) {
		struct tacit_bytes point = from_hex(points[i].point);
		CHECK_ERR(tacit_dh_check_public(points[i].g, point), TACIT_E_MALFORMED);
		CHECK_ERR(tacit_dh(points[i].g, sk, point, shared), TACIT_E_MALFORMED);
		memcpy(near, point.p, point.n);
		near[7] ^= 0x20;
		point.p = near;
		CHECK_OK(tacit_dh_check_public(points[i].g, point));
		CHECK_OK(tacit_dh(points[i].g, sk, point, shared));
	}
}

static void refuses_bad_points(void)
{
	uint8_t shared[TACIT_DH_SHARED_MAX_BYTES];
	for (size_t i = 0; i < TACIT_COUNT(exchanges); i++) {
		const struct exchange *x = &exchanges[i];
		uint8_t pk[TACIT_DH_PUBLIC_MAX_BYTES];
		const uint8_t *sk = from_hex(x->sk).p;
		size_t n = tacit_dh_public_bytes(x->g);
		memcpy(pk, from_hex(x->peer).p, n);
		CHECK_ERR(tacit_dh(x->g, sk, tacit_bytes(pk, n - 1), shared), TACIT_E_MALFORMED);
		CHECK_ERR(tacit_dh(x->g, sk, tacit_bytes(pk, 0), shared), TACIT_E_MALFORMED);
		CHECK_OK(tacit_dh_check_public(x->g, tacit_bytes(pk, n)));
		CHECK_ERR(tacit_dh_check_public(x->g, tacit_bytes(pk, n - 1)), TACIT_E_MALFORMED);
		if (x->g != TACIT_X25519 && x->g != TACIT_X448) {
			pk[n - 1] ^= 1; /* off the curve */
			CHECK_ERR(
			        tacit_dh(x->g, sk, tacit_bytes(pk, n), shared), TACIT_E_MALFORMED);
			CHECK_ERR(
			        tacit_dh_check_public(x->g, tacit_bytes(pk, n)), TACIT_E_MALFORMED);
			pk[n - 1] ^= 1;
			pk[0] = 6; /* the hybrid form */
			CHECK_ERR(
			        tacit_dh(x->g, sk, tacit_bytes(pk, n), shared), TACIT_E_MALFORMED);
		}
		memset(pk, 0, n); /* infinity; a point of small order for X25519 */
		memset(shared, 0xaa, sizeof(shared));
		CHECK_ERR(tacit_dh(x->g, sk, tacit_bytes(pk, n), shared), TACIT_E_MALFORMED);
		CHECK_INT(shared[0] | shared[tacit_dh_shared_bytes(x->g) - 1], 0);
	}
	/* x = 0 is on P-256; the same point with x = p is not its one encoding. */
	const char *y = "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4";
	uint8_t point[65] = {4};
	memcpy(point + 33, from_hex(y).p, 32);
	const uint8_t *sk = from_hex(exchanges[1].sk).p;
	CHECK_OK(tacit_dh(TACIT_P256, sk, tacit_bytes(point, 65), shared));
	memcpy(point + 1,
	        from_hex("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff").p, 32);
	CHECK_ERR(tacit_dh(TACIT_P256, sk, tacit_bytes(point, 65), shared), TACIT_E_MALFORMED);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"verifies only what was signed", verifies_only_what_was_signed},
	        {"refuses weak keys and a second form", refuses_weak_keys_and_a_second_form},
	        {"both sides agree", both_sides_agree},
	        {"private keys have a range", private_keys_have_a_range},
	        {"public keys are multiples of the base", public_keys_are_multiples_of_the_base},
	        {"many public keys at once", many_public_keys_at_once},
	        {"knows the points of small order", knows_the_points_of_small_order},
	        {"refuses bad points", refuses_bad_points},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
