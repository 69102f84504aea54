/* body.c - the body of a request: collected for handle(), or given away in pieces. */
#include "server/net/exchange.h"
#include "server/net/mailbox.h"

#define FIRST_BYTES ((size_t)64 * 1024) /* allocated for a body before it has come */
#define MAX_COLLECTED_BYTES ((size_t)64 * 1024 * 1024)
#define GIVE_BYTES ((size_t)64 * 1024) /* a smaller piece is not worth a job */

/* The body's clock: a purse that each byte fills at the minimal rate and each moment of waiting for
 * the peer empties. It stands still while the application holds us up. */
static void credit(struct conn *c, size_t bytes)
{
	int64_t *deadline = &c->loop->deadlines[c->slot];
	int64_t full = conn_head_ms(c) > conn_write_ms(c) ? conn_head_ms(c) : conn_write_ms(c);
	if (*deadline == 0 || bytes == 0)
		return;
	*deadline += (int64_t)(bytes * 1000 / conn_settings_of(c)->body_min_rate);
	int64_t most = net_now_ms() + full;
	if (*deadline > most)
		*deadline = most;
}

/* Bodies that are collected come from anybody: all of a loop together have a bound. */
static bool charge(struct conn *c)
{
	struct exchange *x = c->http.x;
	if (x->plan.kind == HTTP_STREAM)
		return true;
	c->loop->collected += x->body.cap - x->charged;
	x->charged = x->body.cap;
	return c->loop->collected <= MAX_COLLECTED_BYTES;
}

void body_clear(struct conn *c)
{
	struct exchange *x = c->http.x;
	tacit_buf_clear(&x->body);
	c->loop->collected -= x->charged;
	x->charged = 0;
}

static size_t body_room(const struct exchange *x)
{
	if (x->plan.kind == HTTP_STREAM)
		return HTTP_PIECE_BYTES - x->body.n;
	return SIZE_MAX;
}

bool body_wants(const struct conn *c)
{
	const struct exchange *x = c->http.x;
	return x->response == NULL && !x->body_done && body_room(x) > 0;
}

void body_run_clock(struct conn *c)
{
	int64_t *deadline = &c->loop->deadlines[c->slot];
	struct exchange *x = c->http.x;
	if (c->dead || c->http.state != HTTP_STATE_BODY)
		return;
	if (body_wants(c) && *deadline == 0)
		*deadline = net_now_ms() + x->budget_ms;
	if (!body_wants(c) && *deadline != 0) {
		x->budget_ms = *deadline - net_now_ms();
		*deadline = 0;
	}
}

/* The next part of the body out of the input. 0, or the status to refuse it with. */
static int next_data(struct conn *c, struct tacit_bytes *data)
{
	struct exchange *x = c->http.x;
	size_t room = body_room(x);
	if (x->info.chunked) {
		enum http1_result result = http1_chunked_next(&x->chunked, &c->input, room, data);
		x->body_done = result == HTTP1_DONE;
		return result == HTTP1_REFUSED ? 400 : 0;
	}
	*data = tacit_bytes_part(c->input, 0, room < x->rest ? room : (size_t)x->rest);
	conn_consume(c, data->n);
	x->rest -= data->n;
	x->body_done = x->rest == 0;
	return 0;
}

static int absorb(struct conn *c)
{
	struct exchange *x = c->http.x;
	while (c->input.n > 0 && body_wants(c)) {
		struct tacit_bytes data;
		int status = next_data(c, &data);
		if (status != 0)
			return status;
		if (data.n > x->plan.body_limit - x->received)
			return 413;
		if (tacit_buf_append(&x->body, data) != TACIT_OK || !charge(c))
			return 503;
		x->received += data.n;
		credit(c, data.n);
	}
	return 0;
}

void body_receive(struct conn *c)
{
	struct exchange *x = c->http.x;
	size_t got = 0, want = x->body.n > FIRST_BYTES ? x->body.n : FIRST_BYTES;
	if (x->plan.kind == HTTP_STREAM)
		want = body_room(x);
	want = want < x->rest ? want : (size_t)x->rest;
	if (x->plan.kind == HTTP_STREAM || x->body.cap == x->body.n)
		if (tacit_buf_reserve(&x->body, want) != TACIT_OK || !charge(c)) {
			exchange_fail_for_good(c, 503);
			return;
		}
	size_t room = x->body.cap - x->body.n;
	room = room < x->rest ? room : (size_t)x->rest;
	enum net_io_result result = net_io_receive(&c->io, x->body.p + x->body.n, room, &got);
	if (!conn_received(c, result, got))
		return;
	x->body.n += got;
	x->received += got;
	x->rest -= got;
	x->body_done = x->rest == 0;
	credit(c, got);
}

bool body_give_piece(struct conn *c)
{
	struct exchange *x = c->http.x;
	const struct http_app *app = conn_app_of(c);
	bool worth = x->body_done || c->dead || x->body.n >= GIVE_BYTES;
	if (x->piece_out || x->response != NULL || x->body.n == 0 || !worth)
		return false;
	if (mailbox_reserve(c->loop->id, c->loop->pieces_out + 1) != TACIT_OK) {
		exchange_fail_for_good(c, 503);
		return false;
	}
	struct tacit_buf piece = x->body;
	x->body = (struct tacit_buf){0};
	x->piece_out = true;
	c->loop->pieces_out++;
	app->stream_data(app->ctx, exchange_handle_of(c), x->stream, &piece);
	return true;
}

void body_end_stream(struct conn *c)
{
	struct exchange *x = c->http.x;
	const struct http_app *app = conn_app_of(c);
	bool complete = x->body_done && x->body.n == 0;
	x->streaming = false;
	app->stream_end(app->ctx, exchange_handle_of(c), x->stream, complete);
}

static void hand_over(struct conn *c)
{
	const struct http_app *app = conn_app_of(c);
	c->http.state = HTTP_STATE_WAIT;
	conn_set_timeout(c, 0);
	app->handle(app->ctx, exchange_handle_of(c), &c->http.x->request, c->http.x->plan.route);
}

/* A body that lies in the input already is handed over where it is. */
static bool handle_in_place(struct conn *c)
{
	struct exchange *x = c->http.x;
	if (x->info.chunked || x->received > 0 || c->input.n < x->rest)
		return false;
	size_t bytes = (size_t)x->rest;
	x->request.body = tacit_bytes_part(c->input, 0, bytes);
	x->rest = 0;
	x->received = bytes;
	x->body_done = true;
	hand_over(c);
	x->request.body = tacit_bytes(NULL, 0);
	conn_consume(c, bytes);
	return true;
}

static bool read_buffered(struct conn *c)
{
	struct exchange *x = c->http.x;
	if (x->received == 0 && handle_in_place(c))
		return true;
	int status = absorb(c);
	if (status != 0) {
		exchange_fail_for_good(c, status);
		return true;
	}
	if (!x->body_done)
		return false;
	x->request.body = tacit_buf_view(&x->body);
	hand_over(c);
	x->request.body = tacit_bytes(NULL, 0);
	body_clear(c);
	return true;
}

static bool read_streamed(struct conn *c)
{
	struct exchange *x = c->http.x;
	int status = absorb(c);
	if (status != 0) {
		exchange_fail_for_good(c, status);
		return true;
	}
	if (body_give_piece(c) || c->http.state != HTTP_STATE_BODY)
		return true;
	if (!x->body_done || x->body.n > 0 || x->piece_out)
		return false;
	c->http.state = HTTP_STATE_WAIT;
	conn_set_timeout(c, 0);
	body_end_stream(c);
	return true;
}

bool body_read(struct conn *c)
{
	if (c->http.x->response != NULL) { /* answered early */
		c->http.state = HTTP_STATE_WAIT;
		return true;
	}
	return c->http.x->plan.kind == HTTP_STREAM ? read_streamed(c) : read_buffered(c);
}
