/* runner.h - a host in a thread of its own, so that a screen never waits for the network.
 *
 * The screen posts commands and reads pages, each named by a ticket, and gets events: what the
 * engine tells (with ticket, or of its own accord), how each ticket ended, and how the connection
 * is. While the runner runs it has the host for itself: not even a local read goes past it, but by
 * runner_job. What is posted is carried out in order, one after the other, but what needs no
 * network (history, conversations) does not wait for what does; what the server sends live comes in
 * between, and is looked for again and again when it cannot come live.
 *
 * A command that ends also tells what it changed: a RUNNER_NOTICE with its ticket for each notice
 * (DONE and FAILED among them), then RUNNER_ENDED. A message is told once, however it came:
 * a live runner tells also what another process of the same profile has sent or fetched.
 *
 * All functions are for one thread, the screen's, which need not be the one that made the runner.
 * Signals are the screen's, too: the runner's thread takes none. */
#ifndef TACIT_CLIENT_RUNNER_H
#define TACIT_CLIENT_RUNNER_H

#include "client/host.h"

struct runner;

#define RUNNER_MAX_POSTED 1024 /* commands that wait */
#define RUNNER_MAX_EVENTS 4096 /* events that wait; then the runner does */

enum runner_event_kind {
	RUNNER_NOTICE,  /* notice; ticket 0: of its own accord */
	RUNNER_HISTORY, /* notice, position: one entry of the page that ticket asked for */
	RUNNER_ENDED,   /* ticket has ended: err, and text for the person when it failed */
	RUNNER_LINK,    /* link has changed: err and text say why (OFFLINE), seconds until next */
};

enum runner_link {
	RUNNER_CONNECTING,
	RUNNER_ONLINE,  /* what happens comes at once */
	RUNNER_ASKING,  /* online, but nothing comes live here: asks every few seconds */
	RUNNER_OFFLINE, /* tries again in `seconds`; 0: not before somebody logs in again */
};

struct runner_event {
	enum runner_event_kind kind;
	uint64_t ticket;
	struct tacit_notice notice; /* views into bytes */
	uint64_t position;          /* HISTORY: where the next page ends (host_span.before) */
	enum runner_link link;
	unsigned seconds;
	enum tacit_err err;
	struct tacit_bytes text; /* from outside: to be sanitised; may be empty */
	struct tacit_buf bytes;
};
void runner_event_free(struct runner_event *ev); /* wipes; NULL is fine */

enum runner_mode {
	RUNNER_QUIET, /* only what is asked for */
	RUNNER_LIVE,  /* connects, stays connected, fetches what was missed */
};

/* h is opened and unlocked; it stays the caller's, who may use it again after runner_stop.
 * Fails: IO (no thread, no descriptor), NOMEM. */
TACIT_MUST_USE enum tacit_err runner_start(
        struct host *h, enum runner_mode mode, struct runner **out);
/* Breaks off what is under way, drops what waits, ends the thread, frees. NULL is fine. */
void runner_stop(struct runner *r);

/* Readable while events wait; for poll(2), not to be read. */
int runner_fd(const struct runner *r);
/* The next event, the caller's to free; NULL: none waits. Never blocks. */
struct runner_event *runner_next(struct runner *r);

/* Copies the command; it may not carry a password or a code.
 * Fail: USAGE, LIMIT (too many wait), NOMEM. */
TACIT_MUST_USE enum tacit_err runner_post(
        struct runner *r, const struct tacit_command *c, uint64_t *ticket);
/* A page of the history: RUNNER_HISTORY events, oldest first, then RUNNER_ENDED. */
TACIT_MUST_USE enum tacit_err runner_history(
        struct runner *r, struct host_span span, uint64_t *ticket);
/* The conversations that are known here, without asking the server: CONVERSATION notices, then
 * OUTGOING ones of what waits to be sent. */
TACIT_MUST_USE enum tacit_err runner_conversations(struct runner *r, uint64_t *ticket);
/* Anything else that needs the host: job runs in the runner's thread; its error
 * ends the ticket. ctx must live until RUNNER_ENDED has come or runner_stop has returned. The job
 * asks runner_cancelled now and then, and may tell by runner_tell. */
typedef enum tacit_err runner_job_fn(struct runner *r, struct host *h, void *ctx);
TACIT_MUST_USE enum tacit_err runner_job(
        struct runner *r, runner_job_fn *job, void *ctx, uint64_t *ticket);
/* The same in another thread, with a host of its own on the same profile, made when it is first
 * needed: what takes long (a file) keeps nothing else waiting. Such jobs follow one another. */
TACIT_MUST_USE enum tacit_err runner_side_job(
        struct runner *r, runner_job_fn *job, void *ctx, uint64_t *ticket);
/* A ticket that waits is dropped, one under way is broken off: both end with CANCELLED, unless it
 * has ended already. A SEND that is broken off may have arrived; it is kept and sent again. */
void runner_cancel(struct runner *r, uint64_t ticket);

/* --- for jobs, in the runner's thread -------------------------------------------------------- */

bool runner_cancelled(const struct runner *r);
/* A RUNNER_NOTICE of the job's ticket: views are copied. Fails: CANCELLED (stopped), NOMEM. */
TACIT_MUST_USE enum tacit_err runner_tell(struct runner *r, const struct tacit_notice *n);

#endif
