#include "cli/term.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/duration.h"
#include "cli/progress.h"
#include "support/tap.h"

static void cleans(struct tacit_bytes in, enum term_lines lines, const char *want)
{
	struct tacit_buf b = {0};
	CHECK_OK(term_clean(in, lines, 2, &b));
	CHECK_BYTES(tacit_buf_view(&b), tacit_cstr(want));
	tacit_buf_clear(&b);
}

#define BOX "\xef\xbf\xbd"

static void text_is_made_safe(void)
{
	cleans(TACIT_STR("gr\xc3\xbc\xc3\x9f \xf0\x9f\x94\x92"), TERM_ONE_LINE,
	        "gr\xc3\xbc\xc3\x9f \xf0\x9f\x94\x92");
	cleans(TACIT_STR("\x1b[2J\x1b]0;owned\x07"), TERM_ONE_LINE, BOX "[2J" BOX "]0;owned" BOX);
	cleans(TACIT_STR("\xc2\x9b"
	                 "31m"),
	        TERM_ONE_LINE, BOX "31m");                                           /* C1 CSI */
	cleans(TACIT_STR("a\xe2\x80\xaegpj.exe"), TERM_ONE_LINE, "a" BOX "gpj.exe"); /* U+202E */
	cleans(TACIT_STR("a\rb\x08\x7f"), TERM_ONE_LINE, "a" BOX "b" BOX BOX);
	cleans(TACIT_STR("a\xff\xc0\x80\xe2\x82"), TERM_ONE_LINE, "a" BOX BOX BOX BOX BOX);
	cleans(tacit_bytes("a\0b", 3), TERM_ONE_LINE, "a" BOX "b");
}

static void lines_are_held_together(void)
{
	cleans(TACIT_STR("a\nb\tc"), TERM_ONE_LINE, "a b c");
	cleans(TACIT_STR("a\nb\tc\n"), TERM_MANY_LINES, "a\n  b c\n  ");
}

static void widths_are_columns(void)
{
	CHECK_INT(term_width(TACIT_STR("abc")), 3);
	CHECK_INT(term_width(TACIT_STR("gr\xc3\xbc\xc3\x9f")), 4);
	CHECK_INT(term_width(TACIT_STR("\xe6\xbc\xa2\xe5\xad\x97")), 4);
	CHECK_INT(term_width(TACIT_STR("e\xcc\x81")), 1);
	CHECK_INT(term_width(TACIT_STR("\xff")), 1);
}

static void lines_are_read_one_by_one(void)
{
	int ends[2];
	struct tacit_secret line = {0};
	REQUIRE(pipe(ends) == 0);
	CHECK_INT(write(ends[1], "first\r\nsecond\n\nlast", 19), 19);
	close(ends[1]);
	CHECK_OK(term_read_secret_line(ends[0], &line));
	CHECK_BYTES(tacit_secret_view(&line), TACIT_STR("first"));
	CHECK_OK(term_read_secret_line(ends[0], &line));
	CHECK_BYTES(tacit_secret_view(&line), TACIT_STR("second"));
	CHECK_OK(term_read_secret_line(ends[0], &line));
	CHECK_INT(line.n, 0);
	CHECK_OK(term_read_secret_line(ends[0], &line));
	CHECK_BYTES(tacit_secret_view(&line), TACIT_STR("last"));
	CHECK_ERR(term_read_secret_line(ends[0], &line), TACIT_E_TRUNCATED);
	tacit_secret_free(&line);
	close(ends[0]);
}

static void long_lines_are_refused(void)
{
	int ends[2];
	char text[1100];
	struct tacit_secret line = {0};
	REQUIRE(pipe(ends) == 0);
	memset(text, 'x', sizeof(text));
	CHECK_INT(write(ends[1], text, sizeof(text)), (long long)sizeof(text));
	close(ends[1]);
	CHECK_ERR(term_read_secret_line(ends[0], &line), TACIT_E_TOO_LARGE);
	CHECK(line.p == NULL);
	close(ends[0]);
}

static void times_are_local_and_short(void)
{
	setenv("TZ", "UTC0", 1);
	CHECK(strcmp(term_time(1000000000, 1000000060).text, "01:46") == 0);
	CHECK(strcmp(term_time(1000000000, 1000100000).text, "Sep  9 01:46") == 0);
	CHECK(strcmp(term_time(1000000000, 1700000000).text, "2001-09-09 01:46") == 0);
	CHECK(strcmp(term_time_utc(1000000000).text, "2001-09-09T01:46:40Z") == 0);
}

static void sizes_are_short(void)
{
	CHECK(strcmp(term_bytes(999).text, "999 B") == 0);
	CHECK(strcmp(term_bytes(1000).text, "1.0 kB") == 0);
	CHECK(strcmp(term_bytes(999999).text, "1.0 MB") == 0);
	CHECK(strcmp(term_bytes(2147483648).text, "2.1 GB") == 0);
	CHECK(strstr(term_bytes(UINT64_MAX).text, " PB") != NULL);
}

static void spans_of_time_are_read_and_shown(void)
{
	static const char *const wrong[] = {
	        "", "1", "0s", "-1h", "1w", "1hh", " 1h", "h", "99999d", "99999999999s", "1 h"};
	uint64_t seconds = 0;
	CHECK(duration_read("90s", &seconds) && seconds == 90);
	CHECK(duration_read("30m", &seconds) && seconds == 1800);
	CHECK(duration_read("1h", &seconds) && seconds == 3600);
	CHECK(duration_read("3650d", &seconds) && seconds == 3650ull * 86400);
	for (size_t i = 0; i < TACIT_COUNT(wrong); i++)
		CHECK(!duration_read(wrong[i], &seconds));
	CHECK(strcmp(duration_short(59).text, "59s") == 0);
	CHECK(strcmp(duration_short(61).text, "2m") == 0);
	CHECK(strcmp(duration_short(7200).text, "2h") == 0);
	CHECK(strcmp(duration_short(3 * 86400).text, "3d") == 0);
	CHECK(strcmp(duration_short(-5).text, "0s") == 0);
}

static void progress_fits_its_line(void)
{
	static const uint64_t done[] = {0, 1, 500, 999, 1000};
	for (int columns = 0; columns < 200; columns += 7) {
		for (size_t i = 0; i < TACIT_COUNT(done); i++) {
			char room[512];
			struct progress_state s = {done[i], 1000, 123456789, columns};
			progress_line("a rather long name of a file, \xc3\xbc\xc3\xbc.tar.gz", &s,
			        room, sizeof(room));
			size_t width = term_width(tacit_cstr(room));
			CHECK(columns < 50 || width <= (size_t)columns);
			CHECK(strstr(room, "123.5 MB/s") != NULL);
		}
	}
	char room[512];
	struct progress_state s = {500, 1000, 100, 120};
	progress_line("x", &s, room, sizeof(room));
	CHECK(strstr(room, "x  50% [") == room && strstr(room, "0:05") != NULL);
	s = (struct progress_state){0, 0, 0, 120};
	progress_line("empty", &s, room, sizeof(room));
	CHECK(strstr(room, "100%") != NULL && strstr(room, "--:--") != NULL);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"text is made safe", text_is_made_safe},
	        {"lines are held together", lines_are_held_together},
	        {"widths are columns", widths_are_columns},
	        {"lines are read one by one", lines_are_read_one_by_one},
	        {"long lines are refused", long_lines_are_refused},
	        {"times are local and short", times_are_local_and_short},
	        {"sizes are short", sizes_are_short},
	        {"spans of time are read and shown", spans_of_time_are_read_and_shown},
	        {"progress fits its line", progress_fits_its_line},
	};
	term_init();
	TACIT_ASSERT(tacit_crypto_init() == TACIT_OK);
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
