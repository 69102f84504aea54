/* Columns, clusters and lines: cells.h, wrap.h. */
#include "cli/screen/cells.h"

#include <string.h>

#include "cli/screen/wrap.h"
#include "cli/term.h"
#include "support/tap.h"

#define FAMILY "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7" /* woman, joiner, girl */
#define FLAG "\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa"               /* regional indicators D, E */
#define FLAGS FLAG FLAG
#define HAN "\xe6\xbc\xa2\xe5\xad\x97" /* two of two columns each */
#define E_ACUTE "e\xcc\x81"            /* e and a combining accent */

static void columns_are_those_of_the_terminal(void)
{
	CHECK_INT(cells_columns(TACIT_STR("abc")), 3);
	CHECK_INT(cells_columns(TACIT_STR(HAN)), 4);
	CHECK_INT(cells_columns(TACIT_STR(E_ACUTE)), 1);
	CHECK_INT(cells_columns(TACIT_STR("")), 0);
	CHECK_INT(cells_columns(TACIT_STR("\xff\x1b")), 2); /* each shown as a box */
}

static void what_cannot_be_shown_is_a_box(void)
{
	wchar_t shown;
	size_t columns;
	CHECK_INT(cells_next(TACIT_STR("\x1b[2J"), &shown, &columns), 1);
	CHECK_INT(shown, 0xfffd);
	CHECK_INT(columns, 1);
	CHECK_INT(cells_next(TACIT_STR("\xe2\x80\xae"), &shown, &columns), 3); /* U+202E */
	CHECK_INT(shown, 0xfffd);
	CHECK_INT(cells_next(TACIT_STR("\xff"), &shown, &columns), 1);
	CHECK_INT(shown, 0xfffd);
	CHECK_INT(cells_next(TACIT_STR(""), &shown, &columns), 0);
}

static void a_front_ends_between_clusters(void)
{
	CHECK_INT(cells_fit(TACIT_STR("abc"), 2), 2);
	CHECK_INT(cells_fit(TACIT_STR("abc"), 9), 3);
	CHECK_INT(cells_fit(TACIT_STR(HAN), 3), 3);
	CHECK_INT(cells_fit(TACIT_STR(HAN), 1), 0);
	CHECK_INT(cells_fit(TACIT_STR(E_ACUTE "x"), 1), 3);
	CHECK_INT(cells_fit(TACIT_STR(FAMILY), 3), 0); /* never half a family */
}

static void a_cursor_moves_by_clusters(void)
{
	struct tacit_bytes text = TACIT_STR("a" E_ACUTE FAMILY "b");
	const size_t ends[] = {1, 4, 15, 16};
	size_t at = 0;
	for (size_t i = 0; i < TACIT_COUNT(ends); i++) {
		at = cells_after(text, at);
		CHECK_INT(at, ends[i]);
	}
	CHECK_INT(cells_after(text, at), 16);
	for (size_t i = TACIT_COUNT(ends); i > 0; i--) {
		at = cells_before(text, at);
		CHECK_INT(at, i > 1 ? ends[i - 2] : 0);
	}
	CHECK_INT(cells_before(text, 0), 0);
}

/* --- lines ----------------------------------------------------------------------------------- */

static void wraps(enum wrap_where where, const char *text, size_t width, const char *want)
{
	char got[512] = "";
	size_t n = 0;
	struct wrap w = {tacit_cstr(text), width, where, false};
	struct tacit_bytes line;
	while (wrap_next(&w, &line) && n + line.n + 2 < sizeof(got)) {
		if (line.n > 0)
			memcpy(got + n, line.p, line.n);
		n += line.n;
		got[n++] = '|';
	}
	CHECK_BYTES(tacit_bytes(got, n), tacit_cstr(want));
}

static void words_stay_whole(void)
{
	wraps(WRAP_WORDS, "the quick brown fox", 10, "the quick|brown fox|");
	wraps(WRAP_WORDS, "the quick brown fox", 9, "the quick|brown fox|");
	wraps(WRAP_WORDS, "the quick  brown", 9, "the quick|brown|");
	wraps(WRAP_WORDS, "", 9, "|");
	wraps(WRAP_WORDS, "exact", 5, "exact|");
	wraps(WRAP_WORDS, "exact ", 5, "exact|");
	wraps(WRAP_WORDS, "a\n\n  b\n", 9, "a||  b||");
}

static void long_words_are_broken(void)
{
	wraps(WRAP_WORDS, "abcdefghij", 4, "abcd|efgh|ij|");
	wraps(WRAP_WORDS, "ab cdefghij", 4, "ab|cdef|ghij|");
	wraps(WRAP_WORDS, HAN HAN, 5, HAN "|" HAN "|");
	wraps(WRAP_WORDS, "x" HAN, 4, "x\xe6\xbc\xa2|\xe5\xad\x97|");
}

static void what_is_too_wide_stands_alone(void)
{
	wraps(WRAP_WORDS, HAN, 1, "\xe6\xbc\xa2|\xe5\xad\x97|");
	wraps(WRAP_COLUMN, HAN, 0, "\xe6\xbc\xa2|\xe5\xad\x97|");
	wraps(WRAP_WORDS, FAMILY "x", 1, FAMILY "|x|");
	wraps(WRAP_WORDS, FLAGS, 3, FLAG "|" FLAG "|");
}

static void typed_text_loses_nothing(void)
{
	wraps(WRAP_COLUMN, "the quick brown", 5, "the q|uick |brown|");
	wraps(WRAP_COLUMN, "abc\nd", 3, "abc|d|");
	wraps(WRAP_COLUMN, "abc\n", 3, "abc||");
	CHECK_INT(wrap_count(TACIT_STR("a\nb\n"), 10, WRAP_COLUMN), 3);
}

/* Whatever comes, the lines end, and hold every byte but spaces and line feeds. */
static void any_text_is_wrapped_to_its_end(void)
{
	static const char *const parts[] = {
	        "a", " ", "\n", HAN, E_ACUTE, FAMILY, "\xcc\x81\xcc\x81", "word ", "\xe2\x80\x8d"};
	uint32_t seed = 1;
	for (int round = 0; round < 300; round++) {
		char text[400] = "";
		size_t n = 0;
		size_t solid = 0;
		while (n + 16 < sizeof(text)) {
			seed = seed * 1664525 + 1013904223;
			const char *part = parts[(seed >> 16) % TACIT_COUNT(parts)];
			memcpy(text + n, part, strlen(part));
			n += strlen(part);
		}
		for (size_t i = 0; i < n; i++)
			solid += text[i] != ' ' && text[i] != '\n';
		struct wrap w = {tacit_bytes(text, n), (size_t)round % 20, WRAP_WORDS, false};
		struct tacit_bytes line;
		while (wrap_next(&w, &line))
			for (size_t i = 0; i < line.n; i++)
				solid -= line.p[i] != ' ';
		CHECK_INT(solid, 0);
	}
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"columns are those of the terminal", columns_are_those_of_the_terminal},
	        {"what cannot be shown is a box", what_cannot_be_shown_is_a_box},
	        {"a front ends between clusters", a_front_ends_between_clusters},
	        {"a cursor moves by clusters", a_cursor_moves_by_clusters},
	        {"words stay whole", words_stay_whole},
	        {"long words are broken", long_words_are_broken},
	        {"what is too wide stands alone", what_is_too_wide_stands_alone},
	        {"typed text loses nothing", typed_text_loses_nothing},
	        {"any text is wrapped to its end", any_text_is_wrapped_to_its_end},
	};
	term_init();
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
