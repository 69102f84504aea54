#include "engine/effects.h"

#include <string.h>

#include "base/alloc.h"

#define NOTICE_VIEWS 9

/* The list holds file keys, so the old block is wiped, which realloc would not do. */
static enum tacit_err reserve(struct tacit_effects *fx, size_t more)
{
	if (more <= fx->cap - fx->count)
		return TACIT_OK;
	size_t cap = fx->cap < 8 ? 8 : fx->cap * 2;
	if (cap < fx->count + more)
		cap = fx->count + more;
	struct tacit_effect *list = tacit_calloc(cap, sizeof(*list));
	if (list == NULL)
		return TACIT_E_NOMEM;
	if (fx->count > 0) {
		memcpy(list, fx->list, fx->count * sizeof(*list));
		tacit_wipe(fx->list, fx->count * sizeof(*list));
	}
	tacit_free(fx->list);
	fx->list = list;
	fx->cap = cap;
	return TACIT_OK;
}

enum tacit_err tacit_effects_add(
        struct tacit_effects *fx, enum tacit_effect_kind kind, struct tacit_effect **out)
{
	*out = NULL;
	enum tacit_err err = reserve(fx, 1);
	if (err != TACIT_OK)
		return err;
	*out = &fx->list[fx->count++];
	**out = (struct tacit_effect){.kind = kind};
	return TACIT_OK;
}

static void collect(struct tacit_notice *n, struct tacit_bytes *views[NOTICE_VIEWS])
{
	struct tacit_bytes *all[NOTICE_VIEWS] = {&n->text, &n->detail, &n->username, &n->title,
	        &n->members, &n->content.text, &n->content.file.id, &n->content.file.name,
	        &n->content.file.type};
	memcpy(views, all, sizeof(all));
}

enum tacit_err tacit_effects_deliver(struct tacit_effects *fx, const struct tacit_notice *n)
{
	struct tacit_effect *fresh;
	enum tacit_err err = tacit_effects_add(fx, TACIT_EFFECT_DELIVER, &fresh);
	if (err != TACIT_OK)
		return err;
	fresh->notice = *n;
	struct tacit_bytes *views[NOTICE_VIEWS];
	collect(&fresh->notice, views);
	size_t total = 0;
	for (size_t i = 0; i < NOTICE_VIEWS; i++)
		total += views[i]->n;
	/* Reserved in one piece: the views must not move. */
	err = tacit_buf_reserve(&fresh->notice_bytes, total + 1);
	for (size_t i = 0; i < NOTICE_VIEWS; i++) {
		size_t at = fresh->notice_bytes.n;
		if (err == TACIT_OK)
			err = tacit_buf_append(&fresh->notice_bytes, *views[i]);
		*views[i] = err == TACIT_OK ? tacit_bytes(fresh->notice_bytes.p + at, views[i]->n)
		                            : tacit_bytes(NULL, 0);
	}
	return err;
}

enum tacit_err tacit_effects_move(
        struct tacit_effects *to, struct tacit_effects *lists, size_t count)
{
	size_t total = 0;
	for (size_t i = 0; i < count; i++)
		total += lists[i].count;
	enum tacit_err err = reserve(to, total);
	if (err != TACIT_OK)
		return err;
	for (size_t i = 0; i < count; i++) {
		if (lists[i].count == 0)
			continue;
		memcpy(to->list + to->count, lists[i].list,
		        lists[i].count * sizeof(*lists[i].list));
		to->count += lists[i].count;
		lists[i].count = 0;
	}
	return TACIT_OK;
}

void tacit_effects_clear(struct tacit_effects *fx)
{
	for (size_t i = 0; i < fx->count; i++) {
		tacit_buf_clear(&fx->list[i].path);
		tacit_buf_clear(&fx->list[i].data);
		tacit_buf_clear(&fx->list[i].notice_bytes);
	}
	if (fx->list != NULL)
		tacit_wipe(fx->list, fx->cap * sizeof(*fx->list));
	tacit_free(fx->list);
	*fx = (struct tacit_effects){0};
}
