#include "cli/screen/pane.h"

#include <string.h>
#include <time.h>

#include "cli/screen/cells.h"
#include "cli/screen/wrap.h"

#define TIME_COLUMNS 6 /* "HH:MM " */
#define LEAST_TEXT 20  /* columns; with less, names get a row of their own */
#define MOST_ROWS 1000 /* of one entry */
#define LINE "\xe2\x94\x80"
#define CHECK_MARK "\xe2\x9c\x93"
#define DOT "\xc2\xb7"

/* Where things stand in the rows of one dialog. */
struct layout {
	const struct pane *pane;
	const struct dialog *dialog;
	size_t name, text; /* columns */
	bool times;
};

/* --- columns --------------------------------------------------------------------------------- */

static size_t longest_name(const struct dialog *d)
{
	size_t longest = 3; /* "you" */
	size_t n = 0;
	if (d->kind == TACIT_DIRECT)
		return d->username.n > longest ? d->username.n : longest;
	for (size_t i = 0; i < d->members.n; i++) {
		n = d->members.p[i] == '\n' ? 0 : n + 1;
		longest = n > longest ? n : longest;
	}
	return longest;
}

static struct layout lay_out(const struct pane *p, const struct dialog *d)
{
	struct layout l = {.pane = p, .dialog = d};
	size_t longest = longest_name(d);
	size_t most = p->columns / 4;
	l.times = p->columns >= TIME_COLUMNS + LEAST_TEXT;
	l.name = l.times ? TIME_COLUMNS : 0;
	l.text = l.name + (longest < most ? longest : most) + 2;
	if (l.text + LEAST_TEXT > p->columns)
		l.text = p->columns > LEAST_TEXT ? p->columns - LEAST_TEXT : 1;
	return l;
}

static size_t text_width(const struct layout *l)
{
	return l->pane->columns > l->text ? l->pane->columns - l->text : 1;
}

/* --- rules ----------------------------------------------------------------------------------- */

static struct tm local(int64_t seconds)
{
	time_t clock = (time_t)seconds;
	struct tm out = {0};
	localtime_r(&clock, &out);
	return out;
}

static bool begins_day(const struct dialog *d, size_t at)
{
	size_t before = at;
	while (before > 0 && d->entries[before - 1].time == 0)
		before--;
	if (d->entries[at].time == 0)
		return false;
	if (before == 0)
		return true;
	struct tm a = local(d->entries[before - 1].time);
	struct tm b = local(d->entries[at].time);
	return a.tm_yday != b.tm_yday || a.tm_year != b.tm_year;
}

static enum tacit_err put_rule(
        const struct layout *l, struct rows *out, enum style style, const char *text)
{
	enum tacit_err err = TACIT_E_NOMEM;
	struct tacit_buf line = {0};
	size_t n = cells_columns(tacit_cstr(text)) + 2;
	size_t width = l->pane->columns > n ? l->pane->columns - n : 0;
	if (rows_add(out, STYLE_PLAIN) == NULL)
		goto out;
	for (size_t i = 0; i < width / 2; i++)
		TRY(tacit_buf_append(&line, TACIT_STR(LINE)));
	TRY(tacit_buf_printf(&line, " %s ", text));
	for (size_t i = width / 2; i < width; i++)
		TRY(tacit_buf_append(&line, TACIT_STR(LINE)));
	TRY(rows_put_cut(out, style, tacit_buf_view(&line), l->pane->columns));
out:
	tacit_buf_clear(&line);
	return err;
}

static enum tacit_err put_rules(const struct layout *l, struct rows *out, size_t at)
{
	enum tacit_err err = TACIT_OK;
	const struct entry *e = &l->dialog->entries[at];
	if (begins_day(l->dialog, at)) {
		char day[64];
		struct tm when = local(e->time);
		bool wide = l->pane->columns > 32;
		if (strftime(day, sizeof(day), wide ? "%A, %e %B %Y" : "%e %b %Y", &when) == 0)
			day[0] = '\0';
		TRY(put_rule(l, out, STYLE_DIM, day));
	}
	if (e->message != 0 && e->message == l->dialog->fresh && e->state == ENTRY_THEIRS)
		TRY(put_rule(l, out, STYLE_NEWS, "new messages"));
out:
	return err;
}

/* --- one entry ------------------------------------------------------------------------------- */

/* Time and name; the text follows in the same row, or in the next when the name is too long for
 * its column: a name is never cut, for another could look like it then. */
static enum tacit_err put_head(const struct layout *l, struct rows *out, const struct entry *e)
{
	enum tacit_err err = TACIT_E_NOMEM;
	char hour[16];
	struct tm when = local(e->time);
	size_t columns = cells_columns(tacit_buf_view(&e->name));
	enum style style = e->state == ENTRY_THEIRS ? STYLE_NAME : STYLE_OWN;
	if (rows_add(out, STYLE_PLAIN) == NULL)
		goto out;
	err = TACIT_OK;
	if (l->times && e->time != 0 && strftime(hour, sizeof(hour), "%H:%M", &when) > 0)
		TRY(rows_put(out, STYLE_DIM, tacit_cstr(hour)));
	rows_go_to(out, l->name);
	TRY(rows_put(out, style, tacit_buf_view(&e->name)));
	if (columns > 0 && l->name + columns + 1 > l->text && rows_add(out, STYLE_PLAIN) == NULL)
		err = TACIT_E_NOMEM;
	rows_go_to(out, l->text);
out:
	return err;
}

/* The first line goes into the last row, each other into one of its own. */
static enum tacit_err put_wrapped(
        const struct layout *l, struct rows *out, enum style style, struct tacit_bytes text)
{
	enum tacit_err err = TACIT_OK;
	struct wrap w = {text, text_width(l), WRAP_WORDS, false};
	struct tacit_bytes line;
	for (size_t rows = 0; wrap_next(&w, &line); rows++) {
		if (rows > 0 && rows_add(out, STYLE_PLAIN) == NULL)
			return TACIT_E_NOMEM;
		rows_go_to(out, l->text);
		if (rows == MOST_ROWS) {
			TRY(rows_put(out, STYLE_DIM,
			        TACIT_STR("[more lines: tacit history shows them]")));
			break;
		}
		TRY(rows_put(out, style, line));
	}
out:
	return err;
}

static bool is_own_sent(const struct entry *e)
{
	return e->state == ENTRY_SENT && e->message != 0;
}

/* The newest own message that the reader has read. */
static bool is_last_read(const struct dialog *d, size_t at, const struct reader *r)
{
	if (r->message < d->entries[at].message)
		return false;
	for (size_t i = at + 1; i < d->count; i++)
		if (is_own_sent(&d->entries[i]) && d->entries[i].message <= r->message)
			return false;
	return true;
}

static enum tacit_err list_readers(const struct dialog *d, size_t at, struct tacit_buf *text)
{
	enum tacit_err err;
	size_t readers = 0;
	size_t named = 0;
	for (size_t i = 0; i < d->reader_count; i++)
		readers += d->readers[i].message >= d->entries[at].message;
	TRY(tacit_buf_printf(text, "  %s", readers > 0 ? CHECK_MARK CHECK_MARK : CHECK_MARK));
	for (size_t i = 0; i < d->reader_count; i++) {
		if (!is_last_read(d, at, &d->readers[i]))
			continue;
		TRY(tacit_buf_append(text, named++ > 0 ? TACIT_STR(", ") : TACIT_STR(" read by ")));
		TRY(tacit_buf_append(text, tacit_buf_view(&d->readers[i].name)));
	}
out:
	return err;
}

/* Whether an own message waits, is sent, is read and by whom: behind its last line. */
static enum tacit_err put_state(const struct layout *l, struct rows *out, size_t at)
{
	enum tacit_err err = TACIT_OK;
	const struct entry *e = &l->dialog->entries[at];
	struct tacit_buf text = {0};
	enum style style = e->state == ENTRY_SENT ? STYLE_DIM : STYLE_BAD;
	if (e->state == ENTRY_THEIRS || (e->state == ENTRY_SENT && e->message == 0))
		return TACIT_OK;
	if (is_own_sent(e))
		TRY(list_readers(l->dialog, at, &text));
	else
		TRY(tacit_buf_printf(&text, "  %s",
		        e->state == ENTRY_WAITING ? "\xe2\x80\xa6 waiting" : "! not sent"));
	size_t columns = cells_columns(tacit_buf_view(&text));
	if (out->list[out->count - 1].columns + columns > l->pane->columns) {
		if (rows_add(out, STYLE_PLAIN) == NULL) {
			err = TACIT_E_NOMEM;
			goto out;
		}
		rows_go_to(out, l->text);
	}
	size_t left = l->pane->columns - out->list[out->count - 1].columns;
	TRY(rows_put_cut(out, style, tacit_buf_view(&text), left));
out:
	tacit_buf_clear(&text);
	return err;
}

static enum tacit_err put_file(const struct layout *l, struct rows *out, const struct entry *e)
{
	enum tacit_err err;
	struct tacit_buf text = {0};
	struct tacit_bytes whole = tacit_buf_view(&e->text);
	const uint8_t *feed = whole.n > 0 ? memchr(whole.p, '\n', whole.n) : NULL;
	size_t first = feed != NULL ? (size_t)(feed - whole.p) : whole.n;
	TRY(tacit_buf_append(&text, TACIT_STR("file ")));
	TRY(tacit_buf_append(&text, tacit_bytes(whole.p, first)));
	TRY(put_wrapped(l, out, STYLE_BOLD, tacit_buf_view(&text)));
	tacit_buf_clear(&text);
	TRY(tacit_buf_printf(&text, "\ntacit file get %.8s", e->file));
	if (e->state == ENTRY_THEIRS)
		TRY(tacit_buf_printf(&text, "  %s", l->pane->file_key));
	if (rows_add(out, STYLE_PLAIN) == NULL) {
		err = TACIT_E_NOMEM;
		goto out;
	}
	TRY(put_wrapped(l, out, STYLE_DIM, tacit_bytes(text.p + 1, text.n - 1)));
	if (feed == NULL)
		goto out;
	if (rows_add(out, STYLE_PLAIN) == NULL) {
		err = TACIT_E_NOMEM;
		goto out;
	}
	TRY(put_wrapped(l, out, STYLE_PLAIN, tacit_bytes_part(whole, first + 1, whole.n)));
out:
	tacit_buf_clear(&text);
	return err;
}

/* The message that is answered, in one line. */
static enum tacit_err put_reply(const struct layout *l, struct rows *out, const struct entry *e)
{
	enum tacit_err err;
	struct tacit_buf text = {0};
	const struct entry *to = dialog_message(l->dialog, e->reply_to);
	struct tacit_bytes said =
	        to != NULL ? tacit_buf_view(&to->text) : TACIT_STR("an earlier message");
	const uint8_t *feed = said.n > 0 ? memchr(said.p, '\n', said.n) : NULL;
	size_t n = feed != NULL ? (size_t)(feed - said.p) : said.n;
	TRY(tacit_buf_append(&text, TACIT_STR("\xe2\x86\xb3 ")));
	if (to != NULL)
		TRY(tacit_buf_printf(&text, "%.*s: ", (int)to->name.n, (const char *)to->name.p));
	TRY(tacit_buf_append(&text, tacit_bytes_part(said, 0, n)));
	if (feed != NULL)
		TRY(tacit_buf_append(&text, TACIT_STR(" \xe2\x80\xa6")));
	rows_go_to(out, l->text);
	TRY(rows_put_cut(out, STYLE_DIM, tacit_buf_view(&text), text_width(l)));
	if (rows_add(out, STYLE_PLAIN) == NULL)
		err = TACIT_E_NOMEM;
out:
	tacit_buf_clear(&text);
	return err;
}

/* That it was edited, and the reactions, in a row below. */
static enum tacit_err put_became(const struct layout *l, struct rows *out, const struct entry *e)
{
	enum tacit_err err;
	struct tacit_buf text = {0};
	if (!e->edited && e->reactions.n == 0)
		return TACIT_OK;
	if (e->edited)
		TRY(tacit_buf_append(&text, TACIT_STR("(edited) ")));
	if (e->reactions.n > 0)
		TRY(tacit_buf_printf(
		        &text, "[%.*s]", (int)e->reactions.n, (const char *)e->reactions.p));
	if (rows_add(out, STYLE_PLAIN) == NULL)
		TRY(TACIT_E_NOMEM);
	TRY(put_wrapped(l, out, STYLE_DIM, tacit_buf_view(&text)));
out:
	tacit_buf_clear(&text);
	return err;
}

static enum tacit_err put_loud(const struct layout *l, struct rows *out, const struct entry *e)
{
	enum tacit_err err;
	struct tacit_buf text = {0};
	struct tacit_bytes line;
	TRY(tacit_buf_append(&text, TACIT_STR("!! WARNING: ")));
	TRY(tacit_buf_append(&text, tacit_buf_view(&e->text)));
	size_t width = l->pane->columns > 2 ? l->pane->columns - 2 : 1;
	struct wrap w = {tacit_buf_view(&text), width, WRAP_WORDS, false};
	while (wrap_next(&w, &line)) {
		if (rows_add(out, STYLE_LOUD) == NULL) {
			err = TACIT_E_NOMEM;
			goto out;
		}
		rows_go_to(out, 1);
		TRY(rows_put(out, STYLE_LOUD, line));
	}
out:
	tacit_buf_clear(&text);
	return err;
}

static enum tacit_err put_aside(const struct layout *l, struct rows *out, const struct entry *e)
{
	enum tacit_err err;
	struct layout wide = *l;
	wide.text = l->name + 2;
	TRY(put_head(&wide, out, e));
	out->list[out->count - 1].columns = l->name;
	TRY(rows_put(out, STYLE_DIM, TACIT_STR(DOT)));
	TRY(put_wrapped(&wide, out, STYLE_DIM, tacit_buf_view(&e->text)));
out:
	return err;
}

static enum tacit_err put_refused(const struct layout *l, struct rows *out, const struct entry *e)
{
	enum tacit_err err;
	struct tacit_buf text = {0};
	TRY(tacit_buf_printf(&text, "[not shown: %.*s]", (int)e->text.n,
	        e->text.n > 0 ? (const char *)e->text.p : ""));
	TRY(put_wrapped(l, out, STYLE_BAD, tacit_buf_view(&text)));
out:
	tacit_buf_clear(&text);
	return err;
}

static enum tacit_err put_entry(const struct layout *l, struct rows *out, size_t at)
{
	enum tacit_err err;
	const struct entry *e = &l->dialog->entries[at];
	TRY(put_rules(l, out, at));
	if (e->kind == ENTRY_LOUD)
		return put_loud(l, out, e);
	if (e->kind == ENTRY_ASIDE)
		return put_aside(l, out, e);
	TRY(put_head(l, out, e));
	if (e->reply_to != 0)
		TRY(put_reply(l, out, e));
	if (e->kind == ENTRY_DELETED)
		TRY(put_wrapped(l, out, STYLE_DIM, tacit_buf_view(&e->text)));
	else if (e->kind == ENTRY_REFUSED)
		TRY(put_refused(l, out, e));
	else if (e->kind == ENTRY_FILE)
		TRY(put_file(l, out, e));
	else
		TRY(put_wrapped(l, out, STYLE_PLAIN, tacit_buf_view(&e->text)));
	TRY(put_state(l, out, at));
	TRY(put_became(l, out, e));
out:
	return err;
}

/* --- the pane -------------------------------------------------------------------------------- */

static enum tacit_err height(const struct layout *l, struct rows *scratch, size_t at, size_t *rows)
{
	rows_reset(scratch);
	enum tacit_err err = put_entry(l, scratch, at);
	*rows = scratch->count;
	return err;
}

/* The index behind the last entry in sight, and how many of its lines are below the pane. */
static size_t bottom(const struct dialog *d, size_t *hidden)
{
	*hidden = d->anchor.following ? 0 : d->anchor.hidden;
	if (d->anchor.following || d->anchor.entry >= d->count)
		return d->count;
	return d->anchor.entry + 1;
}

static enum tacit_err fill_up(struct rows *out, size_t from, size_t rows)
{
	size_t have = out->count - from;
	for (size_t i = have; i < rows; i++)
		if (rows_add(out, STYLE_PLAIN) == NULL)
			return TACIT_E_NOMEM;
	if (have >= rows)
		return TACIT_OK;
	memmove(out->list + from + rows - have, out->list + from, have * sizeof(out->list[0]));
	memset(out->list + from, 0, (rows - have) * sizeof(out->list[0]));
	return TACIT_OK;
}

/* Entries are counted upwards until the pane is full, then composed downwards. */
enum tacit_err pane_compose(
        const struct pane *p, const struct dialog *d, struct rows *out, bool *at_top)
{
	enum tacit_err err = TACIT_OK;
	struct layout l = lay_out(p, d);
	struct rows scratch = {0};
	size_t hidden;
	size_t end = bottom(d, &hidden);
	size_t first = end;
	size_t total = 0;
	size_t from = out->count;
	while (first > 0 && total < p->rows + hidden) {
		size_t rows;
		TRY(height(&l, &scratch, --first, &rows));
		total += rows;
	}
	*at_top = first == 0;
	for (size_t i = first; i < end; i++)
		TRY(put_entry(&l, out, i));
	out->count = hidden < total ? out->count - hidden : from;
	size_t shown = out->count - from;
	if (shown > p->rows) {
		size_t over = shown - p->rows;
		memmove(out->list + from, out->list + from + over, p->rows * sizeof(out->list[0]));
		out->count -= over;
	}
	TRY(fill_up(out, from, p->rows));
out:
	rows_clear(&scratch);
	return err;
}

static enum tacit_err up(const struct layout *l, struct rows *scratch, struct anchor *a, size_t n)
{
	enum tacit_err err = TACIT_OK;
	size_t rows;
	a->hidden += n;
	TRY(height(l, scratch, a->entry, &rows));
	while (a->hidden >= rows && a->entry > 0) {
		a->hidden -= rows;
		a->entry--;
		TRY(height(l, scratch, a->entry, &rows));
	}
	if (a->hidden >= rows)
		a->hidden = rows > 0 ? rows - 1 : 0;
out:
	return err;
}

static enum tacit_err down(const struct layout *l, struct rows *scratch, struct anchor *a, size_t n)
{
	enum tacit_err err = TACIT_OK;
	while (n > a->hidden && a->entry + 1 < l->dialog->count) {
		n -= a->hidden;
		a->entry++;
		TRY(height(l, scratch, a->entry, &a->hidden));
	}
	a->hidden -= n < a->hidden ? n : a->hidden;
out:
	return err;
}

/* A page that is not full although there is more below gets it. */
static enum tacit_err settle(const struct layout *l, struct rows *scratch, struct anchor *a)
{
	enum tacit_err err = TACIT_OK;
	size_t total = 0;
	for (size_t i = a->entry + 1; i > 0 && total < l->pane->rows + a->hidden; i--) {
		size_t rows;
		TRY(height(l, scratch, i - 1, &rows));
		total += rows;
	}
	size_t shown = total > a->hidden ? total - a->hidden : 0;
	if (shown < l->pane->rows)
		TRY(down(l, scratch, a, l->pane->rows - shown));
	a->following = a->entry + 1 == l->dialog->count && a->hidden == 0;
out:
	return err;
}

static enum tacit_err move_to(const struct pane *p, struct dialog *d, struct anchor a, long lines)
{
	enum tacit_err err = TACIT_OK;
	struct layout l = lay_out(p, d);
	struct rows scratch = {0};
	if (lines > 0)
		TRY(up(&l, &scratch, &a, (size_t)lines));
	else
		TRY(down(&l, &scratch, &a, (size_t)-lines));
	TRY(settle(&l, &scratch, &a));
	d->anchor = a;
out:
	rows_clear(&scratch);
	return err;
}

enum tacit_err pane_scroll(const struct pane *p, struct dialog *d, long lines)
{
	struct anchor a = d->anchor;
	if (d->count == 0)
		return TACIT_OK;
	if (a.following || a.entry >= d->count)
		a = (struct anchor){false, d->count - 1, 0};
	return move_to(p, d, a, lines);
}

enum tacit_err pane_show(const struct pane *p, struct dialog *d, size_t entry)
{
	if (entry >= d->count)
		return TACIT_OK;
	return move_to(p, d, (struct anchor){false, entry, 0}, 0);
}
