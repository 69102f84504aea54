#include "server/live/table.h"

#include "base/alloc.h"

#define FIRST_SIZE 64

/* Keys are small numbers in a row: spread over all bits (Fibonacci hashing). */
static size_t place(const struct table *t, int64_t key)
{
	return (size_t)(((uint64_t)key * 0x9e3779b97f4a7c15u) >> 20) & (t->size - 1);
}

struct table_entry *table_find(const struct table *t, int64_t key)
{
	struct table_entry *e = t->size > 0 ? t->buckets[place(t, key)] : NULL;
	while (e != NULL && e->key != key)
		e = e->next;
	return e;
}

static void put(struct table *t, struct table_entry *e)
{
	struct table_entry **bucket = &t->buckets[place(t, e->key)];
	e->next = *bucket;
	*bucket = e;
}

static enum tacit_err grow(struct table *t)
{
	struct table wider = {.size = t->size > 0 ? t->size * 2 : FIRST_SIZE, .count = t->count};
	wider.buckets = tacit_calloc(wider.size, sizeof(struct table_entry *));
	if (wider.buckets == NULL)
		return TACIT_E_NOMEM;
	for (size_t i = 0; i < t->size; i++) {
		for (struct table_entry *e = t->buckets[i], *next; e != NULL; e = next) {
			next = e->next;
			put(&wider, e);
		}
	}
	tacit_free(t->buckets);
	*t = wider;
	return TACIT_OK;
}

enum tacit_err table_add(struct table *t, struct table_entry *e)
{
	if (t->count >= t->size && grow(t) != TACIT_OK && t->size == 0)
		return TACIT_E_NOMEM;
	put(t, e);
	t->count++;
	return TACIT_OK;
}

void table_remove(struct table *t, struct table_entry *e)
{
	struct table_entry **at = &t->buckets[place(t, e->key)];
	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	t->count--;
}

struct table_entry *table_any(const struct table *t)
{
	for (size_t i = 0; t->count > 0 && i < t->size; i++)
		if (t->buckets[i] != NULL)
			return t->buckets[i];
	return NULL;
}

void table_clear(struct table *t)
{
	tacit_free(t->buckets);
	*t = (struct table){0};
}
