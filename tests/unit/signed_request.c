#include "wire/signed_request.h"

#include <string.h>

#include "crypto/secret.h"
#include "support/tap.h"
#include "wire/limits.h"

#define HEX64 "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef"
#define SIG "\"signature\":\"" HEX64 HEX64 "\""

static struct tacit_sign_sk sk;
static struct tacit_sign_public pk;

static void make_keys(void)
{
	static const uint8_t seed[TACIT_SIGN_SEED_BYTES] = {1, 2, 3};
	tacit_sign_keypair(seed, &sk, &pk);
}

static enum tacit_err parse(const char *text)
{
	struct tacit_signed_request r;
	enum tacit_err err = tacit_signed_request_parse(tacit_cstr(text), &r);
	CHECK((err == TACIT_OK) == (r.data != NULL));
	tacit_signed_request_clear(&r);
	return err;
}

/* The digest of text must be SHA-256 of signed_text: the exact bytes count. */
static void digest_is_over(const char *text, const char *signed_text)
{
	struct tacit_signed_request r;
	uint8_t want[TACIT_SHA256_BYTES];
	CHECK_OK(tacit_signed_request_parse(tacit_cstr(text), &r));
	tacit_sha256(tacit_cstr(signed_text), want);
	if (!CHECK_BYTES(tacit_bytes(r.digest, 32), tacit_bytes(want, 32)))
		tap_check(false, text, __FILE__, __LINE__);
	tacit_signed_request_clear(&r);
}

static void builds_and_verifies(void)
{
	struct tacit_buf text = {0};
	struct tacit_signed_request r;
	json_t *data = json_pack("{s:s,s:i}", "username", "m\xc3\xbcller", "n", 3);
	CHECK_OK(tacit_buf_append(&text, TACIT_STR("kept")));
	CHECK_OK(tacit_signed_request_build(data, 1700000000, &sk, &text));
	struct tacit_bytes body = tacit_bytes_part(tacit_buf_view(&text), 4, text.n);
	CHECK_BYTES(tacit_bytes_part(body, 0, 43),
	        TACIT_STR("{\"data\":{\"username\":\"m\xc3\xbcller\",\"n\":3},\"signa"));
	CHECK_OK(tacit_signed_request_parse(body, &r));
	CHECK_OK(tacit_signed_request_verify(&r, &pk));
	CHECK_INT(r.timestamp, 1700000000);
	CHECK(json_equal(r.data, data));
	r.digest[31] ^= 1;
	CHECK_ERR(tacit_signed_request_verify(&r, &pk), TACIT_E_BAD_SIGNATURE);
	tacit_signed_request_clear(&r);
	CHECK_ERR(tacit_signed_request_build(json_null(), 1, &sk, &text), TACIT_E_USAGE);
	CHECK_ERR(tacit_signed_request_build(data, -1, &sk, &text), TACIT_E_USAGE);
	json_decref(data);
	tacit_buf_clear(&text);
}

static void every_changed_byte_shows(void)
{
	struct tacit_buf text = {0};
	json_t *data = json_pack("{s:s}", "k", "v");
	CHECK_OK(tacit_signed_request_build(data, 1700000000, &sk, &text));
	json_decref(data);
	int accepted = 0;
	for (size_t i = 0; i < text.n; i++)
		for (int bit = 0; bit < 8; bit++) {
			struct tacit_signed_request r;
			text.p[i] ^= (uint8_t)(1 << bit);
			if (tacit_signed_request_parse(tacit_buf_view(&text), &r) == TACIT_OK) {
				/* A signature in upper-case hex is the same signature. */
				if (tacit_signed_request_verify(&r, &pk) == TACIT_OK)
					accepted +=
					        !(bit == 5 && text.p[i] >= 'A' && text.p[i] <= 'F');
				tacit_signed_request_clear(&r);
			}
			text.p[i] ^= (uint8_t)(1 << bit);
		}
	CHECK_INT(accepted, 0);
	tacit_buf_clear(&text);
}

static void the_exact_bytes_are_hashed(void)
{
	digest_is_over("{\"data\":{\"a\":1}," SIG ",\"timestamp\":5}",
	        "{\"data\":{\"a\":1},\"timestamp\":5}");
	digest_is_over(" \n{ \"timestamp\" :\t5 ,\r\n " SIG " , \"data\" : { \"a\" : [ 1 ] }\n} \n",
	        "{\"data\":{ \"a\" : [ 1 ] },\"timestamp\":5}");
	digest_is_over("{\"data\":{\"a\":\"}\\\\\",\"b\":\"\\\"]{\"}," SIG ",\"timestamp\":5}",
	        "{\"data\":{\"a\":\"}\\\\\",\"b\":\"\\\"]{\"},\"timestamp\":5}");
	digest_is_over("{\"username\":\"x,\\\"data\\\":{}\",\"o\":{\"data\":{\"n\":1}},"
	               "\"data\":{}," SIG ",\"timestamp\":5}",
	        "{\"data\":{},\"timestamp\":5}");
	digest_is_over("{\"l\":[{\"timestamp\":1}],\"t\":true,\"data\":{\"data\":{}}," SIG
	               ",\"timestamp\":5,\"z\":-1.5e3}",
	        "{\"data\":{\"data\":{}},\"timestamp\":5}");
	digest_is_over("{\"data\":{\"\\u0064ata\":1}," SIG ",\"timestamp\":5}",
	        "{\"data\":{\"\\u0064ata\":1},\"timestamp\":5}");
}

/* Around the size where the digest goes from the stack to pieces. */
static void long_bodies_hash_the_same(void)
{
	for (int n = 950; n < 1100; n++) {
		struct tacit_buf body = {0};
		struct tacit_buf part = {0};
		CHECK_OK(tacit_buf_printf(
		        &body, "{" SIG ",\"data\":{\"a\":\"%0*d\"},\"timestamp\":5}", n, 7));
		CHECK_OK(tacit_buf_printf(
		        &part, "{\"data\":{\"a\":\"%0*d\"},\"timestamp\":5}", n, 7));
		CHECK_OK(tacit_buf_terminate(&body));
		CHECK_OK(tacit_buf_terminate(&part));
		digest_is_over((const char *)body.p, (const char *)part.p);
		tacit_buf_clear(&body);
		tacit_buf_clear(&part);
	}
}

static void refuses_what_is_not_a_signed_request(void)
{
	CHECK_OK(parse("{\"data\":{}," SIG ",\"timestamp\":5}"));
	CHECK_ERR(parse("{\"data\":[]," SIG ",\"timestamp\":5}"), TACIT_E_MALFORMED);
	CHECK_ERR(parse("{\"data\":{}," SIG ",\"timestamp\":5.0}"), TACIT_E_MALFORMED);
	CHECK_ERR(parse("{\"data\":{}," SIG ",\"timestamp\":\"5\"}"), TACIT_E_MALFORMED);
	CHECK_ERR(parse("{\"data\":{}," SIG ",\"timestamp\":-5}"), TACIT_E_MALFORMED);
	CHECK_ERR(parse("{\"data\":{}," SIG ",\"timestamp\":9007199254740992}"), TACIT_E_MALFORMED);
	CHECK_ERR(parse("{\"data\":{}," SIG "}"), TACIT_E_MALFORMED);
	CHECK_ERR(parse("{" SIG ",\"timestamp\":5}"), TACIT_E_MALFORMED);
	CHECK_ERR(parse("{\"data\":{},\"timestamp\":5}"), TACIT_E_MALFORMED);
	CHECK_ERR(parse("{\"data\":{},\"timestamp\":5,\"signature\":\"" HEX64 "\"}"),
	        TACIT_E_MALFORMED);
	CHECK_ERR(parse("{\"data\":{},\"timestamp\":5,\"signature\":\"" HEX64 HEX64 "0\"}"),
	        TACIT_E_TOO_LARGE);
	CHECK_ERR(parse("{\"data\":{},\"timestamp\":5,\"signature\":\"x" HEX64
	                "123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef\"}"),
	        TACIT_E_MALFORMED);
	CHECK_ERR(parse("[]"), TACIT_E_MALFORMED);
	CHECK_ERR(parse("7"), TACIT_E_MALFORMED);
	json_t *body = json_pack("{s:{}}", "data");
	CHECK(!tacit_signed_request_claims(body));
	json_decref(body);
}

/* However it is read, as the usual form or as a whole, the same comes out. */
static void both_ways_of_reading_agree(void)
{
#define DEEP8 "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":"
	static const char *const bodies[] = {
	        "{\"data\":{}," SIG ",\"timestamp\":5}",
	        " {\"timestamp\" : 0 ,\t" SIG ",\n\"data\":{\"a\":[1,{}]} } ",
	        "{\"data\":{},\"timestamp\":9007199254740991," SIG "}",
	        "{\"data\":{},\"timestamp\":9007199254740992," SIG "}",
	        "{\"data\":{},\"timestamp\":99999999999999999999999," SIG "}",
	        "{\"data\":{},\"timestamp\":05," SIG "}",
	        "{\"data\":{},\"timestamp\":," SIG "}",
	        "{\"data\":{},\"timestamp\":5 5," SIG "}",
	        "{\"data\":{},\"data\":{},\"timestamp\":5," SIG "}",
	        "{\"data\":{\"a\":1,\"a\":2},\"timestamp\":5," SIG "}",
	        "{\"data\":{\"a\":]},\"timestamp\":5," SIG "}",
	        "{\"data\":{]},\"timestamp\":5," SIG "}",
	        "{\"data\":{},\"timestamp\":5," SIG "},",
	        "{\"data\":{},\"timestamp\":5," SIG ",}",
	        "{\"data\":{},\"timestamp\":5," SIG "}{}",
	        "{,\"data\":{},\"timestamp\":5," SIG "}",
	        "{\"data\":{},\"timestamp\":5," SIG,
	        "{\"data\":{},\"timestamp\":5,\"signature\":\"" HEX64,
	        "{\"data\":{}\"timestamp\":5," SIG "}",
	        "{\"data\" {},\"timestamp\":5," SIG "}",
	        "{\"data\":{},\"timestamp\":5," SIG ",\"username\":\"x\"}",
	        "{\"data\":{}x,\"timestamp\":5," SIG "}",
	        "{\"data\":\"{}\",\"timestamp\":5," SIG "}",
	        "{\"dat\\u0061\":{},\"timestamp\":5," SIG "}",
	        "{\"data\":" DEEP8 DEEP8 DEEP8 DEEP8 "},\"timestamp\":5," SIG "}",
	};
	for (size_t i = 0; i < TACIT_COUNT(bodies); i++) {
		struct tacit_bytes text = tacit_cstr(bodies[i]);
		struct tacit_signed_request whole = {0}, r;
		json_t *body = NULL;
		enum tacit_err want = tacit_json_parse(text, &body);
		if (want == TACIT_OK)
			want = tacit_signed_request_read(text, body, &whole);
		enum tacit_err got = tacit_signed_request_parse(text, &r);
		bool same = got == want && r.timestamp == whole.timestamp &&
		            memcmp(&r.signature, &whole.signature, sizeof(r.signature)) == 0 &&
		            memcmp(r.digest, whole.digest, sizeof(r.digest)) == 0 &&
		            (got != TACIT_OK || json_equal(r.data, whole.data));
		if (!same)
			tap_check(false, bodies[i], __FILE__, __LINE__);
		tacit_signed_request_clear(&r);
		tacit_signed_request_clear(&whole);
		json_decref(body);
	}
}

/* What is read where it stands is as deep as it would be in a tree. */
static void depth_counts_from_the_outermost(void)
{
	for (size_t depth = TACIT_MAX_JSON_DEPTH - 3; depth <= TACIT_MAX_JSON_DEPTH + 1; depth++)
		for (int form = 0; form < 2; form++) {
			struct tacit_buf text = {0};
			CHECK_OK(tacit_buf_append(&text, TACIT_STR("{\"data\":{\"a\":")));
			for (size_t i = 2; i < depth; i++)
				CHECK_OK(tacit_buf_append(&text, TACIT_STR("[")));
			for (size_t i = 2; i < depth; i++)
				CHECK_OK(tacit_buf_append(&text, TACIT_STR("]")));
			CHECK_OK(tacit_buf_printf(&text, "%s}," SIG ",\"timestamp\":5%s}",
			        depth == 2 ? "1" : "", form == 0 ? "" : ",\"more\":1"));
			CHECK_OK(tacit_buf_terminate(&text));
			CHECK_ERR(parse((const char *)text.p),
			        depth <= TACIT_MAX_JSON_DEPTH ? TACIT_OK : TACIT_E_TOO_LARGE);
			tacit_buf_clear(&text);
		}
}

static void hidden_nuls_are_refused(void)
{
	struct tacit_signed_request r;
	CHECK_ERR(tacit_signed_request_parse(
	                  TACIT_STR("{\"data\":{\"a\":1\0}," SIG ",\"timestamp\":5}"), &r),
	        TACIT_E_MALFORMED);
	CHECK_ERR(tacit_signed_request_parse(
	                  TACIT_STR("{\"data\":{}," SIG ",\"timestamp\":5\0}"), &r),
	        TACIT_E_MALFORMED);
}

/* A name that only decodes to "data" must not make the spans differ from the values. */
static void escaped_names_are_refused(void)
{
	CHECK_ERR(parse("{\"d\\u0061ta\":{}," SIG ",\"timestamp\":5}"), TACIT_E_MALFORMED);
	CHECK_ERR(parse("{\"data\":{}," SIG ",\"t\\u0069mestamp\":5}"), TACIT_E_MALFORMED);
	CHECK_ERR(parse("{\"data\":{},\"d\\u0061ta\":{}," SIG ",\"timestamp\":5}"),
	        TACIT_E_MALFORMED);
	CHECK_ERR(parse("{\"a\\\"\":1,\"data\":{}," SIG ",\"timestamp\":5}"), TACIT_E_MALFORMED);
}

static enum tacit_err build_and_parse(void)
{
	static char filler[1500];
	enum tacit_err err;
	memset(filler, 'x', sizeof(filler));
	struct tacit_buf text = {0};
	struct tacit_signed_request r = {0};
	json_t *data = json_object();
	TRY(data != NULL ? TACIT_OK : TACIT_E_NOMEM);
	TRY(tacit_json_set_text(data, "a", tacit_bytes(filler, sizeof(filler))));
	TRY(tacit_signed_request_build(data, 5, &sk, &text));
	TRY(tacit_signed_request_parse(tacit_buf_view(&text), &r));
	TRY(tacit_signed_request_verify(&r, &pk));
out:
	tacit_signed_request_clear(&r);
	json_decref(data);
	tacit_buf_clear(&text);
	return err;
}

static void survives_no_memory(void)
{
	tap_alloc_sweep(build_and_parse);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"builds and verifies", builds_and_verifies},
	        {"every changed byte shows", every_changed_byte_shows},
	        {"the exact bytes are hashed", the_exact_bytes_are_hashed},
	        {"long bodies hash the same", long_bodies_hash_the_same},
	        {"refuses what is not a signed request", refuses_what_is_not_a_signed_request},
	        {"escaped names are refused", escaped_names_are_refused},
	        {"both ways of reading agree", both_ways_of_reading_agree},
	        {"depth counts from the outermost", depth_counts_from_the_outermost},
	        {"hidden NULs are refused", hidden_nuls_are_refused},
	        {"survives no memory", survives_no_memory},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	tacit_json_init();
	make_keys();
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
