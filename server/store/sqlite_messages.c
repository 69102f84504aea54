/* Messages: the path that must be lean. */
#include "server/store/sqlite_int.h"
#include "server/store/sqlite_slots.h"

#include <string.h>

enum tacit_err sql_earlier_message(
        struct sqlite *s, struct tacit_bytes client_id, struct store_message *m)
{
	enum tacit_err err;
	sqlite3_stmt *st = NULL;
	int64_t id = 0;
	TRY(sql_burst_find(s, m->conversation_id, m->user_id, client_id, &id));
	err = sql_first(s, SQL_MESSAGE_TIMES, ARGS(sql_int(id)), &st);
	TRY(err == TACIT_E_NOT_FOUND ? TACIT_E_STORE_CORRUPT : err);
	m->id = id;
	m->created_at = sqlite3_column_int64(st, 0);
	m->expires_at = sqlite3_column_int64(st, 1);
	m->begins_epoch = sqlite3_column_int64(st, 2);
out:
	sql_done(&st);
	return err;
}

/* Ids rise in the order of commits, and none is given twice, whatever was destroyed since. */
static enum tacit_err next_id(struct sqlite *s, int64_t *id)
{
	enum tacit_err err = TACIT_OK;
	if (s->pending.last_message == 0)
		TRY(sql_integer(s, SQL_LAST_MESSAGE, NO_ARGS, &s->pending.last_message));
	*id = s->pending.last_message + 1;
out:
	return err;
}

static enum tacit_err add_message(
        struct sqlite *s, const struct store_new_message *m, struct store_message *out)
{
	enum tacit_err err;
	struct sql_value once = m->client_id.n > 0 ? sql_bytes(m->client_id) : sql_id(0);
	struct sql_value extra = m->extra.n > 0 ? sql_bytes(m->extra) : sql_id(0);
	TRY(next_id(s, &out->id));
	TRY(sql_burst_open(s, out, m->client_id));
	TRY(sql_run(s, SQL_MESSAGE_ADD,
	        ARGS(sql_int(m->conversation_id), sql_int(m->user_id), sql_int(m->now), once,
	                sql_bytes(m->content), extra, sql_int(out->expires_at),
	                sql_int(out->begins_epoch), sql_int(out->id))));
	sql_burst_add(s, out, m->client_id);
	s->pending.last_message = out->id;
	s->pending.added++;
	store_tell_deadline(&s->base, out->expires_at);
out:
	return err;
}

enum tacit_err sql_append_message(struct sqlite *s, const struct store_new_message *m,
        int64_t begins_epoch, struct store_message *out, bool *existed)
{
	enum tacit_err err;
	struct store_member sender;
	TRY(m->client_id.n <= STORE_CLIENT_ID_CHARS ? TACIT_OK : TACIT_E_USAGE);
	TRY(sql_member(s, m->conversation_id, m->user_id, &sender));
	bool lapses = sender.message_ttl > 0 && begins_epoch == 0;
	*out = (struct store_message){.conversation_id = m->conversation_id,
	        .user_id = m->user_id,
	        .created_at = m->now,
	        .begins_epoch = begins_epoch,
	        .expires_at = lapses ? s->now + sender.message_ttl : 0};
	memcpy(out->username, sender.username, sizeof(out->username));
	err = m->client_id.n > 0 ? sql_earlier_message(s, m->client_id, out) : TACIT_E_NOT_FOUND;
	*existed = err == TACIT_OK;
	if (err == TACIT_E_NOT_FOUND)
		err = add_message(s, m, out);
out:
	return err;
}

enum tacit_err sqlite_message_append(struct store *store, const struct store_new_message *m,
        struct store_message *out, bool *existed)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	*existed = false;
	*out = (struct store_message){0};
	sql_time(s, m->now);
	TRY(sql_enter(s, SQL_WRITE_ONE, &scope));
	TRY(sql_append_message(s, m, 0, out, existed));
out:
	err = sql_leave(s, &scope, err);
	if (err != TACIT_OK) {
		*out = (struct store_message){0};
		*existed = false;
	}
	return err;
}

/* Where the page of the newest `limit` messages below before begins; *more: something is older. */
static enum tacit_err find_newest(struct sqlite *s, int64_t conversation_id, int64_t before,
        unsigned limit, int64_t *from, bool *more)
{
	enum tacit_err err;
	sqlite3_stmt *st = NULL;
	bool row = false;
	int64_t left = limit;
	*from = before;
	TRY(sql_start(s, SQL_BURST_NEWEST,
	        ARGS(sql_int(conversation_id), sql_int(before), sql_int(s->now)), &st));
	TRY(sql_step(s, st, &row));
	while (row && left > 0) {
		*from = sqlite3_column_int64(st, 0);
		left -= sqlite3_column_int64(st, 1);
		TRY(sql_step(s, st, &row));
	}
	*more = row || left < 0;
	*from += left < 0 ? -left : 0; /* of the oldest burst the newest only */
out:
	sql_done(&st);
	return err;
}

enum tacit_err sql_read_message(sqlite3_stmt *st, int64_t conversation_id, struct store_message *m)
{
	*m = (struct store_message){
	        .id = sqlite3_column_int64(st, 0),
	        .conversation_id = conversation_id,
	        .user_id = sqlite3_column_int64(st, 1),
	        .created_at = sqlite3_column_int64(st, 2),
	        .expires_at = sqlite3_column_int64(st, 7),
	        .begins_epoch = sqlite3_column_int64(st, 8),
	        .content = sql_column(st, 4),
	        .client_id = sql_column(st, 5),
	        .extra = sql_column(st, 6),
	};
	return sql_column_text(st, 3, m->username, sizeof(m->username));
}

struct page {
	int64_t conversation_id, from, before;
	unsigned limit;
};

static enum tacit_err walk_page(struct sqlite *s, const struct page *page,
        enum tacit_err (*row)(void *ctx, const struct store_message *m), void *ctx, bool *rest)
{
	enum tacit_err err;
	sqlite3_stmt *st = NULL;
	unsigned seen = 0;
	TRY(sql_start(s, SQL_MESSAGE_PAGE,
	        ARGS(sql_int(page->conversation_id), sql_int(page->from), sql_int(page->before),
	                sql_int((int64_t)page->limit + 1), sql_int(s->now)),
	        &st));
	TRY(sql_step(s, st, rest));
	for (; *rest && seen < page->limit; seen++) {
		struct store_message m;
		TRY(sql_read_message(st, page->conversation_id, &m));
		TRY(row(ctx, &m));
		TRY(sql_step(s, st, rest));
	}
out:
	sql_done(&st);
	return err;
}

enum tacit_err sqlite_message_page(struct store *store, int64_t conversation_id, int64_t user_id,
        int64_t before, int64_t after, unsigned limit,
        enum tacit_err (*row)(void *ctx, const struct store_message *m), void *ctx, bool *more)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	bool older = false, newer = false;
	struct page page = {.conversation_id = conversation_id, .limit = limit};
	*more = false;
	page.before = before > 0 ? before : INT64_MAX;
	page.from = after == INT64_MAX ? after : after > 0 ? after + 1 : 1;
	TRY(sql_enter(s, SQL_READ, &scope));
	TRY(sql_member(s, conversation_id, user_id, NULL));
	if (after == 0)
		TRY(find_newest(s, conversation_id, page.before, limit, &page.from, &older));
	TRY(walk_page(s, &page, row, ctx, &newer));
	*more = after != 0 ? newer : older;
out:
	return sql_leave(s, &scope, err);
}

enum tacit_err sqlite_read_mark(struct store *store, int64_t conversation_id, int64_t user_id,
        int64_t message_id, int64_t now, bool *moved)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	bool there = false;
	*moved = false;
	sql_time(s, now);
	TRY(sql_enter(s, SQL_WRITE_ONE, &scope));
	TRY(sql_member(s, conversation_id, user_id, NULL));
	TRY(sql_any(s, SQL_MESSAGE_IN,
	        ARGS(sql_int(message_id), sql_int(conversation_id), sql_int(s->now)), &there));
	TRY(there ? TACIT_OK : TACIT_E_NOT_FOUND);
	TRY(sql_run(s, SQL_READ_MARK,
	        ARGS(sql_int(conversation_id), sql_int(user_id), sql_int(message_id),
	                sql_int(now))));
	*moved = sqlite3_changes(s->db) > 0;
out:
	return sql_leave(s, &scope, err);
}
