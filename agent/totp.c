#include "agent/totp.h"

#include <liboath/oath.h>
#include <qrencode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/encoding.h"
#include "wire/json.h"

#define NOTE TACIT_STR("agent totp")
#define STEP_SECONDS 30
#define MAX_SEED 64
#define QUIET_ZONE 4 /* modules (ISO 18004) */

enum tacit_err totp_init(void)
{
	return oath_init() == OATH_OK ? TACIT_OK : TACIT_E_CRYPTO;
}

/* --- the note -------------------------------------------------------------------------------- */

static enum tacit_err copy(const json_t *o, const char *name, char *out, size_t max)
{
	struct tacit_bytes text;
	enum tacit_err err = tacit_json_text(o, name, TACIT_REQUIRED, max, &text);
	if (err != TACIT_OK)
		return TACIT_E_MALFORMED;
	memcpy(out, text.p, text.n);
	out[text.n] = '\0';
	return TACIT_OK;
}

enum tacit_err totp_decode(struct tacit_bytes text, struct totp_keep *out)
{
	enum tacit_err err;
	json_t *o = NULL;
	int64_t mode;
	*out = (struct totp_keep){.mode = TOTP_UNKNOWN};
	if (text.n == 0)
		return TACIT_OK;
	TRY(tacit_json_parse(text, &o));
	TRY(tacit_json_integer(o, "mode", TACIT_REQUIRED, TOTP_QUIET, TOTP_ASKED, &mode));
	TRY(tacit_json_integer(o, "step", TACIT_REQUIRED, 0, TACIT_MAX_INTEGER, &out->last_step));
	TRY(copy(o, "secret", out->secret, TOTP_MAX_SECRET));
	TRY(copy(o, "uri", out->uri, TOTP_MAX_URI));
	TRY(copy(o, "recovery", out->recovery, TOTP_MAX_RECOVERY));
	out->mode = (enum totp_mode)mode;
out:
	json_decref(o);
	return err;
}

enum tacit_err totp_encode(const struct totp_keep *k, struct tacit_buf *out)
{
	enum tacit_err err;
	json_t *o = json_pack("{s:i,s:I,s:s,s:s,s:s}", "mode", (int)k->mode, "step",
	        (json_int_t)k->last_step, "secret", k->secret, "uri", k->uri, "recovery",
	        k->recovery);
	TRY(o != NULL ? TACIT_OK : TACIT_E_NOMEM);
	TRY(tacit_buf_reserve(out, sizeof(*k) + 256)); /* growing would leave copies behind */
	TRY(tacit_json_write(o, out));
out:
	json_decref(o);
	return err;
}

enum tacit_err totp_load(struct host *h, struct totp_keep *out)
{
	enum tacit_err err;
	struct tacit_buf note = {0};
	*out = (struct totp_keep){.mode = TOTP_UNKNOWN};
	err = host_note_get(h, NOTE, &note);
	TRY(err == TACIT_E_NOT_FOUND ? TACIT_OK : err);
	TRY(totp_decode(tacit_buf_view(&note), out));
out:
	tacit_buf_clear(&note);
	return err;
}

enum tacit_err totp_save(struct host *h, const struct totp_keep *k)
{
	enum tacit_err err;
	struct tacit_buf note = {0};
	TRY(totp_encode(k, &note));
	TRY(host_note_put(h, NOTE, tacit_buf_view(&note)));
out:
	tacit_buf_clear(&note);
	return err;
}

struct changing {
	totp_changer *change;
	void *ctx;
	struct totp_keep *keep;
};

static enum tacit_err change_note(void *ctx, struct tacit_bytes before, struct tacit_buf *after)
{
	enum tacit_err err;
	const struct changing *c = ctx;
	TRY(totp_decode(before, c->keep));
	TRY(c->change(c->ctx, c->keep));
	TRY(totp_encode(c->keep, after));
out:
	return err;
}

enum tacit_err totp_change(struct host *h, totp_changer *change, void *ctx, struct totp_keep *out)
{
	struct changing c = {change, ctx, out};
	return host_note_change(h, NOTE, change_note, &c);
}

/* --- codes ----------------------------------------------------------------------------------- */

static enum tacit_err code_at(const struct totp_keep *k, int64_t step, char out[TOTP_DIGITS + 1])
{
	char *seed = NULL;
	size_t n = 0;
	if (oath_base32_decode(k->secret, strlen(k->secret), &seed, &n) != OATH_OK)
		return TACIT_E_CRYPTO;
	int rc = n <= MAX_SEED ? oath_totp_generate(seed, n, (time_t)(step * STEP_SECONDS),
	                                 STEP_SECONDS, 0, TOTP_DIGITS, out)
	                       : -1;
	tacit_wipe(seed, n);
	free(seed); /* liboath's own allocation */
	return rc == OATH_OK ? TACIT_OK : TACIT_E_CRYPTO;
}

static bool take_recovery(struct totp_keep *k, char out[TOTP_CODE_ROOM])
{
	size_t n = strcspn(k->recovery, "\n");
	if (n == 0 || n >= TOTP_CODE_ROOM)
		return false;
	memcpy(out, k->recovery, n);
	out[n] = '\0';
	size_t skip = k->recovery[n] == '\n' ? n + 1 : n;
	memmove(k->recovery, k->recovery + skip, strlen(k->recovery + skip) + 1);
	return true;
}

enum tacit_err totp_take_code(struct totp_keep *k, int64_t now, char out[TOTP_CODE_ROOM])
{
	int64_t step = now / STEP_SECONDS;
	/* That of the half minute before is good until this one ends: not when that is near. */
	int64_t oldest = now % STEP_SECONDS < STEP_SECONDS / 2 ? step - 1 : step;
	int64_t first = k->last_step + 1 > oldest ? k->last_step + 1 : oldest;
	if (first > step + 1)
		return take_recovery(k, out) ? TACIT_OK : TACIT_E_LIMIT;
	k->last_step = first;
	return code_at(k, first, out);
}

enum tacit_err totp_check(struct totp_keep *k, int64_t now, struct tacit_bytes code)
{
	enum tacit_err err;
	int64_t found = 0, middle = now / STEP_SECONDS;
	char want[TOTP_DIGITS + 1] = "";
	for (int64_t s = middle - 1; s <= middle + 1; s++) {
		TRY(code_at(k, s, want));
		bool same = tacit_ct_eq(code, tacit_bytes(want, TOTP_DIGITS));
		if (same && s > k->last_step && found == 0)
			found = s;
	}
	if (found != 0)
		k->last_step = found;
	err = found != 0 ? TACIT_OK : TACIT_E_BAD_PASSWORD;
out:
	tacit_wipe(want, sizeof(want));
	return err;
}

/* --- the picture ------------------------------------------------------------------------------ */

/* One path of unit squares. */
static enum tacit_err draw(const QRcode *qr, struct tacit_buf *out)
{
	enum tacit_err err;
	int side = qr->width + 2 * QUIET_ZONE;
	TRY(tacit_buf_printf(out,
	        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
	        "shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/><path "
	        "d=\"",
	        side, side, side, side));
	for (int i = 0; i < qr->width * qr->width; i++)
		if (qr->data[i] & 1)
			TRY(tacit_buf_printf(out, "M%d %dh1v1h-1z", i % qr->width + QUIET_ZONE,
			        i / qr->width + QUIET_ZONE));
	TRY(tacit_buf_append(out, TACIT_STR("\"/></svg>")));
out:
	return err;
}

enum tacit_err totp_qr(const char *text, struct tacit_buf *out)
{
	enum tacit_err err;
	struct tacit_buf svg = {0};
	QRcode *qr = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
	TRY(qr != NULL ? TACIT_OK : TACIT_E_NOMEM);
	TRY(draw(qr, &svg));
	TRY(tacit_buf_append(out, TACIT_STR("data:image/svg+xml;base64,")));
	TRY(tacit_base64(TACIT_BASE64, tacit_buf_view(&svg), out));
out:
	QRcode_free(qr);
	tacit_buf_clear(&svg);
	return err;
}
