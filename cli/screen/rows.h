/* rows.h - rows of styled text, made before anything is drawn: what tests look at. */
#ifndef TACIT_CLI_SCREEN_ROWS_H
#define TACIT_CLI_SCREEN_ROWS_H

#include "base/buf.h"

enum style {
	STYLE_PLAIN,
	STYLE_DIM,
	STYLE_BOLD,
	STYLE_NAME, /* of somebody else */
	STYLE_OWN,  /* of oneself */
	STYLE_GOOD, /* verified, online */
	STYLE_LOUD, /* what must not be overlooked */
	STYLE_BAD,  /* what went wrong */
	STYLE_NEWS, /* unread */
	STYLE_BAR,  /* the bars above and below */
	STYLE_BAR_GOOD,
	STYLE_BAR_LOUD,
	STYLE_CHOSEN, /* in the list */
	STYLE_COUNT,
};

struct span {
	size_t column;
	enum style style;
	size_t at, n; /* bytes in rows.text */
};

#define ROW_SPANS 10

struct row {
	enum style fill; /* of the whole row */
	struct span span[ROW_SPANS];
	size_t spans;
	size_t columns; /* where the next span would begin */
};

struct rows {
	struct tacit_buf text;
	struct row *list;
	size_t count, cap;
};

void rows_clear(struct rows *r); /* wipes and frees */
void rows_reset(struct rows *r); /* empty; keeps its room */

/* One more, empty; valid until the next. NULL: out of memory. */
struct row *rows_add(struct rows *r, enum style fill);
/* Behind what is there, in the last row: clean text. Fails: NOMEM; LIMIT (too many spans). */
TACIT_MUST_USE enum tacit_err rows_put(struct rows *r, enum style style, struct tacit_bytes text);
/* Cut to so many columns, with an ellipsis in place of what is lost. */
TACIT_MUST_USE enum tacit_err rows_put_cut(
        struct rows *r, enum style style, struct tacit_bytes text, size_t columns);
/* What follows begins at this column of the last row, if it is not past it already. */
void rows_go_to(struct rows *r, size_t column);

static inline struct tacit_bytes rows_text(const struct rows *r, const struct span *s)
{
	return tacit_bytes(r->text.p + s->at, s->n);
}

#endif
