#include "older.h"

#include <sqlite3.h>
#include <stdio.h>

#include "base/buf.h"
#include "server/store/migrations.h"
#include "support/tap.h"

static void execute(sqlite3 *db, const char *text)
{
	char *message = NULL;
	CHECK_INT(sqlite3_exec(db, text, NULL, NULL, &message), SQLITE_OK);
	if (message != NULL)
		printf("# %s\n", message);
	sqlite3_free(message);
}

static void migrate(sqlite3 *db, const struct store_migration *m)
{
	struct tacit_buf text = {0};
	sqlite3_stmt *st = NULL;
	for (const char *const *line = m->lines; *line != NULL; line++)
		CHECK_OK(tacit_buf_append(&text, tacit_cstr(*line)));
	CHECK_OK(tacit_buf_terminate(&text));
	execute(db, (const char *)text.p);
	CHECK_INT(sqlite3_prepare_v2(db, "INSERT INTO schema_migrations VALUES (?1, ?2, ?3, 0)", -1,
	                  &st, NULL),
	        SQLITE_OK);
	sqlite3_bind_int(st, 1, m->version);
	sqlite3_bind_text(st, 2, m->name, -1, SQLITE_STATIC);
	sqlite3_bind_blob(st, 3, m->sha256, sizeof(m->sha256), SQLITE_STATIC);
	CHECK_INT(sqlite3_step(st), SQLITE_DONE);
	sqlite3_finalize(st);
	tacit_buf_clear(&text);
}

void make_older(const char *path, size_t version, const char *contents)
{
	sqlite3 *db = NULL;
	CHECK_INT(sqlite3_open(path, &db), SQLITE_OK);
	execute(db,
	        "CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY,"
	        " name TEXT NOT NULL, sha256 BLOB NOT NULL, applied_at INTEGER NOT NULL) STRICT");
	for (size_t i = 0; i < version; i++)
		migrate(db, &store_migrations[i]);
	execute(db, contents);
	sqlite3_close(db);
}
