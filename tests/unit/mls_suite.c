/* The labelled functions of MLS: what crypto-basics.json cannot show. */
#include <string.h>

#include "base/alloc.h"
#include "crypto/secret.h"
#include "e2e/mls/suite.h"
#include "support/from_hex.h"

static const uint16_t all_ids[] = {
        0x0001,
        0x0002,
        0x0003,
#ifndef TACIT_NO_CURVE448
        0x0004,
        0x0006,
#endif
        0x0005,
        0x0007,
        0xf0a1,
};

static const struct tacit_mls_suite *suite(size_t i)
{
	return tacit_mls_suite_find(all_ids[i]);
}

static void offers_its_suites(void)
{
	size_t count;
	const struct tacit_mls_suite *list = tacit_mls_suites(&count);
	CHECK_INT(count, TACIT_COUNT(all_ids));
	CHECK_INT(list[0].id, TACIT_MLS_SUITE_DEFAULT);
	for (size_t i = 0; i < TACIT_COUNT(all_ids); i++) {
		const struct tacit_mls_suite *s = suite(i);
		REQUIRE(s != NULL);
		CHECK_INT(s->id, all_ids[i]);
		CHECK_INT(s->hash_bytes, tacit_hash_bytes(s->hash));
		CHECK_INT(s->key_bytes, tacit_aead_key_bytes(s->aead));
		CHECK(tacit_hpke_suite_supported(s->hpke));
		CHECK_INT(s->kem_sk_bytes, tacit_hpke_sk_bytes(s->hpke));
		CHECK_INT(s->kem_public_bytes, tacit_hpke_pk_bytes(s->hpke));
		CHECK_INT(s->kem_enc_bytes, tacit_hpke_enc_bytes(s->hpke));
		CHECK_INT(s->signature_sk_bytes, tacit_scheme_sk_bytes(s->scheme));
		CHECK_INT(s->signature_public_bytes, tacit_scheme_public_bytes(s->scheme));
		CHECK(s->kem_sk_bytes <= TACIT_MLS_KEM_SK_MAX_BYTES);
		CHECK(s->kem_public_bytes <= TACIT_MLS_KEM_PUBLIC_MAX_BYTES);
		CHECK(s->kem_enc_bytes <= TACIT_MLS_KEM_ENC_MAX_BYTES);
	}
	CHECK(tacit_mls_suite_find(0) == NULL);
	CHECK(tacit_mls_suite_find(0x0008) == NULL);
	CHECK(tacit_mls_suite_find(0xffff) == NULL);
}

struct keys {
	uint8_t sk[TACIT_MLS_KEM_SK_MAX_BYTES], pk[TACIT_MLS_KEM_PUBLIC_MAX_BYTES];
	struct tacit_bytes sk_view, pk_view;
};

static enum tacit_err make_keys(const struct tacit_mls_suite *s, struct keys *k)
{
	struct tacit_env env = tap_env(s->id);
	k->sk_view = tacit_bytes(k->sk, s->kem_sk_bytes);
	k->pk_view = tacit_bytes(k->pk, s->kem_public_bytes);
	return tacit_mls_kem_keypair(s, &env, k->sk, k->pk);
}

static void derives_encryption_keys(void)
{
	static const uint8_t secret[TACIT_MLS_HASH_MAX_BYTES] = {9};
	for (size_t i = 0; i < TACIT_COUNT(all_ids); i++) {
		const struct tacit_mls_suite *s = suite(i);
		struct keys k, again;
		uint8_t pk[TACIT_MLS_KEM_PUBLIC_MAX_BYTES];
		CHECK_OK(make_keys(s, &k));
		CHECK_OK(tacit_mls_kem_public(s, k.sk_view, pk));
		CHECK_BYTES(tacit_bytes(pk, s->kem_public_bytes), k.pk_view);
		CHECK_OK(tacit_mls_kem_derive(s, secret, k.sk, k.pk));
		CHECK_OK(tacit_mls_kem_derive(s, secret, again.sk, again.pk));
		CHECK_BYTES(tacit_bytes(again.pk, s->kem_public_bytes), k.pk_view);
		CHECK_OK(tacit_mls_kem_check_public(s, k.pk_view));
		CHECK_ERR(tacit_mls_kem_public(s, tacit_bytes(k.sk, s->kem_sk_bytes - 1), pk),
		        TACIT_E_MALFORMED);
	}
}

/* As many as a stock of key packages has, and more than are worked on at once. */
static void many_pairs_are_pairs(void)
{
	enum { N = 40 };
	static uint8_t sk[N * TACIT_MLS_KEM_SK_MAX_BYTES], pk[N * TACIT_MLS_KEM_PUBLIC_MAX_BYTES];
	uint8_t want[TACIT_MLS_KEM_PUBLIC_MAX_BYTES];
	for (size_t i = 0; i < TACIT_COUNT(all_ids); i++) {
		const struct tacit_mls_suite *s = suite(i);
		struct tacit_env env = tap_env(s->id);
		size_t n = s->scheme == TACIT_ED25519 ? N : 3; /* the others are slow */
		CHECK_OK(tacit_mls_kem_keypairs(s, &env, n, sk, pk));
		for (size_t k = 0; k < n; k++) {
			struct tacit_bytes one =
			        tacit_bytes(sk + k * s->kem_sk_bytes, s->kem_sk_bytes);
			struct tacit_bytes public =
			        tacit_bytes(pk + k * s->kem_public_bytes, s->kem_public_bytes);
			CHECK_OK(tacit_mls_kem_public(s, one, want));
			CHECK_BYTES(public, tacit_bytes(want, s->kem_public_bytes));
			for (size_t j = 0; j < k; j++)
				CHECK(memcmp(sk + j * s->kem_sk_bytes, one.p, one.n) != 0);
		}
		struct keys first;
		CHECK_OK(make_keys(s, &first)); /* from the same seed */
		CHECK_BYTES(tacit_bytes(pk, s->kem_public_bytes), first.pk_view);
	}
}

static void refuses_encryption_keys_that_are_none(void)
{
	static const uint8_t zero[TACIT_MLS_KEM_PUBLIC_MAX_BYTES];
	struct tacit_env env = tap_env(1);
	uint8_t enc[TACIT_MLS_KEM_ENC_MAX_BYTES], sealed[32];
	for (size_t i = 0; i < TACIT_COUNT(all_ids); i++) {
		const struct tacit_mls_suite *s = suite(i);
		struct keys k;
		struct tacit_mls_label label = {TACIT_STR("l"), TACIT_STR("c")};
		struct tacit_mls_ciphertext_room room = {enc, sealed};
		CHECK_OK(make_keys(s, &k));
		uint8_t last = k.pk[s->kem_public_bytes - 1];
		memset(k.pk + s->kem_public_bytes - 32, 0, 32); /* of a hybrid, the X25519 part */
		if (s->scheme != TACIT_ED448)
			CHECK_ERR(tacit_mls_kem_check_public(s, k.pk_view), TACIT_E_MALFORMED);
		k.pk[s->kem_public_bytes - 1] = last;
		struct tacit_bytes bad[] = {TACIT_STR(""), tacit_bytes(zero, s->kem_public_bytes),
		        tacit_bytes(k.pk, s->kem_public_bytes - 1)};
		for (size_t j = 0; j < TACIT_COUNT(bad); j++) {
			CHECK_ERR(tacit_mls_kem_check_public(s, bad[j]), TACIT_E_MALFORMED);
			CHECK_ERR(tacit_mls_encrypt(s, bad[j], label, TACIT_STR("m"), &env, room),
			        TACIT_E_MALFORMED);
		}
	}
}

struct sealed {
	uint8_t enc[TACIT_MLS_KEM_ENC_MAX_BYTES], text[64];
	struct tacit_mls_ciphertext view;
};

#define PLAIN TACIT_STR("a path secret, more or less")

static const struct tacit_mls_label the_label = {{(const uint8_t *)"label", 5}, {0}};

static enum tacit_err seal(
        const struct tacit_mls_suite *s, const struct keys *k, struct sealed *out)
{
	struct tacit_env env = tap_env(77);
	out->view = (struct tacit_mls_ciphertext){tacit_bytes(out->enc, s->kem_enc_bytes),
	        tacit_bytes(out->text, PLAIN.n + TACIT_MLS_TAG_BYTES)};
	return tacit_mls_encrypt(s, k->pk_view, the_label, PLAIN, &env,
	        (struct tacit_mls_ciphertext_room){out->enc, out->text});
}

static void opens_only_what_was_sealed(void)
{
	for (size_t i = 0; i < TACIT_COUNT(all_ids); i++) {
		const struct tacit_mls_suite *s = suite(i);
		struct keys k;
		struct sealed c;
		uint8_t out[64];
		CHECK_OK(make_keys(s, &k));
		CHECK_OK(seal(s, &k, &c));
		CHECK_OK(tacit_mls_decrypt(s, k.sk, the_label, c.view, out));
		CHECK_BYTES(tacit_bytes(out, PLAIN.n), PLAIN);
		struct tacit_mls_label other = {TACIT_STR("labeL"), TACIT_STR("")};
		CHECK_ERR(tacit_mls_decrypt(s, k.sk, other, c.view, out), TACIT_E_BAD_SEAL);
		other = (struct tacit_mls_label){TACIT_STR("label"), TACIT_STR("c")};
		CHECK_ERR(tacit_mls_decrypt(s, k.sk, other, c.view, out), TACIT_E_BAD_SEAL);
		c.text[3] ^= 1;
		CHECK_ERR(tacit_mls_decrypt(s, k.sk, the_label, c.view, out), TACIT_E_BAD_SEAL);
		c.text[3] ^= 1;
		c.enc[s->kem_enc_bytes / 2] ^= 1; /* another point, or one off the curve */
		CHECK(tacit_mls_decrypt(s, k.sk, the_label, c.view, out) != TACIT_OK);
		c.enc[s->kem_enc_bytes / 2] ^= 1;
		c.view.kem_output.n--;
		memset(out, 1, sizeof(out));
		CHECK_ERR(tacit_mls_decrypt(s, k.sk, the_label, c.view, out), TACIT_E_MALFORMED);
		CHECK_INT(out[0] | out[PLAIN.n - 1], 0);
		CHECK_INT(out[PLAIN.n], 1);
		c.view.kem_output.n++;
		c.view.sealed.n = TACIT_MLS_TAG_BYTES - 1;
		CHECK_ERR(tacit_mls_decrypt(s, k.sk, the_label, c.view, out), TACIT_E_BAD_SEAL);
	}
}

static void agrees_on_an_external_init(void)
{
	for (size_t i = 0; i < TACIT_COUNT(all_ids); i++) {
		const struct tacit_mls_suite *s = suite(i);
		struct tacit_env env = tap_env(3);
		struct keys k;
		uint8_t enc[TACIT_MLS_KEM_ENC_MAX_BYTES];
		uint8_t sent[TACIT_MLS_HASH_MAX_BYTES], got[TACIT_MLS_HASH_MAX_BYTES];
		CHECK_OK(make_keys(s, &k));
		CHECK_OK(tacit_mls_external_init_send(s, k.pk_view, &env, enc, sent));
		struct tacit_bytes view = tacit_bytes(enc, s->kem_enc_bytes);
		CHECK_OK(tacit_mls_external_init_receive(s, k.sk, view, got));
		CHECK_BYTES(tacit_bytes(got, s->hash_bytes), tacit_bytes(sent, s->hash_bytes));
		view.n--;
		CHECK_ERR(tacit_mls_external_init_receive(s, k.sk, view, got), TACIT_E_MALFORMED);
		CHECK_INT(got[0] | got[s->hash_bytes - 1], 0);
		CHECK_ERR(
		        tacit_mls_external_init_send(s, view, &env, enc, sent), TACIT_E_MALFORMED);
	}
}

/* Beyond the room on the stack, too. */
static void signs_content_of_any_size(void)
{
	static const size_t sizes[] = {0, 1, 63, 64, 16383, 16384, 100000};
	static uint8_t content[100000];
	for (size_t i = 0; i < TACIT_COUNT(all_ids); i++) {
		const struct tacit_mls_suite *s = suite(i);
		struct tacit_env env = tap_env(i);
		uint8_t sk[TACIT_MLS_SIGNATURE_SK_MAX_BYTES];
		uint8_t pk[TACIT_MLS_SIGNATURE_PUBLIC_MAX_BYTES];
		struct tacit_bytes label = TACIT_STR("LeafNodeTBS");
		struct tacit_scheme_signature sig;
		CHECK_OK(tacit_mls_signature_keypair(s, &env, sk, pk));
		struct tacit_bytes sk_view = tacit_bytes(sk, s->signature_sk_bytes);
		struct tacit_bytes pk_view = tacit_bytes(pk, s->signature_public_bytes);
		size_t step = s->scheme == TACIT_ED25519 ? 1 : 3; /* the others take their time */
		for (size_t j = 0; j < TACIT_COUNT(sizes); j += step) {
			struct tacit_bytes view = tacit_bytes(content, sizes[j]);
			CHECK_OK(tacit_mls_sign(s, sk_view, label, view, &sig));
			struct tacit_bytes made = tacit_bytes(sig.b, sig.n);
			CHECK_OK(tacit_mls_verify(s, pk_view, label, view, made));
			if (sizes[j] > 64)
				continue;
			CHECK_ERR(
			        tacit_mls_verify(s, pk_view, TACIT_STR("LeafNodeTBs"), view, made),
			        TACIT_E_BAD_SIGNATURE);
			CHECK_ERR(tacit_mls_verify(s, pk_view, label,
			                  tacit_bytes(content, sizes[j] + 1), made),
			        TACIT_E_BAD_SIGNATURE);
		}
	}
}

static void derives_within_limits(void)
{
	static uint8_t out[65536];
	const struct tacit_mls_suite *s = tacit_mls_suite_find(0x0001);
	static const uint8_t secret[32] = {1};
	struct tacit_bytes label = TACIT_STR("exported"), none = TACIT_STR("");
	CHECK_OK(tacit_mls_expand(s, secret, label, none, (struct tacit_room){out, 255 * 32}));
	CHECK_ERR(tacit_mls_expand(s, secret, label, none, (struct tacit_room){out, 255 * 32 + 1}),
	        TACIT_E_USAGE);
	CHECK_ERR(tacit_mls_expand(s, secret, label, none, (struct tacit_room){out, 65536}),
	        TACIT_E_USAGE);
	struct tacit_bytes huge = {out, (size_t)1 << 30}; /* refused by its length alone */
	CHECK_ERR(tacit_mls_expand(s, secret, label, huge, (struct tacit_room){out, 32}),
	        TACIT_E_TOO_LARGE);
	CHECK_ERR(tacit_mls_ref_hash(s, label, huge, out), TACIT_E_TOO_LARGE);
	struct tacit_scheme_signature sig;
	CHECK_ERR(tacit_mls_sign(s, tacit_bytes(secret, 32), label, huge, &sig), TACIT_E_TOO_LARGE);
	CHECK_ERR(
	        tacit_mls_verify(s, tacit_bytes(secret, 32), label, huge, none), TACIT_E_TOO_LARGE);

	uint8_t in_place[32] = {1}, apart[32];
	CHECK_OK(tacit_mls_derive_secret(s, in_place, label, apart));
	CHECK_OK(tacit_mls_derive_secret(s, in_place, label, in_place));
	CHECK_BYTES(tacit_bytes(in_place, 32), tacit_bytes(apart, 32));
}

static void hashes_parts_as_one(void)
{
	for (size_t i = 0; i < TACIT_COUNT(all_ids); i++) {
		const struct tacit_mls_suite *s = suite(i);
		uint8_t one[TACIT_MLS_HASH_MAX_BYTES], parts[TACIT_MLS_HASH_MAX_BYTES];
		struct tacit_bytes pieces[] = {TACIT_STR("ab"), TACIT_STR(""), TACIT_STR("c")};
		CHECK_OK(tacit_mls_hash(s, TACIT_STR("abc"), one));
		CHECK_OK(tacit_mls_hash_parts(s, pieces, TACIT_COUNT(pieces), parts));
		CHECK_BYTES(tacit_bytes(parts, s->hash_bytes), tacit_bytes(one, s->hash_bytes));
		tacit_mls_mac(s, one, TACIT_STR("m"), parts);
		tacit_hmac(s->hash, tacit_bytes(one, s->hash_bytes), TACIT_STR("m"), one);
		CHECK_BYTES(tacit_bytes(parts, s->hash_bytes), tacit_bytes(one, s->hash_bytes));
		tacit_mls_extract(s, TACIT_STR("salt"), TACIT_STR("ikm"), parts);
		tacit_hmac(s->hash, TACIT_STR("salt"), TACIT_STR("ikm"), one);
		CHECK_BYTES(tacit_bytes(parts, s->hash_bytes), tacit_bytes(one, s->hash_bytes));
	}
}

static enum tacit_err everything_once(void)
{
	static uint8_t big[4096];
	enum tacit_err err = TACIT_OK;
	for (size_t i = 0; i < TACIT_COUNT(all_ids); i++) {
		const struct tacit_mls_suite *s = suite(i);
		struct tacit_env env = tap_env(i);
		struct keys k;
		struct sealed c;
		struct tacit_scheme_signature sig;
		uint8_t out[TACIT_MLS_HASH_MAX_BYTES], enc[TACIT_MLS_KEM_ENC_MAX_BYTES];
		uint8_t sk[TACIT_MLS_SIGNATURE_SK_MAX_BYTES];
		uint8_t pk[TACIT_MLS_SIGNATURE_PUBLIC_MAX_BYTES];
		struct tacit_bytes view = tacit_bytes(big, sizeof(big));
		TRY(make_keys(s, &k));
		TRY(tacit_mls_kem_check_public(s, k.pk_view));
		TRY(seal(s, &k, &c));
		TRY(tacit_mls_decrypt(s, k.sk, the_label, c.view, big));
		TRY(tacit_mls_external_init_send(s, k.pk_view, &env, enc, out));
		TRY(tacit_mls_ref_hash(s, TACIT_STR("l"), view, out));
		TRY(tacit_mls_derive_secret(s, out, TACIT_STR("l"), out));
		TRY(tacit_mls_signature_keypair(s, &env, sk, pk));
		TRY(tacit_mls_sign(
		        s, tacit_bytes(sk, s->signature_sk_bytes), TACIT_STR("l"), view, &sig));
		TRY(tacit_mls_verify(s, tacit_bytes(pk, s->signature_public_bytes), TACIT_STR("l"),
		        view, tacit_bytes(sig.b, sig.n)));
	}
out:
	return err;
}

static void survives_failing_allocations(void)
{
	tap_alloc_sweep(everything_once);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"offers its suites", offers_its_suites},
	        {"derives encryption keys", derives_encryption_keys},
	        {"many pairs are pairs", many_pairs_are_pairs},
	        {"refuses encryption keys that are none", refuses_encryption_keys_that_are_none},
	        {"opens only what was sealed", opens_only_what_was_sealed},
	        {"agrees on an external init", agrees_on_an_external_init},
	        {"signs content of any size", signs_content_of_any_size},
	        {"derives within limits", derives_within_limits},
	        {"hashes parts as one", hashes_parts_as_one},
	        {"survives failing allocations", survives_failing_allocations},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
