/* agent_int.h - what all of the agent shares. */
#ifndef TACIT_AGENT_AGENT_INT_H
#define TACIT_AGENT_AGENT_INT_H

#include "agent/agent.h"
#include "agent/settings.h"
#include "base/env.h"
#include "crypto/secret.h"

#define AGENT_TOKEN_BYTES 32

struct agent {
	const struct agent_options *o;
	struct agent_settings settings;
	struct tacit_env env;
	uint16_t port;
	bool token_wanted;
	char token[2 * AGENT_TOKEN_BYTES + 1]; /* secret */
	struct tacit_buf token_path;
	char server[600]; /* as it is given, or the default */
	struct people *people;
	struct sessions *sessions;
};

/* A clock that does not go back, in seconds. */
int64_t agent_monotonic_s(void);
bool agent_is_ending(const struct agent *a);

/* Makes the token, or takes the one that is there: 64 hex digits in a file that only the user can
 * read. Fails: IO (see problem), NOMEM. */
TACIT_MUST_USE enum tacit_err agent_token_load(struct agent *a, char *problem);

#endif
