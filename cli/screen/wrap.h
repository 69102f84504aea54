/* wrap.h - breaks text into the lines of a pane. */
#ifndef TACIT_CLI_SCREEN_WRAP_H
#define TACIT_CLI_SCREEN_WRAP_H

#include "base/bytes.h"

enum wrap_where {
	WRAP_WORDS,  /* at spaces, which are not shown then, and between wide characters */
	WRAP_COLUMN, /* wherever the width ends: nothing is left out, for text being edited */
};

/* {text, width, where}: text is valid UTF-8 and stays while lines are taken. */
struct wrap {
	struct tacit_bytes rest;
	size_t width; /* columns; 0 counts as 1 */
	enum wrap_where where;
	bool ended;
};

/* The next line, without its line feed; a part of the text. False: there is none. Empty text is one
 * empty line. A cluster that is wider than the width stands alone. */
bool wrap_next(struct wrap *w, struct tacit_bytes *line);
size_t wrap_count(struct tacit_bytes text, size_t width, enum wrap_where where);

#endif
