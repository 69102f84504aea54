#define _GNU_SOURCE /* mkostemp */
#include "client/parcel_source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

#define SPOOL_PIECE ((size_t)256 * 1024)

/* What a file was like when it was looked at. */
struct stamp {
	dev_t device;
	ino_t number;
	off_t size;
	mode_t mode;
	nlink_t links;
	uid_t owner;
	gid_t group;
	struct timespec modified, changed;
};

struct item {
	char *place; /* on this disk; NULL: the spool */
	char *name;  /* in the offer */
	struct stamp stamp;
	uint64_t size, from;
	int64_t modified;
	bool folder, executable;
};

struct parcel_source {
	struct item *items;
	size_t count, room;
	uint64_t total;
	enum tacit_parcel_kind kind;
	struct tacit_buf offer, text;
	struct tacit_parcel_offer decoded;
	int spool;
	uint64_t at; /* in the whole */
	size_t open_item;
	int fd;              /* of open_item; -1: none */
	const char *changed; /* the name of an item; NULL: none has */
};

/* --- life ------------------------------------------------------------------------------------ */

static enum tacit_err source_new(struct parcel_source **out)
{
	*out = tacit_calloc(1, sizeof(**out));
	if (*out == NULL)
		return TACIT_E_NOMEM;
	(*out)->spool = (*out)->fd = -1;
	return TACIT_OK;
}

void parcel_source_free(struct parcel_source *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->count; i++) {
		tacit_free(s->items[i].place);
		tacit_free(s->items[i].name);
	}
	tacit_free(s->items);
	tacit_buf_clear(&s->offer);
	tacit_buf_clear(&s->text);
	tacit_parcel_offer_clear(&s->decoded);
	if (s->fd >= 0)
		close(s->fd);
	if (s->spool >= 0)
		close(s->spool);
	tacit_free(s);
}

struct tacit_bytes parcel_source_offer(const struct parcel_source *s)
{
	return tacit_buf_view(&s->offer);
}

const struct tacit_parcel_offer *parcel_source_decoded(const struct parcel_source *s)
{
	return &s->decoded;
}

/* Encoded, and read as the peer will: what it would refuse is found here. */
static enum tacit_err seal_offer(struct parcel_source *s)
{
	enum tacit_err err;
	struct tacit_parcel_offer o = {.kind = s->kind, .total = s->total, .count = s->count};
	if (s->count > 0) {
		o.entries = tacit_calloc(s->count, sizeof(*o.entries));
		if (o.entries == NULL)
			return TACIT_E_NOMEM;
	}
	for (size_t i = 0; i < s->count; i++)
		o.entries[i] = (struct tacit_parcel_entry){.path = s->items[i].name,
		        .size = s->items[i].size,
		        .modified = s->items[i].modified,
		        .folder = s->items[i].folder,
		        .executable = s->items[i].executable};
	TRY(tacit_parcel_offer_encode(&o, &s->offer));
	TRY(tacit_parcel_offer_decode(tacit_buf_view(&s->offer), &s->decoded));
out:
	tacit_free(o.entries);
	return err;
}

/* --- collecting ------------------------------------------------------------------------------ */

static char *text_of(const char *folder, const char *name)
{
	struct tacit_buf b = {0};
	enum tacit_err err = folder != NULL ? tacit_buf_printf(&b, "%s/%s", folder, name)
	                                    : tacit_buf_printf(&b, "%s", name);
	if (err == TACIT_OK && tacit_buf_terminate(&b) == TACIT_OK)
		return (char *)b.p;
	tacit_buf_clear(&b);
	return NULL;
}

static struct stamp stamp_of(const struct stat *st)
{
	return (struct stamp){st->st_dev, st->st_ino, st->st_size, st->st_mode, st->st_nlink,
	        st->st_uid, st->st_gid, st->st_mtim, st->st_ctim};
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* Its content, as far as that can be told: some programs put mtime back, and none ctime; but that
 * also tells of another name, mode or owner. */
static bool is_same(const struct stamp *a, const struct stamp *b)
{
	bool moved = a->mode != b->mode || a->links != b->links || a->owner != b->owner ||
	             a->group != b->group;
	return a->device == b->device && a->number == b->number && a->size == b->size &&
	       same_time(a->modified, b->modified) && (moved || same_time(a->changed, b->changed));
}

/* Takes place and name. */
static enum tacit_err add(struct parcel_source *s, char *place, char *name, const struct stat *st)
{
	enum tacit_err err = place != NULL && name != NULL ? TACIT_OK : TACIT_E_NOMEM;
	if (err == TACIT_OK && s->count == TACIT_PARCEL_MAX_ENTRIES)
		err = TACIT_E_TOO_LARGE;
	if (err == TACIT_OK && s->count == s->room) {
		size_t room = s->room > 0 ? 2 * s->room : 16;
		struct item *items = tacit_realloc(s->items, room * sizeof(*items));
		if (items == NULL)
			err = TACIT_E_NOMEM;
		else
			s->items = items;
		s->room = items != NULL ? room : s->room;
	}
	if (err != TACIT_OK) {
		tacit_free(place);
		tacit_free(name);
		return err;
	}
	bool folder = S_ISDIR(st->st_mode);
	s->items[s->count++] = (struct item){.place = place,
	        .name = name,
	        .stamp = stamp_of(st),
	        .size = folder ? 0 : (uint64_t)st->st_size,
	        .from = s->total,
	        .modified = (int64_t)st->st_mtime,
	        .folder = folder,
	        .executable = !folder && (st->st_mode & 0100) != 0};
	s->total += s->items[s->count - 1].size;
	return TACIT_OK;
}

static enum tacit_err add_folder(
        struct parcel_source *s, const struct parcel_paths *p, size_t index);

/* One thing in a folder; folder and its name are of an item that may move meanwhile. */
static enum tacit_err add_inside(
        struct parcel_source *s, const struct parcel_paths *p, size_t folder, const char *name)
{
	struct stat st;
	char *place = text_of(s->items[folder].place, name);
	const char *why = NULL;
	if (place == NULL)
		return TACIT_E_NOMEM;
	if (lstat(place, &st) != 0)
		why = "it cannot be read";
	else if (S_ISLNK(st.st_mode))
		why = "it is a link";
	else if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		why = "it is neither a file nor a folder";
	else if (access(place, S_ISDIR(st.st_mode) ? R_OK | X_OK : R_OK) != 0)
		why = "it cannot be read";
	if (why != NULL) {
		p->skipped(p->ctx, place, why);
		tacit_free(place);
		return TACIT_OK;
	}
	enum tacit_err err = add(s, place, text_of(s->items[folder].name, name), &st);
	if (err == TACIT_OK && S_ISDIR(st.st_mode))
		err = add_folder(s, p, s->count - 1);
	return err;
}

static int is_inside(const struct dirent *d)
{
	return strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
}

/* In a fixed order: the same folder makes the same offer. */
static enum tacit_err add_folder(
        struct parcel_source *s, const struct parcel_paths *p, size_t index)
{
	enum tacit_err err = TACIT_OK;
	struct dirent **names = NULL;
	int count = scandir(s->items[index].place, &names, is_inside, alphasort);
	if (count < 0)
		return errno == ENOMEM ? TACIT_E_NOMEM : TACIT_E_IO;
	for (int i = 0; i < count; i++) {
		if (err == TACIT_OK)
			err = add_inside(s, p, index, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return err;
}

/* The last part of what was named; for ".", "..", "/" what they stand for. */
static char *name_of(const char *path)
{
	char *resolved = NULL;
	size_t n = strlen(path);
	while (n > 1 && path[n - 1] == '/')
		n--;
	size_t from = n;
	while (from > 0 && path[from - 1] != '/')
		from--;
	const char *last = path + from;
	n -= from;
	if (n == 0 || (last[0] == '.' && (n == 1 || (n == 2 && last[1] == '.')))) {
		resolved = realpath(path, NULL);
		last = resolved != NULL ? strrchr(resolved, '/') + 1 : "";
		n = strlen(last);
		last = n > 0 ? last : "root";
		n = n > 0 ? n : 4;
	}
	char *name = tacit_alloc(n + 1);
	if (name != NULL) {
		memcpy(name, last, n);
		name[n] = '\0';
	}
	free(resolved);
	return name;
}

static enum tacit_err add_named(
        struct parcel_source *s, const struct parcel_paths *p, const char *path)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return errno == ENOENT || errno == ENOTDIR ? TACIT_E_NOT_FOUND : TACIT_E_IO;
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return TACIT_E_UNSUPPORTED;
	if (access(path, S_ISDIR(st.st_mode) ? R_OK | X_OK : R_OK) != 0)
		return TACIT_E_IO;
	enum tacit_err err = add(s, text_of(NULL, path), name_of(path), &st);
	if (err == TACIT_OK && S_ISDIR(st.st_mode))
		err = add_folder(s, p, s->count - 1);
	return err;
}

enum tacit_err parcel_source_paths(
        const struct parcel_paths *p, struct parcel_source **out, const char **path)
{
	enum tacit_err err;
	struct parcel_source *s = NULL;
	*out = NULL;
	*path = NULL;
	TRY(source_new(&s));
	for (size_t i = 0; i < p->count; i++) {
		*path = p->list[i];
		TRY(add_named(s, p, p->list[i]));
	}
	s->kind = p->count > 1         ? TACIT_PARCEL_FILES
	          : s->items[0].folder ? TACIT_PARCEL_FOLDER
	                               : TACIT_PARCEL_FILE;
	TRY(seal_offer(s));
	*out = s;
	s = NULL;
out:
	parcel_source_free(s);
	return err;
}

/* --- what is no path ------------------------------------------------------------------------- */

static enum tacit_err open_spool(struct parcel_source *s)
{
	const char *folder = getenv("TMPDIR");
	char *name = text_of(folder != NULL && folder[0] == '/' ? folder : "/tmp", "tacit-XXXXXX");
	if (name == NULL)
		return TACIT_E_NOMEM;
	s->spool = mkostemp(name, O_CLOEXEC);
	if (s->spool >= 0)
		unlink(name);
	tacit_free(name);
	return s->spool >= 0 ? TACIT_OK : TACIT_E_IO;
}

static enum tacit_err write_spool(struct parcel_source *s, const uint8_t *p, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t put = write(s->spool, p + done, n - done);
		if (put < 0 && errno != EINTR)
			return errno == ENOSPC || errno == EDQUOT ? TACIT_E_STORE_FULL : TACIT_E_IO;
		done += put > 0 ? (size_t)put : 0;
	}
	return TACIT_OK;
}

static enum tacit_err fill_spool(struct parcel_source *s, int fd, uint64_t *total)
{
	enum tacit_err err = TACIT_OK;
	uint8_t *room = tacit_alloc(SPOOL_PIECE);
	if (room == NULL)
		return TACIT_E_NOMEM;
	for (;;) {
		ssize_t n = read(fd, room, SPOOL_PIECE);
		if (n == 0)
			break;
		if (n < 0)
			TRY(errno == EINTR ? TACIT_E_CANCELLED : TACIT_E_IO);
		TRY(write_spool(s, room, (size_t)n));
		*total += (uint64_t)n;
	}
out:
	tacit_free(room);
	return err;
}

enum tacit_err parcel_source_input(int fd, const char *name, struct parcel_source **out)
{
	enum tacit_err err;
	struct parcel_source *s = NULL;
	struct stat st = {.st_mode = S_IFREG};
	uint64_t total = 0;
	*out = NULL;
	TRY(source_new(&s));
	TRY(open_spool(s));
	TRY(fill_spool(s, fd, &total));
	st.st_size = (off_t)total;
	TRY(add(s, text_of(NULL, ""), text_of(NULL, name), &st));
	s->kind = TACIT_PARCEL_FILE;
	TRY(seal_offer(s));
	*out = s;
	s = NULL;
out:
	parcel_source_free(s);
	return err;
}

enum tacit_err parcel_source_text(struct tacit_bytes text, struct parcel_source **out)
{
	enum tacit_err err;
	struct parcel_source *s = NULL;
	*out = NULL;
	if (text.n > TACIT_PARCEL_MAX_TEXT)
		return TACIT_E_TOO_LARGE;
	TRY(source_new(&s));
	TRY(tacit_buf_append(&s->text, text));
	s->kind = TACIT_PARCEL_TEXT;
	s->total = text.n;
	TRY(seal_offer(s));
	*out = s;
	s = NULL;
out:
	parcel_source_free(s);
	return err;
}

/* --- reading --------------------------------------------------------------------------------- */

void parcel_source_seek(struct parcel_source *s, uint64_t offset)
{
	s->at = offset;
}

/* The last one that begins at or before `at` and holds it. */
static size_t item_at(const struct parcel_source *s, uint64_t at)
{
	size_t low = 0, high = s->count;
	while (low + 1 < high) {
		size_t middle = low + (high - low) / 2;
		if (s->items[middle].from <= at)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static enum tacit_err conflict(struct parcel_source *s, const struct item *item)
{
	s->changed = item->name;
	return TACIT_E_CONFLICT;
}

/* Of the open item: is it what it was? */
static enum tacit_err check_item(struct parcel_source *s)
{
	struct stat st;
	const struct item *item = &s->items[s->open_item];
	if (s->spool >= 0)
		return TACIT_OK;
	if (fstat(s->fd, &st) != 0)
		return TACIT_E_IO;
	const struct stamp now = stamp_of(&st);
	return is_same(&now, &item->stamp) ? TACIT_OK : conflict(s, item);
}

static enum tacit_err open_item(struct parcel_source *s, size_t index)
{
	if (s->spool >= 0 || (s->fd >= 0 && s->open_item == index))
		return TACIT_OK;
	if (s->fd >= 0)
		close(s->fd);
	s->open_item = index;
	s->fd = open(s->items[index].place, O_RDONLY | O_CLOEXEC);
	if (s->fd < 0)
		return errno == ENOENT ? conflict(s, &s->items[index]) : TACIT_E_IO;
	return check_item(s);
}

const char *parcel_source_changed(const struct parcel_source *s)
{
	return s->changed;
}

enum tacit_err parcel_source_read(struct parcel_source *s, uint8_t *room, size_t n, size_t *got)
{
	enum tacit_err err = TACIT_OK;
	*got = 0;
	if (s->at >= s->total)
		return TACIT_OK;
	if (s->kind == TACIT_PARCEL_TEXT) {
		struct tacit_bytes part =
		        tacit_bytes_part(tacit_buf_view(&s->text), (size_t)s->at, n);
		memcpy(room, part.p, part.n);
		*got = part.n;
		s->at += part.n;
		return TACIT_OK;
	}
	size_t index = item_at(s, s->at);
	const struct item *item = &s->items[index];
	uint64_t left = item->from + item->size - s->at;
	TRY(open_item(s, index));
	ssize_t put = pread(s->spool >= 0 ? s->spool : s->fd, room, left < n ? (size_t)left : n,
	        (off_t)(s->at - item->from));
	TRY(put >= 0 ? TACIT_OK : TACIT_E_IO);
	TRY(put > 0 ? TACIT_OK : conflict(s, item));
	if ((uint64_t)put == left)
		TRY(check_item(s));
	*got = (size_t)put;
	s->at += *got;
out:
	return err;
}
