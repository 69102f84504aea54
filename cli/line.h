/* line.h - one editable line at the bottom of a terminal, with other output appearing above it. */
#ifndef TACIT_CLI_LINE_H
#define TACIT_CLI_LINE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct line;

struct line_options {
	const char *prompt; /* borrowed; plain text */
	/* Called between keys, every tick_ms: may print after line_hide. NULL: never. False ends
	 * the reading as CANCELLED. */
	bool (*tick)(void *ctx);
	int tick_ms;
	/* The words that could stand at the end of before (all text left of the cursor), one a
	 * line. *word is how many of its last bytes they would replace. NULL: no completion. */
	void (*complete)(void *ctx, const char *before, size_t *word, struct tacit_buf *candidates);
	void *ctx;
};

/* Needs a terminal on stdin and stdout. Fails: NOMEM, IO. */
TACIT_MUST_USE enum tacit_err line_open(const struct line_options *o, struct line **out);
void line_close(struct line *l); /* wipes the history; NULL is fine */
void line_prompt(struct line *l, const char *prompt);

/* The next line without its line feed, valid until the next call; kept in the memory of this
 * editor for the arrow keys, nowhere else. Fails: TRUNCATED (end of input), CANCELLED (an
 * interrupt, or tick said so), NOMEM. */
TACIT_MUST_USE enum tacit_err line_read(struct line *l, const char **text);

/* What stands in the line that is being edited; valid until the next key. Only from tick. */
struct tacit_bytes line_text(const struct line *l);

/* Takes the line that was just read off the screen, where it stands above the cursor. */
void line_erase_last(struct line *l);

/* Around printing from tick: takes the line off the screen, and puts it back. */
void line_hide(struct line *l);
void line_restore(struct line *l);

#endif
