/* loop.h - one thread, one event_base, one listener, and the connections that were accepted on it.
 * Nothing here is shared but struct net_shared and the counters. */
#ifndef TACIT_SERVER_NET_LOOP_H
#define TACIT_SERVER_NET_LOOP_H

#include <event2/event.h>
#include <event2/listener.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "server/net/peers.h"
#include "server/net/server.h"

struct conn;

struct net_shared {
	struct net_settings settings; /* every default filled in */
	bool loopback_exempt;
	struct http_app app;
	struct net_peers *peers;
	pthread_mutex_t tls_lock;
	SSL_CTX *tls; /* under tls_lock; NULL: in the clear */
};

/* Written by the loop's thread, read by any. */
struct net_counters {
	_Atomic uint64_t open, total, bytes_in, bytes_out, refused, malformed, timeouts;
};

static inline void net_count(_Atomic uint64_t *counter, uint64_t n)
{
	uint64_t now = atomic_load_explicit(counter, memory_order_relaxed);
	atomic_store_explicit(counter, now + n, memory_order_relaxed);
}

#define NET_INPUT_BYTES ((size_t)64 * 1024)

struct net_loop {
	struct net_shared *shared;
	uint32_t id;         /* its mailbox, and the loop of its handles */
	uint32_t generation; /* of the last exchange */
	struct event_base *base;
	struct evconnlistener *listener;
	struct event *wake, *tick, *alarm;
	bool accepting, ticking, stopping;
	int64_t stop_by;     /* milliseconds of net_now_ms, as all deadlines */
	struct conn **conns; /* by slot */
	int64_t *deadlines;  /* by slot; 0: none. Apart, since the tick looks at all of them */
	uint32_t *free_slots;
	size_t slots, free_count;
	size_t collected;     /* bytes of bodies that are being collected for handle() */
	size_t pieces_out;    /* pieces of bodies that the application holds */
	struct conn *running; /* whose turn it is */
	uint8_t *input,
	        *gather;       /* what a connection reads into and an encrypted answer is made in */
	struct tacit_buf head; /* of the answer being made */
	int64_t date_second;
	char date[32];
	struct net_counters counters;
	pthread_t thread;
};

int64_t net_now_ms(void);                      /* monotonic, a few milliseconds coarse */
uint64_t net_now_us(void);                     /* monotonic, exact */
const char *net_loop_date(struct net_loop *l); /* RFC 9110 5.6.7, of this second */

/* fd listens already and is taken over. Fails: IO, LIMIT, NOMEM. */
TACIT_MUST_USE enum tacit_err net_loop_new(
        struct net_shared *shared, int fd, struct net_loop **out);
/* The thread: ends after mailbox_stop. */
void *net_loop_run(void *loop);
/* After the thread was joined, or if it never ran. */
void net_loop_free(struct net_loop *l);

/* A slot for c, which comes from another loop and is this one's from now on. On the loop's thread.
 * False: there is none, and c is as it was. */
bool net_loop_join(struct conn *c);
/* A slot has become free. */
void net_loop_left(struct net_loop *l, uint32_t slot);

/* The short way, when the application answers within its own call. False: not this thread, or not
 * the connection whose turn it is. */
bool net_loop_reply_here(struct http_handle h, struct http_response *r);
bool net_loop_resume_here(struct http_handle h);

#endif
