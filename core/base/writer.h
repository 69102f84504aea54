/* writer.h - appends integers and vectors to a buffer; the first error sticks.
 *
 * Mirrors reader.h. Read the error once, in tacit_writer_finish. */
#ifndef TACIT_BASE_WRITER_H
#define TACIT_BASE_WRITER_H

#include "base/buf.h"

struct tacit_writer {
	struct tacit_buf *out; /* borrowed */
	size_t start;          /* out->n when the writer was made */
	enum tacit_err err;
};

static inline struct tacit_writer tacit_writer(struct tacit_buf *out)
{
	return (struct tacit_writer){out, out->n, TACIT_OK};
}

void tacit_write_u8(struct tacit_writer *w, uint8_t x);
void tacit_write_u16(struct tacit_writer *w, uint16_t x);
void tacit_write_u32(struct tacit_writer *w, uint32_t x);
void tacit_write_u64(struct tacit_writer *w, uint64_t x);
void tacit_write_raw(struct tacit_writer *w, struct tacit_bytes b);
/* opaque with a length of one, two or four bytes before it; TOO_LARGE when it does not fit. */
void tacit_write_vec8(struct tacit_writer *w, struct tacit_bytes b);
void tacit_write_vec16(struct tacit_writer *w, struct tacit_bytes b);
void tacit_write_vec32(struct tacit_writer *w, struct tacit_bytes b);
void tacit_writer_fail(struct tacit_writer *w, enum tacit_err err);

/* On error the buffer is cut back to where the writer began. Fails: NOMEM, TOO_LARGE, and what
 * tacit_writer_fail was given. */
TACIT_MUST_USE enum tacit_err tacit_writer_finish(struct tacit_writer *w);

#endif
