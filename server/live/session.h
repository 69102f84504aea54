/* session.h - one Engine.IO session and the Socket.IO connections in it, as a protocol: bytes in,
 * packets out. No I/O, no clock, no thread: home.c carries it.
 *
 *   OPEN --CLOSE, bad packet, second poll, timeout, too slow--> CLOSED
 *
 * What happens is told by session_ops. A session that is CLOSED answers no more; its owner sees
 * `closed` at the end of the turn and gives it up. */
#ifndef TACIT_SERVER_LIVE_SESSION_H
#define TACIT_SERVER_LIVE_SESSION_H

#include "server/live/live.h"
#include "server/live/wire.h"

struct session;
struct member;
struct user;

/* A Socket.IO connection: to one namespace of a session. */
struct live_socket {
	struct session *session;
	struct live_socket *next; /* of the session */
	char *path;               /* NULL: "/" */
	bool accepted;
	/* What follows is the owner's. */
	struct live_handle handle;
	struct live_identity who;
	struct user *user;
	struct live_socket *next_of_user;
	struct member *rooms;
	bool behind; /* frames of a room were dropped */
	bool missed; /* something that may not be: its session is about to be closed */
};

struct session_ops {
	/* A client asks to connect; session_accept or session_refuse follows, now or later. False:
	 * out of memory. */
	bool (*connect)(struct session *s, struct live_socket *k, const json_t *auth);
	void (*event)(struct session *s, struct live_socket *k, const struct live_event *e);
	/* k ends, accepted or not, and is freed afterwards. */
	void (*gone)(struct session *s, struct live_socket *k);
	/* Instead of Socket.IO, when not NULL: messages as they come. */
	void (*message)(struct session *s, bool binary, struct tacit_bytes data);
	/* A PONG: the next PING is due in ping_interval. */
	void (*pong)(struct session *s);
	/* There is something to send, or the session is closed. */
	void (*stirred)(struct session *s);
};

enum session_transport { SESSION_POLLING, SESSION_WEBSOCKET };

/* How the client hears of the end, if it still listens. */
enum session_end { SESSION_SAY_NOOP, SESSION_SAY_CLOSE };

struct session_bucket {
	int64_t at_ms;
	double tokens;
};

struct session {
	const struct live_settings *settings; /* every default filled in */
	const struct session_ops *ops;
	void *owner;
	enum session_transport transport;
	bool upgrading;  /* a probe was answered */
	bool parked;     /* a polling request waits */
	bool told_to_go; /* a DISCONNECT was said */
	bool trusted;    /* the owner's: messages may be as large as max_payload */
	bool closed;
	enum session_end end;
	uint16_t close_code; /* for the WebSocket */
	struct net_ring ring;
	struct live_socket *sockets;
	struct tacit_sio_assembly *assembly; /* NULL: none is under way */
	struct session_bucket bucket;
	uint64_t dropped, refused;
};

/* s is {0}. */
void session_init(struct session *s, const struct live_settings *settings,
        const struct session_ops *ops, void *owner, enum session_transport transport);
/* Closes, and frees what it holds. */
void session_clear(struct session *s);

/* Queues the OPEN packet. */
void session_open(struct session *s, const char *sid);
void session_ping(struct session *s);

/* A polling request for packets. False: refused (400), and the session may be closed. */
bool session_poll(struct session *s);
/* How large a message, or the body of a POST, may be: who was never let in needs room for a token.
 */
size_t session_max_message(const struct session *s);
/* Does the parked request have something to be answered with? */
bool session_poll_ready(const struct session *s);
/* The answer to the parked request. Fails: NOMEM; then the session is closed. */
TACIT_MUST_USE enum tacit_err session_answer(struct session *s, struct tacit_buf *out);
/* The body of a POST. False: refused (400), and the session may be closed. */
bool session_post(struct session *s, struct tacit_bytes body, int64_t now_ms);
/* A message of the session's WebSocket. */
void session_websocket(struct session *s, const struct tacit_ws_message *m, int64_t now_ms);
/* A message of a WebSocket that wants to become the session's. */
enum session_probe { SESSION_PROBE_WAITS, SESSION_PROBE_TAKEN, SESSION_PROBE_REFUSED };
enum session_probe session_probe(
        struct session *s, const struct tacit_ws_message *m, struct net_ring *out);
void session_probe_ended(struct session *s);

void session_close(struct session *s, enum session_end end, uint16_t close_code);

/* Of a socket that asked to connect. */
void session_accept(struct session *s, struct live_socket *k, const char *sid);
void session_refuse(struct session *s, struct live_socket *k, struct tacit_bytes error);
/* Says DISCONNECT, ends k. The client is expected to close the session with its last one: what we
 * say ourselves could overtake the DISCONNECT in a stock client. */
void session_disconnect(struct session *s, struct live_socket *k);

/* For a room's frames: false when the queue is full. */
bool session_offer(struct session *s, struct net_frame *f);
/* For those that may not be missed, but must not end anything now: false when even for them there
 * is no room, and the session is to be closed. */
bool session_push(struct session *s, struct net_frame *f);
/* For all others: a peer that lets them pile up is closed. NULL: out of memory, closed, too. f
 * stays the caller's. */
void session_send(struct session *s, struct net_frame *f);
void session_ack(struct session *s, const struct live_socket *k, int64_t ack,
        struct tacit_bytes inside, const struct tacit_bytes *binary, size_t count);
/* The queue is at most half full. */
bool session_has_room(const struct session *s);

#endif
