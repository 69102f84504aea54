/* qr.h - a QR code drawn with half blocks: two rows of modules in each line of text. */
#ifndef TACIT_CLI_QR_H
#define TACIT_CLI_QR_H

#include "base/buf.h"
#include "base/err.h"

#define QR_MARGIN 2 /* modules of light around; phones are content with two */

enum qr_colours {
	QR_PLAIN,    /* light modules are drawn: right on a dark background */
	QR_COLOURED, /* black and white are set explicitly: right everywhere */
};

/* Appends the drawing of text, each line ended by a line feed.
 * Fails: TOO_LARGE (for any QR code), NOMEM. */
TACIT_MUST_USE enum tacit_err qr_draw(
        struct tacit_bytes text, enum qr_colours colours, struct tacit_buf *out);

#endif
