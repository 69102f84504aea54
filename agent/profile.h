/* profile.h - which profile of this machine is an account's: the agent's own, or one that the
 * command line has made. */
#ifndef TACIT_AGENT_PROFILE_H
#define TACIT_AGENT_PROFILE_H

#include "agent/agent_int.h"
#include "client/host.h"

#define PROFILE_NAME_ROOM 65

/* The agent's own name for an account: "agent-alice-1a2b3c4d", the digits from the server's
 * address, so that two servers may have an alice. */
void profile_name(const struct agent *a, struct tacit_bytes username, char out[PROFILE_NAME_ROOM]);
/* The address that stands for none: the salt of the password needs one (contract 2). It depends on
 * the name alone, so that the account can be used from any machine. Appended. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err profile_placeholder_email(
        struct tacit_bytes username, struct tacit_buf *out);
bool profile_email_is_placeholder(struct tacit_bytes email);

/* Opens the profile of the account, locked. Fails: NOT_FOUND (none has it), and as host_open. */
TACIT_MUST_USE enum tacit_err profile_open(
        const struct agent *a, struct tacit_bytes username, struct host **out);
/* Makes the agent's own one, empty, or opens it. Fails: as host_open. */
TACIT_MUST_USE enum tacit_err profile_create(
        const struct agent *a, struct tacit_bytes username, struct host **out);
/* Closes h; when it has no account, nothing of it stays. NULL is fine. */
void profile_discard(const struct agent *a, struct tacit_bytes username, struct host *h);

#endif
