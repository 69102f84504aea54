/* Lanes: what runs in them, in which turn, how much they take, and how they stop. */
#include <sched.h>
#include <string.h>
#include <time.h>

#include "job_people.h"

static void count_turn(void)
{
	book.turns++;
}

static void begin_look(void *context)
{
	struct ledger *l = context;
	CHECK(!l->looking);
	l->looking = true;
	l->looks++;
}

static void end_look(void *context)
{
	CHECK(((struct ledger *)context)->looking);
	((struct ledger *)context)->looking = false;
}

static void corked_jobs_all_run(void)
{
	static struct test_job jobs[100];
	struct job_lane_settings s[JOB_LANES];
	struct job_pool *p;
	memcpy(s, lanes(1000, 64), sizeof(s));
	s[JOB_READ].batch = 8;
	fill(jobs, 100);
	enum tacit_err err = job_pool_new(s, &p);
	REQUIRE(err == TACIT_OK);
	job_cork();
	for (int i = 0; i < 100; i++)
		CHECK(job_submit(p, i % 4 == 0 ? JOB_WRITE : JOB_READ, &jobs[i].job));
	job_uncork();
	wait_done(100);
	job_pool_stop(p);
	for (int i = 0; i < 100; i++)
		CHECK_OK(jobs[i].err);
	job_pool_free(p);
}

/* One reader: the first job holds it, the others are one turn, or one each when a turn has no time.
 */
static unsigned turns_of(unsigned turn_us)
{
	static struct test_job jobs[9];
	struct job_lane_settings s[JOB_LANES];
	struct job_pool *p;
	memcpy(s, lanes(100, 16), sizeof(s));
	s[JOB_READ].threads = 1;
	s[JOB_READ].batch = 64;
	s[JOB_READ].turn_us = turn_us;
	s[JOB_READ].uncork = count_turn;
	fill(jobs, 9);
	if (!CHECK_OK(job_pool_new(s, &p)))
		return 0;
	jobs[0].waits = true;
	close_gate();
	CHECK(job_submit(p, JOB_READ, &jobs[0].job));
	wait_at_gate();
	for (int i = 1; i < 9; i++)
		CHECK(job_submit(p, JOB_READ, &jobs[i].job));
	open_gate();
	wait_done(9);
	job_pool_free(p);
	for (int i = 0; i < 9; i++) {
		CHECK_INT(done_order[i], i);
		CHECK_OK(jobs[i].err);
	}
	return book.turns;
}

static void a_turn_is_of_many_jobs(void)
{
	CHECK_INT(turns_of(0), 2);
	unsigned turns = turns_of(1); /* a microsecond is over after a job or a few */
	CHECK(turns >= 2 && turns <= 9);
}

static void prepare_job(struct job *j, void *context)
{
	struct ledger *l = context;
	CHECK(l->looking);
	CHECK(!((struct test_job *)j)->ran);
	l->prepared++;
}

/* Runs after all that were taken with it are prepared. */
static enum tacit_err run_prepared(struct job *j, void *context)
{
	CHECK(!((struct ledger *)context)->looking);
	CHECK_INT(((struct ledger *)context)->prepared, 4);
	return run_job(j, context);
}

static void what_is_taken_together_is_prepared_together(void)
{
	static struct test_job jobs[6];
	struct job_lane_settings s[JOB_LANES];
	struct job_pool *p;
	memcpy(s, lanes(100, 16), sizeof(s));
	s[JOB_READ].threads = 1;
	s[JOB_READ].batch = 64;
	s[JOB_READ].prepare_begin = begin_look;
	s[JOB_READ].prepare_end = end_look;
	fill(jobs, 6);
	REQUIRE(job_pool_new(s, &p) == TACIT_OK);
	jobs[0].waits = true;
	for (int i = 1; i < 6; i++) {
		jobs[i].job.run = run_prepared;
		jobs[i].job.prepare = i == 2 ? NULL : prepare_job;
	}
	close_gate();
	CHECK(job_submit(p, JOB_READ, &jobs[0].job));
	wait_at_gate();
	CHECK_INT(book.looks, 0); /* there was nothing to prepare */
	for (int i = 1; i < 6; i++)
		CHECK(job_submit(p, JOB_READ, &jobs[i].job));
	open_gate();
	wait_done(6);
	job_pool_free(p);
	CHECK_INT(book.looks, 1);
	CHECK_INT(book.prepared, 4);
	CHECK(!book.looking);
}

static void a_full_lane_refuses(void)
{
	static struct test_job jobs[7];
	struct job_stats stats;
	fill(jobs, 7);
	struct job_pool *p = run_one_batch(lanes(5, 64), jobs, 6); /* one runs, five wait */
	REQUIRE(p != NULL);
	CHECK(!job_submit(p, JOB_WRITE, &jobs[6].job));
	CHECK(job_submit(p, JOB_FILE, &jobs[6].job)); /* other lanes are their own */
	job_pool_stats(p, &stats);
	CHECK_INT(stats.refused[JOB_WRITE], 1);
	open_gate();
	wait_done(7);
	job_pool_free(p);
	CHECK_OK(jobs[6].err);
}

static void *stop_pool(void *pool)
{
	job_pool_stop(pool);
	return NULL;
}

static void stop_finishes_what_was_accepted(void)
{
	enum { ACCEPTED = 3, EARLY = 4000 };
	static struct test_job jobs[ACCEPTED + EARLY];
	unsigned early = 0;
	fill(jobs, TACIT_COUNT(jobs));
	struct job_pool *p = run_one_batch(lanes(EARLY, 64), jobs, ACCEPTED);
	REQUIRE(p != NULL);
	for (int i = 0; i < ACCEPTED; i++) { /* and each goes on in another lane */
		jobs[i].then = p;
		jobs[i].next_lane = (enum job_lane)(i == 0   ? JOB_FILE
		                                    : i == 1 ? JOB_HASH
		                                             : JOB_READ);
	}
	pthread_t stopper;
	REQUIRE(pthread_create(&stopper, NULL, stop_pool, p) == 0);
	const struct timespec pause = {.tv_nsec = 5000000};
	while (early < EARLY && job_submit(p, JOB_READ, &jobs[ACCEPTED + early].job)) {
		early++; /* the stopper has not begun */
		nanosleep(&pause, NULL);
	}
	CHECK(early < EARLY);
	CHECK(!jobs[0].moved);
	open_gate();
	pthread_join(stopper, NULL);
	CHECK_INT(done_count, ACCEPTED + early);
	for (int i = 0; i < ACCEPTED; i++)
		CHECK(jobs[i].moved && jobs[i].err == TACIT_OK);
	CHECK(!job_submit(p, JOB_WRITE, &jobs[ACCEPTED + EARLY - 1].job));
	job_pool_stop(p);
	job_pool_free(p);
}

struct flood {
	struct job_pool *pool;
	struct test_job jobs[500];
};

static void *submit_flood(void *ctx)
{
	struct flood *f = ctx;
	for (unsigned i = 0; i < TACIT_COUNT(f->jobs); i++) {
		f->jobs[i].then = f->pool;
		f->jobs[i].next_lane = JOB_WRITE;
		while (!job_submit(f->pool, (enum job_lane)(i % 2 == 0 ? JOB_READ : JOB_FILE),
		        &f->jobs[i].job))
			sched_yield();
	}
	return NULL;
}

static void many_threads_may_submit(void)
{
	static struct flood floods[4];
	pthread_t threads[4];
	struct job_pool *p;
	REQUIRE(job_pool_new(lanes(5000, 16), &p) == TACIT_OK);
	for (unsigned i = 0; i < 4; i++) {
		floods[i].pool = p;
		fill(floods[i].jobs, TACIT_COUNT(floods[i].jobs));
	}
	for (unsigned i = 0; i < 4; i++)
		REQUIRE(pthread_create(&threads[i], NULL, submit_flood, &floods[i]) == 0);
	for (unsigned i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	job_pool_free(p);
	CHECK_INT(done_count, 2000);
	for (unsigned i = 0; i < 4; i++)
		for (unsigned k = 0; k < 500; k++)
			CHECK(floods[i].jobs[k].ran && floods[i].jobs[k].err == TACIT_OK);
}

static void bad_settings_are_refused(void)
{
	struct job_lane_settings s[JOB_LANES];
	struct job_pool *p;
	memcpy(s, lanes(10, 10), sizeof(s));
	s[JOB_WRITE].threads = 2;
	CHECK_ERR(job_pool_new(s, &p), TACIT_E_USAGE);
	memcpy(s, lanes(10, 10), sizeof(s));
	s[JOB_HASH].threads = 0;
	CHECK_ERR(job_pool_new(s, &p), TACIT_E_USAGE);
	memcpy(s, lanes(10, 10), sizeof(s));
	book.refuse_to_open = true;
	CHECK_ERR(job_pool_new(s, &p), TACIT_E_STORE);
	CHECK(p == NULL);
	CHECK_INT(book.closed, 0);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"corked jobs all run", corked_jobs_all_run},
	        {"a turn is of many jobs", a_turn_is_of_many_jobs},
	        {"what is taken together is prepared together",
	                what_is_taken_together_is_prepared_together},
	        {"a full lane refuses", a_full_lane_refuses},
	        {"stop finishes what was accepted", stop_finishes_what_was_accepted},
	        {"many threads may submit", many_threads_may_submit},
	        {"bad settings are refused", bad_settings_are_refused},
	};
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
