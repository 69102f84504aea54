/* The parts of the API that prove and limit: bearer tokens, codes, server keys, rate limits. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "crypto/encoding.h"
#include "crypto/kdf.h"
#include "server/api/api.h"
#include "server/api/jwt.h"
#include "server/api/ratelimit.h"
#include "server/api/totp.h"
#include "support/tap.h"
#include "wire/json.h"

#define KEY TACIT_STR("0123456789abcdef0123456789abcdef")

/* --- JWT --- */

static void test_jwt(void)
{
	struct tacit_buf token = {0};
	struct api_jwt back, claims = {7, 9, 2000};
	CHECK_OK(api_jwt_write(KEY, &claims, 1000, &token));
	CHECK_OK(api_jwt_read(KEY, tacit_buf_view(&token), 1999, &back));
	CHECK(back.user_id == 7 && back.session_id == 9 && back.expires_at == 2000);
	CHECK_ERR(api_jwt_read(KEY, tacit_buf_view(&token), 2000, &back), TACIT_E_GONE);
	CHECK_ERR(api_jwt_read(TACIT_STR("another"), tacit_buf_view(&token), 1999, &back),
	        TACIT_E_BAD_SIGNATURE);
	for (size_t i = 0; i < token.n; i++) { /* no bit of it may be changed */
		token.p[i] ^= 1;
		CHECK(api_jwt_read(KEY, tacit_buf_view(&token), 1999, &back) != TACIT_OK);
		token.p[i] ^= 1;
	}
	for (size_t n = 0; n < token.n; n++)
		CHECK(api_jwt_read(KEY, tacit_bytes(token.p, n), 1999, &back) != TACIT_OK);
	tacit_buf_clear(&token);
}

/* RFC 8725 3.1: the token does not choose how it is checked. */
static void test_jwt_algorithms(void)
{
	static const char *const headers[] = {"{\"alg\":\"none\"}",
	        "{\"alg\":\"HS512\",\"typ\":\"JWT\"}", "{\"typ\":\"JWT\",\"alg\":\"HS256\"}"};
	struct api_jwt back;
	for (size_t i = 0; i < TACIT_COUNT(headers); i++) {
		struct tacit_buf t = {0};
		uint8_t tag[TACIT_SHA256_BYTES];
		CHECK_OK(tacit_base64(TACIT_BASE64URL, tacit_cstr(headers[i]), &t));
		CHECK_OK(tacit_buf_append(&t, TACIT_STR(".")));
		CHECK_OK(tacit_base64(TACIT_BASE64URL,
		        TACIT_STR("{\"sub\":\"7\",\"sid\":9,\"iat\":1000,\"exp\":2000}"), &t));
		tacit_hmac(TACIT_SHA256, KEY, tacit_buf_view(&t), tag);
		CHECK_OK(tacit_buf_append(&t, TACIT_STR(".")));
		CHECK_OK(tacit_base64(TACIT_BASE64URL, tacit_bytes(tag, sizeof(tag)), &t));
		CHECK_ERR(api_jwt_read(KEY, tacit_buf_view(&t), 1999, &back), TACIT_E_MALFORMED);
		tacit_buf_clear(&t);
	}
}

/* --- TOTP --- */

/* RFC 6238 appendix B, SHA-1, the last six digits. */
static void test_totp_vectors(void)
{
	static const struct {
		int64_t time;
		const char *code;
	} vectors[] = {{59, "287082"}, {1111111109, "081804"}, {1111111111, "050471"},
	        {1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"}};
	static const uint8_t seed[API_TOTP_SEED_BYTES] = "1234567890123456789";
	uint8_t full[API_TOTP_SEED_BYTES];
	int64_t step = 0;
	memcpy(full, seed, sizeof(full));
	full[19] = '0';
	for (size_t i = 0; i < TACIT_COUNT(vectors); i++) {
		struct tacit_bytes code = tacit_cstr(vectors[i].code);
		CHECK_OK(api_totp_check(full, code, vectors[i].time, &step));
		CHECK_INT(step, vectors[i].time / 30);
		CHECK_OK(api_totp_check(full, code, vectors[i].time + 30, &step));
		CHECK_INT(step, vectors[i].time / 30); /* the step of the code, not of the clock */
		CHECK_ERR(api_totp_check(full, code, vectors[i].time + 60, &step),
		        TACIT_E_BAD_PASSWORD);
		CHECK_ERR(api_totp_check(full, code, vectors[i].time - 60 - 30, &step),
		        TACIT_E_BAD_PASSWORD);
	}
	CHECK_ERR(api_totp_check(full, TACIT_STR("28708"), 59, &step), TACIT_E_BAD_PASSWORD);
	CHECK_ERR(api_totp_check(full, TACIT_STR("2870820"), 59, &step), TACIT_E_BAD_PASSWORD);
	CHECK_ERR(api_totp_check(full, tacit_bytes(NULL, 0), 59, &step), TACIT_E_BAD_PASSWORD);
}

static void test_totp_texts(void)
{
	static const uint8_t seed[API_TOTP_SEED_BYTES] = {0};
	struct tacit_buf uri = {0}, qr = {0};
	CHECK_OK(api_totp_uri("alice", seed, &uri));
	CHECK_BYTES(tacit_buf_view(&uri),
	        TACIT_STR("otpauth://totp/tacit:alice?secret=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	                  "&issuer=tacit&algorithm=SHA1&digits=6&period=30"));
	CHECK_OK(tacit_buf_terminate(&uri));
	CHECK_OK(api_qr_data_uri((const char *)uri.p, &qr));
	CHECK(qr.n > 1000 && memcmp(qr.p, "data:image/svg+xml;base64,PHN2Zy", 32) == 0);
	tacit_buf_clear(&uri);
	tacit_buf_clear(&qr);
}

static void test_recovery_codes(void)
{
	struct tacit_env env = tap_env(3);
	char codes[API_RECOVERY_CODES][API_RECOVERY_CHARS + 1];
	uint8_t hashes[API_RECOVERY_CODES][STORE_HASH_BYTES], hash[STORE_HASH_BYTES];
	CHECK_OK(api_recovery_codes_new(&env, codes, hashes));
	for (size_t i = 0; i < API_RECOVERY_CODES; i++) {
		CHECK_OK(api_recovery_code_hash(tacit_cstr(codes[i]), hash));
		CHECK_BYTES(tacit_bytes(hash, sizeof(hash)), tacit_bytes(hashes[i], sizeof(hash)));
		for (size_t k = 0; k < i; k++)
			CHECK(strcmp(codes[i], codes[k]) != 0);
	}
	CHECK_OK(api_recovery_code_hash(TACIT_STR("abcdefghijklmnop"), hashes[0]));
	CHECK_OK(api_recovery_code_hash(TACIT_STR(" ABCD-efgh IJKL-MNOP"), hash));
	CHECK_BYTES(tacit_bytes(hash, sizeof(hash)), tacit_bytes(hashes[0], sizeof(hash)));
	CHECK_ERR(api_recovery_code_hash(TACIT_STR("ABCD-EFGH-IJKL-MNO"), hash), TACIT_E_MALFORMED);
	CHECK_ERR(
	        api_recovery_code_hash(TACIT_STR("ABCD-EFGH-IJKL-MNOPQ"), hash), TACIT_E_MALFORMED);
	CHECK_ERR(
	        api_recovery_code_hash(TACIT_STR("ABCD-EFGH-IJKL-MNO1"), hash), TACIT_E_MALFORMED);
}

/* --- server keys --- */

static void test_server_keys(void)
{
	struct api_server_keys a = {0}, b = {0};
	CHECK_OK(api_server_keys_init(&a, KEY));
	CHECK_OK(api_server_keys_init(&b, TACIT_STR("another secret of the server, 32")));
	CHECK(a.jwt.n >= 32 && a.csrf.n >= 32 && a.totp.n == 32);
	CHECK(!tacit_bytes_eq(a.jwt, a.csrf) && !tacit_bytes_eq(a.jwt, a.totp));
	CHECK(!tacit_bytes_eq(a.jwt, b.jwt) && !tacit_bytes_eq(a.totp, b.totp));

	struct tacit_env env = tap_env(4);
	static const uint8_t seed[API_TOTP_SEED_BYTES] = {1, 2, 3};
	uint8_t sealed[API_TOTP_SEALED_BYTES], open[API_TOTP_SEED_BYTES];
	struct tacit_bytes box = tacit_bytes(sealed, sizeof(sealed));
	CHECK_OK(api_seal_totp(&a, &env, "alice", seed, sealed));
	CHECK_OK(api_open_totp(&a, "alice", box, open));
	CHECK_BYTES(tacit_bytes(open, sizeof(open)), tacit_bytes(seed, sizeof(seed)));
	CHECK_ERR(api_open_totp(&a, "bob", box, open), TACIT_E_BAD_SEAL);
	CHECK_ERR(api_open_totp(&b, "alice", box, open), TACIT_E_BAD_SEAL);
	CHECK_ERR(api_open_totp(&a, "alice", tacit_bytes(sealed, 27), open), TACIT_E_BAD_SEAL);
	for (size_t i = 0; i < sizeof(sealed); i++) {
		sealed[i] ^= 1;
		CHECK_ERR(api_open_totp(&a, "alice", box, open), TACIT_E_BAD_SEAL);
		sealed[i] ^= 1;
	}
	api_server_keys_clear(&a);
	api_server_keys_clear(&b);
}

static void test_tokens(void)
{
	struct tacit_env env = tap_env(5);
	char one[API_TOKEN_CHARS + 1], two[API_TOKEN_CHARS + 1], file[STORE_FILE_ID_CHARS + 1];
	uint8_t hash[STORE_HASH_BYTES], again[STORE_HASH_BYTES];
	CHECK_OK(api_token_new(&env, one, hash));
	api_token_hash(tacit_cstr(one), again);
	CHECK_BYTES(tacit_bytes(hash, sizeof(hash)), tacit_bytes(again, sizeof(again)));
	CHECK_OK(api_token_new(&env, two, hash));
	CHECK(strcmp(one, two) != 0);
	api_file_id_new(&env, file);
	CHECK_INT(strspn(file, "0123456789abcdef"), STORE_FILE_ID_CHARS);
}

static void check_secret(
        const char *secret, struct store *s, enum api_secret_use use, enum tacit_err want)
{
	CHECK_ERR(api_check_secret(tacit_cstr(secret), s, use), want);
}

static void test_secret_of_the_store(void)
{
	char why[256];
	struct store *s = NULL;
	CHECK_OK(store_open("memory:secret", STORE_WRITER, why, &s));
	REQUIRE(s != NULL);
	check_secret("one", s, API_SECRET_COMPARE, TACIT_OK); /* knows none, and is told none */
	check_secret("two", s, API_SECRET_REMEMBER, TACIT_OK);
	check_secret("two", s, API_SECRET_COMPARE, TACIT_OK);
	check_secret("one", s, API_SECRET_COMPARE, TACIT_E_BAD_SEAL);
	check_secret("one", s, API_SECRET_REMEMBER, TACIT_E_BAD_SEAL);
	store_close(s);
}

/* --- rate limits --- */

static unsigned take_all(struct api_limiter *l, uint64_t who, uint64_t now_ms)
{
	unsigned n = 0, retry;
	while (n < 1000 && api_limiter_take(l, who, 1, now_ms, &retry))
		n++;
	return n;
}

static void test_limits(void)
{
	struct tacit_env env = tap_env(6);
	struct api_limiter *l = NULL;
	unsigned retry = 0;
	CHECK_OK(api_limiter_new((struct api_limit){60, 10}, 16, &env, &l));
	REQUIRE(l != NULL);
	CHECK_INT(take_all(l, 1, 5000), 10);
	CHECK(!api_limiter_take(l, 1, 1, 5000, &retry));
	CHECK_INT(retry, 2);
	CHECK(!api_limiter_take(l, 1, 1, 5900, &retry));
	CHECK(api_limiter_take(l, 1, 1, 6000, &retry)); /* one a second comes back */
	CHECK_INT(take_all(l, 1, 8000), 2);
	CHECK_INT(take_all(l, 1, 1000000), 10); /* and never more than a burst */
	CHECK_INT(take_all(l, 1, 900000), 0);   /* a clock that goes back gives nothing */
	CHECK_INT(take_all(l, 2, 5000), 10);
	CHECK(!api_limiter_take(l, 3, 11, 5000, &retry));
	api_limiter_free(l);
	CHECK_OK(api_limiter_new((struct api_limit){0, 0}, 16, &env, &l));
	CHECK_INT(take_all(l, 1, 0), 1000);
	api_limiter_free(l);
}

/* A flood of addresses does not give the loud one a fresh bucket. */
static void test_flood(void)
{
	struct tacit_env env = tap_env(7);
	struct api_limiter *l = NULL;
	unsigned retry;
	CHECK_OK(api_limiter_new((struct api_limit){60, 10}, 4, &env, &l));
	REQUIRE(l != NULL);
	CHECK_INT(take_all(l, 1, 1000), 10);
	for (uint64_t other = 2; other < 10000; other++)
		CHECK(api_limiter_take(l, other, 1, 1000, &retry));
	CHECK_INT(take_all(l, 1, 1000), 0);
	api_limiter_free(l);
}

static uint64_t key_of(int family, const char *text)
{
	struct sockaddr_storage a = {0};
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	if (family == AF_INET && inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		memcpy(&a, &v4, sizeof(v4));
	if (family == AF_INET6 && inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
		memcpy(&a, &v6, sizeof(v6));
	return api_address_key(&a);
}

static void test_keys_of_limits(void)
{
	CHECK(key_of(AF_INET, "192.0.2.1") != key_of(AF_INET, "192.0.2.2"));
	CHECK(key_of(AF_INET, "192.0.2.1") == key_of(AF_INET6, "::ffff:192.0.2.1"));
	CHECK(key_of(AF_INET6, "2001:db8::1") == key_of(AF_INET6, "2001:db8::ffff:1"));
	CHECK(key_of(AF_INET6, "2001:db8::1") != key_of(AF_INET6, "2001:db8:0:1::1"));
	CHECK(api_name_key("Alice") == api_name_key("aLICE"));
	CHECK(api_name_key("alice") != api_name_key("alicf"));
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"bearer tokens", test_jwt},
	        {"bearer tokens: one algorithm", test_jwt_algorithms},
	        {"TOTP: RFC 6238", test_totp_vectors},
	        {"TOTP: texts", test_totp_texts},
	        {"recovery codes", test_recovery_codes},
	        {"server keys", test_server_keys},
	        {"tokens", test_tokens},
	        {"a store knows its secret", test_secret_of_the_store},
	        {"rate limits", test_limits},
	        {"rate limits under a flood", test_flood},
	        {"who counts as one", test_keys_of_limits},
	};
	tacit_json_init();
	if (tacit_crypto_init() != TACIT_OK || api_totp_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
