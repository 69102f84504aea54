/* Opening, batches and the table of slots.
 *
 * Durability: WAL with synchronous=FULL, so that COMMIT returns after the WAL was synced; a batch
 * is one such commit. What becomes of the WAL then is in sqlite_wal.c.
 *
 * No mmap: an I/O error would become SIGBUS, and mapped pages would count as our memory. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "server/store/sqlite_int.h"
#include "server/store/sqlite_slots.h"

static const char common_pragmas[] = "PRAGMA foreign_keys = ON;"
                                     "PRAGMA trusted_schema = OFF;"
                                     "PRAGMA temp_store = MEMORY;"
                                     "PRAGMA mmap_size = 0;";

/* Sizes: negative is KiB. */
static const char writer_pragmas[] = "PRAGMA synchronous = FULL;"
                                     "PRAGMA secure_delete = ON;"
                                     "PRAGMA cache_size = -4096;";
static const char reader_pragmas[] = "PRAGMA query_only = ON;"
                                     "PRAGMA cache_size = -512;";

static const struct store_ops ops = {
        .name = "sqlite",
        .close = sqlite_close,
        .advance = sqlite_advance,
        .read_begin = sqlite_read_begin,
        .read_end = sqlite_read_end,
        .batch_begin = sqlite_batch_begin,
        .batch_commit = sqlite_batch_commit,
        .batch_abort = sqlite_batch_abort,
        .settle = sqlite_settle,
        .mark = sqlite_mark,
        .undo = sqlite_undo,
        .release = sqlite_release,
        .probe = sqlite_probe,
        .meta_get = sqlite_meta_get,
        .meta_set = sqlite_meta_set,
        .signature_remember = sqlite_signature_remember,
        .token_put = sqlite_token_put,
        .token_peek = sqlite_token_peek,
        .token_take = sqlite_token_take,
        .token_update = sqlite_token_update,
        .user_create = sqlite_user_create,
        .user_available = sqlite_user_available,
        .user_by_id = sqlite_user_by_id,
        .user_by_name = sqlite_user_by_name,
        .user_by_email = sqlite_user_by_email,
        .user_set_login = sqlite_user_set_login,
        .user_wrapped_key = sqlite_user_wrapped_key,
        .user_search = sqlite_user_search,
        .user_list = sqlite_user_list,
        .user_set_disabled = sqlite_user_set_disabled,
        .user_set_admin = sqlite_user_set_admin,
        .user_set_quota = sqlite_user_set_quota,
        .user_usage = sqlite_user_usage,
        .totp_use = sqlite_totp_use,
        .recovery_codes_set = sqlite_recovery_codes_set,
        .recovery_code_use = sqlite_recovery_code_use,
        .session_create = sqlite_session_create,
        .session_by_token = sqlite_session_by_token,
        .session_by_id = sqlite_session_by_id,
        .session_refresh = sqlite_session_refresh,
        .session_end = sqlite_session_end,
        .session_end_all = sqlite_session_end_all,
        .session_tie = sqlite_session_tie,
        .device_put = sqlite_device_put,
        .device_delete = sqlite_device_delete,
        .device_list = sqlite_device_list,
        .device_list_conversation = sqlite_device_list_conversation,
        .conversation_create = sqlite_conversation_create,
        .conversation_get = sqlite_conversation_get,
        .conversation_list = sqlite_conversation_list,
        .conversation_ids = sqlite_conversation_ids,
        .conversation_member = sqlite_conversation_member,
        .participant_list = sqlite_participant_list,
        .participant_add = sqlite_participant_add,
        .participant_remove = sqlite_participant_remove,
        .conversation_set_message_ttl = sqlite_conversation_set_message_ttl,
        .conversation_set_ends_when = sqlite_conversation_set_ends_when,
        .conversation_close = sqlite_conversation_close,
        .message_append = sqlite_message_append,
        .message_page = sqlite_message_page,
        .read_mark = sqlite_read_mark,
        .key_packages_add = sqlite_key_packages_add,
        .key_packages_count = sqlite_key_packages_count,
        .key_package_claim = sqlite_key_package_claim,
        .commit_append = sqlite_commit_append,
        .commit_list = sqlite_commit_list,
        .group_get = sqlite_group_get,
        .welcome_list = sqlite_welcome_list,
        .welcome_delete = sqlite_welcome_delete,
        .key_get = sqlite_key_get,
        .key_put = sqlite_key_put,
        .file_create = sqlite_file_create,
        .file_get = sqlite_file_get,
        .file_delete = sqlite_file_delete,
        .file_exists = sqlite_file_exists,
        .upload_create = sqlite_upload_create,
        .upload_get = sqlite_upload_get,
        .upload_set_length = sqlite_upload_set_length,
        .upload_advance = sqlite_upload_advance,
        .upload_finish = sqlite_upload_finish,
        .upload_delete = sqlite_upload_delete,
        .parcel_create = sqlite_parcel_create,
        .parcel_get = sqlite_parcel_get,
        .parcel_advance = sqlite_parcel_advance,
        .parcel_ready = sqlite_parcel_ready,
        .parcel_claim = sqlite_parcel_claim,
        .parcel_claim_get = sqlite_parcel_claim_get,
        .parcel_begin = sqlite_parcel_begin,
        .parcel_release = sqlite_parcel_release,
        .parcel_commit = sqlite_parcel_commit,
        .parcel_revoke = sqlite_parcel_revoke,
        .parcel_claim_list = sqlite_parcel_claim_list,
        .sweep = sqlite_sweep,
        .counts = sqlite_counts,
        .snapshot = sqlite_snapshot,
};

/* The snapshot itself is taken by the first statement that reads. */
void sqlite_read_begin(struct store *store)
{
	struct sqlite *s = sqlite_of(store);
	if (s->mode == STORE_READER && !s->reading && !s->in_scope)
		s->reading = sql_run(s, SQL_BEGIN_READ, NO_ARGS) == TACIT_OK;
}

void sqlite_read_end(struct store *store)
{
	struct sqlite *s = sqlite_of(store);
	if (sql_is_reading(s))
		tacit_ignore(sql_run(s, SQL_ROLLBACK, NO_ARGS), "nothing was to be kept");
	s->reading = false;
}

enum tacit_err sqlite_batch_begin(struct store *store)
{
	struct sqlite *s = sqlite_of(store);
	if (s->mode != STORE_WRITER || s->in_batch || s->in_scope)
		return TACIT_E_USAGE;
	enum tacit_err err = sql_run(s, SQL_BEGIN_WRITE, NO_ARGS);
	s->in_batch = err == TACIT_OK;
	s->broken = TACIT_OK;
	return err;
}

static enum tacit_err end_batch(struct sqlite *s, enum tacit_err err)
{
	s->in_batch = false;
	s->broken = TACIT_OK;
	sql_pending_back(s, NOTHING_PENDING);
	if (sqlite3_get_autocommit(s->db) == 0)
		tacit_ignore(sql_run(s, SQL_ROLLBACK, NO_ARGS),
		        "the transaction is over whatever this says");
	return err;
}

enum tacit_err sqlite_batch_commit(struct store *store)
{
	struct sqlite *s = sqlite_of(store);
	if (!s->in_batch)
		return TACIT_E_USAGE;
	if (s->broken != TACIT_OK)
		return end_batch(s, s->broken);
	if (sqlite3_get_autocommit(s->db) != 0)
		return end_batch(s, TACIT_E_STORE);
	enum tacit_err err = end_batch(s, sql_commit(s));
	if (err == TACIT_OK)
		sql_committed(s);
	return err;
}

void sqlite_batch_abort(struct store *store)
{
	struct sqlite *s = sqlite_of(store);
	tacit_ignore(end_batch(s, TACIT_OK), "nothing is kept");
}

static enum tacit_err in_batch(struct sqlite *s, enum sql id)
{
	if (!s->in_batch)
		return TACIT_E_USAGE;
	if (s->broken != TACIT_OK)
		return s->broken;
	if (sqlite3_get_autocommit(s->db) != 0)
		return TACIT_E_STORE;
	return sql_run(s, id, NO_ARGS);
}

enum tacit_err sqlite_mark(struct store *store)
{
	struct sqlite *s = sqlite_of(store);
	s->marked = s->pending;
	return in_batch(s, SQL_MARK);
}

enum tacit_err sqlite_undo(struct store *store)
{
	struct sqlite *s = sqlite_of(store);
	enum tacit_err err = in_batch(s, SQL_UNDO);
	sql_pending_back(s, s->marked);
	return err == TACIT_OK ? in_batch(s, SQL_RELEASE) : err;
}

enum tacit_err sqlite_release(struct store *s)
{
	return in_batch(sqlite_of(s), SQL_RELEASE);
}

void sqlite_advance(struct store *s, int64_t now)
{
	sql_time(sqlite_of(s), now);
}

void sqlite_close(struct store *store)
{
	struct sqlite *s = sqlite_of(store);
	for (size_t i = 0; i < SQL_COUNT; i++)
		sqlite3_finalize(s->statements[i]);
	sqlite3_close(s->db);
	sql_spent_close(s);
	tacit_free(s);
}

static enum tacit_err sync_folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[4096];
	int length = slash == path ? 1 : (int)(slash - path);
	if ((size_t)snprintf(folder, sizeof(folder), "%.*s", length, path) >= sizeof(folder))
		return TACIT_E_IO;
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return TACIT_E_IO;
	enum tacit_err err = fsync(fd) == 0 ? TACIT_OK : TACIT_E_IO;
	close(fd);
	return err;
}

/* SQLite would take the mode from the umask; its WAL takes it from this file. An existing file is
 * not opened here: closing it again would drop the locks of other handles in this process. */
static enum tacit_err create_private(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EEXIST   ? TACIT_OK
		       : errno == ENOSPC ? TACIT_E_STORE_FULL
		                         : TACIT_E_IO;
	close(fd);
	return sync_folder_of(path);
}

static int set_wal_mode(sqlite3 *db)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, "PRAGMA journal_mode = WAL", -1, &st, NULL);
	if (rc != SQLITE_OK)
		return rc;
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		rc = strcmp((const char *)sqlite3_column_text(st, 0), "wal") == 0 ? SQLITE_OK
		                                                                  : SQLITE_CANTOPEN;
	sqlite3_finalize(st);
	return rc;
}

/* The first switch to WAL needs the file alone, and SQLite does not wait for that on its own. */
static int enable_wal(sqlite3 *db)
{
	const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
	int rc = set_wal_mode(db);
	for (int i = 0; (rc & 0xff) == SQLITE_BUSY && i < SQL_BUSY_MILLISECONDS / 10; i++) {
		nanosleep(&pause, NULL);
		rc = set_wal_mode(db);
	}
	return rc;
}

static enum tacit_err configure(struct sqlite *s)
{
	bool writer = s->mode == STORE_WRITER;
	int rc = sqlite3_busy_timeout(s->db, SQL_BUSY_MILLISECONDS);
	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(s->db, common_pragmas, NULL, NULL, NULL);
	if (rc == SQLITE_OK && writer)
		rc = enable_wal(s->db);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(
		        s->db, writer ? writer_pragmas : reader_pragmas, NULL, NULL, NULL);
	if (rc == SQLITE_OK && writer)
		rc = sql_keep_log(s);
	if ((rc & 0xff) == SQLITE_CANTOPEN)
		return TACIT_E_IO;
	return rc == SQLITE_OK ? TACIT_OK : sql_error(s, rc);
}

/* SQLite's count of its memory takes one lock in all threads for each allocation; nobody reads it.
 * Refused when SQLite is in use already: then it counts. */
static void stop_counting(void)
{
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

enum tacit_err sqlite_open(
        const char *path, enum store_mode mode, char why[256], struct store **out)
{
	static once_flag once = ONCE_FLAG_INIT;
	enum tacit_err err = TACIT_E_NOMEM;
	call_once(&once, stop_counting);
	struct sqlite *s = tacit_calloc(1, sizeof(*s));
	if (s == NULL)
		goto out;
	s->base.ops = &ops;
	s->mode = mode;
	if (mode == STORE_WRITER) {
		errno = 0;
		err = create_private(path);
		if (err != TACIT_OK) {
			snprintf(why, 256, "%s: %s", path, strerror(errno));
			goto out;
		}
	}
	int rc = sqlite3_open_v2(path, &s->db,
	        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
	                SQLITE_OPEN_EXRESCODE,
	        NULL);
	err = rc == SQLITE_OK                  ? configure(s)
	      : (rc & 0xff) == SQLITE_CANTOPEN ? TACIT_E_IO
	                                       : sql_error(s, rc);
	if (err != TACIT_OK)
		snprintf(why, 256, "%s: %s", path,
		        s->db != NULL ? sqlite3_errmsg(s->db) : "out of memory");
	else
		err = sqlite_migrate(s, why);
	/* A crash may have come between a destruction and its purge. */
	s->purge = mode == STORE_WRITER ? PURGE_NOW : PURGE_NOT;
out:
	if (err == TACIT_OK)
		*out = &s->base;
	else if (s != NULL)
		sqlite_close(&s->base);
	return err;
}
