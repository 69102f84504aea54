/* frame.h - the whole screen as rows: a bar, the list, the conversation, the status, the input. */
#ifndef TACIT_CLI_SCREEN_FRAME_H
#define TACIT_CLI_SCREEN_FRAME_H

#include "cli/screen/edit.h"
#include "cli/screen/model.h"
#include "cli/screen/pane.h"

struct part {
	size_t row, column, columns;
	struct rows rows;
};

struct frame {
	struct part bar, list, pane, status, input; /* a part without rows is not there */
	size_t cursor_row, cursor_column;
	bool at_top; /* the oldest known entry is in sight */
};

struct frame_input {
	size_t columns, rows;
	int64_t now;
	const char *prompt; /* plain text before the input */
	const struct model *model;
	const struct edit *edit;
};

void frame_clear(struct frame *f); /* wipes and frees */
/* Replaces what f held. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err frame_compose(const struct frame_input *in, struct frame *f);
/* The pane's size for this input, for scrolling. */
struct pane frame_pane(const struct frame_input *in);

#endif
