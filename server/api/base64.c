#include "server/api/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void write_four(uint32_t x, uint8_t to[4])
{
	to[0] = (uint8_t)digits[x >> 18];
	to[1] = (uint8_t)digits[x >> 12 & 63];
	to[2] = (uint8_t)digits[x >> 6 & 63];
	to[3] = (uint8_t)digits[x & 63];
}

/* One or two bytes. */
static void write_last(const uint8_t *p, size_t n, uint8_t to[4])
{
	write_four((uint32_t)p[0] << 16 | (n > 1 ? (uint32_t)p[1] << 8 : 0), to);
	to[3] = '=';
	if (n == 1)
		to[2] = '=';
}

enum tacit_err api_base64_write(struct tacit_bytes in, struct tacit_buf *out)
{
	if (in.n > SIZE_MAX / 2)
		return TACIT_E_NOMEM;
	enum tacit_err err = tacit_buf_reserve(out, (in.n + 2) / 3 * 4);
	if (err != TACIT_OK)
		return err;
	uint8_t *to = out->p + out->n;
	size_t i = 0;
	for (; in.n - i >= 3; i += 3, to += 4) {
		const uint8_t *p = in.p + i;
		write_four((uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2], to);
	}
	if (i < in.n)
		write_last(in.p + i, in.n - i, to);
	out->n += (in.n + 2) / 3 * 4;
	return TACIT_OK;
}

/* Of each character, one more than the digit that it is; 0: it is none. */
static const uint8_t place[256] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 63, 0, 0, 0, 64, 53, 54, 55,
        56, 57, 58, 59, 60, 61, 62, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
        14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 0, 0, 0, 0, 0, 0, 27, 28, 29, 30, 31,
        32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52};

/* Where what is no digit leaves bits: a quantum has 24. */
#define BAD 0xff000000u

/* Four characters without padding. */
static uint32_t read_four(const uint8_t *p)
{
	return (place[p[0]] - 1u) << 18 | (place[p[1]] - 1u) << 12 | (place[p[2]] - 1u) << 6 |
	       (place[p[3]] - 1u);
}

/* The last four: one to three bytes. False: not canonical. */
static bool read_last(const uint8_t *p, uint8_t *to, size_t *n)
{
	size_t padding = p[3] != '=' ? 0 : p[2] != '=' ? 1 : 2;
	const uint8_t four[4] = {p[0], p[1], padding > 1 ? 'A' : p[2], padding > 0 ? 'A' : p[3]};
	uint32_t x = read_four(four);
	*n = 3 - padding;
	for (size_t i = 0; i < *n; i++)
		to[i] = (uint8_t)(x >> (16 - 8 * i));
	return (x & BAD) == 0 && (x & ((1u << 8 * padding) - 1)) == 0;
}

enum tacit_err api_base64_read(struct tacit_bytes text, struct tacit_buf *out)
{
	uint32_t all = 0;
	size_t last = 0;
	if (text.n % 4 != 0)
		return TACIT_E_MALFORMED;
	enum tacit_err err = tacit_buf_reserve(out, text.n / 4 * 3);
	if (err != TACIT_OK || text.n == 0)
		return err;
	uint8_t *to = out->p + out->n;
	for (size_t i = 0; i < text.n - 4; i += 4) {
		uint32_t x = read_four(text.p + i);
		all |= x;
		*to++ = (uint8_t)(x >> 16);
		*to++ = (uint8_t)(x >> 8);
		*to++ = (uint8_t)x;
	}
	if (!read_last(text.p + text.n - 4, to, &last) || (all & BAD) != 0)
		return TACIT_E_MALFORMED;
	out->n += (text.n - 4) / 4 * 3 + last;
	return TACIT_OK;
}
