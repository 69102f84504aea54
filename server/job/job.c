/* job.c - lanes. Each has its lock, its queue and its threads; what is common is the number of jobs
 * that were accepted and not finished, by which the end is known: a job may be followed by another
 * in any lane, so no lane may end before that number is zero. */
#include "server/job/job.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <time.h>

#include "base/alloc.h"

struct lane {
	struct job_lane_settings settings;
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct job *first, **last; /* under lock, as all below */
	uint64_t waiting, finished, refused;
	uint64_t commits, commit_microseconds, committed_jobs;
	unsigned idle;
	bool ending;
	char pad[64]; /* neighbours are used by other threads */
};

struct worker {
	struct job_pool *pool;
	struct lane *lane;
	pthread_t thread;
	void *context;
	enum tacit_err opened; /* once counted in pool->up */
};

struct job_pool {
	struct lane lanes[JOB_LANES];
	atomic_uint_fast64_t unfinished;
	atomic_bool stopping;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	unsigned up;
	unsigned started, joined;
	size_t worker_count;
	struct worker workers[];
};

static _Thread_local const struct job_pool *inside;
/* Wakes that wait for job_uncork(). A lane that is woken for each of its jobs takes them one by
 * one, and a core that it shares with the submitter is then busy with changing between the two. */
static _Thread_local struct {
	bool on;
	struct lane *lanes[JOB_LANES];
} corked;

/* --- submitting --- */

static void wake(enum job_lane which, struct lane *l)
{
	if (corked.on && (corked.lanes[which] == NULL || corked.lanes[which] == l))
		corked.lanes[which] = l;
	else
		pthread_cond_signal(&l->work);
}

void job_cork(void)
{
	corked.on = true;
}

void job_uncork(void)
{
	corked.on = false;
	for (unsigned i = 0; i < JOB_LANES; i++) {
		struct lane *l = corked.lanes[i];
		corked.lanes[i] = NULL;
		if (l != NULL)
			pthread_cond_signal(&l->work);
	}
}

bool job_submit(struct job_pool *p, enum job_lane which, struct job *j)
{
	struct lane *l = &p->lanes[which];
	j->next = NULL;
	pthread_mutex_lock(&l->lock);
	/* Under the lock: job_pool_stop takes it after `stopping` was set, so that what is accepted
	 * here is counted before the end is looked for. */
	bool ok = l->waiting < l->settings.capacity &&
	          (inside == p || !atomic_load_explicit(&p->stopping, memory_order_relaxed));
	bool sleepers = ok && l->idle > 0;
	if (ok) {
		atomic_fetch_add_explicit(&p->unfinished, 1, memory_order_relaxed);
		*l->last = j;
		l->last = &j->next;
		l->waiting++;
	} else {
		l->refused++;
	}
	pthread_mutex_unlock(&l->lock);
	if (sleepers)
		wake(which, l);
	return ok;
}

/* Held lock. */
static void wait_for_work(struct lane *l)
{
	l->idle++;
	while (l->first == NULL && !l->ending)
		pthread_cond_wait(&l->work, &l->lock);
	l->idle--;
}

static bool is_at_work(struct lane *l)
{
	pthread_mutex_lock(&l->lock);
	bool at_work = l->first != NULL || l->idle < l->settings.threads;
	pthread_mutex_unlock(&l->lock);
	return at_work;
}

/* At least one job, at most a batch and a thread's share, oldest first; NULL at the end. */
static struct job *take(struct lane *l, unsigned *count)
{
	pthread_mutex_lock(&l->lock);
	wait_for_work(l);
	struct job *batch = l->first, **end = &batch;
	uint64_t share = l->waiting / l->settings.threads + 1;
	uint64_t most = share < l->settings.batch ? share : l->settings.batch;
	unsigned n = 0;
	while (n < most && *end != NULL) {
		end = &(*end)->next;
		n++;
	}
	l->first = *end;
	*end = NULL;
	if (l->first == NULL)
		l->last = &l->first;
	l->waiting -= n;
	bool others = l->first != NULL && l->idle > 0; /* a corked wake stands for many jobs */
	pthread_mutex_unlock(&l->lock);
	if (others)
		pthread_cond_signal(&l->work);
	*count = n;
	return batch;
}

/* The same for who commits. Where cores are short, readers who are at work go first: a commit costs
 * as much as several requests, and what they bring goes into the same one. Where a core is free,
 * nobody waits. */
static struct job *take_together(struct job_pool *p, struct lane *writers, unsigned *count)
{
	pthread_mutex_lock(&writers->lock);
	wait_for_work(writers);
	pthread_mutex_unlock(&writers->lock);
	if (is_at_work(&p->lanes[JOB_READ]))
		(void)sched_yield();
	return take(writers, count);
}

static void end_lanes(struct job_pool *p)
{
	for (unsigned i = 0; i < JOB_LANES; i++) {
		struct lane *l = &p->lanes[i];
		pthread_mutex_lock(&l->lock);
		l->ending = true;
		pthread_cond_broadcast(&l->work);
		pthread_mutex_unlock(&l->lock);
	}
}

/* After done(): what it submitted is counted already, so zero means the end. */
static void finish(struct job_pool *p, struct lane *l, unsigned jobs)
{
	pthread_mutex_lock(&l->lock);
	l->finished += jobs;
	pthread_mutex_unlock(&l->lock);
	if (atomic_fetch_sub(&p->unfinished, jobs) == jobs && atomic_load(&p->stopping)) {
		pthread_mutex_lock(&p->lock);
		pthread_cond_broadcast(&p->changed);
		pthread_mutex_unlock(&p->lock);
	}
}

/* --- working --- */

static void cork(const struct job_lane_settings *s)
{
	job_cork();
	if (s->cork != NULL)
		s->cork();
}

static void uncork(const struct job_lane_settings *s)
{
	if (s->uncork != NULL)
		s->uncork();
	job_uncork();
}

static uint64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void prepare(const struct job_lane_settings *s, struct job *j, void *context)
{
	bool begun = false;
	for (; j != NULL; j = j->next) {
		if (j->prepare == NULL)
			continue;
		if (!begun && s->prepare_begin != NULL)
			s->prepare_begin(context);
		begun = true;
		j->prepare(j, context);
	}
	if (begun && s->prepare_end != NULL)
		s->prepare_end(context);
}

/* What was taken may be more than fits a turn: then others follow at once. */
static void run_turns(struct worker *w, struct job *j)
{
	const struct job_lane_settings *s = &w->lane->settings;
	unsigned turn_us = s->turn_us;
	prepare(s, j, w->context);
	cork(s);
	uint64_t over = turn_us > 0 ? now_us() + turn_us : UINT64_MAX;
	while (j != NULL) {
		struct job *next = j->next;
		enum tacit_err err = j->run(j, w->context);
		j->done(j, err);
		j = next;
		if (turn_us > 0 && j != NULL && now_us() >= over) {
			uncork(s);
			cork(s);
			over = now_us() + turn_us;
		}
	}
	uncork(s);
}

static void work_singly(struct worker *w)
{
	struct job *j;
	unsigned count;
	while ((j = take(w->lane, &count)) != NULL) {
		run_turns(w, j);
		finish(w->pool, w->lane, count);
	}
}

typedef enum tacit_err step_fn(void *context);

static enum tacit_err call(step_fn *step, void *context)
{
	return step != NULL ? step(context) : TACIT_OK;
}

/* One job between mark and release. *broken: the transaction itself can no longer be trusted. */
static enum tacit_err run_marked(
        const struct job_lane_settings *s, struct job *j, void *context, enum tacit_err *broken)
{
	if (j->single)
		return j->run(j, context);
	enum tacit_err err = call(s->mark, context);
	if (err != TACIT_OK)
		return err;
	err = j->run(j, context);
	*broken = call(err == TACIT_OK ? s->release : s->undo, context);
	return err;
}

struct batch {
	struct job *first;
	unsigned count, good;
	enum tacit_err broken; /* what befell all of it */
	enum tacit_err *errors;
};

static void run_batch(const struct job_lane_settings *s, struct batch *b, void *context)
{
	struct job *j = b->first;
	for (unsigned i = 0; i < b->count; i++, j = j->next) {
		b->errors[i] = b->broken;
		if (b->broken == TACIT_OK)
			b->errors[i] = run_marked(s, j, context, &b->broken);
		if (b->errors[i] == TACIT_OK)
			b->good++;
	}
}

static void commit_batch(struct lane *l, struct batch *b, void *context)
{
	const struct job_lane_settings *s = &l->settings;
	uint64_t begun = now_us();
	if (b->broken == TACIT_OK && b->good > 0)
		b->broken = call(s->batch_commit, context);
	if ((b->broken != TACIT_OK || b->good == 0) && s->batch_abort != NULL)
		s->batch_abort(context);
	pthread_mutex_lock(&l->lock);
	if (b->broken == TACIT_OK && b->good > 0) {
		l->commits++;
		l->committed_jobs += b->good;
		l->commit_microseconds += now_us() - begun;
	}
	pthread_mutex_unlock(&l->lock);
}

static bool is_empty(struct lane *l)
{
	pthread_mutex_lock(&l->lock);
	bool empty = l->first == NULL;
	pthread_mutex_unlock(&l->lock);
	return empty;
}

static void work_in_batches(struct worker *w, enum tacit_err *errors)
{
	const struct job_lane_settings *s = &w->lane->settings;
	struct batch b = {.errors = errors};
	while ((b.first = take_together(w->pool, w->lane, &b.count)) != NULL) {
		b.good = 0;
		b.broken = call(s->batch_begin, w->context);
		bool begun = b.broken == TACIT_OK;
		run_batch(s, &b, w->context);
		if (begun)
			commit_batch(w->lane, &b, w->context);
		struct job *j = b.first;
		cork(s);
		for (unsigned i = 0; i < b.count; i++) {
			struct job *next = j->next;
			if (b.broken != TACIT_OK && errors[i] == TACIT_OK)
				errors[i] = b.broken;
			j->done(j, errors[i]);
			j = next;
		}
		uncork(s);
		if (s->settle != NULL)
			s->settle(w->context, is_empty(w->lane));
		finish(w->pool, w->lane, b.count);
	}
}

static void report_up(struct worker *w, enum tacit_err opened)
{
	struct job_pool *p = w->pool;
	pthread_mutex_lock(&p->lock);
	w->opened = opened;
	p->up++;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

/* For who looks at the process from outside. */
static void name_thread(enum job_lane lane)
{
	static const char *const names[JOB_LANES] = {[JOB_READ] = "reader",
	        [JOB_WRITE] = "writer",
	        [JOB_HASH] = "hasher",
	        [JOB_FILE] = "filer"};
	(void)prctl(PR_SET_NAME, names[lane]);
}

static void *work(void *ctx)
{
	struct worker *w = ctx;
	const struct job_lane_settings *s = &w->lane->settings;
	bool writes = w->lane == &w->pool->lanes[JOB_WRITE];
	enum tacit_err *errors = NULL;
	inside = w->pool;
	name_thread((enum job_lane)(w->lane - w->pool->lanes));
	if (s->thread_open != NULL)
		w->context = s->thread_open(s->ctx);
	bool needed = writes || w->lane == &w->pool->lanes[JOB_READ];
	enum tacit_err opened =
	        needed && s->thread_open != NULL && w->context == NULL ? TACIT_E_STORE : TACIT_OK;
	if (opened == TACIT_OK && writes) {
		errors = tacit_calloc(s->batch, sizeof(*errors));
		opened = errors != NULL ? TACIT_OK : TACIT_E_NOMEM;
	}
	report_up(w, opened);
	if (opened == TACIT_OK && writes)
		work_in_batches(w, errors);
	else if (opened == TACIT_OK)
		work_singly(w);
	if (s->thread_close != NULL && (w->context != NULL || s->thread_open == NULL))
		s->thread_close(s->ctx, w->context);
	tacit_free(errors);
	return NULL;
}

/* --- life --- */

static bool is_sound(const struct job_lane_settings lanes[JOB_LANES])
{
	for (unsigned i = 0; i < JOB_LANES; i++)
		if (lanes[i].threads == 0 || lanes[i].threads > 1024 || lanes[i].capacity == 0)
			return false;
	return lanes[JOB_WRITE].threads == 1 && lanes[JOB_WRITE].batch > 0;
}

static void init_lane(struct lane *l, const struct job_lane_settings *settings)
{
	l->settings = *settings;
	if (l->settings.batch == 0)
		l->settings.batch = 1;
	l->last = &l->first;
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->work, NULL);
}

static enum tacit_err start(struct job_pool *p)
{
	sigset_t all, before;
	enum tacit_err err = TACIT_OK;
	sigfillset(&all); /* signals are the main thread's */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (err == TACIT_OK && p->started < p->worker_count) {
		struct worker *w = &p->workers[p->started];
		if (pthread_create(&w->thread, NULL, work, w) != 0)
			err = TACIT_E_IO;
		else
			p->started++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_mutex_lock(&p->lock);
	while (p->up < p->started)
		pthread_cond_wait(&p->changed, &p->lock);
	for (unsigned i = 0; i < p->started && err == TACIT_OK; i++)
		err = p->workers[i].opened;
	pthread_mutex_unlock(&p->lock);
	return err;
}

enum tacit_err job_pool_new(const struct job_lane_settings lanes[JOB_LANES], struct job_pool **out)
{
	size_t count = 0;
	*out = NULL;
	if (!is_sound(lanes))
		return TACIT_E_USAGE;
	for (unsigned i = 0; i < JOB_LANES; i++)
		count += lanes[i].threads;
	struct job_pool *p = tacit_calloc(1, sizeof(*p) + count * sizeof(struct worker));
	if (p == NULL)
		return TACIT_E_NOMEM;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->changed, NULL);
	for (unsigned i = 0; i < JOB_LANES; i++) {
		init_lane(&p->lanes[i], &lanes[i]);
		for (unsigned k = 0; k < lanes[i].threads; k++)
			p->workers[p->worker_count++] =
			        (struct worker){.pool = p, .lane = &p->lanes[i]};
	}
	enum tacit_err err = start(p);
	if (err != TACIT_OK)
		job_pool_free(p);
	else
		*out = p;
	return err;
}

void job_pool_stop(struct job_pool *p)
{
	atomic_store(&p->stopping, true);
	for (unsigned i = 0; i < JOB_LANES; i++) { /* whoever is submitting has finished */
		pthread_mutex_lock(&p->lanes[i].lock);
		pthread_mutex_unlock(&p->lanes[i].lock);
	}
	pthread_mutex_lock(&p->lock);
	while (atomic_load(&p->unfinished) > 0)
		pthread_cond_wait(&p->changed, &p->lock);
	pthread_mutex_unlock(&p->lock);
	end_lanes(p);
	while (p->joined < p->started)
		pthread_join(p->workers[p->joined++].thread, NULL);
}

void job_pool_free(struct job_pool *p)
{
	if (p == NULL)
		return;
	job_pool_stop(p);
	for (unsigned i = 0; i < JOB_LANES; i++) {
		pthread_mutex_destroy(&p->lanes[i].lock);
		pthread_cond_destroy(&p->lanes[i].work);
	}
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->changed);
	tacit_free(p);
}

void job_pool_stats(const struct job_pool *p, struct job_stats *out)
{
	*out = (struct job_stats){0};
	for (unsigned i = 0; i < JOB_LANES; i++) {
		/* Its lock is the one thing that a reader changes. */
		struct lane *l = (struct lane *)(uintptr_t)&p->lanes[i];
		pthread_mutex_lock(&l->lock);
		out->waiting[i] = l->waiting;
		out->finished[i] = l->finished;
		out->refused[i] = l->refused;
		out->commits += l->commits;
		out->commit_microseconds += l->commit_microseconds;
		out->committed_jobs += l->committed_jobs;
		pthread_mutex_unlock(&l->lock);
	}
}
