#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "server/data_folder.h"
#include "support/tap.h"

static char root[] = "/tmp/tacit-folder-XXXXXX";
static char why[256];

static const char *under(const char *name)
{
	static char paths[4][300];
	static unsigned next;
	char *path = paths[next++ % 4];
	(void)snprintf(path, sizeof(paths[0]), "%s/%s", root, name);
	return path;
}

static unsigned mode_of(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 ? (unsigned)st.st_mode & 0777 : 0;
}

static enum tacit_err secret(
        const struct data_folder *f, enum data_folder_key key, struct tacit_secret *out)
{
	struct tacit_env env = tap_env(1);
	tacit_secret_free(out);
	return data_folder_secret(f, key, &env, out, why);
}

static void test_open_and_lock(void)
{
	struct data_folder f, other;
	CHECK_OK(data_folder_open(&f, under("a/b/c"), DATA_FOLDER_SERVE, why));
	CHECK_INT(mode_of(under("a/b/c")), 0700);
	CHECK_ERR(
	        data_folder_open(&other, under("a/b/c"), DATA_FOLDER_SERVE, why), TACIT_E_CONFLICT);
	CHECK(strstr(why, "another tacitd") != NULL);
	data_folder_close(&other);
	CHECK_OK(data_folder_open(&other, under("a/b/c"), DATA_FOLDER_ADMIN, why));
	data_folder_close(&other);
	data_folder_close(&f);
	CHECK_OK(data_folder_open(&f, under("a/b/c"), DATA_FOLDER_SERVE, why)); /* free again */
	data_folder_close(&f);
	CHECK_ERR(data_folder_open(&f, under("none"), DATA_FOLDER_ADMIN, why), TACIT_E_NOT_FOUND);
	data_folder_close(&f);
	CHECK_INT(access(under("none"), F_OK), -1);
}

static void test_lock_is_no_link(void)
{
	struct data_folder f;
	CHECK_INT(mkdir(under("linked"), 0700), 0);
	CHECK_INT(symlink("/tmp/elsewhere", under("linked/lock")), 0);
	CHECK_ERR(data_folder_open(&f, under("linked"), DATA_FOLDER_SERVE, why), TACIT_E_IO);
	data_folder_close(&f);
}

static void test_key(void)
{
	struct data_folder f;
	struct tacit_secret first = {0}, again = {0};
	CHECK_OK(data_folder_open(&f, under("keys"), DATA_FOLDER_SERVE, why));
	CHECK_ERR(secret(&f, DATA_FOLDER_ONLY_READ_KEY, &first), TACIT_E_NOT_FOUND);
	CHECK_INT(access(under("keys/server.key"), F_OK), -1);
	CHECK_OK(secret(&f, DATA_FOLDER_MAKE_KEY, &first));
	CHECK_INT(first.n, 32);
	CHECK_INT(mode_of(under("keys/server.key")), 0600);
	CHECK_OK(secret(&f, DATA_FOLDER_MAKE_KEY, &again));
	CHECK_BYTES(tacit_secret_view(&again), tacit_secret_view(&first));
	CHECK_OK(secret(&f, DATA_FOLDER_ONLY_READ_KEY, &again));
	CHECK_BYTES(tacit_secret_view(&again), tacit_secret_view(&first));
	tacit_secret_free(&first);
	tacit_secret_free(&again);
	data_folder_close(&f);
}

static void test_bad_keys(void)
{
	struct data_folder f;
	struct tacit_secret s = {0};
	CHECK_OK(data_folder_open(&f, under("bad"), DATA_FOLDER_SERVE, why));
	int fd = open(under("bad/server.key"), O_WRONLY | O_CREAT, 0600);
	CHECK(fd >= 0 && write(fd, "not a key\n", 10) == 10 && close(fd) == 0);
	CHECK_ERR(secret(&f, DATA_FOLDER_MAKE_KEY, &s), TACIT_E_MALFORMED);
	CHECK(s.p == NULL && strstr(why, "server.key") != NULL);
	CHECK_INT(unlink(under("bad/server.key")), 0);
	CHECK_INT(symlink(under("keys/server.key"), under("bad/server.key")), 0);
	CHECK_ERR(secret(&f, DATA_FOLDER_MAKE_KEY, &s), TACIT_E_IO); /* wherever it points */
	data_folder_close(&f);
}

static void test_check(void)
{
	struct data_folder f;
	CHECK_OK(data_folder_check(&f, under("new/er"), why));
	CHECK(f.path == NULL && access(under("new"), F_OK) != 0);
	CHECK_OK(data_folder_check(&f, under("keys"), why));
	CHECK(f.path != NULL);
	data_folder_close(&f);
	CHECK_ERR(data_folder_check(&f, under("keys/server.key"), why), TACIT_E_IO);
	data_folder_close(&f);
	CHECK_ERR(data_folder_check(&f, under("keys/server.key/data"), why), TACIT_E_IO);
	data_folder_close(&f);
}

static void test_join(void)
{
	struct data_folder f;
	CHECK_OK(data_folder_open(&f, under("keys"), DATA_FOLDER_ADMIN, why));
	char *url = data_folder_join(&f, "sqlite://", "tacit.db");
	char want[300];
	(void)snprintf(want, sizeof(want), "sqlite://%s/keys/tacit.db", root);
	if (CHECK(url != NULL))
		CHECK_BYTES(tacit_cstr(url), tacit_cstr(want));
	tacit_free(url);
	data_folder_close(&f);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"one server for a folder", test_open_and_lock},
	        {"a lock that is a link", test_lock_is_no_link},
	        {"the key is made once", test_key},
	        {"what is not a key is not replaced", test_bad_keys},
	        {"a check makes nothing", test_check},
	        {"names inside", test_join},
	};
	static const char *const left[] = {"a/b/c/lock", "a/b/c", "a/b", "a", "linked/lock",
	        "linked", "keys/lock", "keys/server.key", "keys", "bad/lock", "bad/server.key",
	        "bad", ""};
	if (tacit_crypto_init() != TACIT_OK || mkdtemp(root) == NULL)
		return 1;
	int status = tap_main(argc, argv, cases, TACIT_COUNT(cases));
	for (size_t i = 0; i < TACIT_COUNT(left); i++)
		if (remove(under(left[i])) != 0 && errno != ENOENT)
			fprintf(stderr, "# %s stays\n", under(left[i]));
	return status;
}
