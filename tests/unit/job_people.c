#include "job_people.h"

#include <string.h>

struct ledger book;

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

static void settle(void *context, bool idle)
{
	struct ledger *l = context;
	l->settled++;
	l->settled_idle += idle;
}

const struct job_lane_settings *lanes(unsigned capacity, unsigned batch)
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

static pthread_mutex_t gate_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_moved = PTHREAD_COND_INITIALIZER;
static bool gate_closed, at_gate;
unsigned done_count;
int done_order[4096];

enum tacit_err run_job(struct job *j, void *context)
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

void fill(struct test_job *jobs, int count)
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

void close_gate(void)
{
	pthread_mutex_lock(&gate_lock);
	gate_closed = true;
	pthread_mutex_unlock(&gate_lock);
}

void wait_at_gate(void)
{
	pthread_mutex_lock(&gate_lock);
	while (!at_gate)
		pthread_cond_wait(&gate_moved, &gate_lock);
	pthread_mutex_unlock(&gate_lock);
}

void open_gate(void)
{
	pthread_mutex_lock(&gate_lock);
	gate_closed = false;
	pthread_cond_broadcast(&gate_moved);
	pthread_mutex_unlock(&gate_lock);
}

void wait_done(unsigned count)
{
	pthread_mutex_lock(&gate_lock);
	while (done_count < count)
		pthread_cond_wait(&gate_moved, &gate_lock);
	pthread_mutex_unlock(&gate_lock);
}

struct job_pool *run_one_batch(const struct job_lane_settings *s, struct test_job *jobs, int count)
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
