/* The text that is being typed: edit.h. */
#include "cli/screen/edit.h"

#include <string.h>

#include "cli/term.h"
#include "support/tap.h"
#include "wire/limits.h"

#define HAN "\xe6\xbc\xa2"

static void type(struct edit *e, const char *text)
{
	for (; *text != '\0'; text++)
		CHECK_OK(edit_insert(e, tacit_bytes(text, 1)));
}

#define HOLDS(e, text, at)                                                                         \
	do {                                                                                       \
		CHECK_BYTES(edit_text(e), TACIT_STR(text));                                        \
		CHECK_INT((e)->now.cursor, at);                                                    \
	} while (0)

static void text_is_typed_and_mended(void)
{
	struct edit e = {0};
	type(&e, "helo");
	CHECK_OK(edit_move(&e, EDIT_LEFT));
	type(&e, "l");
	HOLDS(&e, "hello", 4);
	CHECK_OK(edit_move(&e, EDIT_LINE_END));
	CHECK_OK(edit_insert(&e, TACIT_STR(HAN)));
	CHECK_OK(edit_delete(&e, EDIT_LEFT));
	HOLDS(&e, "hello", 5);
	CHECK_OK(edit_move(&e, EDIT_LINE_START));
	CHECK_OK(edit_delete(&e, EDIT_RIGHT));
	CHECK_OK(edit_delete(&e, EDIT_LEFT));
	HOLDS(&e, "ello", 0);
	edit_clear(&e);
}

static void nothing_harmful_is_taken(void)
{
	struct edit e = {0};
	static char big[TACIT_MAX_TEXT + 1];
	memset(big, 'x', sizeof(big));
	CHECK_ERR(edit_insert(&e, TACIT_STR("a\x1b[2J")), TACIT_E_MALFORMED);
	CHECK_ERR(edit_insert(&e, TACIT_STR("\xff")), TACIT_E_MALFORMED);
	CHECK_ERR(edit_insert(&e, tacit_bytes(big, sizeof(big))), TACIT_E_TOO_LARGE);
	CHECK_ERR(edit_set(&e, TACIT_STR("\xc0\x80")), TACIT_E_MALFORMED);
	HOLDS(&e, "", 0);
	CHECK_OK(edit_insert(&e, tacit_bytes(big, TACIT_MAX_TEXT)));
	CHECK_ERR(edit_insert(&e, TACIT_STR("y")), TACIT_E_TOO_LARGE);
	CHECK_INT(edit_text(&e).n, TACIT_MAX_TEXT);
	edit_clear(&e);
}

static void a_paste_is_cleaned(void)
{
	struct edit e = {0};
	static char big[2 * TACIT_MAX_TEXT];
	memset(big, 'x', sizeof(big));
	CHECK_OK(edit_paste(&e, TACIT_STR("one\r\ntwo\rthree\tfour\x1b\x07\xff end")));
	HOLDS(&e, "one\ntwo\nthree four end", 22);
	CHECK_OK(edit_paste(&e, tacit_bytes(big, sizeof(big))));
	CHECK_INT(edit_text(&e).n, TACIT_MAX_TEXT);
	edit_undo(&e);
	HOLDS(&e, "one\ntwo\nthree four end", 22);
	edit_undo(&e);
	HOLDS(&e, "", 0);
	edit_clear(&e);
}

static void words_and_lines_are_killed_and_put_back(void)
{
	struct edit e = {0};
	type(&e, "one two, three");
	CHECK_OK(edit_kill(&e, EDIT_WORD_LEFT));
	HOLDS(&e, "one two, ", 9);
	CHECK_OK(edit_kill(&e, EDIT_WORD_LEFT));
	HOLDS(&e, "one ", 4);
	CHECK_OK(edit_move(&e, EDIT_WORD_LEFT));
	CHECK_OK(edit_yank(&e));
	HOLDS(&e, "two, one ", 5);
	CHECK_OK(edit_kill(&e, EDIT_LINE_END));
	CHECK_OK(edit_kill(&e, EDIT_LINE_START));
	HOLDS(&e, "", 0);
	CHECK_OK(edit_yank(&e));
	HOLDS(&e, "two, ", 5);
	CHECK_OK(edit_kill_all(&e));
	HOLDS(&e, "", 0);
	CHECK_OK(edit_kill(&e, EDIT_WORD_LEFT)); /* nothing there: what was killed stays */
	CHECK_OK(edit_yank(&e));
	HOLDS(&e, "two, ", 5);
	edit_clear(&e);
}

static void a_line_feed_is_killed_at_its_end(void)
{
	struct edit e = {0};
	CHECK_OK(edit_set(&e, TACIT_STR("a\nb")));
	CHECK_OK(edit_move(&e, EDIT_UP));
	HOLDS(&e, "a\nb", 1);
	CHECK_OK(edit_kill(&e, EDIT_LINE_END));
	HOLDS(&e, "ab", 1);
	edit_clear(&e);
}

static void changes_are_undone(void)
{
	struct edit e = {0};
	type(&e, "hello world");
	CHECK_OK(edit_kill(&e, EDIT_WORD_LEFT));
	edit_undo(&e);
	HOLDS(&e, "hello world", 11);
	edit_undo(&e);
	HOLDS(&e, "hello ", 6); /* a word is one step */
	edit_undo(&e);
	HOLDS(&e, "", 0);
	edit_undo(&e);
	HOLDS(&e, "", 0);
	for (int i = 0; i < 3 * EDIT_UNDO; i++)
		type(&e, "a ");
	for (int i = 0; i < EDIT_UNDO; i++)
		edit_undo(&e);
	size_t left = edit_text(&e).n;
	edit_undo(&e);
	CHECK_INT(edit_text(&e).n, left);
	edit_clear(&e);
}

static void lines_are_walked(void)
{
	struct edit e = {0};
	CHECK_OK(edit_set(&e, TACIT_STR("first line\n" HAN "x\nthird")));
	CHECK_OK(edit_move(&e, EDIT_UP));
	CHECK_INT(e.now.cursor, 15); /* the short line's end */
	CHECK_OK(edit_move(&e, EDIT_UP));
	CHECK_INT(e.now.cursor, 3); /* three columns */
	CHECK_OK(edit_move(&e, EDIT_DOWN));
	CHECK_OK(edit_move(&e, EDIT_DOWN));
	CHECK_INT(e.now.cursor, 19);
	CHECK_OK(edit_move(&e, EDIT_START));
	CHECK_INT(e.now.cursor, 0);
	CHECK_OK(edit_move(&e, EDIT_END));
	CHECK_INT(e.now.cursor, edit_text(&e).n);
	edit_clear(&e);
}

static void sent_texts_come_back(void)
{
	struct edit e = {0};
	CHECK_OK(edit_insert(&e, TACIT_STR("one")));
	CHECK_OK(edit_sent(&e));
	CHECK_OK(edit_insert(&e, TACIT_STR("two")));
	CHECK_OK(edit_sent(&e));
	CHECK_OK(edit_insert(&e, TACIT_STR("two")));
	CHECK_OK(edit_sent(&e)); /* once is enough */
	type(&e, "half");
	CHECK_OK(edit_move(&e, EDIT_UP));
	HOLDS(&e, "two", 3);
	CHECK_OK(edit_move(&e, EDIT_UP));
	CHECK_OK(edit_move(&e, EDIT_UP));
	HOLDS(&e, "one", 3);
	CHECK_OK(edit_move(&e, EDIT_DOWN));
	CHECK_OK(edit_move(&e, EDIT_DOWN));
	CHECK_OK(edit_move(&e, EDIT_DOWN));
	HOLDS(&e, "half", 4);
	edit_clear(&e);
	for (int i = 0; i < 2 * EDIT_REMEMBER; i++) {
		char text[2] = {(char)('a' + i % 26), '\0'};
		type(&e, text);
		CHECK_OK(edit_sent(&e));
	}
	CHECK_INT(e.sent_count, EDIT_REMEMBER);
	edit_clear(&e);
}

static void a_word_is_replaced(void)
{
	struct edit e = {0};
	type(&e, "hello al");
	CHECK_OK(edit_replace(&e, 2, TACIT_STR("alice")));
	HOLDS(&e, "hello alice", 11);
	CHECK_ERR(edit_replace(&e, 2, TACIT_STR("\x1b]")), TACIT_E_MALFORMED);
	HOLDS(&e, "hello alice", 11);
	edit_undo(&e);
	HOLDS(&e, "hello al", 8);
	edit_clear(&e);
}

static void place_is(const char *text, size_t cursor, size_t width, struct edit_place want)
{
	struct edit e = {0};
	CHECK_OK(edit_set(&e, tacit_cstr(text)));
	e.now.cursor = cursor;
	struct edit_place got = edit_place(&e, width);
	CHECK_INT(got.row, want.row);
	CHECK_INT(got.column, want.column);
	CHECK_INT(got.rows, want.rows);
	edit_clear(&e);
}

static void the_cursor_has_a_place(void)
{
	place_is("", 0, 10, (struct edit_place){0, 0, 1});
	place_is("abc", 3, 10, (struct edit_place){0, 3, 1});
	place_is("abcd", 4, 4, (struct edit_place){1, 0, 2}); /* a full row: the next */
	place_is("abcde", 4, 4, (struct edit_place){1, 0, 2});
	place_is("ab\ncd", 2, 10, (struct edit_place){0, 2, 2});
	place_is("ab\n", 3, 10, (struct edit_place){1, 0, 2});
	place_is("\n\n", 1, 10, (struct edit_place){1, 0, 3});
	place_is(HAN HAN, 3, 10, (struct edit_place){0, 2, 1});
	place_is("x" HAN HAN, 7, 4, (struct edit_place){1, 2, 2}); /* three columns, then two */
}

static enum tacit_err edit_a_lot(void)
{
	enum tacit_err err;
	struct edit e = {0};
	TRY(edit_insert(&e, TACIT_STR("one two")));
	TRY(edit_kill(&e, EDIT_WORD_LEFT));
	TRY(edit_yank(&e));
	TRY(edit_paste(&e, TACIT_STR("three\r\n")));
	TRY(edit_sent(&e));
	TRY(edit_insert(&e, TACIT_STR("four")));
	TRY(edit_move(&e, EDIT_UP));
	edit_undo(&e);
out:
	edit_clear(&e);
	return err;
}

static void memory_may_run_out(void)
{
	tap_alloc_sweep(edit_a_lot);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"text is typed and mended", text_is_typed_and_mended},
	        {"nothing harmful is taken", nothing_harmful_is_taken},
	        {"a paste is cleaned", a_paste_is_cleaned},
	        {"words and lines are killed and put back",
	                words_and_lines_are_killed_and_put_back},
	        {"a line feed is killed at its end", a_line_feed_is_killed_at_its_end},
	        {"changes are undone", changes_are_undone},
	        {"lines are walked", lines_are_walked},
	        {"sent texts come back", sent_texts_come_back},
	        {"a word is replaced", a_word_is_replaced},
	        {"the cursor has a place", the_cursor_has_a_place},
	        {"memory may run out", memory_may_run_out},
	};
	term_init();
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
