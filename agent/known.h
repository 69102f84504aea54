/* known.h - which sessions this agent has told of, in a file beside its token: one that was ended
 * by the end of the process can then be told from one that never was. Nothing else of a session is
 * on the disk. */
#ifndef TACIT_AGENT_KNOWN_H
#define TACIT_AGENT_KNOWN_H

#include "agent/exchange.h"

#define KNOWN_MAX 64 /* that are told again; older ones are forgotten */

struct known {
	int fd; /* -1: another agent of this user has the file; nothing is kept */
};

struct known_session {
	char id[AGENT_ID_CHARS + 1];
	bool ours; /* it was created here, not joined */
};

/* each gets those of an earlier process, oldest first. Fails: IO, NOMEM. */
typedef void known_each(void *ctx, const struct known_session *s);
TACIT_MUST_USE enum tacit_err known_open(struct known *k, known_each *each, void *ctx);
/* On disk when it returns. Fails: IO, STORE_FULL. */
TACIT_MUST_USE enum tacit_err known_add(struct known *k, const struct known_session *s);
void known_close(struct known *k);

#endif
