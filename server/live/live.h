/* live.h - Socket.IO connections, from the application's side: who came, what they said, and one
 * frame to many at once.
 *
 * Engine.IO protocol 4 and Socket.IO protocol 5, default namespace, at /socket.io/, over
 * long-polling, WebSocket and the upgrade from one to the other. What is called a socket here is a
 * Socket.IO connection to "/"; it is named by handle, never by pointer: what is sent to one that
 * has gone is dropped.
 *
 * A socket has a home loop. Its callbacks come on that loop's thread and must not block. Calls
 * marked "any thread" reach it through the loop's mailbox; what one thread posts arrives in the
 * order in which it was posted, so a room's messages, published by the one writer after their
 * commit, reach everybody in the store's order. */
#ifndef TACIT_SERVER_LIVE_LIVE_H
#define TACIT_SERVER_LIVE_LIVE_H

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "wire/flat.h"
#include "server/net/http.h"

struct live;
struct live_frame; /* one event, encoded once for every transport; counted references */

struct live_handle {
	uint32_t loop, slot, generation;
};

/* Who a socket belongs to, from live_accept on. */
struct live_identity {
	int64_t user_id, session_id;
};

/* A client asks to connect. Valid during the call. */
struct live_hello {
	const struct http_request *request; /* that opened the session: cookies, headers, peer */
	const json_t *auth;                 /* of the CONNECT packet; NULL: none */
	const char *path;                   /* the namespace: "/", unless others are set */
};

struct live_event {
	const char *name;
	const json_t *args; /* an array, without the name; borrowed: attachments are in `binary` */
	const struct tacit_flat *flat;    /* the same; NULL: args. One of the two is there */
	const struct tacit_bytes *binary; /* what {"_placeholder":true,"num":n} stands for */
	size_t binary_count;
	int64_t ack; /* -1: none was asked for */
};

struct live_app {
	void *ctx;
	/* Answer with live_accept or live_refuse, at once or later; no event comes before. */
	void (*connect)(void *ctx, struct live_handle s, const struct live_hello *hello);
	void (*event)(void *ctx, struct live_handle s, const struct live_identity *who,
	        const struct live_event *e);
	/* Exactly once for each socket that was accepted. */
	void (*gone)(void *ctx, struct live_handle s, const struct live_identity *who);
	/* The queue of s had been full: frames of these rooms were dropped, and it has room again.
	 * The client is told to fetch from history. */
	void (*fell_behind)(void *ctx, struct live_handle s, const struct live_identity *who,
	        const int64_t *rooms, size_t room_count);
	/* At engine_path: Engine.IO alone, without Socket.IO and sockets; nothing of the above is
	 * called. For tests. What it gives back (live_message_new) is sent. */
	struct live_frame *(*message)(void *ctx, bool binary, struct tacit_bytes data);
};

struct live_settings {
	unsigned ping_interval_ms, ping_timeout_ms; /* 0: 25000, 20000 */
	size_t max_payload;                         /* 0: 1,000,000 bytes, announced to clients */
	unsigned connect_timeout_ms;                /* for the CONNECT packet; 0: 45000 */
	unsigned max_queue_bytes, max_queue_frames; /* of one connection; 0: 256 KiB, 1024 */
	unsigned events_per_second; /* of one connection, with a burst of ten seconds' worth; costs
	                             * are charged before a packet is parsed deep. 0: no limit */
	unsigned max_per_user;      /* sockets; beyond, the oldest is closed. 0: no limit */
	const char *path;           /* NULL: "/socket.io" */
	const char *engine_path;    /* of live_app.message; NULL: nowhere */
	/* Namespaces beside "/", the last one NULL; each makes sockets of their own. NULL: none. */
	const char *const *namespaces;
	bool flat; /* the application reads live_event.flat where the event allows it */
};

/* Any thread. Fails: NOMEM, and s is closed without having been accepted. */
TACIT_MUST_USE enum tacit_err live_accept(struct live_handle s, const struct live_identity *who);
/* connect_error with this message and {"code": code} as data. */
void live_refuse(struct live_handle s, const char *message, const char *code);
/* Says DISCONNECT; the socket has gone with this call. The client closes the session then, and if
 * it doesn't, we do, a little later. */
void live_disconnect(struct live_handle s);

/* One event: args is the text of a JSON array's inside, as `"name",{...}` is inside ["name",{...}].
 * order: the message's id, for live_open below; 0: none. NULL: out of memory. */
struct live_frame *live_frame_new(struct tacit_bytes args, int64_t order);
/* With attachments, which {"_placeholder":true,"num":n} in args stand for: an own event, for
 * count == 0 the same as above. At most 10. */
struct live_frame *live_frame_new_binary(
        struct tacit_bytes args, const struct tacit_bytes *binary, size_t count, int64_t order);
/* An Engine.IO message, for live_app.message. */
struct live_frame *live_message_new(bool binary, struct tacit_bytes data);
struct live_frame *live_frame_hold(struct live_frame *f);
void live_frame_drop(struct live_frame *f); /* NULL is fine */

/* Any thread. f stays the caller's. */
void live_emit(struct live_handle s, struct live_frame *f);
/* The acknowledgement that an event asked for: the text inside of the array. Does nothing when ack
 * is negative. */
void live_ack(struct live_handle s, int64_t ack, struct tacit_bytes args);
void live_ack_binary(struct live_handle s, int64_t ack, struct tacit_bytes args,
        const struct tacit_bytes *binary, size_t count);

/* What a socket that has joined waits for. */
struct live_opening {
	uint64_t join; /* what live_join gave; 0: whichever is the latest */
	int64_t known; /* messages with a lower or equal order are known, from history */
	bool stays;    /* false: it gets the history, but leaves the room */
	struct live_frame *history; /* stays the caller's; NULL: none */
};
/* Any thread. A socket that has joined gets the room's frames, but they are held back (bounded)
 * until live_open: so history and live messages meet without a gap and without a double. A history
 * that the queue has no room for is dropped like the rest, and told by fell_behind. Who joins again
 * begins anew: what was held is dropped, and the openings of earlier joins only bring their
 * histories. */
uint64_t live_join(struct live_handle s, int64_t room);
void live_open(struct live_handle s, int64_t room, const struct live_opening *o);
/* join as above. */
void live_leave(struct live_handle s, int64_t room, uint64_t join);
/* One of the room's frames for this socket alone: nothing, when it has not joined. */
void live_whisper(struct live_handle s, int64_t room, struct live_frame *f);

/* Any thread: is there a socket at all? Who is accepted after a no has read nothing yet. */
bool live_anyone(const struct live *l);
/* Any thread: to everybody who has joined room, on all loops; except (may be NULL) gets nothing. */
void live_publish(
        struct live *l, int64_t room, struct live_frame *f, const struct live_handle *except);
/* Any thread: to all sockets of a user. */
void live_publish_user(struct live *l, int64_t user_id, struct live_frame *f);
/* Any thread: the user's sockets leave the room (0: every user's do). */
void live_evict(struct live *l, int64_t room, int64_t user_id);
/* Any thread: something could not be told (there is no memory). All sessions are closed; clients
 * come back, join and read what they missed. What fails within this module does so by itself. */
void live_give_up(struct live *l);
/* Any thread: the login's sockets are disconnected; with session_id 0 all of the user's. */
void live_end(struct live *l, int64_t user_id, int64_t session_id);

/* What live asks the application about a request, on a loop's thread; ctx is live_app's. Each may
 * be NULL: everything is allowed then. */
struct live_http {
	/* May pages of this origin open a WebSocket? Asked for those that are neither the server's
	 * own nor without an Origin header, since cookies come with any page's. */
	bool (*origin_listed)(void *ctx, struct tacit_bytes origin);
	/* A new session: is the address within its rate? *retry_after is in seconds. */
	bool (*admit)(void *ctx, const struct http_request *r, unsigned *retry_after);
};
/* The application that answers /socket.io/ itself and leaves everything else to `under`, in whose
 * place it goes into net_server_new. Before the loops start; http may be NULL. */
struct http_app live_http_app(
        struct live *l, const struct http_app *under, const struct live_http *http);

/* Before the loops start; freed after they have stopped. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err live_new(
        const struct live_settings *s, const struct live_app *app, struct live **out);
void live_free(struct live *l);

struct live_stats {
	uint64_t sockets, polling, events_in, frames_out, dropped_frames, refused_events;
};
void live_stats(const struct live *l, struct live_stats *out); /* any thread */

#endif
