#define _GNU_SOURCE /* wcwidth */
#include "cli/screen/cells.h"

#include <unigbrk.h>

#include "base/utf8.h"

#define REPLACEMENT 0xfffd

size_t cells_next(struct tacit_bytes text, wchar_t *shown, size_t *columns)
{
	uint32_t code = 0;
	*shown = REPLACEMENT;
	*columns = 0;
	if (text.n == 0)
		return 0;
	size_t n = tacit_utf8_next(text, &code);
	int width = n > 0 ? wcwidth((wchar_t)code) : -1;
	if (n > 0 && width >= 0 && !tacit_utf8_is_control(code)) {
		*shown = (wchar_t)code;
		*columns = (size_t)width;
	} else {
		*columns = 1;
	}
	return n > 0 ? n : 1;
}

size_t cells_columns(struct tacit_bytes text)
{
	wchar_t shown;
	size_t sum = 0;
	size_t columns;
	size_t n;
	while ((n = cells_next(text, &shown, &columns)) > 0) {
		sum += columns;
		text = tacit_bytes(text.p + n, text.n - n);
	}
	return sum;
}

size_t cells_fit(struct tacit_bytes text, size_t columns)
{
	size_t at = 0;
	size_t used = 0;
	while (at < text.n) {
		size_t end = cells_after(text, at);
		used += cells_columns(tacit_bytes(text.p + at, end - at));
		if (used > columns)
			break;
		at = end;
	}
	return at;
}

size_t cells_after(struct tacit_bytes text, size_t at)
{
	if (at >= text.n)
		return text.n;
	if (text.p[at] < 0x80 && (at + 1 == text.n || text.p[at + 1] < 0x80))
		return at + 1;
	const uint8_t *end = u8_grapheme_next(text.p + at, text.p + text.n);
	return end != NULL ? (size_t)(end - text.p) : text.n;
}

size_t cells_before(struct tacit_bytes text, size_t at)
{
	if (at == 0)
		return 0;
	const uint8_t *start = u8_grapheme_prev(text.p + at, text.p);
	return start != NULL ? (size_t)(start - text.p) : 0;
}
