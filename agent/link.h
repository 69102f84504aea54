/* link.h - a session's way to the other agent, first to meet, then to exchange files, for as long
 * as the session lives: through the relay of a tacitd, or where that cannot be reached on this
 * network (nearby.h). */
#ifndef TACIT_AGENT_LINK_H
#define TACIT_AGENT_LINK_H

#include "agent/session.h"
#include "client/direct.h"
#include "client/relay.h"

/* The session's thread: returns when the session is over. */
void link_run(struct session *s);

/* One connection: to the relay, or to the other agent itself. Empty is {0}. */
struct link_line {
	struct http *http;
	struct relay *relay;
	struct direct *direct;
};
enum link_end { LINK_FIRST, LINK_SECOND }; /* creator, joiner */
/* To the relay: meets whoever knows the same id. Fails: as http_open and relay_open. */
TACIT_MUST_USE enum tacit_err link_line_open(struct link_line *l, const struct session *s,
        const uint8_t id[TACIT_RELAY_ID_BYTES], enum link_end end);
void link_line_close(struct link_line *l); /* what was sent leaves, if it does soon */
/* Fails: as relay_send. */
TACIT_MUST_USE enum tacit_err link_line_send(struct link_line *l, struct tacit_bytes message);
/* What the other agent says next, borrowed until the next call. *got false: the time is over.
 * Fails: as relay_next, and what the relay has ended it for: GONE, BAD_PASSWORD, LIMIT. */
TACIT_MUST_USE enum tacit_err link_line_next(
        struct link_line *l, int timeout_ms, struct tacit_bytes *message, bool *got);
void link_line_say_wrong(struct link_line *l);

/* One meeting, once both are there. *began: the other one has got from us what
 * it needs to check one guess. root gets the key. Fails: BAD_PASSWORD, GONE (it left, or was too
 * slow), MALFORMED, NETWORK, CANCELLED, NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err link_meet(
        struct link_line *l, struct meeting *m, bool *began, uint8_t root[TACIT_PARCEL_ROOT_BYTES]);
/* At the relay: waits until the other end is there. *paired false: the time is over. Fails: as
 * relay_next, GONE (the relay has ended it), LIMIT. */
TACIT_MUST_USE enum tacit_err link_wait_paired(struct link_line *l, int timeout_ms, bool *paired);

#endif
