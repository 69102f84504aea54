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

/* Clusters are looked for this far; what is longer is torn, and nobody types it. */
#define WINDOW 128

static bool is_inside(struct tacit_bytes text, size_t at)
{
	return at < text.n && text.p[at] >> 6 == 2;
}

size_t cells_after(struct tacit_bytes text, size_t at)
{
	char breaks[WINDOW];
	if (at >= text.n)
		return text.n;
	if (text.p[at] < 0x80 && (at + 1 == text.n || text.p[at + 1] < 0x80))
		return at + 1;
	size_t end = text.n - at < WINDOW ? text.n : at + WINDOW;
	while (end > at + 1 && is_inside(text, end))
		end--;
	u8_grapheme_breaks(text.p + at, end - at, breaks);
	for (size_t i = 1; i < end - at; i++)
		if (breaks[i])
			return at + i;
	return end;
}

size_t cells_before(struct tacit_bytes text, size_t at)
{
	char breaks[WINDOW];
	if (at == 0)
		return 0;
	size_t start = at < WINDOW ? 0 : at - WINDOW;
	while (start + 1 < at && is_inside(text, start))
		start++;
	u8_grapheme_breaks(text.p + start, at - start, breaks);
	for (size_t i = at - start - 1; i > 0; i--)
		if (breaks[i])
			return start + i;
	return start;
}
