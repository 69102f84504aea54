#define NCURSES_WIDECHAR 1
#include "cli/screen/draw.h"

#include <curses.h>

#include "cli/screen/cells.h"
#include "cli/screen/terminal.h"

#define VARIATION_TEXT 0xfe0e
#define VARIATION_EMOJI 0xfe0f
#define JOINER 0x200d

struct look {
	attr_t attributes;
	short pair;
};

static struct look looks[STYLE_COUNT];

struct colours {
	enum style style;
	attr_t plain; /* without colours */
	attr_t attributes;
	short front, back; /* -1: the terminal's own */
};

static const struct colours table[] = {
        {STYLE_DIM, A_DIM, A_DIM, -1, -1},
        {STYLE_BOLD, A_BOLD, A_BOLD, -1, -1},
        {STYLE_NAME, A_BOLD, A_BOLD, COLOR_CYAN, -1},
        {STYLE_OWN, A_NORMAL, A_NORMAL, -1, -1},
        {STYLE_GOOD, A_NORMAL, A_NORMAL, COLOR_GREEN, -1},
        {STYLE_LOUD, A_REVERSE | A_BOLD, A_BOLD, COLOR_WHITE, COLOR_RED},
        {STYLE_BAD, A_BOLD, A_NORMAL, COLOR_RED, -1},
        {STYLE_NEWS, A_BOLD, A_BOLD, COLOR_YELLOW, -1},
        {STYLE_BAR, A_REVERSE, A_NORMAL, COLOR_WHITE, COLOR_BLUE},
        {STYLE_BAR_GOOD, A_REVERSE, A_BOLD, COLOR_WHITE, COLOR_BLUE},
        {STYLE_BAR_LOUD, A_REVERSE | A_BOLD, A_BOLD, COLOR_WHITE, COLOR_RED},
        {STYLE_CHOSEN, A_REVERSE, A_REVERSE, -1, -1},
};

void draw_styles(void)
{
	bool colours = terminal_colours();
	for (size_t i = 0; i < TACIT_COUNT(table); i++) {
		const struct colours *c = &table[i];
		struct look *look = &looks[c->style];
		bool usable = colours && (c->front >= 0 || c->back >= 0) &&
		              init_pair((short)(i + 1), c->front, c->back) == OK;
		look->attributes = colours ? c->attributes : c->plain;
		look->pair = usable ? (short)(i + 1) : 0;
	}
}

/* A cell holds a base and a few marks that combine with it; what would be left to the terminal's
 * taste (emoji joined into one, or in another width) is shown as its parts. */
struct cell {
	wchar_t text[CCHARW_MAX + 1];
	size_t marks, columns;
};

static size_t take_cell(struct tacit_bytes text, struct cell *cell)
{
	size_t columns;
	size_t at = cells_next(text, &cell->text[0], &cell->columns);
	cell->marks = 0;
	while (at < text.n) {
		wchar_t mark;
		size_t n = cells_next(tacit_bytes(text.p + at, text.n - at), &mark, &columns);
		if (columns > 0)
			break;
		bool taste = mark == VARIATION_TEXT || mark == VARIATION_EMOJI ||
		             (mark == JOINER && cell->columns > 1);
		if (!taste && cell->marks + 2 < CCHARW_MAX)
			cell->text[++cell->marks] = mark;
		at += n;
	}
	cell->text[cell->marks + 1] = L'\0';
	return at;
}

static void put_span(struct tacit_bytes text, size_t left, enum style style)
{
	const struct look *look = &looks[style];
	struct cell cell;
	while (text.n > 0) {
		cchar_t shown;
		size_t n = take_cell(text, &cell);
		if (cell.columns > left)
			return;
		if (cell.columns > 0 &&
		        setcchar(&shown, cell.text, look->attributes, look->pair, NULL) == OK)
			add_wch(&shown);
		left -= cell.columns;
		text = tacit_bytes(text.p + n, text.n - n);
	}
}

static void fill_row(int y, int x, size_t columns, enum style style)
{
	cchar_t space;
	if (style != STYLE_PLAIN &&
	        setcchar(&space, L" ", looks[style].attributes, looks[style].pair, NULL) == OK)
		mvhline_set(y, x, &space, (int)columns);
}

static void draw_part(const struct part *p)
{
	for (size_t i = 0; i < p->rows.count; i++) {
		const struct row *row = &p->rows.list[i];
		int y = (int)(p->row + i);
		fill_row(y, (int)p->column, p->columns, row->fill);
		for (size_t s = 0; s < row->spans; s++) {
			const struct span *span = &row->span[s];
			if (span->column >= p->columns ||
			        move(y, (int)(p->column + span->column)) == ERR)
				continue;
			put_span(rows_text(&p->rows, span), p->columns - span->column, span->style);
		}
	}
}

static void draw_divider(const struct frame *f)
{
	cchar_t line;
	if (f->list.rows.count == 0)
		return;
	if (setcchar(&line, L"\u2502", looks[STYLE_DIM].attributes, looks[STYLE_DIM].pair, NULL) ==
	        OK)
		mvvline_set((int)f->list.row, (int)f->list.columns, &line, (int)f->list.rows.count);
}

void draw_frame(const struct frame *f)
{
	erase();
	draw_part(&f->bar);
	draw_part(&f->list);
	draw_divider(f);
	draw_part(&f->pane);
	draw_part(&f->status);
	draw_part(&f->input);
	move((int)f->cursor_row, (int)f->cursor_column);
	refresh();
}
