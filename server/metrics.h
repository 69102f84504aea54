/* metrics.h - counters of the process, written in Prometheus' text form. Any thread. */
#ifndef TACIT_SERVER_METRICS_H
#define TACIT_SERVER_METRICS_H

#include "base/buf.h"
#include "base/err.h"
#include "server/job/job.h"
#include "server/live/live.h"
#include "server/net/server.h"
#include "server/relay/relay.h"

struct metrics;

/* Requests are counted by index, 0 to count - 1; index `count` is for those of no route. label
 * tells what an index is called, in static text. NULL: out of memory. */
struct metrics_label {
	const char *method, *route;
};
struct metrics *metrics_new(size_t count, struct metrics_label (*label)(size_t index));
void metrics_free(struct metrics *m);

void metrics_request(struct metrics *m, size_t index, int status);
/* Things of which there is a counter. */
enum metrics_counter {
	METRICS_GROUP_COMMITS,           /* commits that were given a place (RFC 9420 14) */
	METRICS_GROUP_COMMITS_CONFLICTS, /* another one was first */
	METRICS_UNDECRYPTABLE,           /* messages, by the word of clients */
	METRICS_MISSING,                 /* the same: what never came */
	METRICS_COUNTERS
};
void metrics_add(struct metrics *m, enum metrics_counter which, uint64_t n);
/* How long one took. */
void metrics_time(struct metrics *m, uint64_t microseconds);

struct metrics_view { /* what others know */
	struct net_stats net;
	struct job_stats jobs;
	struct live_stats live;
	struct relay_stats relay;
	int64_t users, conversations, messages, files, uptime_s;
};
/* Appended. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err metrics_write(
        const struct metrics *m, const struct metrics_view *view, struct tacit_buf *out);

#endif
