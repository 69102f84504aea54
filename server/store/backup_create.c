/* Making a backup. The snapshot comes first: a blob is complete on disk before its row is
 * committed, and its row is gone before the blob is deleted, so whatever the snapshot names and is
 * not there any more was deleted meanwhile, or was lost. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "crypto/encoding.h"
#include "server/store/backup_int.h"

struct making {
	struct store *live;
	struct blob_store *blobs;
	struct archive *out;
	struct tacit_buf members; /* lines of the MANIFEST */
	struct tacit_buf absent;
	struct backup_report *report;
	char *why;
};

static enum tacit_err archive_failed(struct making *m)
{
	return backup_fail(m->why, backup_errno(archive_errno(m->out)), "writing the archive: %s",
	        archive_error_string(m->out));
}

static enum tacit_err begin_member(struct making *m, const char *name, uint64_t bytes)
{
	struct archive_entry *e = archive_entry_new();
	if (e == NULL)
		return TACIT_E_NOMEM;
	archive_entry_set_pathname(e, name);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, 0600);
	archive_entry_set_size(e, (la_int64_t)bytes);
	archive_entry_set_mtime(e, m->report->created_at, 0);
	int rc = archive_write_header(m->out, e);
	archive_entry_free(e);
	return rc == ARCHIVE_OK ? TACIT_OK : archive_failed(m);
}

static enum tacit_err write_data(struct making *m, struct tacit_bytes data)
{
	while (data.n > 0) {
		la_ssize_t n = archive_write_data(m->out, data.p, data.n);
		if (n <= 0)
			return archive_failed(m);
		data = tacit_bytes_part(data, (size_t)n, data.n);
	}
	return TACIT_OK;
}

/* Copies exactly `bytes` from fd and tells their hash. */
static enum tacit_err add_member(
        struct making *m, const char *name, int fd, uint64_t bytes, uint8_t sha256[32])
{
	enum tacit_err err;
	struct tacit_hasher *hasher = NULL;
	uint8_t chunk[BACKUP_CHUNK_BYTES];
	TRY(tacit_hasher_new(TACIT_SHA256, &hasher));
	TRY(begin_member(m, name, bytes));
	for (uint64_t left = bytes; left > 0;) {
		size_t want = left < sizeof(chunk) ? (size_t)left : sizeof(chunk);
		ssize_t n = read(fd, chunk, want);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			TRY(backup_fail(m->why, n == 0 ? TACIT_E_IO : backup_errno(errno),
			        "reading %s: %s", name, n == 0 ? "too short" : strerror(errno)));
		TRY(tacit_hasher_update(hasher, tacit_bytes(chunk, (size_t)n)));
		TRY(write_data(m, tacit_bytes(chunk, (size_t)n)));
		left -= (uint64_t)n;
	}
	TRY(tacit_hasher_peek(hasher, sha256));
	TRY(backup_member_line(&m->members, sha256, bytes, name));
out:
	tacit_hasher_free(hasher);
	return err;
}

static enum tacit_err note_absent(struct making *m, const char *id)
{
	enum tacit_err err = m->live->ops->file_exists(m->live, id);
	bool deleted = err == TACIT_E_NOT_FOUND;
	if (err != TACIT_OK && !deleted)
		return backup_fail(
		        m->why, err, "asking the store for a file: %s", tacit_err_text(err));
	if (deleted)
		m->report->deleted++;
	else
		m->report->missing++;
	return tacit_buf_printf(&m->absent, "%s %s\n", deleted ? "deleted" : "missing", id);
}

static enum tacit_err add_blob(void *ctx, const struct backup_file *f)
{
	enum tacit_err err;
	struct making *m = ctx;
	char name[STORE_FILE_ID_CHARS + 8];
	uint8_t sha256[TACIT_SHA256_BYTES];
	uint64_t bytes = 0;
	int fd = -1;
	err = blob_open(m->blobs, f->id, &fd, &bytes);
	if (err == TACIT_E_NOT_FOUND || (err == TACIT_OK && bytes != f->bytes)) {
		TRY(note_absent(m, f->id));
		goto out;
	}
	if (err != TACIT_OK)
		backup_fail(m->why, err, "opening blob %s: %s", f->id, tacit_err_text(err));
	TRY(err);
	snprintf(name, sizeof(name), STORE_BLOB_FOLDER "/%s", f->id);
	TRY(add_member(m, name, fd, bytes, sha256));
	m->report->files++;
	m->report->bytes += bytes;
	if (!tacit_bytes_eq(tacit_bytes(sha256, 32), tacit_bytes(f->sha256, 32)))
		TRY(note_absent(m, f->id)); /* kept as it is, and said so */
out:
	if (fd >= 0)
		close(fd);
	return err;
}

static enum tacit_err add_database(struct making *m, const char *path)
{
	struct stat st;
	uint8_t sha256[TACIT_SHA256_BYTES];
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return backup_fail(m->why, TACIT_E_IO, "the snapshot: %s", strerror(errno));
	enum tacit_err err = fstat(fd, &st) == 0 ? add_member(m, STORE_DATABASE_NAME, fd,
	                                                   (uint64_t)st.st_size, sha256)
	                                         : TACIT_E_IO;
	close(fd);
	return err;
}

static enum tacit_err add_manifest(struct making *m)
{
	enum tacit_err err;
	struct tacit_buf text = {0};
	uint8_t sha256[TACIT_SHA256_BYTES];
	char hex[2 * TACIT_SHA256_BYTES + 1];
	TRY(tacit_buf_printf(&text, "tacit-backup %d\ncreated %lld\nschema %lld\n", BACKUP_FORMAT,
	        (long long)m->report->created_at, (long long)m->report->schema));
	TRY(tacit_buf_append(&text, tacit_buf_view(&m->members)));
	TRY(tacit_buf_append(&text, tacit_buf_view(&m->absent)));
	TRY(tacit_hash(TACIT_SHA256, tacit_buf_view(&text), sha256));
	tacit_hex(tacit_bytes(sha256, sizeof(sha256)), hex);
	TRY(tacit_buf_printf(&text, "manifest %s\n", hex));
	TRY(begin_member(m, "MANIFEST", text.n));
	TRY(write_data(m, tacit_buf_view(&text)));
out:
	tacit_buf_clear(&text);
	return err;
}

static enum tacit_err write_archive(struct making *m, sqlite3 *db, const char *database, int fd)
{
	enum tacit_err err = TACIT_E_NOMEM;
	m->out = archive_write_new();
	if (m->out == NULL)
		goto out;
	if (archive_write_set_format_pax_restricted(m->out) != ARCHIVE_OK ||
	        archive_write_set_bytes_in_last_block(m->out, 1) != ARCHIVE_OK ||
	        archive_write_open_fd(m->out, fd) != ARCHIVE_OK)
		TRY(archive_failed(m));
	TRY(add_database(m, database));
	TRY(backup_each_file(db, add_blob, m, m->why));
	TRY(add_manifest(m));
	TRY(archive_write_close(m->out) == ARCHIVE_OK ? TACIT_OK : archive_failed(m));
	TRY(fsync(fd) == 0 ? TACIT_OK
	                   : backup_fail(m->why, backup_errno(errno), "syncing the archive: %s",
	                             strerror(errno)));
out:
	if (m->out != NULL)
		archive_write_free(m->out);
	m->out = NULL;
	return err;
}

/* The snapshot, without the uploads under way: their bodies are not in the backup. */
static enum tacit_err take_snapshot(struct making *m, const char *database, sqlite3 **db)
{
	enum tacit_err err = m->live->ops->snapshot(m->live, database);
	if (err != TACIT_OK)
		return backup_fail(m->why, err, "the snapshot: %s", tacit_err_text(err));
	int rc = sqlite3_open_v2(database, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(*db,
		        "PRAGMA secure_delete = ON; PRAGMA synchronous = OFF; DELETE FROM uploads",
		        NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		return backup_fail(m->why,
		        (rc & 0xff) == SQLITE_FULL ? TACIT_E_STORE_FULL : TACIT_E_STORE,
		        "the snapshot: %s", sqlite3_errmsg(*db));
	return backup_schema(*db, &m->report->schema, m->why);
}

/* Inside the work folder, then under its final name. */
static enum tacit_err make(struct making *m, const char *work, const char *path)
{
	enum tacit_err err;
	sqlite3 *db = NULL;
	char database[4200], archive[4200];
	int fd = -1;
	snprintf(database, sizeof(database), "%s/" STORE_DATABASE_NAME, work);
	snprintf(archive, sizeof(archive), "%s/archive", work);
	TRY(take_snapshot(m, database, &db));
	fd = open(archive, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	TRY(fd >= 0 ? TACIT_OK
	            : backup_fail(m->why, backup_errno(errno), "%s: %s", archive, strerror(errno)));
	TRY(write_archive(m, db, database, fd));
	TRY(rename(archive, path) == 0 ? TACIT_OK
	                               : backup_fail(m->why, backup_errno(errno), "%s: %s", path,
	                                         strerror(errno)));
	TRY(backup_sync_folder_of(path));
out:
	if (fd >= 0)
		close(fd);
	sqlite3_close(db);
	return err;
}

enum tacit_err backup_create(const char *url, const char *blob_folder, const char *path,
        struct backup_report *report, char why[256])
{
	enum tacit_err err;
	struct making m = {.report = report, .why = why};
	char work[4096] = "";
	struct stat st;
	why[0] = '\0';
	*report = (struct backup_report){.created_at = time(NULL)};
	if (lstat(path, &st) == 0)
		return backup_fail(why, TACIT_E_EXISTS, "%s exists already", path);
	TRY(store_open(url, STORE_READER, why, &m.live));
	err = blob_store_open(blob_folder, &m.blobs);
	if (err != TACIT_OK)
		backup_fail(why, err, "%s: %s", blob_folder, tacit_err_text(err));
	TRY(err);
	TRY(backup_work_folder(path, work, sizeof(work), why));
	TRY(make(&m, work, path));
out:
	backup_remove_tree(work);
	blob_store_close(m.blobs);
	store_close(m.live);
	tacit_buf_clear(&m.members);
	tacit_buf_clear(&m.absent);
	if (err != TACIT_OK && why[0] == '\0')
		backup_fail(why, err, "%s", tacit_err_text(err));
	return err;
}
