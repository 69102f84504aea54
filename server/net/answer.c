/* answer.c - an answer onto the wire: its head, then its body from memory or from a file. */
#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "base/writer.h"
#include "server/net/exchange.h"

/* What one download may send before the others of its loop have their turn. */
#define TURN_BYTES ((uint64_t)2 * 1024 * 1024)

static struct tacit_bytes reason(int status)
{
	static const struct {
		int status;
		struct tacit_bytes text;
	} reasons[] = {
	        {101, {(const uint8_t *)"Switching Protocols", 19}},
	        {200, {(const uint8_t *)"OK", 2}},
	        {201, {(const uint8_t *)"Created", 7}},
	        {202, {(const uint8_t *)"Accepted", 8}},
	        {204, {(const uint8_t *)"No Content", 10}},
	        {206, {(const uint8_t *)"Partial Content", 15}},
	        {304, {(const uint8_t *)"Not Modified", 12}},
	        {400, {(const uint8_t *)"Bad Request", 11}},
	        {401, {(const uint8_t *)"Unauthorized", 12}},
	        {403, {(const uint8_t *)"Forbidden", 9}},
	        {404, {(const uint8_t *)"Not Found", 9}},
	        {405, {(const uint8_t *)"Method Not Allowed", 18}},
	        {408, {(const uint8_t *)"Request Timeout", 15}},
	        {409, {(const uint8_t *)"Conflict", 8}},
	        {410, {(const uint8_t *)"Gone", 4}},
	        {412, {(const uint8_t *)"Precondition Failed", 19}},
	        {413, {(const uint8_t *)"Content Too Large", 17}},
	        {415, {(const uint8_t *)"Unsupported Media Type", 22}},
	        {416, {(const uint8_t *)"Range Not Satisfiable", 21}},
	        {417, {(const uint8_t *)"Expectation Failed", 18}},
	        {422, {(const uint8_t *)"Unprocessable Content", 21}},
	        {429, {(const uint8_t *)"Too Many Requests", 17}},
	        {431, {(const uint8_t *)"Request Header Fields Too Large", 31}},
	        {460, {(const uint8_t *)"Checksum Mismatch", 17}}, /* tus 1.0.0 */
	        {500, {(const uint8_t *)"Internal Server Error", 21}},
	        {501, {(const uint8_t *)"Not Implemented", 15}},
	        {503, {(const uint8_t *)"Service Unavailable", 19}},
	        {505, {(const uint8_t *)"HTTP Version Not Supported", 26}},
	        {507, {(const uint8_t *)"Insufficient Storage", 20}},
	};
	for (size_t i = 0; i < TACIT_COUNT(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].text;
	return tacit_bytes(NULL, 0); /* RFC 9112 4: may be empty */
}

static void write_number(struct tacit_writer *w, uint64_t n)
{
	uint8_t digits[20];
	size_t at = sizeof(digits);
	do {
		digits[--at] = (uint8_t)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	tacit_write_raw(w, tacit_bytes(digits + at, sizeof(digits) - at));
}

/* RFC 9110 6.4.1, 8.6, 15.3.5, 15.4.5: no body, and no length either. */
static bool has_no_body(int status)
{
	return status < 200 || status == 204 || status == 304;
}

static void write_status(struct tacit_writer *w, const struct http_response *r)
{
	tacit_write_raw(w, TACIT_STR("HTTP/1.1 "));
	write_number(w, (uint64_t)r->status);
	tacit_write_raw(w, TACIT_STR(" "));
	tacit_write_raw(w, reason(r->status));
}

static enum tacit_err make_head(struct conn *c, const struct http_response *r, uint64_t length)
{
	struct net_loop *l = c->loop;
	const struct http_app *app = &l->shared->app;
	l->head.n = 0;
	struct tacit_writer w = tacit_writer(&l->head);
	write_status(&w, r);
	tacit_write_raw(&w, TACIT_STR("\r\nDate: "));
	tacit_write_raw(&w, tacit_cstr(net_loop_date(l)));
	if (!has_no_body(r->status)) {
		if (r->content_type != NULL) {
			tacit_write_raw(&w, TACIT_STR("\r\nContent-Type: "));
			tacit_write_raw(&w, tacit_cstr(r->content_type));
		}
		tacit_write_raw(&w, TACIT_STR("\r\nContent-Length: "));
		write_number(&w, length);
	}
	if (c->http.last)
		tacit_write_raw(&w, TACIT_STR("\r\nConnection: close"));
	if (r->no_store)
		tacit_write_raw(&w, TACIT_STR("\r\nCache-Control: no-store"));
	tacit_write_raw(&w, TACIT_STR("\r\n"));
	tacit_write_raw(&w, tacit_buf_view(&r->headers));
	enum tacit_err err = tacit_writer_finish(&w);
	if (err != TACIT_OK)
		return err;
	if (app->common_headers != NULL)
		app->common_headers(app->ctx, &c->http.x->request, r, &l->head);
	return tacit_buf_append(&l->head, TACIT_STR("\r\n"));
}

static struct tacit_bytes body_of(const struct http_response *r)
{
	return r->fixed.p != NULL ? r->fixed : tacit_buf_view(&r->body);
}

/* The first try goes out from where head and body were made, in one call; only if the socket is
 * full anything is copied. */
enum tacit_err answer_begin(struct conn *c)
{
	struct exchange *x = c->http.x;
	struct http_response *r = x->response;
	bool empty = has_no_body(r->status) || r->content_type == NULL;
	uint64_t length = r->file >= 0 ? r->file_bytes : body_of(r).n;
	if (empty)
		length = 0;
	enum tacit_err err = make_head(c, r, length);
	if (err != TACIT_OK)
		return err;
	x->head_bytes = c->loop->head.n;
	x->body_bytes = x->request.method == HTTP_HEAD ? 0 : length;
	if (r->file >= 0 && x->body_bytes > TURN_BYTES)
		posix_fadvise(r->file, (off_t)r->file_from, 0, POSIX_FADV_SEQUENTIAL);
	struct tacit_bytes body = tacit_bytes(NULL, 0);
	if (r->file < 0 && x->body_bytes > 0)
		body = body_of(r);
	size_t sent = 0;
	bool more = r->file >= 0 && x->body_bytes > 0;
	if (conn_send(c, tacit_buf_view(&c->loop->head), body, more, &sent) == NET_IO_DEAD)
		c->dead = true;
	x->body_sent = sent;
	return TACIT_OK;
}

static enum net_io_result send_memory(struct conn *c)
{
	struct exchange *x = c->http.x;
	struct tacit_bytes rest = tacit_bytes(NULL, 0);
	size_t sent = 0;
	if (x->response->file < 0)
		rest = tacit_bytes_part(body_of(x->response), (size_t)x->body_sent,
		        (size_t)(x->body_bytes - x->body_sent));
	enum net_io_result result = conn_send(c, tacit_bytes(NULL, 0), rest, false, &sent);
	x->body_sent += sent;
	x->measured += sent;
	return result;
}

static enum net_io_result send_file(struct conn *c)
{
	struct exchange *x = c->http.x;
	struct http_response *r = x->response;
	uint64_t turn = 0;
	while (x->body_sent < x->body_bytes) {
		size_t sent = 0;
		uint64_t at = r->file_from + x->body_sent;
		uint64_t most = x->body_bytes - x->body_sent;
		most = most < TURN_BYTES - turn ? most : TURN_BYTES - turn;
		enum net_io_result result =
		        net_io_send_file(&c->io, r->file, &at, most, c->loop->gather, &sent);
		net_count(&c->loop->counters.bytes_out, sent);
		x->body_sent += sent;
		x->measured += sent;
		turn += sent;
		if (result == NET_IO_DEAD || result == NET_IO_END)
			return NET_IO_DEAD;
		if (result == NET_IO_AGAIN || turn >= TURN_BYTES) {
			c->want_write = x->body_sent < x->body_bytes;
			return c->want_write ? NET_IO_AGAIN : NET_IO_OK;
		}
	}
	return NET_IO_OK;
}

enum net_io_result answer_send(struct conn *c)
{
	struct exchange *x = c->http.x;
	enum net_io_result result = NET_IO_OK;
	if (c->out.n > 0 || (x->response->file < 0 && x->body_sent < x->body_bytes))
		result = send_memory(c);
	if (result == NET_IO_OK && x->response->file >= 0)
		result = send_file(c);
	return result;
}

bool answer_creeps(struct conn *c)
{
	const struct net_settings *s = &c->loop->shared->settings;
	struct exchange *x = c->http.x;
	int queued = 0;
	if (ioctl(c->io.fd, SIOCOUTQ, &queued) != 0 || queued < 0)
		return false;
	uint64_t left = (uint64_t)queued;
	uint64_t taken = x->measured > left ? x->measured - left : 0;
	bool creeps = !x->measuring || taken >= (uint64_t)s->body_min_rate * s->write_timeout_s;
	x->measuring = true;
	x->measured = left;
	return creeps;
}

struct http_response *answer_error(struct net_loop *l, int status)
{
	const struct http_app *app = &l->shared->app;
	struct http_response *r = http_response_new(status);
	if (r == NULL)
		return NULL;
	if (app->error_body != NULL) {
		r->content_type = "application/json";
		app->error_body(app->ctx, status, &r->body);
	}
	if (status == 503 && http_response_header(r, "Retry-After", "1") != TACIT_OK) {
		http_response_free(r);
		return NULL;
	}
	return r;
}

void answer_continue(struct conn *c)
{
	size_t none = 0;
	if (conn_send(c, TACIT_STR("HTTP/1.1 100 Continue\r\n\r\n"), tacit_bytes(NULL, 0), false,
	            &none) == NET_IO_DEAD)
		c->dead = true;
}
