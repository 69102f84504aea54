/* cells.h - what clean text takes on a screen, and where a cursor may stand in it.
 *
 * Text here has gone through term_clean, or came from the keyboard, and is valid UTF-8. Columns are
 * those of wcwidth(3), which is what curses reckons with; a cursor moves by grapheme clusters
 * (Unicode UAX 29), so that an accent or the parts of an emoji are never torn apart. */
#ifndef TACIT_CLI_SCREEN_CELLS_H
#define TACIT_CLI_SCREEN_CELLS_H

#include <wchar.h>

#include "base/bytes.h"

/* One code point; its columns: 0 for what combines with the one before. Its length in bytes; 0 at
 * the end. What cannot be shown comes as U+FFFD, one column. */
size_t cells_next(struct tacit_bytes text, wchar_t *shown, size_t *columns);
size_t cells_columns(struct tacit_bytes text);
/* Bytes of the longest front, of whole clusters, that takes at most so many columns. */
size_t cells_fit(struct tacit_bytes text, size_t columns);

/* The end of the cluster that begins at `at`, and the beginning of the one that ends there. */
size_t cells_after(struct tacit_bytes text, size_t at);
size_t cells_before(struct tacit_bytes text, size_t at);

#endif
