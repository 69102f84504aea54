/* traffic.h - files of a session, both ways at once, over one link: what was interrupted goes on
 * with the next one. At most TRAFFIC_WINDOW bytes are on their way, so that two who both send
 * never wait for each other. */
#ifndef TACIT_AGENT_TRAFFIC_H
#define TACIT_AGENT_TRAFFIC_H

#include "agent/link.h"

#define TRAFFIC_WINDOW (7 * TACIT_PARCEL_RECORD_BYTES)

struct traffic;

/* Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err traffic_new(struct session *s, struct traffic **out);
void traffic_free(struct traffic *t); /* NULL is fine */
/* Until the link is lost or the session over; then the other one is told.
 * Fails: GONE, NETWORK, CANCELLED, BAD_SEAL, MALFORMED, STORE_FULL, IO, NOMEM. */
TACIT_MUST_USE enum tacit_err traffic_run(
        struct session *s, struct traffic *t, struct link_line *l, struct tacit_channel *c);

#endif
