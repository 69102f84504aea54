/* The signature schemes of MLS: keys, signatures and their encodings. */
#include <string.h>

#include "crypto/ecdsa_int.h"
#include "crypto/secret.h"
#include "crypto/sign.h"
#include "support/from_hex.h"

static const enum tacit_scheme schemes[] = {
        TACIT_ED25519,
        TACIT_ECDSA_P256_SHA256,
        TACIT_ECDSA_P384_SHA384,
        TACIT_ECDSA_P521_SHA512,
#ifndef TACIT_NO_CURVE448
        TACIT_ED448,
#endif
};

struct keys {
	uint8_t sk[TACIT_SCHEME_SK_MAX_BYTES], pk[TACIT_SCHEME_PUBLIC_MAX_BYTES];
	struct tacit_bytes sk_view, pk_view;
};

static void make_keys(enum tacit_scheme s, struct keys *k)
{
	struct tacit_env env = tap_env(11);
	CHECK_OK(tacit_scheme_keypair(s, &env, k->sk, k->pk));
	k->sk_view = tacit_bytes(k->sk, tacit_scheme_sk_bytes(s));
	k->pk_view = tacit_bytes(k->pk, tacit_scheme_public_bytes(s));
}

static struct tacit_bytes view(const struct tacit_scheme_signature *s)
{
	return tacit_bytes(s->b, s->n);
}

static void signs_and_verifies(void)
{
	for (size_t i = 0; i < TACIT_COUNT(schemes); i++) {
		enum tacit_scheme s = schemes[i];
		struct keys k;
		struct tacit_scheme_signature first, second;
		uint8_t pk[TACIT_SCHEME_PUBLIC_MAX_BYTES];
		make_keys(s, &k);
		CHECK_OK(tacit_scheme_public(s, k.sk_view, pk));
		CHECK_BYTES(tacit_bytes(pk, k.pk_view.n), k.pk_view);
		CHECK_OK(tacit_scheme_sign(s, k.sk_view, TACIT_STR("message"), &first));
		CHECK_OK(tacit_scheme_sign(s, k.sk_view, TACIT_STR("message"), &second));
		CHECK_BYTES(view(&first), view(&second));
		CHECK(first.n <= tacit_scheme_signature_max_bytes(s));
		CHECK_OK(tacit_scheme_verify(s, k.pk_view, TACIT_STR("message"), view(&first)));
		CHECK_OK(tacit_scheme_sign(s, k.sk_view, TACIT_STR(""), &first));
		CHECK_OK(tacit_scheme_verify(s, k.pk_view, TACIT_STR(""), view(&first)));
	}
}

static void refuses_what_was_changed(void)
{
	for (size_t i = 0; i < TACIT_COUNT(schemes); i++) {
		enum tacit_scheme s = schemes[i];
		struct keys k;
		struct tacit_scheme_signature sig;
		struct tacit_bytes message = TACIT_STR("message");
		make_keys(s, &k);
		CHECK_OK(tacit_scheme_sign(s, k.sk_view, message, &sig));
		CHECK_ERR(tacit_scheme_verify(s, k.pk_view, TACIT_STR("massage"), view(&sig)),
		        TACIT_E_BAD_SIGNATURE);
		size_t step = s == TACIT_ED25519 ? 1 : 7; /* the others take their time */
		for (size_t at = 0; at < sig.n; at += step) {
			sig.b[at] ^= 1;
			CHECK_ERR(tacit_scheme_verify(s, k.pk_view, message, view(&sig)),
			        TACIT_E_BAD_SIGNATURE);
			sig.b[at] ^= 1;
		}
		for (size_t n = 0; n < sig.n; n++)
			CHECK_ERR(tacit_scheme_verify(s, k.pk_view, message, tacit_bytes(sig.b, n)),
			        TACIT_E_BAD_SIGNATURE);
		for (size_t n = 0; n < k.pk_view.n; n++)
			CHECK_ERR(tacit_scheme_verify(s, tacit_bytes(k.pk, n), message, view(&sig)),
			        TACIT_E_BAD_SIGNATURE);
		k.pk[k.pk_view.n / 2] ^= 4;
		CHECK_ERR(tacit_scheme_verify(s, k.pk_view, message, view(&sig)),
		        TACIT_E_BAD_SIGNATURE);
	}
}

static void refuses_private_keys_that_are_none(void)
{
	static const uint8_t none[TACIT_SCHEME_SK_MAX_BYTES] = {0};
	uint8_t all[TACIT_SCHEME_SK_MAX_BYTES], pk[TACIT_SCHEME_PUBLIC_MAX_BYTES];
	struct tacit_scheme_signature sig;
	memset(all, 0xff, sizeof(all));
	for (size_t i = 0; i < TACIT_COUNT(schemes); i++) {
		enum tacit_scheme s = schemes[i];
		size_t n = tacit_scheme_sk_bytes(s);
		struct tacit_bytes shorter = tacit_bytes(all, n - 1);
		sig.n = 1;
		CHECK_ERR(tacit_scheme_sign(s, shorter, TACIT_STR("m"), &sig), TACIT_E_MALFORMED);
		CHECK_INT(sig.n, 0);
		CHECK_ERR(tacit_scheme_public(s, shorter, pk), TACIT_E_MALFORMED);
		if (s == TACIT_ED25519 || s == TACIT_ED448)
			continue; /* where every string of the length is a key */
		const uint8_t *bad[] = {none, all};
		for (size_t j = 0; j < TACIT_COUNT(bad); j++) {
			CHECK_ERR(
			        tacit_scheme_sign(s, tacit_bytes(bad[j], n), TACIT_STR("m"), &sig),
			        TACIT_E_MALFORMED);
			CHECK_ERR(tacit_scheme_public(s, tacit_bytes(bad[j], n), pk),
			        TACIT_E_MALFORMED);
		}
	}
}

/* RFC 6979 A.2.5, SHA-256, "sample". */
static void signs_as_rfc_6979_says(void)
{
	struct tacit_scheme_signature sig;
	uint8_t raw[64];
	CHECK_OK(tacit_scheme_sign(TACIT_ECDSA_P256_SHA256,
	        from_hex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"),
	        TACIT_STR("sample"), &sig));
	CHECK(tacit_ecdsa_from_der(view(&sig), 32, raw));
	CHECK_HEX(raw, sizeof(raw),
	        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
	        "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8");
}

static void both_forms_of_an_ed25519_key_sign_alike(void)
{
	struct keys k;
	struct tacit_sign_sk whole;
	struct tacit_sign_public pk;
	struct tacit_scheme_signature from_seed, from_whole;
	make_keys(TACIT_ED25519, &k);
	tacit_sign_keypair(k.sk, &whole, &pk);
	struct tacit_bytes view_of_whole = tacit_bytes(whole.b, sizeof(whole.b));
	CHECK_OK(tacit_scheme_sign(TACIT_ED25519, k.sk_view, TACIT_STR("m"), &from_seed));
	CHECK_OK(tacit_scheme_sign(TACIT_ED25519, view_of_whole, TACIT_STR("m"), &from_whole));
	CHECK_BYTES(view(&from_whole), view(&from_seed));
	CHECK_OK(tacit_scheme_public(TACIT_ED25519, view_of_whole, k.pk));
	CHECK_BYTES(k.pk_view, tacit_bytes(pk.b, sizeof(pk.b)));
}

static void der_has_one_form(void)
{
	static const char *const good[] = {
	        "3006020101020101",   /* 1, 1 */
	        "3007020200ff020101", /* a zero for the sign */
	        "300602017f020101",   /* none needed */
	};
	static const char *const bad[] = {
	        "", "30", "3006", "3106020101020101", /* not a SEQUENCE */
	        "3006020101030101",                   /* not an INTEGER */
	        "3005020101020101",                   /* a length too small */
	        "3007020101020101",                   /* a length too large */
	        "300602010102010100",                 /* more behind it */
	        "300702010102010100",                 /* more inside */
	        "308106020101020101",                 /* the long form of a short length */
	        "30820006020101020101",               /* a longer one */
	        "30800201010201010000",               /* the indefinite form */
	        "3081",                               /* a length that is not there */
	        "30050200020101",                     /* an integer of no bytes */
	        "3006020100020101",                   /* zero */
	        "3006020101020100",                   /* zero */
	        "30060201ff020101",                   /* negative */
	        "300702020001020101",                 /* a zero that nobody needs */
	        "3006020301010201", /* an integer that takes the next one's bytes */
	        "3006020101027f01", /* one that goes beyond the end */
	};
	uint8_t raw[64];
	for (size_t i = 0; i < TACIT_COUNT(good); i++)
		CHECK(tacit_ecdsa_from_der(from_hex(good[i]), 32, raw));
	for (size_t i = 0; i < TACIT_COUNT(bad); i++)
		CHECK(!tacit_ecdsa_from_der(from_hex(bad[i]), 32, raw));
	/* As long as the field, and one byte longer. */
	CHECK(tacit_ecdsa_from_der(from_hex("300702020100020101"), 2, raw));
	CHECK_HEX(raw, 4, "01000001");
	CHECK(!tacit_ecdsa_from_der(from_hex("300702020100020101"), 1, raw));
}

static void der_comes_back_as_it_went(void)
{
	static const size_t sizes[] = {32, 48, 66};
	uint8_t raw[132], back[132];
	struct tacit_env env = tap_env(3);
	struct tacit_scheme_signature der;
	for (size_t i = 0; i < TACIT_COUNT(sizes); i++) {
		size_t n = sizes[i];
		for (size_t zeroes = 0; zeroes < n; zeroes++) {
			tacit_env_random(&env, raw, 2 * n);
			if (n == 66) /* of 521 bits */
				raw[0] = raw[n] = 1;
			memset(raw, 0, zeroes);
			raw[n - 1] |= 1;
			raw[2 * n - 1] |= 1;
			tacit_ecdsa_to_der(raw, n, &der);
			CHECK(der.n <= sizeof(der.b));
			CHECK(tacit_ecdsa_from_der(view(&der), n, back));
			CHECK_BYTES(tacit_bytes(back, 2 * n), tacit_bytes(raw, 2 * n));
		}
	}
}

static enum tacit_err sign_everything(void)
{
	enum tacit_err err = TACIT_OK;
	struct keys k;
	struct tacit_scheme_signature sig;
	for (size_t i = 0; i < TACIT_COUNT(schemes); i++) {
		make_keys(schemes[i], &k);
		TRY(tacit_scheme_sign(schemes[i], k.sk_view, TACIT_STR("m"), &sig));
		TRY(tacit_scheme_verify(schemes[i], k.pk_view, TACIT_STR("m"), view(&sig)));
	}
out:
	return err;
}

static void survives_failing_allocations(void)
{
	tap_alloc_sweep(sign_everything);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"signs and verifies", signs_and_verifies},
	        {"refuses what was changed", refuses_what_was_changed},
	        {"refuses private keys that are none", refuses_private_keys_that_are_none},
	        {"signs as RFC 6979 says", signs_as_rfc_6979_says},
	        {"both forms of an Ed25519 key sign alike",
	                both_forms_of_an_ed25519_key_sign_alike},
	        {"DER has one form", der_has_one_form},
	        {"DER comes back as it went", der_comes_back_as_it_went},
	        {"survives failing allocations", survives_failing_allocations},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
