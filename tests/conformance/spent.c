/* Spent signatures on a disk: what an older server remembered, what a failure leaves behind. */
#include <stdio.h>
#include <string.h>

#include "fixture.h"
#include "older.h"
#include "server/store/sqlite_int.h"

static const struct backend sqlite = {"sqlite", NULL, true};

static void what_an_older_server_remembered_is_remembered(void)
{
	static const struct {
		int64_t user_id;
		uint8_t hash[16];
	} old[] = {{0, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}},
	        {1, {0, 0, 0, 0, 0, 0, 0, 0, 255, 0, 255, 0, 255, 0, 255, 0}},
	        {9007199254740991, {255, 254, 253, 252, 251, 250, 249, 248, 247, 246, 245, 244, 243,
	                                   242, 241, 240}}};
	struct fixture f;
	char path[160], url[176], why[256];
	struct store *s = NULL;
	struct gone gone = {0};
	struct store_sweep w = {.limit = 100, .gone = collect_gone, .ctx = &gone};
	REQUIRE(set_up(&f));
	snprintf(path, sizeof(path), "%s/old.db", f.folder);
	snprintf(url, sizeof(url), "sqlite://%s", path);
	make_older(path, 7,
	        "INSERT INTO signatures (user_id, signature_hash, expires_at) VALUES"
	        " (0, x'000102030405060708090a0b0c0d0e0f', 1700000600),"
	        " (1, x'0000000000000000ff00ff00ff00ff00', 1700000600),"
	        " (9007199254740991, x'fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0', 1700000700)");
	REQUIRE(store_open(url, STORE_WRITER, why, &s) == TACIT_OK);
	for (size_t i = 0; i < TACIT_COUNT(old); i++) {
		CHECK_ERR(f.ops->signature_remember(s, old[i].user_id, old[i].hash, NOW + 600),
		        TACIT_E_EXISTS);
		CHECK_OK(f.ops->signature_remember(s, old[i].user_id + 2, old[i].hash, NOW + 900));
	}
	CHECK_OK(f.ops->sweep(s, NOW + 600, &w));
	CHECK_OK(f.ops->signature_remember(s, 0, old[0].hash, NOW + 900));
	CHECK_ERR(f.ops->signature_remember(s, old[2].user_id, old[2].hash, NOW + 900),
	        TACIT_E_EXISTS);
	store_close(s);
	tear_down(&f);
}

/* One row for each commit: that is what it is for. */
static void a_batch_is_one_row(void)
{
	struct fixture f;
	sqlite3_stmt *st = NULL;
	REQUIRE(set_up(&f));
	CHECK_OK(f.ops->batch_begin(f.w));
	for (uint8_t i = 0; i < 200; i++)
		CHECK_OK(f.ops->signature_remember(f.w, f.anna, hash_of(i), NOW + i));
	CHECK_OK(f.ops->batch_commit(f.w));
	CHECK_INT(sqlite3_prepare_v2(sqlite_of(f.w)->db,
	                  "SELECT count(*), sum(length(marks)), max(expires_at)"
	                  " FROM spent_signatures",
	                  -1, &st, NULL),
	        SQLITE_OK);
	CHECK_INT(sqlite3_step(st), SQLITE_ROW);
	CHECK_INT(sqlite3_column_int64(st, 0), 1);
	CHECK_INT(sqlite3_column_int64(st, 1), 200 * 24);
	CHECK_INT(sqlite3_column_int64(st, 2), NOW + 199);
	sqlite3_finalize(st);
	tear_down(&f);
}

static void limit_pages(struct store *s, int pages)
{
	char text[64];
	snprintf(text, sizeof(text), "PRAGMA max_page_count = %d", pages);
	CHECK_INT(sqlite3_exec(sqlite_of(s)->db, text, NULL, NULL, NULL), SQLITE_OK);
}

/* The row is written at the commit, so that is where a full disk is met. */
static void a_commit_that_fails_spends_nothing(void)
{
	struct fixture f;
	uint8_t hash[16] = {0};
	REQUIRE(set_up(&f));
	CHECK_OK(f.ops->signature_remember(f.w, f.anna, hash_of(1), NOW + 600));
	limit_pages(f.w, 1);
	CHECK_OK(f.ops->batch_begin(f.w));
	for (unsigned i = 0; i < 1000; i++) {
		memcpy(hash, &i, sizeof(i));
		CHECK_OK(f.ops->signature_remember(f.w, f.anna, hash, NOW + 600));
	}
	CHECK_ERR(f.ops->batch_commit(f.w), TACIT_E_STORE_FULL);
	limit_pages(f.w, 1000000);
	CHECK_ERR(f.ops->signature_remember(f.w, f.anna, hash_of(1), NOW + 600), TACIT_E_EXISTS);
	CHECK_OK(f.ops->signature_remember(f.w, f.anna, hash, NOW + 600));
	tear_down(&f);
}

static struct fixture swept;

static enum tacit_err spend_and_sweep(void)
{
	enum tacit_err err;
	char why[256];
	struct store *s = NULL;
	struct gone gone = {0};
	struct store_sweep w = {.limit = 100, .gone = collect_gone, .ctx = &gone};
	TRY(store_open(swept.url, STORE_WRITER, why, &s));
	TRY(s->ops->batch_begin(s));
	TRY(s->ops->signature_remember(s, swept.anna, hash_of(2), NOW + 600));
	TRY(s->ops->batch_commit(s));
	TRY(s->ops->sweep(s, NOW + 600, &w));
out:
	store_close(s);
	return err == TACIT_E_EXISTS ? TACIT_OK : err; /* an earlier round had kept it */
}

static void it_stands_every_allocation_failing(void)
{
	REQUIRE(set_up(&swept));
	CHECK_OK(swept.ops->signature_remember(swept.w, swept.anna, hash_of(1), NOW + 900));
	tap_alloc_sweep(spend_and_sweep);
	CHECK_ERR(swept.ops->signature_remember(swept.w, swept.anna, hash_of(1), NOW + 900),
	        TACIT_E_EXISTS);
	tear_down(&swept);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"what an older server remembered is remembered",
	                what_an_older_server_remembered_is_remembered},
	        {"a batch is one row", a_batch_is_one_row},
	        {"a commit that fails spends nothing", a_commit_that_fails_spends_nothing},
	        {"it stands every allocation failing", it_stands_every_allocation_failing},
	};
	backend = &sqlite;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
