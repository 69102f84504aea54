#include "cli/screen/frame.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/screen/cells.h"
#include "cli/duration.h"
#include "cli/screen/wrap.h"

#define LIST_FROM 60 /* columns of a screen that has room for the list */
#define LIST_LEAST 18
#define LIST_MOST 30
#define MOST_INPUT 8
#define FILE_KEY "(Ctrl-G fetches the newest)"
#define CHECK_MARK "\xe2\x9c\x93"
#define FULL_DOT "\xe2\x97\x8f"
#define HALF_DOT "\xe2\x97\x90"
#define EMPTY_DOT "\xe2\x97\x8b"
#define ELLIPSIS "\xe2\x80\xa6"

static void reset(struct part *p)
{
	struct rows rows = p->rows;
	rows_reset(&rows);
	*p = (struct part){.rows = rows};
}

void frame_clear(struct frame *f)
{
	rows_clear(&f->bar.rows);
	rows_clear(&f->list.rows);
	rows_clear(&f->pane.rows);
	rows_clear(&f->status.rows);
	rows_clear(&f->input.rows);
	*f = (struct frame){0};
}

/* --- sizes ----------------------------------------------------------------------------------- */

static size_t list_columns(const struct frame_input *in)
{
	size_t columns = in->columns / 4;
	if (in->columns < LIST_FROM || in->rows < 6 || in->model->count < 2)
		return 0;
	return columns < LIST_LEAST ? LIST_LEAST : columns > LIST_MOST ? LIST_MOST : columns;
}

static size_t prompt_columns(const struct frame_input *in)
{
	size_t n = cells_columns(tacit_cstr(in->prompt));
	return n + 4 < in->columns ? n : 0;
}

static size_t input_width(const struct frame_input *in)
{
	return in->columns > prompt_columns(in) ? in->columns - prompt_columns(in) : 1;
}

static size_t input_rows(const struct frame_input *in)
{
	size_t rows = edit_place(in->edit, input_width(in)).rows;
	size_t most = in->rows / 3 < MOST_INPUT ? in->rows / 3 : MOST_INPUT;
	most = most > 0 ? most : 1;
	return rows < most ? rows : most;
}

/* The bar and the status give way on a screen of a row or two. */
static size_t bars(const struct frame_input *in)
{
	return in->rows >= 5 ? 2 : in->rows >= 3 ? 1 : 0;
}

static bool somebody_types(const struct frame_input *in)
{
	const struct dialog *d = model_chosen(in->model);
	return d != NULL && d->typing.n > 0 && d->typing_until > in->now;
}

struct pane frame_pane(const struct frame_input *in)
{
	size_t list = list_columns(in);
	size_t taken = bars(in) + input_rows(in) + (somebody_types(in) && in->rows > 5 ? 1 : 0);
	return (struct pane){
	        .columns = in->columns - (list > 0 ? list + 1 : 0),
	        .rows = in->rows > taken ? in->rows - taken : 0,
	        .file_key = FILE_KEY,
	};
}

/* --- the bar --------------------------------------------------------------------------------- */

static size_t left_in(const struct part *p)
{
	size_t used = p->rows.list[p->rows.count - 1].columns;
	return p->columns > used ? p->columns - used : 0;
}

static enum tacit_err put(struct part *p, enum style style, const char *text)
{
	return rows_put_cut(&p->rows, style, tacit_cstr(text), left_in(p));
}

static enum tacit_err put_members(struct part *p, const struct dialog *d)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_bytes rest = tacit_buf_view(&d->members);
	struct tacit_buf line = {0};
	while (rest.n > 0) {
		const uint8_t *end = memchr(rest.p, '\n', rest.n);
		size_t n = end != NULL ? (size_t)(end - rest.p) : rest.n;
		if (line.n > 0)
			TRY(tacit_buf_append(&line, TACIT_STR(", ")));
		TRY(tacit_buf_append(&line, tacit_bytes(rest.p, n)));
		rest = tacit_bytes_part(rest, n + 1, rest.n);
	}
	TRY(rows_put_cut(&p->rows, STYLE_BAR, tacit_buf_view(&line), left_in(p)));
out:
	tacit_buf_clear(&line);
	return err;
}

static const char *kind_word(enum tacit_conversation_kind kind)
{
	switch (kind) {
	case TACIT_GROUP:
		return "group";
	case TACIT_ROOM:
		return "room";
	case TACIT_SESSION:
		return "self-destructing session";
	default:
		return "";
	}
}

/* What ends by itself: the conversation, or the messages in it. */
static enum tacit_err put_clocks(const struct frame_input *in, struct part *p)
{
	enum tacit_err err = TACIT_OK;
	const struct dialog *d = model_chosen(in->model);
	char text[80];
	if (d->gone)
		return TACIT_OK;
	if (d->ends > 0) {
		snprintf(text, sizeof(text), "  destroys itself in %s",
		        duration_short(d->ends - in->now).text);
		TRY(put(p, STYLE_BAR_LOUD, text));
	}
	if (d->kept > 0) {
		snprintf(text, sizeof(text), "  messages kept %s",
		        duration_short((int64_t)d->kept).text);
		TRY(put(p, STYLE_BAR, text));
	}
out:
	return err;
}

static enum tacit_err put_standing(struct part *p, const struct dialog *d)
{
	enum tacit_err err;
	char text[80];
	if (d->changed)
		return put(p, STYLE_BAR_LOUD, "  !! A KEY HAS CHANGED: /verify");
	if (d->gone)
		return put(p, STYLE_BAR_LOUD, "  closed");
	if (d->kind == TACIT_DIRECT && d->verified)
		return put(p, STYLE_BAR_GOOD, "  " CHECK_MARK " verified");
	if (d->kind == TACIT_DIRECT)
		return put(p, STYLE_BAR, "  not verified (/verify)");
	snprintf(text, sizeof(text), "  %s of %zu: ", kind_word(d->kind), d->member_count);
	TRY(put(p, STYLE_BAR, text));
	TRY(put_members(p, d));
out:
	return err;
}

static enum tacit_err compose_bar(const struct frame_input *in, struct part *p)
{
	enum tacit_err err = TACIT_OK;
	const struct dialog *d = model_chosen(in->model);
	char place[48];
	p->columns = in->columns;
	if (bars(in) < 2)
		return TACIT_OK;
	if (rows_add(&p->rows, STYLE_BAR) == NULL)
		return TACIT_E_NOMEM;
	TRY(put(p, STYLE_BAR, " "));
	if (d == NULL)
		return put(p, STYLE_BAR, "tacit: nobody to talk to yet");
	if (list_columns(in) == 0 && in->model->count > 1) {
		snprintf(place, sizeof(place), "%zu/%zu ", in->model->chosen + 1, in->model->count);
		TRY(put(p, STYLE_BAR, place));
	}
	TRY(rows_put_cut(&p->rows, STYLE_BAR, tacit_buf_view(&d->title), left_in(p)));
	TRY(put_clocks(in, p));
	TRY(put_standing(p, d));
out:
	return err;
}

/* --- the list -------------------------------------------------------------------------------- */

static enum tacit_err put_mark(
        const struct frame_input *in, struct part *p, const struct dialog *d, enum style style)
{
	enum presence presence = model_presence(in->model, d);
	bool chosen = style == STYLE_CHOSEN;
	switch (d->kind) {
	case TACIT_GROUP:
		return put(p, style, "#");
	case TACIT_ROOM:
		return put(p, style, "%");
	case TACIT_SESSION:
		return put(p, style, "~");
	default:
		break;
	}
	if (presence == PRESENCE_UNKNOWN)
		return put(p, style, " ");
	if (presence == PRESENCE_OFFLINE)
		return put(p, style, EMPTY_DOT);
	if (presence == PRESENCE_AWAY)
		return put(p, style, HALF_DOT);
	return put(p, chosen ? style : STYLE_GOOD, FULL_DOT);
}

static enum tacit_err put_dialog(const struct frame_input *in, struct part *p, size_t at)
{
	enum tacit_err err = TACIT_E_NOMEM;
	const struct dialog *d = in->model->dialogs[at];
	bool chosen = at == in->model->chosen;
	enum style style = chosen ? STYLE_CHOSEN : d->gone ? STYLE_DIM : STYLE_PLAIN;
	char number[24];
	char unread[24] = "";
	if (rows_add(&p->rows, chosen ? STYLE_CHOSEN : STYLE_PLAIN) == NULL)
		goto out;
	snprintf(number, sizeof(number), "%2zu ", at + 1);
	if (d->unread > 0)
		snprintf(unread, sizeof(unread), " %" PRIu64, d->unread > 999 ? 999 : d->unread);
	TRY(put(p, chosen ? style : STYLE_DIM, number));
	TRY(put_mark(in, p, d, style));
	TRY(put(p, style, " "));
	size_t room = left_in(p);
	struct duration_text left = duration_short(d->ends - in->now);
	bool clock = d->ends > 0 && !d->gone;
	size_t tail = strlen(unread) + (d->changed ? 2 : 0) + (clock ? strlen(left.text) + 1 : 0);
	TRY(rows_put_cut(&p->rows, d->unread > 0 && !chosen ? STYLE_BOLD : style,
	        tacit_buf_view(&d->title), room > tail ? room - tail : 0));
	rows_go_to(&p->rows, p->columns > tail ? p->columns - tail : 0);
	if (clock) {
		TRY(put(p, style, " "));
		TRY(put(p, style == STYLE_PLAIN ? STYLE_BAD : style, left.text));
	}
	if (d->changed)
		TRY(put(p, STYLE_LOUD, "!!"));
	TRY(put(p, chosen ? style : STYLE_NEWS, unread));
out:
	return err;
}

static enum tacit_err compose_list(const struct frame_input *in, struct part *p, size_t rows)
{
	enum tacit_err err = TACIT_OK;
	const struct model *m = in->model;
	size_t first = m->chosen >= rows ? m->chosen - rows + 1 : 0;
	*p = (struct part){.row = bars(in) > 1, .columns = list_columns(in), .rows = p->rows};
	for (size_t i = first; p->columns > 0 && i < m->count && i < first + rows; i++)
		TRY(put_dialog(in, p, i));
	while (p->columns > 0 && p->rows.count < rows)
		if (rows_add(&p->rows, STYLE_PLAIN) == NULL)
			return TACIT_E_NOMEM;
out:
	return err;
}

/* --- the conversation ------------------------------------------------------------------------ */

static enum tacit_err put_typing(const struct frame_input *in, struct part *p)
{
	enum tacit_err err;
	const struct dialog *d = model_chosen(in->model);
	if (rows_add(&p->rows, STYLE_PLAIN) == NULL)
		return TACIT_E_NOMEM;
	TRY(put(p, STYLE_DIM, " "));
	TRY(rows_put_cut(&p->rows, STYLE_DIM, tacit_buf_view(&d->typing), left_in(p)));
	TRY(put(p, STYLE_DIM, " is typing" ELLIPSIS));
out:
	return err;
}

static enum tacit_err compose_pane(const struct frame_input *in, struct frame *f)
{
	enum tacit_err err = TACIT_OK;
	struct pane size = frame_pane(in);
	const struct dialog *d = model_chosen(in->model);
	struct part *p = &f->pane;
	p->row = bars(in) > 1;
	p->column = in->columns - size.columns;
	p->columns = size.columns;
	f->at_top = true;
	if (d != NULL)
		TRY(pane_compose(&size, d, &p->rows, &f->at_top));
	while (p->rows.count < size.rows)
		if (rows_add(&p->rows, STYLE_PLAIN) == NULL)
			return TACIT_E_NOMEM;
	if (d == NULL && size.rows > 2) {
		struct row *last = &p->rows.list[size.rows - 1];
		last->columns = 1;
		TRY(put(p, STYLE_DIM, "Begin with /chat USER; /help shows what else there is."));
	}
	if (somebody_types(in) && in->rows > 5)
		TRY(put_typing(in, p));
out:
	return err;
}

/* --- the status ------------------------------------------------------------------------------ */

static enum tacit_err put_link(const struct frame_input *in, struct part *p)
{
	const struct model *m = in->model;
	char text[80];
	switch (m->link) {
	case RUNNER_CONNECTING:
		return put(p, STYLE_BAR, "connecting" ELLIPSIS);
	case RUNNER_ONLINE:
		return put(p, STYLE_BAR_GOOD, "online");
	case RUNNER_ASKING:
		return put(p, STYLE_BAR_GOOD, "online (asking every few seconds)");
	case RUNNER_OFFLINE:
		break;
	}
	if (m->retry_at <= 0)
		return put(p, STYLE_BAR_LOUD, "OFFLINE");
	snprintf(text, sizeof(text), "OFFLINE, trying again in %" PRId64 " s",
	        m->retry_at > in->now ? m->retry_at - in->now : 0);
	return put(p, STYLE_BAR_LOUD, text);
}

static enum tacit_err put_news(const struct frame_input *in, struct part *p)
{
	enum tacit_err err = TACIT_OK;
	const struct dialog *d = model_chosen(in->model);
	uint64_t elsewhere = model_unread_elsewhere(in->model);
	char text[64];
	if (d != NULL && !d->anchor.following && d->unread > 0) {
		snprintf(text, sizeof(text), " | %" PRIu64 " new below (End)", d->unread);
		TRY(put(p, STYLE_BAR_LOUD, text));
	} else if (d != NULL && !d->anchor.following) {
		TRY(put(p, STYLE_BAR, " | more below (End)"));
	}
	if (elsewhere > 0) {
		snprintf(text, sizeof(text), " | %" PRIu64 " new elsewhere (Tab)", elsewhere);
		TRY(put(p, STYLE_BAR, text));
	}
out:
	return err;
}

static enum tacit_err compose_status(const struct frame_input *in, struct part *p, size_t row)
{
	enum tacit_err err = TACIT_OK;
	const struct model *m = in->model;
	bool flash = m->flash.n > 0;
	p->row = row;
	p->columns = in->columns;
	if (bars(in) == 0)
		return TACIT_OK;
	if (rows_add(&p->rows, flash && m->flash_loud ? STYLE_BAR_LOUD : STYLE_BAR) == NULL)
		return TACIT_E_NOMEM;
	TRY(put(p, flash && m->flash_loud ? STYLE_BAR_LOUD : STYLE_BAR, " "));
	if (flash)
		return rows_put_cut(&p->rows, m->flash_loud ? STYLE_BAR_LOUD : STYLE_BAR,
		        tacit_buf_view(&m->flash), left_in(p));
	TRY(put_link(in, p));
	TRY(put(p, STYLE_BAR, " | "));
	TRY(rows_put_cut(&p->rows, STYLE_BAR, tacit_buf_view(&m->self), left_in(p)));
	TRY(put_news(in, p));
	if (m->link == RUNNER_OFFLINE && m->why.n > 0) {
		TRY(put(p, STYLE_BAR, " | "));
		TRY(rows_put_cut(&p->rows, STYLE_BAR, tacit_buf_view(&m->why), left_in(p)));
	}
out:
	return err;
}

/* --- the input ------------------------------------------------------------------------------- */

static enum tacit_err compose_input(const struct frame_input *in, struct frame *f, size_t row)
{
	enum tacit_err err = TACIT_OK;
	struct part *p = &f->input;
	size_t rows = input_rows(in);
	struct edit_place place = edit_place(in->edit, input_width(in));
	size_t first = place.row >= rows ? place.row - rows + 1 : 0;
	struct wrap w = {edit_text(in->edit), input_width(in), WRAP_COLUMN, false};
	struct tacit_bytes line;
	*p = (struct part){.row = row, .columns = in->columns, .rows = p->rows};
	for (size_t i = 0; i < first + rows; i++) {
		bool more = wrap_next(&w, &line);
		if (i < first)
			continue;
		if (rows_add(&p->rows, STYLE_PLAIN) == NULL)
			return TACIT_E_NOMEM;
		if (i == 0 && prompt_columns(in) > 0)
			TRY(put(p, STYLE_BOLD, in->prompt));
		rows_go_to(&p->rows, prompt_columns(in));
		if (more)
			TRY(rows_put(&p->rows, STYLE_PLAIN, line));
	}
	f->cursor_row = row + place.row - first;
	f->cursor_column = prompt_columns(in) + place.column;
out:
	return err;
}

enum tacit_err frame_compose(const struct frame_input *in, struct frame *f)
{
	enum tacit_err err;
	size_t input = input_rows(in);
	reset(&f->bar);
	reset(&f->list);
	reset(&f->pane);
	reset(&f->status);
	reset(&f->input);
	TRY(compose_bar(in, &f->bar));
	TRY(compose_pane(in, f));
	TRY(compose_list(in, &f->list, f->pane.rows.count));
	TRY(compose_status(in, &f->status, in->rows - input - 1));
	TRY(compose_input(in, f, in->rows - input));
out:
	return err;
}
