#define _GNU_SOURCE /* ppoll, wcwidth */
#include "cli/term.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "base/utf8.h"
#include "cli/cli.h"

volatile sig_atomic_t cli_cancelled;

#define MAX_LINE 1024
#define REPLACEMENT "\xef\xbf\xbd"

void term_init(void)
{
	setlocale(LC_ALL, "");
	if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		setlocale(LC_CTYPE, "C.UTF-8");
}

bool term_is_tty(FILE *f)
{
	return isatty(fileno(f)) == 1;
}

bool term_can_ask(void)
{
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

int term_columns(void)
{
	struct winsize size;
	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
		if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
			return size.ws_col;
	return 80;
}

bool term_colours(FILE *f)
{
	const char *none = getenv("NO_COLOR"); /* no-color.org: present and not empty */
	const char *term = getenv("TERM");
	if (none != NULL && none[0] != '\0')
		return false;
	return term_is_tty(f) && term != NULL && strcmp(term, "dumb") != 0;
}

const char *term_style(FILE *f, enum term_style style)
{
	static const char *const codes[] = {
	        [TERM_PLAIN] = "\x1b[0m",
	        [TERM_BOLD] = "\x1b[1m",
	        [TERM_DIM] = "\x1b[2m",
	        [TERM_RED] = "\x1b[1;31m",
	        [TERM_GREEN] = "\x1b[32m",
	        [TERM_CYAN] = "\x1b[36m",
	};
	return term_colours(f) ? codes[style] : "";
}

/* --- text from outside ----------------------------------------------------------------------- */

static enum tacit_err clean_one(uint32_t code, struct tacit_bytes raw, enum term_lines lines,
        int indent, struct tacit_buf *out)
{
	if (code == '\n' && lines == TERM_MANY_LINES)
		return tacit_buf_printf(out, "\n%*s", indent, "");
	if (code == '\n' || code == '\t')
		return tacit_buf_append(out, TACIT_STR(" "));
	if (tacit_utf8_is_control(code))
		return tacit_buf_append(out, TACIT_STR(REPLACEMENT));
	return tacit_buf_append(out, raw);
}

enum tacit_err term_clean(
        struct tacit_bytes text, enum term_lines lines, int indent, struct tacit_buf *out)
{
	enum tacit_err err = TACIT_OK;
	while (text.n > 0) {
		uint32_t code = 0;
		size_t n = tacit_utf8_next(text, &code);
		if (n == 0) {
			n = 1;
			TRY(tacit_buf_append(out, TACIT_STR(REPLACEMENT)));
		} else {
			TRY(clean_one(code, tacit_bytes(text.p, n), lines, indent, out));
		}
		text = tacit_bytes(text.p + n, text.n - n);
	}
out:
	return err;
}

void term_put_text(FILE *f, struct tacit_bytes text, enum term_lines lines, int indent)
{
	struct tacit_buf clean = {0};
	if (term_clean(text, lines, indent, &clean) == TACIT_OK && clean.n > 0)
		fwrite(clean.p, 1, clean.n, f);
	tacit_buf_clear(&clean);
}

size_t term_width(struct tacit_bytes text)
{
	size_t width = 0;
	while (text.n > 0) {
		uint32_t code = 0;
		size_t n = tacit_utf8_next(text, &code);
		int columns = n > 0 ? wcwidth((wchar_t)code) : 1;
		width += columns >= 0 ? (size_t)columns : 1;
		n = n > 0 ? n : 1;
		text = tacit_bytes(text.p + n, text.n - n);
	}
	return width;
}

/* --- waiting ---------------------------------------------------------------------------------- */

int term_wait(int fd, const struct timespec *left)
{
	struct pollfd poll = {.fd = fd, .events = POLLIN};
	sigset_t ours, before;
	sigemptyset(&ours);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGHUP);
	sigprocmask(SIG_BLOCK, &ours, &before);
	int ready = cli_cancelled ? 0 : ppoll(&poll, 1, left, &before);
	int why = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = why;
	return ready;
}

/* --- asking ---------------------------------------------------------------------------------- */

/* Byte by byte into fixed room; nothing beyond the line is taken. */
static enum tacit_err read_line(int fd, char *room, size_t size, size_t *n)
{
	*n = 0;
	for (;;) {
		char c;
		int ready = term_wait(fd, NULL);
		if (cli_cancelled)
			return TACIT_E_CANCELLED;
		ssize_t got = ready > 0 ? read(fd, &c, 1) : -1;
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return TACIT_E_IO;
		if (got == 0 && *n == 0)
			return TACIT_E_TRUNCATED;
		if (got == 0 || c == '\n')
			break;
		if (*n == size)
			return TACIT_E_TOO_LARGE;
		room[(*n)++] = c;
	}
	if (*n > 0 && room[*n - 1] == '\r')
		(*n)--;
	return TACIT_OK;
}

static void put(int fd, const char *text)
{
	size_t n = strlen(text);
	while (n > 0) {
		ssize_t done = write(fd, text, n);
		if (done < 0 && errno != EINTR)
			return;
		if (done > 0) {
			text += done;
			n -= (size_t)done;
		}
	}
}

enum echo { ECHO_ON, ECHO_OFF };

/* A stop with the echo off would leave the shell blind, so ^Z waits until the answer is in. */
static enum tacit_err ask(const char *prompt, enum echo echo, char *room, size_t size, size_t *n)
{
	enum tacit_err err;
	struct termios before;
	sigset_t stop, old;
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return TACIT_E_UNSUPPORTED;
	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	sigprocmask(SIG_BLOCK, &stop, &old);
	bool known = tcgetattr(fd, &before) == 0;
	if (known && echo == ECHO_OFF) {
		struct termios quiet = before;
		quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
		tcsetattr(fd, TCSAFLUSH, &quiet);
	}
	fflush(stdout);
	put(fd, prompt);
	err = read_line(fd, room, size, n);
	if (echo == ECHO_OFF || err != TACIT_OK)
		put(fd, "\n");
	if (known)
		tcsetattr(fd, TCSAFLUSH, &before);
	sigprocmask(SIG_SETMASK, &old, NULL);
	close(fd);
	return err == TACIT_E_TRUNCATED ? TACIT_E_CANCELLED : err;
}

enum tacit_err term_ask(const char *prompt, struct tacit_buf *out)
{
	char room[MAX_LINE];
	size_t n = 0;
	enum tacit_err err = ask(prompt, ECHO_ON, room, sizeof(room), &n);
	if (err == TACIT_OK)
		err = tacit_buf_append(out, tacit_bytes(room, n));
	tacit_wipe(room, sizeof(room));
	return err;
}

enum tacit_err term_ask_secret(const char *prompt, struct tacit_secret *out)
{
	char room[MAX_LINE];
	size_t n = 0;
	enum tacit_err err = ask(prompt, ECHO_OFF, room, sizeof(room), &n);
	if (err == TACIT_OK)
		err = tacit_secret_copy(out, tacit_bytes(room, n));
	tacit_wipe(room, sizeof(room));
	return err;
}

enum tacit_err term_confirm(const char *prompt, bool *yes)
{
	enum tacit_err err;
	struct tacit_buf answer = {0};
	*yes = false;
	TRY(term_ask(prompt, &answer));
	TRY(tacit_buf_terminate(&answer));
	const char *text = (const char *)answer.p;
	*yes = strcmp(text, "yes") == 0 || strcmp(text, "y") == 0;
out:
	tacit_buf_clear(&answer);
	return err;
}

enum tacit_err term_read_secret_line(int fd, struct tacit_secret *out)
{
	char room[MAX_LINE];
	size_t n = 0;
	enum tacit_err err = read_line(fd, room, sizeof(room), &n);
	if (err == TACIT_OK)
		err = tacit_secret_copy(out, tacit_bytes(room, n));
	tacit_wipe(room, sizeof(room));
	return err;
}

/* --- times and sizes ------------------------------------------------------------------------- */

struct term_time term_time(int64_t unix_seconds, int64_t now)
{
	struct term_time out = {"?"};
	time_t then = (time_t)unix_seconds;
	time_t today = (time_t)now;
	struct tm t, n;
	if (localtime_r(&then, &t) == NULL || localtime_r(&today, &n) == NULL)
		return out;
	const char *format = "%Y-%m-%d %H:%M";
	if (t.tm_year == n.tm_year && t.tm_yday == n.tm_yday)
		format = "%H:%M";
	else if (t.tm_year == n.tm_year)
		format = "%b %e %H:%M";
	if (strftime(out.text, sizeof(out.text), format, &t) == 0)
		out.text[0] = '\0';
	return out;
}

struct term_time term_time_utc(int64_t unix_seconds)
{
	struct term_time out = {""};
	time_t then = (time_t)unix_seconds;
	struct tm t;
	if (gmtime_r(&then, &t) == NULL ||
	        strftime(out.text, sizeof(out.text), "%Y-%m-%dT%H:%M:%SZ", &t) == 0)
		out.text[0] = '\0';
	return out;
}

struct term_time term_bytes(uint64_t n)
{
	static const char *const units[] = {"kB", "MB", "GB", "TB", "PB"};
	struct term_time out;
	size_t unit = 0;
	double value = (double)n / 1000;
	if (n < 1000) {
		snprintf(out.text, sizeof(out.text), "%" PRIu64 " B", n);
		return out;
	}
	while (value >= 999.95 && unit + 1 < TACIT_COUNT(units)) {
		value /= 1000;
		unit++;
	}
	snprintf(out.text, sizeof(out.text), "%.1f %s", value, units[unit]);
	return out;
}
