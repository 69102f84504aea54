/* edit.h - the text that is being typed: a cursor, what was killed, what to undo, what was sent.
 *
 * Valid UTF-8 of at most TACIT_MAX_TEXT bytes, in any number of lines; other bytes are not taken.
 * All of it is wiped when it goes. */
#ifndef TACIT_CLI_SCREEN_EDIT_H
#define TACIT_CLI_SCREEN_EDIT_H

#include "base/buf.h"
#include "base/err.h"

#define EDIT_UNDO 64     /* steps */
#define EDIT_REMEMBER 64 /* texts that were sent */

struct edit_state {
	struct tacit_buf text;
	size_t cursor; /* in bytes; always between clusters */
};

struct edit {
	struct edit_state now;
	struct tacit_buf killed;
	struct edit_state undo[EDIT_UNDO];
	size_t undo_count;
	bool joining; /* the next character belongs to the last step of undo */
	struct tacit_buf sent[EDIT_REMEMBER]; /* oldest first */
	size_t sent_count;
	size_t recalled;        /* which of sent is shown; sent_count: none */
	struct tacit_buf aside; /* what was being typed when one was recalled */
};

enum edit_move {
	EDIT_LEFT,
	EDIT_RIGHT,
	EDIT_WORD_LEFT,
	EDIT_WORD_RIGHT,
	EDIT_LINE_START,
	EDIT_LINE_END,
	EDIT_UP, /* a line, in text of more than one; then older sent texts */
	EDIT_DOWN,
	EDIT_START,
	EDIT_END,
};

void edit_clear(struct edit *e); /* wipes and frees; {0} is empty */

/* At the cursor. Fails: MALFORMED (not UTF-8, or a control that is neither line feed nor tab, which
 * becomes a space), TOO_LARGE, NOMEM; then nothing has changed. */
TACIT_MUST_USE enum tacit_err edit_insert(struct edit *e, struct tacit_bytes text);
/* What another program pasted: carriage returns become line feeds, controls are left out, and what
 * is too much. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err edit_paste(struct edit *e, struct tacit_bytes text);
/* Fails: NOMEM (only EDIT_UP and EDIT_DOWN, which may bring another text). */
TACIT_MUST_USE enum tacit_err edit_move(struct edit *e, enum edit_move move);
/* Deletes what a move would pass; kill keeps it for edit_yank. Fail: NOMEM. */
TACIT_MUST_USE enum tacit_err edit_delete(struct edit *e, enum edit_move move);
TACIT_MUST_USE enum tacit_err edit_kill(struct edit *e, enum edit_move move);
TACIT_MUST_USE enum tacit_err edit_kill_all(struct edit *e);
TACIT_MUST_USE enum tacit_err edit_yank(struct edit *e);
void edit_undo(struct edit *e);
/* Replaces the last n bytes before the cursor. Fails: as edit_insert. */
TACIT_MUST_USE enum tacit_err edit_replace(struct edit *e, size_t n, struct tacit_bytes text);

/* Another text, as when the conversation changes: nothing to undo. Fails: as edit_insert. */
TACIT_MUST_USE enum tacit_err edit_set(struct edit *e, struct tacit_bytes text);
/* It was sent: remembered for EDIT_UP, and empty again. Fails: NOMEM (it is empty all the same). */
TACIT_MUST_USE enum tacit_err edit_sent(struct edit *e);

static inline struct tacit_bytes edit_text(const struct edit *e)
{
	return tacit_buf_view(&e->now.text);
}

/* Where the cursor stands when text is shown by WRAP_COLUMN in so many columns. */
struct edit_place {
	size_t row, column, rows;
};
struct edit_place edit_place(const struct edit *e, size_t width);

#endif
