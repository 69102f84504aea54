/* Opening a damaged store: every error is fine, no crash, no hang, nothing outside its limits. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/localstore.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[64];
static char path[4][96];

static void remove_all(void)
{
	for (size_t i = 0; i < TACIT_COUNT(path); i++)
		unlink(path[i]);
}

static void remove_folder(void)
{
	remove_all();
	rmdir(folder);
}

static void make_folder(void)
{
	static const char *const names[] = {"store.db", "store.db-wal", "store.db-shm", "lock"};
	snprintf(folder, sizeof(folder), "%s/tacit-fuzz-XXXXXX",
	        access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	TACIT_ASSERT(mkdtemp(folder) != NULL);
	for (size_t i = 0; i < TACIT_COUNT(path); i++)
		snprintf(path[i], sizeof(path[i]), "%s/%s", folder, names[i]);
	atexit(remove_folder);
}

static enum tacit_err see_record(
        void *ctx, const struct tacit_record_id *id, struct tacit_bytes data)
{
	(void)id;
	*(size_t *)ctx += data.n;
	TACIT_ASSERT(data.n <= LOCALSTORE_MAX_VALUE);
	return TACIT_OK;
}

static enum tacit_err see_log(void *ctx, uint64_t position, struct tacit_bytes data)
{
	TACIT_ASSERT(position <= INT64_MAX);
	*(size_t *)ctx += data.n;
	return TACIT_OK;
}

static void use(struct localstore *s)
{
	size_t sum = 0;
	struct tacit_buf b = {0};
	struct tacit_record_id id = {{1}};
	struct localstore_span span = {id, UINT64_MAX, 100};
	tacit_ignore(localstore_each_record(s, see_record, &sum), "fuzzing");
	tacit_ignore(localstore_each_log(s, &span, see_log, &sum), "fuzzing");
	tacit_ignore(localstore_profile(s, &b), "fuzzing");
	tacit_ignore(localstore_setting(s, "server", &b), "fuzzing");
	tacit_ignore(localstore_put_record(s, &id, TACIT_STR("x")), "fuzzing");
	tacit_buf_clear(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct localstore *s = NULL;
	if (folder[0] == '\0')
		make_folder();
	remove_all();
	int fd = open(path[0], O_WRONLY | O_CREAT | O_EXCL, 0600);
	TACIT_ASSERT(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	close(fd);
	if (localstore_open(folder, &s) == TACIT_OK)
		use(s);
	localstore_close(s);
	return 0;
}
