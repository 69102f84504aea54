#include "server/store/blob.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/tap.h"

#define ID_A "00112233445566778899aabbccddeeff"
#define ID_B "ff112233445566778899aabbccddeeff"

static char folder[64];
static struct blob_store *store;

static bool set_up(void)
{
	snprintf(folder, sizeof(folder), "/tmp/tacit-blob-XXXXXX");
	return CHECK(mkdtemp(folder) != NULL) && CHECK_OK(blob_store_open(folder, &store));
}

static void tear_down(void)
{
	char command[128];
	blob_store_close(store);
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	CHECK_INT(system(command), 0);
}

static void put(const char *id, struct tacit_bytes data)
{
	int fd = -1;
	uint64_t size = 1;
	CHECK_OK(blob_partial_open(store, id, &fd, &size));
	CHECK_INT(size, 0);
	CHECK_OK(blob_write(fd, 0, data));
	CHECK_OK(blob_sync(fd));
	close(fd);
}

static void check_blob(const char *id, struct tacit_bytes want)
{
	int fd = -1;
	uint64_t size = 0;
	char got[64];
	REQUIRE(CHECK_OK(blob_open(store, id, &fd, &size)));
	ssize_t n = read(fd, got, sizeof(got));
	CHECK_INT(size, want.n);
	CHECK_BYTES(tacit_bytes(got, n > 0 ? (size_t)n : 0), want);
	close(fd);
}

static void becomes_a_blob(void)
{
	REQUIRE(set_up());
	int fd = -1;
	uint64_t size = 0;
	put(ID_A, TACIT_STR("sealed"));
	CHECK_ERR(blob_open(store, ID_A, &fd, &size), TACIT_E_NOT_FOUND);
	CHECK_INT(fd, -1);
	CHECK_OK(blob_publish(store, ID_A));
	check_blob(ID_A, TACIT_STR("sealed"));
	CHECK_OK(blob_publish(store, ID_A)); /* a retry */
	CHECK_ERR(blob_publish(store, ID_B), TACIT_E_NOT_FOUND);
	tear_down();
}

static void goes_on_after_a_restart(void)
{
	REQUIRE(set_up());
	int fd = -1;
	uint64_t size = 0;
	put(ID_A, TACIT_STR("half"));
	blob_store_close(store);
	REQUIRE(CHECK_OK(blob_store_open(folder, &store)));
	CHECK_OK(blob_partial_open(store, ID_A, &fd, &size));
	CHECK_INT(size, 4);
	CHECK_OK(blob_write(fd, 4, TACIT_STR(" torn")));
	CHECK_OK(blob_truncate(fd, 4));
	CHECK_OK(blob_write(fd, 4, TACIT_STR(" whole")));
	CHECK_OK(blob_sync(fd));
	close(fd);
	CHECK_OK(blob_publish(store, ID_A));
	check_blob(ID_A, TACIT_STR("half whole"));
	tear_down();
}

struct seen {
	unsigned partial, complete;
};

static enum tacit_err note(void *ctx, const char *id, bool partial)
{
	struct seen *seen = ctx;
	CHECK_INT(strlen(id), 32);
	if (partial)
		seen->partial++;
	else
		seen->complete++;
	return TACIT_OK;
}

static enum tacit_err refuse(void *ctx, const char *id, bool partial)
{
	(void)ctx, (void)id, (void)partial;
	return TACIT_E_CANCELLED;
}

static void lists_and_deletes(void)
{
	REQUIRE(set_up());
	struct seen seen = {0};
	char stray[128];
	put(ID_A, TACIT_STR("a"));
	put(ID_B, TACIT_STR("b"));
	CHECK_OK(blob_publish(store, ID_B));
	snprintf(stray, sizeof(stray), "%s/partial/README", folder);
	int fd = open(stray, O_CREAT | O_WRONLY, 0600);
	CHECK(fd >= 0);
	close(fd);
	CHECK_OK(blob_each(store, note, &seen));
	CHECK_INT(seen.partial, 1);
	CHECK_INT(seen.complete, 1);
	CHECK_ERR(blob_each(store, refuse, NULL), TACIT_E_CANCELLED);
	CHECK_OK(blob_delete(store, ID_A));
	CHECK_OK(blob_delete(store, ID_B));
	CHECK_OK(blob_delete(store, ID_B));
	seen = (struct seen){0};
	CHECK_OK(blob_each(store, note, &seen));
	CHECK_INT(seen.partial + seen.complete, 0);
	tear_down();
}

static void names_from_outside_touch_nothing(void)
{
	REQUIRE(set_up());
	static const char *const bad[] = {"", "..", "../../../etc/passwd",
	        "00112233445566778899AABBCCDDEEFF", "00112233445566778899aabbccddeef",
	        "00112233445566778899aabbccddeeff0", "0011223344556677/../aabbccddeeff",
	        "00112233445566778899aabbccddeef\n"};
	for (size_t i = 0; i < TACIT_COUNT(bad); i++) {
		int fd = 7;
		uint64_t size = 7;
		CHECK_ERR(blob_partial_open(store, bad[i], &fd, &size), TACIT_E_USAGE);
		CHECK_INT(fd, -1);
		CHECK_ERR(blob_publish(store, bad[i]), TACIT_E_USAGE);
		CHECK_ERR(blob_delete(store, bad[i]), TACIT_E_USAGE);
		CHECK_ERR(blob_open(store, bad[i], &fd, &size), TACIT_E_NOT_FOUND);
	}
	tear_down();
}

static void links_are_not_followed(void)
{
	REQUIRE(set_up());
	char path[128], target[128];
	int fd = -1;
	uint64_t size = 0;
	snprintf(target, sizeof(target), "%s/target", folder);
	snprintf(path, sizeof(path), "%s/partial/" ID_A, folder);
	fd = open(target, O_CREAT | O_WRONLY, 0600);
	CHECK(fd >= 0);
	close(fd);
	CHECK_INT(symlink(target, path), 0);
	CHECK_ERR(blob_partial_open(store, ID_A, &fd, &size), TACIT_E_IO);
	CHECK_ERR(blob_publish(store, ID_A), TACIT_E_IO);
	tear_down();
}

static void only_the_owner_may_read(void)
{
	REQUIRE(set_up());
	char path[128];
	struct stat st;
	put(ID_A, TACIT_STR("sealed"));
	CHECK_OK(blob_publish(store, ID_A));
	snprintf(path, sizeof(path), "%s/00/" ID_A, folder);
	CHECK_INT(stat(path, &st), 0);
	CHECK_INT(st.st_mode & 0777, 0600);
	snprintf(path, sizeof(path), "%s/00", folder);
	CHECK_INT(stat(path, &st), 0);
	CHECK_INT(st.st_mode & 0777, 0700);
	tear_down();
}

static void misuse_is_refused(void)
{
	REQUIRE(set_up());
	struct blob_store *other = NULL;
	CHECK_ERR(blob_store_open("/nonexistent/folder", &other), TACIT_E_IO);
	CHECK(other == NULL);
	CHECK_ERR(blob_write(-1, 0, TACIT_STR("x")), TACIT_E_IO);
	CHECK_ERR(blob_write(0, UINT64_MAX, TACIT_STR("x")), TACIT_E_USAGE);
	CHECK_ERR(blob_truncate(-1, UINT64_MAX), TACIT_E_USAGE);
	CHECK_ERR(blob_sync(-1), TACIT_E_IO);
	blob_store_close(NULL);
	tear_down();
}

static void a_full_disk_is_said_so(void)
{
	char mounted[] = "/tmp/tacit-full-XXXXXX";
	REQUIRE(mkdtemp(mounted) != NULL);
	if (mount("tmpfs", mounted, "tmpfs", 0, "size=256k") != 0) {
		rmdir(mounted);
		tap_skip("a tmpfs cannot be mounted here");
		return;
	}
	static uint8_t big[512 * 1024];
	int fd = -1;
	uint64_t size = 0;
	struct blob_store *b = NULL;
	CHECK_OK(blob_store_open(mounted, &b));
	CHECK_OK(blob_partial_open(b, ID_A, &fd, &size));
	CHECK_ERR(blob_write(fd, 0, tacit_bytes(big, sizeof(big))), TACIT_E_STORE_FULL);
	CHECK_OK(blob_truncate(fd, 0));
	CHECK_OK(blob_write(fd, 0, TACIT_STR("fits")));
	close(fd);
	CHECK_OK(blob_publish(b, ID_A));
	blob_store_close(b);
	CHECK_INT(umount(mounted), 0);
	rmdir(mounted);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"a partial becomes a blob", becomes_a_blob},
	        {"goes on after a restart", goes_on_after_a_restart},
	        {"lists and deletes", lists_and_deletes},
	        {"names from outside touch nothing", names_from_outside_touch_nothing},
	        {"links are not followed", links_are_not_followed},
	        {"only the owner may read", only_the_owner_may_read},
	        {"misuse is refused", misuse_is_refused},
	        {"a full disk is said so", a_full_disk_is_said_so},
	};
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
