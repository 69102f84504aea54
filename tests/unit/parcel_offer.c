/* Offers: what is in them, names made harmless, and those that lie. */
#include "e2e/parcel/parcel.h"

#include <string.h>

#include "parcel_people.h"
#include "support/tap.h"

static enum tacit_err decode_paths(enum tacit_parcel_kind kind, const char *const *paths,
        size_t count, struct tacit_parcel_offer *out)
{
	struct tacit_parcel_entry e[8] = {0};
	struct tacit_buf b = {0};
	struct tacit_parcel_offer o = {.kind = kind, .count = count, .entries = e};
	for (size_t i = 0; i < count; i++) {
		size_t n = strlen(paths[i]);
		e[i].path = paths[i][0] == '+' ? paths[i] + 1 : paths[i];
		e[i].folder = paths[i][0] == '+';
		e[i].size = e[i].folder ? 0 : n;
		o.total += e[i].size;
	}
	CHECK_OK(tacit_parcel_offer_encode(&o, &b));
	enum tacit_err err = tacit_parcel_offer_decode(tacit_buf_view(&b), out);
	tacit_buf_clear(&b);
	return err;
}

#define DECODE(kind, out, ...)                                                                     \
	decode_paths((kind), (const char *const[]){__VA_ARGS__},                                   \
	        TACIT_COUNT(((const char *const[]){__VA_ARGS__})), (out))

static void an_offer_comes_back(void)
{
	struct tacit_parcel_offer o;
	REQUIRE(DECODE(TACIT_PARCEL_FOLDER, &o, "+src", "src/main.c", "+src/.git",
	                "src/.git/config", "+src/a b") == TACIT_OK);
	CHECK_INT(o.count, 5);
	CHECK(strcmp(o.entries[3].path, "src/.git/config") == 0);
	CHECK(o.entries[2].folder && !o.entries[3].folder);
	CHECK_INT(o.total, 10 + 15);
	tacit_parcel_offer_clear(&o);
	REQUIRE(DECODE(TACIT_PARCEL_FILES, &o, "a", "+b", "b/c", "a.b") == TACIT_OK);
	tacit_parcel_offer_clear(&o);
}

static void names_become_safe(void)
{
	struct tacit_parcel_offer o;
	static const char *const pairs[][2] = {{".bashrc", "_bashrc"}, {"-rf", "_rf"},
	        {"a\nb", "a_b"}, {"a\x1b[31m", "a_[31m"}, {"~", "_"}, {"x\\..\\y", "y"},
	        {"\xff\xfe", "__"}, {"CON", "_ON"}};
	for (size_t i = 0; i < TACIT_COUNT(pairs); i++) {
		REQUIRE(DECODE(TACIT_PARCEL_FILE, &o, pairs[i][0]) == TACIT_OK);
		CHECK_BYTES(tacit_cstr(o.entries[0].path), tacit_cstr(pairs[i][1]));
		tacit_parcel_offer_clear(&o);
	}
}

static void paths_that_trick_are_refused(void)
{
	struct tacit_parcel_offer o;
	static const char *const bad[] = {"/etc/passwd", "..", ".", "../x", "a/../b", "a/./b",
	        "a//b", "a/", "", "/", "a/..", "\\", "a/\\"};
	for (size_t i = 0; i < TACIT_COUNT(bad); i++)
		CHECK_ERR(DECODE(TACIT_PARCEL_FILES, &o, bad[i]), TACIT_E_MALFORMED);
	char deep[400];
	for (size_t i = 0; i < 200; i++)
		memcpy(deep + 2 * i, "a/", 2);
	deep[399] = '\0';
	CHECK_ERR(DECODE(TACIT_PARCEL_FILES, &o, deep), TACIT_E_MALFORMED);
	CHECK_ERR(DECODE(TACIT_PARCEL_FILES, &o, "a", "a"), TACIT_E_EXISTS);
	CHECK_ERR(DECODE(TACIT_PARCEL_FILES, &o, "-a", "_a"), TACIT_E_EXISTS);
	CHECK_ERR(DECODE(TACIT_PARCEL_FILES, &o, "a/b", "x", "a"), TACIT_E_MALFORMED);
	CHECK_ERR(DECODE(TACIT_PARCEL_FILE, &o, "a/b"), TACIT_E_MALFORMED);
	CHECK_ERR(DECODE(TACIT_PARCEL_FILE, &o, "a", "b"), TACIT_E_MALFORMED);
	CHECK_ERR(DECODE(TACIT_PARCEL_FILE, &o, "+a"), TACIT_E_MALFORMED);
	CHECK_ERR(DECODE(TACIT_PARCEL_FOLDER, &o, "+a", "b/c"), TACIT_E_MALFORMED);
	CHECK_ERR(DECODE(TACIT_PARCEL_FOLDER, &o, "a/b"), TACIT_E_MALFORMED);
	CHECK_ERR(DECODE(TACIT_PARCEL_TEXT, &o, "a"), TACIT_E_MALFORMED);
}

static void offers_that_lie_are_refused(void)
{
	struct tacit_parcel_offer o;
	struct tacit_buf b = {0};
	offer_file("name", 1000, &b);
	b.p[9]++; /* the total */
	CHECK_ERR(tacit_parcel_offer_decode(tacit_buf_view(&b), &o), TACIT_E_MALFORMED);
	b.p[9]--;
	for (size_t n = 0; n < b.n; n++)
		CHECK(tacit_parcel_offer_decode(tacit_bytes(b.p, n), &o) != TACIT_OK);
	CHECK_OK(tacit_buf_append(&b, TACIT_STR("x")));
	CHECK_ERR(tacit_parcel_offer_decode(tacit_buf_view(&b), &o), TACIT_E_TRAILING);
	b.n--;
	memcpy(b.p + 10, "\x7f\xff\xff\xff", 4); /* a million names */
	CHECK_ERR(tacit_parcel_offer_decode(tacit_buf_view(&b), &o), TACIT_E_TOO_LARGE);
	memcpy(b.p + 10, "\x00\x00\xff\xff", 4); /* more than the bytes can hold */
	CHECK_ERR(tacit_parcel_offer_decode(tacit_buf_view(&b), &o), TACIT_E_TRUNCATED);
	b.p[0] = 2;
	CHECK_ERR(tacit_parcel_offer_decode(tacit_buf_view(&b), &o), TACIT_E_UNSUPPORTED);
	tacit_buf_clear(&b);
	struct tacit_parcel_offer text = {
	        .kind = TACIT_PARCEL_TEXT, .total = TACIT_PARCEL_MAX_TEXT + 1};
	CHECK_OK(tacit_parcel_offer_encode(&text, &b));
	CHECK_ERR(tacit_parcel_offer_decode(tacit_buf_view(&b), &o), TACIT_E_MALFORMED);
	tacit_buf_clear(&b);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"an offer comes back", an_offer_comes_back},
	        {"names become safe", names_become_safe},
	        {"paths that trick are refused", paths_that_trick_are_refused},
	        {"offers that lie are refused", offers_that_lie_are_refused},
	};
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
