/* bytes.h - a borrowed view of bytes, passed by value. It owns nothing and outlives nothing. */
#ifndef TACIT_BASE_BYTES_H
#define TACIT_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tacit_bytes {
	const uint8_t *p;
	size_t n;
};

/* A view of a string literal, without its NUL. */
#define TACIT_STR(literal)                                                                         \
	((struct tacit_bytes){(const uint8_t *)("" literal), sizeof(literal) - 1})

static inline struct tacit_bytes tacit_bytes(const void *p, size_t n)
{
	return (struct tacit_bytes){(const uint8_t *)p, n};
}

/* A view of a NUL-terminated string; NULL gives the empty view. */
struct tacit_bytes tacit_cstr(const char *s);

/* Equality of public bytes. Not constant-time: secrets are compared with tacit_ct_eq. */
bool tacit_bytes_eq(struct tacit_bytes a, struct tacit_bytes b);

/* The part [from, from+n), cut to what is there. */
struct tacit_bytes tacit_bytes_part(struct tacit_bytes b, size_t from, size_t n);

#endif
