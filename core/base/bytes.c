#include "base/bytes.h"

#include <string.h>

struct tacit_bytes tacit_cstr(const char *s)
{
	return s != NULL ? tacit_bytes(s, strlen(s)) : tacit_bytes(NULL, 0);
}

bool tacit_bytes_eq(struct tacit_bytes a, struct tacit_bytes b)
{
	if (a.n != b.n)
		return false;
	return a.n == 0 || memcmp(a.p, b.p, a.n) == 0;
}

struct tacit_bytes tacit_bytes_part(struct tacit_bytes b, size_t from, size_t n)
{
	if (from > b.n)
		from = b.n;
	if (n > b.n - from)
		n = b.n - from;
	return tacit_bytes(b.p != NULL ? b.p + from : NULL, n);
}
