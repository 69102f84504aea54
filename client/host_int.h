/* host_int.h - what the parts of the host share. */
#ifndef TACIT_CLIENT_HOST_INT_H
#define TACIT_CLIENT_HOST_INT_H

#include "client/host.h"
#include "client/localstore.h"
#include "engine/effects.h"

#define MAX_PROBLEM 800

struct host {
	struct tacit_env env;
	struct tacit_buf folder; /* NUL-terminated */
	struct localstore *store;
	struct http *http;
	struct tacit_engine *engine;
	const volatile sig_atomic_t *cancel;
	const struct http_watch *watch;
	char problem[MAX_PROBLEM];
	struct tacit_buf ca_file; /* as in use; to be remembered with the server */
	bool insecure_http;
	host_say *say; /* while there is a live connection */
	void *say_ctx;
	uint64_t turns_of_others;
	bool stale; /* the engine may be ahead of the store: build it again before the next use */
};

/* One command on its way. */
struct run {
	host_deliver *deliver;
	void *ctx;
	uint64_t op;
	bool ended;
	enum tacit_err outcome;
	struct tacit_effects waiting; /* SENDs, in order */
	size_t next;
};

/* Waits for the profile's turn; localstore_unlock ends it. Fails: CANCELLED, IO. */
TACIT_MUST_USE enum tacit_err host_take_turn(struct host *h);
/* In its turn: the engine becomes what the store says. Fails: as host_unlock. */
TACIT_MUST_USE enum tacit_err host_freshen(struct host *h);
/* All of a step or nothing of it. Fails: the store's errors. */
TACIT_MUST_USE enum tacit_err host_persist(struct host *h, const struct tacit_effects *fx);

#endif
