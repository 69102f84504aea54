/* Flat events: what is taken is read as json.h reads it, and the rest is left to it. */
#include "wire/flat.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "support/tap.h"
#include "wire/sio.h"

static void what_is_sent_most(void)
{
	struct tacit_flat f;
	struct tacit_bytes text;
	int64_t n = 0;
	CHECK(tacit_flat_read(
	        TACIT_STR(" [ \"send_message\" ,\t{\"room_id\": 7,\r\n\"text\":\"\xc3\xa9 x\","
	                  "\"iv\":null , \"less\":-12,\"none\":0}]\n"),
	        &f));
	CHECK_BYTES(f.name, TACIT_STR("send_message"));
	CHECK_INT(f.count, 5);
	CHECK_OK(tacit_flat_integer(&f, "room_id", TACIT_REQUIRED, 1, 9, &n));
	CHECK_INT(n, 7);
	CHECK_OK(tacit_flat_integer(&f, "less", TACIT_REQUIRED, -99, 9, &n));
	CHECK_INT(n, -12);
	CHECK_ERR(tacit_flat_integer(&f, "room_id", TACIT_REQUIRED, 8, 9, &n), TACIT_E_MALFORMED);
	CHECK_ERR(tacit_flat_integer(&f, "room_id", TACIT_REQUIRED, 1, 6, &n), TACIT_E_MALFORMED);
	CHECK_ERR(tacit_flat_integer(&f, "text", TACIT_REQUIRED, 1, 6, &n), TACIT_E_MALFORMED);
	CHECK_OK(tacit_flat_text(&f, "text", TACIT_REQUIRED, 4, &text));
	CHECK_BYTES(text, TACIT_STR("\xc3\xa9 x"));
	CHECK_ERR(tacit_flat_text(&f, "text", TACIT_REQUIRED, 3, &text), TACIT_E_TOO_LARGE);
	CHECK_ERR(tacit_flat_text(&f, "room_id", TACIT_REQUIRED, 9, &text), TACIT_E_MALFORMED);
	CHECK(text.p == NULL);
	CHECK_OK(tacit_flat_text(&f, "iv", TACIT_OPTIONAL, 9, &text)); /* null is not there */
	CHECK(text.p == NULL);
	CHECK_ERR(tacit_flat_text(&f, "iv", TACIT_REQUIRED, 9, &text), TACIT_E_MALFORMED);
	CHECK_ERR(tacit_flat_integer(&f, "other", TACIT_REQUIRED, 0, 9, &n), TACIT_E_MALFORMED);
	CHECK_OK(tacit_flat_integer(&f, "other", TACIT_OPTIONAL, 0, 9, &n));
	CHECK(tacit_flat_find(&f, "iv") != NULL && tacit_flat_find(&f, "other") == NULL);
	CHECK(tacit_flat_read(TACIT_STR("[\"\",{}]"), &f));
	CHECK_INT(f.count, 0);
}

static void what_is_left_to_others(void)
{
	static const char *const texts[] = {"", "[", "[]", "{}", "[\"a\"]", "[\"a\",{}",
	        "[\"a\",{}]]", "[\"a\",{},1]", "[\"a\",{}]x", "[a,{}]", "[\"a\" {}]",
	        "[\"a\",{\"b\"}]", "[\"a\",{\"b\":}]", "[\"a\",{\"b\":1,}]",
	        "[\"a\",{\"b\":1 \"c\":2}]", "[\"a\",{\"b\":\"\\u0041\"}]", "[\"a\\n\",{}]",
	        "[\"a\",{\"b\\n\":1}]", "[\"a\",{\"b\":\"\n\"}]", "[\"a\",{\"b\":\"\x80\"}]",
	        "[\"a\",{\"\x80\":1}]", "[\"a\",{\"b\":\"c]", "[\"a\",{\"b\":1,\"b\":2}]",
	        "[\"a\",{\"\":1}]", "[\"a\",{\"b\":[]}]", "[\"a\",{\"b\":{}}]",
	        "[\"a\",{\"b\":true}]", "[\"a\",{\"b\":nul}]", "[\"a\",{\"b\":nullx}]",
	        "[\"a\",{\"b\":1.0}]", "[\"a\",{\"b\":1e3}]", "[\"a\",{\"b\":01}]",
	        "[\"a\",{\"b\":-0}]", "[\"a\",{\"b\":-}]", "[\"a\",{\"b\":+1}]", "[\"a\",{\"b\":1",
	        "[\"a\",{\"b\":n", "[\"a\",{\"b\":1234567890123456789}]",
	        "[\"a\",{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1}]"};
	struct tacit_flat f;
	for (size_t i = 0; i < TACIT_COUNT(texts); i++)
		if (!CHECK(!tacit_flat_read(tacit_cstr(texts[i]), &f)))
			printf("# %s\n", texts[i]);
	CHECK(!tacit_flat_read(tacit_bytes("[\"a\",{\"b\":\"\0\"}]", 15), &f));
}

/* Not even the last byte is looked for behind the end. */
static void every_beginning_is_refused(void)
{
	static const char text[] = "[\"send\",{\"room\":12,\"text\":\"abc\",\"none\":null}]";
	struct tacit_flat f;
	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		char *part = tacit_alloc(n + 1); /* its end is guarded where memory is checked */
		REQUIRE(part != NULL);
		memcpy(part + 1, text, n);
		CHECK(!tacit_flat_read(tacit_bytes(part + 1, n), &f));
		tacit_free(part);
	}
	CHECK(tacit_flat_read(tacit_bytes(text, sizeof(text) - 1), &f));
}

static bool is_flat(const char *packet)
{
	struct tacit_sio_packet p;
	struct tacit_flat f;
	return CHECK_OK(tacit_sio_parse(tacit_cstr(packet), &p)) && tacit_sio_flat(&p, &f);
}

static void only_events_are_flat(void)
{
	CHECK(is_flat("2[\"a\",{}]"));
	CHECK(is_flat("27[\"a\",{\"b\":1}]"));
	CHECK(!is_flat("2[\"connect\",{}]")); /* reserved */
	CHECK(!is_flat("2[\"a\",[]]"));
	CHECK(!is_flat("37[\"a\",{}]"));
	CHECK(!is_flat("51-[\"a\",{}]"));
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"what is sent most", what_is_sent_most},
	        {"what is left to others", what_is_left_to_others},
	        {"every beginning is refused", every_beginning_is_refused},
	        {"only events are flat", only_events_are_flat},
	};
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
