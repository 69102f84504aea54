#include "wire/json.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/tap.h"
#include "wire/limits.h"

static enum tacit_err parse(const char *text)
{
	json_t *value;
	enum tacit_err err = tacit_json_parse(tacit_cstr(text), &value);
	CHECK((err == TACIT_OK) == (value != NULL));
	json_decref(value);
	return err;
}

static void accepts_any_json(void)
{
	CHECK_OK(parse("{}"));
	CHECK_OK(parse("null"));
	CHECK_OK(parse(" [1, -2.5e3, \"\\u00fc\", true, {\"a\": {}}] "));
	CHECK_OK(parse("\"a string with [[[[[[[[[[[[[[[[[[[[[[ brackets \\\" [\""));
}

static void refuses_what_is_not_strict(void)
{
	CHECK_ERR(parse(""), TACIT_E_MALFORMED);
	CHECK_ERR(parse("{\"a\":1,\"a\":2}"), TACIT_E_MALFORMED);
	CHECK_ERR(parse("{\"a\":1,\"\\u0061\":2}"), TACIT_E_MALFORMED);
	CHECK_ERR(parse("{\"a\":1}x"), TACIT_E_MALFORMED);
	CHECK_ERR(parse("{\"a\":1,}"), TACIT_E_MALFORMED);
	CHECK_ERR(parse("{'a':1}"), TACIT_E_MALFORMED);
	CHECK_ERR(parse("\"\\u0000\""), TACIT_E_MALFORMED);
	CHECK_ERR(parse("{\"\\u0000\":1}"), TACIT_E_MALFORMED);
	CHECK_ERR(parse("\"\xff\""), TACIT_E_MALFORMED);
	CHECK_ERR(parse("01"), TACIT_E_MALFORMED);
	CHECK_ERR(parse("99999999999999999999"), TACIT_E_MALFORMED);
	json_t *value;
	CHECK_ERR(tacit_json_parse(tacit_bytes("[1\0]", 4), &value), TACIT_E_MALFORMED);
}

static void depth_and_size_are_bounded(void)
{
	char text[2 * (TACIT_MAX_JSON_DEPTH + 1) + 1] = {0};
	memset(text, '[', TACIT_MAX_JSON_DEPTH);
	memset(text + TACIT_MAX_JSON_DEPTH, ']', TACIT_MAX_JSON_DEPTH);
	CHECK_OK(parse(text));
	memset(text, '[', TACIT_MAX_JSON_DEPTH + 1);
	memset(text + TACIT_MAX_JSON_DEPTH + 1, ']', TACIT_MAX_JSON_DEPTH + 1);
	CHECK_ERR(parse(text), TACIT_E_TOO_LARGE);

	struct tacit_buf big = {0};
	json_t *value;
	CHECK_OK(tacit_buf_reserve(&big, TACIT_MAX_JSON_BODY + 1));
	memset(big.p, ' ', TACIT_MAX_JSON_BODY + 1);
	big.p[0] = '1';
	CHECK_ERR(tacit_json_parse(tacit_bytes(big.p, TACIT_MAX_JSON_BODY + 1), &value),
	        TACIT_E_TOO_LARGE);
	CHECK_OK(tacit_json_parse(tacit_bytes(big.p, TACIT_MAX_JSON_BODY), &value));
	json_decref(value);
	tacit_buf_clear(&big);
}

static void getters_check_type_and_range(void)
{
	json_t *o;
	struct tacit_bytes text;
	int64_t n = 7;
	REQUIRE(tacit_json_parse(
	                TACIT_STR("{\"s\":\"word\",\"e\":\"\",\"n\":5,\"r\":5.0,\"z\":null}"),
	                &o) == TACIT_OK);
	CHECK_OK(tacit_json_text(o, "s", TACIT_REQUIRED, 4, &text));
	CHECK_BYTES(text, TACIT_STR("word"));
	CHECK_OK(tacit_json_text(o, "e", TACIT_REQUIRED, 4, &text));
	CHECK(text.p != NULL && text.n == 0);
	CHECK_ERR(tacit_json_text(o, "s", TACIT_REQUIRED, 3, &text), TACIT_E_TOO_LARGE);
	CHECK_ERR(tacit_json_text(o, "n", TACIT_OPTIONAL, 3, &text), TACIT_E_MALFORMED);
	CHECK_ERR(tacit_json_text(o, "z", TACIT_REQUIRED, 3, &text), TACIT_E_MALFORMED);
	CHECK_ERR(tacit_json_text(NULL, "s", TACIT_REQUIRED, 3, &text), TACIT_E_MALFORMED);
	CHECK_OK(tacit_json_text(o, "z", TACIT_OPTIONAL, 3, &text));
	CHECK(text.p == NULL);
	CHECK_OK(tacit_json_integer(o, "none", TACIT_OPTIONAL, 0, 9, &n));
	CHECK_INT(n, 7);
	CHECK_OK(tacit_json_integer(o, "n", TACIT_REQUIRED, 5, 5, &n));
	CHECK_INT(n, 5);
	CHECK_ERR(tacit_json_integer(o, "n", TACIT_REQUIRED, 6, 9, &n), TACIT_E_MALFORMED);
	CHECK_ERR(tacit_json_integer(o, "r", TACIT_REQUIRED, 0, 9, &n), TACIT_E_MALFORMED);
	CHECK_ERR(tacit_json_integer(o, "s", TACIT_REQUIRED, 0, 9, &n), TACIT_E_MALFORMED);
	json_decref(o);
}

static enum tacit_err build_and_write(struct tacit_buf *out)
{
	enum tacit_err err;
	json_t *o = json_object();
	TRY(o != NULL ? TACIT_OK : TACIT_E_NOMEM);
	TRY(tacit_json_set_text(o, "name", TACIT_STR("gr\xc3\xbc\xc3\x9f \"dich\"\n")));
	TRY(tacit_json_set_text(o, "empty", tacit_bytes(NULL, 0)));
	TRY(tacit_json_write(o, out));
out:
	json_decref(o);
	return err;
}

static void writes_compact_json(void)
{
	struct tacit_buf out = {0};
	CHECK_OK(build_and_write(&out));
	CHECK_BYTES(tacit_buf_view(&out),
	        TACIT_STR("{\"name\":\"gr\xc3\xbc\xc3\x9f \\\"dich\\\"\\n\",\"empty\":\"\"}"));
	json_t *o = json_object();
	CHECK_ERR(tacit_json_set_text(o, "x", TACIT_STR("\xc0\x80")), TACIT_E_MALFORMED);
	CHECK_ERR(tacit_json_set_text(o, "x", TACIT_STR("a\0b")), TACIT_E_MALFORMED);
	CHECK_INT(json_object_size(o), 0);
	json_decref(o);
	tacit_buf_clear(&out);
}

static enum tacit_err parse_and_write(void)
{
	enum tacit_err err;
	json_t *value = NULL;
	struct tacit_buf out = {0};
	TRY(tacit_json_parse(
	        TACIT_STR("{\"a\":[1,2.5,\"x\\u00e9\",null],\"b\":{\"c\":\"d\"}}"), &value));
	TRY(tacit_json_write(value, &out));
	TRY(build_and_write(&out));
out:
	json_decref(value);
	tacit_buf_clear(&out);
	return err;
}

/* How often the marker stands in what malloc manages, freed or not. Under a sanitizer that is
 * elsewhere, and nothing is found in any case. */
#ifdef __wasm__ /* where all of the memory is there to be read */
static size_t left_in_heap(const uint8_t *marker, size_t n)
{
	extern const uint8_t __heap_base;
	size_t found = 0, end = __builtin_wasm_memory_size(0) * 65536;
	for (const uint8_t *at = &__heap_base; (size_t)at + n <= end; at++)
		found += memcmp(at, marker, n) == 0;
	return found;
}
#else
static size_t left_in_heap(const uint8_t *marker, size_t n)
{
	static uint8_t room[1 << 16];
	char line[512];
	unsigned long from = 0, to = 0;
	size_t found = 0;
	int maps = open("/proc/self/maps", O_RDONLY), mem = open("/proc/self/mem", O_RDONLY);
	for (size_t at = 0; maps >= 0 && read(maps, line + at, 1) == 1;) {
		at = line[at] == '\n' || at + 2 > sizeof(line) ? 0 : at + 1;
		line[at] = at == 0 ? line[0] : 0;
		if (at > 6 && strcmp(line + at - 6, "[heap]") == 0)
			sscanf(line, "%lx-%lx", &from, &to);
	}
	for (; mem >= 0 && from < to; from += sizeof(room) / 2) {
		ssize_t got = pread(mem, room, sizeof(room), (off_t)from);
		for (ssize_t i = 0; i + (ssize_t)n <= got && i < (ssize_t)sizeof(room) / 2; i++)
			found += memcmp(room + i, marker, n) == 0;
	}
	close(maps);
	close(mem);
	return found;
}
#endif

static void leaves_nothing_in_memory(void)
{
	uint8_t marker[64];
	char text[120];
	struct tacit_buf out = {0};
	json_t *value = NULL;
	for (size_t i = 0; i < sizeof(marker); i++)
		marker[i] = (uint8_t)('A' + i * 7 % 26);
	snprintf(text, sizeof(text), "{\"secret\":\"%.64s\"}", (const char *)marker);
	CHECK_OK(tacit_json_parse(tacit_cstr(text), &value));
	CHECK_OK(tacit_json_write(value, &out));
	json_decref(value);
	tacit_buf_clear(&out);
	/* malloc itself writes into the beginning of what is free. */
	CHECK_INT(left_in_heap(marker + 32, 24), 0);
}

static void survives_no_memory(void)
{
	tap_alloc_sweep(parse_and_write);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"accepts any JSON", accepts_any_json},
	        {"refuses what is not strict", refuses_what_is_not_strict},
	        {"depth and size are bounded", depth_and_size_are_bounded},
	        {"getters check type and range", getters_check_type_and_range},
	        {"writes compact JSON", writes_compact_json},
	        {"leaves nothing in memory", leaves_nothing_in_memory},
	        {"survives no memory", survives_no_memory},
	};
	tacit_json_init();
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
