#include "cli/screen/wrap.h"

#include <string.h>

#include "cli/screen/cells.h"

static struct tacit_bytes from(struct tacit_bytes text, size_t at)
{
	return tacit_bytes(text.p + at, text.n - at);
}

/* Where a line that must end at or before `most` bytes ends best; text does not fit as a whole. */
static size_t break_at(struct tacit_bytes text, size_t most)
{
	size_t best = 0;
	if (text.p[most] == ' ')
		return most;
	for (size_t at = 0; at < most;) {
		size_t end = cells_after(text, at);
		size_t columns = cells_columns(tacit_bytes(text.p + at, end - at));
		if (text.p[at] == ' ' || columns > 1)
			best = end;
		at = end;
	}
	return best > 0 ? best : most;
}

/* Bytes of the first line of text, which has no line feed in it. */
static size_t line_length(const struct wrap *w, struct tacit_bytes text)
{
	size_t most = cells_fit(text, w->width > 0 ? w->width : 1);
	if (most == text.n)
		return most;
	if (most == 0)
		return cells_after(text, 0);
	return w->where == WRAP_WORDS ? break_at(text, most) : most;
}

static size_t without_spaces(struct tacit_bytes text, size_t n)
{
	while (n > 0 && text.p[n - 1] == ' ')
		n--;
	return n;
}

bool wrap_next(struct wrap *w, struct tacit_bytes *line)
{
	if (w->ended)
		return false;
	const uint8_t *feed = w->rest.n > 0 ? memchr(w->rest.p, '\n', w->rest.n) : NULL;
	size_t whole = feed != NULL ? (size_t)(feed - w->rest.p) : w->rest.n;
	struct tacit_bytes text = tacit_bytes(w->rest.p, whole);
	size_t n = line_length(w, text);
	bool broken = n < whole;
	*line = tacit_bytes(text.p, n);
	if (broken && w->where == WRAP_WORDS) {
		size_t shown = without_spaces(text, n);
		line->n = shown > 0 ? shown : n;
		while (n < whole && text.p[n] == ' ')
			n++;
		broken = n < whole;
	}
	w->ended = !broken && feed == NULL;
	if (!w->ended)
		w->rest = from(w->rest, broken ? n : whole + 1);
	return true;
}

size_t wrap_count(struct tacit_bytes text, size_t width, enum wrap_where where)
{
	struct wrap w = {text, width, where, false};
	struct tacit_bytes line;
	size_t count = 0;
	while (wrap_next(&w, &line))
		count++;
	return count;
}
