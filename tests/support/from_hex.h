/* from_hex.h - bytes written as hex in a test; the last eight results live on. */
#ifndef TACIT_TESTS_FROM_HEX_H
#define TACIT_TESTS_FROM_HEX_H

#include <string.h>

#include "crypto/encoding.h"
#include "support/tap.h"

#define CHECK_HEX(got, n, hex) CHECK_BYTES(tacit_bytes(got, n), from_hex(hex))

static inline struct tacit_bytes from_hex(const char *hex)
{
	static uint8_t room[8][256];
	static size_t turn;
	uint8_t *out = room[turn++ % TACIT_COUNT(room)];
	size_t n = strlen(hex) / 2;
	if (!CHECK(n <= sizeof(room[0])) || !CHECK_OK(tacit_unhex(tacit_cstr(hex), out, n)))
		n = 0;
	return tacit_bytes(out, n);
}

#endif
