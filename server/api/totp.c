#include "server/api/totp.h"

#include <liboath/oath.h>
#include <qrencode.h>
#include <stdio.h>
#include <string.h>

#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "crypto/secret.h"

#define GROUP 4
#define GROUPS 4

static const char base32_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

enum tacit_err api_totp_init(void)
{
	return oath_init() == OATH_OK ? TACIT_OK : TACIT_E_CRYPTO;
}

static enum tacit_err code_at(
        const uint8_t seed[API_TOTP_SEED_BYTES], int64_t step, char out[API_TOTP_DIGITS + 1])
{
	int rc = oath_totp_generate((const char *)seed, API_TOTP_SEED_BYTES,
	        (time_t)(step * API_TOTP_STEP_SECONDS), API_TOTP_STEP_SECONDS, 0, API_TOTP_DIGITS,
	        out);
	return rc == OATH_OK ? TACIT_OK : TACIT_E_CRYPTO;
}

enum tacit_err api_totp_check(const uint8_t seed[API_TOTP_SEED_BYTES], struct tacit_bytes code,
        int64_t now, int64_t *step)
{
	enum tacit_err err;
	bool found = false;
	char want[API_TOTP_DIGITS + 1] = "";
	*step = 0;
	for (int64_t s = now / API_TOTP_STEP_SECONDS - 1; s <= now / API_TOTP_STEP_SECONDS + 1;
	        s++) {
		TRY(code_at(seed, s, want));
		bool same = tacit_ct_eq(code, tacit_bytes(want, API_TOTP_DIGITS));
		if (same && !found)
			*step = s;
		found = found || same;
	}
	err = found ? TACIT_OK : TACIT_E_BAD_PASSWORD;
out:
	tacit_wipe(want, sizeof(want));
	return err;
}

/* Whole groups of five bytes only: all that is encoded here is such. */
static void base32(const uint8_t *in, size_t n, char *out)
{
	TACIT_ASSERT(n % 5 == 0);
	for (size_t i = 0; i < n; i += 5) {
		uint64_t five = 0;
		for (size_t k = 0; k < 5; k++)
			five = five << 8 | in[i + k];
		for (size_t k = 0; k < 8; k++)
			*out++ = base32_digits[five >> (35 - 5 * k) & 31];
	}
	*out = '\0';
}

enum tacit_err api_totp_secret_text(const uint8_t seed[API_TOTP_SEED_BYTES], struct tacit_buf *out)
{
	char text[API_TOTP_SEED_BYTES / 5 * 8 + 1];
	base32(seed, API_TOTP_SEED_BYTES, text);
	enum tacit_err err = tacit_buf_append(out, tacit_cstr(text));
	tacit_wipe(text, sizeof(text));
	return err;
}

enum tacit_err api_totp_uri(
        const char *username, const uint8_t seed[API_TOTP_SEED_BYTES], struct tacit_buf *out)
{
	enum tacit_err err;
	TRY(tacit_buf_append(out, TACIT_STR("otpauth://totp/tacit:")));
	TRY(tacit_buf_append(out, tacit_cstr(username))); /* its characters need no escaping */
	TRY(tacit_buf_append(out, TACIT_STR("?secret=")));
	TRY(api_totp_secret_text(seed, out));
	TRY(tacit_buf_append(out, TACIT_STR("&issuer=tacit&algorithm=SHA1&digits=6&period=30")));
out:
	return err;
}

/* One path of unit squares, with the quiet zone of four modules that ISO 18004 asks for. */
static enum tacit_err svg_of(const QRcode *qr, struct tacit_buf *out)
{
	enum tacit_err err;
	int side = qr->width + 8;
	TRY(tacit_buf_printf(out,
	        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
	        "shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/><path "
	        "d=\"",
	        side, side, side, side));
	for (int y = 0; y < qr->width; y++)
		for (int x = 0; x < qr->width; x++)
			if (qr->data[y * qr->width + x] & 1)
				TRY(tacit_buf_printf(out, "M%d %dh1v1h-1z", x + 4, y + 4));
	TRY(tacit_buf_append(out, TACIT_STR("\"/></svg>")));
out:
	return err;
}

enum tacit_err api_qr_data_uri(const char *text, struct tacit_buf *out)
{
	enum tacit_err err;
	struct tacit_buf svg = {0};
	QRcode *qr = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
	TRY(qr != NULL ? TACIT_OK : TACIT_E_NOMEM);
	TRY(svg_of(qr, &svg));
	TRY(tacit_buf_append(out, TACIT_STR("data:image/svg+xml;base64,")));
	TRY(tacit_base64(TACIT_BASE64, tacit_buf_view(&svg), out));
out:
	QRcode_free(qr);
	tacit_buf_clear(&svg);
	return err;
}

enum tacit_err api_recovery_code_hash(struct tacit_bytes typed, uint8_t hash[STORE_HASH_BYTES])
{
	char plain[GROUP * GROUPS];
	size_t n = 0;
	for (size_t i = 0; i < typed.n; i++) {
		uint8_t c = typed.p[i];
		if (c == '-' || c == ' ')
			continue;
		if (c >= 'a' && c <= 'z')
			c = (uint8_t)(c - ('a' - 'A'));
		if (n == sizeof(plain) ||
		        memchr(base32_digits, c, sizeof(base32_digits) - 1) == NULL)
			return TACIT_E_MALFORMED;
		plain[n++] = (char)c;
	}
	if (n != sizeof(plain))
		return TACIT_E_MALFORMED;
	tacit_sha256(tacit_bytes(plain, sizeof(plain)), hash);
	tacit_wipe(plain, sizeof(plain));
	return TACIT_OK;
}

enum tacit_err api_recovery_codes_new(const struct tacit_env *env,
        char codes[API_RECOVERY_CODES][API_RECOVERY_CHARS + 1],
        uint8_t hashes[API_RECOVERY_CODES][STORE_HASH_BYTES])
{
	enum tacit_err err = TACIT_OK;
	uint8_t raw[10];
	char text[GROUP * GROUPS + 1];
	for (size_t i = 0; i < API_RECOVERY_CODES; i++) {
		tacit_env_random(env, raw, sizeof(raw));
		base32(raw, sizeof(raw), text);
		(void)snprintf(codes[i], API_RECOVERY_CHARS + 1, "%.4s-%.4s-%.4s-%.4s", text,
		        text + 4, text + 8, text + 12);
		TRY(api_recovery_code_hash(tacit_cstr(codes[i]), hashes[i]));
	}
out:
	tacit_wipe(raw, sizeof(raw));
	tacit_wipe(text, sizeof(text));
	return err;
}
