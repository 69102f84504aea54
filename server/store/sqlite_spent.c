/* Spent signatures. The table grows at its end by one row for each commit that spends any; which
 * marks it has is known in memory (spent.h).
 *
 *   set = the marks of all rows, and of fresh
 *
 * fresh is what the transaction under way spends: a row of the table just before COMMIT. Another
 * handle may have written meanwhile, so each transaction first asks whether any has: it may have
 * swept the last rows and given their ids again, so ids do not tell what is new. Then, and when it
 * cannot be told what a set has, the set is dropped, and read again when it is needed. */
#include <string.h>

#include "base/alloc.h"
#include "server/store/sqlite_int.h"
#include "server/store/sqlite_slots.h"

#define MARK_BYTES 24 /* in the table */

static void write_mark(const struct spent_mark *m, uint8_t out[MARK_BYTES])
{
	for (unsigned i = 0; i < 8; i++)
		out[i] = (uint8_t)((uint64_t)m->user_id >> (8 * i));
	memcpy(out + 8, m->hash, sizeof(m->hash));
}

static struct spent_mark read_mark(const uint8_t in[MARK_BYTES])
{
	uint64_t user_id = 0;
	struct spent_mark m;
	for (unsigned i = 0; i < 8; i++)
		user_id |= (uint64_t)in[i] << (8 * i);
	m.user_id = (int64_t)user_id;
	memcpy(m.hash, in + 8, sizeof(m.hash));
	return m;
}

static void forget_set(struct sql_spent *p)
{
	spent_free(p->set);
	p->set = NULL;
}

static enum tacit_err add_known(struct sql_spent *p, const struct spent_mark *m)
{
	enum tacit_err err = spent_add(p->set, m);
	return err == TACIT_E_EXISTS ? TACIT_OK : err;
}

static enum tacit_err add_row(struct sql_spent *p, sqlite3_stmt *st)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_bytes marks = sql_column(st, 0);
	for (size_t i = 0; i + MARK_BYTES <= marks.n; i += MARK_BYTES) {
		struct spent_mark m = read_mark(marks.p + i);
		TRY(add_known(p, &m));
	}
out:
	return err;
}

static enum tacit_err new_set(struct sql_spent *p, size_t pending)
{
	enum tacit_err err;
	TRY(spent_new(&p->set));
	for (size_t i = 0; i < pending; i++)
		TRY(add_known(p, &p->fresh[i]));
out:
	return err;
}

static enum tacit_err read_set(struct sqlite *s)
{
	enum tacit_err err;
	struct sql_spent *p = &s->spent;
	sqlite3_stmt *st = NULL;
	bool more = false;
	TRY(new_set(p, s->pending.spent));
	TRY(sql_start(s, SQL_SIGNATURES, NO_ARGS, &st));
	TRY(sql_step(s, st, &more));
	while (more) {
		TRY(add_row(p, st));
		TRY(sql_step(s, st, &more));
	}
out:
	sql_done(&st);
	if (err != TACIT_OK)
		forget_set(p);
	return err;
}

static enum tacit_err catch_up(struct sqlite *s)
{
	enum tacit_err err = TACIT_OK;
	struct sql_spent *p = &s->spent;
	int64_t version = 0;
	if (p->current && p->set != NULL)
		return TACIT_OK;
	TRY(sql_integer(s, SQL_DATA_VERSION, NO_ARGS, &version));
	if (version != p->version)
		forget_set(p);
	if (p->set == NULL)
		TRY(read_set(s));
	p->version = version;
	p->current = true;
out:
	return err;
}

static enum tacit_err make_room(struct sql_spent *p, size_t pending)
{
	if (pending < p->room)
		return TACIT_OK;
	size_t room = p->room > 0 ? p->room * 2 : 64;
	struct spent_mark *grown = tacit_realloc(p->fresh, room * sizeof(*grown));
	if (grown == NULL)
		return TACIT_E_NOMEM;
	p->fresh = grown;
	p->room = room;
	return TACIT_OK;
}

enum tacit_err sqlite_signature_remember(
        struct store *store, int64_t user_id, const uint8_t signature_hash[16], int64_t expires_at)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_spent *p = &s->spent;
	struct sql_scope scope = {0};
	struct spent_mark m = {.user_id = user_id};
	memcpy(m.hash, signature_hash, sizeof(m.hash));
	TRY(sql_enter(s, SQL_WRITE_ONE, &scope));
	TRY(catch_up(s));
	TRY(make_room(p, s->pending.spent));
	TRY(spent_add(p->set, &m));
	if (s->pending.spent == 0 || expires_at > p->expires_at)
		p->expires_at = expires_at;
	p->fresh[s->pending.spent++] = m;
out:
	return sql_leave(s, &scope, err);
}

enum tacit_err sql_spent_write(struct sqlite *s)
{
	enum tacit_err err = TACIT_OK;
	size_t n = s->pending.spent;
	uint8_t *marks = NULL;
	if (n == 0)
		return TACIT_OK;
	marks = tacit_alloc(n * MARK_BYTES);
	TRY(marks != NULL ? TACIT_OK : TACIT_E_NOMEM);
	for (size_t i = 0; i < n; i++)
		write_mark(&s->spent.fresh[i], marks + i * MARK_BYTES);
	TRY(sql_run(s, SQL_SIGNATURES_ADD,
	        ARGS(sql_int(s->spent.expires_at), sql_blob(marks, n * MARK_BYTES))));
out:
	tacit_free(marks);
	return err;
}

void sql_spent_kept(struct sqlite *s)
{
	s->spent.current = false;
}

void sql_spent_back(struct sqlite *s, struct sql_pending before)
{
	struct sql_spent *p = &s->spent;
	for (size_t i = s->pending.spent; p->set != NULL && i > before.spent; i--)
		spent_remove(p->set, &p->fresh[i - 1]);
	if (s->pending.swept && !before.swept) /* the rows are there again */
		forget_set(p);
	p->current = false;
}

static void remove_row(struct sql_spent *p, struct tacit_bytes marks)
{
	for (size_t i = 0; i + MARK_BYTES <= marks.n; i += MARK_BYTES) {
		struct spent_mark m = read_mark(marks.p + i);
		spent_remove(p->set, &m);
	}
}

enum tacit_err sql_spent_sweep(struct sqlite *s, int64_t now, struct store_sweep *w)
{
	enum tacit_err err = TACIT_OK;
	struct sql_spent *p = &s->spent;
	sqlite3_stmt *st = NULL;
	bool more = false;
	unsigned rows = 0;
	if (p->set != NULL)
		TRY(catch_up(s));
	TRY(sql_start(s, SQL_SWEEP_SIGNATURES, ARGS(sql_int(now), sql_int(w->limit)), &st));
	TRY(sql_step(s, st, &more));
	for (; more; rows++) {
		s->pending.swept = true;
		if (p->set != NULL)
			remove_row(p, sql_column(st, 0));
		TRY(sql_step(s, st, &more));
	}
	w->more |= rows >= w->limit;
out:
	sql_done(&st);
	return err;
}

void sql_spent_close(struct sqlite *s)
{
	spent_free(s->spent.set);
	tacit_free(s->spent.fresh);
}
