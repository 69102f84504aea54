/* relay.h - a connection to the relay of account-less transfers: a WebSocket over client/wire, its
 * messages those of wire/relay.h. Waits with poll(2), and never longer than told. One thread. */
#ifndef TACIT_CLIENT_RELAY_H
#define TACIT_CLIENT_RELAY_H

#include "client/http.h"
#include "wire/relay.h"

struct relay;

#define RELAY_SILENCE_MS 60000 /* the relay says something every 20 seconds */

struct relay_options {
	struct http *http; /* outlives the relay */
	const struct tacit_env *env;
	const char *query; /* "open=1", "claim=7", "resume=...&role=sender" */
	const volatile sig_atomic_t *cancel;
};

/* Connects and upgrades. Fails: NETWORK (see http_problem), LIMIT, UNSUPPORTED (no relay there),
 * CANCELLED, NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err relay_open(const struct relay_options *o, struct relay **out);
void relay_close(struct relay *r); /* what was sent leaves, if it does soon; NULL is fine */

/* Waits only while too much is on its way. Fails: NETWORK, CANCELLED, NOMEM. */
TACIT_MUST_USE enum tacit_err relay_send(struct relay *r, const struct tacit_relay_message *m);
/* Where the data of a message of n bytes is best made, for relay_send to find it there: it is not
 * copied then, and may be changed. NULL: no memory. */
uint8_t *relay_place(struct relay *r, size_t n);

/* For poll(2), of who waits for something else, too; readable is a hint. */
int relay_fd(const struct relay *r);

enum { RELAY_FOR_EVER = -1 };
/* The next message, borrowed until the next call of this or relay_send. *got false: the time is
 * over. Sends meanwhile. Fails: NETWORK (closed, broken, silent), MALFORMED, CANCELLED, NOMEM. */
TACIT_MUST_USE enum tacit_err relay_next(
        struct relay *r, int timeout_ms, struct tacit_relay_message *m, bool *got);

#endif
