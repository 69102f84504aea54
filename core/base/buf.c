#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

enum tacit_err tacit_buf_reserve(struct tacit_buf *b, size_t n)
{
	if (n <= b->cap - b->n)
		return TACIT_OK;
	if (n > SIZE_MAX / 2 - b->n)
		return TACIT_E_NOMEM;
	size_t want = b->n + n;
	size_t cap = b->cap < 64 ? 64 : b->cap;
	while (cap < want)
		cap *= 2;
	uint8_t *grown = tacit_alloc(cap);
	if (grown == NULL)
		return TACIT_E_NOMEM;
	if (b->n > 0)
		memcpy(grown, b->p, b->n);
	if (b->p != NULL)
		explicit_bzero(b->p, b->cap);
	tacit_free(b->p);
	b->p = grown;
	b->cap = cap;
	return TACIT_OK;
}

enum tacit_err tacit_buf_append(struct tacit_buf *b, struct tacit_bytes data)
{
	enum tacit_err err = tacit_buf_reserve(b, data.n);
	if (err != TACIT_OK || data.n == 0)
		return err;
	memcpy(b->p + b->n, data.p, data.n);
	b->n += data.n;
	return TACIT_OK;
}

enum tacit_err tacit_buf_printf(struct tacit_buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int need = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	TACIT_ASSERT(need >= 0);
	enum tacit_err err = tacit_buf_reserve(b, (size_t)need + 1);
	if (err != TACIT_OK)
		return err;
	va_start(ap, fmt);
	vsnprintf((char *)b->p + b->n, (size_t)need + 1, fmt, ap);
	va_end(ap);
	b->n += (size_t)need;
	return TACIT_OK;
}

enum tacit_err tacit_buf_terminate(struct tacit_buf *b)
{
	enum tacit_err err = tacit_buf_reserve(b, 1);
	if (err == TACIT_OK)
		b->p[b->n] = 0;
	return err;
}

void tacit_buf_clear(struct tacit_buf *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->cap);
	tacit_free(b->p);
	*b = (struct tacit_buf){0};
}
