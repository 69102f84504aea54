#include "wire/pem.h"

#include <string.h>

#include "crypto/encoding.h"

#define BEGIN "-----BEGIN PUBLIC KEY-----"
#define END "-----END PUBLIC KEY-----"
/* Room for an RSA key of 4096 bits, so that another algorithm gets its own word. */
#define PEM_MAX 2048

/* SEQUENCE { SEQUENCE { OID 1.3.101.112 } BIT STRING of 32 bytes }: RFC 8410 4, in DER. */
static const uint8_t ed25519_prefix[] = {
        0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
#define SPKI_BYTES (sizeof(ed25519_prefix) + TACIT_SIGN_PUBLIC_BYTES)

static bool is_space(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct tacit_bytes trim(struct tacit_bytes b)
{
	while (b.n > 0 && is_space(b.p[0]))
		b = tacit_bytes(b.p + 1, b.n - 1);
	while (b.n > 0 && is_space(b.p[b.n - 1]))
		b.n--;
	return b;
}

/* The text between the two boundary lines (RFC 7468 2). */
static bool cut_boundaries(struct tacit_bytes pem, struct tacit_bytes *inside)
{
	struct tacit_bytes begin = TACIT_STR(BEGIN);
	struct tacit_bytes end = TACIT_STR(END);
	pem = trim(pem);
	if (pem.n < begin.n + end.n || !tacit_bytes_eq(tacit_bytes_part(pem, 0, begin.n), begin) ||
	        !tacit_bytes_eq(tacit_bytes_part(pem, pem.n - end.n, end.n), end))
		return false;
	*inside = tacit_bytes_part(pem, begin.n, pem.n - begin.n - end.n);
	return true;
}

enum tacit_err tacit_pem_read_public(struct tacit_bytes pem, struct tacit_sign_public *out)
{
	*out = (struct tacit_sign_public){0};
	if (pem.n > PEM_MAX)
		return TACIT_E_TOO_LARGE;
	enum tacit_err err;
	struct tacit_buf der = {0};
	struct tacit_bytes inside;
	uint8_t text[PEM_MAX];
	size_t n = 0;
	if (!cut_boundaries(pem, &inside))
		return TACIT_E_MALFORMED;
	for (size_t i = 0; i < inside.n; i++)
		if (!is_space(inside.p[i]))
			text[n++] = inside.p[i];
	TRY(tacit_unbase64(TACIT_BASE64, tacit_bytes(text, n), &der));
	struct tacit_bytes prefix = tacit_bytes(ed25519_prefix, sizeof(ed25519_prefix));
	if (der.n == SPKI_BYTES &&
	        tacit_bytes_eq(tacit_bytes_part(tacit_buf_view(&der), 0, prefix.n), prefix))
		memcpy(out->b, der.p + prefix.n, sizeof(out->b));
	else
		err = der.n > 1 && der.p[0] == 0x30 ? TACIT_E_UNSUPPORTED : TACIT_E_MALFORMED;
out:
	tacit_buf_clear(&der);
	return err;
}

enum tacit_err tacit_pem_write_public(const struct tacit_sign_public *pk, struct tacit_buf *out)
{
	enum tacit_err err;
	size_t start = out->n;
	uint8_t der[SPKI_BYTES];
	memcpy(der, ed25519_prefix, sizeof(ed25519_prefix));
	memcpy(der + sizeof(ed25519_prefix), pk->b, sizeof(pk->b));
	TRY(tacit_buf_append(out, TACIT_STR(BEGIN "\n")));
	TRY(tacit_base64(TACIT_BASE64, tacit_bytes(der, sizeof(der)), out));
	TRY(tacit_buf_append(out, TACIT_STR("\n" END "\n")));
out:
	if (err != TACIT_OK)
		out->n = start;
	return err;
}
