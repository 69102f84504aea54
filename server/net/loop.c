#include "server/net/loop.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "server/net/conn.h"
#include "server/net/mailbox.h"
#include "server/net/proxy.h"

#define TICK_MS 200
#define GHOST_MS 10000 /* after the grace, for pieces that the application still holds */

static _Thread_local struct net_loop *here;

static int64_t clock_ms(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t net_now_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC_COARSE);
}

uint64_t net_now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

const char *net_loop_date(struct net_loop *l)
{
	static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[12][4] = {
	        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct tm t;
	time_t now = (time_t)(clock_ms(CLOCK_REALTIME_COARSE) / 1000);
	if (now != l->date_second && gmtime_r(&now, &t) != NULL) {
		l->date_second = now;
		snprintf(l->date, sizeof(l->date), "%s, %02u %s %04u %02u:%02u:%02u GMT",
		        days[t.tm_wday], (unsigned)t.tm_mday % 100, months[t.tm_mon],
		        (unsigned)(t.tm_year + 1900) % 10000, (unsigned)t.tm_hour % 100,
		        (unsigned)t.tm_min % 100, (unsigned)t.tm_sec % 100);
	}
	return l->date;
}

/* --- accepting --- */

/* The tick runs while there is something to time, so that an idle server sleeps. */
static void need_tick(struct net_loop *l)
{
	struct timeval period = {.tv_usec = TICK_MS * 1000};
	bool needed = l->free_count < l->slots || l->stopping || !l->accepting;
	if (needed == l->ticking)
		return;
	l->ticking = needed;
	if (needed)
		event_add(l->tick, &period);
	else
		event_del(l->tick);
}

static void pause_accepting(struct net_loop *l)
{
	l->accepting = false;
	evconnlistener_disable(l->listener);
	need_tick(l);
}

static void end_if_over(struct net_loop *l)
{
	if (l->stopping && l->free_count == l->slots)
		event_base_loopbreak(l->base);
}

void net_loop_left(struct net_loop *l, uint32_t slot)
{
	l->conns[slot] = NULL;
	l->deadlines[slot] = 0;
	l->free_slots[l->free_count++] = slot;
	atomic_store_explicit(&l->counters.open, l->slots - l->free_count, memory_order_relaxed);
	if (!l->accepting && !l->stopping) {
		l->accepting = true;
		evconnlistener_enable(l->listener);
	}
	need_tick(l);
	end_if_over(l);
}

static bool is_counted(const struct net_shared *shared, const struct sockaddr_storage *peer)
{
	const struct net_settings *s = &shared->settings;
	if (shared->loopback_exempt && net_address_is_loopback(peer))
		return false;
	return !net_prefixes_contain(s->proxies, s->proxy_count, peer);
}

static bool admit(struct net_loop *l, int fd, const struct sockaddr_storage *peer)
{
	struct net_shared *shared = l->shared;
	bool counted = is_counted(shared, peer);
	if (l->stopping || l->free_count == 0)
		return false;
	if (counted && !net_peers_enter(shared->peers, peer))
		return false;
	struct conn *c = conn_new(l, fd, peer, counted);
	if (c == NULL) {
		if (counted)
			net_peers_leave(shared->peers, peer);
		return false;
	}
	c->slot = l->free_slots[--l->free_count];
	l->conns[c->slot] = c;
	conn_set_timeout(c, c->io.ssl != NULL ? conn_head_ms(c)
	                                      : (int64_t)shared->settings.idle_timeout_s * 1000);
	atomic_store_explicit(&l->counters.open, l->slots - l->free_count, memory_order_relaxed);
	net_count(&l->counters.total, 1);
	need_tick(l);
	return true;
}

bool net_loop_join(struct conn *c)
{
	struct net_loop *l = here;
	if (l == NULL || l->stopping || l->free_count == 0)
		return false;
	c->loop = l;
	c->slot = l->free_slots[--l->free_count];
	l->conns[c->slot] = c;
	l->deadlines[c->slot] = 0;
	atomic_store_explicit(&l->counters.open, l->slots - l->free_count, memory_order_relaxed);
	if (l->free_count == 0 && l->accepting)
		pause_accepting(l);
	need_tick(l);
	return true;
}

bool net_is_here(uint32_t loop)
{
	return here != NULL && here->id == loop;
}

static void on_alarm(evutil_socket_t fd, short what, void *ctx)
{
	struct net_loop *l = ctx;
	(void)fd;
	(void)what;
	l->shared->app.alarm(l->shared->app.ctx, l->id);
}

void net_set_alarm(int64_t ms)
{
	struct timeval in = {
	        .tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000) * 1000};
	TACIT_ASSERT(here != NULL);
	if (ms < 0)
		event_del(here->alarm);
	else
		event_add(here->alarm, &in);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
        int bytes, void *ctx)
{
	struct net_loop *l = ctx;
	struct sockaddr_storage peer = {0};
	(void)listener;
	memcpy(&peer, address, (size_t)bytes < sizeof(peer) ? (size_t)bytes : sizeof(peer));
	net_address_unmap(&peer);
	if (!admit(l, fd, &peer)) {
		net_count(&l->counters.refused, 1);
		close(fd);
	}
	if (l->free_count == 0 && l->accepting)
		pause_accepting(l);
}

/* No descriptors are left: until one is closed, accepting would spin. */
static void on_accept_error(struct evconnlistener *listener, void *ctx)
{
	(void)listener;
	pause_accepting(ctx);
}

/* --- mail, time and the end --- */

static struct conn *find(struct net_loop *l, struct http_handle h)
{
	struct conn *c = h.slot < l->slots ? l->conns[h.slot] : NULL;
	return c != NULL && conn_is(c, h) ? c : NULL;
}

static void deliver(struct net_loop *l, struct mailbox_content *mail)
{
	/* Answers first: once a body is answered, a resume must not fetch its next piece. */
	while (mail->replies != NULL) {
		struct http_response *r = mail->replies;
		mail->replies = r->next;
		struct conn *c = find(l, r->to);
		if (c != NULL)
			conn_reply(c, r);
		else
			http_response_free(r);
	}
	for (size_t i = 0; i < mail->resumed_count; i++) {
		struct conn *c = find(l, mail->resumed[i]);
		if (c != NULL)
			conn_resume(c);
	}
	while (mail->letters != NULL) {
		struct net_letter *letter = mail->letters;
		mail->letters = letter->next;
		letter->open(letter, false);
	}
}

static void begin_stop(struct net_loop *l, unsigned grace_s)
{
	if (l->stopping)
		return;
	l->stopping = true;
	l->accepting = false;
	l->stop_by = net_now_ms() + (int64_t)grace_s * 1000;
	evconnlistener_free(l->listener);
	l->listener = NULL;
	need_tick(l);
	for (size_t i = 0; i < l->slots; i++)
		if (l->conns[i] != NULL && !l->conns[i]->dead)
			conn_turn(l->conns[i], l->conns[i]->ops->stop);
	if (l->shared->app.loop_stops != NULL)
		l->shared->app.loop_stops(l->shared->app.ctx, l->id);
	end_if_over(l);
}

/* The eventfd is edge-triggered and never read: each write is an edge. */
static void on_wake(evutil_socket_t fd, short what, void *ctx)
{
	struct net_loop *l = ctx;
	struct mailbox_content mail;
	(void)fd;
	(void)what;
	while (mailbox_take(l->id, &mail)) {
		deliver(l, &mail);
		if (mail.stop)
			begin_stop(l, mail.grace_s);
	}
}

static void check_deadlines(struct net_loop *l, int64_t now)
{
	for (size_t i = 0; i < l->slots; i++) {
		if (l->deadlines[i] == 0 || l->deadlines[i] > now)
			continue;
		l->deadlines[i] = 0;
		conn_turn(l->conns[i], l->conns[i]->ops->expired);
	}
}

static void on_tick(evutil_socket_t fd, short what, void *ctx)
{
	struct net_loop *l = ctx;
	int64_t now = net_now_ms();
	(void)fd;
	(void)what;
	check_deadlines(l, now);
	if (l->stopping && now >= l->stop_by) {
		for (size_t i = 0; i < l->slots; i++)
			if (l->conns[i] != NULL && !l->conns[i]->dead)
				conn_kill(l->conns[i]);
		if (now >= l->stop_by + GHOST_MS)
			event_base_loopbreak(l->base);
	}
	if (!l->stopping && !l->accepting && l->free_count > 0) {
		l->accepting = true;
		evconnlistener_enable(l->listener);
		need_tick(l);
	}
}

bool net_loop_reply_here(struct http_handle h, struct http_response *r)
{
	struct conn *c = here != NULL && here->id == h.loop ? here->running : NULL;
	if (c == NULL || !conn_is(c, h))
		return false;
	conn_reply(c, r);
	return true;
}

bool net_loop_resume_here(struct http_handle h)
{
	struct conn *c = here != NULL && here->id == h.loop ? here->running : NULL;
	if (c == NULL || !conn_is(c, h))
		return false;
	conn_resume(c);
	return true;
}

/* --- life --- */

static enum tacit_err allocate(struct net_loop *l)
{
	l->slots = l->shared->settings.max_connections;
	l->conns = tacit_calloc(l->slots, sizeof(struct conn *));
	l->deadlines = tacit_calloc(l->slots, sizeof(*l->deadlines));
	l->free_slots = tacit_calloc(l->slots, sizeof(*l->free_slots));
	l->input = tacit_alloc(NET_INPUT_BYTES);
	l->gather = tacit_alloc(NET_IO_GATHER_BYTES);
	if (l->conns == NULL || l->deadlines == NULL || l->free_slots == NULL || l->input == NULL ||
	        l->gather == NULL)
		return TACIT_E_NOMEM;
	for (size_t i = 0; i < l->slots; i++)
		l->free_slots[i] = (uint32_t)(l->slots - 1 - i);
	l->free_count = l->slots;
	return TACIT_OK;
}

static struct event_base *new_base(void)
{
	/* One thread each: no locks. No EPOLL_USE_CHANGELIST: it would touch descriptors after they
	 * were closed, when another loop may have them. */
	struct event_config *config = event_config_new();
	if (config == NULL)
		return NULL;
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	event_config_require_features(config, EV_FEATURE_ET);
	struct event_base *base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

static enum tacit_err make_events(struct net_loop *l, int wake)
{
	l->base = new_base();
	if (l->base == NULL)
		return TACIT_E_NOMEM;
	l->wake = event_new(l->base, wake, EV_READ | EV_PERSIST | EV_ET, on_wake, l);
	l->tick = event_new(l->base, -1, EV_PERSIST, on_tick, l);
	l->alarm = event_new(l->base, -1, 0, on_alarm, l);
	if (l->wake == NULL || l->tick == NULL || l->alarm == NULL || event_add(l->wake, NULL) != 0)
		return TACIT_E_NOMEM;
	return TACIT_OK;
}

enum tacit_err net_loop_new(struct net_shared *shared, int fd, struct net_loop **out)
{
	enum tacit_err err = TACIT_E_NOMEM;
	int wake = -1;
	*out = NULL;
	struct net_loop *l = tacit_calloc(1, sizeof(*l));
	if (l == NULL)
		goto out;
	l->shared = shared;
	l->id = MAILBOX_COUNT;
	TRY(allocate(l));
	TRY(mailbox_open(&l->id, &l->generation, &wake));
	TRY(make_events(l, wake));
	l->listener = evconnlistener_new(
	        l->base, on_accept, l, LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_CLOSE_ON_FREE, 0, fd);
	if (l->listener == NULL) {
		err = TACIT_E_NOMEM;
		goto out;
	}
	fd = -1;
	l->accepting = true;
	evconnlistener_set_error_cb(l->listener, on_accept_error);
	*out = l;
	l = NULL;
out:
	if (fd >= 0)
		close(fd);
	net_loop_free(l);
	return err;
}

void *net_loop_run(void *loop)
{
	struct net_loop *l = loop;
	here = l;
	(void)prctl(PR_SET_NAME, "loop"); /* for who looks at the process from outside */
	const struct http_app *app = &l->shared->app;
	bool corks = app->cork != NULL && app->uncork != NULL;
	if (app->loop_began != NULL)
		app->loop_began(app->ctx, l->id);
	do {
		if (corks)
			app->cork();
		event_base_loop(l->base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
		if (app->turn_over != NULL)
			app->turn_over(app->ctx, l->id);
		if (corks)
			app->uncork();
	} while (!event_base_got_break(l->base));
	if (app->loop_ended != NULL)
		app->loop_ended(app->ctx, l->id);
	here = NULL;
	return NULL;
}

/* What is left was either never run, or holds a piece that never came back: then its state is the
 * application's, and stays there. */
static void abandon(struct net_loop *l)
{
	for (size_t i = 0; i < l->slots; i++)
		if (l->conns[i] != NULL)
			tacit_free(l->conns[i]);
}

void net_loop_free(struct net_loop *l)
{
	if (l == NULL)
		return;
	if (l->conns != NULL)
		abandon(l);
	if (l->listener != NULL)
		evconnlistener_free(l->listener);
	if (l->wake != NULL)
		event_free(l->wake);
	if (l->tick != NULL)
		event_free(l->tick);
	if (l->alarm != NULL)
		event_free(l->alarm);
	if (l->base != NULL)
		event_base_free(l->base);
	if (l->id < MAILBOX_COUNT)
		mailbox_close(l->id, l->generation);
	tacit_buf_clear(&l->head);
	tacit_free(l->conns);
	tacit_free(l->deadlines);
	tacit_free(l->free_slots);
	tacit_free(l->input);
	tacit_free(l->gather);
	tacit_free(l);
}
