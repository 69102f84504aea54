/* conn.h - a connection: its socket, events, deadline and unread bytes, whatever it speaks.
 *
 * What it speaks is a struct conn_ops: HTTP/1.1 at first (exchange.c). An upgrade exchanges the ops
 * in the middle of a turn (line.c), and what has been read stays in c->input for its successor. */
#ifndef TACIT_SERVER_NET_CONN_H
#define TACIT_SERVER_NET_CONN_H

#include <event2/event_struct.h>
#include <netinet/in.h>

#include "server/net/http1.h"
#include "server/net/io.h"
#include "server/net/letter.h"
#include "server/net/line.h"
#include "server/net/loop.h"

struct exchange;

enum http_state {
	HTTP_STATE_HEAD,
	HTTP_STATE_BODY,
	HTTP_STATE_WAIT,
	HTTP_STATE_SEND,
	HTTP_STATE_SENT,
	HTTP_STATE_REST,
	HTTP_STATE_LINGER,
};

/* What HTTP keeps between exchanges. */
struct http_conn {
	enum http_state state;
	bool head_begun; /* the first byte has come, and the head's time runs */
	bool last;       /* the connection ends after this exchange */
	struct http1_scan scan;
	uint64_t rest;      /* of a body that nobody wants */
	struct exchange *x; /* NULL between exchanges */
};

/* What a line keeps (line.c). */
struct line_conn {
	const struct net_line_ops *ops;
	void *ctx;
	struct net_ring *ring;
	bool progress;         /* the last try moved something */
	bool ended, lingering; /* the owner has gone; all has left */
	bool paused;           /* the owner has no room for more */
	struct http_taker taker;
	struct net_letter letter;  /* when it moves to another loop */
	struct net_shared *shared; /* likewise: the loop that it left may end before it arrives */
};

struct conn {
	struct net_loop *loop;
	uint32_t slot;
	bool counted; /* in shared->peers */
	bool read_armed;
	bool write_armed, want_write;
	bool dead;   /* the socket is closed at the end of this turn */
	bool moving; /* it goes to another loop at the end of this turn */
	const struct conn_ops *ops;
	struct net_io io;
	struct event readable, writable;
	union {
		sa_family_t family;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} peer;
	struct tacit_bytes input; /* unread; outside of a turn it lies in `in` */
	struct tacit_buf in;
	struct tacit_buf out; /* goes out before anything else; only when the socket was full */
	size_t out_sent;
	struct http_conn http;
	struct line_conn line;
};

struct conn_ops {
	bool (*wants_input)(const struct conn *c);
	void (*readable)(struct conn *c);
	void (*writable)(struct conn *c);
	void (*expired)(struct conn *c);
	void (*stop)(struct conn *c); /* the server ends: no new exchange */
	/* The socket has gone. False: something is under way and conn_turn will come again. */
	bool (*buried)(struct conn *c);
};

extern const struct conn_ops http_conn_ops;

static inline const struct net_settings *conn_settings_of(const struct conn *c)
{
	return &c->loop->shared->settings;
}
static inline const struct http_app *conn_app_of(const struct conn *c)
{
	return &c->loop->shared->app;
}
static inline int64_t conn_head_ms(const struct conn *c)
{
	return (int64_t)conn_settings_of(c)->head_timeout_s * 1000;
}
static inline int64_t conn_write_ms(const struct conn *c)
{
	return (int64_t)conn_settings_of(c)->write_timeout_s * 1000;
}

/* Takes fd only on success. NULL: out of memory. */
struct conn *conn_new(
        struct net_loop *l, int fd, const struct sockaddr_storage *peer, bool counted);
struct sockaddr_storage conn_peer(const struct conn *c);

/* Runs step as the turn of c, which may be gone afterwards. */
void conn_turn(struct conn *c, void (*step)(struct conn *c));
/* For the end of the loop: closes, whatever is under way. */
void conn_kill(struct conn *c);

/* Leaves its loop's events and slot, at the end of a turn; then it is nobody's. */
void conn_detach(struct conn *c);
/* On the thread of the loop that it joins. False: that loop is full or ends. */
bool conn_attach(struct conn *c);
/* Closes and frees what is nobody's. */
void conn_discard(struct conn *c);

/* Within the turn: HTTP is over, and c is taker's. */
void line_take_over(struct conn *c, const struct http_taker *taker);
/* At the end of it, when it must move. */
void line_depart(struct conn *c);

/* --- within a turn --- */
/* Reads what is there behind c->input. False: nothing came, and c may be dead. */
bool conn_receive(struct conn *c);
/* Reads into room bytes at `at`, *placed of them, and what is more, at most CONN_BEHIND_BYTES, into
 * c->input, which is empty before. False: as conn_receive. */
#define CONN_BEHIND_BYTES ((size_t)4096)
bool conn_receive_at(struct conn *c, uint8_t *at, size_t room, size_t *placed);
/* Accounts for what net_io_receive gave, wherever it went. */
bool conn_received(struct conn *c, enum net_io_result result, size_t got);
void conn_consume(struct conn *c, size_t bytes);
/* Sends head, then body, behind what is in c->out. What does not leave of head is kept in c->out;
 * *body_sent tells how much of body left. OK: everything has left. AGAIN: c->want_write is set. */
enum net_io_result conn_send(struct conn *c, struct tacit_bytes head, struct tacit_bytes body,
        bool more, size_t *body_sent);
void conn_set_timeout(struct conn *c, int64_t ms); /* 0: none */

/* The exchange that h names, when it is this connection's. */
bool conn_is(const struct conn *c, struct http_handle h);
/* Mail for the exchange of c; within its turn or without. */
void conn_reply(struct conn *c, struct http_response *r);
void conn_resume(struct conn *c);

#endif
