/* buf.h - owned bytes that grow. Not for secrets: growing leaves copies behind.
 *
 * Empty is {0}; tacit_buf_clear makes it empty again and may be called at any time. */
#ifndef TACIT_BASE_BUF_H
#define TACIT_BASE_BUF_H

#include "base/bytes.h"
#include "base/err.h"

struct tacit_buf {
	uint8_t *p;
	size_t n;   /* bytes in use */
	size_t cap; /* bytes allocated */
};

/* Room for n more bytes beyond b->n. On error b is unchanged. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_buf_reserve(struct tacit_buf *b, size_t n);
/* Appends; data may not point into b. On error b is unchanged. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_buf_append(struct tacit_buf *b, struct tacit_bytes data);
/* printf onto the end, without a NUL. On error b is unchanged. Fails: NOMEM. */
TACIT_MUST_USE TACIT_PRINTF(2, 3) enum tacit_err tacit_buf_printf(
	struct tacit_buf *b, const char *fmt, ...);
/* A NUL after the last byte that is not counted in n, so that p is a C string. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_buf_terminate(struct tacit_buf *b);

static inline struct tacit_bytes tacit_buf_view(const struct tacit_buf *b)
{
	return tacit_bytes(b->p, b->n);
}

/* Wiped before it is freed: a buffer may hold plaintext. */
void tacit_buf_clear(struct tacit_buf *b);

#endif
