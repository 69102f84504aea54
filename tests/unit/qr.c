#include "cli/qr.h"

#include <qrencode.h>
#include <stdlib.h>
#include <string.h>

#include "support/tap.h"

#define URI                                                                                        \
	"otpauth://totp/tacit:alice?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=tacit&digits=6"

/* The drawing read back into modules: true is light. */
struct grid {
	bool light[256][256];
	int width, height;
};

static const char *next_block(const char *p, bool *above, bool *below)
{
	static const struct {
		const char *text;
		bool above, below;
	} blocks[] = {
	        {"\xe2\x96\x88", true, true},
	        {"\xe2\x96\x80", true, false},
	        {"\xe2\x96\x84", false, true},
	        {" ", false, false},
	};
	for (size_t i = 0; i < TACIT_COUNT(blocks); i++) {
		size_t n = strlen(blocks[i].text);
		if (strncmp(p, blocks[i].text, n) == 0) {
			*above = blocks[i].above;
			*below = blocks[i].below;
			return p + n;
		}
	}
	return NULL;
}

static bool read_back(const char *p, struct grid *g)
{
	int x = 0;
	*g = (struct grid){0};
	while (*p != '\0') {
		if (*p == '\n') {
			g->width = x;
			g->height += 2;
			x = 0;
			p++;
			continue;
		}
		p = next_block(p, &g->light[g->height][x], &g->light[g->height + 1][x]);
		if (p == NULL)
			return false;
		x++;
	}
	return true;
}

static void draws_every_module(void)
{
	static struct grid g;
	struct tacit_buf b = {0};
	REQUIRE(qr_draw(TACIT_STR(URI), QR_PLAIN, &b) == TACIT_OK);
	CHECK_OK(tacit_buf_terminate(&b));
	REQUIRE(read_back((const char *)b.p, &g));
	QRcode *code = QRcode_encodeData(sizeof(URI) - 1, (const uint8_t *)URI, 0, QR_ECLEVEL_L);
	REQUIRE(code != NULL);
	CHECK_INT(g.width, code->width + 2 * QR_MARGIN);
	CHECK(g.height >= code->width + 2 * QR_MARGIN);
	int wrong = 0;
	for (int y = 0; y < code->width; y++)
		for (int x = 0; x < code->width; x++)
			wrong += g.light[y + QR_MARGIN][x + QR_MARGIN] ==
			         ((code->data[y * code->width + x] & 1) != 0);
	CHECK_INT(wrong, 0);
	for (int i = 0; i < g.width; i++) {
		wrong += !g.light[0][i] || !g.light[1][i];
		wrong += !g.light[i][0] || !g.light[i][1] || !g.light[i][g.width - 1];
	}
	CHECK_INT(wrong, 0);
	QRcode_free(code);
	tacit_buf_clear(&b);
}

static void colours_are_set_and_ended(void)
{
	struct tacit_buf b = {0};
	int lines = 0, starts = 0, ends = 0;
	REQUIRE(qr_draw(TACIT_STR("12345"), QR_COLOURED, &b) == TACIT_OK);
	CHECK_OK(tacit_buf_terminate(&b));
	for (const char *p = (const char *)b.p; *p != '\0'; p++) {
		lines += *p == '\n';
		starts += strncmp(p, "\x1b[40;97m", 8) == 0;
		ends += strncmp(p, "\x1b[0m\n", 5) == 0;
	}
	CHECK(lines > 10);
	CHECK_INT(starts, lines);
	CHECK_INT(ends, lines);
	tacit_buf_clear(&b);
}

static void refuses_too_much(void)
{
	struct tacit_buf b = {0};
	static uint8_t big[3000];
	memset(big, 'x', sizeof(big));
	CHECK_ERR(qr_draw(tacit_bytes(big, sizeof(big)), QR_PLAIN, &b), TACIT_E_TOO_LARGE);
	CHECK_ERR(qr_draw(TACIT_STR(""), QR_PLAIN, &b), TACIT_E_TOO_LARGE);
	CHECK_INT(b.n, 0);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"draws every module", draws_every_module},
	        {"colours are set and ended", colours_are_set_and_ended},
	        {"refuses too much", refuses_too_much},
	};
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
