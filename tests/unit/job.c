#include "server/job/job.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "support/tap.h"

/* A store that only counts: what is in the open transaction, and what is committed. */
struct ledger {
	pthread_mutex_t lock;
	int value, saved, committed;
	unsigned begins, commits, aborts, undos, marks;
	unsigned turns; /* of the one reader */
	unsigned looks, prepared;
	bool looking;
	unsigned settled, settled_idle;
	enum tacit_err begin_err, mark_err, undo_err, release_err, commit_err;
	bool refuse_to_open;
	atomic_uint opened, closed;
};

static struct ledger book;

static void *open_thread(void *ctx)
{
	struct ledger *l = ctx;
	if (l->refuse_to_open)
		return NULL;
	atomic_fetch_add(&l->opened, 1);
	return l;
}

static void close_thread(void *ctx, void *context)
{
	struct ledger *l = ctx;
	CHECK(context == l);
	atomic_fetch_add(&l->closed, 1);
}

static enum tacit_err begin(void *context)
{
	struct ledger *l = context;
	l->begins++;
	l->value = l->committed;
	return l->begin_err;
}

static enum tacit_err commit(void *context)
{
	struct ledger *l = context;
	l->commits++;
	if (l->commit_err == TACIT_OK)
		l->committed = l->value;
	return l->commit_err;
}

static void abort_batch(void *context)
{
	struct ledger *l = context;
	l->aborts++;
	l->value = l->committed;
}

static enum tacit_err mark(void *context)
{
	struct ledger *l = context;
	l->saved = l->value;
	l->marks++;
	return l->mark_err;
}

static enum tacit_err undo(void *context)
{
	struct ledger *l = context;
	l->undos++;
	l->value = l->saved;
	return l->undo_err;
}

static enum tacit_err release(void *context)
{
	return ((struct ledger *)context)->release_err;
}

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

static void settle(void *context, bool idle)
{
	struct ledger *l = context;
	l->settled++;
	l->settled_idle += idle;
}

static const struct job_lane_settings *lanes(unsigned capacity, unsigned batch)
{
	static struct job_lane_settings s[JOB_LANES];
	memset(s, 0, sizeof(s));
	for (unsigned i = 0; i < JOB_LANES; i++)
		s[i] = (struct job_lane_settings){.threads = 2, .capacity = capacity, .ctx = &book};
	s[JOB_READ].thread_open = s[JOB_WRITE].thread_open = open_thread;
	s[JOB_READ].thread_close = s[JOB_WRITE].thread_close = close_thread;
	s[JOB_WRITE].threads = 1;
	s[JOB_WRITE].batch = batch;
	s[JOB_WRITE].batch_begin = begin;
	s[JOB_WRITE].batch_commit = commit;
	s[JOB_WRITE].batch_abort = abort_batch;
	s[JOB_WRITE].mark = mark;
	s[JOB_WRITE].undo = undo;
	s[JOB_WRITE].release = release;
	s[JOB_WRITE].settle = settle;
	book = (struct ledger){0};
	return s;
}

/* A gate that holds the job which passes it, so that others pile up behind. */
static pthread_mutex_t gate_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_moved = PTHREAD_COND_INITIALIZER;
static bool gate_closed, at_gate;
static unsigned done_count;
static int done_order[4096];

struct test_job {
	struct job job;
	int number, add;
	enum tacit_err result; /* of run */
	enum tacit_err err;    /* what done got */
	bool waits, ran;
	struct job_pool *then; /* done submits itself to another lane */
	enum job_lane next_lane;
	bool moved;
};

static enum tacit_err run_job(struct job *j, void *context)
{
	struct test_job *t = (struct test_job *)j;
	t->ran = true;
	if (t->waits) {
		pthread_mutex_lock(&gate_lock);
		at_gate = true;
		pthread_cond_broadcast(&gate_moved);
		while (gate_closed)
			pthread_cond_wait(&gate_moved, &gate_lock);
		pthread_mutex_unlock(&gate_lock);
	}
	if (t->add != 0)
		((struct ledger *)context)->value += t->add;
	return t->result;
}

static void job_done(struct job *j, enum tacit_err err)
{
	struct test_job *t = (struct test_job *)j;
	t->err = err;
	if (t->then != NULL) {
		struct job_pool *p = t->then;
		t->then = NULL;
		t->add = 0;
		t->moved = job_submit(p, t->next_lane, j);
		CHECK(t->moved);
		return;
	}
	pthread_mutex_lock(&gate_lock);
	done_order[done_count++] = t->number;
	pthread_cond_broadcast(&gate_moved);
	pthread_mutex_unlock(&gate_lock);
}

static void fill(struct test_job *jobs, int count)
{
	memset(jobs, 0, sizeof(*jobs) * (size_t)count);
	for (int i = 0; i < count; i++) {
		jobs[i].job.run = run_job;
		jobs[i].job.done = job_done;
		jobs[i].number = i;
		jobs[i].err = TACIT_E_CANCELLED;
	}
	pthread_mutex_lock(&gate_lock);
	done_count = 0;
	at_gate = gate_closed = false;
	pthread_mutex_unlock(&gate_lock);
}

static void close_gate(void)
{
	pthread_mutex_lock(&gate_lock);
	gate_closed = true;
	pthread_mutex_unlock(&gate_lock);
}

static void wait_at_gate(void)
{
	pthread_mutex_lock(&gate_lock);
	while (!at_gate)
		pthread_cond_wait(&gate_moved, &gate_lock);
	pthread_mutex_unlock(&gate_lock);
}

static void open_gate(void)
{
	pthread_mutex_lock(&gate_lock);
	gate_closed = false;
	pthread_cond_broadcast(&gate_moved);
	pthread_mutex_unlock(&gate_lock);
}

static void wait_done(unsigned count)
{
	pthread_mutex_lock(&gate_lock);
	while (done_count < count)
		pthread_cond_wait(&gate_moved, &gate_lock);
	pthread_mutex_unlock(&gate_lock);
}

/* Job 0 alone holds the writer; jobs 1 to count - 1 then make one batch. */
static struct job_pool *run_one_batch(
        const struct job_lane_settings *s, struct test_job *jobs, int count)
{
	struct job_pool *p;
	enum tacit_err err = job_pool_new(s, &p);
	CHECK_OK(err);
	if (err != TACIT_OK)
		return NULL;
	jobs[0].waits = true;
	close_gate();
	CHECK(job_submit(p, JOB_WRITE, &jobs[0].job));
	wait_at_gate();
	for (int i = 1; i < count; i++)
		CHECK(job_submit(p, JOB_WRITE, &jobs[i].job));
	return p;
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
	static struct test_job jobs[4];
	fill(jobs, 4);
	struct job_pool *p = run_one_batch(lanes(10, 64), jobs, 3);
	REQUIRE(p != NULL);
	for (int i = 0; i < 3; i++) { /* and each goes on in another lane */
		jobs[i].then = p;
		jobs[i].next_lane = (enum job_lane)(i == 0   ? JOB_FILE
		                                    : i == 1 ? JOB_HASH
		                                             : JOB_READ);
	}
	pthread_t stopper;
	REQUIRE(pthread_create(&stopper, NULL, stop_pool, p) == 0);
	struct timespec pause = {.tv_nsec = 50000000};
	nanosleep(&pause, NULL);
	CHECK(!job_submit(p, JOB_READ, &jobs[3].job));
	CHECK_INT(done_count, 0);
	open_gate();
	pthread_join(stopper, NULL);
	CHECK_INT(done_count, 3);
	for (int i = 0; i < 3; i++)
		CHECK(jobs[i].moved && jobs[i].err == TACIT_OK);
	CHECK(!job_submit(p, JOB_WRITE, &jobs[3].job));
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
	        {"writes are batched in order", writes_are_batched_in_order},
	        {"a single change needs no mark", a_single_change_needs_no_mark},
	        {"a turn is of many jobs", a_turn_is_of_many_jobs},
	        {"what is taken together is prepared together",
	                what_is_taken_together_is_prepared_together},
	        {"a failed job undoes only itself", a_failed_job_undoes_only_itself},
	        {"a failed commit fails all", a_failed_commit_fails_all},
	        {"a broken transaction fails all", a_broken_transaction_fails_all},
	        {"an empty batch is not committed", an_empty_batch_is_not_committed},
	        {"a full lane refuses", a_full_lane_refuses},
	        {"stop finishes what was accepted", stop_finishes_what_was_accepted},
	        {"many threads may submit", many_threads_may_submit},
	        {"bad settings are refused", bad_settings_are_refused},
	};
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
