#include "client/localstore.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

#define APPLICATION_ID 0x54414349 /* "TACI" */
#define SCHEMA_VERSION 1
#define BUSY_MS 10000

static const char schema[] =
        "CREATE TABLE records(id BLOB PRIMARY KEY NOT NULL, data BLOB NOT NULL) WITHOUT ROWID;"
        "CREATE TABLE log(tag BLOB NOT NULL, position INTEGER NOT NULL, data BLOB NOT NULL,"
        " PRIMARY KEY(tag, position)) WITHOUT ROWID;"
        "CREATE TABLE profile(name TEXT PRIMARY KEY NOT NULL, data BLOB NOT NULL) WITHOUT ROWID;"
        "PRAGMA application_id = 1413563209;"
        "PRAGMA user_version = 1;";
static_assert(APPLICATION_ID == 1413563209 && SCHEMA_VERSION == 1, "the schema says the same");

enum query {
	BEGIN,
	COMMIT,
	ROLLBACK,
	DATA_VERSION,
	PUT_RECORD,
	DELETE_RECORD,
	PUT_LOG,
	PUT_PROFILE,
	DELETE_PROFILE,
	PURGE_LOG,
	GET_PROFILE,
	EACH_RECORD,
	EACH_LOG,
	GET_LOG,
	QUERIES,
};

static const char *const query_text[QUERIES] = {
        [BEGIN] = "BEGIN IMMEDIATE",
        [COMMIT] = "COMMIT",
        [ROLLBACK] = "ROLLBACK",
        [DATA_VERSION] = "PRAGMA data_version",
        [PUT_RECORD] = "INSERT OR REPLACE INTO records(id, data) VALUES(?1, ?2)",
        [DELETE_RECORD] = "DELETE FROM records WHERE id = ?1",
        [PUT_LOG] = "INSERT OR IGNORE INTO log(tag, position, data) VALUES(?1, ?2, ?3)",
        [PUT_PROFILE] = "INSERT OR REPLACE INTO profile(name, data) VALUES(?1, ?2)",
        [PURGE_LOG] = "DELETE FROM log WHERE tag = ?1 AND position BETWEEN ?2 AND ?3",
        [DELETE_PROFILE] = "DELETE FROM profile WHERE name = ?1",
        [GET_PROFILE] = "SELECT data FROM profile WHERE name = ?1",
        [EACH_RECORD] = "SELECT id, data FROM records",
        [GET_LOG] = "SELECT data FROM log WHERE tag = ?1 AND position = ?2",
        [EACH_LOG] =
                ("SELECT position, data FROM (SELECT position, data FROM log WHERE tag = ?1 AND"
                 " position < ?2 ORDER BY position DESC LIMIT ?3) ORDER BY position"),
};

struct localstore {
	sqlite3 *db;
	sqlite3_stmt *query[QUERIES];
	int64_t data_version;
	int lock_fd;
	bool scrub; /* the write-ahead log still holds what was purged */
};

static enum tacit_err from_sqlite(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return TACIT_OK;
	case SQLITE_NOMEM:
		return TACIT_E_NOMEM;
	case SQLITE_FULL:
		return TACIT_E_STORE_FULL;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return TACIT_E_STORE_BUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_MISMATCH:
	case SQLITE_ERROR: /* our queries are right: it is the tables that are not */
		return TACIT_E_STORE_CORRUPT;
	default:
		return TACIT_E_STORE;
	}
}

static struct tacit_bytes column(sqlite3_stmt *q, int i)
{
	const void *p = sqlite3_column_blob(q, i);
	return tacit_bytes(p, p != NULL ? (size_t)sqlite3_column_bytes(q, i) : 0);
}

static int bind(sqlite3_stmt *q, int i, struct tacit_bytes b)
{
	return sqlite3_bind_blob64(q, i, b.n > 0 ? (const void *)b.p : "", b.n, SQLITE_STATIC);
}

/* Runs a statement that gives no rows, and makes it ready for the next time. */
static enum tacit_err run(sqlite3_stmt *q)
{
	int rc = sqlite3_step(q);
	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
	return from_sqlite(rc);
}

static enum tacit_err one_integer(sqlite3 *db, const char *sql, int64_t *out)
{
	sqlite3_stmt *q = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &q, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	return rc == SQLITE_DONE ? TACIT_E_STORE_CORRUPT : from_sqlite(rc);
}

/* --- opening --------------------------------------------------------------------------------- */

/* SQLite would create the file with the umask's mode, so it is made here. An existing one is looked
 * at but not opened: closing a second descriptor would drop SQLite's POSIX locks. */
static enum tacit_err prepare_file(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0) {
		close(fd);
		return TACIT_OK;
	}
	if (errno != EEXIST)
		return errno == ENOSPC ? TACIT_E_STORE_FULL : TACIT_E_IO;
	if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid())
		return TACIT_E_IO;
	if ((st.st_mode & 077) != 0 && chmod(path, 0600) != 0)
		return TACIT_E_IO;
	return TACIT_OK;
}

static enum tacit_err open_database(struct localstore *s, const char *path)
{
	int rc = sqlite3_open_v2(path, &s->db,
	        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX |
	                SQLITE_OPEN_PRIVATECACHE,
	        NULL);
	if (rc != SQLITE_OK)
		return from_sqlite(rc);
	sqlite3_extended_result_codes(s->db, 1);
	sqlite3_busy_timeout(s->db, BUSY_MS);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	sqlite3_limit(s->db, SQLITE_LIMIT_LENGTH, LOCALSTORE_MAX_VALUE);
	return from_sqlite(sqlite3_exec(s->db,
	        "PRAGMA cell_size_check = ON; PRAGMA secure_delete = ON; PRAGMA journal_mode = WAL;"
	        "PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY",
	        NULL, NULL, NULL));
}

/* A fresh file gets its tables; two processes may come here at once, hence the transaction. */
static enum tacit_err apply_schema(sqlite3 *db)
{
	enum tacit_err err;
	int64_t tables = 0;
	int64_t application = 0;
	int64_t version = 0;
	TRY(from_sqlite(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL)));
	TRY(one_integer(db, "SELECT count(*) FROM sqlite_master", &tables));
	TRY(one_integer(db, "PRAGMA application_id", &application));
	TRY(one_integer(db, "PRAGMA user_version", &version));
	if (tables == 0 && application == 0 && version == 0)
		TRY(from_sqlite(sqlite3_exec(db, schema, NULL, NULL, NULL)));
	else if (application != APPLICATION_ID || version < SCHEMA_VERSION)
		TRY(TACIT_E_STORE_CORRUPT);
	else if (version > SCHEMA_VERSION)
		TRY(TACIT_E_UNSUPPORTED);
	TRY(from_sqlite(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL)));
out:
	if (err != TACIT_OK)
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return err;
}

static enum tacit_err prepare_queries(struct localstore *s)
{
	for (int i = 0; i < QUERIES; i++) {
		int rc = sqlite3_prepare_v3(
		        s->db, query_text[i], -1, SQLITE_PREPARE_PERSISTENT, &s->query[i], NULL);
		if (rc != SQLITE_OK)
			return from_sqlite(rc);
	}
	return TACIT_OK;
}

static enum tacit_err open_lock(struct localstore *s, const char *folder)
{
	enum tacit_err err;
	struct tacit_buf path = {0};
	TRY(tacit_buf_printf(&path, "%s/%s", folder, LOCALSTORE_LOCK));
	TRY(tacit_buf_terminate(&path));
	s->lock_fd = open((const char *)path.p, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (s->lock_fd < 0)
		TRY(TACIT_E_IO);
	TRY(localstore_lock(s));
out:
	tacit_buf_clear(&path);
	return err;
}

/* Under the lock: SQLite does not wait for others while a fresh file becomes a WAL one. */
enum tacit_err localstore_open(const char *folder, struct localstore **out)
{
	enum tacit_err err;
	bool changed;
	struct tacit_buf path = {0};
	*out = NULL;
	struct localstore *s = tacit_calloc(1, sizeof(*s));
	if (s == NULL)
		return TACIT_E_NOMEM;
	s->lock_fd = -1;
	TRY(open_lock(s, folder));
	TRY(tacit_buf_printf(&path, "%s/%s", folder, LOCALSTORE_FILE));
	TRY(tacit_buf_terminate(&path));
	TRY(prepare_file((const char *)path.p));
	TRY(open_database(s, (const char *)path.p));
	TRY(apply_schema(s->db));
	TRY(prepare_queries(s));
	TRY(localstore_changed(s, &changed));
	localstore_unlock(s);
	*out = s;
	s = NULL;
out:
	localstore_close(s);
	tacit_buf_clear(&path);
	return err;
}

void localstore_close(struct localstore *s)
{
	if (s == NULL)
		return;
	for (int i = 0; i < QUERIES; i++)
		sqlite3_finalize(s->query[i]);
	sqlite3_close_v2(s->db);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	tacit_free(s);
}

/* --- turns ----------------------------------------------------------------------------------- */

enum tacit_err localstore_lock(struct localstore *s)
{
	if (flock(s->lock_fd, LOCK_EX) == 0)
		return TACIT_OK;
	return errno == EINTR ? TACIT_E_CANCELLED : TACIT_E_IO;
}

enum tacit_err localstore_try_lock(struct localstore *s)
{
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return TACIT_OK;
	return errno == EWOULDBLOCK || errno == EINTR ? TACIT_E_STORE_BUSY : TACIT_E_IO;
}

void localstore_unlock(struct localstore *s)
{
	flock(s->lock_fd, LOCK_UN);
}

enum tacit_err localstore_changed(struct localstore *s, bool *changed)
{
	sqlite3_stmt *q = s->query[DATA_VERSION];
	int rc = sqlite3_step(q);
	int64_t now = rc == SQLITE_ROW ? sqlite3_column_int64(q, 0) : s->data_version;
	sqlite3_reset(q);
	*changed = now != s->data_version;
	s->data_version = now;
	return from_sqlite(rc);
}

enum tacit_err localstore_begin(struct localstore *s)
{
	return run(s->query[BEGIN]);
}

enum tacit_err localstore_commit(struct localstore *s)
{
	enum tacit_err err = run(s->query[COMMIT]);
	if (err == TACIT_OK && s->scrub) {
		int64_t busy = 1;
		tacit_ignore(one_integer(s->db, "PRAGMA wal_checkpoint(TRUNCATE)", &busy),
		        "the next commit tries again");
		s->scrub = busy != 0;
	}
	return err;
}

void localstore_rollback(struct localstore *s)
{
	if (!sqlite3_get_autocommit(s->db))
		tacit_ignore(run(s->query[ROLLBACK]), "closing the file rolls back as well");
}

/* --- writing --------------------------------------------------------------------------------- */

enum tacit_err localstore_put_record(
        struct localstore *s, const struct tacit_record_id *id, struct tacit_bytes data)
{
	sqlite3_stmt *q = s->query[data.n == 0 ? DELETE_RECORD : PUT_RECORD];
	int rc = bind(q, 1, tacit_bytes(id->b, sizeof(id->b)));
	if (rc == SQLITE_OK && data.n > 0)
		rc = bind(q, 2, data);
	return rc != SQLITE_OK ? from_sqlite(rc) : run(q);
}

enum tacit_err localstore_put_log(struct localstore *s, const struct tacit_record_id *tag,
        uint64_t position, struct tacit_bytes data)
{
	if (position > INT64_MAX)
		return TACIT_E_USAGE;
	sqlite3_stmt *q = s->query[PUT_LOG];
	int rc = bind(q, 1, tacit_bytes(tag->b, sizeof(tag->b)));
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(q, 2, (int64_t)position);
	if (rc == SQLITE_OK)
		rc = bind(q, 3, data);
	return rc != SQLITE_OK ? from_sqlite(rc) : run(q);
}

enum tacit_err localstore_purge_log(
        struct localstore *s, const struct tacit_record_id *tag, uint64_t from, uint64_t until)
{
	if (from > INT64_MAX)
		return TACIT_E_USAGE;
	sqlite3_stmt *q = s->query[PURGE_LOG];
	int rc = bind(q, 1, tacit_bytes(tag->b, sizeof(tag->b)));
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(q, 2, (int64_t)from);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(q, 3, until > INT64_MAX ? INT64_MAX : (int64_t)until);
	s->scrub = true;
	return rc != SQLITE_OK ? from_sqlite(rc) : run(q);
}

static enum tacit_err put_named(struct localstore *s, const char *name, struct tacit_bytes data)
{
	sqlite3_stmt *q = s->query[data.n == 0 ? DELETE_PROFILE : PUT_PROFILE];
	int rc = sqlite3_bind_text(q, 1, name, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK && data.n > 0)
		rc = bind(q, 2, data);
	return rc != SQLITE_OK ? from_sqlite(rc) : run(q);
}

enum tacit_err localstore_put_profile(struct localstore *s, struct tacit_bytes data)
{
	return put_named(s, "profile", data);
}

enum tacit_err localstore_put_setting(
        struct localstore *s, const char *name, struct tacit_bytes value)
{
	struct tacit_buf key = {0};
	enum tacit_err err;
	TRY(tacit_buf_printf(&key, "setting.%s", name));
	TRY(tacit_buf_terminate(&key));
	TRY(put_named(s, (const char *)key.p, value));
out:
	tacit_buf_clear(&key);
	return err;
}

/* --- reading --------------------------------------------------------------------------------- */

static enum tacit_err get_named(struct localstore *s, const char *name, struct tacit_buf *out)
{
	sqlite3_stmt *q = s->query[GET_PROFILE];
	enum tacit_err err = from_sqlite(sqlite3_bind_text(q, 1, name, -1, SQLITE_STATIC));
	if (err == TACIT_OK) {
		int rc = sqlite3_step(q);
		err = rc == SQLITE_DONE ? TACIT_E_NOT_FOUND : from_sqlite(rc);
		if (rc == SQLITE_ROW)
			err = tacit_buf_append(out, column(q, 0));
	}
	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
	return err;
}

enum tacit_err localstore_profile(struct localstore *s, struct tacit_buf *out)
{
	return get_named(s, "profile", out);
}

enum tacit_err localstore_setting(struct localstore *s, const char *name, struct tacit_buf *out)
{
	struct tacit_buf key = {0};
	enum tacit_err err;
	TRY(tacit_buf_printf(&key, "setting.%s", name));
	TRY(tacit_buf_terminate(&key));
	TRY(get_named(s, (const char *)key.p, out));
out:
	tacit_buf_clear(&key);
	return err;
}

enum tacit_err localstore_each_record(struct localstore *s,
        enum tacit_err (*each)(
                void *ctx, const struct tacit_record_id *id, struct tacit_bytes data),
        void *ctx)
{
	sqlite3_stmt *q = s->query[EACH_RECORD];
	enum tacit_err err = TACIT_OK;
	int rc = SQLITE_DONE;
	while (err == TACIT_OK && (rc = sqlite3_step(q)) == SQLITE_ROW) {
		struct tacit_record_id id;
		struct tacit_bytes stored = column(q, 0);
		if (stored.n != sizeof(id.b)) {
			err = TACIT_E_STORE_CORRUPT;
			break;
		}
		memcpy(id.b, stored.p, sizeof(id.b));
		err = each(ctx, &id, column(q, 1));
	}
	sqlite3_reset(q);
	return err != TACIT_OK ? err : from_sqlite(rc);
}

static int64_t clamped(uint64_t n)
{
	return n > INT64_MAX ? INT64_MAX : (int64_t)n;
}

enum tacit_err localstore_get_log(struct localstore *s, const struct tacit_record_id *tag,
        uint64_t position, struct tacit_buf *out)
{
	sqlite3_stmt *q = s->query[GET_LOG];
	enum tacit_err err;
	TRY(from_sqlite(bind(q, 1, tacit_bytes(tag->b, sizeof(tag->b)))));
	TRY(from_sqlite(sqlite3_bind_int64(q, 2, clamped(position))));
	int rc = sqlite3_step(q);
	if (rc == SQLITE_ROW)
		err = tacit_buf_append(out, column(q, 0));
	else
		err = rc == SQLITE_DONE ? TACIT_E_NOT_FOUND : from_sqlite(rc);
out:
	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
	return err;
}

enum tacit_err localstore_each_log(struct localstore *s, const struct localstore_span *span,
        enum tacit_err (*each)(void *ctx, uint64_t position, struct tacit_bytes data), void *ctx)
{
	sqlite3_stmt *q = s->query[EACH_LOG];
	enum tacit_err err;
	int rc = SQLITE_DONE;
	TRY(from_sqlite(bind(q, 1, tacit_bytes(span->tag.b, sizeof(span->tag.b)))));
	TRY(from_sqlite(sqlite3_bind_int64(q, 2, clamped(span->before))));
	TRY(from_sqlite(sqlite3_bind_int64(q, 3, clamped(span->limit))));
	while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
		int64_t position = sqlite3_column_int64(q, 0);
		if (position < 0)
			TRY(TACIT_E_STORE_CORRUPT);
		TRY(each(ctx, (uint64_t)position, column(q, 1)));
	}
	TRY(from_sqlite(rc));
out:
	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
	return err;
}
