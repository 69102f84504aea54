/* exchange.c - HTTP/1.1 on a connection, one exchange after the other.
 *
 *   HEAD --head complete, plan()--> BODY            the body is collected or streamed
 *     |                              |--whole, handle() or end()--> WAIT
 *     |                              '--answered early, refused, too slow--> WAIT
 *     '--plan answers, or refused--> WAIT           nothing is read
 *   WAIT --there is an answer--> SEND               (HEAD or BODY with an answer pass straight on)
 *   SEND --all has left--> SENT
 *   SENT --no piece is under way--> HEAD            the connection lives on
 *                                   REST            ... once a short unread body was skipped
 *                                   LINGER          our side is closed, the peer may still send
 *                                   closed
 *   REST --skipped--> HEAD         LINGER --end of file, or time--> closed
 *   any  --reset, time, end of file while reading--> closed
 *
 * All transitions are made by step(), in the turn of the connection; the calls from outside only
 * leave an answer or take back a piece. Invariants: x is NULL in HEAD, REST and LINGER only. The
 * next head is parsed only after SENT. streaming is false whenever x is freed: end() has been
 * called. A closed connection with a piece under way keeps its slot until http_resume: then bury()
 * comes again. */
#include "server/net/exchange.h"

#include <string.h>
#include <sys/ioctl.h>

#include "base/alloc.h"
#include "server/net/proxy.h"

#define MAX_REST_BYTES ((uint64_t)64 * 1024) /* skipped rather than closing the connection */
#define LINGER_MS 5000

struct http_handle exchange_handle_of(const struct conn *c)
{
	return (struct http_handle){c->loop->id, c->slot, c->http.x->generation};
}

/* --- an exchange begins and ends --- */

static void enter_head(struct conn *c)
{
	c->http.state = HTTP_STATE_HEAD;
	c->http.scan = (struct http1_scan){0};
	c->http.head_begun = false;
	conn_set_timeout(c, (int64_t)conn_settings_of(c)->idle_timeout_s * 1000);
	if (c->loop->stopping && c->input.n == 0)
		c->dead = true;
}

static bool open_exchange(struct conn *c, size_t head_bytes)
{
	struct exchange *x = tacit_alloc(sizeof(*x) + head_bytes);
	if (x == NULL) {
		c->dead = true;
		return false;
	}
	memset(x, 0, sizeof(*x));
	if (head_bytes > 0)
		memcpy(x->head, c->input.p, head_bytes);
	conn_consume(c, head_bytes);
	x->begun_us = net_now_us();
	x->generation = ++c->loop->generation;
	x->request.peer = conn_peer(c);
	x->request.tls = c->io.ssl != NULL;
	c->http.x = x;
	conn_set_timeout(c, 0);
	return true;
}

static void close_exchange(struct conn *c, bool answered)
{
	struct exchange *x = c->http.x;
	const struct http_app *app = conn_app_of(c);
	int status = answered ? x->response->status : 499;
	if (app->finished != NULL)
		app->finished(app->ctx, &x->request, x->plan.route, status,
		        x->head_bytes + x->body_sent, net_now_us() - x->begun_us);
	http_response_free(x->response);
	body_clear(c);
	tacit_free(x);
	c->http.x = NULL;
}

void exchange_fail(struct conn *c, int status)
{
	struct exchange *x = c->http.x;
	c->http.state = HTTP_STATE_WAIT;
	if (x->response != NULL)
		return;
	x->response = answer_error(c->loop, status);
	if (x->response == NULL)
		c->dead = true;
	if (status == 408)
		net_count(&c->loop->counters.timeouts, 1);
}

void exchange_fail_for_good(struct conn *c, int status)
{
	c->http.last = true;
	c->http.x->body_done = false;
	c->http.x->rest = UINT64_MAX;
	exchange_fail(c, status);
}

/* --- HEAD --- */

static void begin_body(struct conn *c)
{
	struct exchange *x = c->http.x;
	const struct http_app *app = conn_app_of(c);
	c->http.state = HTTP_STATE_BODY;
	x->budget_ms = conn_head_ms(c);
	if (x->info.expect_continue && !x->body_done) {
		x->continued = true;
		if (c->input.n == 0) /* else the client did not wait for it */
			answer_continue(c);
	}
	if (x->plan.kind != HTTP_STREAM)
		return;
	x->stream = app->stream_begin(app->ctx, exchange_handle_of(c), &x->request, x->plan.route);
	x->streaming = x->stream != NULL;
	if (!x->streaming)
		c->http.state = HTTP_STATE_WAIT;
}

static void make_plan(struct conn *c)
{
	struct exchange *x = c->http.x;
	const struct http_app *app = conn_app_of(c);
	x->rest = x->info.chunked ? 0 : x->request.content_length;
	x->body_done = x->request.content_length == 0;
	net_proxy_apply(conn_settings_of(c), &x->request);
	app->plan(app->ctx, &x->request, &x->plan);
	if (x->plan.kind == HTTP_ANSWER) {
		x->response = x->plan.answer;
		exchange_fail(c, 503); /* only when there is no answer */
	} else if (x->rest > x->plan.body_limit) {
		exchange_fail(c, 413);
	} else {
		begin_body(c);
	}
}

static bool read_head(struct conn *c)
{
	struct http_conn *h = &c->http;
	size_t bytes = 0;
	int status = 0;
	if (c->input.n == 0)
		return false;
	if (http1_find_end(c->input, &h->scan, &bytes, &status) == HTTP1_MORE) {
		if (!h->head_begun)
			conn_set_timeout(c, conn_head_ms(c));
		h->head_begun = true;
		return false;
	}
	if (!open_exchange(c, bytes))
		return false;
	struct exchange *x = h->x;
	if (status == 0)
		status = http1_parse_head(tacit_bytes(x->head, bytes), &x->request, &x->info);
	if (status == 0) {
		make_plan(c);
		return true;
	}
	/* A request that is half parsed is shown to nobody. */
	struct sockaddr_storage peer = x->request.peer;
	x->request = (struct http_request){.peer = peer, .tls = c->io.ssl != NULL};
	net_count(&c->loop->counters.malformed, 1);
	exchange_fail_for_good(c, status);
	return true;
}

/* --- WAIT, SEND, SENT --- */

/* RFC 9110 7.8: what stays HTTP/1.0, or is to be closed, cannot change its protocol, and a server
 * that stops begins nothing. */
static bool may_be_taken(struct conn *c)
{
	struct exchange *x = c->http.x;
	if (!x->info.close && x->body_done && !c->loop->stopping)
		return true;
	http_response_free(x->response);
	x->response = answer_error(c->loop, c->loop->stopping ? 503 : 400);
	c->dead |= x->response == NULL;
	return !c->dead;
}

static bool begin_answer(struct conn *c)
{
	struct exchange *x = c->http.x;
	if (x->response == NULL)
		return false;
	/* A client that was not told to continue may or may not send its body: only an end of the
	 * connection is unambiguous then (RFC 9110 10.1.1). */
	bool unsure = x->info.expect_continue && !x->continued;
	bool long_rest = x->info.chunked || x->rest > MAX_REST_BYTES;
	if (x->response->taker.take != NULL && !may_be_taken(c))
		return false;
	c->http.last |= x->info.close || x->response->close || c->loop->stopping ||
	                (!x->body_done && (unsure || long_rest));
	conn_set_timeout(c, 0);
	if (x->streaming && !x->piece_out)
		body_end_stream(c);
	if (answer_begin(c) != TACIT_OK)
		c->dead = true;
	c->http.state = HTTP_STATE_SEND;
	return true;
}

static bool send_answer(struct conn *c)
{
	struct exchange *x = c->http.x;
	uint64_t before = x->body_sent;
	enum net_io_result result = answer_send(c);
	if (result == NET_IO_OK) {
		c->http.state = HTTP_STATE_SENT;
		return true;
	}
	if (result == NET_IO_DEAD) {
		c->dead = true;
		return false;
	}
	if (!x->measuring)
		answer_creeps(c);
	if (c->loop->deadlines[c->slot] == 0 || x->body_sent > before)
		conn_set_timeout(c, conn_write_ms(c));
	return false;
}

/* Bytes that were not read when a socket is closed make the kernel send a reset, which may overtake
 * the answer on its way. */
static bool peer_has_sent_more(const struct conn *c)
{
	int unread = 0;
	return c->input.n > 0 || (ioctl(c->io.fd, FIONREAD, &unread) == 0 && unread > 0);
}

static void linger(struct conn *c)
{
	c->http.state = HTTP_STATE_LINGER;
	conn_consume(c, c->input.n);
	net_io_finish(&c->io);
	conn_set_timeout(c, LINGER_MS);
}

static void hand_over(struct conn *c)
{
	struct http_response *r = c->http.x->response;
	struct http_taker taker = r->taker;
	r->taker.take = NULL;
	close_exchange(c, true);
	c->http.state = HTTP_STATE_HEAD;
	line_take_over(c, &taker);
}

static bool after_answer(struct conn *c)
{
	struct http_conn *h = &c->http;
	conn_set_timeout(c, 0);
	if (h->x->response->taker.take != NULL) {
		hand_over(c);
		return false;
	}
	if (h->x->streaming) {
		if (h->x->piece_out)
			return false;
		body_end_stream(c);
	}
	bool unread = !h->x->body_done;
	h->rest = h->x->rest;
	close_exchange(c, true);
	if (h->last && (unread || peer_has_sent_more(c))) {
		linger(c);
	} else if (h->last) {
		c->dead = true;
	} else if (unread) {
		h->state = HTTP_STATE_REST;
		conn_set_timeout(c, conn_head_ms(c));
	} else {
		enter_head(c);
	}
	return !c->dead;
}

static bool skip_rest(struct conn *c)
{
	size_t n = c->input.n < c->http.rest ? c->input.n : (size_t)c->http.rest;
	conn_consume(c, n);
	c->http.rest -= n;
	if (c->http.rest > 0)
		return false;
	enter_head(c);
	return true;
}

/* --- the machine --- */

/* True: look again. */
static bool step(struct conn *c)
{
	switch (c->http.state) {
	case HTTP_STATE_HEAD:
		return read_head(c);
	case HTTP_STATE_BODY:
		return body_read(c);
	case HTTP_STATE_WAIT:
		return begin_answer(c);
	case HTTP_STATE_SEND:
		return send_answer(c);
	case HTTP_STATE_SENT:
		return after_answer(c);
	case HTTP_STATE_REST:
		return skip_rest(c);
	case HTTP_STATE_LINGER:
		conn_consume(c, c->input.n);
		return false;
	}
	return false;
}

static void run(struct conn *c)
{
	while (!c->dead && step(c))
		continue;
	body_run_clock(c);
}

static bool http_wants_input(const struct conn *c)
{
	switch (c->http.state) {
	case HTTP_STATE_HEAD:
	case HTTP_STATE_REST:
	case HTTP_STATE_LINGER:
		return true;
	case HTTP_STATE_BODY:
		return body_wants(c);
	case HTTP_STATE_WAIT:
		return c->http.x->plan.watched && c->input.n == 0;
	default:
		return false;
	}
}

/* Of what a peer says while it waits, one byte is read: that it has not gone. The rest stays where
 * it is, and whoever says more is not watched any longer. */
static void watch(struct conn *c)
{
	uint8_t byte;
	size_t got = 0;
	enum net_io_result result = net_io_receive(&c->io, &byte, 1, &got);
	if (!conn_received(c, result, got))
		return;
	c->in.n = 0;
	if (tacit_buf_append(&c->in, tacit_bytes(&byte, 1)) != TACIT_OK)
		c->dead = true;
	c->input = tacit_buf_view(&c->in);
}

static void http_readable(struct conn *c)
{
	if (!http_wants_input(c))
		return;
	if (c->http.state == HTTP_STATE_WAIT)
		watch(c);
	else if (c->http.state == HTTP_STATE_BODY && !c->http.x->info.chunked && c->input.n == 0)
		body_receive(c);
	else
		conn_receive(c);
	run(c);
}

static void http_writable(struct conn *c)
{
	size_t none = 0;
	struct tacit_bytes nothing = tacit_bytes(NULL, 0);
	/* 100 Continue found the socket full. */
	if (c->http.state == HTTP_STATE_BODY &&
	        conn_send(c, nothing, nothing, false, &none) == NET_IO_DEAD)
		c->dead = true;
	run(c);
}

static void http_expired(struct conn *c)
{
	switch (c->http.state) {
	case HTTP_STATE_HEAD:
		if (c->input.n == 0 || !open_exchange(c, 0)) {
			c->dead = true;
			return;
		}
		exchange_fail_for_good(c, 408);
		break;
	case HTTP_STATE_BODY:
		exchange_fail_for_good(c, 408);
		break;
	case HTTP_STATE_SEND:
		if (answer_creeps(c)) {
			conn_set_timeout(c, conn_write_ms(c));
			return;
		}
		net_count(&c->loop->counters.timeouts, 1);
		c->dead = true;
		return;
	default:
		c->dead = true;
		return;
	}
	run(c);
}

static void http_stop(struct conn *c)
{
	if (c->http.state == HTTP_STATE_HEAD && c->input.n == 0)
		c->dead = true;
}

static void tell_abandoned(struct conn *c)
{
	const struct exchange *x = c->http.x;
	const struct http_app *app = conn_app_of(c);
	if (c->http.state == HTTP_STATE_WAIT && x->plan.watched && x->response == NULL &&
	        app->abandoned != NULL)
		app->abandoned(app->ctx, exchange_handle_of(c), &x->request, x->plan.route);
}

static bool http_buried(struct conn *c)
{
	struct exchange *x = c->http.x;
	if (x == NULL)
		return true;
	tell_abandoned(c);
	if (x->streaming) {
		body_give_piece(c); /* what had come is worth keeping for a resumable upload */
		if (x->piece_out)
			return false;
		body_end_stream(c);
	}
	close_exchange(c, false);
	return true;
}

const struct conn_ops http_conn_ops = {
        .wants_input = http_wants_input,
        .readable = http_readable,
        .writable = http_writable,
        .expired = http_expired,
        .stop = http_stop,
        .buried = http_buried,
};

/* --- mail --- */

bool conn_is(const struct conn *c, struct http_handle h)
{
	return c->slot == h.slot && c->http.x != NULL && c->http.x->generation == h.generation;
}

void conn_reply(struct conn *c, struct http_response *r)
{
	struct exchange *x = c->http.x;
	if (c->dead || x->response != NULL) {
		http_response_free(r);
		return;
	}
	x->response = r;
	if (c->loop->running != c)
		conn_turn(c, run);
}

void conn_resume(struct conn *c)
{
	if (!c->http.x->piece_out)
		return;
	c->http.x->piece_out = false;
	c->loop->pieces_out--;
	if (c->loop->running != c)
		conn_turn(c, run);
}
