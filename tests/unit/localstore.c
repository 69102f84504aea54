#include "client/localstore.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/tap.h"

static char folder[64];

static void make_folder(void)
{
	snprintf(folder, sizeof(folder), "/tmp/tacit-store-XXXXXX");
	TACIT_ASSERT(mkdtemp(folder) != NULL);
}

static const char *path_of(const char *name)
{
	static char path[128];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void remove_folder(void)
{
	static const char *const names[] = {"store.db", "store.db-wal", "store.db-shm", "lock"};
	for (size_t i = 0; i < TACIT_COUNT(names); i++)
		unlink(path_of(names[i]));
	rmdir(folder);
}

static struct tacit_record_id id_of(uint8_t n)
{
	struct tacit_record_id id;
	memset(id.b, n, sizeof(id.b));
	return id;
}

/* --- what is put comes back ------------------------------------------------------------------ */

struct seen {
	size_t count;
	uint64_t last;
	char text[256];
};

static enum tacit_err see_record(
        void *ctx, const struct tacit_record_id *id, struct tacit_bytes data)
{
	struct seen *s = ctx;
	s->count++;
	s->last = id->b[0];
	snprintf(s->text, sizeof(s->text), "%.*s", (int)data.n, (const char *)data.p);
	return TACIT_OK;
}

static enum tacit_err see_log(void *ctx, uint64_t position, struct tacit_bytes data)
{
	struct seen *s = ctx;
	s->count++;
	s->last = position;
	strncat(s->text, (const char *)data.p, data.n);
	return TACIT_OK;
}

static enum tacit_err refuse(void *ctx, uint64_t position, struct tacit_bytes data)
{
	(void)ctx, (void)position, (void)data;
	return TACIT_E_BAD_SEAL;
}

static void puts_and_gets(void)
{
	struct localstore *s = NULL;
	struct tacit_buf b = {0};
	struct seen seen = {0};
	struct tacit_record_id one = id_of(1);
	make_folder();
	REQUIRE(localstore_open(folder, &s) == TACIT_OK);
	CHECK_ERR(localstore_profile(s, &b), TACIT_E_NOT_FOUND);
	CHECK_OK(localstore_put_record(s, &one, TACIT_STR("a")));
	CHECK_OK(localstore_put_record(s, &one, TACIT_STR("b")));
	CHECK_OK(localstore_put_profile(s, TACIT_STR("me")));
	CHECK_OK(localstore_put_setting(s, "server", TACIT_STR("https://x")));
	localstore_close(s);

	REQUIRE(localstore_open(folder, &s) == TACIT_OK);
	CHECK_OK(localstore_each_record(s, see_record, &seen));
	CHECK_INT(seen.count, 1);
	CHECK(strcmp(seen.text, "b") == 0);
	CHECK_OK(localstore_profile(s, &b));
	CHECK_BYTES(tacit_buf_view(&b), TACIT_STR("me"));
	b.n = 0;
	CHECK_OK(localstore_setting(s, "server", &b));
	CHECK_BYTES(tacit_buf_view(&b), TACIT_STR("https://x"));
	CHECK_OK(localstore_put_record(s, &one, TACIT_STR("")));
	CHECK_OK(localstore_put_setting(s, "server", TACIT_STR("")));
	CHECK_ERR(localstore_setting(s, "server", &b), TACIT_E_NOT_FOUND);
	seen = (struct seen){0};
	CHECK_OK(localstore_each_record(s, see_record, &seen));
	CHECK_INT(seen.count, 0);
	localstore_close(s);
	tacit_buf_clear(&b);
	remove_folder();
}

static void walks_the_log(void)
{
	struct localstore *s = NULL;
	struct seen seen = {0};
	struct tacit_record_id a = id_of(1), other = id_of(2);
	make_folder();
	REQUIRE(localstore_open(folder, &s) == TACIT_OK);
	for (uint64_t i = 1; i <= 5; i++)
		CHECK_OK(localstore_put_log(s, &a, 8 * i, tacit_bytes(&"12345"[i - 1], 1)));
	CHECK_OK(localstore_put_log(s, &a, 8, TACIT_STR("X")));
	CHECK_OK(localstore_put_log(s, &other, 1, TACIT_STR("Y")));
	CHECK_ERR(localstore_put_log(s, &a, UINT64_MAX, TACIT_STR("Z")), TACIT_E_USAGE);
	struct localstore_span all = {a, UINT64_MAX, 100}, two = {a, 40, 2};
	CHECK_OK(localstore_each_log(s, &all, see_log, &seen));
	CHECK(strcmp(seen.text, "12345") == 0);
	seen = (struct seen){0};
	CHECK_OK(localstore_each_log(s, &two, see_log, &seen));
	CHECK(strcmp(seen.text, "34") == 0);
	CHECK_INT(seen.last, 32);
	CHECK_ERR(localstore_each_log(s, &two, refuse, NULL), TACIT_E_BAD_SEAL);
	localstore_close(s);
	remove_folder();
}

static void one_entry_of_the_log(void)
{
	struct localstore *s = NULL;
	struct tacit_buf got = {0};
	struct tacit_record_id a = id_of(1), other = id_of(2);
	make_folder();
	REQUIRE(localstore_open(folder, &s) == TACIT_OK);
	CHECK_OK(localstore_put_log(s, &a, 9, TACIT_STR("nine")));
	CHECK_OK(localstore_get_log(s, &a, 9, &got));
	CHECK_BYTES(tacit_buf_view(&got), TACIT_STR("nine"));
	CHECK_ERR(localstore_get_log(s, &a, 10, &got), TACIT_E_NOT_FOUND);
	CHECK_ERR(localstore_get_log(s, &a, 8, &got), TACIT_E_NOT_FOUND);
	CHECK_ERR(localstore_get_log(s, &other, 9, &got), TACIT_E_NOT_FOUND);
	/* As an entry is rewritten: purged first, in one transaction. */
	CHECK_OK(localstore_begin(s));
	CHECK_OK(localstore_purge_log(s, &a, 9, 9));
	CHECK_OK(localstore_put_log(s, &a, 9, TACIT_STR("neuf")));
	CHECK_OK(localstore_commit(s));
	got.n = 0;
	CHECK_OK(localstore_get_log(s, &a, 9, &got));
	CHECK_BYTES(tacit_buf_view(&got), TACIT_STR("neuf"));
	tacit_buf_clear(&got);
	localstore_close(s);
	remove_folder();
}

static bool file_holds(const char *name, const char *text)
{
	static char bytes[1 << 20];
	bool found = false;
	FILE *f = fopen(path_of(name), "rb");
	if (f == NULL)
		return false;
	size_t n = fread(bytes, 1, sizeof(bytes), f), length = strlen(text);
	fclose(f);
	for (size_t i = 0; i + length <= n && !found; i++)
		found = memcmp(bytes + i, text, length) == 0;
	return found;
}

/* From the file's pages, free ones included, and from the write-ahead log, while the store is open.
 */
static void what_is_purged_is_gone(void)
{
	static const char secret[] = "the text that was to disappear";
	struct localstore *s = NULL;
	struct seen seen = {0};
	struct tacit_record_id a = id_of(1), other = id_of(2);
	make_folder();
	REQUIRE(localstore_open(folder, &s) == TACIT_OK);
	CHECK_OK(localstore_put_log(s, &a, 8, TACIT_STR("1")));
	CHECK_OK(localstore_put_log(s, &a, 16, tacit_cstr(secret)));
	CHECK_OK(localstore_put_log(s, &a, 17, tacit_cstr(secret)));
	CHECK_OK(localstore_put_log(s, &a, 24, TACIT_STR("3")));
	CHECK_OK(localstore_put_log(s, &other, 16, TACIT_STR("Y")));
	CHECK(file_holds("store.db-wal", secret) || file_holds("store.db", secret));
	CHECK_OK(localstore_begin(s));
	CHECK_OK(localstore_purge_log(s, &a, 16, 23));
	CHECK_OK(localstore_commit(s));
	CHECK(!file_holds("store.db-wal", secret) && !file_holds("store.db", secret));
	struct localstore_span all = {a, UINT64_MAX, 100};
	CHECK_OK(localstore_each_log(s, &all, see_log, &seen));
	CHECK(strcmp(seen.text, "13") == 0);
	seen = (struct seen){0};
	all.tag = other;
	CHECK_OK(localstore_purge_log(s, &a, 0, UINT64_MAX));
	CHECK_OK(localstore_each_log(s, &all, see_log, &seen));
	CHECK(strcmp(seen.text, "Y") == 0);
	CHECK_ERR(localstore_purge_log(s, &a, UINT64_MAX, 0), TACIT_E_USAGE);
	localstore_close(s);
	remove_folder();
}

static void rolls_back(void)
{
	struct localstore *s = NULL;
	struct seen seen = {0};
	struct tacit_record_id one = id_of(1);
	make_folder();
	REQUIRE(localstore_open(folder, &s) == TACIT_OK);
	CHECK_OK(localstore_begin(s));
	CHECK_OK(localstore_put_record(s, &one, TACIT_STR("a")));
	localstore_rollback(s);
	localstore_rollback(s);
	CHECK_OK(localstore_each_record(s, see_record, &seen));
	CHECK_INT(seen.count, 0);
	localstore_close(s);
	remove_folder();
}

/* --- who may touch it ------------------------------------------------------------------------ */

static void is_private(void)
{
	struct localstore *s = NULL;
	struct stat st;
	make_folder();
	mode_t before = umask(0);
	REQUIRE(localstore_open(folder, &s) == TACIT_OK);
	CHECK_OK(localstore_put_profile(s, TACIT_STR("me")));
	umask(before);
	static const char *const names[] = {"store.db", "store.db-wal", "store.db-shm", "lock"};
	for (size_t i = 0; i < TACIT_COUNT(names); i++) {
		REQUIRE(stat(path_of(names[i]), &st) == 0);
		CHECK_INT(st.st_mode & 0777, 0600);
	}
	localstore_close(s);
	CHECK_INT(chmod(path_of("store.db"), 0644), 0);
	REQUIRE(localstore_open(folder, &s) == TACIT_OK);
	CHECK(stat(path_of("store.db"), &st) == 0 && (st.st_mode & 0777) == 0600);
	localstore_close(s);
	remove_folder();
}

static void refuses_links(void)
{
	struct localstore *s = NULL;
	make_folder();
	CHECK_INT(symlink("/tmp/tacit-not-there", path_of("store.db")), 0);
	CHECK_ERR(localstore_open(folder, &s), TACIT_E_IO);
	CHECK(s == NULL);
	CHECK(access("/tmp/tacit-not-there", F_OK) != 0);
	remove_folder();
}

static void sees_others_write(void)
{
	struct localstore *a = NULL, *b = NULL;
	bool changed = true;
	make_folder();
	REQUIRE(localstore_open(folder, &a) == TACIT_OK && localstore_open(folder, &b) == TACIT_OK);
	CHECK_OK(localstore_put_profile(a, TACIT_STR("me")));
	CHECK_OK(localstore_changed(a, &changed));
	CHECK(!changed);
	CHECK_OK(localstore_changed(b, &changed));
	CHECK(changed);
	CHECK_OK(localstore_changed(b, &changed));
	CHECK(!changed);
	localstore_close(a);
	localstore_close(b);
	remove_folder();
}

/* --- two processes --------------------------------------------------------------------------- */

static void sleep_ms(long ms)
{
	struct timespec t = {ms / 1000, (ms % 1000) * 1000000};
	nanosleep(&t, NULL);
}

/* Each adds one to a number 50 times, reading and writing under the lock: no addition is lost. */
static int add_fifty(void)
{
	struct localstore *s = NULL;
	if (localstore_open(folder, &s) != TACIT_OK)
		return 1;
	for (int i = 0; i < 50; i++) {
		struct tacit_buf b = {0};
		char text[32];
		if (localstore_lock(s) != TACIT_OK)
			return 2;
		enum tacit_err err = localstore_profile(s, &b);
		if (err != TACIT_OK && err != TACIT_E_NOT_FOUND)
			return 3;
		if (tacit_buf_terminate(&b) != TACIT_OK)
			return 4;
		snprintf(text, sizeof(text), "%ld", strtol((const char *)b.p, NULL, 10) + 1);
		if (localstore_put_profile(s, tacit_cstr(text)) != TACIT_OK)
			return 5;
		localstore_unlock(s);
		tacit_buf_clear(&b);
	}
	localstore_close(s);
	return 0;
}

static void processes_take_turns(void)
{
	struct localstore *s = NULL;
	struct tacit_buf b = {0};
	pid_t child[2];
	make_folder();
	for (int i = 0; i < 2; i++) {
		child[i] = fork();
		if (child[i] == 0)
			_exit(add_fifty());
	}
	for (int i = 0; i < 2; i++) {
		int status = -1;
		CHECK(waitpid(child[i], &status, 0) == child[i] && WIFEXITED(status));
		CHECK_INT(WEXITSTATUS(status), 0);
	}
	REQUIRE(localstore_open(folder, &s) == TACIT_OK);
	CHECK_OK(localstore_profile(s, &b));
	CHECK_BYTES(tacit_buf_view(&b), TACIT_STR("100"));
	localstore_close(s);
	tacit_buf_clear(&b);
	remove_folder();
}

/* Writes transactions of two records with the same number until it is killed, telling each one that
 * is committed. */
static void write_until_killed(int out)
{
	struct localstore *s = NULL;
	struct tacit_record_id one = id_of(1), two = id_of(2);
	if (localstore_open(folder, &s) != TACIT_OK)
		_exit(1);
	for (uint32_t n = 1;; n++) {
		char text[16];
		snprintf(text, sizeof(text), "%u", n);
		if (localstore_begin(s) != TACIT_OK ||
		        localstore_put_record(s, &one, tacit_cstr(text)) != TACIT_OK ||
		        localstore_put_record(s, &two, tacit_cstr(text)) != TACIT_OK ||
		        localstore_commit(s) != TACIT_OK || write(out, &n, sizeof(n)) != sizeof(n))
			_exit(2);
	}
}

struct pair {
	uint32_t number[3];
};

static enum tacit_err take_pair(
        void *ctx, const struct tacit_record_id *id, struct tacit_bytes data)
{
	struct pair *p = ctx;
	char text[16];
	snprintf(text, sizeof(text), "%.*s", (int)data.n, (const char *)data.p);
	p->number[id->b[0]] = (uint32_t)strtoul(text, NULL, 10);
	return TACIT_OK;
}

static void survives_sigkill(void)
{
	for (long round = 0; round < 10; round++) {
		int ends[2];
		uint32_t n = 0, acknowledged = 0;
		struct localstore *s = NULL;
		struct pair p = {{0}};
		make_folder();
		REQUIRE(pipe(ends) == 0);
		pid_t child = fork();
		if (child == 0)
			write_until_killed(ends[1]);
		close(ends[1]);
		sleep_ms(10 + 7 * round);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		while (read(ends[0], &n, sizeof(n)) == sizeof(n))
			acknowledged = n;
		close(ends[0]);
		REQUIRE(localstore_open(folder, &s) == TACIT_OK);
		CHECK_OK(localstore_each_record(s, take_pair, &p));
		CHECK_INT(p.number[1], p.number[2]);
		CHECK(p.number[1] >= acknowledged && p.number[1] <= acknowledged + 1);
		localstore_close(s);
		remove_folder();
	}
}

/* --- damage ---------------------------------------------------------------------------------- */

static void write_file(const char *name, size_t at, struct tacit_bytes data)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT, 0600);
	TACIT_ASSERT(fd >= 0 && pwrite(fd, data.p, data.n, (off_t)at) == (ssize_t)data.n);
	close(fd);
}

static enum tacit_err use_all(struct localstore *s)
{
	enum tacit_err err;
	struct seen seen = {0};
	struct tacit_buf b = {0};
	struct localstore_span span = {id_of(1), UINT64_MAX, 10};
	TRY(localstore_each_record(s, see_record, &seen));
	seen = (struct seen){0};
	TRY(localstore_each_log(s, &span, see_log, &seen));
	TRY(localstore_profile(s, &b));
out:
	tacit_buf_clear(&b);
	return err;
}

static void refuses_what_is_no_store(void)
{
	struct localstore *s = NULL;
	make_folder();
	uint8_t noise[4096];
	memset(noise, 0x5a, sizeof(noise));
	write_file("store.db", 0, tacit_bytes(noise, sizeof(noise)));
	CHECK_ERR(localstore_open(folder, &s), TACIT_E_STORE_CORRUPT);
	CHECK(s == NULL);
	remove_folder();
}

/* Every page overwritten in turn: an error or a normal answer, never a crash. */
static void stands_damage_anywhere(void)
{
	uint8_t noise[512];
	int refused = 0;
	memset(noise, 0xff, sizeof(noise));
	for (size_t at = 0; at < 5 * 4096; at += 1024) {
		struct localstore *s = NULL;
		struct tacit_record_id one = id_of(1);
		make_folder();
		REQUIRE(localstore_open(folder, &s) == TACIT_OK);
		CHECK_OK(localstore_put_record(s, &one, TACIT_STR("a")));
		CHECK_OK(localstore_put_log(s, &one, 1, TACIT_STR("b")));
		CHECK_OK(localstore_put_profile(s, TACIT_STR("me")));
		localstore_close(s);
		write_file("store.db", at, tacit_bytes(noise, sizeof(noise)));
		enum tacit_err err = localstore_open(folder, &s);
		if (err == TACIT_OK)
			err = use_all(s);
		refused += err != TACIT_OK;
		localstore_close(s);
		remove_folder();
	}
	CHECK(refused >= 4);
}

static void refuses_a_later_version(void)
{
	struct localstore *s = NULL;
	make_folder();
	REQUIRE(localstore_open(folder, &s) == TACIT_OK);
	localstore_close(s);
	write_file("store.db", 60, TACIT_STR("\0\0\0\2")); /* user_version, file format 1.3 */
	CHECK_ERR(localstore_open(folder, &s), TACIT_E_UNSUPPORTED);
	remove_folder();
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"puts and gets", puts_and_gets},
	        {"walks the log", walks_the_log},
	        {"one entry of the log", one_entry_of_the_log},
	        {"what is purged is gone", what_is_purged_is_gone},
	        {"rolls back", rolls_back},
	        {"is private", is_private},
	        {"refuses links", refuses_links},
	        {"sees others write", sees_others_write},
	        {"processes take turns", processes_take_turns},
	        {"survives SIGKILL", survives_sigkill},
	        {"refuses what is no store", refuses_what_is_no_store},
	        {"stands damage anywhere", stands_damage_anywhere},
	        {"refuses a later version", refuses_a_later_version},
	};
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
