/* Known answers here are for what the official vectors leave out: SHA-2 (FIPS 180-4 examples),
 * HMAC-SHA384 (RFC 4231 4.2), Argon2id with one lane (the reference program, argon2 20171227). */
#ifndef TACIT_NO_OPENSSL
#include <openssl/crypto.h>
#endif
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "crypto/pwhash.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "support/from_hex.h"

static size_t openssl_allocations;

#ifdef TACIT_NO_OPENSSL
static bool count_openssl(void)
{
	return true;
}
#else
static void *count_malloc(size_t n, const char *file, int line)
{
	(void)file, (void)line;
	openssl_allocations++;
	return malloc(n);
}

static void *count_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file, (void)line;
	openssl_allocations++;
	return realloc(p, n);
}

static void plain_free(void *p, const char *file, int line)
{
	(void)file, (void)line;
	free(p);
}

/* Before OpenSSL has allocated anything. */
static bool count_openssl(void)
{
	return CRYPTO_set_mem_functions(count_malloc, count_realloc, plain_free) == 1;
}
#endif

static int count_ours(void *ctx)
{
	++*(size_t *)ctx;
	return 0;
}

static void secrets_are_copied_and_wiped(void)
{
	struct tacit_secret s = {0};
	CHECK_OK(tacit_secret_new(&s, 4));
	CHECK_BYTES(tacit_secret_view(&s), TACIT_STR("\0\0\0\0"));
	CHECK_OK(tacit_secret_copy(&s, TACIT_STR("hidden")));
	CHECK_OK(tacit_secret_copy(&s, tacit_secret_view(&s)));
	CHECK(tacit_ct_eq(tacit_secret_view(&s), TACIT_STR("hidden")));
	CHECK_OK(tacit_secret_copy(&s, TACIT_STR("")));
	CHECK_INT(s.n, 0);
	tacit_secret_free(&s);
	CHECK(s.p == NULL);
	tacit_secret_free(&s);
}

static void compares_whole_contents(void)
{
	CHECK(tacit_ct_eq(TACIT_STR("same"), TACIT_STR("same")));
	CHECK(!tacit_ct_eq(TACIT_STR("same"), TACIT_STR("samE")));
	CHECK(!tacit_ct_eq(TACIT_STR("same"), TACIT_STR("sam")));
	CHECK(tacit_ct_eq(tacit_bytes(NULL, 0), TACIT_STR("")));
	uint8_t wiped[3] = {1, 2, 3};
	tacit_wipe(wiped, sizeof(wiped));
	CHECK_BYTES(tacit_bytes(wiped, sizeof(wiped)), TACIT_STR("\0\0\0"));
}

static enum tacit_err make_a_secret(void)
{
	enum tacit_err err;
	struct tacit_secret s = {0};
	TRY(tacit_secret_new(&s, 32));
	TRY(tacit_secret_copy(&s, TACIT_STR("x")));
out:
	tacit_secret_free(&s);
	return err;
}

static void randomness_differs(void)
{
	uint8_t a[32] = {0}, b[32] = {0};
	struct tacit_env env = tacit_system_env();
	tacit_random(a, sizeof(a));
	tacit_env_random(&env, b, sizeof(b));
	CHECK(!tacit_ct_eq(tacit_bytes(a, sizeof(a)), tacit_bytes(b, sizeof(b))));
	CHECK(tacit_env_now(&env) > 1600000000);
}

/* Asked for as it begins; and once more if something else had the processor at that moment. */
static void a_second_begins_on_time(void)
{
	struct tacit_env env = tacit_system_env();
	struct timespec t = {.tv_nsec = 0};
	for (int tries = 0; tries == 0 || (t.tv_nsec > 1000000 && tries < 10); tries++) {
		CHECK(clock_gettime(CLOCK_REALTIME, &t) == 0);
		time_t next = t.tv_sec + 1;
		while (t.tv_sec < next)
			CHECK(clock_gettime(CLOCK_REALTIME, &t) == 0);
		CHECK(tacit_env_now(&env) >= next);
		CHECK(clock_gettime(CLOCK_REALTIME, &t) == 0);
	}
}

static const struct digest {
	enum tacit_hash h;
	const char *abc, *million_a;
} digests[] = {
        {TACIT_SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
        {TACIT_SHA384,
                "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
                "8086072ba1e7cc2358baeca134c825a7",
                "9d0e1809716474cb086e834e310a4a1ced149e9c00f248527972cec5704c2a5b"
                "07b8b3dc38ecc4ebae97ddd87f3d8985"},
        {TACIT_SHA512,
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
                "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb"
                "de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b"},
        {TACIT_SHA1, "a9993e364706816aba3e25717850c26c9cd0d89d",
                "34aa973cd4c4daa4f61eeb2bdbad27316534016f"},
};

static void hashes_the_examples(void)
{
	uint8_t out[TACIT_HASH_MAX_BYTES];
	for (size_t i = 0; i < TACIT_COUNT(digests); i++) {
		CHECK_OK(tacit_hash(digests[i].h, TACIT_STR("abc"), out));
		CHECK_HEX(out, tacit_hash_bytes(digests[i].h), digests[i].abc);
	}
	tacit_sha256(TACIT_STR("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), out);
	CHECK_HEX(out, 32, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	tacit_sha256(tacit_bytes(NULL, 0), out);
	CHECK_HEX(out, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void hashes_in_pieces(void)
{
	uint8_t out[TACIT_HASH_MAX_BYTES], piece[1000];
	memset(piece, 'a', sizeof(piece));
	for (size_t i = 0; i < TACIT_COUNT(digests); i++) {
		struct tacit_hasher *h;
		size_t n = tacit_hash_bytes(digests[i].h);
		CHECK_OK(tacit_hasher_new(digests[i].h, &h));
		CHECK_OK(tacit_hasher_update(h, TACIT_STR("")));
		for (int j = 0; j < 1000; j++) {
			CHECK_OK(tacit_hasher_update(h, tacit_bytes(piece, sizeof(piece))));
			if (j == 500) /* looking in between changes nothing */
				CHECK_OK(tacit_hasher_peek(h, out));
		}
		CHECK_OK(tacit_hasher_peek(h, out));
		CHECK_HEX(out, n, digests[i].million_a);
		CHECK_OK(tacit_hasher_update(h, TACIT_STR("b")));
		CHECK_OK(tacit_hasher_peek(h, out));
		CHECK(!tacit_bytes_eq(tacit_bytes(out, n), from_hex(digests[i].million_a)));
		tacit_hasher_free(h);
	}
	tacit_hasher_free(NULL);
}

static enum tacit_err hash_a_stream(void)
{
	uint8_t out[TACIT_HASH_MAX_BYTES];
	enum tacit_err err;
	struct tacit_hasher *h;
	TRY(tacit_hasher_new(TACIT_SHA256, &h));
	TRY(tacit_hasher_update(h, TACIT_STR("abc")));
	TRY(tacit_hasher_peek(h, out));
	CHECK_HEX(out, 32, digests[0].abc);
out:
	tacit_hasher_free(h);
	return err;
}

static void derives_keys(void)
{
	uint8_t out[TACIT_HASH_MAX_BYTES], other[TACIT_HASH_MAX_BYTES];
	uint8_t key[20];
	memset(key, 0x0b, sizeof(key));
	struct tacit_bytes key_view = tacit_bytes(key, sizeof(key));
	tacit_hmac(TACIT_SHA384, key_view, TACIT_STR("Hi There"), out);
	CHECK_HEX(out, 48,
	        "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c"
	        "faea9ea9076ede7f4af152e8b2fa9cb6");
	struct tacit_bytes parts[] = {TACIT_STR("Hi"), TACIT_STR(""), TACIT_STR(" There")};
	tacit_hmac_parts(TACIT_SHA384, key_view, parts, TACIT_COUNT(parts), other);
	CHECK_BYTES(tacit_bytes(other, 48), tacit_bytes(out, 48));
	tacit_hmac(TACIT_SHA384, key_view, TACIT_STR("Hi There!"), other);
	CHECK(!tacit_ct_eq(tacit_bytes(other, 48), tacit_bytes(out, 48)));

	CHECK_OK(tacit_derive(TACIT_STR("secret"), "label", out, 42));
	CHECK_HEX(out, 42,
	        "112fefb269ce7dcb2ea6c7e952c104c1abde44e3c0c5589d1e825dcacf1dd2de6b17f7c8aeee41bc"
	        "e478");
	CHECK_OK(tacit_derive(TACIT_STR("secret"), "Label", other, 42));
	CHECK(!tacit_ct_eq(tacit_bytes(other, 42), tacit_bytes(out, 42)));
}

static void expands_to_the_limit_and_no_further(void)
{
	static uint8_t okm[255 * 32 + 1];
	struct tacit_bytes prk = TACIT_STR("a pseudorandom key of 32 bytes..");
	okm[255 * 32] = 0x5a;
	CHECK_OK(tacit_hkdf_expand(TACIT_SHA256, prk, TACIT_STR("i"), okm, 255 * 32));
	CHECK_INT(okm[255 * 32], 0x5a);
	CHECK_ERR(tacit_hkdf_expand(TACIT_SHA256, prk, TACIT_STR("i"), okm, sizeof(okm)),
	        TACIT_E_USAGE);
	CHECK_ERR(tacit_derive(prk, "i", okm, sizeof(okm)), TACIT_E_USAGE);
	CHECK_OK(tacit_hkdf_expand(TACIT_SHA256, prk, TACIT_STR("i"), NULL, 0));
}

enum { PLAIN_BYTES = 100 };

static const uint8_t aead_key[TACIT_AEAD_KEY_MAX_BYTES] = {0, 1, 2, 3, 4, 5, 6, 7};
static const uint8_t nonce[TACIT_AEAD_NONCE_BYTES] = {9, 8, 7};

static void opens_only_what_was_sealed(void)
{
	uint8_t plain[PLAIN_BYTES], sealed[PLAIN_BYTES + TACIT_AEAD_TAG_BYTES], opened[PLAIN_BYTES];
	struct tacit_bytes aad = TACIT_STR("header"), view = tacit_bytes(sealed, sizeof(sealed));
	memset(plain, 'p', sizeof(plain));
	for (int alg = TACIT_AES128_GCM; alg <= TACIT_CHACHA20_POLY1305; alg++) {
		struct tacit_aead *a;
		CHECK_OK(tacit_aead_new((enum tacit_aead_alg)alg, aead_key, &a));
		CHECK_OK(tacit_aead_seal(a, nonce, aad, tacit_bytes(plain, sizeof(plain)), sealed));
		CHECK_OK(tacit_aead_open(a, nonce, aad, view, opened));
		CHECK_BYTES(tacit_bytes(opened, sizeof(opened)), tacit_bytes(plain, sizeof(plain)));
		for (size_t i = 0; i < sizeof(sealed); i++) { /* every byte counts */
			sealed[i] ^= 0x10;
			CHECK_ERR(tacit_aead_open(a, nonce, aad, view, opened), TACIT_E_BAD_SEAL);
			sealed[i] ^= 0x10;
		}
		static const uint8_t wiped[PLAIN_BYTES];
		CHECK_BYTES(tacit_bytes(opened, sizeof(opened)), tacit_bytes(wiped, sizeof(wiped)));
		CHECK_ERR(tacit_aead_open(a, nonce, TACIT_STR("Header"), view, opened),
		        TACIT_E_BAD_SEAL);
		CHECK_ERR(tacit_aead_open(a, aead_key, aad, view, opened), TACIT_E_BAD_SEAL);
		for (size_t n = 0; n < sizeof(sealed); n++) /* cut short anywhere */
			CHECK_ERR(tacit_aead_open(a, nonce, aad, tacit_bytes(sealed, n), opened),
			        TACIT_E_BAD_SEAL);
		CHECK_OK(tacit_aead_open(a, nonce, aad, view, opened)); /* failures leave no mark */
		tacit_aead_free(a);
	}
	tacit_aead_free(NULL);
}

static void seals_in_place_and_nothing(void)
{
	uint8_t text[PLAIN_BYTES + TACIT_AEAD_TAG_BYTES], want[sizeof(text)];
	memset(text, 't', PLAIN_BYTES);
	for (int i = TACIT_AES128_GCM; i <= TACIT_CHACHA20_POLY1305; i++) {
		enum tacit_aead_alg alg = (enum tacit_aead_alg)i;
		struct tacit_bytes none = tacit_bytes(NULL, 0),
		                   plain = tacit_bytes(text, PLAIN_BYTES);
		CHECK_OK(tacit_aead_seal_once(alg, aead_key, nonce, none, plain, want));
		CHECK_OK(tacit_aead_seal_once(alg, aead_key, nonce, none, plain, text));
		CHECK_BYTES(tacit_bytes(text, sizeof(text)), tacit_bytes(want, sizeof(want)));
		CHECK_OK(tacit_aead_open_once(
		        alg, aead_key, nonce, none, tacit_bytes(text, sizeof(text)), text));
		CHECK(text[0] == 't' && text[PLAIN_BYTES - 1] == 't');

		CHECK_OK(tacit_aead_seal_once(alg, aead_key, nonce, none, none, want));
		CHECK_OK(tacit_aead_open_once(
		        alg, aead_key, nonce, none, tacit_bytes(want, 16), NULL));
		CHECK_ERR(tacit_aead_open_once(
		                  alg, aead_key, nonce, none, tacit_bytes(want, 15), NULL),
		        TACIT_E_BAD_SEAL);
	}
}

static void refuses_what_is_too_large(void)
{
	uint8_t byte = 0;
	struct tacit_bytes huge = tacit_bytes(&byte, (size_t)INT_MAX + 1 + TACIT_AEAD_TAG_BYTES),
	                   none = TACIT_STR("");
	struct tacit_aead *a;
	CHECK_OK(tacit_aead_new(TACIT_AES256_GCM, aead_key, &a));
	CHECK_ERR(tacit_aead_seal(a, nonce, none, huge, &byte), TACIT_E_TOO_LARGE);
	CHECK_ERR(tacit_aead_seal(a, nonce, huge, none, &byte), TACIT_E_TOO_LARGE);
	CHECK_ERR(tacit_aead_open(a, nonce, none, huge, &byte), TACIT_E_TOO_LARGE);
	tacit_aead_free(a);
}

static void sealing_does_not_allocate(void)
{
	static uint8_t chunk[65536 + TACIT_AEAD_TAG_BYTES];
	struct tacit_bytes plain = tacit_bytes(chunk, 65536), aad = TACIT_STR("header");
	struct tacit_aead *a;
	size_t ours = 0;
	CHECK_OK(tacit_aead_new(TACIT_AES256_GCM, aead_key, &a));
	tacit_alloc_set_fault(count_ours, &ours);
	openssl_allocations = 0;
	for (int i = 0; i < 100; i++) {
		CHECK_OK(tacit_aead_seal(a, nonce, aad, plain, chunk));
		CHECK_OK(tacit_aead_open(a, nonce, aad, tacit_bytes(chunk, sizeof(chunk)), chunk));
	}
	CHECK_INT(openssl_allocations, 0);
	CHECK_INT(ours, 0);
	tacit_alloc_set_fault(NULL, NULL);
	tacit_aead_free(a);
#ifndef TACIT_NO_OPENSSL
	CHECK_OK(tacit_aead_new(TACIT_AES256_GCM, aead_key, &a));
	CHECK(openssl_allocations > 0); /* the counter counts */
	tacit_aead_free(a);
#endif
}

static enum tacit_err seal_and_open(void)
{
	uint8_t room[4 + TACIT_AEAD_TAG_BYTES];
	enum tacit_err err;
	TRY(tacit_aead_seal_once(
	        TACIT_AES256_GCM, aead_key, nonce, TACIT_STR(""), TACIT_STR("text"), room));
	TRY(tacit_aead_open_once(TACIT_AES256_GCM, aead_key, nonce, TACIT_STR(""),
	        tacit_bytes(room, sizeof(room)), room));
out:
	return err;
}

static void hashes_passwords_as_the_reference_does(void)
{
	static const uint8_t salt[] = "somesaltsomesalt";
	struct tacit_bytes password = TACIT_STR("correct horse");
	struct tacit_pwhash_cost cost = {16384, 2}, small = {64, 3};
	uint8_t out[64];
	CHECK_OK(tacit_pwhash(password, salt, cost, out, 32));
	CHECK_HEX(out, 32, "df99a9aea62f35cc8272da7cfdaf8839dba6060476172ac4ebbbb1e8565b77ae");
	CHECK_OK(tacit_pwhash(password, salt, small, out, 64));
	CHECK_HEX(out, 64,
	        "40d3ab9a3de3d2e17e13a2fae71e57b23be605304f7d0b9714532c179028e4cf"
	        "9009621f3495744606342d1ea64f343d19f2b30cc47f1cd0b59c0c683bd8c2e3");
	CHECK_OK(tacit_pwhash(TACIT_STR(""), salt, small, out, 16));
}

static void refuses_costs_out_of_range(void)
{
	static const uint8_t salt[TACIT_PWHASH_SALT_BYTES] = {1};
	static const struct tacit_pwhash_cost bad[] = {{7, 1}, {8, 0}, {0, 0}};
	uint8_t out[32];
	char str[TACIT_PWHASH_STR_BYTES];
	struct tacit_bytes password = TACIT_STR("p");
	for (size_t i = 0; i < TACIT_COUNT(bad); i++) {
		CHECK_ERR(tacit_pwhash(password, salt, bad[i], out, sizeof(out)), TACIT_E_USAGE);
		CHECK_ERR(tacit_pwhash_str(password, bad[i], str), TACIT_E_USAGE);
		CHECK_INT(str[0], 0);
	}
	struct tacit_pwhash_cost least = {8, 1};
	CHECK_ERR(tacit_pwhash(password, salt, least, out, 15), TACIT_E_USAGE);
	CHECK_OK(tacit_pwhash(password, salt, least, out, 16));
}

static void stores_passwords(void)
{
	struct tacit_pwhash_cost cost = {8, 1};
	char str[TACIT_PWHASH_STR_BYTES], again[TACIT_PWHASH_STR_BYTES];
	CHECK_OK(tacit_pwhash_str(TACIT_STR("open sesame"), cost, str));
	CHECK_BYTES(tacit_bytes(str, 10), TACIT_STR("$argon2id$"));
	CHECK_OK(tacit_pwhash_str_verify(str, TACIT_STR("open sesame")));
	CHECK_ERR(tacit_pwhash_str_verify(str, TACIT_STR("open sesamE")), TACIT_E_BAD_PASSWORD);
	CHECK_ERR(tacit_pwhash_str_verify(str, TACIT_STR("")), TACIT_E_BAD_PASSWORD);
	CHECK_OK(tacit_pwhash_str(TACIT_STR("open sesame"), cost, again));
	CHECK(strcmp(str, again) != 0); /* a salt of its own */

	char *last = str + strlen(str) - 2;
	*last = *last == 'A' ? 'B' : 'A';
	CHECK_ERR(tacit_pwhash_str_verify(str, TACIT_STR("open sesame")), TACIT_E_BAD_PASSWORD);
	memset(str, '$', sizeof(str)); /* no NUL anywhere */
	CHECK_ERR(tacit_pwhash_str_verify(str, TACIT_STR("open sesame")), TACIT_E_BAD_PASSWORD);
}

static void survives_no_memory(void)
{
	tap_alloc_sweep(make_a_secret);
	tap_alloc_sweep(hash_a_stream);
	tap_alloc_sweep(seal_and_open);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"secrets are copied and wiped", secrets_are_copied_and_wiped},
	        {"compares whole contents", compares_whole_contents},
	        {"randomness differs", randomness_differs},
	        {"a second begins on time", a_second_begins_on_time},
	        {"hashes the examples", hashes_the_examples},
	        {"hashes in pieces", hashes_in_pieces},
	        {"derives keys", derives_keys},
	        {"expands to the limit and no further", expands_to_the_limit_and_no_further},
	        {"opens only what was sealed", opens_only_what_was_sealed},
	        {"seals in place and nothing", seals_in_place_and_nothing},
	        {"refuses what is too large", refuses_what_is_too_large},
	        {"sealing does not allocate", sealing_does_not_allocate},
	        {"hashes passwords as the reference does", hashes_passwords_as_the_reference_does},
	        {"refuses costs out of range", refuses_costs_out_of_range},
	        {"stores passwords", stores_passwords},
	        {"survives no memory", survives_no_memory},
	};
	if (!count_openssl() || tacit_crypto_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
