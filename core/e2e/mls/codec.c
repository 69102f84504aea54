#include "e2e/mls/codec.h"

#include <string.h>

uint32_t tacit_mls_read_length(struct tacit_reader *r)
{
	uint8_t first = tacit_read_u8(r);
	unsigned prefix = first >> 6;
	if (prefix == 3) {
		tacit_reader_fail(r, TACIT_E_MALFORMED);
		return 0;
	}
	size_t more = ((size_t)1 << prefix) - 1;
	uint32_t n = first & 0x3fu;
	for (size_t i = 0; i < more; i++)
		n = n << 8 | tacit_read_u8(r);
	if ((prefix == 1 && n < 1u << 6) || (prefix == 2 && n < 1u << 14))
		tacit_reader_fail(r, TACIT_E_MALFORMED);
	return r->err == TACIT_OK ? n : 0;
}

struct tacit_bytes tacit_mls_read_vec(struct tacit_reader *r)
{
	return tacit_read_view(r, tacit_mls_read_length(r));
}

struct tacit_reader tacit_mls_read_sub(struct tacit_reader *r)
{
	struct tacit_reader sub = tacit_reader(tacit_mls_read_vec(r));
	if (r->err != TACIT_OK)
		tacit_reader_fail(&sub, r->err);
	return sub;
}

void tacit_mls_read_sub_end(struct tacit_reader *r, const struct tacit_reader *sub)
{
	enum tacit_err err = tacit_reader_end(sub);
	if (err != TACIT_OK)
		tacit_reader_fail(r, err);
}

bool tacit_mls_read_optional(struct tacit_reader *r)
{
	uint8_t present = tacit_read_u8(r);
	if (present > 1)
		tacit_reader_fail(r, TACIT_E_MALFORMED);
	return r->err == TACIT_OK && present == 1;
}

/* The shortest form of n; how many bytes it takes, 0 when there is none. */
static size_t encode_length(size_t n, uint8_t out[4])
{
	if (n > TACIT_MLS_VEC_MAX)
		return 0;
	size_t size = n < 1u << 6 ? 1 : n < 1u << 14 ? 2 : 4;
	for (size_t i = 0; i < size; i++)
		out[i] = (uint8_t)(n >> (8 * (size - 1 - i)));
	if (size > 1)
		out[0] |= size == 2 ? 0x40 : 0x80;
	return size;
}

void tacit_mls_write_length(struct tacit_writer *w, size_t n)
{
	uint8_t length[4];
	size_t size = encode_length(n, length);
	if (size == 0)
		tacit_writer_fail(w, TACIT_E_TOO_LARGE);
	tacit_write_raw(w, tacit_bytes(length, size));
}

void tacit_mls_write_vec(struct tacit_writer *w, struct tacit_bytes b)
{
	tacit_mls_write_length(w, b.n);
	tacit_write_raw(w, b);
}

void tacit_mls_write_optional(struct tacit_writer *w, bool present)
{
	tacit_write_u8(w, present ? 1 : 0);
}

size_t tacit_mls_vec_begin(struct tacit_writer *w)
{
	return w->out->n;
}

void tacit_mls_vec_end(struct tacit_writer *w, size_t begin)
{
	if (w->err != TACIT_OK)
		return;
	uint8_t length[4];
	size_t n = w->out->n - begin;
	size_t size = encode_length(n, length);
	if (size == 0) {
		tacit_writer_fail(w, TACIT_E_TOO_LARGE);
		return;
	}
	tacit_write_raw(w, tacit_bytes(length, size));
	if (w->err != TACIT_OK)
		return;
	memmove(w->out->p + begin + size, w->out->p + begin, n);
	memcpy(w->out->p + begin, length, size);
}
