#include "server/live/owners.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "server/live/table.h"

struct owner {
	struct table_entry entry;
	struct live_handle *list; /* the oldest first */
	size_t count, room;
};

struct owners {
	unsigned max_each;
	pthread_mutex_t lock;
	struct table table;
};

enum tacit_err owners_new(unsigned max_each, struct owners **out)
{
	*out = tacit_calloc(1, sizeof(**out));
	if (*out == NULL)
		return TACIT_E_NOMEM;
	(*out)->max_each = max_each;
	pthread_mutex_init(&(*out)->lock, NULL);
	return TACIT_OK;
}

static void free_owner(struct owners *o, struct owner *w)
{
	table_remove(&o->table, &w->entry);
	tacit_free(w->list);
	tacit_free(w);
}

void owners_free(struct owners *o)
{
	struct table_entry *e;
	if (o == NULL)
		return;
	while ((e = table_any(&o->table)) != NULL)
		free_owner(o, (struct owner *)e);
	table_clear(&o->table);
	pthread_mutex_destroy(&o->lock);
	tacit_free(o);
}

static struct owner *owner_of(struct owners *o, int64_t user_id)
{
	struct owner *w = (struct owner *)table_find(&o->table, user_id);
	if (w != NULL)
		return w;
	w = tacit_calloc(1, sizeof(*w));
	if (w == NULL)
		return NULL;
	w->entry.key = user_id;
	if (table_add(&o->table, &w->entry) == TACIT_OK)
		return w;
	tacit_free(w);
	return NULL;
}

static bool make_room(struct owner *w)
{
	if (w->count < w->room)
		return true;
	size_t room = w->room > 0 ? w->room * 2 : 2;
	struct live_handle *list = tacit_realloc(w->list, room * sizeof(*list));
	if (list == NULL)
		return false;
	w->list = list;
	w->room = room;
	return true;
}

static void take_out(struct owner *w, size_t i)
{
	w->count--;
	memmove(w->list + i, w->list + i + 1, (w->count - i) * sizeof(*w->list));
}

enum tacit_err owners_enter(struct owners *o, int64_t user_id, struct live_handle s,
        struct live_handle *oldest, bool *full)
{
	*full = false;
	if (o->max_each == 0)
		return TACIT_OK;
	pthread_mutex_lock(&o->lock);
	struct owner *w = owner_of(o, user_id);
	bool ok = w != NULL && make_room(w);
	if (ok) {
		w->list[w->count++] = s;
		*full = w->count > o->max_each;
		*oldest = w->list[0];
		if (*full)
			take_out(w, 0);
	} else if (w != NULL && w->count == 0) {
		free_owner(o, w);
	}
	pthread_mutex_unlock(&o->lock);
	return ok ? TACIT_OK : TACIT_E_NOMEM;
}

static bool same(struct live_handle a, struct live_handle b)
{
	return a.loop == b.loop && a.slot == b.slot && a.generation == b.generation;
}

void owners_leave(struct owners *o, int64_t user_id, struct live_handle s)
{
	if (o->max_each == 0)
		return;
	pthread_mutex_lock(&o->lock);
	struct owner *w = (struct owner *)table_find(&o->table, user_id);
	for (size_t i = 0; w != NULL && i < w->count; i++) {
		if (same(w->list[i], s)) {
			take_out(w, i);
			break;
		}
	}
	if (w != NULL && w->count == 0)
		free_owner(o, w);
	pthread_mutex_unlock(&o->lock);
}
