/* seats.c - sessions on their loop: named by a sid that nobody can guess, carried by polling
 * requests or by a WebSocket. */
#include <string.h>

#include "base/alloc.h"
#include "crypto/encoding.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "server/live/home.h"

#define FIRST_ROOM 64
#define LEAVE_MS 2000
#define MAX_HALF_OPEN 4096                /* of one loop; each keeps a copy of its request */
#define SID_BYTES (SIDS_SECRET_BYTES + 5) /* secret, loop (1), slot (4) */
_Static_assert(SID_BYTES * 4 / 3 == HOME_SID_CHARS, "base64url without padding");

/* --- names --- */

void seat_sid(const struct seat *seat, char out[HOME_SID_CHARS + 1])
{
	uint8_t raw[SID_BYTES];
	struct tacit_buf text = {0};
	memcpy(raw, seat->secret, SIDS_SECRET_BYTES);
	raw[SIDS_SECRET_BYTES] = (uint8_t)seat->home->loop;
	for (unsigned i = 0; i < 4; i++)
		raw[SIDS_SECRET_BYTES + 1 + i] = (uint8_t)(seat->slot >> (24 - 8 * i));
	out[0] = '\0';
	if (tacit_base64(TACIT_BASE64URL, tacit_bytes(raw, sizeof(raw)), &text) == TACIT_OK) {
		TACIT_ASSERT(text.n == HOME_SID_CHARS);
		memcpy(out, text.p, text.n);
		out[text.n] = '\0';
	}
	tacit_buf_clear(&text);
}

struct sid {
	uint8_t secret[SIDS_SECRET_BYTES];
	uint32_t loop, slot;
};

static bool read_sid(const char *text, struct sid *sid)
{
	struct tacit_buf bytes = {0};
	*sid = (struct sid){0};
	bool ok = tacit_unbase64(TACIT_BASE64URL, tacit_cstr(text), &bytes) == TACIT_OK &&
	          bytes.n == SID_BYTES;
	if (ok) {
		memcpy(sid->secret, bytes.p, SIDS_SECRET_BYTES);
		sid->loop = bytes.p[SIDS_SECRET_BYTES];
		for (unsigned i = 0; i < 4; i++)
			sid->slot = sid->slot << 8 | bytes.p[SIDS_SECRET_BYTES + 1 + i];
	}
	tacit_buf_clear(&bytes);
	return ok;
}

bool seat_loop_of(const char *sid, uint32_t *loop)
{
	struct sid s;
	bool ok = read_sid(sid, &s);
	*loop = s.loop;
	return ok;
}

size_t seat_body_limit(struct live *l, const char *sid)
{
	struct sid s;
	return read_sid(sid, &s) ? sids_find(&l->sids[s.loop], s.slot, s.secret) : 0;
}

struct seat *seat_find(struct home *h, const char *sid)
{
	struct sid s;
	if (!read_sid(sid, &s) || s.loop != h->loop)
		return NULL;
	struct seat *seat = s.slot < h->seat_room ? h->seats[s.slot] : NULL;
	if (seat == NULL || !tacit_ct_eq(tacit_bytes(seat->secret, SIDS_SECRET_BYTES),
	                            tacit_bytes(s.secret, SIDS_SECRET_BYTES)))
		return NULL;
	return seat->session.closed ? NULL : seat;
}

/* --- coming and going --- */

static bool grow(struct home *h)
{
	size_t room = h->seat_room > 0 ? h->seat_room * 2 : FIRST_ROOM;
	struct seat **seats = tacit_realloc(h->seats, room * sizeof(struct seat *));
	if (seats == NULL)
		return false;
	h->seats = seats;
	uint32_t *free_seats = tacit_realloc(h->free_seats, room * sizeof(*free_seats));
	if (free_seats == NULL)
		return false;
	h->free_seats = free_seats;
	for (size_t i = h->seat_room; i < room; i++) {
		seats[i] = NULL;
		free_seats[h->free_seat_count++] = (uint32_t)i;
	}
	h->seat_room = room;
	return true;
}

static enum tacit_err announce(struct seat *seat)
{
	struct home *h = seat->home;
	return sids_enter(&h->live->sids[h->loop], seat->slot, seat->secret,
	        session_max_message(&seat->session));
}

/* In a free place, with a name, and known by it. */
static struct seat *place(struct home *h, enum session_transport transport, bool engine)
{
	const struct session_ops *ops = engine ? &h->live->engine_ops : &h->live->session_ops;
	if (h->free_seat_count == 0 && !grow(h))
		return NULL;
	struct seat *seat = tacit_calloc(1, sizeof(*seat));
	if (seat == NULL)
		return NULL;
	seat->home = h;
	seat->slot = h->free_seats[h->free_seat_count - 1];
	tacit_random(seat->secret, sizeof(seat->secret));
	session_init(&seat->session, &h->live->settings, ops, seat, transport);
	seat->session.trusted = engine; /* it has no CONNECT to wait for */
	if (announce(seat) != TACIT_OK) {
		tacit_free(seat);
		return NULL;
	}
	h->free_seat_count--;
	h->seats[seat->slot] = seat;
	return seat;
}

struct seat *seat_new(
        struct home *h, enum session_transport transport, struct request_copy *request)
{
	const struct live_settings *s = &h->live->settings;
	int64_t now = home_now_ms();
	struct seat *seat = NULL;
	bool half_open = !request_is_at(request_of(request), s->engine_path);
	bool full = half_open && h->half_open >= MAX_HALF_OPEN;
	if (!h->stopping && !full)
		seat = place(h, transport, !half_open);
	if (seat == NULL) {
		request_free(request);
		return NULL;
	}
	seat->request = request;
	seat->half_open = half_open;
	h->half_open += half_open;
	if (transport == SESSION_POLLING)
		home_count(&h->counters->polling, 1);
	home_timer_set(h, &seat->beat, HOME_PING, now + s->ping_interval_ms);
	if (half_open)
		home_timer_set(h, &seat->lapse, HOME_CONNECT, now + s->connect_timeout_ms);
	char sid[HOME_SID_CHARS + 1];
	seat_sid(seat, sid);
	session_open(&seat->session, sid);
	return seat;
}

void seat_stir(struct seat *seat)
{
	seat->again = seat->flushing;
	if (seat->flushing)
		return;
	if (seat->stirred)
		return;
	seat->stirred = true;
	seat->next_stirred = seat->home->stirred;
	seat->home->stirred = seat;
}

static void answer_poll(struct seat *seat)
{
	struct http_response *r = http_response_new(200);
	if (r == NULL || session_answer(&seat->session, &r->body) != TACIT_OK) {
		http_response_free(r);
		r = http_response_new(503);
		seat->session.parked = false;
		session_close(&seat->session, SESSION_SAY_CLOSE, TACIT_WS_INTERNAL_ERROR);
	} else {
		r->no_store = true;
		r->content_type = "text/plain; charset=UTF-8";
	}
	http_reply(seat->poll, r);
}

void seat_abandoned(struct seat *seat, struct http_handle poll)
{
	const struct http_handle *p = &seat->poll;
	if (!seat->session.parked || p->loop != poll.loop || p->slot != poll.slot ||
	        p->generation != poll.generation)
		return;
	seat->session.parked = false;
	session_close(&seat->session, SESSION_SAY_NOOP, TACIT_WS_GOING_AWAY);
}

void seat_settle(struct seat *seat)
{
	home_timer_stop(&seat->lapse);
	seat->session.told_to_go = false;
	seat->session.trusted = true;
	tacit_ignore(announce(seat), "it is entered already");
	if (seat->link != NULL)
		seat->link->reader.max_message = session_max_message(&seat->session);
	if (seat->probe != NULL)
		seat->probe->reader.max_message = session_max_message(&seat->session);
	seat->home->half_open -= seat->half_open;
	seat->half_open = false;
	seat_stir(seat);
}

/* Its cookies were asked for: from now on an idle session keeps no copy. */
static void forget_request(struct seat *seat)
{
	if (seat->half_open || seat->home->live->settings.namespaces != NULL)
		return;
	request_free(seat->request);
	seat->request = NULL;
}

void seat_flush(struct seat *seat)
{
	if (seat->request != NULL)
		forget_request(seat);
	if (seat->probe != NULL && seat->probe->over)
		link_end(seat->probe, TACIT_WS_GOING_AWAY);
	if (session_poll_ready(&seat->session))
		answer_poll(seat);
	if (seat->link != NULL)
		net_line_flush(seat->link->line);
	if (!seat->session.closed)
		room_catch_up(seat->home, seat);
}

void seat_finish(struct seat *seat)
{
	struct home *h = seat->home;
	if (seat->session.parked)
		answer_poll(seat);
	if (seat->probe != NULL)
		link_end(seat->probe, seat->session.close_code);
	if (seat->link != NULL)
		link_end(seat->link, seat->session.close_code);
	home_count(&h->counters->refused_events, seat->session.refused);
	if (seat->session.transport == SESSION_POLLING)
		home_count(&h->counters->polling, UINT64_MAX); /* one less */
	home_timer_stop(&seat->beat);
	home_timer_stop(&seat->lapse);
	request_free(seat->request);
	session_clear(&seat->session);
	sids_leave(&h->live->sids[h->loop], seat->slot);
	h->seats[seat->slot] = NULL;
	h->free_seats[h->free_seat_count++] = seat->slot;
	h->half_open -= seat->half_open;
	tacit_free(seat);
}

/* --- what the session tells --- */

static struct seat *seat_of(struct session *s)
{
	return s->owner;
}

static bool on_connect(struct session *s, struct live_socket *k, const json_t *auth)
{
	struct seat *seat = seat_of(s);
	struct home *h = seat->home;
	/* A copy is kept for the first connection only: who comes again, comes in a new session. */
	if (seat->request == NULL || socket_enter(h, k) != TACIT_OK)
		return false;
	struct live_hello hello = {.request = request_of(seat->request),
	        .auth = auth,
	        .path = k->path != NULL ? k->path : "/"};
	h->live->app.connect(h->live->app.ctx, k->handle, &hello);
	return true;
}

static void on_event(struct session *s, struct live_socket *k, const struct live_event *e)
{
	struct live *l = seat_of(s)->home->live;
	const struct live_identity who = k->who; /* k may end within */
	home_count(&seat_of(s)->home->counters->events_in, 1);
	l->app.event(l->app.ctx, k->handle, &who, e);
}

/* Its last socket has gone; the client closes it, or comes back. */
static void await_end(struct seat *seat)
{
	int64_t now = home_now_ms();
	if (seat->session.told_to_go)
		home_timer_set(seat->home, &seat->lapse, HOME_LEAVE, now + LEAVE_MS);
	else
		home_timer_set(seat->home, &seat->lapse, HOME_CONNECT,
		        now + seat->session.settings->connect_timeout_ms);
}

static void on_gone(struct session *s, struct live_socket *k)
{
	struct home *h = seat_of(s)->home;
	const struct live_identity who = k->who;
	const struct live_handle handle = k->handle;
	if (k->handle.generation == 0) /* never entered */
		return;
	room_leave_all(h, k);
	socket_leave(h, k);
	if (!k->accepted)
		return;
	if (s->sockets == NULL && !s->closed)
		await_end(seat_of(s));
	owners_leave(h->live->owners, who.user_id, handle);
	h->live->app.gone(h->live->app.ctx, handle, &who);
}

static void on_pong(struct session *s)
{
	struct seat *seat = seat_of(s);
	home_timer_set(
	        seat->home, &seat->beat, HOME_PING, home_now_ms() + s->settings->ping_interval_ms);
}

static void on_stirred(struct session *s)
{
	seat_stir(seat_of(s));
}

const struct session_ops seat_session_ops = {
        .connect = on_connect,
        .event = on_event,
        .gone = on_gone,
        .pong = on_pong,
        .stirred = on_stirred,
};
