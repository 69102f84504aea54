/* relay.h - where two devices without accounts meet: docs/protocol-transfer.md 15.5. WebSockets at
 * /api/transfer, and DELETE of who leaves for good; what the two say to each other is opaque and
 * passes in flat memory.
 *
 * Blind and forgetful: it knows nameplates, resume ids and byte counts, in memory alone. One loop,
 * the first that began, is home to all of it, so that two ends are always on one thread. */
#ifndef TACIT_SERVER_RELAY_RELAY_H
#define TACIT_SERVER_RELAY_RELAY_H

#include "base/env.h"
#include "server/net/http.h"

struct relay;

#define RELAY_TICKET_BYTES 16

struct relay_settings {
	struct tacit_env env; /* randomness for nameplates */
	unsigned max_ends;    /* connections; 0: 4096 */
	unsigned max_waiting; /* nameplates of one address that nobody has claimed; 0: 16 */
	unsigned wait_s;      /* how long a nameplate waits; 0: an hour */
	unsigned rejoin_s;    /* how long one end waits for the other again; 0: half an hour */
	unsigned ping_s;      /* 0: 20 */
	unsigned cut_s;       /* a known end whose machine does not even acknowledge; 0: 30 */
	unsigned silence_s;   /* an end that says nothing, not even PONG; 0: 600 */
	size_t high_water, low_water; /* bytes queued for an end; 0: 1 MiB, 256 KiB */
};

enum relay_want { RELAY_OPEN, RELAY_CLAIM, RELAY_REJOIN, RELAY_LEAVE, RELAY_NONSENSE };

struct relay_app {
	void *ctx;
	/* NULL: welcome. Else the answer: over a rate, a page of another origin, or, for NONSENSE
	 * always, a request that is none. On a loop's thread. */
	struct http_response *(*refuse)(
	        void *ctx, const struct http_request *r, enum relay_want want);
	/* What counts as one address. */
	uint64_t (*address)(void *ctx, const struct http_request *r);
};

/* Before the loops start; freed after they have stopped. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err relay_new(
        const struct relay_settings *s, const struct relay_app *app, struct relay **out);
void relay_free(struct relay *r); /* NULL is fine */
/* The application that answers /api/transfer itself and leaves everything else to `under`. */
struct http_app relay_http_app(struct relay *r, const struct http_app *under);

struct relay_stats {
	uint64_t ends, waiting, pairs_total, wrong_total, bytes_total;
};
void relay_stats(const struct relay *r, struct relay_stats *out); /* any thread */

#endif
