/* housekeeping.h - deletes what is over: expired rows and their blobs every minute, and at start
 * the blobs that no row names (a crash between the two). A thread of its own; the work goes through
 * the lanes, so it never holds up a request for long. */
#ifndef TACIT_SERVER_HOUSEKEEPING_H
#define TACIT_SERVER_HOUSEKEEPING_H

#include "base/env.h"
#include "server/api/api.h"
#include "server/job/job.h"

struct housekeeping;

struct housekeeping_settings { /* all borrowed for the thread's life */
	struct tacit_env env;
	struct job_pool *pool;
	struct blob_store *blobs;
	struct api *api;
	const char *store_url;
};

/* Fails: NOMEM, IO (thread). */
TACIT_MUST_USE enum tacit_err housekeeping_start(
        const struct housekeeping_settings *s, struct housekeeping **out);
/* Before the pool stops. NULL is fine. */
void housekeeping_stop(struct housekeeping *h);

#endif
