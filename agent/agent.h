/* agent.h - `tacit agent`: a plain HTTP interface on loopback for the user's own programs, contract
 * 6 and docs/agent.md. It holds the keys of those who are logged in, and the keys of transfers. */
#ifndef TACIT_AGENT_AGENT_H
#define TACIT_AGENT_AGENT_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define AGENT_DEFAULT_LISTEN "127.0.0.1:8080"

enum agent_access { AGENT_WITH_TOKEN, AGENT_WITHOUT_TOKEN };

/* It listens. token_file is NULL without a token. */
struct agent_ready {
	const char *url, *token_file;
};

struct agent_options {
	const char *listen;  /* NULL: AGENT_DEFAULT_LISTEN; port 0: any that is free */
	const char *server;  /* NULL: HOST_DEFAULT_SERVER */
	const char *ca_file; /* NULL: the system's */
	bool insecure_http;
	enum agent_access access;
	const volatile sig_atomic_t *cancel; /* a signal has come: end */
	void (*ready)(void *ctx, const struct agent_ready *r);
	void *ctx;
};

#define AGENT_PROBLEM_ROOM 400

/* Serves until a signal comes; settings beside the options come from the environment
 * (MAX_FILE_SIZE, UPLOAD_FOLDER, SESSION_TIMEOUT). Signals are the calling thread's alone. problem
 * says why it failed; from outside: sanitise. Fails: USAGE (an option or a setting), IO (the
 * address is in use, a folder cannot be used), CRYPTO, NOMEM. */
TACIT_MUST_USE enum tacit_err agent_run(
        const struct agent_options *o, char problem[AGENT_PROBLEM_ROOM]);

/* Writes the systemd user unit for these options, in place of an earlier one, and enables it where
 * systemctl is at hand (*enabled). said gets the unit's path, or says why it failed.
 * Fails: USAGE (an option, a program's path with control characters), IO, NOMEM. */
TACIT_MUST_USE enum tacit_err agent_install(const struct agent_options *o, const char *program,
        char said[AGENT_PROBLEM_ROOM], bool *enabled);

#endif
