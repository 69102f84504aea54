/* The parts of the API that read and write text: JSON, routes, ranges, tus headers, multipart. */
#include <stdio.h>
#include <string.h>

#include "crypto/encoding.h"
#include "server/api/base64.h"
#include "server/api/json_out.h"
#include "server/api/multipart.h"
#include "server/api/range.h"
#include "server/api/route.h"
#include "server/api/tus_headers.h"
#include "server/api/tus_sum.h"
#include "support/tap.h"
#include "wire/json.h"
#include "wire/limits.h"

/* --- JSON --- */

static void test_json(void)
{
	struct tacit_buf out = {0};
	struct api_json w = api_json_begin(&out);
	api_json_text(&w, "text", TACIT_STR("a\"\\\n\x01\xc3\xa9"));
	api_json_integer(&w, "least", INT64_MIN);
	api_json_open_array(&w, "list");
	api_json_bool(&w, NULL, true);
	api_json_null(&w, NULL);
	api_json_open_object(&w, NULL);
	api_json_close_object(&w);
	api_json_close_array(&w);
	api_json_time(&w, "time", 951782400);
	api_json_time_or_null(&w, "never", 0);
	api_json_base64(&w, "base64", TACIT_STR("abcd"));
	api_json_hex(&w, "hex", TACIT_STR("\x01\xff"));
	CHECK_OK(api_json_finish(&w));
	CHECK_BYTES(tacit_buf_view(&out),
	        TACIT_STR(
	                "{\"text\":\"a\\\"\\\\\\n\\u0001\xc3\xa9\",\"least\":-9223372036854775808,"
	                "\"list\":[true,null,{}],\"time\":\"2000-02-29T00:00:00Z\",\"never\":null,"
	                "\"base64\":\"YWJjZA==\",\"hex\":\"01ff\"}"));
	tacit_buf_clear(&out);
	w = api_json_begin(&out);
	api_json_fail(&w, TACIT_E_STORE);
	api_json_fail(&w, TACIT_E_NOMEM);
	CHECK_ERR(api_json_finish(&w), TACIT_E_STORE);
	tacit_buf_clear(&out);
}

static void test_json_numbers(void)
{
	struct tacit_buf out = {0};
	struct api_json w = api_json_begin(&out);
	api_json_integer(&w, "none", 0);
	api_json_integer(&w, "less", -1);
	api_json_integer(&w, "most", INT64_MAX);
	api_json_time(&w, "a", 0);
	api_json_time(&w, "b", 1);
	api_json_time(&w, "c", 1); /* the same second again */
	api_json_time(&w, "d", 0);
	CHECK_OK(api_json_finish(&w));
	CHECK_BYTES(tacit_buf_view(&out),
	        TACIT_STR("{\"none\":0,\"less\":-1,\"most\":9223372036854775807,"
	                  "\"a\":\"1970-01-01T00:00:00Z\",\"b\":\"1970-01-01T00:00:01Z\","
	                  "\"c\":\"1970-01-01T00:00:01Z\",\"d\":\"1970-01-01T00:00:00Z\"}"));
	tacit_buf_clear(&out);
}

/* --- base64 --- */

/* Both say the same of a text: what it means, or that it is none. */
static void compare_base64(struct tacit_bytes text)
{
	struct tacit_buf fast = {0}, slow = {0};
	CHECK_OK(tacit_buf_append(&fast, TACIT_STR("kept")));
	CHECK_OK(tacit_buf_append(&slow, TACIT_STR("kept")));
	CHECK_INT(api_base64_read(text, &fast), tacit_unbase64(TACIT_BASE64, text, &slow));
	CHECK_BYTES(tacit_buf_view(&fast), tacit_buf_view(&slow));
	tacit_buf_clear(&fast);
	tacit_buf_clear(&slow);
}

static void test_base64(void)
{
	uint8_t bytes[40];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 89 + 251);
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		struct tacit_buf fast = {0}, slow = {0};
		CHECK_OK(api_base64_write(tacit_bytes(bytes, n), &fast));
		CHECK_OK(tacit_base64(TACIT_BASE64, tacit_bytes(bytes, n), &slow));
		CHECK_BYTES(tacit_buf_view(&fast), tacit_buf_view(&slow));
		compare_base64(tacit_buf_view(&fast));
		for (size_t cut = 1; cut <= 4 && cut <= fast.n; cut++)
			compare_base64(tacit_bytes(fast.p, fast.n - cut));
		tacit_buf_clear(&fast);
		tacit_buf_clear(&slow);
	}
}

/* Every byte at every place, before and in the last four. */
static void test_base64_is_strict(void)
{
	static const char *const texts[] = {"AAAAAAAA", "AAAAAAA=", "AAAAAA==", "////////", "===="};
	for (size_t t = 0; t < TACIT_COUNT(texts); t++)
		for (size_t at = 0; at < strlen(texts[t]); at++)
			for (unsigned byte = 0; byte < 256; byte++) {
				char text[9] = "";
				memcpy(text, texts[t], strlen(texts[t]));
				text[at] = (char)byte;
				compare_base64(tacit_bytes(text, strlen(texts[t])));
			}
}

/* Whatever byte stands in a text, a strict reader gets it back. */
static void test_json_every_byte(void)
{
	for (unsigned byte = 1; byte < 128; byte++) {
		const char text[] = {(char)byte};
		struct tacit_buf out = {0};
		struct tacit_bytes back = {0};
		json_t *json = NULL;
		struct api_json w = api_json_begin(&out);
		api_json_text(&w, "t", tacit_bytes(text, 1));
		CHECK_OK(api_json_finish(&w));
		CHECK_OK(tacit_json_parse(tacit_buf_view(&out), &json));
		CHECK_OK(tacit_json_text(json, "t", TACIT_REQUIRED, 1, &back));
		CHECK_BYTES(back, tacit_bytes(text, 1));
		json_decref(json);
		tacit_buf_clear(&out);
	}
}

/* --- routes --- */

static bool matches(const char *pattern, const char *path, struct api_path *out)
{
	*out = (struct api_path){0};
	return api_path_match(pattern, tacit_cstr(path), out);
}

static void test_paths(void)
{
	struct api_path p;
	static const char *const bad[] = {"/c/", "/c/0", "/c/01", "/c/-1", "/c/+1", "/c/1x",
	        "/c/1/", "/c/1/2", "/c/9007199254740992", "/c/99999999999999999999", "/C/1", "/c",
	        "/c/%31"};
	CHECK(matches("/c/{id}", "/c/9007199254740991", &p));
	CHECK_INT(p.id, TACIT_MAX_INTEGER);
	for (size_t i = 0; i < TACIT_COUNT(bad); i++)
		if (!CHECK(!matches("/c/{id}", bad[i], &p)))
			printf("# %s\n", bad[i]);
	CHECK(matches("/f/{file}/d", "/f/00112233445566778899AABBCCDDEEFF/d", &p));
	CHECK(strcmp(p.file, "00112233445566778899aabbccddeeff") == 0);
	CHECK(!matches("/f/{file}/d", "/f/00112233445566778899aabbccddeef/d", &p));
	CHECK(!matches("/f/{file}/d", "/f/../../etc/passwd0000000000000000/d", &p));
	CHECK(matches("/u/{username}", "/u/a.b_c-9", &p));
	CHECK(strcmp(p.username, "a.b_c-9") == 0);
	CHECK(!matches("/u/{username}", "/u/abcdefghijklmnopqrstuvwxy", &p)); /* 25 */
	CHECK(!matches("/u/{username}", "/u/a%20b", &p));
}

static void test_routes(void)
{
	struct tacit_bytes messages = TACIT_STR("/api/conversations/7/messages");
	const struct api_route *r = api_route_find(HTTP_POST, messages);
	CHECK(r != NULL && r->body == API_JSON && r->auth == API_USER);
	CHECK_INT(api_route_methods(messages), 1u << HTTP_GET | 1u << HTTP_HEAD | 1u << HTTP_POST);
	r = api_route_find(HTTP_HEAD, TACIT_STR("/health"));
	CHECK(r != NULL && r->method == HTTP_GET);
	CHECK(api_route_find(HTTP_PUT, TACIT_STR("/health")) == NULL);
	CHECK(api_route_methods(TACIT_STR("/health")) != 0);
	CHECK(api_route_find(HTTP_GET, TACIT_STR("/nothing")) == NULL);
	CHECK_INT(api_route_methods(TACIT_STR("/nothing")), 0);
	for (size_t i = 0; i < api_route_count; i++) { /* a list of steps has an end */
		CHECK(api_routes[i].steps[API_MAX_STEPS - 1].run == NULL);
		CHECK((api_routes[i].body == API_STREAM) == (api_routes[i].stream != NULL));
		CHECK(api_routes[i].body != API_JSON || api_routes[i].body_limit > 0);
	}
}

/* --- ranges --- */

static void test_ranges(void)
{
	static const struct {
		const char *header;
		enum api_range kind;
		uint64_t from, bytes;
	} cases[] = {
	        {"", API_RANGE_WHOLE, 0, 10},
	        {"bytes=0-0", API_RANGE_PART, 0, 1},
	        {"bytes=0-9", API_RANGE_PART, 0, 10},
	        {"bytes=0-99999999999999999999999", API_RANGE_PART, 0, 10},
	        {"bytes=9-", API_RANGE_PART, 9, 1},
	        {"bytes=-3", API_RANGE_PART, 7, 3},
	        {"bytes=-99", API_RANGE_PART, 0, 10},
	        {"BYTES=2-3", API_RANGE_PART, 2, 2},
	        {"bytes=10-", API_RANGE_OUTSIDE, 0, 10},
	        {"bytes=99999999999999999999999-", API_RANGE_OUTSIDE, 0, 10},
	        {"bytes=-0", API_RANGE_OUTSIDE, 0, 10},
	        {"bytes=3-2", API_RANGE_WHOLE, 0, 10},
	        {"bytes=-", API_RANGE_WHOLE, 0, 10},
	        {"bytes=", API_RANGE_WHOLE, 0, 10},
	        {"bytes=0-1,3-4", API_RANGE_WHOLE, 0, 10},
	        {"bytes=a-b", API_RANGE_WHOLE, 0, 10},
	        {"bytes=1--2", API_RANGE_WHOLE, 0, 10},
	        {"chars=0-1", API_RANGE_WHOLE, 0, 10},
	};
	uint64_t from, bytes;
	for (size_t i = 0; i < TACIT_COUNT(cases); i++) {
		bool same = api_range_read(tacit_cstr(cases[i].header), 10, &from, &bytes) ==
		            cases[i].kind;
		if (cases[i].kind != API_RANGE_OUTSIDE)
			same = same && from == cases[i].from && bytes == cases[i].bytes;
		if (!CHECK(same))
			printf("# %s\n", cases[i].header);
	}
	CHECK_INT(api_range_read(TACIT_STR("bytes=0-"), 0, &from, &bytes), API_RANGE_OUTSIDE);
}

static void test_etags(void)
{
	const struct tacit_bytes tag = TACIT_STR("\"ab\"");
	CHECK(api_etag_listed(TACIT_STR("*"), tag));
	CHECK(api_etag_listed(TACIT_STR("\"x\", W/\"ab\""), tag));
	CHECK(!api_etag_listed(TACIT_STR("\"abc\""), tag));
	CHECK(!api_etag_listed(TACIT_STR("ab"), tag));
	CHECK(!api_etag_listed(tacit_bytes(NULL, 0), tag));
}

/* --- tus --- */

static void test_tus_numbers(void)
{
	static const char *const bad[] = {"", "-1", "+1", " 1", "1 ", "1.5", "0x1",
	        "9007199254740992", "99999999999999999999", "1\n"};
	int64_t n = 0;
	CHECK_OK(api_tus_number(TACIT_STR("0"), &n));
	CHECK_OK(api_tus_number(TACIT_STR("9007199254740991"), &n));
	CHECK_INT(n, TACIT_MAX_INTEGER);
	for (size_t i = 0; i < TACIT_COUNT(bad); i++)
		CHECK_ERR(api_tus_number(tacit_cstr(bad[i]), &n), TACIT_E_MALFORMED);
}

static void test_tus_checksums(void)
{
	struct api_tus_checksum c;
	CHECK_OK(api_tus_checksum_read(tacit_bytes(NULL, 0), &c));
	CHECK(!c.wanted);
	CHECK_OK(api_tus_checksum_read(TACIT_STR("sha1 2jmj7l5rSw0yVb/vlWAYkK/YBwk="), &c));
	CHECK(c.wanted && c.algorithm == TACIT_SHA1 && c.digest[0] == 0xda);
	CHECK_OK(api_tus_checksum_read(
	        TACIT_STR("sha256 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="), &c));
	CHECK_ERR(api_tus_checksum_read(TACIT_STR("md5 1B2M2Y8AsgTpgAmY7PhCfg=="), &c),
	        TACIT_E_UNSUPPORTED);
	CHECK_ERR(api_tus_checksum_read(TACIT_STR("sha256"), &c), TACIT_E_MALFORMED);
	CHECK_ERR(api_tus_checksum_read(TACIT_STR("sha256 2jmj7l5rSw0yVb/vlWAYkK/YBwk="), &c),
	        TACIT_E_MALFORMED);
	CHECK_ERR(api_tus_checksum_read(TACIT_STR("sha256 !"), &c), TACIT_E_MALFORMED);
}

#define ZEROES " AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static void test_tus_block_checksums(void)
{
	struct api_tus_checksum c;
	CHECK_OK(api_tus_checksum_read(TACIT_STR("sha256-blocks-65552" ZEROES), &c));
	CHECK(c.wanted && c.algorithm == TACIT_SHA256 && c.block_bytes == 65552);
	CHECK_OK(api_tus_checksum_read(TACIT_STR("sha256-blocks-8388608" ZEROES), &c));
	static const char *const bad[] = {"sha256-blocks-" ZEROES, "sha256-blocks-x" ZEROES,
	        "sha256-blocks--1" ZEROES, "sha256-blocks-1023" ZEROES,
	        "sha256-blocks-8388609" ZEROES, "sha256-blocks" ZEROES, "sha1-blocks-65552" ZEROES,
	        "sha256-blocks-65552", "sha256-blocks-65552 AAAA"};
	for (size_t i = 0; i < TACIT_COUNT(bad); i++) {
		CHECK(api_tus_checksum_read(tacit_cstr(bad[i]), &c) != TACIT_OK);
		CHECK(!c.wanted);
	}
}

/* However the body is cut: 2,500 bytes in blocks of 1,024, the last of them shorter. */
static void test_tus_sums(void)
{
	static uint8_t body[2500];
	uint8_t leaves[3][TACIT_SHA256_BYTES];
	struct api_tus_checksum c = {
	        .wanted = true, .algorithm = TACIT_SHA256, .block_bytes = 1024};
	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t)(i * 31);
	for (size_t i = 0; i < 3; i++)
		tacit_sha256(tacit_bytes_part(tacit_bytes(body, sizeof(body)), i * 1024, 1024),
		        leaves[i]);
	tacit_sha256(tacit_bytes(leaves, sizeof(leaves)), c.digest);
	static const size_t cuts[] = {1, 1000, 1024, 1025, 2048, 2500};
	for (size_t i = 0; i < TACIT_COUNT(cuts); i++)
		for (int changed = 0; changed < 2; changed++) {
			struct api_tus_sum *s = NULL;
			body[1024] ^= (uint8_t)changed;
			REQUIRE(api_tus_sum_new(&c, &s) == TACIT_OK);
			for (size_t at = 0; at < sizeof(body); at += cuts[i])
				CHECK_OK(api_tus_sum_update(
				        s, tacit_bytes_part(
				                   tacit_bytes(body, sizeof(body)), at, cuts[i])));
			CHECK_ERR(api_tus_sum_check(s, &c), changed ? TACIT_E_BAD_SEAL : TACIT_OK);
			api_tus_sum_free(s);
			body[1024] ^= (uint8_t)changed;
		}
}

static void check_metadata(const char *header, enum tacit_err want, const char *value)
{
	struct tacit_buf out = {0};
	enum tacit_err err = api_tus_metadata(tacit_cstr(header), TACIT_STR("id"), &out);
	if (!CHECK_ERR(err, want))
		printf("# %s\n", header);
	if (want == TACIT_OK)
		CHECK_BYTES(tacit_buf_view(&out), tacit_cstr(value));
	tacit_buf_clear(&out);
}

static void test_tus_metadata(void)
{
	static char long_header[API_TUS_METADATA_BYTES + 2];
	check_metadata("id NDI=", TACIT_OK, "42");
	check_metadata("name YQ==,id NDI=,flag", TACIT_OK, "42");
	check_metadata("name YQ==, id NDI=", TACIT_OK, "42");
	check_metadata("id", TACIT_OK, "");
	check_metadata("", TACIT_E_NOT_FOUND, NULL);
	check_metadata("ID NDI=", TACIT_E_NOT_FOUND, NULL);
	check_metadata("id NDI=,id NDI=", TACIT_E_MALFORMED, NULL);
	check_metadata("id NDI=,", TACIT_E_MALFORMED, NULL);
	check_metadata(",id NDI=", TACIT_E_MALFORMED, NULL);
	check_metadata("id ND", TACIT_E_MALFORMED, NULL);
	check_metadata("id NDI=,x !", TACIT_E_MALFORMED, NULL);
	memset(long_header, 'x', sizeof(long_header) - 1);
	check_metadata(long_header, TACIT_E_TOO_LARGE, NULL);
}

static void test_dates(void)
{
	char text[API_HTTP_DATE_CHARS + 1];
	api_http_date(784111777, text);
	CHECK_BYTES(tacit_cstr(text), TACIT_STR("Sun, 06 Nov 1994 08:49:37 GMT"));
}

/* --- multipart --- */

#define PART(head, body) "--b\r\nContent-Disposition: form-data; " head "\r\n\r\n" body "\r\n"

struct form {
	enum tacit_err err;
	char file[200];
	size_t n, pieces;
	int64_t conversation_id, message_id;
};

static enum tacit_err keep(void *ctx, struct tacit_bytes data)
{
	struct form *f = ctx;
	if (data.n > sizeof(f->file) - f->n)
		return TACIT_E_LIMIT;
	memcpy(f->file + f->n, data.p, data.n);
	f->n += data.n;
	f->pieces++;
	return TACIT_OK;
}

static struct form read_form(const char *body, size_t step)
{
	struct form f = {.err = TACIT_OK};
	struct api_multipart m;
	const struct api_multipart_sink sink = {keep, &f};
	struct tacit_bytes in = tacit_cstr(body);
	CHECK_OK(api_multipart_init(&m, TACIT_STR("multipart/form-data; boundary=b")));
	for (size_t at = 0; at < in.n && f.err == TACIT_OK; at += step)
		f.err = api_multipart_feed(&m, tacit_bytes_part(in, at, step), &sink);
	if (f.err == TACIT_OK)
		f.err = api_multipart_end(&m, &f.conversation_id, &f.message_id);
	return f;
}

/* Cut in every way. */
static void check_form(
        const char *body, enum tacit_err want, const char *file, int64_t conversation_id)
{
	size_t n = strlen(body);
	for (size_t step = 1; step <= n; step++) {
		struct form f = read_form(body, step);
		bool same = (f.err == TACIT_OK) == (want == TACIT_OK);
		if (want == TACIT_OK)
			same = same && f.n == strlen(file) && memcmp(f.file, file, f.n) == 0 &&
			       f.conversation_id == conversation_id;
		if (!CHECK(same)) {
			printf("# step %zu: %s\n", step, body);
			return;
		}
	}
}

static void test_forms(void)
{
	check_form(
	        PART("name=\"file\"; filename=\"x\"", "hello") "--b--\r\n", TACIT_OK, "hello", 0);
	check_form(PART("name=file", "hello") "--b--", TACIT_OK, "hello", 0);
	check_form("preamble\r\n" PART("name=\"conversation_id\"", "42") PART("name=\"file\"", "")
	                   PART("name=\"other\"", "x") "--b--\r\nepilogue",
	        TACIT_OK, "", 42);
	/* What looks like a delimiter and is none belongs to the file. */
	check_form(PART("name=\"file\"", "a\r\n--\r\n-b\r\n--B--b\r\r\n") "--b--", TACIT_OK,
	        "a\r\n--\r\n-b\r\n--B--b\r\r\n", 0);
}

/* Each piece is a write to the disk: a file is not torn at whatever may begin a delimiter. */
static void test_whole_pieces(void)
{
	static const char body[] = PART("name=\"file\"", "a\rb\r\nc\r\n-d\r\n--e\r\r\n--x") "--b--";
	struct form f = read_form(body, sizeof(body));
	CHECK_OK(f.err);
	CHECK_INT((int64_t)f.pieces, 1);
}

static void test_bad_forms(void)
{
	check_form("", TACIT_E_MALFORMED, NULL, 0);
	check_form("--b--\r\n", TACIT_E_MALFORMED, NULL, 0);
	check_form(PART("name=\"file\"", "hello"), TACIT_E_MALFORMED, NULL, 0);
	check_form(PART("name=\"other\"", "x") "--b--", TACIT_E_MALFORMED, NULL, 0);
	check_form(PART("name=\"file\"", "1") PART("name=\"file\"", "2") "--b--", TACIT_E_MALFORMED,
	        NULL, 0);
	check_form(PART("name=\"conversation_id\"", "x") PART("name=\"file\"", "1") "--b--",
	        TACIT_E_MALFORMED, NULL, 0);
	check_form(PART("name=\"conversation_id\"", "111111111111111111111111111")
	                   PART("name=\"file\"", "1") "--b--",
	        TACIT_E_MALFORMED, NULL, 0);
}

static void test_boundaries(void)
{
	struct api_multipart m;
	static const char long_one[] =
	        "multipart/form-data; "
	        "boundary=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	static const char *const bad[] = {"multipart/form-data",
	        "multipart/form-data; boundary=", "multipart/form-data; boundary=\"\"", long_one};
	CHECK_OK(api_multipart_init(
	        &m, TACIT_STR("Multipart/Form-Data; charset=utf-8; boundary=\"a b\"")));
	CHECK_ERR(api_multipart_init(&m, TACIT_STR("application/json")), TACIT_E_UNSUPPORTED);
	CHECK_ERR(api_multipart_init(&m, tacit_bytes(NULL, 0)), TACIT_E_UNSUPPORTED);
	for (size_t i = 0; i < TACIT_COUNT(bad); i++)
		CHECK_ERR(api_multipart_init(&m, tacit_cstr(bad[i])), TACIT_E_MALFORMED);
}

static void test_form_bounds(void)
{
	static char many[8000] = "";
	size_t n = 0;
	for (int i = 0; i <= API_MULTIPART_PARTS; i++)
		n += (size_t)snprintf(
		        many + n, sizeof(many) - n, "%s", PART("name=\"other\"", "x"));
	(void)snprintf(many + n, sizeof(many) - n, "%s", PART("name=\"file\"", "x") "--b--");
	CHECK(read_form(many, n).err != TACIT_OK);
	memset(many, 'x', 5000);
	memcpy(many, "--b\r\n", 5);
	many[5000] = '\0';
	CHECK(read_form(many, 5000).err != TACIT_OK);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"numbers and times in JSON", test_json_numbers},
	        {"base64 as the other one", test_base64},
	        {"base64 is strict", test_base64_is_strict},
	        {"JSON of every kind", test_json},
	        {"JSON of every byte", test_json_every_byte},
	        {"paths", test_paths},
	        {"routes", test_routes},
	        {"ranges", test_ranges},
	        {"entity tags", test_etags},
	        {"tus: numbers", test_tus_numbers},
	        {"tus: checksums", test_tus_checksums},
	        {"tus: checksums over blocks", test_tus_block_checksums},
	        {"tus: sums", test_tus_sums},
	        {"tus: metadata", test_tus_metadata},
	        {"HTTP dates", test_dates},
	        {"forms, however they are cut", test_forms},
	        {"a file comes in whole pieces", test_whole_pieces},
	        {"bad forms", test_bad_forms},
	        {"boundaries", test_boundaries},
	        {"forms have bounds", test_form_bounds},
	};
	tacit_json_init();
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
