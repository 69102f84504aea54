#include "cli/screen/rows.h"

#include "base/alloc.h"
#include "cli/screen/cells.h"

#define ELLIPSIS "\xe2\x80\xa6"

void rows_clear(struct rows *r)
{
	tacit_buf_clear(&r->text);
	tacit_free(r->list);
	*r = (struct rows){0};
}

void rows_reset(struct rows *r)
{
	tacit_buf_clear(&r->text);
	r->count = 0;
}

struct row *rows_add(struct rows *r, enum style fill)
{
	if (r->count == r->cap) {
		size_t cap = r->cap > 0 ? 2 * r->cap : 64;
		struct row *grown = tacit_realloc(r->list, cap * sizeof(*grown));
		if (grown == NULL)
			return NULL;
		r->list = grown;
		r->cap = cap;
	}
	r->list[r->count] = (struct row){.fill = fill};
	return &r->list[r->count++];
}

enum tacit_err rows_put(struct rows *r, enum style style, struct tacit_bytes text)
{
	struct row *row = &r->list[r->count - 1];
	size_t at = r->text.n;
	if (text.n == 0)
		return TACIT_OK;
	if (row->spans == ROW_SPANS)
		return TACIT_E_LIMIT;
	enum tacit_err err = tacit_buf_append(&r->text, text);
	if (err != TACIT_OK)
		return err;
	row->span[row->spans++] = (struct span){row->columns, style, at, text.n};
	row->columns += cells_columns(text);
	return TACIT_OK;
}

enum tacit_err rows_put_cut(
        struct rows *r, enum style style, struct tacit_bytes text, size_t columns)
{
	enum tacit_err err;
	if (cells_columns(text) <= columns)
		return rows_put(r, style, text);
	if (columns == 0)
		return TACIT_OK;
	TRY(rows_put(r, style, tacit_bytes(text.p, cells_fit(text, columns - 1))));
	TRY(rows_put(r, style, TACIT_STR(ELLIPSIS)));
out:
	return err;
}

void rows_go_to(struct rows *r, size_t column)
{
	struct row *row = &r->list[r->count - 1];
	row->columns = row->columns > column ? row->columns : column;
}
