/* pending.h - what an account needs of which the server may know already and its profile not yet:
 * the second factor's secret, sealed by the password, in a file beside the profiles. It is there
 * before the server hears of a registration's end, and goes once the profile has it; so whatever
 * ends the agent or the connection between the two, a login goes on from it. */
#ifndef TACIT_AGENT_PENDING_H
#define TACIT_AGENT_PENDING_H

#include "agent/agent_int.h"
#include "agent/totp.h"
#include "wire/limits.h"

/* Whose file, and what opens it. */
struct pending_owner {
	const struct agent *agent;
	struct tacit_bytes username, password;
};

/* Secret: wipe with tacit_wipe. */
struct pending {
	struct totp_keep keep;
	char email[TACIT_MAX_EMAIL + 1];
};

/* On disk when it returns, in place of an earlier one. Fails: IO, NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err pending_put(const struct pending_owner *o, const struct pending *p);
/* Fails: NOT_FOUND; BAD_PASSWORD (another one); BAD_SEAL, MALFORMED, UNSUPPORTED (changed); IO (not
 * ours alone), NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err pending_get(const struct pending_owner *o, struct pending *out);
void pending_forget(const struct pending_owner *o);

#endif
