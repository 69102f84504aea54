#include "server/live/home.h"

#include <time.h>

#include "base/alloc.h"

static _Thread_local struct home *here;

int64_t home_now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct home *home_here(void)
{
	return here;
}

/* --- time --- */

void home_timer_stop(struct timer *t)
{
	if (t->next == NULL)
		return;
	t->prev->next = t->next;
	t->next->prev = t->prev;
	t->next = t->prev = NULL;
}

/* Appended, or a little before the end: what is asked for is nearly always the latest. */
void home_timer_set(struct home *h, struct timer *t, enum home_timer kind, int64_t due_ms)
{
	home_timer_stop(t); /* first: it may be the last of this very line */
	struct timer *head = &h->timers[kind], *after = head->prev;
	t->due_ms = due_ms;
	while (after != head && after->due_ms > due_ms)
		after = after->prev;
	t->prev = after;
	t->next = after->next;
	t->next->prev = t;
	after->next = t;
}

static struct seat *seat_of_beat(struct timer *t)
{
	return (struct seat *)((uint8_t *)t - offsetof(struct seat, beat));
}

static void due(struct home *h, enum home_timer kind, struct timer *t, int64_t now)
{
	const struct live_settings *s = &h->live->settings;
	/* A client's time runs from when its PING was due, unless we were late ourselves. */
	int64_t from = now - t->due_ms > s->ping_timeout_ms / 8 ? now : t->due_ms;
	struct seat *seat;
	struct link *link;
	switch (kind) {
	case HOME_PING:
		seat = seat_of_beat(t);
		home_timer_set(h, t, HOME_PONG, from + s->ping_timeout_ms);
		session_send(&seat->session, h->live->ping);
		return;
	case HOME_PONG:
		seat = seat_of_beat(t);
		session_close(&seat->session, SESSION_SAY_CLOSE, TACIT_WS_GOING_AWAY);
		return;
	case HOME_CONNECT:
	case HOME_LEAVE:
		seat = (struct seat *)((uint8_t *)t - offsetof(struct seat, lapse));
		session_close(&seat->session, SESSION_SAY_CLOSE, TACIT_WS_GOING_AWAY);
		return;
	default:
		link = (struct link *)((uint8_t *)t - offsetof(struct link, lapse));
		link->over = true;
		seat_stir(link->seat);
	}
}

void home_run_timers(struct home *h)
{
	int64_t now = home_now_ms();
	for (int kind = 0; kind < HOME_TIMERS; kind++) {
		struct timer *head = &h->timers[kind];
		while (head->next != head && head->next->due_ms <= now) {
			struct timer *t = head->next;
			int64_t due_ms = t->due_ms;
			home_timer_stop(t);
			t->due_ms = due_ms;
			due(h, (enum home_timer)kind, t, now);
		}
	}
}

static void set_alarm(struct home *h)
{
	int64_t first = 0;
	for (int kind = 0; kind < HOME_TIMERS; kind++) {
		const struct timer *t = h->timers[kind].next;
		if (t != &h->timers[kind] && (first == 0 || t->due_ms < first))
			first = t->due_ms;
	}
	/* An alarm that comes too early finds nothing due, and is set anew. */
	if (first == 0 || (h->alarm_ms != 0 && h->alarm_ms <= first))
		return;
	/* Thousands of heartbeats are bundled, not each of them a wake. */
	int64_t slack = h->live->settings.ping_interval_ms / 512;
	int64_t in = first + slack - home_now_ms();
	h->alarm_ms = first;
	net_set_alarm(in > 0 ? in : 1);
}

/* --- the loop's calls --- */

void home_began(void *ctx, uint32_t loop)
{
	struct live *l = ctx;
	struct home *h = tacit_calloc(1, sizeof(*h));
	TACIT_ASSERT(loop < HOME_LOOPS);
	if (h == NULL) /* every request to it is answered 503 then */
		return;
	h->live = l;
	h->loop = loop;
	h->counters = &l->counters[loop];
	for (int kind = 0; kind < HOME_TIMERS; kind++)
		h->timers[kind].next = h->timers[kind].prev = &h->timers[kind];
	here = h;
	uint32_t end = atomic_load(&l->homes_end);
	while (end <= loop && !atomic_compare_exchange_weak(&l->homes_end, &end, loop + 1))
		continue;
	atomic_store_explicit(&l->homes[loop], true, memory_order_release);
}

void home_alarm(void *ctx, uint32_t loop)
{
	(void)ctx;
	(void)loop;
	if (here == NULL)
		return;
	here->alarm_ms = 0;
	home_run_timers(here);
}

void home_turn_over(void *ctx, uint32_t loop)
{
	struct home *h = here;
	(void)ctx;
	(void)loop;
	if (h == NULL)
		return;
	while (h->stirred != NULL) {
		struct seat *seat = h->stirred;
		h->stirred = seat->next_stirred;
		seat->stirred = false;
		seat->flushing = true;
		if (!seat->session.closed)
			seat_flush(seat);
		seat->flushing = false;
		if (seat->session.closed)
			seat_finish(seat);
		else if (seat->again)
			seat_stir(seat);
	}
	set_alarm(h);
}

void home_give_up(struct home *h, uint16_t close_code)
{
	for (size_t i = 0; i < h->seat_room; i++)
		if (h->seats[i] != NULL)
			session_close(&h->seats[i]->session, SESSION_SAY_CLOSE, close_code);
}

void home_stops(void *ctx, uint32_t loop)
{
	struct home *h = here;
	(void)ctx;
	(void)loop;
	if (h == NULL)
		return;
	h->stopping = true;
	home_give_up(h, TACIT_WS_GOING_AWAY);
}

void home_ended(void *ctx, uint32_t loop)
{
	struct live *l = ctx;
	struct home *h = here;
	if (h == NULL)
		return;
	home_stops(ctx, loop);
	home_turn_over(ctx, loop);
	atomic_store_explicit(&l->homes[loop], false, memory_order_release);
	here = NULL;
	table_clear(&h->rooms);
	table_clear(&h->users);
	tacit_free(h->seats);
	tacit_free(h->free_seats);
	tacit_free(h->sockets);
	tacit_free(h->free_sockets);
	tacit_free(h);
}
