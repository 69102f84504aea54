/* reader.h - a cursor over borrowed bytes; every read is bounded, every leftover is found.
 *
 * Integers are big-endian. Vectors carry their length before them, as in RFC 8446 3.4.
 * The first failure sticks: later reads give zeroes and empty views, and tacit_reader_end tells. */
#ifndef TACIT_BASE_READER_H
#define TACIT_BASE_READER_H

#include "base/bytes.h"
#include "base/err.h"

struct tacit_reader {
	struct tacit_bytes rest;
	enum tacit_err err;
};

static inline struct tacit_reader tacit_reader(struct tacit_bytes b)
{
	return (struct tacit_reader){b, TACIT_OK};
}

uint8_t tacit_read_u8(struct tacit_reader *r);
uint16_t tacit_read_u16(struct tacit_reader *r);
uint32_t tacit_read_u32(struct tacit_reader *r);
uint64_t tacit_read_u64(struct tacit_reader *r);
/* Copies exactly n bytes to out (zeroes on failure). */
void tacit_read_into(struct tacit_reader *r, void *out, size_t n);
/* A view of exactly n bytes, borrowed from the input. */
struct tacit_bytes tacit_read_view(struct tacit_reader *r, size_t n);
/* opaque<0..max> with a length of one, two or four bytes before it. TOO_LARGE beyond max. */
struct tacit_bytes tacit_read_vec8(struct tacit_reader *r, size_t max);
struct tacit_bytes tacit_read_vec16(struct tacit_reader *r, size_t max);
struct tacit_bytes tacit_read_vec32(struct tacit_reader *r, size_t max);
/* Marks the reader failed, for a value that a decoder does not accept. */
void tacit_reader_fail(struct tacit_reader *r, enum tacit_err err);

/* OK only when nothing failed and nothing is left. Fails: TRUNCATED, TOO_LARGE, TRAILING, and
 * what tacit_reader_fail was given. */
TACIT_MUST_USE enum tacit_err tacit_reader_end(const struct tacit_reader *r);

#endif
