/* The object of a request: whichever way it is read, a handler finds the same in it. */
#include "server/api/object.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "support/tap.h"
#include "wire/limits.h"

/* A body, as api_call_new places it: in a room that ends where it ends. */
struct placed {
	uint8_t *room;
	struct tacit_bytes body;
};

static struct placed place(struct tacit_bytes body)
{
	size_t before = sizeof(API_OBJECT_BEFORE) - 1, after = sizeof(API_OBJECT_AFTER) - 1;
	struct placed p = {tacit_alloc(before + body.n + after), {NULL, 0}};
	if (p.room == NULL)
		abort(); /* nothing can be shown without it */
	memcpy(p.room, API_OBJECT_BEFORE, before);
	if (body.n > 0)
		memcpy(p.room + before, body.p, body.n);
	memcpy(p.room + before + body.n, API_OBJECT_AFTER, after);
	p.body = tacit_bytes(p.room + before, body.n);
	return p;
}

static const char *const names[] = {
        "content", "encrypted_content", "client_id", "n", "list", "iv", "", "absent"};
static const size_t most[] = {0, 2, 3, 4, 100};

static bool same_text(const struct api_object *a, const struct api_object *b, const char *name,
        enum tacit_presence presence)
{
	bool same = true;
	for (size_t i = 0; i < TACIT_COUNT(most); i++) {
		struct tacit_bytes x, y;
		enum tacit_err of_a = api_object_text(a, name, presence, most[i], &x);
		enum tacit_err of_b = api_object_text(b, name, presence, most[i], &y);
		same &= of_a == of_b && tacit_bytes_eq(x, y) && (x.p == NULL) == (y.p == NULL);
	}
	return same;
}

static bool same_rest(const struct api_object *a, const struct api_object *b, const char *name,
        enum tacit_presence presence)
{
	int64_t n = -7, m = -7;
	const json_t *x, *y;
	enum tacit_err of_a = api_object_integer(a, name, presence, 1, &n);
	enum tacit_err of_b = api_object_integer(b, name, presence, 1, &m);
	bool same = of_a == of_b && n == m;
	of_a = api_object_array(a, name, presence, &x);
	of_b = api_object_array(b, name, presence, &y);
	return same && of_a == of_b && x == NULL && y == NULL && /* arrays are never flat */
	       api_object_has(a, name) == api_object_has(b, name);
}

static bool same_members(const struct api_object *a, const struct api_object *b)
{
	bool same = true;
	for (size_t i = 0; i < TACIT_COUNT(names); i++)
		for (int p = TACIT_REQUIRED; p <= TACIT_OPTIONAL; p++)
			same &= same_text(a, b, names[i], (enum tacit_presence)p) &&
			        same_rest(a, b, names[i], (enum tacit_presence)p);
	return same;
}

static void flat_ones_are_read_as_a_tree_reads_them(void)
{
	static const char *const bodies[] = {"{}", " { } \r\n", "{\"content\":\"QUJD\"}",
	        "{\"content\":\"\"}", "{\"content\":null}", "{\"content\":7}",
	        "{\"content\":\"QUJD\",\"client_id\":\"a-1\"}",
	        "{\"content\":\"QUJD\",\"encrypted_content\":\"x\"}",
	        "{\"encrypted_content\":null}", "{\"encrypted_content\":\"[1,2]\",\"iv\":\"\"}",
	        "{\"list\":\"no\"}", "{\"list\":null}", "{\"list\":1}", "{\"n\":1}", "{\"n\":0}",
	        "{\"n\":-5}", "{\"n\":9007199254740991}", "{\"n\":9007199254740992}",
	        "{\"n\":999999999999999999}", "{\"n\":\"1\"}", "{\"n\":null}",
	        "{\"x\":\"a\xc3\xa9\",\"content\":\"\xf0\x9f\x90\xa6\"}",
	        "{\"unknown\":1,\"more\":\"}],[{\",\"n\":3}", "{\"signature\":\"00\"}"};
	for (size_t i = 0; i < TACIT_COUNT(bodies); i++) {
		struct tacit_flat flat;
		json_t *json = NULL;
		struct placed p = place(tacit_cstr(bodies[i]));
		bool same = CHECK(api_object_flat(p.body, &flat)) &&
		            CHECK_OK(tacit_json_parse(p.body, &json)) &&
		            CHECK(json_is_object(json)) &&
		            CHECK(same_members(&(struct api_object){.flat = &flat},
		                    &(struct api_object){.tree = json}));
		if (!same)
			printf("# %s\n", bodies[i]);
		json_decref(json);
		tacit_free(p.room);
	}
}

/* Bad ones above all: what is wrong with them, the tree knows. */
static void all_others_are_left_to_the_tree(void)
{
	static const char *const bodies[] = {"", " ", "7", "null", "\"a\"", "[]", "[{}]", "{", "}",
	        "{}]", "{}],[", "{}],[\"\",{}", "{},{}", "{},1", "{}{}", "{}x", "\"\",{}",
	        "{\"content\":\"QUJD\"", "{\"content\":\"QUJD", "{\"content\":\"QUJD\",}",
	        "{\"content\" \"QUJD\"}", "{content:\"QUJD\"}",
	        "{\"content\":\"QUJD\",\"content\":\"QUJE\"}",
	        "{\"content\":\"QUJD\",\"cont\\u0065nt\":\"QUJE\"}",
	        "{\"content\":\"QUJD\\u0000\"}", "{\"content\":\"\\u0051UJD\"}",
	        "{\"content\":\"a\nb\"}", "{\"content\":\"\x80\"}", "{\"content\":\"\xc3\"}",
	        "{\"content\":\"\xed\xa0\x80\"}", "{\"content\":\"\xc0\xaf\"}",
	        "{\"con\xfftent\":1}", "{\"n\":1.0}", "{\"n\":1e2}", "{\"n\":01}", "{\"n\":-0}",
	        "{\"n\":--1}", "{\"n\":1000000000000000000}", "{\"n\":true}", "{\"list\":[]}",
	        "{\"list\":{}}", "{\"list\":[\"a\",\"b\"]}", "{\"\":1}",
	        "{\"data\":{},\"timestamp\":1,\"signature\":\"00\"}",
	        "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1}"};
	for (size_t i = 0; i < TACIT_COUNT(bodies); i++) {
		struct tacit_flat flat;
		struct placed p = place(tacit_cstr(bodies[i]));
		if (!CHECK(!api_object_flat(p.body, &flat)))
			printf("# %s\n", bodies[i]);
		tacit_free(p.room);
	}
	struct tacit_flat flat;
	struct placed nul = place(tacit_bytes("{\"content\":\"a\0b\"}", 17));
	CHECK(!api_object_flat(nul.body, &flat));
	tacit_free(nul.room);
}

static void a_tree_has_arrays(void)
{
	json_t *json = NULL;
	const json_t *list;
	REQUIRE(tacit_json_parse(TACIT_STR("{\"list\":[1,2],\"n\":7}"), &json) == TACIT_OK);
	const struct api_object o = {.tree = json};
	CHECK_OK(api_object_array(&o, "list", TACIT_REQUIRED, &list));
	CHECK_INT(json_array_size(list), 2);
	CHECK_ERR(api_object_array(&o, "n", TACIT_OPTIONAL, &list), TACIT_E_MALFORMED);
	CHECK(list == NULL);
	json_decref(json);
}

/* A request without a body. */
static void nothing_is_in_none(void)
{
	const struct api_object none = {0};
	struct tacit_bytes text;
	const json_t *list;
	CHECK(!api_object_has(&none, "content"));
	CHECK_ERR(api_object_text(&none, "content", TACIT_REQUIRED, 9, &text), TACIT_E_MALFORMED);
	CHECK_OK(api_object_text(&none, "content", TACIT_OPTIONAL, 9, &text));
	CHECK(text.p == NULL);
	CHECK_OK(api_object_array(&none, "content", TACIT_OPTIONAL, &list));
	CHECK_ERR(api_object_array(&none, "content", TACIT_REQUIRED, &list), TACIT_E_MALFORMED);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"flat ones are read as a tree reads them",
	                flat_ones_are_read_as_a_tree_reads_them},
	        {"all others are left to the tree", all_others_are_left_to_the_tree},
	        {"a tree has arrays", a_tree_has_arrays},
	        {"nothing is in none", nothing_is_in_none},
	};
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
