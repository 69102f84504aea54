#include "base/reader.h"

#include <string.h>

void tacit_reader_fail(struct tacit_reader *r, enum tacit_err err)
{
	if (r->err == TACIT_OK)
		r->err = err;
	r->rest = tacit_bytes(NULL, 0);
}

struct tacit_bytes tacit_read_view(struct tacit_reader *r, size_t n)
{
	if (r->err != TACIT_OK)
		return tacit_bytes(NULL, 0);
	if (n > r->rest.n) {
		tacit_reader_fail(r, TACIT_E_TRUNCATED);
		return tacit_bytes(NULL, 0);
	}
	struct tacit_bytes v = tacit_bytes(r->rest.p, n);
	if (n > 0)
		r->rest = tacit_bytes(r->rest.p + n, r->rest.n - n);
	return v;
}

static uint64_t read_uint(struct tacit_reader *r, size_t n)
{
	struct tacit_bytes v = tacit_read_view(r, n);
	uint64_t x = 0;
	for (size_t i = 0; i < v.n; i++)
		x = x << 8 | v.p[i];
	return x;
}

uint8_t tacit_read_u8(struct tacit_reader *r)
{
	return (uint8_t)read_uint(r, 1);
}

uint16_t tacit_read_u16(struct tacit_reader *r)
{
	return (uint16_t)read_uint(r, 2);
}

uint32_t tacit_read_u32(struct tacit_reader *r)
{
	return (uint32_t)read_uint(r, 4);
}

uint64_t tacit_read_u64(struct tacit_reader *r)
{
	return read_uint(r, 8);
}

void tacit_read_into(struct tacit_reader *r, void *out, size_t n)
{
	struct tacit_bytes v = tacit_read_view(r, n);
	if (n == 0)
		return;
	if (v.n == n)
		memcpy(out, v.p, n);
	else
		memset(out, 0, n);
}

static struct tacit_bytes read_vec(struct tacit_reader *r, size_t len_bytes, size_t max)
{
	uint64_t n = read_uint(r, len_bytes);
	if (n > max) {
		tacit_reader_fail(r, TACIT_E_TOO_LARGE);
		return tacit_bytes(NULL, 0);
	}
	return tacit_read_view(r, (size_t)n);
}

struct tacit_bytes tacit_read_vec8(struct tacit_reader *r, size_t max)
{
	return read_vec(r, 1, max);
}

struct tacit_bytes tacit_read_vec16(struct tacit_reader *r, size_t max)
{
	return read_vec(r, 2, max);
}

struct tacit_bytes tacit_read_vec32(struct tacit_reader *r, size_t max)
{
	return read_vec(r, 4, max);
}

enum tacit_err tacit_reader_end(const struct tacit_reader *r)
{
	if (r->err != TACIT_OK)
		return r->err;
	return r->rest.n == 0 ? TACIT_OK : TACIT_E_TRAILING;
}
