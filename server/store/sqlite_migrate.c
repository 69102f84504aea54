/* Migrations: numbered files, applied in order by the first writer, each in one transaction under
 * the write lock together with its line in schema_migrations. */
#include <stdio.h>
#include <string.h>

#include "server/store/migrations.h"
#include "server/store/sqlite_int.h"

static const char create_history[] =
        "CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY,"
        " name TEXT NOT NULL, sha256 BLOB NOT NULL, applied_at INTEGER NOT NULL) STRICT";

static enum tacit_err failed(struct sqlite *s, int rc, char why[256])
{
	snprintf(why, 256, "%s", sqlite3_errmsg(s->db));
	return sql_error(s, rc);
}

static enum tacit_err one_number(struct sqlite *s, const char *text, int64_t *out, char why[256])
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(s->db, text, -1, &st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(st, 0);
	enum tacit_err err = rc == SQLITE_ROW ? TACIT_OK : failed(s, rc, why);
	sqlite3_finalize(st);
	return err;
}

/* One line of the history against what this program carries. */
static enum tacit_err check_applied(sqlite3_stmt *st, int64_t expected, char why[256])
{
	int64_t version = sqlite3_column_int64(st, 0);
	if (version > (int64_t)store_migration_count) {
		snprintf(why, 256, "the database was written by a newer version (schema %lld)",
		        (long long)version);
		return TACIT_E_UNSUPPORTED;
	}
	uint8_t applied[32];
	enum tacit_err err = sql_column_blob(st, 1, applied, sizeof(applied));
	if (err == TACIT_OK && version == expected &&
	        memcmp(applied, store_migrations[version - 1].sha256, sizeof(applied)) == 0)
		return TACIT_OK;
	snprintf(why, 256, "migration %lld was applied in another form than this program has",
	        (long long)version);
	return TACIT_E_STORE_CORRUPT;
}

/* *version: how many were applied, 0 for an empty database. */
static enum tacit_err read_version(struct sqlite *s, int64_t *version, char why[256])
{
	enum tacit_err err;
	sqlite3_stmt *st = NULL;
	int64_t tables = 0, history = 0;
	*version = 0;
	TRY(one_number(s, "SELECT count(*) FROM sqlite_schema", &tables, why));
	TRY(one_number(s,
	        "SELECT count(*) FROM sqlite_schema WHERE type = 'table'"
	        " AND name = 'schema_migrations'",
	        &history, why));
	if (history == 0) {
		if (tables > 0)
			snprintf(why, 256, "the database belongs to another program");
		return tables == 0 ? TACIT_OK : TACIT_E_STORE_CORRUPT;
	}
	int rc = sqlite3_prepare_v2(s->db,
	        "SELECT version, sha256 FROM schema_migrations ORDER BY version", -1, &st, NULL);
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(st);
		if (rc == SQLITE_ROW)
			TRY(check_applied(st, ++*version, why));
	}
	err = rc == SQLITE_DONE ? TACIT_OK : failed(s, rc, why);
out:
	sqlite3_finalize(st);
	return err;
}

static int record(struct sqlite *s, const struct store_migration *m)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(s->db,
	        "INSERT INTO schema_migrations VALUES (?1, ?2, ?3, unixepoch())", -1, &st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int(st, 1, m->version);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(st, 2, m->name, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_blob(st, 3, m->sha256, sizeof(m->sha256), SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	sqlite3_finalize(st);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Only a migration may write to the schema itself; for all else it is closed (DEFENSIVE). */
static int execute(struct sqlite *s, const char *text)
{
	int rc = sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(s->db, text, NULL, NULL, NULL);
	int closed = sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	return rc == SQLITE_OK ? closed : rc;
}

static enum tacit_err apply(struct sqlite *s, const struct store_migration *m, char why[256])
{
	enum tacit_err err;
	struct tacit_buf text = {0};
	for (const char *const *line = m->lines; *line != NULL; line++)
		TRY(tacit_buf_append(&text, tacit_cstr(*line)));
	TRY(tacit_buf_terminate(&text));
	int rc = sqlite3_exec(s->db, create_history, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = execute(s, (const char *)text.p);
	if (rc == SQLITE_OK)
		rc = record(s, m);
	err = rc == SQLITE_OK ? TACIT_OK : failed(s, rc, why);
out:
	tacit_buf_clear(&text);
	return err;
}

/* The next one, if any is left: another process may have been faster while we waited. */
static enum tacit_err apply_next(struct sqlite *s, int64_t *version, char why[256])
{
	enum tacit_err err;
	struct sql_scope scope = {0};
	TRY(sql_enter(s, SQL_WRITE, &scope));
	TRY(read_version(s, version, why));
	if (*version < (int64_t)store_migration_count) {
		TRY(apply(s, &store_migrations[*version], why));
		++*version;
	}
out:
	err = sql_leave(s, &scope, err);
	if (err != TACIT_OK && why[0] == '\0')
		snprintf(why, 256, "%s", tacit_err_text(err));
	return err;
}

enum tacit_err sqlite_migrate(struct sqlite *s, char why[256])
{
	enum tacit_err err;
	int64_t version = 0;
	TRY(read_version(s, &version, why));
	if (s->mode == STORE_READER && version < (int64_t)store_migration_count) {
		snprintf(why, 256, "the database needs a migration: start the server once");
		return TACIT_E_STORE;
	}
	while (version < (int64_t)store_migration_count)
		TRY(apply_next(s, &version, why));
out:
	return err;
}
