/* host.h - runs an engine: carries out its effects on this machine's disk and network.
 *
 * One host per profile and thread. Each step's effects are persisted in one transaction before
 * anything of it leaves; when that fails the engine is thrown away and built again from the store,
 * and so it is when another process of the profile has written meanwhile. */
#ifndef TACIT_CLIENT_HOST_H
#define TACIT_CLIENT_HOST_H

#include <signal.h>

#include "client/http.h"
#include "client/paths.h"
#include "engine/engine.h"

#define HOST_DEFAULT_SERVER "http://127.0.0.1:5000"

struct host;

struct host_options {
	const char *profile;
	const char *server;  /* NULL: the one remembered, else the default */
	const char *ca_file; /* NULL: the one remembered, else the system's */
	bool insecure_http;
	enum paths_mode mode; /* FIND: a profile that is not there is NOT_FOUND */
	const volatile sig_atomic_t *cancel;
};

/* Fails: BAD_NAME (profile or server), NOT_FOUND, IO, the store's errors, MALFORMED, UNSUPPORTED,
 * NOMEM. */
TACIT_MUST_USE enum tacit_err host_open(const struct host_options *o, struct host **out);
void host_close(struct host *h); /* NULL is fine */

/* Another host on the same profile and server, unlocked as h is, for another thread of the process.
 * Both then take turns as two processes do. h must not be in the middle of a call; its watch sees
 * to the waiting. Fails: CANCELLED, and as host_open and host_unlock. */
TACIT_MUST_USE enum tacit_err host_twin(struct host *h, struct host **out);

/* The engine of this moment: a later host call may replace it. */
struct tacit_engine *host_engine(const struct host *h);
struct http *host_http(const struct host *h);
const struct tacit_env *host_env(const struct host *h);
/* Why the last call failed, beyond its error; may be empty. From outside: sanitise. */
const char *host_problem(const struct host *h);

/* Company for calls that wait (http.h): for the network, and for another process's turn. Borrowed;
 * NULL ends it. */
void host_set_watch(struct host *h, const struct http_watch *w);

/* How often another process of the profile was found to have written. */
uint64_t host_turns_of_others(const struct host *h);
/* What host_problem gives from now on. */
void host_set_problem(struct host *h, const char *text);

/* By the password, or by the secret that the kernel keeps. Restores all that is stored.
 * Fail: BAD_PASSWORD; NOT_FOUND (nothing kept); the store's errors; BAD_SEAL, MALFORMED, NOMEM. */
TACIT_MUST_USE enum tacit_err host_unlock(struct host *h, struct tacit_bytes password);
TACIT_MUST_USE enum tacit_err host_unlock_kept(struct host *h);
/* Has the kernel keep the secret for a while. Fails: UNSUPPORTED (no keyring here), USAGE (locked).
 */
TACIT_MUST_USE enum tacit_err host_keep_unlocked(struct host *h);
void host_forget_secret(struct host *h);

/* This server is the profile's from now on. Fails: the store's errors. */
TACIT_MUST_USE enum tacit_err host_remember_server(struct host *h);

typedef void host_deliver(void *ctx, const struct tacit_notice *n);

/* Runs one command to its end. Notices go to deliver as they come, DONE or FAILED last.
 * Fails: what the command failed with (see host_problem), CANCELLED, the store's errors, NOMEM. */
TACIT_MUST_USE enum tacit_err host_run(
        struct host *h, const struct tacit_command *c, host_deliver *deliver, void *ctx);

/* The live connection's side (engine.h, "live"). What the engine says live goes to say; a host
 * without a connection drops it. up: joins, and fetches what was missed; event: one that came;
 * tick: what is due by the clock. Notices go to deliver as in host_run; a network that fails is not
 * an error: the engine tries again. Fail: CANCELLED, the store's errors, NOT_LOGGED_IN (event, up),
 * NOMEM. */
typedef void host_say(void *ctx, const char *name, struct tacit_bytes body);
TACIT_MUST_USE enum tacit_err host_live_up(
        struct host *h, host_say *say, host_deliver *deliver, void *ctx);
void host_live_down(struct host *h);
TACIT_MUST_USE enum tacit_err host_live_event(struct host *h, struct tacit_bytes name,
        struct tacit_bytes body, host_deliver *deliver, void *ctx);
TACIT_MUST_USE enum tacit_err host_tick(struct host *h, host_deliver *deliver, void *ctx);
/* When host_tick has something to do, in Unix seconds; INT64_MAX: never. */
int64_t host_due(const struct host *h);

/* Sealed notes of our own. put: empty deletes. Fail: the engine's and the store's errors. */
TACIT_MUST_USE enum tacit_err host_note_put(
        struct host *h, struct tacit_bytes name, struct tacit_bytes value);
TACIT_MUST_USE enum tacit_err host_note_get(
        struct host *h, struct tacit_bytes name, struct tacit_buf *value);
/* In one turn of the profile's: what is written between the two, by whomever, is not lost. change
 * gets what stands there (empty: nothing) and appends what shall; its error leaves all as it was
 * and comes back. */
typedef enum tacit_err host_note_changer(
        void *ctx, struct tacit_bytes before, struct tacit_buf *after);
TACIT_MUST_USE enum tacit_err host_note_change(
        struct host *h, struct tacit_bytes name, host_note_changer *change, void *ctx);

/* What the history has of one message. Views are owned by room; n->content is to be wiped.
 * Fails: NOT_FOUND, BAD_SEAL, the store's errors, NOMEM. */
TACIT_MUST_USE enum tacit_err host_entry(struct host *h, uint64_t conversation, uint64_t message,
        struct tacit_notice *n, struct tacit_buf *room);
/* The last `limit` entries of a conversation's history before a position (UINT64_MAX: the end),
 * oldest first, opened. Returning anything but OK from each ends the walk with that.
 * Fails: BAD_SEAL, the store's errors, NOMEM. */
struct host_span {
	uint64_t conversation, before, limit;
};
TACIT_MUST_USE enum tacit_err host_history(struct host *h, struct host_span span,
        enum tacit_err (*each)(void *ctx, const struct tacit_notice *n, uint64_t position),
        void *ctx);

#endif
