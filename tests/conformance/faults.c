/* What SQLite's backend must stand: full disks, kills, other people's files. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "server/store/sqlite_int.h"

static void execute(const char *database, const char *text)
{
	sqlite3 *db = NULL;
	char *message = NULL;
	CHECK_INT(sqlite3_open(database, &db), SQLITE_OK);
	CHECK_INT(sqlite3_exec(db, text, NULL, NULL, &message), SQLITE_OK);
	if (message != NULL)
		printf("# %s\n", message);
	sqlite3_free(message);
	sqlite3_close(db);
}

static void limit_pages(struct store *s, int pages)
{
	char text[64];
	snprintf(text, sizeof(text), "PRAGMA max_page_count = %d", pages);
	CHECK_INT(sqlite3_exec(sqlite_of(s)->db, text, NULL, NULL, NULL), SQLITE_OK);
}

static uint8_t big[3000];

/* Appends until it fails; how many were acknowledged. */
static int64_t fill(struct fixture *f, int64_t group, enum tacit_err *why)
{
	struct store_message m;
	bool existed;
	int64_t kept = 0;
	while ((*why = f->ops->message_append(f->w,
	                &(struct store_new_message){.conversation_id = group,
	                        .user_id = f->anna,
	                        .content = tacit_bytes(big, sizeof(big)),
	                        .now = NOW},
	                &m, &existed)) == TACIT_OK &&
	        kept < 100000)
		kept++;
	return kept;
}

static void a_full_store_loses_nothing(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	enum tacit_err why;
	int64_t group = add_group(&f);
	limit_pages(f.w, 150);
	int64_t kept = fill(&f, group, &why);
	CHECK_ERR(why, TACIT_E_STORE_FULL);
	CHECK(kept > 10);
	CHECK_INT(message_count(&f, f.r, group, f.ben), kept);
	CHECK_INT(message_count(&f, f.w, group, f.ben), kept);
	limit_pages(f.w, 1000000);
	add_message(&f, group, f.anna, "again");
	CHECK_INT(message_count(&f, f.r, group, f.ben), kept + 1);
	tear_down(&f);
}

static void a_full_store_fails_the_part_or_the_batch(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	enum tacit_err why;
	int64_t group = add_group(&f);
	limit_pages(f.w, 150);
	CHECK_OK(f.ops->batch_begin(f.w));
	int64_t kept = 0;
	for (;;) {
		struct store_message m;
		bool existed;
		why = f.ops->mark(f.w);
		if (why == TACIT_OK)
			why = f.ops->message_append(f.w,
			        &(struct store_new_message){.conversation_id = group,
			                .user_id = f.anna,
			                .content = tacit_bytes(big, sizeof(big)),
			                .now = NOW},
			        &m, &existed);
		if (why != TACIT_OK)
			break;
		CHECK_OK(f.ops->release(f.w));
		kept++;
	}
	CHECK_ERR(why, TACIT_E_STORE_FULL);
	enum tacit_err undone = f.ops->undo(f.w), committed = f.ops->batch_commit(f.w);
	if (committed == TACIT_OK) { /* only the part was lost */
		CHECK_OK(undone);
		CHECK_INT(message_count(&f, f.r, group, f.ben), kept);
	} else { /* the whole batch was, and it says so */
		CHECK_ERR(committed, TACIT_E_STORE_FULL);
		CHECK_INT(message_count(&f, f.r, group, f.ben), 0);
	}
	limit_pages(f.w, 1000000);
	CHECK_OK(f.ops->batch_begin(f.w));
	add_message(&f, group, f.anna, "again");
	CHECK_OK(f.ops->batch_commit(f.w));
	CHECK(message_count(&f, f.r, group, f.ben) > 0);
	tear_down(&f);
}

/* When SQLite has rolled back on its own, nothing of the batch may slip in on its own. */
static void a_lost_batch_stays_lost(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_message m;
	bool existed;
	int64_t group = add_group(&f);
	CHECK_OK(f.ops->batch_begin(f.w));
	add_message(&f, group, f.anna, "one");
	CHECK_INT(sqlite3_exec(sqlite_of(f.w)->db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	CHECK_ERR(f.ops->mark(f.w), TACIT_E_STORE);
	CHECK_ERR(f.ops->message_append(f.w,
	                  &(struct store_new_message){.conversation_id = group,
	                          .user_id = f.anna,
	                          .content = TACIT_STR("two"),
	                          .now = NOW},
	                  &m, &existed),
	        TACIT_E_STORE);
	CHECK_ERR(f.ops->undo(f.w), TACIT_E_STORE);
	CHECK_ERR(f.ops->batch_commit(f.w), TACIT_E_STORE);
	CHECK_INT(message_count(&f, f.r, group, f.ben), 0);
	add_message(&f, group, f.anna, "three");
	CHECK_INT(message_count(&f, f.r, group, f.ben), 1);
	tear_down(&f);
}

static bool write_filler(const char *folder)
{
	char path[128];
	static const uint8_t block[4096];
	snprintf(path, sizeof(path), "%s/filler", folder);
	int fd = open(path, O_CREAT | O_WRONLY, 0600);
	if (fd < 0)
		return false;
	while (write(fd, block, sizeof(block)) > 0)
		;
	close(fd);
	return errno == ENOSPC;
}

static void a_full_disk_loses_nothing(void)
{
	struct fixture f = {0};
	char why[256], path[128];
	struct store_message m;
	bool existed;
	enum tacit_err err;
	snprintf(f.folder, sizeof(f.folder), "/tmp/tacit-full-XXXXXX");
	REQUIRE(mkdtemp(f.folder) != NULL);
	if (mount("tmpfs", f.folder, "tmpfs", 0, "size=2m") != 0) {
		rmdir(f.folder);
		tap_skip("a tmpfs cannot be mounted here");
		return;
	}
	snprintf(f.url, sizeof(f.url), "sqlite://%s/tacit.db", f.folder);
	REQUIRE(CHECK_OK(store_open(f.url, STORE_WRITER, why, &f.w)));
	f.ops = f.w->ops;
	f.r = another(&f, STORE_READER);
	f.anna = add_user(&f, "anna");
	f.ben = add_user(&f, "ben");
	int64_t group = add_group(&f);
	CHECK(write_filler(f.folder));
	int64_t kept = fill(&f, group, &err);
	CHECK_ERR(err, TACIT_E_STORE_FULL);
	CHECK_ERR(f.ops->probe(f.w), TACIT_E_STORE_FULL);
	/* The disk is met at the commit, where a batch pays for all of its parts. */
	CHECK_OK(f.ops->batch_begin(f.w));
	err = f.ops->message_append(f.w,
	        &(struct store_new_message){.conversation_id = group,
	                .user_id = f.anna,
	                .content = tacit_bytes(big, sizeof(big)),
	                .now = NOW},
	        &m, &existed);
	CHECK(err == TACIT_OK || err == TACIT_E_STORE_FULL);
	CHECK_ERR(f.ops->batch_commit(f.w), TACIT_E_STORE_FULL);
	CHECK_INT(message_count(&f, f.r, group, f.ben), kept);

	snprintf(path, sizeof(path), "%s/filler", f.folder);
	CHECK_INT(unlink(path), 0);
	CHECK_OK(f.ops->probe(f.w));
	add_message(&f, group, f.anna, "again");
	CHECK_INT(message_count(&f, f.r, group, f.ben), kept + 1);
	store_close(f.r);
	store_close(f.w);
	CHECK_OK(store_open(f.url, STORE_WRITER, why, &f.w));
	CHECK_INT(message_count(&f, f.w, group, f.ben), kept + 1);
	store_close(f.w);
	CHECK_INT(umount(f.folder), 0);
	rmdir(f.folder);
}

/* Commits batches without end and names each acknowledged id on the pipe. */
static void write_until_killed(struct fixture *f, int64_t group, int out)
{
	char why[256];
	struct store *s = NULL;
	if (store_open(f->url, STORE_WRITER, why, &s) != TACIT_OK)
		_exit(1);
	for (;;) {
		int64_t ids[4];
		bool existed;
		struct store_message m;
		if (s->ops->batch_begin(s) != TACIT_OK)
			_exit(2);
		for (size_t i = 0; i < TACIT_COUNT(ids); i++) {
			if (s->ops->message_append(s,
			            &(struct store_new_message){.conversation_id = group,
			                    .user_id = f->anna,
			                    .content = TACIT_STR("text"),
			                    .now = NOW},
			            &m, &existed) != TACIT_OK)
				_exit(3);
			ids[i] = m.id;
		}
		if (s->ops->batch_commit(s) != TACIT_OK)
			_exit(4);
		if (write(out, ids, sizeof(ids)) != (ssize_t)sizeof(ids))
			_exit(5);
	}
}

struct acknowledged {
	int64_t last, count;
};

/* Everything that the child said, after it was killed; ids ascend, so the last stands for all. */
static bool run_and_kill(struct fixture *f, int64_t group, unsigned round, struct acknowledged *a)
{
	int ends[2], status = 0;
	if (!CHECK_INT(pipe(ends), 0))
		return false;
	pid_t child = fork();
	if (child == 0) {
		close(ends[0]);
		write_until_killed(f, group, ends[1]);
	}
	close(ends[1]);
	if (!CHECK(child > 0))
		return false;
	int64_t ids[4];
	for (unsigned n = 0; read(ends[0], ids, sizeof(ids)) == (ssize_t)sizeof(ids); n++) {
		a->count += (int64_t)TACIT_COUNT(ids);
		a->last = ids[TACIT_COUNT(ids) - 1];
		if (n == 0) {
			usleep(1000 * (5 + 7 * round));
			CHECK_INT(kill(child, SIGKILL), 0);
		}
	}
	close(ends[0]);
	CHECK_INT(waitpid(child, &status, 0), child);
	return CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void a_kill_loses_nothing_acknowledged(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	int64_t group = add_group(&f);
	struct acknowledged a = {0};
	store_close(f.w);
	store_close(f.r);
	f.w = f.r = NULL;
	for (unsigned round = 0; round < 10; round++) {
		REQUIRE(run_and_kill(&f, group, round, &a));
		struct store *s = another(&f, STORE_WRITER);
		REQUIRE(s != NULL);
		int64_t there = message_count(&f, s, group, f.ben);
		struct ids last = {0};
		bool more;
		/* More may be there: committed, but killed before it could say so. Whole batches.
		 */
		CHECK(there >= a.count);
		CHECK_INT(there % 4, 0);
		CHECK_OK(f.ops->message_page(
		        s, group, f.ben, a.last + 1, a.last - 1, 1, collect_message, &last, &more));
		CHECK_INT(last.count, 1);
		a.count = there;
		store_close(s);
	}
	tear_down(&f);
}

static void expect_open(const char *url, enum store_mode mode, enum tacit_err want)
{
	char why[256];
	struct store *s = NULL;
	CHECK_ERR(store_open(url, mode, why, &s), want);
	CHECK((s == NULL) == (want != TACIT_OK));
	CHECK((why[0] != '\0') == (want != TACIT_OK));
	store_close(s);
}

static void an_unknown_history_is_refused(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	store_close(f.r);
	store_close(f.w);
	f.r = f.w = NULL;
	expect_open(f.url, STORE_WRITER, TACIT_OK);
	execute(f.database, "INSERT INTO schema_migrations VALUES (999, 'x', zeroblob(32), 0)");
	expect_open(f.url, STORE_WRITER, TACIT_E_UNSUPPORTED);
	expect_open(f.url, STORE_READER, TACIT_E_UNSUPPORTED);
	execute(f.database, "DELETE FROM schema_migrations WHERE version = 999");
	expect_open(f.url, STORE_READER, TACIT_OK);
	execute(f.database, "UPDATE schema_migrations SET sha256 = zeroblob(32) WHERE version = 1");
	expect_open(f.url, STORE_WRITER, TACIT_E_STORE_CORRUPT);
	expect_open(f.url, STORE_READER, TACIT_E_STORE_CORRUPT);
	tear_down(&f);
}

static void other_files_are_refused(void)
{
	char folder[] = "/tmp/tacit-open-XXXXXX", path[64], url[128];
	REQUIRE(mkdtemp(folder) != NULL);
	expect_open("postgresql://localhost/x", STORE_WRITER, TACIT_E_USAGE);
	expect_open("sqlite://relative.db", STORE_WRITER, TACIT_E_USAGE);
	expect_open("sqlite:///nonexistent/x.db", STORE_WRITER, TACIT_E_IO);
	snprintf(path, sizeof(path), "%s/x.db", folder);
	snprintf(url, sizeof(url), "sqlite://%s", path);
	expect_open(url, STORE_READER, TACIT_E_IO);
	execute(path, "CREATE TABLE theirs (x)");
	expect_open(url, STORE_WRITER, TACIT_E_STORE_CORRUPT);
	CHECK_INT(unlink(path), 0);
	FILE *out = fopen(path, "w");
	REQUIRE(out != NULL);
	for (int i = 0; i < 1000; i++)
		fprintf(out, "not a database ");
	fclose(out);
	expect_open(url, STORE_WRITER, TACIT_E_STORE_CORRUPT);
	CHECK_INT(unlink(path), 0);
	out = fopen(path, "w"); /* empty: nobody has migrated it yet */
	REQUIRE(out != NULL);
	fclose(out);
	expect_open(url, STORE_READER, TACIT_E_STORE);
	expect_open(url, STORE_WRITER, TACIT_OK);
	CHECK_INT(unlink(path), 0);
	rmdir(folder);
}

static void *open_and_close(void *arg)
{
	char why[256];
	struct store *s = NULL;
	enum tacit_err *err = arg;
	*err = store_open((const char *)(err + 1), STORE_WRITER, why, &s);
	store_close(s);
	return NULL;
}

static void the_first_writers_migrate_once(void)
{
	char folder[] = "/tmp/tacit-first-XXXXXX", command[64];
	struct {
		enum tacit_err err;
		char url[128];
	} opened[4];
	pthread_t threads[4];
	REQUIRE(mkdtemp(folder) != NULL);
	for (size_t i = 0; i < 4; i++) {
		snprintf(opened[i].url, sizeof(opened[i].url), "sqlite://%s/x.db", folder);
		REQUIRE(pthread_create(&threads[i], NULL, open_and_close, &opened[i]) == 0);
	}
	for (size_t i = 0; i < 4; i++) {
		CHECK_INT(pthread_join(threads[i], NULL), 0);
		CHECK_OK(opened[i].err);
	}
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	CHECK_INT(system(command), 0);
}

static void a_lock_held_too_long_is_busy(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store *other = another(&f, STORE_WRITER);
	REQUIRE(other != NULL);
	struct store_message m;
	bool existed;
	int64_t group = add_group(&f);
	sqlite3_busy_timeout(sqlite_of(f.w)->db, 10);
	CHECK_OK(f.ops->batch_begin(other));
	CHECK_ERR(f.ops->batch_begin(f.w), TACIT_E_STORE_BUSY);
	CHECK_ERR(f.ops->message_append(f.w,
	                  &(struct store_new_message){.conversation_id = group,
	                          .user_id = f.anna,
	                          .content = TACIT_STR("x"),
	                          .now = NOW},
	                  &m, &existed),
	        TACIT_E_STORE_BUSY);
	f.ops->batch_abort(other);
	add_message(&f, group, f.anna, "again");
	store_close(other);
	tear_down(&f);
}

static bool file_contains(const char *path, const char *text)
{
	FILE *in = fopen(path, "rb");
	static char data[4 * 1024 * 1024];
	if (in == NULL)
		return false;
	size_t n = fread(data, 1, sizeof(data), in);
	fclose(in);
	size_t length = strlen(text);
	for (size_t at = 0; at + length <= n; at++)
		if (memcmp(data + at, text, length) == 0)
			return true;
	return false;
}

static void what_was_destroyed_leaves_no_trace(void)
{
	static const char secret[] = "an opaque thing of long ago";
	struct fixture f;
	REQUIRE(set_up(&f));
	struct gone gone = {0};
	char wal[160];
	int64_t session = add_session(&f, NOW + 100), group = add_group(&f);
	add_message(&f, session, f.anna, secret);
	snprintf(wal, sizeof(wal), "%s-wal", f.database);
	CHECK(file_contains(wal, secret));
	CHECK_OK(f.ops->batch_begin(f.w));
	CHECK_OK(f.ops->conversation_close(f.w, session, f.ben, NOW, collect_gone, &gone));
	CHECK_OK(f.ops->batch_commit(f.w));
	CHECK(!file_contains(wal, secret));
	CHECK(!file_contains(f.database, secret));
	add_message(&f, group, f.anna, "life goes on");
	CHECK_INT(message_count(&f, f.r, group, f.ben), 1);
	tear_down(&f);
}

static void hear(void *ctx, int64_t at)
{
	*(int64_t *)ctx = at;
}

/* Somebody who reads holds on to the WAL: then the writer asks to be swept again, and that ends it.
 */
static void a_reader_delays_the_end_of_a_trace(void)
{
	static const char secret[] = "an opaque thing that somebody reads";
	struct fixture f;
	REQUIRE(set_up(&f));
	struct gone gone = {0};
	struct store_sweep w = {.limit = 9, .gone = collect_gone, .ctx = &gone};
	char wal[160];
	int64_t told = 0, session = add_session(&f, NOW + 100);
	sqlite3 *reader = sqlite_of(f.r)->db;
	snprintf(wal, sizeof(wal), "%s-wal", f.database);
	f.w->deadline = hear;
	f.w->deadline_ctx = &told;
	add_message(&f, session, f.anna, secret);
	CHECK_INT(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM users", NULL, NULL, NULL),
	        SQLITE_OK);
	CHECK_OK(f.ops->batch_begin(f.w));
	CHECK_OK(f.ops->conversation_close(f.w, session, f.ben, NOW, collect_gone, &gone));
	CHECK_OK(f.ops->batch_commit(f.w));
	CHECK_INT(told, NOW + 1);
	CHECK(file_contains(wal, secret));
	CHECK_INT(sqlite3_exec(reader, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	CHECK_OK(f.ops->sweep(f.w, NOW + 1, &w));
	CHECK(!file_contains(wal, secret));
	CHECK(!file_contains(f.database, secret));
	f.w->deadline = NULL;
	tear_down(&f);
}

static void only_the_owner_may_read_it(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	static const char *const names[] = {"", "-wal", "-shm"};
	for (size_t i = 0; i < TACIT_COUNT(names); i++) {
		char path[160];
		struct stat st;
		snprintf(path, sizeof(path), "%s%s", f.database, names[i]);
		CHECK_INT(stat(path, &st), 0);
		CHECK_INT(st.st_mode & 0777, 0600);
	}
	tear_down(&f);
}

static const char *const statements[] = {
#define STATEMENT(name, text) text,
#include "server/store/statements.def"
#undef STATEMENT
};

/* No statement may walk a table that grows. The plan for a new user holds scans that never run:
 * they look for deferred references to it, if there are any (OP_FkIfZero). */
static void every_statement_has_its_index(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	for (size_t i = 0; i < TACIT_COUNT(statements); i++) {
		char text[2048];
		sqlite3_stmt *st = NULL;
		if (i == SQL_SNAPSHOT || i == SQL_USER_ADD)
			continue;
		snprintf(text, sizeof(text), "EXPLAIN QUERY PLAN %s", statements[i]);
		CHECK_INT(sqlite3_prepare_v2(sqlite_of(f.r)->db, text, -1, &st, NULL), SQLITE_OK);
		while (st != NULL && sqlite3_step(st) == SQLITE_ROW) {
			const char *step = (const char *)sqlite3_column_text(st, 3);
			bool scan = strncmp(step, "SCAN", 4) == 0 &&
			            strncmp(step, "SCAN counters", 13) != 0 &&
			            strncmp(step, "SCAN CONSTANT ROW", 17) != 0 &&
			            strncmp(step, "SCAN (subquery", 14) != 0;
			if (!CHECK(!scan))
				printf("# %s: %s\n", step, statements[i]);
		}
		sqlite3_finalize(st);
	}
	tear_down(&f);
}

static char sweep_url[128];

static enum tacit_err open_and_use(void)
{
	enum tacit_err err;
	char why[256];
	struct store *s = NULL;
	struct tacit_buf out = {0};
	TRY(store_open(sweep_url, STORE_WRITER, why, &s));
	TRY(s->ops->meta_set(s, "key", TACIT_STR("value")));
	TRY(s->ops->meta_get(s, "key", &out));
out:
	tacit_buf_clear(&out);
	store_close(s);
	return err;
}

static void it_stands_every_allocation_failing(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	snprintf(sweep_url, sizeof(sweep_url), "sqlite://%s/sweep.db", f.folder);
	tap_alloc_sweep(open_and_use);
	tear_down(&f);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"a full store loses nothing", a_full_store_loses_nothing},
	        {"a full store fails the part or the batch",
	                a_full_store_fails_the_part_or_the_batch},
	        {"a lost batch stays lost", a_lost_batch_stays_lost},
	        {"a full disk loses nothing", a_full_disk_loses_nothing},
	        {"a kill loses nothing acknowledged", a_kill_loses_nothing_acknowledged},
	        {"an unknown history is refused", an_unknown_history_is_refused},
	        {"other files are refused", other_files_are_refused},
	        {"the first writers migrate once", the_first_writers_migrate_once},
	        {"a lock held too long is busy", a_lock_held_too_long_is_busy},
	        {"what was destroyed leaves no trace", what_was_destroyed_leaves_no_trace},
	        {"a reader delays the end of a trace", a_reader_delays_the_end_of_a_trace},
	        {"only the owner may read it", only_the_owner_may_read_it},
	        {"every statement has its index", every_statement_has_its_index},
	        {"it stands every allocation failing", it_stands_every_allocation_failing},
	};
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
