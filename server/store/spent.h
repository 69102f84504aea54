/* spent.h - the signatures that were spent, in memory: a set of marks.
 *
 * A table of rows that must be unique by a random key is written to at random: each mark would cost
 * a page of its own in the WAL, and again in the database. So the table only grows at its end
 * (sqlite_spent.c), and who asks whether a mark is there asks here. 16 bytes for each, in tables
 * that are at most three quarters full. One thread. */
#ifndef TACIT_SERVER_STORE_SPENT_H
#define TACIT_SERVER_STORE_SPENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct spent_mark {
	int64_t user_id;  /* 0: nobody yet */
	uint8_t hash[16]; /* the first bytes of a SHA-256 */
};

struct spent;

/* Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err spent_new(struct spent **out);
void spent_free(struct spent *s); /* NULL is fine */
/* Fails: EXISTS; NOMEM, and nothing has changed. */
TACIT_MUST_USE enum tacit_err spent_add(struct spent *s, const struct spent_mark *m);
/* What is not there is fine. Gives memory back as the set shrinks. */
void spent_remove(struct spent *s, const struct spent_mark *m);
size_t spent_count(const struct spent *s);

#endif
