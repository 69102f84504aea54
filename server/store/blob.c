/* Layout: <folder>/partial/<id> while it comes in, <folder>/<first two digits>/<id> when complete.
 * The 256 folders keep each of them small enough to be synced quickly. */
#include "server/store/blob.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

#define ID_CHARS 32

struct blob_store {
	int root, partial; /* folders */
};

static enum tacit_err meaning(int cause)
{
	switch (cause) {
	case ENOSPC:
	case EDQUOT:
		return TACIT_E_STORE_FULL;
	case ENOENT:
		return TACIT_E_NOT_FOUND;
	case ENOMEM:
		return TACIT_E_NOMEM;
	default:
		return TACIT_E_IO;
	}
}

static bool valid_id(const char *id)
{
	return strlen(id) == ID_CHARS && strspn(id, "0123456789abcdef") == ID_CHARS;
}

static enum tacit_err open_folder(int at, const char *name, bool create, int *fd)
{
	*fd = -1;
	if (create && mkdirat(at, name, 0700) == 0) {
		if (at >= 0 && fsync(at) != 0)
			return meaning(errno);
	} else if (create && errno != EEXIST) {
		return meaning(errno);
	}
	*fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *fd >= 0 ? TACIT_OK : meaning(errno);
}

/* The folder of a complete blob. */
static enum tacit_err open_shelf(struct blob_store *b, const char *id, bool create, int *fd)
{
	char name[3] = {id[0], id[1], '\0'};
	return open_folder(b->root, name, create, fd);
}

static void close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

enum tacit_err blob_store_open(const char *folder, struct blob_store **out)
{
	enum tacit_err err;
	*out = NULL;
	struct blob_store *b = tacit_alloc(sizeof(*b));
	if (b == NULL)
		return TACIT_E_NOMEM;
	b->root = b->partial = -1;
	TRY(open_folder(AT_FDCWD, folder, true, &b->root));
	TRY(open_folder(b->root, "partial", true, &b->partial));
	*out = b;
	b = NULL;
out:
	blob_store_close(b);
	return err == TACIT_E_NOT_FOUND ? TACIT_E_IO : err;
}

void blob_store_close(struct blob_store *b)
{
	if (b == NULL)
		return;
	close_if_open(b->partial);
	close_if_open(b->root);
	tacit_free(b);
}

static enum tacit_err size_of(int fd, uint64_t *size)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return meaning(errno);
	*size = (uint64_t)st.st_size;
	return S_ISREG(st.st_mode) ? TACIT_OK : TACIT_E_IO;
}

enum tacit_err blob_partial_open(struct blob_store *b, const char *id, int *fd, uint64_t *size)
{
	enum tacit_err err;
	*fd = -1;
	*size = 0;
	TRY(valid_id(id) ? TACIT_OK : TACIT_E_USAGE);
	*fd = openat(b->partial, id, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	TRY(*fd >= 0 ? TACIT_OK : meaning(errno));
	TRY(size_of(*fd, size));
out:
	if (err != TACIT_OK) {
		close_if_open(*fd);
		*fd = -1;
	}
	return err == TACIT_E_NOT_FOUND ? TACIT_E_IO : err;
}

enum tacit_err blob_write(int fd, uint64_t offset, struct tacit_bytes data)
{
	if (offset > INT64_MAX || data.n > INT64_MAX - offset)
		return TACIT_E_USAGE;
	while (data.n > 0) {
		ssize_t n = pwrite(fd, data.p, data.n, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return meaning(errno);
		offset += (uint64_t)n;
		data = tacit_bytes_part(data, (size_t)n, data.n);
	}
	return TACIT_OK;
}

enum tacit_err blob_sync(int fd)
{
	return fdatasync(fd) == 0 ? TACIT_OK : meaning(errno);
}

enum tacit_err blob_truncate(int fd, uint64_t size)
{
	if (size > INT64_MAX)
		return TACIT_E_USAGE;
	return ftruncate(fd, (off_t)size) == 0 ? TACIT_OK : meaning(errno);
}

static enum tacit_err sync_partial(struct blob_store *b, const char *id)
{
	int fd = openat(b->partial, id, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return meaning(errno);
	enum tacit_err err = fsync(fd) == 0 ? TACIT_OK : meaning(errno);
	close(fd);
	return err;
}

static enum tacit_err is_there(int folder, const char *id)
{
	struct stat st;
	return fstatat(folder, id, &st, AT_SYMLINK_NOFOLLOW) == 0 ? TACIT_OK : meaning(errno);
}

enum tacit_err blob_publish(struct blob_store *b, const char *id)
{
	enum tacit_err err;
	int shelf = -1;
	TRY(valid_id(id) ? TACIT_OK : TACIT_E_USAGE);
	TRY(open_shelf(b, id, true, &shelf));
	err = sync_partial(b, id);
	if (err == TACIT_OK)
		err = renameat(b->partial, id, shelf, id) == 0 ? TACIT_OK : meaning(errno);
	else if (err == TACIT_E_NOT_FOUND) /* published before, and then the power failed? */
		err = is_there(shelf, id);
	TRY(err);
	TRY(fsync(shelf) == 0 ? TACIT_OK : meaning(errno));
	TRY(fsync(b->partial) == 0 ? TACIT_OK : meaning(errno));
out:
	close_if_open(shelf);
	return err;
}

enum tacit_err blob_open(struct blob_store *b, const char *id, int *fd, uint64_t *size)
{
	enum tacit_err err;
	int shelf = -1;
	*fd = -1;
	*size = 0;
	TRY(valid_id(id) ? TACIT_OK : TACIT_E_NOT_FOUND);
	TRY(open_shelf(b, id, false, &shelf));
	*fd = openat(shelf, id, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	TRY(*fd >= 0 ? TACIT_OK : meaning(errno));
	TRY(size_of(*fd, size));
out:
	close_if_open(shelf);
	if (err != TACIT_OK) {
		close_if_open(*fd);
		*fd = -1;
	}
	return err;
}

static enum tacit_err remove_from(int folder, const char *id)
{
	return unlinkat(folder, id, 0) == 0 || errno == ENOENT ? TACIT_OK : meaning(errno);
}

enum tacit_err blob_delete(struct blob_store *b, const char *id)
{
	enum tacit_err err;
	int shelf = -1;
	TRY(valid_id(id) ? TACIT_OK : TACIT_E_USAGE);
	TRY(remove_from(b->partial, id));
	err = open_shelf(b, id, false, &shelf);
	if (err == TACIT_OK)
		err = remove_from(shelf, id);
	else if (err == TACIT_E_NOT_FOUND)
		err = TACIT_OK;
out:
	close_if_open(shelf);
	return err;
}

/* Takes the folder. Names that are not ids are not ours and are left alone. */
static enum tacit_err each_in(int folder, bool partial,
        enum tacit_err (*each)(void *ctx, const char *id, bool partial), void *ctx)
{
	enum tacit_err err = TACIT_OK;
	DIR *dir = fdopendir(folder);
	if (dir == NULL) {
		err = meaning(errno);
		close(folder);
		return err;
	}
	for (;;) {
		errno = 0;
		const struct dirent *entry = readdir(dir);
		if (entry == NULL)
			break;
		if (valid_id(entry->d_name))
			TRY(each(ctx, entry->d_name, partial));
	}
	err = errno == 0 ? TACIT_OK : meaning(errno);
out:
	closedir(dir);
	return err;
}

enum tacit_err blob_each(struct blob_store *b,
        enum tacit_err (*each)(void *ctx, const char *id, bool partial), void *ctx)
{
	enum tacit_err err;
	int folder = -1;
	TRY(open_folder(b->root, "partial", false, &folder));
	TRY(each_in(folder, true, each, ctx));
	for (unsigned i = 0; i < 256; i++) {
		char name[3];
		snprintf(name, sizeof(name), "%02x", i);
		err = open_folder(b->root, name, false, &folder);
		if (err == TACIT_E_NOT_FOUND)
			continue;
		TRY(err);
		TRY(each_in(folder, false, each, ctx));
	}
	err = TACIT_OK;
out:
	return err;
}
