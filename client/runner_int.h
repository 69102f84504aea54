/* runner_int.h - what the runner's thread and its connection to the server share. */
#ifndef TACIT_CLIENT_RUNNER_INT_H
#define TACIT_CLIENT_RUNNER_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "client/runner.h"

struct task;
struct link;

struct queued {
	struct queued *next;
	struct runner_event event;
};

/* A runner may have one at its side, for jobs that take long: another thread, with a host of its
 * own on the same profile. Its events and tickets are those of the one in front. */
struct runner {
	struct runner *front; /* itself, or the one that this is at the side of */
	struct runner *side;  /* made when it is first needed; read and set under the lock */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t room; /* in the events' queue */
	struct task *tasks, **tasks_end;
	size_t task_count;
	struct queued *events, **events_end;
	size_t event_count;
	uint64_t next_ticket;
	int wake_fd, event_fd;
	atomic_bool stop;
	atomic_uint_least64_t cancelled; /* the ticket that is to be broken off */

	struct host *host; /* from here on the thread's */
	struct link *link; /* NULL: quiet */
	struct http_watch watch;
	uint64_t current; /* ticket under way; 0: none */
};

/* --- runner_events.c ---------------------------------------------------------------------------
 */

/* Of an eventfd. */
void runner_signal_fd(int fd);
void runner_drain_fd(int fd);
/* Both under the lock, of the one in front. */
void runner_append_event(struct runner *r, struct queued *q);
struct queued *runner_take_event(struct runner *r); /* NULL: none */
/* text is copied. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err runner_make_event(
        const struct runner_event *ev, struct tacit_bytes text, struct queued **out);
/* n is copied into ev's copy. Fails: as runner_tell_notice. */
TACIT_MUST_USE enum tacit_err runner_tell_copy(
        struct runner *r, const struct runner_event *ev, const struct tacit_notice *n);
/* Both queue an event for the screen, and wait while too many do. Fail: CANCELLED (the runner is
 * being stopped), NOMEM. */
TACIT_MUST_USE enum tacit_err runner_tell_notice(
        struct runner *r, uint64_t ticket, const struct tacit_notice *n);
TACIT_MUST_USE enum tacit_err runner_tell_event(
        struct runner *r, const struct runner_event *ev, struct tacit_bytes text);

/* --- runner_task.c -----------------------------------------------------------------------------
 */

enum task_kind { TASK_COMMAND, TASK_HISTORY, TASK_CONVERSATIONS, TASK_JOB };

struct task {
	struct task *next;
	uint64_t ticket;
	enum task_kind kind;
	struct tacit_command command; /* views into bytes, users, content */
	struct tacit_content content;
	struct tacit_buf bytes;
	struct tacit_bytes *users;
	struct host_span span;
	runner_job_fn *job;
	bool aside; /* JOB: for the side runner */
	void *ctx;
};

void task_free(struct task *t); /* wipes; NULL is fine */
/* Views of c are copied into t's own bytes. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err task_copy_command(struct task *t, const struct tacit_command *c);

/* --- link.c: the connection, all in the runner's thread ----------------------------------------
 */

/* Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err link_new(struct runner *r, struct host *h, struct link **out);
void link_free(struct link *l); /* NULL is fine */

/* Does what is due: connects, takes what came, asks. May take as long as the network does.
 * Fails: CANCELLED (the runner is being stopped), the store's errors, NOMEM. */
TACIT_MUST_USE enum tacit_err link_turn(struct link *l);
/* How long until something is due even if nothing comes, in milliseconds; -1: for ever. */
int link_wait_ms(const struct link *l);
/* To be waited on for reading; -1: none. */
int link_fd(const struct link *l);
/* While a call waits for the network: keeps the connection alive, leaves the engine alone. */
void link_pump(struct link *l);
/* Every notice that is told goes past here. */
void link_told(struct link *l, const struct tacit_notice *n);
/* What a command of the screen ended with says something about the connection, too. */
void link_heard(struct link *l, enum tacit_err outcome);

#endif
