#include "crypto/encoding.h"

#include <sodium.h>

#include "crypto/secret.h"

void tacit_hex(struct tacit_bytes in, char *out)
{
	sodium_bin2hex(out, 2 * in.n + 1, in.p, in.n);
}

enum tacit_err tacit_unhex(struct tacit_bytes hex, uint8_t *out, size_t n)
{
	if (hex.n % 2 != 0 || hex.n / 2 != n)
		return TACIT_E_MALFORMED;
	if (sodium_hex2bin(out, n, (const char *)hex.p, hex.n, NULL, NULL, NULL) == 0)
		return TACIT_OK;
	tacit_wipe(out, n);
	return TACIT_E_MALFORMED;
}

static int variant_of(enum tacit_base64 kind)
{
	return kind == TACIT_BASE64 ? sodium_base64_VARIANT_ORIGINAL
	                            : sodium_base64_VARIANT_URLSAFE_NO_PADDING;
}

enum tacit_err tacit_base64(enum tacit_base64 kind, struct tacit_bytes in, struct tacit_buf *out)
{
	if (in.n > SIZE_MAX / 2) /* the encoded length would overflow */
		return TACIT_E_NOMEM;
	size_t with_nul = sodium_base64_encoded_len(in.n, variant_of(kind));
	enum tacit_err err = tacit_buf_reserve(out, with_nul);
	if (err != TACIT_OK)
		return err;
	sodium_bin2base64((char *)out->p + out->n, with_nul, in.p, in.n, variant_of(kind));
	out->n += with_nul - 1;
	return TACIT_OK;
}

/* libsodium 1.0.18 compares sign-extended characters and takes 0xff and others for '/'. */
static bool all_ascii(struct tacit_bytes text)
{
	uint8_t any = 0;
	for (size_t i = 0; i < text.n; i++)
		any |= text.p[i];
	return any < 0x80;
}

/* libsodium refuses wrong padding and trailing bits that are not zero; with no characters to
 * ignore and no end pointer, it refuses what else is not canonical. */
enum tacit_err tacit_unbase64(
        enum tacit_base64 kind, struct tacit_bytes text, struct tacit_buf *out)
{
	if (!all_ascii(text))
		return TACIT_E_MALFORMED;
	size_t room = text.n / 4 * 3 + 3;
	enum tacit_err err = tacit_buf_reserve(out, room);
	if (err != TACIT_OK)
		return err;
	size_t n = 0;
	uint8_t *end = out->p + out->n;
	if (sodium_base642bin(end, room, (const char *)text.p, text.n, NULL, &n, NULL,
	            variant_of(kind)) != 0) {
		tacit_wipe(end, room);
		return TACIT_E_MALFORMED;
	}
	out->n += n;
	return TACIT_OK;
}
