#include "cli/qr.h"

#include <errno.h>
#include <limits.h>
#include <qrencode.h>

#include "crypto/secret.h"

/* Outside the code it is light. The lowest bit of a module says that it is dark. */
static bool light(const QRcode *code, int x, int y)
{
	if (x < 0 || y < 0 || x >= code->width || y >= code->width)
		return true;
	return (code->data[y * code->width + x] & 1) == 0;
}

static struct tacit_bytes block(bool above, bool below)
{
	if (above && below)
		return TACIT_STR("\xe2\x96\x88");
	if (above)
		return TACIT_STR("\xe2\x96\x80");
	if (below)
		return TACIT_STR("\xe2\x96\x84");
	return TACIT_STR(" ");
}

static enum tacit_err draw(const QRcode *code, enum qr_colours colours, struct tacit_buf *out)
{
	enum tacit_err err = TACIT_OK;
	int end = code->width + QR_MARGIN;
	for (int y = -QR_MARGIN; y < end; y += 2) {
		if (colours == QR_COLOURED)
			TRY(tacit_buf_append(out, TACIT_STR("\x1b[40;97m")));
		for (int x = -QR_MARGIN; x < end; x++)
			TRY(tacit_buf_append(out,
			        block(light(code, x, y), y + 1 < end && light(code, x, y + 1))));
		if (colours == QR_COLOURED)
			TRY(tacit_buf_append(out, TACIT_STR("\x1b[0m")));
		TRY(tacit_buf_append(out, TACIT_STR("\n")));
	}
out:
	return err;
}

enum tacit_err qr_draw(struct tacit_bytes text, enum qr_colours colours, struct tacit_buf *out)
{
	if (text.n == 0 || text.n > INT_MAX)
		return TACIT_E_TOO_LARGE;
	QRcode *code = QRcode_encodeData((int)text.n, text.p, 0, QR_ECLEVEL_L);
	if (code == NULL)
		return errno == ENOMEM ? TACIT_E_NOMEM : TACIT_E_TOO_LARGE;
	enum tacit_err err = draw(code, colours, out);
	tacit_wipe(code->data, (size_t)code->width * (size_t)code->width); /* often a TOTP secret */
	QRcode_free(code);
	return err;
}
