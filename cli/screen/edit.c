#include "cli/screen/edit.h"

#include <string.h>

#include "base/utf8.h"
#include "cli/screen/cells.h"
#include "cli/screen/wrap.h"
#include "wire/limits.h"

/* --- life ------------------------------------------------------------------------------------ */

static void forget_undo(struct edit *e)
{
	for (size_t i = 0; i < e->undo_count; i++)
		tacit_buf_clear(&e->undo[i].text);
	e->undo_count = 0;
	e->joining = false;
}

void edit_clear(struct edit *e)
{
	forget_undo(e);
	for (size_t i = 0; i < e->sent_count; i++)
		tacit_buf_clear(&e->sent[i]);
	tacit_buf_clear(&e->now.text);
	tacit_buf_clear(&e->killed);
	tacit_buf_clear(&e->aside);
	*e = (struct edit){0};
}

/* --- changing -------------------------------------------------------------------------------- */

static enum tacit_err remember_step(struct edit *e)
{
	struct tacit_buf copy = {0};
	enum tacit_err err = tacit_buf_append(&copy, edit_text(e));
	if (err != TACIT_OK)
		return err;
	if (e->undo_count == EDIT_UNDO) {
		tacit_buf_clear(&e->undo[0].text);
		memmove(e->undo, e->undo + 1, (EDIT_UNDO - 1) * sizeof(e->undo[0]));
		e->undo_count--;
	}
	e->undo[e->undo_count++] = (struct edit_state){copy, e->now.cursor};
	return TACIT_OK;
}

/* Both ends are between clusters, and the result fits. */
static void splice(struct edit *e, size_t from, size_t to, struct tacit_bytes text)
{
	struct tacit_buf *b = &e->now.text;
	memmove(b->p + from + text.n, b->p + to, b->n - to);
	if (text.n > 0)
		memcpy(b->p + from, text.p, text.n);
	b->n = b->n - (to - from) + text.n;
	e->now.cursor = from + text.n;
}

static enum tacit_err change(struct edit *e, size_t from, size_t to, struct tacit_bytes text)
{
	enum tacit_err err;
	if (e->now.text.n - (to - from) + text.n > TACIT_MAX_TEXT)
		return TACIT_E_TOO_LARGE;
	TRY(tacit_buf_reserve(&e->now.text, text.n + 1));
	if (!e->joining)
		TRY(remember_step(e));
	splice(e, from, to, text);
	e->joining = false;
out:
	return err;
}

/* Tabs to spaces; line feeds stay. */
static enum tacit_err make_clean(struct tacit_bytes text, struct tacit_buf *clean)
{
	enum tacit_err err = TACIT_OK;
	while (text.n > 0) {
		uint32_t code;
		size_t n = tacit_utf8_next(text, &code);
		if (n == 0 || (tacit_utf8_is_control(code) && code != '\n' && code != '\t'))
			return TACIT_E_MALFORMED;
		TRY(tacit_buf_append(
		        clean, code == '\t' ? TACIT_STR(" ") : tacit_bytes(text.p, n)));
		text = tacit_bytes(text.p + n, text.n - n);
	}
out:
	return err;
}

enum tacit_err edit_insert(struct edit *e, struct tacit_bytes text)
{
	enum tacit_err err;
	struct tacit_buf clean = {0};
	bool letter = text.n > 0 && cells_after(text, 0) == text.n && text.p[0] > ' ';
	if (text.n > TACIT_MAX_TEXT)
		return TACIT_E_TOO_LARGE;
	TRY(make_clean(text, &clean));
	TRY(change(e, e->now.cursor, e->now.cursor, tacit_buf_view(&clean)));
	e->joining = letter;
out:
	tacit_buf_clear(&clean);
	return err;
}

enum tacit_err edit_paste(struct edit *e, struct tacit_bytes text)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_buf clean = {0};
	size_t room = TACIT_MAX_TEXT - e->now.text.n;
	while (text.n > 0 && err == TACIT_OK) {
		uint32_t code;
		size_t n = tacit_utf8_next(text, &code);
		struct tacit_bytes one = tacit_bytes(text.p, n);
		bool crlf = code == '\r' && text.n > 1 && text.p[1] == '\n';
		if (code == '\r' || code == '\t')
			one = code == '\r' ? TACIT_STR("\n") : TACIT_STR(" ");
		else if (n > 0 && tacit_utf8_is_control(code) && code != '\n')
			one.n = 0;
		if (clean.n + one.n > room)
			break;
		TRY(tacit_buf_append(&clean, one));
		n = (n > 0 ? n : 1) + (crlf ? 1 : 0);
		text = tacit_bytes(text.p + n, text.n - n);
	}
	e->joining = false;
	TRY(change(e, e->now.cursor, e->now.cursor, tacit_buf_view(&clean)));
out:
	tacit_buf_clear(&clean);
	return err;
}

enum tacit_err edit_replace(struct edit *e, size_t n, struct tacit_bytes text)
{
	enum tacit_err err;
	struct tacit_buf clean = {0};
	e->joining = false;
	n = n < e->now.cursor ? n : e->now.cursor;
	TRY(make_clean(text, &clean));
	TRY(change(e, e->now.cursor - n, e->now.cursor, tacit_buf_view(&clean)));
out:
	tacit_buf_clear(&clean);
	return err;
}

/* --- moving ---------------------------------------------------------------------------------- */

static bool is_word(const struct edit *e, size_t at)
{
	uint8_t c = e->now.text.p[at];
	return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z');
}

static size_t word_left(const struct edit *e)
{
	size_t at = e->now.cursor;
	while (at > 0 && !is_word(e, at - 1))
		at--;
	while (at > 0 && is_word(e, at - 1))
		at--;
	return at;
}

static size_t word_right(const struct edit *e)
{
	size_t at = e->now.cursor;
	while (at < e->now.text.n && !is_word(e, at))
		at++;
	while (at < e->now.text.n && is_word(e, at))
		at++;
	return at;
}

static size_t line_start(const struct edit *e, size_t at)
{
	while (at > 0 && e->now.text.p[at - 1] != '\n')
		at--;
	return at;
}

static size_t line_end(const struct edit *e, size_t at)
{
	while (at < e->now.text.n && e->now.text.p[at] != '\n')
		at++;
	return at;
}

/* The same column of the line that begins at `start`. */
static size_t in_line(const struct edit *e, size_t start)
{
	size_t from = line_start(e, e->now.cursor);
	size_t columns = cells_columns(tacit_bytes(e->now.text.p + from, e->now.cursor - from));
	size_t n = line_end(e, start) - start;
	return start + cells_fit(tacit_bytes(e->now.text.p + start, n), columns);
}

static size_t target(const struct edit *e, enum edit_move move)
{
	struct tacit_bytes text = edit_text(e);
	size_t at = e->now.cursor;
	switch (move) {
	case EDIT_LEFT:
		return cells_before(text, at);
	case EDIT_RIGHT:
		return cells_after(text, at);
	case EDIT_WORD_LEFT:
		return word_left(e);
	case EDIT_WORD_RIGHT:
		return word_right(e);
	case EDIT_LINE_START:
		return line_start(e, at);
	case EDIT_LINE_END:
		return line_end(e, at);
	case EDIT_UP:
		at = line_start(e, at);
		return at > 0 ? in_line(e, line_start(e, at - 1)) : at;
	case EDIT_DOWN:
		at = line_end(e, at);
		return at < text.n ? in_line(e, at + 1) : at;
	case EDIT_START:
		return 0;
	case EDIT_END:
		break;
	}
	return text.n;
}

/* --- what was sent --------------------------------------------------------------------------- */

static enum tacit_err show_text(struct edit *e, struct tacit_bytes text)
{
	enum tacit_err err;
	TRY(tacit_buf_reserve(&e->now.text, text.n + 1));
	forget_undo(e);
	splice(e, 0, e->now.text.n, text);
out:
	return err;
}

static enum tacit_err recall(struct edit *e, enum edit_move move)
{
	enum tacit_err err = TACIT_OK;
	size_t next = e->recalled + (move == EDIT_UP ? (size_t)-1 : 1);
	if (move == EDIT_UP ? e->recalled == 0 : e->recalled >= e->sent_count)
		return TACIT_OK;
	if (e->recalled == e->sent_count) {
		tacit_buf_clear(&e->aside);
		TRY(tacit_buf_append(&e->aside, edit_text(e)));
	}
	TRY(show_text(e, tacit_buf_view(next == e->sent_count ? &e->aside : &e->sent[next])));
	e->recalled = next;
out:
	return err;
}

enum tacit_err edit_move(struct edit *e, enum edit_move move)
{
	size_t from = e->now.cursor;
	e->joining = false;
	if (move == EDIT_UP && line_start(e, from) == 0)
		return recall(e, move);
	if (move == EDIT_DOWN && line_end(e, from) == e->now.text.n)
		return recall(e, move);
	e->now.cursor = target(e, move);
	return TACIT_OK;
}

enum tacit_err edit_delete(struct edit *e, enum edit_move move)
{
	size_t to = target(e, move);
	size_t at = e->now.cursor;
	e->joining = false;
	if (to == at)
		return TACIT_OK;
	enum tacit_err err = change(e, to < at ? to : at, to < at ? at : to, TACIT_STR(""));
	return err;
}

enum tacit_err edit_kill(struct edit *e, enum edit_move move)
{
	enum tacit_err err;
	struct tacit_buf gone = {0};
	size_t to = target(e, move);
	size_t at = e->now.cursor;
	size_t first = to < at ? to : at;
	if (to == at && move == EDIT_LINE_END && at < e->now.text.n)
		to = at + 1; /* the line feed itself */
	size_t n = to < at ? at - to : to - at;
	if (n == 0)
		return TACIT_OK;
	e->joining = false;
	TRY(tacit_buf_append(&gone, tacit_bytes(e->now.text.p + first, n)));
	TRY(change(e, first, first + n, TACIT_STR("")));
	tacit_buf_clear(&e->killed);
	e->killed = gone;
	gone = (struct tacit_buf){0};
out:
	tacit_buf_clear(&gone);
	return err;
}

enum tacit_err edit_kill_all(struct edit *e)
{
	e->now.cursor = e->now.text.n;
	return edit_kill(e, EDIT_START);
}

enum tacit_err edit_yank(struct edit *e)
{
	return edit_insert(e, tacit_buf_view(&e->killed));
}

void edit_undo(struct edit *e)
{
	if (e->undo_count == 0)
		return;
	struct edit_state *last = &e->undo[--e->undo_count];
	splice(e, 0, e->now.text.n, tacit_buf_view(&last->text));
	e->now.cursor = last->cursor;
	tacit_buf_clear(&last->text);
	e->joining = false;
}

enum tacit_err edit_set(struct edit *e, struct tacit_bytes text)
{
	if (text.n > TACIT_MAX_TEXT)
		return TACIT_E_TOO_LARGE;
	if (!tacit_utf8_valid(text))
		return TACIT_E_MALFORMED;
	e->recalled = e->sent_count;
	return show_text(e, text);
}

enum tacit_err edit_sent(struct edit *e)
{
	enum tacit_err err;
	struct tacit_buf copy = {0};
	bool again = e->sent_count > 0 &&
	             tacit_bytes_eq(tacit_buf_view(&e->sent[e->sent_count - 1]), edit_text(e));
	TRY(tacit_buf_append(&copy, edit_text(e)));
	if (!again && copy.n > 0 && e->sent_count == EDIT_REMEMBER) {
		tacit_buf_clear(&e->sent[0]);
		memmove(e->sent, e->sent + 1, (EDIT_REMEMBER - 1) * sizeof(e->sent[0]));
		e->sent_count--;
	}
	if (!again && copy.n > 0) {
		e->sent[e->sent_count++] = copy;
		copy = (struct tacit_buf){0};
	}
out:
	tacit_buf_clear(&copy);
	tacit_buf_clear(&e->now.text);
	tacit_buf_clear(&e->aside);
	e->now.cursor = 0;
	e->recalled = e->sent_count;
	forget_undo(e);
	return err;
}

/* --- showing --------------------------------------------------------------------------------- */

struct edit_place edit_place(const struct edit *e, size_t width)
{
	struct edit_place place = {0};
	struct wrap w = {edit_text(e), width, WRAP_COLUMN, false};
	struct tacit_bytes line;
	size_t row = 0;
	for (; wrap_next(&w, &line); row++) {
		size_t from = e->now.text.n > 0 ? (size_t)(line.p - e->now.text.p) : 0;
		if (e->now.text.n == 0 || e->now.cursor < from || e->now.cursor > from + line.n)
			continue;
		place.row = row;
		place.column = cells_columns(tacit_bytes(line.p, e->now.cursor - from));
	}
	place.rows = row;
	if (place.column >= width && width > 0) {
		place.row++;
		place.column = 0;
	}
	place.rows = place.rows > place.row ? place.rows : place.row + 1;
	return place;
}
