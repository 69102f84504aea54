/* When the write-ahead log is copied into the database. */
#include <sys/stat.h>

#include "fixture.h"

static const struct backend sqlite = {"sqlite", NULL, true};

static uint8_t big[3000];

static int64_t size_of(const struct fixture *f)
{
	struct stat s;
	return CHECK(stat(f->database, &s) == 0) ? (int64_t)s.st_size : -1;
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
	enum { PAGES = 4096, IDLE = 1000, LONG = 4000 };
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

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"the WAL is copied behind the answers", the_wal_is_copied_behind_the_answers},
	};
	backend = &sqlite;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
