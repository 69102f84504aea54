#include "server/api/range.h"

#include <string.h>
#include <strings.h>

static bool read_number(struct tacit_bytes text, uint64_t *out)
{
	uint64_t value = 0;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		uint64_t digit = (uint64_t)(text.p[i] - '0');
		if (value > (UINT64_MAX - digit) / 10)
			value = UINT64_MAX; /* far beyond any file; stays so */
		else
			value = value * 10 + digit;
	}
	*out = value;
	return text.n > 0;
}

enum api_range api_range_read(
        struct tacit_bytes header, uint64_t size, uint64_t *from, uint64_t *bytes)
{
	uint64_t first = 0, last = 0;
	*from = 0;
	*bytes = size;
	if (header.n < 7 || strncasecmp((const char *)header.p, "bytes=", 6) != 0)
		return API_RANGE_WHOLE;
	struct tacit_bytes spec = tacit_bytes_part(header, 6, header.n);
	const uint8_t *dash = memchr(spec.p, '-', spec.n);
	if (dash == NULL)
		return API_RANGE_WHOLE;
	size_t at = (size_t)(dash - spec.p);
	bool has_first = read_number(tacit_bytes_part(spec, 0, at), &first);
	bool has_last = read_number(tacit_bytes_part(spec, at + 1, spec.n), &last);
	if ((at > 0 && !has_first) || (at + 1 < spec.n && !has_last) || (!has_first && !has_last))
		return API_RANGE_WHOLE;
	if (has_first && has_last && last < first)
		return API_RANGE_WHOLE; /* 14.1.1: invalid, so ignored */
	if (!has_first) {               /* the last so many bytes */
		first = last < size ? size - last : 0;
		if (last == 0)
			return API_RANGE_OUTSIDE;
		last = size;
	}
	if (first >= size)
		return API_RANGE_OUTSIDE;
	if (!has_last || last >= size)
		last = size - 1;
	*from = first;
	*bytes = last - first + 1;
	return API_RANGE_PART;
}

bool api_etag_listed(struct tacit_bytes header, struct tacit_bytes etag)
{
	if (header.n == 1 && header.p[0] == '*')
		return true;
	return header.n > 0 && etag.n > 0 && memmem(header.p, header.n, etag.p, etag.n) != NULL;
}
