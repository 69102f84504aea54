/* Checking a backup and putting it back: one walk through the archive, in which everything is
 * hashed, and checked against the MANIFEST and the database at the end. */
#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/encoding.h"
#include "server/store/backup_int.h"
#include "server/store/migrations.h"

struct reading {
	struct archive *in;
	uint64_t archive_bytes;
	const char *database;      /* where it is unpacked to */
	struct blob_store *blobs;  /* NULL: blobs are hashed only */
	struct tacit_buf members;  /* lines as found */
	struct tacit_buf manifest; /* as it stands in the archive */
	struct backup_report *report;
	char *why;
};

static enum tacit_err damaged(struct reading *r, const char *what)
{
	return backup_fail(r->why, TACIT_E_STORE_CORRUPT, "the backup is damaged: %s", what);
}

static enum tacit_err archive_failed(struct reading *r)
{
	const char *text = archive_error_string(r->in);
	if (archive_errno(r->in) == ENOMEM)
		return TACIT_E_NOMEM;
	return damaged(r, text != NULL ? text : "not an archive");
}

/* Where the bytes of a member go; -1: nowhere. The text of a MANIFEST goes into the buffer. */
struct sink {
	int fd;
	struct tacit_buf *text;
};

static enum tacit_err pour(struct sink *sink, uint64_t at, struct tacit_bytes chunk)
{
	if (sink->text != NULL)
		return tacit_buf_append(sink->text, chunk);
	return sink->fd >= 0 ? blob_write(sink->fd, at, chunk) : TACIT_OK;
}

static enum tacit_err read_member(
        struct reading *r, uint64_t bytes, struct sink *sink, uint8_t sha256[TACIT_SHA256_BYTES])
{
	enum tacit_err err;
	struct tacit_hasher *hasher = NULL;
	uint8_t chunk[BACKUP_CHUNK_BYTES];
	uint64_t at = 0;
	TRY(tacit_hasher_new(TACIT_SHA256, &hasher));
	for (;;) {
		la_ssize_t n = archive_read_data(r->in, chunk, sizeof(chunk));
		if (n == 0)
			break;
		TRY(n > 0 ? TACIT_OK : archive_failed(r));
		TRY((uint64_t)n <= bytes - at ? TACIT_OK : damaged(r, "a member is too long"));
		TRY(tacit_hasher_update(hasher, tacit_bytes(chunk, (size_t)n)));
		err = pour(sink, at, tacit_bytes(chunk, (size_t)n));
		if (err != TACIT_OK)
			backup_fail(r->why, err, "unpacking: %s", tacit_err_text(err));
		TRY(err);
		at += (uint64_t)n;
	}
	TRY(at == bytes ? TACIT_OK : damaged(r, "a member is too short"));
	TRY(tacit_hasher_peek(hasher, sha256));
out:
	tacit_hasher_free(hasher);
	return err;
}

static enum tacit_err read_database(struct reading *r, uint64_t bytes)
{
	enum tacit_err err;
	uint8_t sha256[TACIT_SHA256_BYTES];
	struct sink sink = {0};
	sink.fd = open(r->database, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (sink.fd < 0)
		return backup_fail(
		        r->why, backup_errno(errno), "%s: %s", r->database, strerror(errno));
	TRY(read_member(r, bytes, &sink, sha256));
	TRY(backup_member_line(&r->members, sha256, bytes, STORE_DATABASE_NAME));
	TRY(fsync(sink.fd) == 0 ? TACIT_OK : backup_errno(errno));
out:
	close(sink.fd);
	return err;
}

static enum tacit_err read_blob(struct reading *r, const char *name, uint64_t bytes)
{
	enum tacit_err err;
	uint8_t sha256[TACIT_SHA256_BYTES];
	uint64_t there = 0;
	struct sink sink = {.fd = -1};
	const char *id = name + sizeof(STORE_BLOB_FOLDER);
	if (r->blobs != NULL) {
		err = blob_partial_open(r->blobs, id, &sink.fd, &there);
		if (err != TACIT_OK)
			backup_fail(r->why, err, "unpacking a blob: %s", tacit_err_text(err));
		TRY(err);
		TRY(there == 0 ? TACIT_OK : damaged(r, "a blob stands there twice"));
	}
	TRY(read_member(r, bytes, &sink, sha256));
	TRY(backup_member_line(&r->members, sha256, bytes, name));
	if (r->blobs != NULL)
		TRY(blob_publish(r->blobs, id));
	r->report->files++;
	r->report->bytes += bytes;
out:
	if (sink.fd >= 0)
		close(sink.fd);
	return err;
}

static bool is_blob_name(const char *name)
{
	static const char prefix[] = STORE_BLOB_FOLDER "/";
	const char *id = name + sizeof(prefix) - 1;
	return strncmp(name, prefix, sizeof(prefix) - 1) == 0 &&
	       strlen(id) == STORE_FILE_ID_CHARS &&
	       strspn(id, "0123456789abcdef") == STORE_FILE_ID_CHARS;
}

static enum tacit_err read_manifest(struct reading *r, uint64_t bytes)
{
	uint8_t sha256[TACIT_SHA256_BYTES];
	struct sink sink = {.fd = -1, .text = &r->manifest};
	if (bytes == 0 || bytes > BACKUP_MAX_MANIFEST)
		return damaged(r, "the MANIFEST has an impossible size");
	return read_member(r, bytes, &sink, sha256);
}

static enum tacit_err read_entry(struct reading *r, struct archive_entry *e)
{
	const char *name = archive_entry_pathname(e);
	la_int64_t size = archive_entry_size(e);
	/* No member can be longer than the archive, or it is made to fill the disk. */
	if (name == NULL || archive_entry_filetype(e) != AE_IFREG || size < 0 ||
	        (uint64_t)size > r->archive_bytes || archive_entry_hardlink(e) != NULL)
		return damaged(r, "a member that is not a plain file");
	if (r->manifest.n > 0)
		return damaged(r, "something follows the MANIFEST");
	if (r->members.n == 0) {
		if (strcmp(name, STORE_DATABASE_NAME) != 0)
			return damaged(r, "it does not begin with the database");
		return read_database(r, (uint64_t)size);
	}
	if (strcmp(name, "MANIFEST") == 0)
		return read_manifest(r, (uint64_t)size);
	if (!is_blob_name(name))
		return damaged(r, "a member with a foreign name");
	return read_blob(r, name, (uint64_t)size);
}

static enum tacit_err read_archive(struct reading *r, int fd)
{
	enum tacit_err err = TACIT_E_NOMEM;
	struct archive_entry *e = NULL;
	r->in = archive_read_new();
	if (r->in == NULL)
		goto out;
	if (archive_read_support_format_tar(r->in) != ARCHIVE_OK ||
	        archive_read_open_fd(r->in, fd, BACKUP_CHUNK_BYTES) != ARCHIVE_OK)
		TRY(archive_failed(r));
	for (;;) {
		int rc = archive_read_next_header(r->in, &e);
		if (rc == ARCHIVE_EOF)
			break;
		TRY(rc == ARCHIVE_OK ? TACIT_OK : archive_failed(r));
		TRY(read_entry(r, e));
	}
	err = r->manifest.n > 0 ? TACIT_OK : damaged(r, "it ends without a MANIFEST");
out:
	if (r->in != NULL)
		archive_read_free(r->in);
	r->in = NULL;
	return err;
}

/* Cuts the next line off; without its line feed. */
static struct tacit_bytes take_line(struct tacit_bytes *text)
{
	const uint8_t *end = text->n > 0 ? memchr(text->p, '\n', text->n) : NULL;
	size_t length = end != NULL ? (size_t)(end - text->p) : text->n;
	struct tacit_bytes line = tacit_bytes(text->p, length);
	*text = tacit_bytes_part(*text, end != NULL ? length + 1 : length, text->n);
	return line;
}

static bool take_number(struct tacit_bytes *text, const char *word, int64_t *out)
{
	struct tacit_bytes line = take_line(text);
	size_t prefix = strlen(word);
	char digits[20] = "";
	char *end = NULL;
	if (line.n <= prefix || line.n - prefix >= sizeof(digits) ||
	        memcmp(line.p, word, prefix) != 0)
		return false;
	memcpy(digits, line.p + prefix, line.n - prefix);
	if (strspn(digits, "0123456789") != strlen(digits))
		return false;
	errno = 0;
	*out = strtoll(digits, &end, 10);
	return errno == 0;
}

/* The last line vouches for the others; *text is cut to them. */
static bool is_whole(struct tacit_bytes *text)
{
	static const char word[] = "manifest ";
	const size_t length = sizeof(word) - 1 + 2 * TACIT_SHA256_BYTES + 1;
	uint8_t sha256[TACIT_SHA256_BYTES];
	char line[128];
	if (text->n < length)
		return false;
	struct tacit_bytes last = tacit_bytes_part(*text, text->n - length, length);
	*text = tacit_bytes_part(*text, 0, text->n - length);
	tacit_sha256(*text, sha256);
	memcpy(line, word, sizeof(word));
	tacit_hex(tacit_bytes(sha256, sizeof(sha256)), line + sizeof(word) - 1);
	line[length - 1] = '\n';
	return tacit_bytes_eq(last, tacit_bytes(line, length));
}

/* absent: the lines about files that are not in the archive. */
static enum tacit_err check_manifest(struct reading *r, struct tacit_bytes *absent)
{
	struct tacit_bytes text = tacit_buf_view(&r->manifest);
	int64_t format = 0;
	if (!is_whole(&text) || !take_number(&text, "tacit-backup ", &format))
		return damaged(r, "the MANIFEST");
	if (format != BACKUP_FORMAT)
		return backup_fail(
		        r->why, TACIT_E_UNSUPPORTED, "the backup was made by a newer version");
	if (!take_number(&text, "created ", &r->report->created_at) ||
	        !take_number(&text, "schema ", &r->report->schema))
		return damaged(r, "the MANIFEST");
	struct tacit_bytes members = tacit_bytes_part(text, 0, r->members.n);
	if (!tacit_bytes_eq(members, tacit_buf_view(&r->members)))
		return damaged(r, "a member is not what the MANIFEST says");
	*absent = tacit_bytes_part(text, r->members.n, text.n);
	return TACIT_OK;
}

struct comparing { /* rows of files against what was found, both in the order of ids */
	struct reading *r;
	struct tacit_bytes members, absent;
};

/* Takes the line about an absent file off when it is about this one. */
static bool take_absent(struct comparing *c, const char *id)
{
	struct tacit_bytes rest = c->absent, line = take_line(&rest);
	char want[2][64];
	snprintf(want[0], sizeof(want[0]), "deleted %s", id);
	snprintf(want[1], sizeof(want[1]), "missing %s", id);
	bool missing = tacit_bytes_eq(line, tacit_cstr(want[1]));
	if (!missing && !tacit_bytes_eq(line, tacit_cstr(want[0])))
		return false;
	if (missing)
		c->r->report->missing++;
	else
		c->r->report->deleted++;
	c->absent = rest;
	return true;
}

static bool is_about(struct tacit_bytes line, const char *id)
{
	return line.n >= STORE_FILE_ID_CHARS &&
	       memcmp(line.p + line.n - STORE_FILE_ID_CHARS, id, STORE_FILE_ID_CHARS) == 0;
}

static enum tacit_err compare_file(void *ctx, const struct backup_file *f)
{
	enum tacit_err err;
	struct comparing *c = ctx;
	struct tacit_buf want = {0};
	struct tacit_bytes rest = c->members, line = take_line(&rest);
	char name[STORE_FILE_ID_CHARS + 8];
	snprintf(name, sizeof(name), STORE_BLOB_FOLDER "/%s", f->id);
	TRY(backup_member_line(&want, f->sha256, f->bytes, name));
	bool same = line.n + 1 == want.n && memcmp(line.p, want.p, line.n) == 0;
	if (!same && !take_absent(c, f->id))
		err = backup_fail(c->r->why, TACIT_E_STORE_CORRUPT,
		        "the backup is damaged: file %s is %s", f->id,
		        is_about(line, f->id) ? "not what the database says" : "not in it");
	if (same || is_about(line, f->id))
		c->members = rest;
out:
	tacit_buf_clear(&want);
	return err;
}

static enum tacit_err expect_no_row(sqlite3 *db, const char *text, const char *but, bool *ok)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, text, -1, &st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	*ok = rc == SQLITE_DONE ||
	      (rc == SQLITE_ROW && but != NULL &&
	              strcmp((const char *)sqlite3_column_text(st, 0), but) == 0);
	sqlite3_finalize(st);
	return (rc & 0xff) == SQLITE_NOMEM ? TACIT_E_NOMEM : TACIT_OK;
}

static enum tacit_err check_database(struct reading *r, struct tacit_bytes absent)
{
	enum tacit_err err;
	sqlite3 *db = NULL;
	int64_t schema = 0;
	bool sound = false;
	struct comparing c = {.r = r, .members = tacit_buf_view(&r->members), .absent = absent};
	take_line(&c.members); /* the database itself */
	int rc =
	        sqlite3_open_v2(r->database, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
	TRY(rc == SQLITE_OK ? TACIT_OK : damaged(r, "the database cannot be opened"));
	TRY(expect_no_row(db, "PRAGMA integrity_check(1)", "ok", &sound));
	TRY(sound ? TACIT_OK : damaged(r, "the database's own integrity"));
	TRY(expect_no_row(db, "PRAGMA foreign_key_check", NULL, &sound));
	TRY(sound ? TACIT_OK : damaged(r, "references within the database"));
	TRY(backup_schema(db, &schema, r->why));
	TRY(schema == r->report->schema ? TACIT_OK : damaged(r, "the number of the schema"));
	TRY(schema <= (int64_t)store_migration_count
	                ? TACIT_OK
	                : backup_fail(r->why, TACIT_E_UNSUPPORTED,
	                          "the backup was made by a newer version"));
	TRY(backup_each_file(db, compare_file, &c, r->why));
	TRY(c.members.n == 0 && c.absent.n == 0
	                ? TACIT_OK
	                : damaged(r, "the archive holds what the database does not name"));
out:
	sqlite3_close(db);
	return err;
}

static enum tacit_err read_and_check(struct reading *r, const char *path)
{
	enum tacit_err err;
	struct stat st;
	struct tacit_bytes absent = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0) {
		err = backup_fail(r->why, TACIT_E_IO, "%s: %s", path, strerror(errno));
		goto out;
	}
	r->archive_bytes = (uint64_t)st.st_size;
	TRY(read_archive(r, fd));
	TRY(check_manifest(r, &absent));
	TRY(check_database(r, absent));
out:
	if (fd >= 0)
		close(fd);
	tacit_buf_clear(&r->members);
	tacit_buf_clear(&r->manifest);
	if (err != TACIT_OK && r->why[0] == '\0')
		backup_fail(r->why, err, "%s", tacit_err_text(err));
	return err;
}

enum tacit_err backup_verify(const char *path, struct backup_report *report, char why[256])
{
	enum tacit_err err;
	char work[4096], database[4200];
	why[0] = '\0';
	*report = (struct backup_report){0};
	TRY(backup_work_folder(path, work, sizeof(work), why));
	snprintf(database, sizeof(database), "%s/" STORE_DATABASE_NAME, work);
	struct reading r = {.database = database, .report = report, .why = why};
	TRY(read_and_check(&r, path));
out:
	backup_remove_tree(work);
	return err;
}

static bool is_empty(const char *folder)
{
	DIR *dir = opendir(folder);
	unsigned entries = 0;
	if (dir == NULL)
		return false;
	while (readdir(dir) != NULL)
		entries++;
	closedir(dir);
	return entries <= 2; /* . and .. */
}

static enum tacit_err prepare_folder(const char *folder, char why[256])
{
	if (mkdir(folder, 0700) == 0)
		return backup_sync_folder_of(folder);
	if (errno != EEXIST)
		return backup_fail(why, backup_errno(errno), "%s: %s", folder, strerror(errno));
	if (!is_empty(folder))
		return backup_fail(why, TACIT_E_EXISTS, "%s is not an empty folder", folder);
	return TACIT_OK;
}

enum tacit_err backup_restore(
        const char *path, const char *folder, struct backup_report *report, char why[256])
{
	enum tacit_err err;
	char unnamed[4200], database[4200], blobs[4200];
	struct reading r = {.database = unnamed, .report = report, .why = why};
	bool ours = false;
	why[0] = '\0';
	*report = (struct backup_report){0};
	TRY(folder != NULL && strlen(folder) < 4096 ? TACIT_OK : TACIT_E_USAGE);
	snprintf(unnamed, sizeof(unnamed), "%s/restoring.db", folder);
	snprintf(database, sizeof(database), "%s/" STORE_DATABASE_NAME, folder);
	snprintf(blobs, sizeof(blobs), "%s/" STORE_BLOB_FOLDER, folder);
	TRY(prepare_folder(folder, why));
	ours = true;
	TRY(blob_store_open(blobs, &r.blobs));
	TRY(read_and_check(&r, path));
	TRY(rename(unnamed, database) == 0 ? TACIT_OK : backup_errno(errno));
	TRY(backup_sync_folder_of(database));
out:
	blob_store_close(r.blobs);
	if (err != TACIT_OK && ours)
		backup_empty_folder(folder);
	if (err != TACIT_OK && why[0] == '\0')
		backup_fail(why, err, "%s", tacit_err_text(err));
	return err;
}
