#include "server/data_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "crypto/encoding.h"

#define KEY_BYTES 32
#define KEY_LABEL "tacit server key v1: keep it secret, keep a copy apart from the backups\n"
#define KEY_FILE_BYTES (sizeof(KEY_LABEL) - 1 + 2 * KEY_BYTES + 1)

static enum tacit_err fail(const char *path, char why[256])
{
	snprintf(why, 256, "%s: %s", path, strerror(errno));
	return errno == ENOENT ? TACIT_E_NOT_FOUND : TACIT_E_IO;
}

char *data_folder_join(const struct data_folder *f, const char *prefix, const char *name)
{
	struct tacit_buf path = {0};
	if (tacit_buf_printf(&path, "%s%s/%s", prefix, f->path, name) != TACIT_OK ||
	        tacit_buf_terminate(&path) != TACIT_OK) {
		tacit_buf_clear(&path);
		return NULL;
	}
	return (char *)path.p;
}

/* Every folder on the way; only the last is ours to keep private. */
static enum tacit_err make_folders(char *path, char why[256])
{
	for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		int made = mkdir(path, 0755);
		*slash = '/';
		if (made != 0 && errno != EEXIST)
			return fail(path, why);
	}
	return mkdir(path, 0700) == 0 || errno == EEXIST ? TACIT_OK : fail(path, why);
}

static enum tacit_err take_lock(struct data_folder *f, char why[256])
{
	enum tacit_err err = TACIT_OK;
	char *path = data_folder_join(f, "", "lock");
	if (path == NULL)
		return TACIT_E_NOMEM;
	f->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (f->lock < 0)
		err = fail(path, why);
	else if (flock(f->lock, LOCK_EX | LOCK_NB) != 0) {
		snprintf(why, 256, "%s: another tacitd runs on this data folder", f->path);
		err = TACIT_E_CONFLICT;
	}
	tacit_free(path);
	return err;
}

enum tacit_err data_folder_open(
        struct data_folder *f, const char *path, enum data_folder_use use, char why[256])
{
	enum tacit_err err;
	struct stat st;
	*f = (struct data_folder){.lock = -1};
	char *full = realpath(path, NULL); /* URLs of the store want an absolute path */
	if (full == NULL && use == DATA_FOLDER_ADMIN)
		return fail(path, why);
	if (full == NULL) {
		f->path = strdup(path);
		TRY(f->path != NULL ? TACIT_OK : TACIT_E_NOMEM);
		TRY(make_folders(f->path, why));
		full = realpath(path, NULL);
		TRY(full != NULL ? TACIT_OK : fail(path, why));
		free(f->path);
	}
	f->path = full;
	full = NULL;
	if (stat(f->path, &st) != 0 || !S_ISDIR(st.st_mode))
		TRY(fail(f->path, why));
	err = use == DATA_FOLDER_SERVE ? take_lock(f, why) : TACIT_OK;
out:
	free(full);
	return err;
}

/* The folder in which the first missing one would be made. */
static enum tacit_err check_parents(const char *path, char why[256])
{
	struct tacit_buf parent = {0};
	enum tacit_err err = tacit_buf_append(&parent, tacit_cstr(path));
	if (err == TACIT_OK)
		err = tacit_buf_terminate(&parent);
	for (char *p = (char *)parent.p; err == TACIT_OK && access(p, F_OK) != 0;) {
		char *slash = strrchr(p, '/');
		if (errno != ENOENT) {
			err = fail(p, why);
		} else if (slash == NULL || slash == p) {
			p[0] = slash == NULL ? '.' : '/';
			p[1] = '\0';
			break;
		} else {
			*slash = '\0';
		}
	}
	if (err == TACIT_OK && access((const char *)parent.p, W_OK | X_OK) != 0)
		err = fail((const char *)parent.p, why);
	tacit_buf_clear(&parent);
	return err;
}

enum tacit_err data_folder_check(struct data_folder *f, const char *path, char why[256])
{
	struct stat st;
	*f = (struct data_folder){.lock = -1};
	f->path = realpath(path, NULL);
	if (f->path == NULL)
		return errno == ENOENT ? check_parents(path, why) : fail(path, why);
	if (stat(f->path, &st) == 0 && !S_ISDIR(st.st_mode))
		errno = ENOTDIR;
	else if (access(f->path, R_OK | W_OK | X_OK) == 0)
		return TACIT_OK;
	return fail(f->path, why);
}

void data_folder_close(struct data_folder *f)
{
	if (f->path != NULL && f->lock >= 0)
		close(f->lock);
	free(f->path);
	*f = (struct data_folder){.lock = -1};
}

static enum tacit_err write_key(const char *path, const uint8_t key[KEY_BYTES], char why[256])
{
	char text[KEY_FILE_BYTES + 1];
	memcpy(text, KEY_LABEL, sizeof(KEY_LABEL) - 1);
	tacit_hex(tacit_bytes(key, KEY_BYTES), text + sizeof(KEY_LABEL) - 1);
	text[KEY_FILE_BYTES - 1] = '\n';
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool ok = fd >= 0 && write(fd, text, KEY_FILE_BYTES) == (ssize_t)KEY_FILE_BYTES &&
	          fsync(fd) == 0;
	enum tacit_err err = ok ? TACIT_OK : fail(path, why);
	if (fd >= 0)
		close(fd);
	if (fd >= 0 && !ok)
		unlink(path);
	tacit_wipe(text, sizeof(text));
	return err;
}

static enum tacit_err read_key(int fd, const char *path, uint8_t key[KEY_BYTES], char why[256])
{
	char text[KEY_FILE_BYTES + 1];
	ssize_t n = read(fd, text, sizeof(text));
	enum tacit_err err = TACIT_E_MALFORMED;
	if (n == (ssize_t)KEY_FILE_BYTES && memcmp(text, KEY_LABEL, sizeof(KEY_LABEL) - 1) == 0)
		err = tacit_unhex(
		        tacit_bytes(text + sizeof(KEY_LABEL) - 1, 2 * KEY_BYTES), key, KEY_BYTES);
	if (err != TACIT_OK)
		snprintf(why, 256, "%s: is not a server key", path);
	tacit_wipe(text, sizeof(text));
	return err;
}

static enum tacit_err sync_folder(const struct data_folder *f, char why[256])
{
	int fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;
	enum tacit_err err = ok ? TACIT_OK : fail(f->path, why);
	if (fd >= 0)
		close(fd);
	return err;
}

enum tacit_err data_folder_secret(const struct data_folder *f, enum data_folder_key key,
        const struct tacit_env *env, struct tacit_secret *out, char why[256])
{
	enum tacit_err err;
	int fd = -1;
	char *path = data_folder_join(f, "", "server.key");
	TRY(path != NULL ? TACIT_OK : TACIT_E_NOMEM);
	TRY(tacit_secret_new(out, KEY_BYTES));
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0) {
		TRY(read_key(fd, path, out->p, why));
	} else if (errno != ENOENT || key == DATA_FOLDER_ONLY_READ_KEY) {
		TRY(fail(path, why));
	} else {
		tacit_env_random(env, out->p, KEY_BYTES);
		TRY(write_key(path, out->p, why));
		TRY(sync_folder(f, why));
	}
out:
	if (fd >= 0)
		close(fd);
	if (err != TACIT_OK)
		tacit_secret_free(out);
	tacit_free(path);
	return err;
}
