/* table.h - entries by a 64-bit key, chained; the entry is the owner's memory. One thread. */
#ifndef TACIT_SERVER_LIVE_TABLE_H
#define TACIT_SERVER_LIVE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct table_entry { /* the first member of what is kept */
	int64_t key;
	struct table_entry *next;
};

struct table { /* empty: {0} */
	struct table_entry **buckets;
	size_t size, count; /* size: a power of two, or 0 */
};

struct table_entry *table_find(const struct table *t, int64_t key);
/* No entry has e's key. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err table_add(struct table *t, struct table_entry *e);
void table_remove(struct table *t, struct table_entry *e);
/* Any entry, NULL when there is none: for emptying it. */
struct table_entry *table_any(const struct table *t);
/* Frees the table, not its entries. */
void table_clear(struct table *t);

#endif
