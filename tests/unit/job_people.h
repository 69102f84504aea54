/* job_people.h - jobs that add to a ledger, a gate that holds them, and a writer that takes them in
 * one batch. */
#ifndef TACIT_TESTS_UNIT_JOB_PEOPLE_H
#define TACIT_TESTS_UNIT_JOB_PEOPLE_H

#include <pthread.h>
#include <stdatomic.h>

#include "server/job/job.h"
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

extern struct ledger book; /* of the writer and the readers; made anew by lanes() */
/* Settings, good until the next call: one thread for the writer, two for each other lane. */
const struct job_lane_settings *lanes(unsigned capacity, unsigned batch);

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

enum tacit_err run_job(struct job *j, void *context);
extern unsigned done_count;
extern int done_order[4096]; /* their numbers */
/* Fresh jobs, numbered; forgets who was done, and opens the gate. */
void fill(struct test_job *jobs, int count);
/* The gate holds the job that waits there, so that others pile up behind. */
void close_gate(void);
void wait_at_gate(void);
void open_gate(void);
void wait_done(unsigned count);
/* Job 0 alone holds the writer; jobs 1 to count - 1 then make one batch. NULL, and checked, when
 * there is no pool. */
struct job_pool *run_one_batch(const struct job_lane_settings *s, struct test_job *jobs, int count);

#endif
