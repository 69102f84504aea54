/* job.h - work that a loop must not do: lanes of threads with bounded queues.
 *
 * READ   many threads, each with its own reading store handle; also signature checks
 * WRITE  one thread with the writing handle: everything that waits goes into one transaction
 *        (group commit), and done() runs only after that transaction is on disk
 * HASH   few threads for Argon2id
 * FILE   few threads for blob reads, writes and fsync
 *
 * A job carries its inputs by value. Exactly one of: submit fails (the caller still owns it), or
 * run() is called and then done() (which frees it or submits it to the next lane). In the WRITE
 * lane run() is left out when the transaction could not be begun or the savepoint not be set:
 * done() then gets that error. */
#ifndef TACIT_SERVER_JOB_JOB_H
#define TACIT_SERVER_JOB_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum job_lane { JOB_READ, JOB_WRITE, JOB_HASH, JOB_FILE, JOB_LANES };

struct job {
	struct job *next; /* job.c's */
	/* Not WRITE: before run() of any job of those that were taken together, for all of them
	 * that have it; what they need of the store is then asked in one go. May be NULL. */
	void (*prepare)(struct job *j, void *context);
	/* context: what the lane's thread_open gave. In the WRITE lane an error from run() undoes
	 * this job's own changes (savepoint) and no other's. */
	enum tacit_err (*run)(struct job *j, void *context);
	/* err: what run() returned, or the commit's failure. WRITE: after the commit, in the order
	 * of submission. */
	void (*done)(struct job *j, enum tacit_err err);
	/* WRITE: run() makes one change at most, and nothing behind that can fail; so there is
	 * nothing to undo, and no mark is set for it. */
	bool single;
};

struct job_lane_settings {
	unsigned threads;  /* WRITE must be 1 */
	unsigned capacity; /* jobs waiting; beyond: submit fails */
	unsigned batch;    /* WRITE: jobs per transaction at most; others: jobs at a turn, 0 is 1 */
	unsigned turn_us;  /* not WRITE: a turn is over after that time, too; 0: no such end */
	void *ctx;
	/* In the lane's thread, at start and end. NULL context is a failure for READ and WRITE. */
	void *(*thread_open)(void *ctx);
	void (*thread_close)(void *ctx, void *context);
	/* Around the prepare() of jobs. May be NULL. */
	void (*prepare_begin)(void *context);
	void (*prepare_end)(void *context);
	/* Around the done() of the jobs of a turn, so that what these wake is woken once. May be
	 * NULL. */
	void (*cork)(void);
	void (*uncork)(void);
	/* WRITE only. mark/undo surround one job inside the batch. A failing undo or release, or a
	 * failing commit, fails the whole batch: batch_abort follows, and every job gets that error
	 * but those that had failed by themselves. A batch without a success is aborted. */
	enum tacit_err (*batch_begin)(void *context);
	enum tacit_err (*batch_commit)(void *context);
	void (*batch_abort)(void *context);
	enum tacit_err (*mark)(void *context);
	enum tacit_err (*undo)(void *context); /* back to the mark */
	enum tacit_err (*release)(void *context);
	/* WRITE only: behind the done() of a batch, for what nobody's answer is to wait for. idle:
	 * nothing else waits either. May be NULL. */
	void (*settle)(void *context, bool idle);
};

struct job_pool;

/* All threads are up, with their contexts, when it returns. Fails: USAGE (a lane without threads or
 * capacity, WRITE with several), STORE (a thread_open gave NULL), NOMEM, IO. */
TACIT_MUST_USE enum tacit_err job_pool_new(
        const struct job_lane_settings lanes[JOB_LANES], struct job_pool **out);
/* Any thread, never blocks. False: the lane is full or the pool is stopping (answer 503). */
TACIT_MUST_USE bool job_submit(struct job_pool *p, enum job_lane lane, struct job *j);
/* What this thread submits between the two wakes each lane once, at the end. For threads that
 * submit in bursts; the lanes' own do so by themselves. */
void job_cork(void);
void job_uncork(void);
/* Refuses new jobs from outside, finishes what was accepted (jobs may still move between lanes),
 * joins. */
void job_pool_stop(struct job_pool *p);
/* Stops first, if need be; NULL is fine. */
void job_pool_free(struct job_pool *p);

struct job_stats {
	uint64_t waiting[JOB_LANES], finished[JOB_LANES], refused[JOB_LANES];
	uint64_t commits, commit_microseconds, committed_jobs;
};
void job_pool_stats(const struct job_pool *p, struct job_stats *out);

#endif
