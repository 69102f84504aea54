/* The statement cache, scopes and columns: everything that the subjects need of SQLite. */
#include <errno.h>
#include <string.h>

#include "server/store/sqlite_int.h"

static const char *const texts[SQL_COUNT] = {
#define STATEMENT(name, text) [SQL_##name] = text,
#include "server/store/statements.def"
#undef STATEMENT
};

static enum tacit_err meaning(struct sqlite *s, int rc)
{
	switch (rc) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID:
		return TACIT_E_EXISTS;
	case SQLITE_CONSTRAINT_FOREIGNKEY:
		return TACIT_E_NOT_FOUND;
	case SQLITE_IOERR_NOMEM:
		return TACIT_E_NOMEM;
	case SQLITE_IOERR_CORRUPTFS:
		return TACIT_E_STORE_CORRUPT;
	case SQLITE_IOERR_LOCK:
		return TACIT_E_STORE_BUSY;
	}
	switch (rc & 0xff) {
	case SQLITE_NOMEM:
		return TACIT_E_NOMEM;
	case SQLITE_FULL:
		return TACIT_E_STORE_FULL;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return TACIT_E_STORE_BUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return TACIT_E_STORE_CORRUPT;
	case SQLITE_IOERR: { /* growing the WAL's index or syncing can also run out of space */
		int cause = sqlite3_system_errno(s->db);
		return cause == ENOSPC || cause == EDQUOT ? TACIT_E_STORE_FULL : TACIT_E_STORE;
	}
	default:
		return TACIT_E_STORE;
	}
}

enum tacit_err sql_error(struct sqlite *s, int rc)
{
	enum tacit_err err = meaning(s, rc);
	sql_series_forget(s);
	/* A full disk or an I/O error makes SQLite roll back on its own. From then on statements
	 * would commit one by one: the batch remembers instead why it is lost. */
	if (s->in_batch && s->broken == TACIT_OK && sqlite3_get_autocommit(s->db) != 0)
		s->broken = err;
	return err;
}

static int bind(sqlite3_stmt *st, int at, const struct sql_value *v)
{
	const char *p = v->bytes.p != NULL ? (const char *)v->bytes.p : "";
	switch (v->type) {
	case SQL_INTEGER:
		return sqlite3_bind_int64(st, at, v->integer);
	case SQL_TEXT:
		return sqlite3_bind_text64(st, at, p, v->bytes.n, SQLITE_STATIC, SQLITE_UTF8);
	case SQL_BLOB:
		return sqlite3_bind_blob64(st, at, p, v->bytes.n, SQLITE_STATIC);
	case SQL_NULL:
		break;
	}
	return sqlite3_bind_null(st, at);
}

/* Of what goes through here, whatever could change who is a member of what, and how. */
static bool keeps_members(enum sql id, sqlite3_stmt *st)
{
	switch (id) {
	case SQL_MESSAGE_ADD:
	case SQL_BURST_ADD:
	case SQL_SIGNATURES_ADD:
	case SQL_READ_MARK:
	case SQL_COUNT_MESSAGES:
		return true;
	case SQL_BEGIN_WRITE:
	case SQL_ROLLBACK:
	case SQL_UNDO:
	case SQL_SCOPE_UNDO: /* they undo what has changed it */
		return false;
	default:
		return sqlite3_stmt_readonly(st) != 0;
	}
}

/* Of what the writer runs, whatever goes by without a look at the table of bursts. Marks are no
 * place to write one: what is pending is kept with them. */
static bool leaves_bursts(enum sql id)
{
	switch (id) {
	case SQL_BEGIN_READ:
	case SQL_BEGIN_WRITE:
	case SQL_COMMIT: /* see sql_commit */
	case SQL_ROLLBACK:
	case SQL_MARK:
	case SQL_UNDO:
	case SQL_RELEASE:
	case SQL_SCOPE_BEGIN:
	case SQL_SCOPE_UNDO:
	case SQL_SCOPE_RELEASE:
	case SQL_BURST_ADD:
	case SQL_BURST_UP_TO: /* they look for others than the one in memory */
	case SQL_BURST_FOLLOWERS:
	case SQL_BURST_BEHIND:
	case SQL_LAST_MESSAGE:
	case SQL_MESSAGE_ADD:
	case SQL_MESSAGE_TIMES:
	case SQL_MEMBER:
	case SQL_COUNT_MESSAGES:
	case SQL_SIGNATURES_ADD:
	case SQL_DATA_VERSION:
		return true;
	default:
		return false;
	}
}

/* What memory knows of series goes with the bursts: with those that are deleted, and when deleted
 * ones may be there again. */
static void note_series(struct sqlite *s, enum sql id)
{
	switch (id) {
	case SQL_BEGIN_WRITE:
		s->series_current = false;
		break;
	case SQL_SWEEP_BURSTS:
	case SQL_CONVERSATION_BURSTS_DELETE:
	case SQL_CONVERSATION_DELETE:
	case SQL_ROLLBACK:
	case SQL_UNDO:
	case SQL_SCOPE_UNDO:
		sql_series_forget(s);
		break;
	default:
		break;
	}
}

enum tacit_err sql_start(struct sqlite *s, enum sql id, const struct sql_value *values,
        size_t count, sqlite3_stmt **st)
{
	enum tacit_err err = leaves_bursts(id) ? TACIT_OK : sql_burst_write(s);
	int rc = SQLITE_OK;
	*st = NULL;
	if (err != TACIT_OK)
		return err;
	if (s->statements[id] == NULL)
		rc = sqlite3_prepare_v3(
		        s->db, texts[id], -1, SQLITE_PREPARE_PERSISTENT, &s->statements[id], NULL);
	if (rc != SQLITE_OK)
		return sql_error(s, rc);
	note_series(s, id);
	if (s->mode == STORE_WRITER && !keeps_members(id, s->statements[id]))
		s->members_turn++;
	TACIT_ASSERT(!sqlite3_stmt_busy(s->statements[id]));
	TACIT_ASSERT((size_t)sqlite3_bind_parameter_count(s->statements[id]) == count);
	for (size_t i = 0; i < count && rc == SQLITE_OK; i++)
		rc = bind(s->statements[id], (int)i + 1, &values[i]);
	if (rc != SQLITE_OK)
		return sql_error(s, rc);
	*st = s->statements[id];
	return TACIT_OK;
}

enum tacit_err sql_step(struct sqlite *s, sqlite3_stmt *st, bool *row)
{
	int rc = sqlite3_step(st);
	*row = rc == SQLITE_ROW;
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? TACIT_OK : sql_error(s, rc);
}

void sql_done(sqlite3_stmt **st)
{
	if (*st != NULL)
		sqlite3_reset(*st); /* repeats the error of the step, which was seen there */
	*st = NULL;
}

enum tacit_err sql_run(struct sqlite *s, enum sql id, const struct sql_value *values, size_t count)
{
	enum tacit_err err;
	sqlite3_stmt *st = NULL;
	bool row = true;
	TRY(sql_start(s, id, values, count, &st));
	while (row)
		TRY(sql_step(s, st, &row));
out:
	sql_done(&st);
	return err;
}

enum tacit_err sql_change(
        struct sqlite *s, enum sql id, const struct sql_value *values, size_t count)
{
	enum tacit_err err = sql_run(s, id, values, count);
	if (err == TACIT_OK && sqlite3_changes(s->db) == 0)
		err = TACIT_E_NOT_FOUND;
	return err;
}

enum tacit_err sql_first(struct sqlite *s, enum sql id, const struct sql_value *values,
        size_t count, sqlite3_stmt **st)
{
	enum tacit_err err;
	bool row = false;
	TRY(sql_start(s, id, values, count, st));
	TRY(sql_step(s, *st, &row));
	err = row ? TACIT_OK : TACIT_E_NOT_FOUND;
out:
	return err;
}

enum tacit_err sql_integer(
        struct sqlite *s, enum sql id, const struct sql_value *values, size_t count, int64_t *out)
{
	enum tacit_err err;
	sqlite3_stmt *st = NULL;
	*out = 0;
	TRY(sql_first(s, id, values, count, &st));
	*out = sqlite3_column_int64(st, 0);
out:
	sql_done(&st);
	return err;
}

enum tacit_err sql_any(
        struct sqlite *s, enum sql id, const struct sql_value *values, size_t count, bool *any)
{
	int64_t ignored;
	enum tacit_err err = sql_integer(s, id, values, count, &ignored);
	*any = err == TACIT_OK;
	return err == TACIT_E_NOT_FOUND ? TACIT_OK : err;
}

enum tacit_err sql_buffer(struct sqlite *s, enum sql id, const struct sql_value *values,
        size_t count, struct tacit_buf *out)
{
	enum tacit_err err;
	sqlite3_stmt *st = NULL;
	TRY(sql_first(s, id, values, count, &st));
	TRY(tacit_buf_append(out, sql_column(st, 0)));
out:
	sql_done(&st);
	return err;
}

struct tacit_bytes sql_column(sqlite3_stmt *st, int column)
{
	const void *p = sqlite3_column_blob(st, column); /* before its length, says SQLite */
	return tacit_bytes(p, (size_t)sqlite3_column_bytes(st, column));
}

enum tacit_err sql_column_text(sqlite3_stmt *st, int column, char *out, size_t room)
{
	struct tacit_bytes text = sql_column(st, column);
	out[0] = '\0';
	if (text.n >= room)
		return TACIT_E_STORE_CORRUPT;
	if (text.n > 0)
		memcpy(out, text.p, text.n);
	out[text.n] = '\0';
	return TACIT_OK;
}

enum tacit_err sql_column_blob(sqlite3_stmt *st, int column, void *out, size_t n)
{
	struct tacit_bytes blob = sql_column(st, column);
	memset(out, 0, n);
	if (blob.n != n)
		return TACIT_E_STORE_CORRUPT;
	memcpy(out, blob.p, n);
	return TACIT_OK;
}

enum tacit_err sql_enter(struct sqlite *s, enum sql_access access, struct sql_scope *scope)
{
	enum tacit_err err;
	scope->kind = SCOPE_NONE;
	scope->before = s->pending;
	if (access != SQL_READ && s->mode != STORE_WRITER)
		return TACIT_E_USAGE;
	if (s->in_batch && sqlite3_get_autocommit(s->db) != 0)
		return s->broken != TACIT_OK ? s->broken : TACIT_E_STORE;
	if (s->in_scope || sql_is_reading(s) || (s->in_batch && access != SQL_WRITE)) {
		scope->kind = SCOPE_NESTED;
		return TACIT_OK;
	}
	if (s->in_batch) {
		TRY(sql_run(s, SQL_SCOPE_BEGIN, NO_ARGS));
		scope->kind = SCOPE_SAVEPOINT;
	} else {
		TRY(sql_run(s, access == SQL_READ ? SQL_BEGIN_READ : SQL_BEGIN_WRITE, NO_ARGS));
		scope->kind = SCOPE_TRANSACTION;
		s->in_scope = true;
	}
out:
	return err;
}

enum tacit_err sql_commit(struct sqlite *s)
{
	enum tacit_err err;
	TRY(sql_burst_write(s));
	if (s->pending.added > 0)
		TRY(sql_run(s, SQL_COUNT_MESSAGES,
		        ARGS(sql_int(s->pending.added), sql_int(s->pending.last_message))));
	TRY(sql_spent_write(s));
	TRY(sql_run(s, SQL_COMMIT, NO_ARGS));
	sql_spent_kept(s);
	s->pending = NOTHING_PENDING;
out:
	return err;
}

void sql_pending_back(struct sqlite *s, struct sql_pending before)
{
	sql_spent_back(s, before);
	s->pending = before;
}

static enum tacit_err leave_transaction(struct sqlite *s, enum tacit_err err)
{
	s->in_scope = false;
	bool kept = err == TACIT_OK;
	if (kept)
		err = sql_commit(s);
	if (kept && err == TACIT_OK)
		sql_committed(s);
	sql_pending_back(s, NOTHING_PENDING);
	if (sqlite3_get_autocommit(s->db) == 0)
		tacit_ignore(sql_run(s, SQL_ROLLBACK, NO_ARGS),
		        "the transaction is over whatever this says");
	return err;
}

static enum tacit_err leave_savepoint(
        struct sqlite *s, const struct sql_scope *scope, enum tacit_err err)
{
	enum tacit_err undone = TACIT_OK;
	if (sqlite3_get_autocommit(s->db) != 0)
		return err != TACIT_OK ? err : s->broken;
	if (err != TACIT_OK) {
		undone = sql_run(s, SQL_SCOPE_UNDO, NO_ARGS);
		sql_pending_back(s, scope->before);
	}
	if (undone == TACIT_OK)
		undone = sql_run(s, SQL_SCOPE_RELEASE, NO_ARGS);
	if (undone != TACIT_OK && s->broken == TACIT_OK)
		s->broken = undone; /* half an operation must never be committed */
	return err != TACIT_OK ? err : undone;
}

enum tacit_err sql_leave(struct sqlite *s, const struct sql_scope *scope, enum tacit_err err)
{
	switch (scope->kind) {
	case SCOPE_TRANSACTION:
		return leave_transaction(s, err);
	case SCOPE_SAVEPOINT:
		return leave_savepoint(s, scope, err);
	case SCOPE_NONE:
	case SCOPE_NESTED:
		break;
	}
	return err;
}

enum tacit_err sql_change_alone(
        struct sqlite *s, enum sql id, const struct sql_value *values, size_t count)
{
	enum tacit_err err;
	struct sql_scope scope = {0};
	TRY(sql_enter(s, SQL_WRITE_ONE, &scope));
	TRY(sql_change(s, id, values, count));
out:
	return sql_leave(s, &scope, err);
}
