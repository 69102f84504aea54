/* nearby.h - the other agent on this network, where the server cannot be reached: the creator
 * listens and is announced by multicast DNS (client/lan.h), the joiner asks and calls
 * (client/race.h). docs/agent.md, "Between two agents". */
#ifndef TACIT_AGENT_NEARBY_H
#define TACIT_AGENT_NEARBY_H

#include "agent/link.h"

struct nearby_wish {
	enum link_end end;
	const uint8_t *root; /* TACIT_PARCEL_ROOT_BYTES; NULL: the two have not met */
	int64_t until_s;     /* monotonic */
};

/* Waits for it. line gets the connection; with a root, c the channel in it, open. line and c are
 * empty before, and stay so when it fails. Fails: NOT_FOUND (not in time), IO (no network, or no
 * multicast in it), CANCELLED (the session is over), NETWORK, NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err nearby_find(const struct session *s, const struct nearby_wish *w,
        struct link_line *line, struct tacit_channel *c);

#endif
