/* Sweeping, counting, probing and copying the whole. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "server/store/sqlite_int.h"
#include "server/store/sqlite_slots.h"

enum tacit_err sqlite_probe(struct store *s)
{
	return sql_change_alone(sqlite_of(s), SQL_PROBE, NO_ARGS);
}

enum tacit_err sqlite_counts(struct store *store, int64_t *users, int64_t *conversations,
        int64_t *messages, int64_t *files)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	sqlite3_stmt *st = NULL;
	bool more = false;
	const struct {
		const char *name;
		int64_t *out;
	} wanted[] = {{"users", users}, {"conversations", conversations}, {"messages", messages},
	        {"files", files}};
	*users = *conversations = *messages = *files = 0;
	TRY(sql_start(s, SQL_COUNTS, NO_ARGS, &st));
	TRY(sql_step(s, st, &more));
	while (more) {
		struct tacit_bytes name = sql_column(st, 0);
		for (size_t i = 0; i < TACIT_COUNT(wanted); i++)
			if (tacit_bytes_eq(name, tacit_cstr(wanted[i].name)))
				*wanted[i].out = sqlite3_column_int64(st, 1);
		TRY(sql_step(s, st, &more));
	}
	*messages += s->pending.added;
out:
	sql_done(&st);
	return err;
}

/* Uploads or files, one after the other: their rows are few, and each is named. */
static enum tacit_err sweep_bodies(
        struct sqlite *s, enum sql find, enum sql delete, int64_t now, struct store_sweep *w)
{
	enum tacit_err err = TACIT_OK;
	sqlite3_stmt *st = NULL;
	char id[STORE_FILE_ID_CHARS + 1];
	unsigned done = 0;
	for (; done < w->limit; done++) {
		err = sql_first(s, find, ARGS(sql_int(now)), &st);
		if (err == TACIT_E_NOT_FOUND)
			break;
		TRY(err);
		TRY(sql_column_text(st, 0, id, sizeof(id)));
		sql_done(&st);
		TRY(sql_change(s, delete, ARGS(sql_text(id))));
		w->gone(w->ctx, id);
		s->purge = PURGE_NOW;
	}
	err = TACIT_OK;
	w->more |= done == w->limit;
out:
	sql_done(&st);
	return err;
}

/* Who was in it still is, so that they are answered GONE. */
static enum tacit_err tell_ended(struct sqlite *s, const struct store_sweep *w, int64_t id)
{
	enum tacit_err err = TACIT_OK;
	sqlite3_stmt *st = NULL;
	bool more = false;
	if (w->ended == NULL)
		return TACIT_OK;
	TRY(sql_start(s, SQL_PARTICIPANT_LIST, ARGS(sql_int(id)), &st));
	TRY(sql_step(s, st, &more));
	while (more) {
		w->ended(w->ctx, id, sqlite3_column_int64(st, 0));
		TRY(sql_step(s, st, &more));
	}
out:
	sql_done(&st);
	return err;
}

static enum tacit_err sweep_conversations(struct sqlite *s, struct store_sweep *w)
{
	enum tacit_err err = TACIT_OK;
	int64_t id = 0;
	unsigned done = 0;
	for (; done < w->limit; done++) {
		err = sql_integer(s, SQL_SWEEP_CONVERSATION_FIND, ARGS(sql_int(s->now)), &id);
		if (err == TACIT_E_NOT_FOUND)
			break;
		TRY(err);
		TRY(sql_close_conversation(s, id, w->gone, w->ctx));
		TRY(tell_ended(s, w, id));
	}
	err = TACIT_OK;
	w->more |= done == w->limit;
out:
	return err;
}

static enum tacit_err sweep_messages(struct sqlite *s, struct store_sweep *w)
{
	enum tacit_err err;
	TRY(sql_run(s, SQL_SWEEP_MESSAGES, ARGS(sql_int(s->now), sql_int(w->limit))));
	int deleted = sqlite3_changes(s->db);
	TRY(sql_run(s, SQL_SWEEP_BURSTS, ARGS(sql_int(s->now), sql_int(w->limit))));
	if (deleted > 0)
		s->purge = PURGE_NOW;
	w->more |= deleted >= (int)w->limit;
	TRY(sweep_bodies(s, SQL_SWEEP_FILE_FIND, SQL_FILE_DELETE, s->now, w));
out:
	return err;
}

/* Their bodies go now; what became of them is told for a while. */
static enum tacit_err sweep_parcels(struct sqlite *s, struct store_sweep *w)
{
	enum tacit_err err = TACIT_OK;
	sqlite3_stmt *st = NULL;
	char id[STORE_FILE_ID_CHARS + 1];
	unsigned done = 0;
	for (; done < w->limit; done++) {
		err = sql_first(s, SQL_SWEEP_PARCEL_FIND, ARGS(sql_int(s->now)), &st);
		if (err == TACIT_E_NOT_FOUND)
			break;
		TRY(err);
		TRY(sql_column_text(st, 0, id, sizeof(id)));
		sql_done(&st);
		TRY(sql_end_parcel(s, id, STORE_PARCEL_EXPIRED));
		w->gone(w->ctx, id);
	}
	err = TACIT_OK;
	w->more |= done == w->limit;
out:
	sql_done(&st);
	return err;
}

static enum tacit_err sweep_rows(struct sqlite *s, int64_t now, struct store_sweep *w)
{
	static const enum sql simple[] = {SQL_SWEEP_TOKENS, SQL_SWEEP_SESSIONS, SQL_SWEEP_WELCOMES,
	        SQL_SWEEP_TOMBSTONES, SQL_SWEEP_PARCEL_TOMBSTONES};
	enum tacit_err err;
	TRY(sql_spent_sweep(s, now, w));
	for (size_t i = 0; i < TACIT_COUNT(simple); i++) {
		int64_t time = now;
		if (simple[i] == SQL_SWEEP_TOMBSTONES)
			time = s->now - STORE_TOMBSTONE_SECONDS;
		else if (simple[i] == SQL_SWEEP_PARCEL_TOMBSTONES)
			time = s->now - STORE_PARCEL_KEPT_SECONDS;
		else if (simple[i] == SQL_SWEEP_WELCOMES)
			time = now - STORE_WELCOME_SECONDS;
		TRY(sql_run(s, simple[i], ARGS(sql_int(time), sql_int(w->limit))));
		w->more |= sqlite3_changes(s->db) >= (int)w->limit;
	}
out:
	return err;
}

static enum tacit_err find_next(struct sqlite *s, int64_t *next)
{
	static const enum sql ends[] = {SQL_NEXT_CONVERSATION_END, SQL_NEXT_MESSAGE_END,
	        SQL_NEXT_FILE_END, SQL_NEXT_PARCEL_END};
	enum tacit_err err = TACIT_OK;
	for (size_t i = 0; i < TACIT_COUNT(ends); i++) {
		int64_t at = 0;
		err = sql_integer(s, ends[i], NO_ARGS, &at);
		TRY(err == TACIT_E_NOT_FOUND ? TACIT_OK : err);
		if (at != 0 && (*next == 0 || at < *next))
			*next = at;
	}
out:
	return err;
}

enum tacit_err sqlite_sweep(struct store *store, int64_t now, struct store_sweep *w)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	w->more = false;
	w->next = 0;
	sql_time(s, now);
	TRY(sql_enter(s, SQL_WRITE, &scope));
	TRY(sweep_rows(s, now, w));
	TRY(sweep_bodies(s, SQL_SWEEP_UPLOAD_FIND, SQL_SWEEP_UPLOAD_DELETE, now, w));
	TRY(sweep_conversations(s, w));
	TRY(sweep_messages(s, w));
	TRY(sweep_parcels(s, w));
	TRY(find_next(s, &w->next));
	if (s->purge == PURGE_LATER)
		s->purge = PURGE_NOW;
out:
	err = sql_leave(s, &scope, err);
	w->more &= err == TACIT_OK;
	return err;
}

static enum tacit_err sync_path(const char *path)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return TACIT_E_IO;
	int failed = fsync(fd) != 0 ? errno : 0;
	close(fd);
	return failed == 0                            ? TACIT_OK
	       : failed == ENOSPC || failed == EDQUOT ? TACIT_E_STORE_FULL
	                                              : TACIT_E_IO;
}

/* VACUUM INTO counts as writing for SQLite. */
static enum tacit_err set_query_only(struct sqlite *s, bool on)
{
	int rc = sqlite3_exec(
	        s->db, on ? "PRAGMA query_only = ON" : "PRAGMA query_only = OFF", NULL, NULL, NULL);
	return rc == SQLITE_OK ? TACIT_OK : sql_error(s, rc);
}

/* VACUUM INTO reads in one transaction, so that the copy is of one moment while others write, and
 * leaves out the free pages. It does not sync the copy: we do. */
enum tacit_err sqlite_snapshot(struct store *store, const char *path)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	if (s->in_batch || s->in_scope || s->reading)
		return TACIT_E_USAGE;
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EEXIST ? TACIT_E_EXISTS : TACIT_E_IO;
	close(fd);
	TRY(set_query_only(s, false));
	TRY(sql_run(s, SQL_SNAPSHOT, ARGS(sql_text(path))));
	TRY(sync_path(path));
out:
	if (s->mode == STORE_READER)
		tacit_ignore(set_query_only(s, true), "a second lock: sql_enter is the first");
	if (err != TACIT_OK)
		unlink(path);
	return err;
}
