#include "base/writer.h"

void tacit_writer_fail(struct tacit_writer *w, enum tacit_err err)
{
	if (w->err == TACIT_OK)
		w->err = err;
}

void tacit_write_raw(struct tacit_writer *w, struct tacit_bytes b)
{
	if (w->err == TACIT_OK)
		w->err = tacit_buf_append(w->out, b);
}

static void write_uint(struct tacit_writer *w, uint64_t x, size_t n)
{
	uint8_t b[8];
	for (size_t i = 0; i < n; i++)
		b[i] = (uint8_t)(x >> (8 * (n - 1 - i)));
	tacit_write_raw(w, tacit_bytes(b, n));
}

void tacit_write_u8(struct tacit_writer *w, uint8_t x)
{
	write_uint(w, x, 1);
}

void tacit_write_u16(struct tacit_writer *w, uint16_t x)
{
	write_uint(w, x, 2);
}

void tacit_write_u32(struct tacit_writer *w, uint32_t x)
{
	write_uint(w, x, 4);
}

void tacit_write_u64(struct tacit_writer *w, uint64_t x)
{
	write_uint(w, x, 8);
}

static void write_vec(struct tacit_writer *w, struct tacit_bytes b, size_t len_bytes, size_t max)
{
	if (b.n > max) {
		tacit_writer_fail(w, TACIT_E_TOO_LARGE);
		return;
	}
	write_uint(w, b.n, len_bytes);
	tacit_write_raw(w, b);
}

void tacit_write_vec8(struct tacit_writer *w, struct tacit_bytes b)
{
	write_vec(w, b, 1, UINT8_MAX);
}

void tacit_write_vec16(struct tacit_writer *w, struct tacit_bytes b)
{
	write_vec(w, b, 2, UINT16_MAX);
}

void tacit_write_vec32(struct tacit_writer *w, struct tacit_bytes b)
{
	write_vec(w, b, 4, UINT32_MAX);
}

enum tacit_err tacit_writer_finish(struct tacit_writer *w)
{
	if (w->err != TACIT_OK && w->out->n > w->start)
		w->out->n = w->start;
	return w->err;
}
