#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/encoding.h"
#include "server/store/backup_int.h"

enum tacit_err backup_fail(char why[256], enum tacit_err err, const char *text, ...)
{
	va_list args;
	va_start(args, text);
	vsnprintf(why, 256, text, args);
	va_end(args);
	return err;
}

enum tacit_err backup_errno(int cause)
{
	switch (cause) {
	case ENOSPC:
	case EDQUOT:
		return TACIT_E_STORE_FULL;
	case ENOMEM:
		return TACIT_E_NOMEM;
	default:
		return TACIT_E_IO;
	}
}

enum tacit_err backup_work_folder(const char *path, char *out, size_t room, char why[256])
{
	if ((size_t)snprintf(out, room, "%s.work-XXXXXX", path) >= room) {
		out[0] = '\0';
		return backup_fail(why, TACIT_E_USAGE, "the path is too long");
	}
	if (mkdtemp(out) == NULL) {
		int cause = errno;
		out[0] = '\0';
		return backup_fail(why, backup_errno(cause), "%s: %s", path, strerror(cause));
	}
	return TACIT_OK;
}

/* The depth is that of a data folder: blobs/ab/id. */
static void empty(int folder, unsigned depth)
{
	DIR *dir = fdopendir(folder);
	if (dir == NULL) {
		close(folder);
		return;
	}
	for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(dir), e->d_name, 0) == 0 || depth == 0)
			continue;
		int inner = openat(
		        dirfd(dir), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (inner >= 0)
			empty(inner, depth - 1);
		unlinkat(dirfd(dir), e->d_name, AT_REMOVEDIR);
	}
	closedir(dir);
}

void backup_empty_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		empty(fd, 3);
}

void backup_remove_tree(const char *folder)
{
	if (folder[0] == '\0')
		return;
	backup_empty_folder(folder);
	rmdir(folder);
}

enum tacit_err backup_sync_folder_of(const char *path)
{
	char folder[4096] = ".";
	const char *slash = strrchr(path, '/');
	if (slash != NULL) {
		int length = slash == path ? 1 : (int)(slash - path);
		if ((size_t)snprintf(folder, sizeof(folder), "%.*s", length, path) >=
		        sizeof(folder))
			return TACIT_E_IO;
	}
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return backup_errno(errno);
	enum tacit_err err = fsync(fd) == 0 ? TACIT_OK : backup_errno(errno);
	close(fd);
	return err;
}

static enum tacit_err read_file_row(sqlite3_stmt *st, struct backup_file *f)
{
	const void *id = sqlite3_column_blob(st, 0);
	const void *sha256 = sqlite3_column_blob(st, 2);
	*f = (struct backup_file){.bytes = (uint64_t)sqlite3_column_int64(st, 1)};
	if (sqlite3_column_bytes(st, 0) != STORE_FILE_ID_CHARS ||
	        sqlite3_column_bytes(st, 2) != TACIT_SHA256_BYTES)
		return TACIT_E_STORE_CORRUPT;
	memcpy(f->id, id, STORE_FILE_ID_CHARS);
	memcpy(f->sha256, sha256, sizeof(f->sha256));
	return TACIT_OK;
}

static enum tacit_err database_failed(sqlite3 *db, int rc, char why[256])
{
	enum tacit_err err = (rc & 0xff) == SQLITE_NOMEM  ? TACIT_E_NOMEM
	                     : (rc & 0xff) == SQLITE_FULL ? TACIT_E_STORE_FULL
	                                                  : TACIT_E_STORE_CORRUPT;
	return backup_fail(why, err, "the database: %s", sqlite3_errmsg(db));
}

enum tacit_err backup_each_file(sqlite3 *db,
        enum tacit_err (*each)(void *ctx, const struct backup_file *f), void *ctx, char why[256])
{
	enum tacit_err err = TACIT_OK;
	sqlite3_stmt *st = NULL;
	struct backup_file f;
	int rc = sqlite3_prepare_v2(
	        db, "SELECT id, bytes, sha256 FROM files ORDER BY id", -1, &st, NULL);
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(st);
		if (rc != SQLITE_ROW)
			break;
		err = read_file_row(st, &f);
		if (err != TACIT_OK)
			backup_fail(why, err, "the database holds a malformed file row");
		TRY(err);
		TRY(each(ctx, &f));
	}
	if (rc != SQLITE_DONE)
		err = database_failed(db, rc, why);
out:
	sqlite3_finalize(st);
	return err;
}

enum tacit_err backup_schema(sqlite3 *db, int64_t *schema, char why[256])
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(
	        db, "SELECT coalesce(max(version), 0) FROM schema_migrations", -1, &st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	*schema = rc == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
	enum tacit_err err = rc == SQLITE_ROW ? TACIT_OK : database_failed(db, rc, why);
	sqlite3_finalize(st);
	return err;
}

enum tacit_err backup_member_line(struct tacit_buf *out, const uint8_t sha256[TACIT_SHA256_BYTES],
        uint64_t bytes, const char *name)
{
	char hex[2 * TACIT_SHA256_BYTES + 1];
	tacit_hex(tacit_bytes(sha256, TACIT_SHA256_BYTES), hex);
	return tacit_buf_printf(out, "member %s %llu %s\n", hex, (unsigned long long)bytes, name);
}
