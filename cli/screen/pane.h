/* pane.h - what was said in a conversation, laid out in rows, and scrolled. */
#ifndef TACIT_CLI_SCREEN_PANE_H
#define TACIT_CLI_SCREEN_PANE_H

#include "cli/screen/rows.h"
#include "cli/screen/dialog.h"

struct pane {
	size_t columns, rows;
	const char *file_key; /* what to press to fetch the newest file */
};

/* Exactly p->rows rows, behind those that are in out; the upper ones are empty when little was
 * said. *at_top: the oldest known entry is in sight. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err pane_compose(
        const struct pane *p, const struct dialog *d, struct rows *out, bool *at_top);

/* Up (lines > 0) or down, as far as there is something. Fails: NOMEM (nothing moved). */
TACIT_MUST_USE enum tacit_err pane_scroll(const struct pane *p, struct dialog *d, long lines);
/* Puts the end of an entry at the bottom, or follows the newest when it is among the last page. */
TACIT_MUST_USE enum tacit_err pane_show(const struct pane *p, struct dialog *d, size_t entry);

#endif
