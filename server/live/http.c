/* http.c - the HTTP side of Engine.IO: which request means what, and on which loop it is at home.
 *
 * A request may come to any loop. What needs a session goes to the one that the sid names: at once
 * when it is this one, else as a letter; the answer finds its way back by handle. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "server/live/home.h"

/* The stock server's codes and words. */
enum refusal {
	UNKNOWN_TRANSPORT,
	UNKNOWN_SID,
	BAD_HANDSHAKE_METHOD,
	BAD_REQUEST,
	FORBIDDEN,
	UNSUPPORTED_PROTOCOL_VERSION,
};

static struct http_response *refuse(enum refusal code)
{
	static const char *const words[] = {"Transport unknown", "Session ID unknown",
	        "Bad handshake method", "Bad request", "Forbidden", "Unsupported protocol version"};
	struct http_response *r = http_response_new(code == FORBIDDEN ? 403 : 400);
	if (r == NULL)
		return NULL;
	r->content_type = "application/json";
	if (tacit_buf_printf(&r->body, "{\"code\":%d,\"message\":\"%s\"}", (int)code,
	            words[code]) == TACIT_OK)
		return r;
	http_response_free(r);
	return NULL;
}

static struct http_response *plain(int status, struct tacit_bytes text)
{
	struct http_response *r = http_response_new(status);
	if (r == NULL)
		return NULL;
	r->content_type = "text/plain; charset=UTF-8";
	r->no_store = true;
	if (tacit_buf_append(&r->body, text) == TACIT_OK)
		return r;
	http_response_free(r);
	return NULL;
}

/* The error object of all calls, as far as the application has one. */
static struct http_response *unavailable(const struct live *l, int status, unsigned retry_after)
{
	char seconds[16];
	struct http_response *r = http_response_new(status);
	(void)snprintf(seconds, sizeof(seconds), "%u", retry_after > 0 ? retry_after : 1);
	if (r == NULL || http_response_header(r, "Retry-After", seconds) != TACIT_OK) {
		http_response_free(r);
		return NULL;
	}
	r->no_store = true;
	if (l->over.under.error_body != NULL)
		l->over.under.error_body(l->over.under.ctx, status, &r->body);
	r->content_type = r->body.n > 0 ? "application/json" : NULL;
	return r;
}

/* NULL stands for "out of memory": then the answer is an empty 503, or nothing at all. */
static void reply(struct http_handle h, struct http_response *r)
{
	http_reply(h, r != NULL ? r : http_response_new(503));
}

/* --- a request, read --- */

struct asked {
	bool websocket;
	bool has_sid;
	char sid[HOME_SID_CHARS + 1];
	enum refusal refusal;
};

static bool header_is(const struct http_request *r, const char *name, const char *value)
{
	struct tacit_bytes got = http_header(r, name);
	return got.n == strlen(value) && strncasecmp((const char *)got.p, value, got.n) == 0;
}

/* Is `token` in the comma-separated list? */
static bool header_has(const struct http_request *r, const char *name, const char *token)
{
	struct tacit_bytes rest = http_header(r, name);
	size_t n = strlen(token);
	while (rest.n > 0) {
		const uint8_t *comma = memchr(rest.p, ',', rest.n);
		struct tacit_bytes part = rest;
		part.n = comma != NULL ? (size_t)(comma - rest.p) : rest.n;
		rest = tacit_bytes_part(rest, part.n + 1, rest.n);
		while (part.n > 0 && (part.p[0] == ' ' || part.p[0] == '\t'))
			part = tacit_bytes_part(part, 1, part.n);
		while (part.n > 0 && (part.p[part.n - 1] == ' ' || part.p[part.n - 1] == '\t'))
			part.n--;
		if (part.n == n && strncasecmp((const char *)part.p, token, n) == 0)
			return true;
	}
	return false;
}

/* A WebSocket sends the page's cookies whoever opened the page: only our own pages and listed
 * origins may. Programs send no Origin. */
static bool origin_may(const struct live *l, const struct http_request *r)
{
	struct tacit_bytes origin = http_header(r, "origin"), host = http_header(r, "host");
	struct tacit_bytes scheme = r->tls ? TACIT_STR("https://") : TACIT_STR("http://");
	if (origin.p == NULL || l->http.origin_listed == NULL)
		return true;
	if (l->http.origin_listed(l->app.ctx, origin))
		return true;
	return host.n > 0 && origin.n == scheme.n + host.n &&
	       tacit_bytes_eq(tacit_bytes_part(origin, 0, scheme.n), scheme) &&
	       strncasecmp((const char *)origin.p + scheme.n, (const char *)host.p, host.n) == 0;
}

static bool is_upgrade(const struct http_request *r)
{
	return header_has(r, "upgrade", "websocket") && header_has(r, "connection", "upgrade");
}

/* In the order in which the stock server looks. False: a->refusal. */
static bool read_request(const struct live *l, const struct http_request *r, struct asked *a)
{
	char transport[16], version[8];
	*a = (struct asked){.refusal = UNKNOWN_TRANSPORT};
	if (http_query(r, "transport", transport, sizeof(transport)) != TACIT_OK)
		return false;
	a->websocket = strcmp(transport, "websocket") == 0;
	if (!a->websocket && strcmp(transport, "polling") != 0)
		return false;
	enum tacit_err sid = http_query(r, "sid", a->sid, sizeof(a->sid));
	a->has_sid = sid != TACIT_E_NOT_FOUND;
	a->refusal = UNKNOWN_SID;
	if (a->has_sid && sid != TACIT_OK)
		return false;
	a->refusal = BAD_HANDSHAKE_METHOD;
	if (!a->has_sid && r->method != HTTP_GET)
		return false;
	a->refusal = UNSUPPORTED_PROTOCOL_VERSION;
	if (http_query(r, "EIO", version, sizeof(version)) != TACIT_OK || strcmp(version, "4") != 0)
		return false;
	a->refusal = BAD_REQUEST;
	if (a->websocket != is_upgrade(r) || (r->method != HTTP_GET && r->method != HTTP_POST) ||
	        (a->websocket && r->method != HTTP_GET))
		return false;
	a->refusal = FORBIDDEN;
	return !a->websocket || origin_may(l, r);
}

/* --- a WebSocket begins --- */

struct opening {
	struct request_copy *request; /* NULL: for a session that is there */
	uint32_t loop;
	char sid[HOME_SID_CHARS + 1];
	bool turned_away;
};

static void free_opening(struct opening *o)
{
	request_free(o->request);
	tacit_free(o);
}

static void take(void *ctx, struct net_line *line)
{
	struct opening *o = ctx;
	struct home *h = home_here();
	if (line != NULL && h == NULL) {
		link_turn_away(line);
	} else if (line != NULL && o->request != NULL) {
		link_open_session(h, o->request, line);
		o->request = NULL;
	} else if (line != NULL) {
		struct seat *seat = seat_find(h, o->sid);
		bool free_place = seat != NULL && seat->probe == NULL && !o->turned_away &&
		                  seat->session.transport == SESSION_POLLING;
		if (free_place)
			link_begin_probe(seat, line);
		else
			link_turn_away(line);
	}
	free_opening(o);
}

/* RFC 6455 4.2.2. Takes o. */
static struct http_response *switch_protocols(const char *accept, struct opening *o)
{
	enum tacit_err err;
	struct http_response *r = http_response_new(101);
	TRY(r != NULL ? TACIT_OK : TACIT_E_NOMEM);
	TRY(http_response_header(r, "Upgrade", "websocket"));
	TRY(http_response_header(r, "Connection", "Upgrade"));
	TRY(http_response_header(r, "Sec-WebSocket-Accept", accept));
	r->taker = (struct http_taker){.take = take, .ctx = o, .loop = o->loop};
	return r;
out:
	free_opening(o);
	http_response_free(r);
	return NULL;
}

static struct http_response *refuse_version(void)
{
	struct http_response *r = refuse(BAD_REQUEST);
	if (r != NULL && http_response_header(r, "Sec-WebSocket-Version", "13") == TACIT_OK)
		return r;
	http_response_free(r);
	return NULL;
}

/* --- requests of a session, on its loop --- */

struct errand {
	struct net_letter letter;
	const struct live *live;
	struct http_handle from;
	enum http_method method;
	bool websocket;
	bool abandoned; /* whoever waited for the answer to it has gone */
	char sid[HOME_SID_CHARS + 1];
	char accept[TACIT_WS_ACCEPT_CHARS + 1];
	struct tacit_bytes body;
	uint8_t bytes[];
};

static struct http_response *open_probe(const struct seat *seat, const struct errand *e)
{
	struct opening *o = tacit_calloc(1, sizeof(*o));
	if (o == NULL)
		return NULL;
	o->loop = seat->home->loop;
	memcpy(o->sid, e->sid, sizeof(o->sid));
	/* Taken and closed, as the stock server does: a browser's WebSocket learns nothing of a
	 * 400. */
	o->turned_away = seat->probe != NULL || seat->session.transport != SESSION_POLLING;
	return switch_protocols(e->accept, o);
}

static void run_errand(struct home *h, const struct errand *e)
{
	home_run_timers(h);
	struct seat *seat = seat_find(h, e->sid);
	if (e->abandoned) {
		if (seat != NULL)
			seat_abandoned(seat, e->from);
	} else if (seat == NULL) {
		reply(e->from, refuse(UNKNOWN_SID));
	} else if (e->websocket) {
		reply(e->from, open_probe(seat, e));
	} else if (e->method == HTTP_POST) {
		bool ok = session_post(&seat->session, e->body, home_now_ms());
		reply(e->from, ok ? plain(200, TACIT_STR("ok")) : refuse(BAD_REQUEST));
	} else if (session_poll(&seat->session)) {
		seat->poll = e->from;
	} else {
		reply(e->from, refuse(BAD_REQUEST));
	}
}

static void open_letter(struct net_letter *letter, bool lost)
{
	struct errand *e = (struct errand *)letter;
	if (lost || home_here() == NULL)
		reply(e->from, unavailable(e->live, 503, 1));
	else
		run_errand(home_here(), e);
	tacit_free(e);
}

static void send_errand(uint32_t loop, const struct errand *e)
{
	struct errand *copy = tacit_alloc(sizeof(*copy) + e->body.n);
	if (copy == NULL) {
		reply(e->from, unavailable(e->live, 503, 1));
		return;
	}
	*copy = *e;
	copy->letter.open = open_letter;
	copy->body.p = copy->bytes;
	if (e->body.n > 0)
		memcpy(copy->bytes, e->body.p, e->body.n);
	net_post(loop, &copy->letter);
}

/* False: there is no such loop. */
static bool dispatch(struct live *l, const struct errand *e)
{
	uint32_t loop;
	struct home *h = home_here();
	if (!seat_loop_of(e->sid, &loop) ||
	        !atomic_load_explicit(&l->homes[loop], memory_order_acquire))
		return false;
	if (h->loop == loop)
		run_errand(h, e);
	else
		send_errand(loop, e);
	return true;
}

static void to_session(struct live *l, struct http_handle from, const struct http_request *r,
        const struct asked *a, const char *accept)
{
	struct errand e = {.live = l,
	        .from = from,
	        .method = r->method,
	        .websocket = a->websocket,
	        .body = r->body};
	memcpy(e.sid, a->sid, sizeof(e.sid));
	memcpy(e.accept, accept, strlen(accept) + 1);
	if (!dispatch(l, &e))
		reply(from, refuse(UNKNOWN_SID));
}

/* Only what is parked is ever without an answer for longer than a turn. */
static void abandoned(void *ctx, struct http_handle from, const struct http_request *r)
{
	struct live *l = ctx;
	struct asked a;
	struct errand e = {.live = l, .from = from, .method = r->method, .abandoned = true};
	if (home_here() == NULL || !read_request(l, r, &a) || !a.has_sid)
		return;
	memcpy(e.sid, a.sid, sizeof(e.sid));
	(void)dispatch(l, &e);
}

/* --- a new session --- */

static void begin_session(struct live *l, struct http_handle from, const struct http_request *r,
        const struct asked *a, const char *accept)
{
	unsigned retry_after = 0;
	struct home *h = home_here();
	if (l->http.admit != NULL && !l->http.admit(l->app.ctx, r, &retry_after)) {
		reply(from, unavailable(l, 429, retry_after));
		return;
	}
	struct request_copy *copy = request_copy(r);
	if (copy == NULL) {
		reply(from, unavailable(l, 503, 1));
	} else if (a->websocket) {
		struct opening *o = tacit_calloc(1, sizeof(*o));
		if (o != NULL) {
			o->request = copy;
			o->loop = h->loop;
		} else {
			request_free(copy);
		}
		reply(from, o != NULL ? switch_protocols(accept, o) : unavailable(l, 503, 1));
	} else {
		struct seat *seat = seat_new(h, SESSION_POLLING, copy);
		if (seat != NULL && session_poll(&seat->session))
			seat->poll = from;
		else
			reply(from, unavailable(l, 503, 1));
	}
}

/* --- http_app --- */

static struct http_response *options(const struct live *l, const struct http_request *r)
{
	struct tacit_bytes origin = http_header(r, "origin");
	enum tacit_err err;
	struct http_response *o = http_response_new(204);
	TRY(o != NULL ? TACIT_OK : TACIT_E_NOMEM);
	TRY(http_response_header(o, "Allow", "GET, POST, OPTIONS"));
	if (origin.p != NULL && l->http.origin_listed != NULL &&
	        l->http.origin_listed(l->app.ctx, origin)) {
		TRY(http_response_header(o, "Access-Control-Allow-Methods", "GET, POST, OPTIONS"));
		TRY(http_response_header(
		        o, "Access-Control-Allow-Headers", "Authorization, Content-Type"));
		TRY(http_response_header(o, "Access-Control-Max-Age", "600"));
	}
	return o;
out:
	http_response_free(o);
	return NULL;
}

/* Nothing is read for a session that is not there, nor more than it would take. */
static void plan_body(struct live *l, const struct asked *a, struct http_plan *plan)
{
	plan->body_limit = seat_body_limit(l, a->sid);
	if (plan->body_limit > 0)
		plan->kind = HTTP_BUFFER;
	else
		plan->answer = refuse(UNKNOWN_SID);
}

static bool plan(void *ctx, const struct http_request *r, struct http_plan *plan)
{
	struct live *l = ctx;
	struct asked a;
	if (!request_is_at(r, l->settings.path) && !request_is_at(r, l->settings.engine_path))
		return false;
	plan->kind = HTTP_ANSWER;
	if (r->method == HTTP_OPTIONS) {
		plan->answer = options(l, r);
	} else if (!read_request(l, r, &a)) {
		plan->answer = refuse(a.refusal);
	} else if (r->method == HTTP_GET) {
		plan->kind = HTTP_BUFFER;
		plan->watched = !a.websocket;
	} else {
		plan_body(l, &a, plan);
	}
	return true;
}

static void handle(void *ctx, struct http_handle from, const struct http_request *r)
{
	struct live *l = ctx;
	struct asked a;
	char accept[TACIT_WS_ACCEPT_CHARS + 1] = "";
	if (home_here() == NULL) {
		reply(from, unavailable(l, 503, 1));
	} else if (!read_request(l, r, &a)) {
		reply(from, refuse(a.refusal));
	} else if (a.websocket && !header_is(r, "sec-websocket-version", "13")) {
		reply(from, refuse_version());
	} else if (a.websocket &&
	           tacit_ws_accept(http_header(r, "sec-websocket-key"), accept) != TACIT_OK) {
		reply(from, refuse(BAD_REQUEST));
	} else if (a.has_sid) {
		to_session(l, from, r, &a, accept);
	} else {
		begin_session(l, from, r, &a, accept);
	}
}

struct http_app live_http_app(
        struct live *l, const struct http_app *under, const struct live_http *http)
{
	if (http != NULL)
		l->http = *http;
	l->over.plan = plan;
	l->over.handle = handle;
	l->over.abandoned = abandoned;
	struct http_app app = http_over_app(&l->over, under);
	app.loop_began = home_began;
	app.turn_over = home_turn_over;
	app.alarm = home_alarm;
	app.loop_stops = home_stops;
	app.loop_ended = home_ended;
	return app;
}
