#include "base/utf8.h"

#include <string.h>

size_t tacit_utf8_next(struct tacit_bytes text, uint32_t *code_point)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	*code_point = 0;
	if (text.n == 0)
		return 0;
	uint8_t lead = text.p[0];
	size_t n = lead < 0x80       ? 1
	           : lead >> 5 == 6  ? 2
	           : lead >> 4 == 14 ? 3
	           : lead >> 3 == 30 ? 4
	                             : 0;
	if (n == 0 || n > text.n)
		return 0;
	uint32_t c = n == 1 ? lead : lead & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if (text.p[i] >> 6 != 2)
			return 0;
		c = c << 6 | (text.p[i] & 0x3fu);
	}
	if ((n > 1 && c < least[n]) || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*code_point = c;
	return n;
}

bool tacit_utf8_valid(struct tacit_bytes text)
{
	while (text.n > 0) {
		uint32_t c;
		uint64_t eight;
		if (text.n >= sizeof(eight)) { /* most text is plain: eight at a time */
			memcpy(&eight, text.p, sizeof(eight));
			if ((eight & 0x8080808080808080) == 0) {
				text = tacit_bytes(text.p + sizeof(eight), text.n - sizeof(eight));
				continue;
			}
		}
		size_t n = tacit_utf8_next(text, &c);
		if (n == 0)
			return false;
		text = tacit_bytes(text.p + n, text.n - n);
	}
	return true;
}

bool tacit_utf8_is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069) || c == 0x200e || c == 0x200f || c == 0x2028 ||
	       c == 0x2029;
}
