/* housekeeping.h - deletes what is over: sessions, messages and their files at their deadline, by
 * the steady clock; other expired rows every minute; at start the blobs that no row names (a crash
 * between the two). A thread of its own; the work goes through the lanes, so it never holds up a
 * request for long. Each round also marks in the store how far the steady clock has come. */
#ifndef TACIT_SERVER_HOUSEKEEPING_H
#define TACIT_SERVER_HOUSEKEEPING_H

#include "base/env.h"
#include "server/api/api.h"
#include "server/job/job.h"
#include "server/steady.h"

struct housekeeping;

struct housekeeping_settings { /* all borrowed for the thread's life */
	struct tacit_env env;
	struct steady *steady;
	struct job_pool *pool;
	struct blob_store *blobs;
	struct api *api;
	const char *store_url;
};

/* Before anything is answered: sets the steady clock by its mark, and deletes what has come to its
 * end meanwhile. Fails as the store does, NOMEM. */
struct store;
TACIT_MUST_USE enum tacit_err housekeeping_catch_up(struct store *writer,
        const struct tacit_env *env, struct steady *steady, struct blob_store *blobs);

/* Fails: NOMEM, IO (thread). */
TACIT_MUST_USE enum tacit_err housekeeping_start(
        const struct housekeeping_settings *s, struct housekeeping **out);
/* Something ends then, by the steady clock. Any thread. */
void housekeeping_deadline(struct housekeeping *h, int64_t at);
/* Before the pool stops: the last sweep goes through it. NULL is fine, here and below. */
void housekeeping_stop(struct housekeeping *h);
/* After the pool has stopped: until then it may be told of deadlines. */
void housekeeping_free(struct housekeeping *h);

#endif
