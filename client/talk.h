/* talk.h - the client's side of the live protocol: WebSocket, Engine.IO 4, Socket.IO 5, default
 * namespace. Bytes in, events out; no I/O, no clock of its own (times are milliseconds on any
 * clock that does not go back).
 *
 *   begin -> HTTP upgrade -> Engine.IO OPEN -> Socket.IO CONNECT -> open: events both ways -> ended
 *
 * A talk is for one connection: the next one begins anew. */
#ifndef TACIT_CLIENT_TALK_H
#define TACIT_CLIENT_TALK_H

#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"

struct talk;

#define TALK_MAX_MESSAGE (32 * 1024 * 1024) /* bytes, of one event of the server's */
#define TALK_MAX_WAITING                                                                           \
	2048 /* events that were not taken yet; then they are dropped,                             \
	      * and one event "fell_behind" stands for them all */
#define TALK_MAX_WAITING_BYTES (2 * TALK_MAX_MESSAGE) /* likewise, of their bodies */
#define TALK_MAX_UNSENT (1024 * 1024) /* bytes that the server does not read: it ends the talk */
#define TALK_HANDSHAKE_MS 20000

enum talk_state { TALK_GREETING, TALK_OPEN, TALK_ENDED };

/* server: its origin ("https://chat.example.org"). cookie: "name=value", secret. What is to be sent
 * is in talk_output. Fails: NOMEM, CRYPTO. */
struct talk_options {
	const struct tacit_env *env; /* for masks and the key */
	const char *server;
	struct tacit_bytes cookie;
	int64_t now;
};
TACIT_MUST_USE enum tacit_err talk_begin(const struct talk_options *o, struct talk **out);
void talk_free(struct talk *t); /* wipes; NULL is fine */

enum talk_state talk_state(const struct talk *t);
/* Why it ended: NOT_LOGGED_IN, UNSUPPORTED (nothing live there), LIMIT (told to come later),
 * NETWORK, MALFORMED, NOMEM. */
enum tacit_err talk_problem(const struct talk *t);

/* Bytes that came. Whatever is wrong with them ends the talk. */
void talk_input(struct talk *t, struct tacit_bytes bytes, int64_t now);
/* The connection is closed. */
void talk_hung_up(struct talk *t);
/* Ends the talk when the server has been silent for too long. */
void talk_clock(struct talk *t, int64_t now);
/* When it would be too long. */
int64_t talk_due(const struct talk *t);

/* What is to be sent, and that so much of it was. */
struct tacit_bytes talk_output(const struct talk *t);
void talk_sent(struct talk *t, size_t n);

/* One event for the server; dropped when the talk is not open. body: JSON. Fails: NETWORK (too much
 * is unsent), NOMEM. */
TACIT_MUST_USE enum tacit_err talk_say(struct talk *t, const char *name, struct tacit_bytes body);
/* Ends the talk politely: a Close frame is in the output. */
void talk_bye(struct talk *t);

struct talk_event {
	struct talk_event *next;
	struct tacit_buf name,
	        body; /* body: the first argument, JSON; "null" when there was none */
};
/* The next event, the caller's to free; NULL: none. Those that came before the end are still given.
 */
struct talk_event *talk_next(struct talk *t);
void talk_event_free(struct talk_event *ev); /* wipes; NULL is fine */

#endif
