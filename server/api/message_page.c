#include "server/api/message_page.h"

#include <string.h>

/* The oldest message goes, and the comma behind it. */
static void drop_first(struct api_message_page *p)
{
	struct tacit_buf *b = p->w->out;
	size_t bytes = p->ends[0] - p->start + 1;
	memmove(b->p + p->start, b->p + p->start + bytes, b->n - p->start - bytes);
	b->n -= bytes;
	p->count--;
	for (size_t i = 0; i < p->count; i++)
		p->ends[i] = p->ends[i + 1] - bytes;
}

enum tacit_err api_message_page_add(void *ctx, const struct store_message *m)
{
	struct api_message_page *p = ctx;
	size_t more = m->content.n / 3 * 4 + m->extra.n;
	bool full = p->count > 0 && p->w->out->n - p->start + more > p->max_bytes;
	p->cut = p->cut || full;
	if (p->cut && p->from_oldest)
		return TACIT_OK;
	p->write(p->w, m);
	if (p->w->err != TACIT_OK)
		return p->w->err;
	p->ends[p->count++] = p->w->out->n;
	p->last_id = m->id;
	while (p->count > 1 && p->w->out->n - p->start > p->max_bytes) {
		drop_first(p);
		p->cut = true;
	}
	return TACIT_OK;
}

int64_t api_message_page_after(int64_t after)
{
	return after > 0 ? after : after < 0 ? 0 : STORE_FROM_START;
}
