/* home.h - what lives on one loop: its sessions with their connections, its sockets, its rooms.
 * Everything here is touched on that loop's thread only, except the counters. */
#ifndef TACIT_SERVER_LIVE_HOME_H
#define TACIT_SERVER_LIVE_HOME_H

#include <stdatomic.h>

#include "server/live/owners.h"
#include "server/live/session.h"
#include "server/live/sids.h"
#include "server/live/table.h"
#include "server/net/letter.h"
#include "server/net/line.h"
#include "server/net/over.h"

#define HOME_LOOPS 256                            /* as many as net has mailboxes */
#define LIVE_MAX_WAITING_BYTES (64 * 1024 * 1024) /* of letters to one loop */
#define HOME_SID_CHARS 28                         /* base64url of secret, loop and slot */

/* Counted on the loop's thread, read on any. */
struct home_counters {
	_Atomic uint64_t sockets, polling, events_in, frames_out, dropped_frames, refused_events;
};

struct live {
	struct http_over over; /* first */
	struct live_settings settings;
	struct session_ops session_ops, engine_ops; /* engine: at engine_path */
	struct live_app app;
	struct live_http http;
	struct net_frame *ping;
	struct owners *owners;
	_Atomic bool homes[HOME_LOOPS]; /* is there one on this loop? */
	_Atomic uint32_t homes_end;     /* none is on this loop, or on one behind it */
	struct sids sids[HOME_LOOPS];
	struct home_counters counters[HOME_LOOPS];
};

/* A line of time: all of one kind wait equally long, so that the first to come is the first due and
 * an idle connection costs nothing but its place in it. */
struct timer {
	struct timer *next, *prev; /* NULL: not waiting */
	int64_t due_ms;
};

enum home_timer { HOME_PING, HOME_PONG, HOME_CONNECT, HOME_LEAVE, HOME_PROBE, HOME_TIMERS };

struct seat;

/* A WebSocket. */
struct link {
	struct net_line *line;
	struct seat *seat;
	struct tacit_ws_reader reader;
	struct net_ring ring; /* while it probes; then the session's is used */
	bool probing;
	bool over; /* to be ended at the end of the turn */
	struct timer lapse;
};

/* A session and what carries it. */
struct seat {
	struct session session;
	struct home *home;
	uint32_t slot;
	uint8_t secret[SIDS_SECRET_BYTES];
	struct link *link, *probe;
	struct http_handle poll;      /* while the session is parked */
	struct request_copy *request; /* that opened it; NULL once a socket was accepted */
	struct timer beat, lapse;
	bool half_open;       /* no socket was ever accepted */
	bool stirred;         /* in the list of those that are looked at when the turn is over */
	bool flushing, again; /* it is being looked at; it was stirred meanwhile */
	struct seat *next_stirred;
};

struct user {
	struct table_entry entry; /* key: its id */
	struct live_socket *first;
};

struct socket_slot {
	struct live_socket *k;
	uint32_t generation;
};

struct home {
	struct live *live;
	uint32_t loop;
	bool stopping;
	struct seat **seats;
	uint32_t *free_seats;
	size_t seat_room, free_seat_count, half_open;
	struct socket_slot *sockets;
	uint32_t *free_sockets;
	size_t socket_room, free_socket_count;
	struct table rooms, users;
	struct timer timers[HOME_TIMERS]; /* heads */
	int64_t alarm_ms;                 /* what is set; 0: nothing */
	struct seat *stirred;
	struct home_counters *counters;
};

int64_t home_now_ms(void); /* monotonic, exact */
/* Of the thread that calls; NULL: it is no loop of a live. */
struct home *home_here(void);

/* http_app's. */
void home_began(void *live, uint32_t loop);
void home_turn_over(void *live, uint32_t loop);
void home_alarm(void *live, uint32_t loop);
void home_stops(void *live, uint32_t loop);
void home_ended(void *live, uint32_t loop);

void home_timer_set(struct home *h, struct timer *t, enum home_timer kind, int64_t due_ms);
void home_timer_stop(struct timer *t);
/* Closes all sessions: their clients come back and begin anew. */
void home_give_up(struct home *h, uint16_t close_code);
/* Everything that is due by now. */
void home_run_timers(struct home *h);

/* --- seats.c: sessions --- */
/* request becomes the seat's. NULL: no room or memory (request is freed). */
struct seat *seat_new(
        struct home *h, enum session_transport transport, struct request_copy *request);
/* "..." of HOME_SID_CHARS and a NUL. */
void seat_sid(const struct seat *seat, char out[HOME_SID_CHARS + 1]);
/* Where a sid says that it lives. False: it is none. */
bool seat_loop_of(const char *sid, uint32_t *loop);
struct seat *seat_find(struct home *h, const char *sid);
/* Any thread: how large a body the session of that name takes; 0: there is none. */
size_t seat_body_limit(struct live *l, const char *sid);
/* Nobody waits for the answer to that poll any more. */
void seat_abandoned(struct seat *seat, struct http_handle poll);
/* After all else: answers, says good-bye, frees. */
void seat_finish(struct seat *seat);
/* A socket of it was accepted. */
void seat_settle(struct seat *seat);
/* Sends what waits. The session may be closed by it. */
void seat_flush(struct seat *seat);
/* It is looked at when the turn is over. */
void seat_stir(struct seat *seat);
extern const struct session_ops seat_session_ops;

/* --- links.c: WebSockets --- */
/* The two that http_taker.take leads to: with NULL, what was prepared is freed. */
void link_open_session(struct home *h, struct request_copy *request, struct net_line *line);
void link_begin_probe(struct seat *seat, struct net_line *line);
/* A WebSocket that was accepted only to be closed. */
void link_turn_away(struct net_line *line);
/* Ends politely and frees; the ring that it sends from is emptied. */
void link_end(struct link *link, uint16_t close_code);

/* --- sockets.c --- */
TACIT_MUST_USE enum tacit_err socket_enter(struct home *h, struct live_socket *k);
void socket_leave(struct home *h, struct live_socket *k);
struct live_socket *socket_find(struct home *h, struct live_handle s);
/* From live_accept on it is its user's, too. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err socket_of_user(struct home *h, struct live_socket *k);
void socket_send(struct home *h, struct live_socket *k, struct net_frame *f);
/* To all of a user's sockets here. Who cannot take it is closed, and finds out when it comes back.
 */
void socket_send_user(struct home *h, int64_t user_id, struct net_frame *f);

/* --- rooms.c --- */
void room_join(struct home *h, struct live_socket *k, int64_t room, uint64_t join);
void room_open(struct home *h, struct live_socket *k, int64_t room, const struct live_opening *o);
void room_leave(struct home *h, struct live_socket *k, int64_t room, uint64_t join);
void room_whisper(struct home *h, struct live_socket *k, int64_t room, struct net_frame *f);
void room_leave_all(struct home *h, struct live_socket *k);
void room_publish(
        struct home *h, int64_t room, struct net_frame *f, const struct live_handle *except);
void room_evict(struct home *h, int64_t room, int64_t user_id);
/* Tells the application which rooms' frames were dropped, once there is room again. */
void room_catch_up(struct home *h, struct seat *seat);

/* --- requests.c --- */
/* NULL: out of memory. */
struct request_copy *request_copy(const struct http_request *r);
const struct http_request *request_of(const struct request_copy *c);
void request_free(struct request_copy *c); /* NULL is fine */
/* With a slash behind, or none; path NULL: nowhere. */
bool request_is_at(const struct http_request *r, const char *path);

static inline void home_count(_Atomic uint64_t *counter, uint64_t n)
{
	uint64_t now = atomic_load_explicit(counter, memory_order_relaxed);
	atomic_store_explicit(counter, now + n, memory_order_relaxed);
}

#endif
