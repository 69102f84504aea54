#define _GNU_SOURCE /* renameat2 */
#include "client/parcel_sink.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/alloc.h"

#define MOST_COPIES 10000 /* "name (10000)" */

struct parcel_sink {
	const struct tacit_parcel_offer *offer;
	char *folder;
	char part[sizeof(".tacit-.part") + PARCEL_SINK_ID];
	int folder_fd, part_fd;
	size_t open_entry;
	int fd; /* of open_entry; -1: none */
	uint64_t open_from;
	bool settled;
	char problem[300];
};

static enum tacit_err fail(struct parcel_sink *s, const char *what)
{
	int cause = errno;
	snprintf(s->problem, sizeof(s->problem), "%s: %s.", what, strerror(cause));
	return cause == ENOSPC || cause == EDQUOT ? TACIT_E_STORE_FULL : TACIT_E_IO;
}

const char *parcel_sink_problem(const struct parcel_sink *s)
{
	return s->problem;
}

/* --- paths below the part folder ------------------------------------------------------------- */

/* The folder that holds the last part of path, opened step by step without following links; *last
 * is that part. -1 with errno. */
static int walk(struct parcel_sink *s, const char *path, const char **last, bool make)
{
	char name[256];
	int at = dup(s->part_fd);
	for (const char *slash; at >= 0 && (slash = strchr(path, '/')) != NULL; path = slash + 1) {
		snprintf(name, sizeof(name), "%.*s", (int)(slash - path), path);
		if (make && mkdirat(at, name, 0777) != 0 && errno != EEXIST) {
			close(at);
			return -1;
		}
		int next = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(at);
		at = next;
	}
	*last = path;
	return at;
}

static int open_below(struct parcel_sink *s, const char *path, int flags)
{
	const char *last;
	int at = walk(s, path, &last, (flags & O_CREAT) != 0);
	if (at < 0)
		return -1;
	int fd = openat(at, last, flags | O_NOFOLLOW | O_CLOEXEC, 0666);
	int cause = errno;
	close(at);
	errno = cause;
	return fd;
}

/* --- life ------------------------------------------------------------------------------------ */

static enum tacit_err open_part(struct parcel_sink *s)
{
	struct stat st;
	if (mkdirat(s->folder_fd, s->part, 0700) != 0 && errno != EEXIST)
		return fail(s, "The folder cannot be written");
	s->part_fd = openat(s->folder_fd, s->part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (s->part_fd < 0 || fstat(s->part_fd, &st) != 0)
		return fail(s, "The folder cannot be written");
	if (st.st_uid != geteuid() || (st.st_mode & 077) != 0) {
		snprintf(s->problem, sizeof(s->problem), "%s is not ours alone.", s->part);
		return TACIT_E_IO;
	}
	if (flock(s->part_fd, LOCK_EX | LOCK_NB) != 0) {
		snprintf(s->problem, sizeof(s->problem),
		        "Another tacit is receiving this right now.");
		return TACIT_E_CONFLICT;
	}
	return TACIT_OK;
}

static enum tacit_err check_space(struct parcel_sink *s)
{
	struct statvfs v;
	if (fstatvfs(s->folder_fd, &v) != 0)
		return TACIT_OK; /* it shows when it is written */
	uint64_t space = (uint64_t)v.f_bavail * v.f_frsize;
	if (s->offer->total - parcel_sink_kept(s) <= space)
		return TACIT_OK;
	snprintf(s->problem, sizeof(s->problem), "There is not enough space for it.");
	return TACIT_E_STORE_FULL;
}

enum tacit_err parcel_sink_open(
        const struct parcel_place *p, const struct tacit_parcel_offer *o, struct parcel_sink **out)
{
	enum tacit_err err;
	struct tacit_buf folder = {0};
	struct parcel_sink *s = *out = tacit_calloc(1, sizeof(*s));
	if (s == NULL)
		return TACIT_E_NOMEM;
	s->offer = o;
	s->folder_fd = s->part_fd = s->fd = -1;
	snprintf(s->part, sizeof(s->part), ".tacit-%s.part", p->id);
	TRY(tacit_buf_printf(&folder, "%s", p->folder));
	TRY(tacit_buf_terminate(&folder));
	s->folder = (char *)folder.p;
	s->folder_fd = open(s->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->folder_fd < 0)
		TRY(fail(s, "The folder cannot be opened"));
	TRY(open_part(s));
	TRY(check_space(s));
out:
	return err; /* even then the caller closes it: it knows the problem */
}

void parcel_sink_close(struct parcel_sink *s)
{
	if (s == NULL)
		return;
	if (s->fd >= 0)
		close(s->fd);
	if (s->folder_fd >= 0 && s->part_fd >= 0)
		unlinkat(s->folder_fd, s->part, AT_REMOVEDIR); /* only when nothing is in it */
	if (s->part_fd >= 0)
		close(s->part_fd);
	if (s->folder_fd >= 0)
		close(s->folder_fd);
	tacit_free(s->folder);
	tacit_free(s);
}

/* What is in a folder that is ours, and the folder; never beyond a link. */
static void remove_tree(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		unlinkat(at, name, 0);
		return;
	}
	for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, e->d_name, 0) != 0)
			remove_tree(fd, e->d_name);
	}
	closedir(d);
	unlinkat(at, name, AT_REMOVEDIR);
}

void parcel_sink_discard(struct parcel_sink *s)
{
	if (s->folder_fd >= 0 && s->part_fd >= 0)
		remove_tree(s->folder_fd, s->part);
}

/* --- what is there --------------------------------------------------------------------------- */

uint64_t parcel_sink_kept(struct parcel_sink *s)
{
	uint64_t kept = 0;
	for (size_t i = 0; i < s->offer->count; i++) {
		const struct tacit_parcel_entry *e = &s->offer->entries[i];
		struct stat st;
		if (e->folder || e->size == 0)
			continue;
		int fd = open_below(s, e->path, O_RDONLY);
		bool there = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
		uint64_t has = there ? (uint64_t)st.st_size : 0;
		if (fd >= 0)
			close(fd);
		kept += has < e->size ? has : e->size;
		if (has < e->size)
			break;
	}
	return kept;
}

/* Opens the file that holds the byte at offset. */
static enum tacit_err open_at(struct parcel_sink *s, uint64_t offset)
{
	uint64_t from = 0;
	size_t i = 0;
	if (s->fd >= 0 && offset >= s->open_from &&
	        offset - s->open_from < s->offer->entries[s->open_entry].size)
		return TACIT_OK;
	if (s->fd >= 0 && offset > s->open_from) { /* on from here, not from the first */
		i = s->open_entry;
		from = s->open_from;
	}
	while (i < s->offer->count && offset - from >= s->offer->entries[i].size)
		from += s->offer->entries[i++].size;
	TACIT_ASSERT(i < s->offer->count);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = open_below(s, s->offer->entries[i].path, O_RDWR | O_CREAT);
	s->open_entry = i;
	s->open_from = from;
	return s->fd >= 0 ? TACIT_OK : fail(s, "A file cannot be written");
}

static size_t part_of(const struct parcel_sink *s, uint64_t offset, size_t n)
{
	uint64_t left = s->open_from + s->offer->entries[s->open_entry].size - offset;
	return left < n ? (size_t)left : n;
}

enum tacit_err parcel_sink_read(
        struct parcel_sink *s, uint64_t offset, uint8_t *room, size_t n, size_t *got)
{
	enum tacit_err err;
	*got = 0;
	TRY(open_at(s, offset));
	ssize_t put = pread(s->fd, room, part_of(s, offset, n), (off_t)(offset - s->open_from));
	TRY(put > 0 ? TACIT_OK : fail(s, "What has come cannot be read"));
	*got = (size_t)put;
out:
	return err;
}

enum tacit_err parcel_sink_cut(struct parcel_sink *s, uint64_t offset)
{
	uint64_t from = 0;
	for (size_t i = 0; i < s->offer->count; i++) {
		const struct tacit_parcel_entry *e = &s->offer->entries[i];
		uint64_t keep = offset > from ? offset - from : 0;
		from += e->size;
		if (e->folder || e->size == 0 || keep >= e->size)
			continue;
		int fd = open_below(s, e->path, O_RDWR);
		bool cut = fd >= 0 ? ftruncate(fd, (off_t)keep) == 0 : errno == ENOENT;
		if (fd >= 0)
			close(fd);
		if (!cut)
			return fail(s, "A file cannot be written");
	}
	return TACIT_OK;
}

enum tacit_err parcel_sink_write(struct parcel_sink *s, uint64_t offset, struct tacit_bytes bytes)
{
	enum tacit_err err = TACIT_OK;
	while (bytes.n > 0) {
		TRY(open_at(s, offset));
		size_t n = part_of(s, offset, bytes.n);
		ssize_t put = pwrite(s->fd, bytes.p, n, (off_t)(offset - s->open_from));
		if (put < 0 && errno != EINTR)
			TRY(fail(s, "A file cannot be written"));
		if (put <= 0)
			continue;
		offset += (uint64_t)put;
		bytes = tacit_bytes_part(bytes, (size_t)put, bytes.n);
	}
out:
	return err;
}

/* --- the end --------------------------------------------------------------------------------- */

static enum tacit_err settle_entry(struct parcel_sink *s, const struct tacit_parcel_entry *e)
{
	enum tacit_err err = TACIT_OK;
	const char *last;
	if (e->folder) {
		int at = walk(s, e->path, &last, true);
		if (at < 0 || (mkdirat(at, last, 0777) != 0 && errno != EEXIST))
			err = fail(s, "A folder cannot be made");
		if (at >= 0)
			close(at);
		return err;
	}
	int fd = open_below(s, e->path, O_RDWR | O_CREAT);
	struct stat st;
	const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_sec = (time_t)e->modified}};
	if (fd < 0 || fstat(fd, &st) != 0 || ftruncate(fd, (off_t)e->size) != 0)
		err = fail(s, "A file cannot be written");
	/* Executable for whom it is readable. */
	if (err == TACIT_OK && e->executable &&
	        fchmod(fd, (st.st_mode & 0777) | ((st.st_mode & 0444) >> 2)) != 0)
		err = fail(s, "A file cannot be made executable");
	if (err == TACIT_OK && e->modified > 0)
		(void)futimens(fd, times); /* a date that this file system cannot keep */
	if (err == TACIT_OK && fsync(fd) != 0)
		err = fail(s, "A file cannot be written");
	if (fd >= 0)
		close(fd);
	return err;
}

enum tacit_err parcel_sink_settle(struct parcel_sink *s)
{
	enum tacit_err err = TACIT_OK;
	if (s->settled)
		return TACIT_OK;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	for (size_t i = 0; i < s->offer->count; i++)
		TRY(settle_entry(s, &s->offer->entries[i]));
	if (fsync(s->part_fd) != 0 && errno != EINVAL)
		TRY(fail(s, "The folder cannot be written"));
	s->settled = true;
out:
	return err;
}

/* "name.tar (2).gz" would be no name: the number goes before the last dot. */
static void numbered(const char *name, unsigned n, char out[256])
{
	const char *dot = strrchr(name, '.');
	size_t stem = dot != NULL && dot != name ? (size_t)(dot - name) : strlen(name);
	char number[16];
	int length = snprintf(number, sizeof(number), " (%u)", n);
	size_t rest = strlen(name + stem), most = 255 - (size_t)length;
	rest = rest < most ? rest : 0;
	stem = stem < most - rest ? stem : most - rest;
	while (stem > 0 && ((unsigned char)name[stem] & 0xc0) == 0x80)
		stem--;
	snprintf(out, 256, "%.*s%s%.*s", (int)stem, name, number, (int)rest,
	        name + strlen(name) - rest);
}

static int rename_new(struct parcel_sink *s, const char *from, const char *to)
{
	struct stat st;
	int rc = renameat2(s->part_fd, from, s->folder_fd, to, RENAME_NOREPLACE);
	if (rc == 0 || errno != EINVAL)
		return rc;
	/* A file system without it: a folder is never renamed over anything but an empty one. */
	if (fstatat(s->folder_fd, to, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	rc = linkat(s->part_fd, from, s->folder_fd, to, 0);
	if (rc == 0)
		return unlinkat(s->part_fd, from, 0);
	return errno == EPERM ? renameat(s->part_fd, from, s->folder_fd, to) : rc;
}

static enum tacit_err publish_one(struct parcel_sink *s, const char *name, char got[256])
{
	snprintf(got, 256, "%s", name);
	for (unsigned n = 2; rename_new(s, name, got) != 0; n++) {
		if (errno != EEXIST || n > MOST_COPIES)
			return fail(s, "What has come cannot be named");
		numbered(name, n, got);
	}
	return TACIT_OK;
}

enum tacit_err parcel_sink_publish(
        struct parcel_sink *s, void (*saved)(void *ctx, const char *path, bool renamed), void *ctx)
{
	enum tacit_err err = TACIT_OK;
	char top[256], got[256], last[256] = "";
	for (size_t i = 0; i < s->offer->count; i++) {
		const char *path = s->offer->entries[i].path;
		struct stat st;
		snprintf(top, sizeof(top), "%.*s", (int)strcspn(path, "/"), path);
		if (strcmp(top, last) == 0)
			continue;
		memcpy(last, top, sizeof(last));
		/* What has its name already, perhaps by an earlier process, is not here any more.
		 */
		if (fstatat(s->part_fd, top, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		TRY(publish_one(s, top, got));
		struct tacit_buf place = {0};
		TRY(tacit_buf_printf(&place, "%s/%s", s->folder, got));
		err = tacit_buf_terminate(&place);
		if (err == TACIT_OK)
			saved(ctx, (const char *)place.p, strcmp(top, got) != 0);
		tacit_buf_clear(&place);
		TRY(err);
	}
	if (fsync(s->folder_fd) != 0 && errno != EINVAL)
		TRY(fail(s, "The folder cannot be written"));
out:
	return err;
}
