#include "client/paths.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
#define MAX_PROFILE_NAME 64

static bool name_valid(const char *name)
{
	size_t n = strlen(name);
	return n >= 1 && n <= MAX_PROFILE_NAME && name[0] != '.' && strspn(name, NAME_CHARS) == n;
}

/* XDG Base Directory 0.8: a relative path in the variable is to be ignored. */
static enum tacit_err data_home(struct tacit_buf *out)
{
	const char *xdg = getenv("XDG_DATA_HOME");
	if (xdg != NULL && xdg[0] == '/')
		return tacit_buf_printf(out, "%s", xdg);
	const char *home = getenv("HOME");
	if (home == NULL || home[0] != '/') {
		const struct passwd *pw = getpwuid(getuid());
		home = pw != NULL ? pw->pw_dir : NULL;
	}
	if (home == NULL || home[0] != '/')
		return TACIT_E_IO;
	return tacit_buf_printf(out, "%s/.local/share", home);
}

/* Every missing folder of an absolute path. */
static enum tacit_err make_folders(char *path)
{
	for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash != NULL)
			*slash = '\0';
		bool failed = mkdir(path, 0700) != 0 && errno != EEXIST;
		if (slash != NULL)
			*slash = '/';
		if (failed)
			return TACIT_E_IO;
		if (slash == NULL)
			return TACIT_OK;
	}
}

/* The folder itself must be ours and closed to others; the folders above are the user's business.
 */
static enum tacit_err check_folder(const char *path)
{
	enum tacit_err err = TACIT_OK;
	struct stat st;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? TACIT_E_NOT_FOUND : TACIT_E_IO;
	if (fstat(fd, &st) != 0 || st.st_uid != geteuid())
		err = TACIT_E_IO;
	else if ((st.st_mode & 077) != 0 && fchmod(fd, 0700) != 0)
		err = TACIT_E_IO;
	close(fd);
	return err;
}

/* Appends the resolved path of a folder of ours below the data home. */
static enum tacit_err own_folder(
        const char *kind, const char *name, enum paths_mode mode, struct tacit_buf *out)
{
	enum tacit_err err;
	struct tacit_buf path = {0};
	char *resolved = NULL;
	TRY(data_home(&path));
	TRY(tacit_buf_printf(&path, "/tacit/%s%s", kind, name));
	TRY(tacit_buf_terminate(&path));
	if (mode == PATHS_CREATE)
		TRY(make_folders((char *)path.p));
	TRY(check_folder((const char *)path.p));
	resolved = realpath((const char *)path.p, NULL);
	if (resolved == NULL)
		TRY(errno == ENOMEM ? TACIT_E_NOMEM : TACIT_E_IO);
	TRY(tacit_buf_append(out, tacit_cstr(resolved)));
	TRY(tacit_buf_terminate(out));
out:
	free(resolved);
	tacit_buf_clear(&path);
	return err;
}

enum tacit_err paths_profile(const char *name, enum paths_mode mode, struct tacit_buf *out)
{
	return name_valid(name) ? own_folder("profiles/", name, mode, out) : TACIT_E_BAD_NAME;
}

enum tacit_err paths_parcels(struct tacit_buf *out)
{
	return own_folder("parcels", "", PATHS_CREATE, out);
}

enum tacit_err paths_agent(struct tacit_buf *out)
{
	return own_folder("agent", "", PATHS_CREATE, out);
}

enum tacit_err paths_each_profile(bool (*each)(void *ctx, const char *name), void *ctx)
{
	enum tacit_err err;
	struct tacit_buf path = {0};
	DIR *folder = NULL;
	TRY(data_home(&path));
	TRY(tacit_buf_printf(&path, "/tacit/profiles"));
	TRY(tacit_buf_terminate(&path));
	folder = opendir((const char *)path.p);
	if (folder == NULL)
		TRY(errno == ENOENT ? TACIT_OK : TACIT_E_IO);
	for (const struct dirent *d; folder != NULL && (d = readdir(folder)) != NULL;)
		if (name_valid(d->d_name) && !each(ctx, d->d_name))
			break;
out:
	if (folder != NULL)
		closedir(folder);
	tacit_buf_clear(&path);
	return err;
}

/* A profile's folder has files only. */
enum tacit_err paths_remove_profile(const char *name)
{
	enum tacit_err err;
	struct tacit_buf path = {0};
	DIR *folder = NULL;
	TRY(paths_profile(name, PATHS_FIND, &path));
	folder = opendir((const char *)path.p);
	if (folder == NULL)
		TRY(TACIT_E_IO);
	for (const struct dirent *d; (d = readdir(folder)) != NULL;)
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0 &&
		        unlinkat(dirfd(folder), d->d_name, 0) != 0)
			TRY(TACIT_E_IO);
	TRY(rmdir((const char *)path.p) == 0 ? TACIT_OK : TACIT_E_IO);
out:
	if (folder != NULL)
		closedir(folder);
	tacit_buf_clear(&path);
	return err;
}
