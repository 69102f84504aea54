/* Hex and base64: what decodes is canonical, so encoding it gives the input back. */
#include <ctype.h>

#include "crypto/encoding.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void base64(enum tacit_base64 kind, struct tacit_bytes text)
{
	struct tacit_buf decoded = {0}, again = {0};
	if (tacit_unbase64(kind, text, &decoded) == TACIT_OK &&
	        tacit_base64(kind, tacit_buf_view(&decoded), &again) == TACIT_OK)
		TACIT_ASSERT(tacit_bytes_eq(text, tacit_buf_view(&again)));
	tacit_buf_clear(&decoded);
	tacit_buf_clear(&again);
}

static void hex(struct tacit_bytes text)
{
	uint8_t bytes[64];
	char again[2 * sizeof(bytes) + 1];
	size_t n = text.n / 2;
	if (n > sizeof(bytes) || tacit_unhex(text, bytes, n) != TACIT_OK)
		return;
	tacit_hex(tacit_bytes(bytes, n), again);
	for (size_t i = 0; i < text.n; i++)
		TACIT_ASSERT(tolower(text.p[i]) == again[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hex(tacit_bytes(data, size));
	base64(TACIT_BASE64, tacit_bytes(data, size));
	base64(TACIT_BASE64URL, tacit_bytes(data, size));
	return 0;
}
