/* join.h - the joiner's side of a meeting, whichever agent the session was made by. */
#ifndef TACIT_AGENT_JOIN_H
#define TACIT_AGENT_JOIN_H

#include "agent/exchange.h"
#include "agent/session.h"

struct join_wish {
	const char *id;
	struct tacit_bytes password, verification_code;
	char digits[MEETING_CODE_DIGITS + 1]; /* of a code that came as a number */
};

/* The session, joined, is held for the caller. Fails: REFUSED (x says why), NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err join_session(
        struct exchange *x, const struct join_wish *w, struct session **out);

#endif
