/* When the write-ahead log is copied into the database, and how its file grows. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"

static const struct backend sqlite = {"sqlite", NULL, true};

static uint8_t big[3000];

static int64_t size_of(const struct fixture *f)
{
	struct stat s;
	return CHECK(stat(f->database, &s) == 0) ? (int64_t)s.st_size : -1;
}

static int64_t log_size_of(const struct fixture *f)
{
	char path[sizeof(f->database) + 8];
	struct stat s;
	snprintf(path, sizeof(path), "%s-wal", f->database);
	return CHECK(stat(path, &s) == 0) ? (int64_t)s.st_size : -1;
}

static void fill_batch(struct fixture *f, int64_t group, int count)
{
	struct store_message m;
	bool existed;
	CHECK_OK(f->ops->batch_begin(f->w));
	for (int i = 0; i < count; i++)
		CHECK_OK(f->ops->message_append(f->w,
		        &(struct store_new_message){.conversation_id = group,
		                .user_id = f->anna,
		                .content = tacit_bytes(big, sizeof(big)),
		                .now = NOW},
		        &m, &existed));
	CHECK_OK(f->ops->batch_commit(f->w));
}

/* The WAL is copied where nobody waits, and by a commit only when nobody ever settles. */
static void the_wal_is_copied_behind_the_answers(void)
{
	enum { PAGES = 4096, IDLE = 4000, LONG = 8000 };
	struct fixture f;
	REQUIRE(set_up(&f));
	int64_t group = add_group(&f), before = size_of(&f);
	int batch = (int)(IDLE * PAGES / sizeof(big)) + 10;
	f.ops->settle(f.w, true); /* too little */
	fill_batch(&f, group, batch);
	CHECK_INT(size_of(&f), before);
	f.ops->settle(f.w, false);
	CHECK_INT(size_of(&f), before);
	f.ops->settle(f.w, true);
	CHECK(size_of(&f) > before + IDLE * PAGES / 2);
	before = size_of(&f);
	for (int i = 0; i < LONG / IDLE; i++)
		fill_batch(&f, group, batch);
	CHECK(size_of(&f) > before + LONG * PAGES / 2);
	CHECK_INT(message_count(&f, f.r, group, f.ben), batch * (1 + LONG / IDLE));
	tear_down(&f);
}

/* Only what makes the file longer than it is costs a commit more than its own sync. */
static void the_file_grows_by_many_commits(void)
{
	enum { COMMITS = 500 };
	struct fixture f;
	unsigned grown = 0;
	REQUIRE(set_up(&f));
	int64_t group = add_group(&f), size = log_size_of(&f);
	for (int i = 0; i < COMMITS; i++) {
		fill_batch(&f, group, 1);
		grown += log_size_of(&f) > size;
		f.ops->settle(f.w, true);
		size = log_size_of(&f);
	}
	CHECK(grown <= 1); /* the first, before anything had settled */
	CHECK_INT(message_count(&f, f.r, group, f.ben), COMMITS);
	tear_down(&f);
}

/* What a crash leaves: the files as they stand, with zeros behind the last frame. */
static void zeros_are_no_frames(void)
{
	char command[600];
	struct fixture f;
	REQUIRE(set_up(&f));
	int64_t group = add_group(&f);
	for (int i = 1; i <= 3; i++) {
		fill_batch(&f, group, i);
		f.ops->settle(f.w, true);
	}
	CHECK(log_size_of(&f) >= 256 * 1024);
	snprintf(command, sizeof(command), "mkdir '%s/crashed' && cp '%s' '%s-wal' '%s/crashed'",
	        f.folder, f.database, f.database, f.folder);
	REQUIRE(CHECK_INT(system(command), 0));
	struct fixture crashed = f;
	snprintf(crashed.url, sizeof(crashed.url), "sqlite://%s/crashed/" STORE_DATABASE_NAME,
	        f.folder);
	crashed.w = another(&crashed, STORE_WRITER);
	REQUIRE(crashed.w != NULL);
	CHECK_INT(message_count(&crashed, crashed.w, group, f.ben), 1 + 2 + 3);
	store_close(crashed.w);
	tear_down(&f);
}

/* An administrator's command writes to the same log: nothing of its is ever overwritten. */
static void another_writer_is_not_overwritten(void)
{
	enum { ROUNDS = 200 };
	struct fixture f;
	REQUIRE(set_up(&f));
	int64_t group = add_group(&f);
	struct fixture other = f;
	other.w = another(&f, STORE_WRITER);
	REQUIRE(other.w != NULL);
	for (int i = 0; i < ROUNDS; i++) {
		fill_batch(&f, group, 1);
		fill_batch(&other, group, 2);
		f.ops->settle(f.w, true); /* knows of its own commits only */
	}
	CHECK_OK(f.ops->batch_begin(other.w));
	f.ops->settle(f.w, true); /* does not wait */
	CHECK_OK(f.ops->batch_commit(other.w));
	CHECK_INT(message_count(&f, f.r, group, f.ben), 3 * ROUNDS);
	store_close(other.w);
	tear_down(&f);
}

static int open_log(const struct fixture *f)
{
	char path[sizeof(f->database) + 8];
	snprintf(path, sizeof(path), "%s-wal", f->database);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	CHECK(fd >= 0);
	return fd;
}

/* Is the page at that place of the file in memory? */
static bool is_in_memory(int fd, int64_t at)
{
	unsigned char there = 0;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	off_t from = (off_t)at / (off_t)page * (off_t)page;
	void *p = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, from);
	if (!CHECK(p != MAP_FAILED))
		return false;
	CHECK_INT(mincore(p, page, &there), 0);
	munmap(p, page);
	return there & 1;
}

static bool comes_into_memory(int fd, int64_t at)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	for (int i = 0; i < 3000 && !is_in_memory(fd, at); i++)
		nanosleep(&pause, NULL);
	return is_in_memory(fd, at);
}

/* After a copy the log begins anew in a file whose pages have lain there for long. */
static void what_is_written_over_next_is_in_memory(void)
{
	enum { PAGES = 4096, IDLE = 4000, AHEAD = 400 * 1024, MESSAGES = 50 };
	struct fixture f;
	REQUIRE(set_up(&f));
	int64_t group = add_group(&f);
	fill_batch(&f, group, (int)(IDLE * PAGES / sizeof(big)) + 10);
	f.ops->settle(f.w, true);
	int fd = open_log(&f);
	REQUIRE(fd >= 0);
	CHECK_INT(fdatasync(fd), 0);
	CHECK_INT(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	if (is_in_memory(fd, AHEAD)) {
		tap_skip("this file system keeps its pages");
	} else {
		fill_batch(&f, group, MESSAGES);
		f.ops->settle(f.w, true);
		CHECK(comes_into_memory(fd, AHEAD));
	}
	close(fd);
	tear_down(&f);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"the WAL is copied behind the answers", the_wal_is_copied_behind_the_answers},
	        {"its file grows by many commits", the_file_grows_by_many_commits},
	        {"zeros are no frames", zeros_are_no_frames},
	        {"what is written over next is in memory", what_is_written_over_next_is_in_memory},
	        {"another writer is not overwritten", another_writer_is_not_overwritten},
	};
	backend = &sqlite;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
