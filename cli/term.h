/* term.h - the terminal: prompts, colours, width, and text from outside made safe to show. */
#ifndef TACIT_CLI_TERM_H
#define TACIT_CLI_TERM_H

#include <stdio.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "crypto/secret.h"

enum term_style { TERM_PLAIN, TERM_BOLD, TERM_DIM, TERM_RED, TERM_GREEN, TERM_CYAN };

/* Sets the locale (UTF-8 where there is one). Once. */
void term_init(void);
bool term_is_tty(FILE *f);
/* Is there a terminal to ask a person on, whatever stdin and stdout are? */
bool term_can_ask(void);
int term_columns(void);     /* of stdout or stderr; 80 when unknown */
bool term_colours(FILE *f); /* a terminal, not dumb, and no NO_COLOR */
/* The escape sequence, or "" without colours. TERM_PLAIN ends a style. */
const char *term_style(FILE *f, enum term_style style);

/* Waits until fd can be read: > 0; the time is over, or a signal has set cli_cancelled: 0; else < 0
 * with errno. left NULL: no limit. A signal that comes before the wait ends it as well: they are
 * let in only while waiting. */
int term_wait(int fd, const struct timespec *left);

enum term_lines { TERM_ONE_LINE, TERM_MANY_LINES };
/* Text from outside: controls and malformed bytes become U+FFFD; a tab becomes a space. Line feeds
 * stay with MANY_LINES, each followed by `indent` spaces; else they become spaces. */
void term_put_text(FILE *f, struct tacit_bytes text, enum term_lines lines, int indent);
/* The same into a buffer. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err term_clean(
        struct tacit_bytes text, enum term_lines lines, int indent, struct tacit_buf *out);
/* Columns that clean text takes; what cannot be known counts as one. */
size_t term_width(struct tacit_bytes text);

/* Asks on /dev/tty. Secrets are not echoed; the terminal is as before when this returns, and when a
 * signal comes. At most 1024 bytes. Fails: UNSUPPORTED (no terminal), CANCELLED (end of file,
 * interrupt), TOO_LARGE, NOMEM. */
TACIT_MUST_USE enum tacit_err term_ask(const char *prompt, struct tacit_buf *out);
TACIT_MUST_USE enum tacit_err term_ask_secret(const char *prompt, struct tacit_secret *out);
/* True only for "yes" or "y". Fails as term_ask. */
TACIT_MUST_USE enum tacit_err term_confirm(const char *prompt, bool *yes);
/* A line from a descriptor, read byte by byte so that what follows stays; without its line feed.
 * Fails: TRUNCATED (end before any byte), IO, CANCELLED, TOO_LARGE, NOMEM. */
TACIT_MUST_USE enum tacit_err term_read_secret_line(int fd, struct tacit_secret *out);

/* "HH:MM" of today, "Mon DD HH:MM" of this year, else with the year: local time. */
struct term_time {
	char text[32];
};
struct term_time term_time(int64_t unix_seconds, int64_t now);
struct term_time term_time_utc(int64_t unix_seconds); /* RFC 3339 */
/* "4.2 MB". */
struct term_time term_bytes(uint64_t n);

#endif
