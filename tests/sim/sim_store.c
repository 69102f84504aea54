#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

static void copy_bytes(struct tacit_buf *to, const struct tacit_buf *from)
{
	to->n = 0;
	if (tacit_buf_append(to, tacit_buf_view(from)) != TACIT_OK)
		abort();
}

static void move_bytes(struct tacit_buf *to, struct tacit_buf *from)
{
	tacit_buf_clear(to);
	*to = *from;
	*from = (struct tacit_buf){0};
}

static void clear_rows(struct sim_rows *r)
{
	for (size_t i = 0; i < r->count; i++)
		tacit_buf_clear(&r->list[i].data);
	free(r->list);
	*r = (struct sim_rows){0};
}

static void copy_rows(struct sim_rows *to, const struct sim_rows *from)
{
	clear_rows(to);
	if (from->count == 0)
		return;
	to->list = calloc(from->count, sizeof(*to->list));
	if (to->list == NULL)
		abort();
	to->count = to->cap = from->count;
	for (size_t i = 0; i < from->count; i++) {
		to->list[i] = (struct sim_row){
		        .id = from->list[i].id, .position = from->list[i].position};
		copy_bytes(&to->list[i].data, &from->list[i].data);
	}
}

void sim_store_clear(struct sim_store *s)
{
	clear_rows(&s->records);
	clear_rows(&s->log);
	tacit_buf_clear(&s->profile);
	tacit_buf_clear(&s->secret);
}

void sim_store_copy(struct sim_store *to, const struct sim_store *from)
{
	copy_rows(&to->records, &from->records);
	copy_rows(&to->log, &from->log);
	copy_bytes(&to->profile, &from->profile);
	copy_bytes(&to->secret, &from->secret);
}

static struct sim_row *find(
        const struct sim_rows *r, const struct tacit_record_id *id, uint64_t position)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->list[i].position == position &&
		        memcmp(r->list[i].id.b, id->b, sizeof(id->b)) == 0)
			return &r->list[i];
	return NULL;
}

static struct sim_row *add(struct sim_rows *r, const struct tacit_record_id *id, uint64_t position)
{
	if (r->count == r->cap) {
		r->cap = 2 * r->cap + 16;
		r->list = realloc(r->list, r->cap * sizeof(*r->list));
		if (r->list == NULL)
			abort();
	}
	r->list[r->count] = (struct sim_row){.id = *id, .position = position};
	return &r->list[r->count++];
}

static void drop(struct sim_rows *r, struct sim_row *row)
{
	tacit_buf_clear(&row->data);
	*row = r->list[--r->count];
}

static void put_record(struct sim_store *s, struct tacit_effect *fx)
{
	struct sim_row *row = find(&s->records, &fx->id, 0);
	if (fx->data.n > 0)
		move_bytes(&(row != NULL ? row : add(&s->records, &fx->id, 0))->data, &fx->data);
	else if (row != NULL)
		drop(&s->records, row);
}

static void purge(struct sim_rows *r, const struct tacit_effect *fx)
{
	for (size_t i = r->count; i > 0; i--) {
		struct sim_row *row = &r->list[i - 1];
		if (memcmp(row->id.b, fx->id.b, sizeof(fx->id.b)) == 0 &&
		        row->position >= fx->position && row->position <= fx->until)
			drop(r, row);
	}
}

struct tacit_bytes sim_store_entry(
        const struct sim_store *s, const struct tacit_record_id *tag, uint64_t position)
{
	const struct sim_row *row = find(&s->log, tag, position);
	return row != NULL ? tacit_buf_view(&row->data) : tacit_bytes(NULL, 0);
}

void sim_store_keep(struct sim_store *s, struct tacit_effect *fx)
{
	if (fx->kind == TACIT_EFFECT_PERSIST)
		put_record(s, fx);
	if (fx->kind == TACIT_EFFECT_PROFILE)
		move_bytes(&s->profile, &fx->data);
	if (fx->kind == TACIT_EFFECT_LOG && find(&s->log, &fx->id, fx->position) == NULL)
		move_bytes(&add(&s->log, &fx->id, fx->position)->data, &fx->data);
	if (fx->kind == TACIT_EFFECT_PURGE)
		purge(&s->log, fx);
}
