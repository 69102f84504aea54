/* The writer: what it takes together is committed together, and what fails is undone. */
#include "job_people.h"

static void writes_are_batched_in_order(void)
{
	static struct test_job jobs[101];
	struct job_stats stats;
	fill(jobs, 101);
	for (int i = 0; i < 101; i++)
		jobs[i].add = 1;
	struct job_pool *p = run_one_batch(lanes(1000, 64), jobs, 101);
	REQUIRE(p != NULL);
	job_pool_stats(p, &stats);
	CHECK_INT(stats.waiting[JOB_WRITE], 100);
	open_gate();
	wait_done(101);
	job_pool_stop(p);
	CHECK_INT(book.begins, 3); /* 1, 64, 36 */
	CHECK_INT(book.commits, 3);
	CHECK_INT(book.settled, 3);
	CHECK_INT(book.settled_idle, 1); /* others waited behind the first two */
	CHECK_INT(book.committed, 101);
	for (int i = 0; i < 101; i++) {
		CHECK_INT(done_order[i], i);
		CHECK_OK(jobs[i].err);
	}
	job_pool_stats(p, &stats);
	CHECK_INT(stats.commits, 3);
	CHECK_INT(stats.committed_jobs, 101);
	CHECK_INT(stats.finished[JOB_WRITE], 101);
	CHECK_INT(stats.waiting[JOB_WRITE], 0);
	job_pool_free(p);
	CHECK_INT(book.opened, 3);
	CHECK_INT(book.closed, 3);
}

static void a_single_change_needs_no_mark(void)
{
	static struct test_job jobs[4];
	fill(jobs, 4);
	jobs[1].add = 1;
	jobs[1].job.single = true;
	jobs[2].result = TACIT_E_CONFLICT; /* it has changed nothing then */
	jobs[2].job.single = true;
	jobs[3].add = 10;
	struct job_pool *p = run_one_batch(lanes(10, 64), jobs, 4);
	REQUIRE(p != NULL);
	open_gate();
	job_pool_free(p);
	CHECK_INT(book.committed, 11);
	CHECK_INT(book.marks, 2); /* of 0 and 3 */
	CHECK_INT(book.undos, 0);
	CHECK_OK(jobs[1].err);
	CHECK_ERR(jobs[2].err, TACIT_E_CONFLICT);
	CHECK_OK(jobs[3].err);
}

static void a_failed_job_undoes_only_itself(void)
{
	static struct test_job jobs[4];
	fill(jobs, 4);
	jobs[1].add = 1;
	jobs[2].add = 100;
	jobs[2].result = TACIT_E_CONFLICT;
	jobs[3].add = 10;
	struct job_pool *p = run_one_batch(lanes(10, 64), jobs, 4);
	REQUIRE(p != NULL);
	open_gate();
	job_pool_free(p);
	CHECK_INT(book.committed, 11);
	CHECK_INT(book.undos, 1);
	CHECK_OK(jobs[1].err);
	CHECK_ERR(jobs[2].err, TACIT_E_CONFLICT);
	CHECK_OK(jobs[3].err);
}

static void a_failed_commit_fails_all(void)
{
	static struct test_job jobs[4];
	fill(jobs, 4);
	jobs[2].result = TACIT_E_CONFLICT;
	struct job_pool *p = run_one_batch(lanes(10, 64), jobs, 4);
	REQUIRE(p != NULL);
	book.commit_err =
	        TACIT_E_STORE_FULL; /* the writer stands at the gate, in the first batch */
	open_gate();
	job_pool_free(p);
	CHECK_ERR(jobs[0].err, TACIT_E_STORE_FULL);
	CHECK_ERR(jobs[1].err, TACIT_E_STORE_FULL);
	CHECK_ERR(jobs[2].err, TACIT_E_CONFLICT);
	CHECK_ERR(jobs[3].err, TACIT_E_STORE_FULL);
	CHECK_INT(book.aborts, 2);
	CHECK_INT(book.committed, 0);
}

static void a_broken_transaction_fails_all(void)
{
	static struct test_job jobs[4];
	fill(jobs, 4);
	jobs[2].result = TACIT_E_STORE_FULL;
	struct job_pool *p = run_one_batch(lanes(10, 64), jobs, 4);
	REQUIRE(p != NULL);
	book.undo_err = TACIT_E_STORE;
	open_gate();
	job_pool_free(p);
	CHECK_OK(jobs[0].err);
	CHECK_ERR(jobs[1].err, TACIT_E_STORE);
	CHECK_ERR(jobs[2].err, TACIT_E_STORE_FULL);
	CHECK_ERR(jobs[3].err, TACIT_E_STORE);
	CHECK(!jobs[3].ran);
	CHECK_INT(book.commits, 1);
	CHECK_INT(book.aborts, 1);

	fill(jobs, 2);
	p = run_one_batch(lanes(10, 64), jobs, 2);
	REQUIRE(p != NULL);
	book.begin_err = TACIT_E_STORE_BUSY;
	open_gate();
	job_pool_free(p);
	CHECK_OK(jobs[0].err);
	CHECK_ERR(jobs[1].err, TACIT_E_STORE_BUSY);
	CHECK(!jobs[1].ran);
}

static void an_empty_batch_is_not_committed(void)
{
	static struct test_job jobs[2];
	fill(jobs, 2);
	jobs[0].result = jobs[1].result = TACIT_E_NOT_FOUND;
	struct job_pool *p = run_one_batch(lanes(10, 64), jobs, 2);
	REQUIRE(p != NULL);
	open_gate();
	job_pool_free(p);
	CHECK_INT(book.commits, 0);
	CHECK_INT(book.aborts, 2);
	CHECK_ERR(jobs[1].err, TACIT_E_NOT_FOUND);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"writes are batched in order", writes_are_batched_in_order},
	        {"a single change needs no mark", a_single_change_needs_no_mark},
	        {"a failed job undoes only itself", a_failed_job_undoes_only_itself},
	        {"a failed commit fails all", a_failed_commit_fails_all},
	        {"a broken transaction fails all", a_broken_transaction_fails_all},
	        {"an empty batch is not committed", an_empty_batch_is_not_committed},
	};
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
