/* A small application behind a real server on loopback, in the clear and under TLS. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/env.h"
#include "server/job/job.h"
#include "server/net/server.h"
#include "support/tap.h"

#define BODY_LIMIT ((uint64_t)1024 * 1024)
#define FILE_BYTES ((size_t)6 * 1024 * 1024)

static char folder[] = "/tmp/tacit-net-XXXXXX";
static char cert_path[64], key_path[64], file_path[64];
static struct job_pool *pool;

static void sleep_ms(long ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	nanosleep(&t, NULL);
}

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- the application --- */

static struct {
	atomic_uint plans, finished, aborted, streams, ends, incomplete, pieces_out;
	atomic_uint parked, abandoned;
	atomic_ullong streamed;
	atomic_bool overlapped;
} seen;
static struct http_handle parked; /* the last, when seen.parked tells of it */

struct upload {
	uint64_t bytes, sum;
};

struct piece_job {
	struct job job;
	struct http_handle h;
	struct upload *upload;
	struct tacit_buf piece;
	bool ended, complete;
	long delay_ms;
	struct http_response *answer;
};

static void fill_pattern(uint8_t *p, size_t n, uint64_t at)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)((at + i) * 31 + ((at + i) >> 12));
}

static struct http_response *text_answer(int status, const char *text)
{
	struct http_response *r = http_response_new(status);
	if (r == NULL)
		return NULL;
	r->content_type = "text/plain";
	if (tacit_buf_append(&r->body, tacit_cstr(text)) != TACIT_OK) {
		http_response_free(r);
		return NULL;
	}
	return r;
}

static enum tacit_err run_piece(struct job *j, void *context)
{
	struct piece_job *p = (struct piece_job *)j;
	(void)context;
	if (p->delay_ms > 0)
		sleep_ms(p->delay_ms);
	for (size_t i = 0; i < p->piece.n; i++)
		p->upload->sum += p->piece.p[i];
	if (p->upload != NULL)
		p->upload->bytes += p->piece.n;
	return TACIT_OK;
}

static void piece_done(struct job *j, enum tacit_err err)
{
	struct piece_job *p = (struct piece_job *)j;
	(void)err;
	if (p->answer != NULL) {
		http_reply(p->h, p->answer);
		http_reply(p->h, text_answer(500, "a second answer is dropped"));
	} else if (p->ended) {
		char text[80];
		snprintf(text, sizeof(text), "%llu %llu", (unsigned long long)p->upload->bytes,
		        (unsigned long long)p->upload->sum);
		if (p->complete)
			http_reply(p->h, text_answer(200, text));
		tacit_free(p->upload);
	} else {
		atomic_fetch_add(&seen.streamed, p->piece.n);
		atomic_fetch_sub(&seen.pieces_out, 1);
		http_resume(p->h);
	}
	tacit_buf_clear(&p->piece);
	tacit_free(p);
}

static struct piece_job *new_piece_job(struct http_handle h, struct upload *u)
{
	struct piece_job *p = tacit_calloc(1, sizeof(*p));
	TACIT_ASSERT(p != NULL);
	p->job.run = run_piece;
	p->job.done = piece_done;
	p->h = h;
	p->upload = u;
	return p;
}

static void submit(struct piece_job *p)
{
	TACIT_ASSERT(job_submit(pool, JOB_FILE, &p->job));
}

static bool is_path(const struct http_request *r, const char *path)
{
	return tacit_bytes_eq(r->path, tacit_cstr(path));
}

static uint64_t number(const struct http_request *r, const char *name)
{
	char text[24];
	if (http_query(r, name, text, sizeof(text)) != TACIT_OK)
		return 0;
	return strtoull(text, NULL, 10);
}

static struct http_response *file_answer(const struct http_request *r)
{
	struct http_response *a = http_response_new(200);
	if (a == NULL)
		return NULL;
	a->content_type = "application/octet-stream";
	a->file = open(file_path, O_RDONLY | O_CLOEXEC);
	a->file_from = number(r, "from");
	a->file_bytes = number(r, "bytes");
	return a;
}

static struct http_response *who_answer(const struct http_request *r)
{
	char address[INET6_ADDRSTRLEN], text[80];
	struct sockaddr_in v4;
	memcpy(&v4, &r->peer, sizeof(v4));
	inet_ntop(AF_INET, &v4.sin_addr, address, sizeof(address));
	snprintf(text, sizeof(text), "%s %s", address, r->tls ? "tls" : "plain");
	return text_answer(200, text);
}

static void plan(void *ctx, const struct http_request *r, struct http_plan *p)
{
	(void)ctx;
	atomic_fetch_add(&seen.plans, 1);
	p->body_limit = BODY_LIMIT;
	if (is_path(r, "/echo") || is_path(r, "/later")) {
		p->kind = HTTP_BUFFER;
	} else if (is_path(r, "/parked")) {
		p->kind = HTTP_BUFFER;
		p->watched = true;
	} else if (is_path(r, "/stream") || is_path(r, "/early")) {
		p->kind = HTTP_STREAM;
		p->body_limit = number(r, "limit") > 0 ? number(r, "limit") : UINT64_MAX - 1;
	} else if (is_path(r, "/file")) {
		p->answer = file_answer(r);
	} else if (is_path(r, "/who")) {
		p->answer = who_answer(r);
	} else if (is_path(r, "/empty")) {
		p->answer = http_response_new(204);
	} else if (is_path(r, "/hello")) {
		p->answer = text_answer(200, "hello");
	} else {
		p->answer = text_answer(404, "nothing here");
	}
	p->route = &seen;
}

static void handle(void *ctx, struct http_handle h, const struct http_request *r, void *route)
{
	(void)ctx;
	TACIT_ASSERT(route == &seen);
	if (is_path(r, "/parked")) {
		parked = h;
		atomic_fetch_add(&seen.parked, 1);
		return;
	}
	struct http_response *a = http_response_new(200);
	if (a != NULL) {
		a->content_type = "application/octet-stream";
		if (tacit_buf_append(&a->body, r->body) != TACIT_OK)
			a->body.n = 0;
	}
	if (a != NULL && is_path(r, "/later")) {
		struct piece_job *p = new_piece_job(h, NULL);
		p->answer = a;
		p->delay_ms = (long)number(r, "ms");
		submit(p);
		return;
	}
	http_reply(h, a != NULL ? a : text_answer(503, "no memory"));
}

static void abandoned(void *ctx, struct http_handle h, const struct http_request *r, void *route)
{
	(void)ctx;
	TACIT_ASSERT(route == &seen && is_path(r, "/parked"));
	TACIT_ASSERT(h.slot == parked.slot && h.generation == parked.generation);
	atomic_fetch_add(&seen.abandoned, 1);
}

static void *stream_begin(
        void *ctx, struct http_handle h, const struct http_request *r, void *route)
{
	(void)ctx;
	(void)route;
	if (is_path(r, "/early")) {
		http_reply(h, text_answer(409, "not now"));
		return NULL;
	}
	atomic_fetch_add(&seen.streams, 1);
	struct upload *u = tacit_calloc(1, sizeof(*u));
	TACIT_ASSERT(u != NULL);
	return u;
}

static void stream_data(void *ctx, struct http_handle h, void *state, struct tacit_buf *piece)
{
	(void)ctx;
	if (atomic_fetch_add(&seen.pieces_out, 1) > 0 || piece->n > HTTP_PIECE_BYTES)
		atomic_store(&seen.overlapped, true);
	struct piece_job *p = new_piece_job(h, state);
	p->piece = *piece;
	submit(p);
}

static void stream_end(void *ctx, struct http_handle h, void *state, bool complete)
{
	(void)ctx;
	atomic_fetch_add(&seen.ends, 1);
	atomic_fetch_add(&seen.incomplete, complete ? 0 : 1);
	struct piece_job *p = new_piece_job(h, state);
	p->ended = true;
	p->complete = complete;
	submit(p);
}

static void common_headers(void *ctx, const struct http_request *r,
        const struct http_response *answer, struct tacit_buf *out)
{
	(void)ctx;
	(void)r;
	(void)answer;
	tacit_ignore(tacit_buf_append(out, TACIT_STR("X-Common: yes\r\n")), "a test header");
}

static void error_body(void *ctx, int status, struct tacit_buf *out)
{
	(void)ctx;
	tacit_ignore(tacit_buf_printf(out, "{\"status\":%d}", status), "a test body");
}

static void finished(void *ctx, const struct http_request *r, void *route, int status,
        uint64_t bytes_out, uint64_t microseconds)
{
	(void)ctx;
	(void)route;
	(void)microseconds;
	TACIT_ASSERT(r != NULL && (status == 499 || bytes_out > 0));
	atomic_fetch_add(status == 499 ? &seen.aborted : &seen.finished, 1);
}

static const struct http_app app = {
        .plan = plan,
        .handle = handle,
        .abandoned = abandoned,
        .stream_begin = stream_begin,
        .stream_data = stream_data,
        .stream_end = stream_end,
        .common_headers = common_headers,
        .error_body = error_body,
        .cork = job_cork,
        .uncork = job_uncork,
        .finished = finished,
};

/* --- the server --- */

static bool with_tls;
static SSL_CTX *client_context;

static struct net_settings settings(void)
{
	return (struct net_settings){.listen = "127.0.0.1:0",
	        .loops = 2,
	        .max_connections = 100,
	        .head_timeout_s = 1,
	        .idle_timeout_s = 2,
	        .write_timeout_s = 1,
	        .tls_cert = with_tls ? cert_path : NULL,
	        .tls_key = with_tls ? key_path : NULL};
}

static struct net_server *serve(struct net_settings s)
{
	const char *why = NULL;
	struct net_server *server = NULL;
	if (net_server_new(&s, &app, &why, &server) != TACIT_OK ||
	        net_server_start(server) != TACIT_OK) {
		printf("# no server: %s\n", why);
		CHECK_ERR(TACIT_E_IO, TACIT_OK);
		exit(1);
	}
	return server;
}

static void shut(struct net_server *s)
{
	net_server_stop(s, 2);
	net_server_free(s);
}

/* --- a client --- */

struct client {
	int fd;
	SSL *ssl;
	char *in; /* unread */
	size_t n, room;
};

static bool connect_raw(struct client *c, const struct net_server *s, int receive_buffer)
{
	struct sockaddr_in a = {
	        .sin_family = AF_INET, .sin_port = htons((uint16_t)net_server_port(s))};
	struct timeval limit = {.tv_sec = 20};
	*c = (struct client){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (receive_buffer > 0)
		setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	return connect(c->fd, (struct sockaddr *)&a, sizeof(a)) == 0;
}

static bool connect_to(struct client *c, const struct net_server *s)
{
	if (!connect_raw(c, s, 0))
		return false;
	if (!with_tls)
		return true;
	c->ssl = SSL_new(client_context);
	return c->ssl != NULL && SSL_set_fd(c->ssl, c->fd) == 1 && SSL_connect(c->ssl) == 1;
}

static bool put_bytes(struct client *c, const void *p, size_t n)
{
	size_t at = 0;
	while (at < n) {
		ssize_t sent = c->ssl != NULL
		                       ? SSL_write(c->ssl, (const char *)p + at, (int)(n - at))
		                       : send(c->fd, (const char *)p + at, n - at, MSG_NOSIGNAL);
		if (sent <= 0)
			return false;
		at += (size_t)sent;
	}
	return true;
}

static bool put(struct client *c, const char *text)
{
	return put_bytes(c, text, strlen(text));
}

/* The server may have had enough already. */
static void put_chunk(struct client *c, const void *p, size_t n)
{
	char size[20];
	snprintf(size, sizeof(size), "%zx\r\n", n);
	if (put(c, size) && put_bytes(c, p, n))
		put(c, "\r\n");
}

/* More bytes behind c->in; 0 at the end, -1 on error. */
static ssize_t get_more(struct client *c)
{
	if (c->room - c->n < 65537) {
		c->room = c->room * 2 + 131072;
		c->in = realloc(c->in, c->room);
	}
	ssize_t got = c->ssl != NULL ? SSL_read(c->ssl, c->in + c->n, 65536)
	                             : recv(c->fd, c->in + c->n, 65536, 0);
	if (got <= 0 && c->ssl != NULL)
		got = errno == EAGAIN ? -1 : 0;
	if (got > 0)
		c->n += (size_t)got;
	return got;
}

static void drop(struct client *c)
{
	if (c->ssl != NULL)
		SSL_free(c->ssl);
	close(c->fd);
	free(c->in);
	*c = (struct client){.fd = -1};
}

static bool at_end(struct client *c)
{
	return c->n == 0 && get_more(c) == 0;
}

struct answer {
	int status;
	char head[2048];
	uint8_t *body;
	size_t bytes;
};

static void take_in(struct client *c, size_t n)
{
	memmove(c->in, c->in + n, c->n - n);
	c->n -= n;
}

static bool has_line(const struct answer *a, const char *line)
{
	return strstr(a->head, line) != NULL;
}

/* c->in is a string now; false: it is empty. */
static bool get_text(struct client *c)
{
	if (c->n > 0)
		c->in[c->n] = 0; /* get_more leaves room */
	return c->n > 0;
}

/* One answer off the connection; status 0 when none came. bodiless: an answer to HEAD. */
static struct answer get(struct client *c, bool bodiless)
{
	struct answer a = {0};
	size_t head = 0;
	while (head == 0) {
		char *end = NULL;
		if (get_text(c))
			end = strstr(c->in, "\r\n\r\n");
		if (end != NULL)
			head = (size_t)(end - c->in) + 4;
		else if (get_more(c) <= 0)
			return a;
	}
	if (head >= sizeof(a.head) || memcmp(c->in, "HTTP/1.1 ", 9) != 0)
		return a;
	memcpy(a.head, c->in, head);
	int status = (int)strtol(a.head + 9, NULL, 10);
	take_in(c, head);
	const char *length = strstr(a.head, "\r\nContent-Length: ");
	a.bytes = length != NULL && !bodiless ? strtoull(length + 18, NULL, 10) : 0;
	while (c->n < a.bytes)
		if (get_more(c) <= 0)
			return a;
	a.body = malloc(a.bytes + 1);
	memcpy(a.body, c->in, a.bytes);
	a.body[a.bytes] = 0;
	take_in(c, a.bytes);
	a.status = status;
	return a;
}

static int get_status(struct client *c)
{
	struct answer a = get(c, false);
	free(a.body);
	return a.status;
}

static bool body_is(const struct answer *a, const char *text)
{
	bool same = a->body != NULL && strcmp((char *)a->body, text) == 0;
	if (!same)
		printf("# %d, body %.60s\n", a->status,
		        a->body != NULL ? (char *)a->body : "(none)");
	return same;
}

static bool expect(struct client *c, int status, const char *body)
{
	struct answer a = get(c, false);
	bool ok = a.status == status && body_is(&a, body);
	free(a.body);
	return ok;
}

static bool serves(const struct net_server *s)
{
	struct client c;
	bool ok = connect_to(&c, s) && put(&c, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n") &&
	          expect(&c, 200, "hello");
	drop(&c);
	return ok;
}

/* Runs a case in the clear and under TLS. */
static void both(void (*run)(void))
{
	for (int i = 0; i < 2; i++) {
		with_tls = i == 1;
		run();
	}
	with_tls = false;
}

static bool eventually(atomic_uint *counter, unsigned value)
{
	for (int i = 0; i < 1000 && atomic_load(counter) < value; i++)
		sleep_ms(10);
	return atomic_load(counter) == value;
}

/* --- cases --- */

#define GET_HELLO "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"

static void keep_alive(void)
{
	struct net_server *s = serve(settings());
	struct client c;
	struct net_stats stats;
	REQUIRE(connect_to(&c, s));
	for (int i = 0; i < 3; i++) {
		CHECK(put(&c, GET_HELLO));
		struct answer a = get(&c, false);
		CHECK_INT(a.status, 200);
		CHECK(body_is(&a, "hello") && has_line(&a, "\r\nX-Common: yes\r\n"));
		CHECK(has_line(&a, "\r\nContent-Type: text/plain\r\n") &&
		        has_line(&a, "\r\nDate: "));
		CHECK(has_line(&a, " GMT\r\n") && !has_line(&a, "Connection:"));
		free(a.body);
	}
	CHECK(put(&c, "HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n"));
	struct answer a = get(&c, true);
	CHECK(a.status == 200 && has_line(&a, "\r\nContent-Length: 5\r\n"));
	free(a.body);
	CHECK(put(&c, "GET /empty HTTP/1.1\r\nHost: a\r\n\r\n"));
	a = get(&c, false);
	CHECK(a.status == 204 && !has_line(&a, "Content-Length"));
	free(a.body);
	CHECK(put(&c, "GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
	a = get(&c, false);
	CHECK(a.status == 404 && has_line(&a, "\r\nConnection: close\r\n"));
	free(a.body);
	CHECK(at_end(&c));
	drop(&c);
	REQUIRE(connect_to(&c, s));
	CHECK(put(&c, "GET /hello HTTP/1.0\r\n\r\n"));
	CHECK(expect(&c, 200, "hello") && at_end(&c));
	drop(&c);
	net_server_stats(s, &stats);
	CHECK_INT(stats.connections_total, 2);
	CHECK(stats.bytes_in > 100 && stats.bytes_out > 500);
	shut(s);
}

static void pipelining(void)
{
	static char text[20000];
	struct net_server *s = serve(settings());
	struct client c;
	size_t n = 0;
	char body[40];
	for (int i = 0; i < 60; i++) {
		snprintf(body, sizeof(body), "request %d", i);
		n += (size_t)snprintf(text + n, sizeof(text) - n,
		        "POST /%s HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n%s",
		        i % 3 == 0 ? "later?ms=1" : "echo", strlen(body), body);
	}
	REQUIRE(connect_to(&c, s));
	for (int slow = 0; slow < 2; slow++) { /* at once, then in splinters */
		for (size_t at = 0; at < n; at += slow ? 37 : n)
			CHECK(put_bytes(&c, text + at, !slow ? n : n - at < 37 ? n - at : 37));
		for (int i = 0; i < 60; i++) {
			snprintf(body, sizeof(body), "request %d", i);
			CHECK(expect(&c, 200, body));
		}
	}
	CHECK_INT(c.n, 0);
	drop(&c);
	shut(s);
}

static void bodies_are_collected(void)
{
	static char big[300000];
	char head[200];
	struct net_server *s = serve(settings());
	struct client c;
	REQUIRE(connect_to(&c, s));
	memset(big, 'b', sizeof(big));
	snprintf(head, sizeof(head),
	        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", sizeof(big));
	CHECK(put(&c, head) && put_bytes(&c, big, sizeof(big)));
	struct answer a = get(&c, false);
	CHECK(a.status == 200 && a.bytes == sizeof(big) && memcmp(a.body, big, sizeof(big)) == 0);
	free(a.body);
	CHECK(put(&c,
	        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"));
	sleep_ms(20);
	CHECK(put(&c, "lo\r\n7;x\r\n, world\r\n0\r\n\r\n" GET_HELLO));
	CHECK(expect(&c, 200, "hello, world") && expect(&c, 200, "hello"));
	/* One byte too many, announced; then found out. */
	CHECK(put(&c, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n"));
	CHECK(expect(&c, 413, "{\"status\":413}"));
	drop(&c);
	REQUIRE(connect_to(&c, s));
	CHECK(put(&c, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"));
	for (int i = 0; i < 4; i++)
		put_chunk(&c, big, sizeof(big));
	CHECK(expect(&c, 413, "{\"status\":413}") && at_end(&c));
	drop(&c);
	REQUIRE(connect_to(&c, s));
	CHECK(put(
	        &c, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"));
	CHECK(expect(&c, 400, "{\"status\":400}") && at_end(&c));
	drop(&c);
	shut(s);
}

/* Streams `bytes` of the pattern; what the server says about them must be right. */
static bool stream_up(struct client *c, size_t bytes, bool chunked)
{
	static uint8_t part[100000];
	uint64_t sum = 0;
	char text[120];
	snprintf(text, sizeof(text), "PUT /stream HTTP/1.1\r\nHost: a\r\n");
	bool ok = put(c, text);
	snprintf(text, sizeof(text),
	        chunked ? "Transfer-Encoding: chunked\r\n\r\n" : "Content-Length: %zu\r\n\r\n",
	        bytes);
	ok = ok && put(c, text);
	for (size_t at = 0; at < bytes && ok;) {
		size_t n = bytes - at < sizeof(part) ? bytes - at : sizeof(part);
		fill_pattern(part, n, at);
		for (size_t i = 0; i < n; i++)
			sum += part[i];
		snprintf(text, sizeof(text), "%zx\r\n", n);
		ok = (!chunked || put(c, text)) && put_bytes(c, part, n) &&
		     (!chunked || put(c, "\r\n"));
		at += n;
	}
	if (chunked)
		ok = ok && put(c, "0\r\n\r\n");
	snprintf(text, sizeof(text), "%llu %llu", (unsigned long long)bytes,
	        (unsigned long long)sum);
	return ok && expect(c, 200, text);
}

static void uploads_are_streamed(void)
{
	struct net_server *s = serve(settings());
	struct client c;
	REQUIRE(connect_to(&c, s));
	atomic_store(&seen.overlapped, false);
	CHECK(stream_up(&c, (size_t)24 * 1024 * 1024, false));
	CHECK(stream_up(&c, (size_t)5 * 1024 * 1024 + 1, true));
	CHECK(stream_up(&c, 0, false) && stream_up(&c, 0, true) && stream_up(&c, 1, false));
	CHECK(!atomic_load(&seen.overlapped));
	CHECK(put(&c, GET_HELLO) && expect(&c, 200, "hello"));
	CHECK(put(
	        &c, "PUT /early HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nunread" GET_HELLO));
	CHECK(expect(&c, 409, "not now") && expect(&c, 200, "hello"));
	unsigned before = atomic_load(&seen.incomplete);
	CHECK(put(&c, "PUT /stream?limit=70000 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
	              "chunked\r\n\r\n"));
	static char chunk[40000];
	for (int i = 0; i < 2; i++)
		put_chunk(&c, chunk, sizeof(chunk));
	CHECK(expect(&c, 413, "{\"status\":413}") && at_end(&c));
	CHECK(eventually(&seen.incomplete, before + 1));
	drop(&c);
	shut(s);
}

static bool download(struct client *c, size_t from, size_t bytes)
{
	char text[120];
	snprintf(text, sizeof(text), "GET /file?from=%zu&bytes=%zu HTTP/1.1\r\nHost: a\r\n\r\n",
	        from, bytes);
	if (!put(c, text))
		return false;
	struct answer a = get(c, false);
	uint8_t *want = malloc(bytes + 1);
	fill_pattern(want, bytes, from);
	bool ok = a.status == 200 && a.bytes == bytes && memcmp(a.body, want, bytes) == 0;
	free(want);
	free(a.body);
	return ok;
}

static void files_are_streamed(void)
{
	struct net_server *s = serve(settings());
	struct client c;
	REQUIRE(connect_to(&c, s));
	CHECK(download(&c, 0, FILE_BYTES));
	CHECK(download(&c, 12345, 3 * 1024 * 1024 + 17));
	CHECK(download(&c, FILE_BYTES - 1, 1) && download(&c, 5, 0));
	CHECK(put(&c, "HEAD /file?bytes=99 HTTP/1.1\r\nHost: a\r\n\r\n" GET_HELLO));
	struct answer a = get(&c, true);
	CHECK(a.status == 200 && has_line(&a, "\r\nContent-Length: 99\r\n"));
	free(a.body);
	CHECK(expect(&c, 200, "hello"));
	/* More than there is: the connection breaks rather than lie. */
	CHECK(!download(&c, FILE_BYTES - 10, 20));
	drop(&c);
	shut(s);
}

static void a_slow_reader_gets_all(void)
{
	struct net_server *s = serve(settings());
	struct client c, other;
	REQUIRE(connect_raw(&c, s, 4096));
	CHECK(put(&c, "GET /file?from=0&bytes=3000000 HTTP/1.1\r\nHost: a\r\n\r\n"));
	for (int i = 0; i < 8; i++) {
		sleep_ms(200); /* twice the write timeout in all */
		CHECK(get_more(&c) > 0);
	}
	REQUIRE(connect_to(&other, s));
	CHECK(download(&other, 0, FILE_BYTES)); /* nobody waits for a slow one */
	struct answer a = get(&c, false);
	CHECK(a.status == 200 && a.bytes == 3000000);
	free(a.body);
	drop(&c);
	drop(&other);
	shut(s);
}

static void a_stuck_reader_is_dropped(void)
{
	struct net_server *s = serve(settings());
	struct client c;
	struct net_stats stats;
	unsigned aborted = atomic_load(&seen.aborted);
	REQUIRE(connect_raw(&c, s, 4096));
	CHECK(put(&c, "GET /file?from=0&bytes=6000000 HTTP/1.1\r\nHost: a\r\n\r\n"));
	CHECK(eventually(&seen.aborted, aborted + 1));
	net_server_stats(s, &stats);
	CHECK_INT(stats.timeouts, 1);
	drop(&c);
	shut(s);
}

static void continue_is_said(void)
{
	struct net_server *s = serve(settings());
	struct client c;
	REQUIRE(connect_to(&c, s));
	for (int i = 0; i < 2; i++) {
		CHECK(put(&c, i == 0 ? "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: "
		                       "100-continue\r\nContent-Length: 2\r\n\r\n"
		                     : "PUT /stream HTTP/1.1\r\nHost: a\r\nExpect: "
		                       "100-continue\r\nContent-Length: 2\r\n\r\n"));
		CHECK_INT(get_status(&c), 100);
		CHECK(put(&c, "hi") && expect(&c, 200, i == 0 ? "hi" : "2 209"));
	}
	/* Refused: the final answer comes instead, and an end. */
	CHECK(put(&c, "POST /nowhere HTTP/1.1\r\nHost: a\r\nExpect: "
	              "100-continue\r\nContent-Length: 2\r\n\r\n"));
	struct answer a = get(&c, false);
	CHECK(a.status == 404 && has_line(&a, "Connection: close"));
	CHECK(at_end(&c));
	free(a.body);
	drop(&c);
	shut(s);
}

static void unread_bodies_do_not_cost_the_answer(void)
{
	static char big[4 * 1024 * 1024];
	struct net_server *s = serve(settings());
	struct client c;
	REQUIRE(connect_to(&c, s));
	/* A small rest is skipped, and the connection lives on. */
	CHECK(put(&c, "POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n"));
	CHECK(expect(&c, 404, "nothing here"));
	CHECK(put_bytes(&c, big, 60000) && put(&c, GET_HELLO) && expect(&c, 200, "hello"));
	/* A large one ends it, but the answer arrives even when the client only sends at first. */
	CHECK(put(&c, "POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 4194304\r\n\r\n"));
	CHECK(put_bytes(&c, big, sizeof(big)));
	struct answer a = get(&c, false);
	CHECK(a.status == 404 && has_line(&a, "Connection: close"));
	CHECK(at_end(&c));
	free(a.body);
	drop(&c);
	shut(s);
}

static void slow_peers_are_shown_out(void)
{
	struct net_settings set = settings();
	set.body_min_rate = 1000;
	struct net_server *s = serve(set);
	struct client idle, head, drip, body;
	struct net_stats stats;
	int64_t begun = now_ms();
	REQUIRE(connect_to(&idle, s) && connect_to(&head, s) && connect_to(&drip, s) &&
	        connect_to(&body, s));
	CHECK(put(&idle, GET_HELLO) && expect(&idle, 200, "hello"));
	CHECK(put(&head, "GET /hello HTTP/1.1\r\nHo"));
	CHECK(put(&body, "PUT /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc"));
	CHECK(put(&drip, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"));
	struct pollfd answered = {.fd = drip.fd, .events = POLLIN};
	for (int i = 0; i < 40 && poll(&answered, 1, 0) == 0; i++) { /* 20 bytes a second */
		put(&drip, "x");
		sleep_ms(50);
	}
	CHECK(expect(&head, 408, "{\"status\":408}") && at_end(&head));
	CHECK(expect(&body, 408, "{\"status\":408}") && at_end(&body));
	CHECK(expect(&drip, 408, "{\"status\":408}") && at_end(&drip));
	CHECK(at_end(&idle));
	int64_t took = now_ms() - begun;
	CHECK(took > 900 && took < 9000);
	net_server_stats(s, &stats);
	CHECK_INT(stats.timeouts, 3);
	drop(&idle);
	drop(&head);
	drop(&drip);
	drop(&body);
	shut(s);
}

static void half_open_is_answered(void)
{
	struct net_server *s = serve(settings());
	struct client c;
	REQUIRE(connect_to(&c, s));
	CHECK(put(&c, "POST /later?ms=100 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"));
	if (c.ssl != NULL)
		SSL_shutdown(c.ssl);
	shutdown(c.fd, SHUT_WR);
	CHECK(expect(&c, 200, "hi") && at_end(&c));
	drop(&c);
	shut(s);
}

#define GET_PARKED "GET /parked HTTP/1.1\r\nHost: a\r\n\r\n"

/* The answer never comes; without being watched, it would be waited for for ever. */
static void who_leaves_is_noticed(void)
{
	struct net_server *s = serve(settings());
	struct client c;
	unsigned abandoned_before = atomic_load(&seen.abandoned), kept = atomic_load(&seen.parked);
	for (unsigned i = 1; i <= 3; i++) {
		REQUIRE(connect_to(&c, s));
		CHECK(put(&c, GET_PARKED));
		if (i > 1)
			CHECK(eventually(&seen.parked, kept + i));
		if (i == 3) { /* half of it is gone: that counts, too */
			if (c.ssl != NULL)
				SSL_shutdown(c.ssl);
			shutdown(c.fd, SHUT_WR);
			CHECK(get_more(&c) <= 0);
		}
		drop(&c);
		CHECK(eventually(&seen.abandoned, abandoned_before + i));
	}
	shut(s);
	CHECK_INT(atomic_load(&seen.abandoned), abandoned_before + 3);
}

static void who_is_watched_may_say_more(void)
{
	struct net_server *s = serve(settings());
	struct client c;
	unsigned abandoned_before = atomic_load(&seen.abandoned), kept = atomic_load(&seen.parked);
	REQUIRE(connect_to(&c, s));
	for (unsigned i = 1; i <= 2; i++) { /* behind the head, or later */
		CHECK(put(&c, i == 1 ? GET_PARKED GET_HELLO : GET_PARKED));
		REQUIRE(eventually(&seen.parked, kept + i));
		if (i == 2)
			CHECK(put(&c, "G") && put(&c, &GET_HELLO[1]));
		http_reply(parked, text_answer(200, "at last"));
		CHECK(expect(&c, 200, "at last"));
		CHECK(expect(&c, 200, "hello"));
	}
	CHECK_INT(atomic_load(&seen.abandoned), abandoned_before);
	drop(&c);
	shut(s);
}

static void garbage_is_refused(void)
{
	uint8_t noise[3000];
	struct net_server *s = serve(settings());
	struct net_stats stats;
	struct client c;
	struct tacit_env env = tap_env(7);
	REQUIRE(connect_to(&c, s));
	CHECK(put(&c, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" GET_HELLO));
	CHECK(expect(&c, 400, "{\"status\":400}") && at_end(&c));
	drop(&c);
	REQUIRE(connect_to(&c, s));
	CHECK(put(&c, "BREW / HTTP/1.1\r\nHost: a\r\n\r\n"));
	CHECK(expect(&c, 501, "{\"status\":501}") && at_end(&c));
	drop(&c);
	REQUIRE(connect_to(&c, s));
	memset(noise, 'x', sizeof(noise));
	put(&c, "GET /");
	for (int i = 0; i < 8; i++)
		put_bytes(&c, noise, sizeof(noise));
	CHECK(expect(&c, 431, "{\"status\":431}") && at_end(&c));
	drop(&c);
	for (int i = 0; i < 50; i++) { /* also where a TLS hello should stand */
		REQUIRE(i % 2 == 0 ? connect_to(&c, s) : connect_raw(&c, s, 0));
		tacit_env_random(&env, noise, sizeof(noise));
		put_bytes(&c, noise, 1 + noise[0]);
		drop(&c);
	}
	net_server_stats(s, &stats);
	CHECK(stats.malformed_requests >= 3);
	CHECK(serves(s));
	shut(s);
}

static unsigned open_descriptors(void)
{
	unsigned n = 0;
	for (int fd = 0; fd < 400; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void abrupt_ends_leave_nothing(void)
{
	static char part[300000];
	struct linger reset = {.l_onoff = 1};
	struct net_server *s = serve(settings());
	struct client c;
	struct net_stats stats;
	unsigned descriptors = open_descriptors(), aborted = atomic_load(&seen.aborted);
	unsigned ends = atomic_load(&seen.ends), incomplete = atomic_load(&seen.incomplete);
	unsigned long long streamed = atomic_load(&seen.streamed);
	for (int i = 0; i < 10; i++) { /* the answer finds nobody */
		REQUIRE(connect_to(&c, s));
		CHECK(put(&c,
		        "POST /later?ms=100 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"));
		setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		drop(&c);
	}
	for (int i = 0; i < 10;
	        i++) { /* in the middle of a body: what came is given, then the end */
		REQUIRE(connect_to(&c, s));
		CHECK(put(
		        &c, "PUT /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n"));
		CHECK(put_bytes(&c, part, sizeof(part)));
		/* Not a reset, which would take along what the server has not read yet. */
		shutdown(c.fd, SHUT_WR);
		CHECK(get_more(&c) <= 0);
		drop(&c);
	}
	CHECK(eventually(&seen.ends, ends + 10));
	CHECK(eventually(&seen.incomplete, incomplete + 10));
	CHECK(atomic_load(&seen.streamed) - streamed == 10 * sizeof(part));
	CHECK(eventually(&seen.aborted, aborted + 20) ||
	        atomic_load(&seen.aborted) >= aborted + 10);
	for (int i = 0; i < 300; i++) {
		net_server_stats(s, &stats);
		if (stats.connections_open == 0)
			break;
		sleep_ms(10);
	}
	CHECK_INT(stats.connections_open, 0);
	CHECK_INT(open_descriptors(), descriptors);
	CHECK(serves(s));
	shut(s);
}

static void stale_handles_lead_nowhere(void)
{
	struct net_server *s = serve(settings());
	struct http_response *r = http_response_new(200);
	unsigned descriptors = open_descriptors();
	REQUIRE(r != NULL);
	r->file = open(file_path, O_RDONLY | O_CLOEXEC);
	http_reply((struct http_handle){0, 0, 77777}, r);
	http_resume((struct http_handle){0, 0, 77777});
	http_reply((struct http_handle){200, 5, 1}, http_response_new(200));
	http_resume((struct http_handle){200, 5, 1});
	CHECK(serves(s));
	shut(s);
	CHECK(open_descriptors() < descriptors);
	http_reply((struct http_handle){0, 0, 1}, http_response_new(200));
}

static void connections_are_limited(void)
{
	struct net_settings set = settings();
	struct client c[3];
	struct net_stats stats;
	set.loops = 1;
	set.max_connections = 2;
	struct net_server *s = serve(set);
	REQUIRE(connect_to(&c[0], s) && connect_to(&c[1], s) && connect_to(&c[2], s));
	CHECK(put(&c[0], GET_HELLO) && expect(&c[0], 200, "hello"));
	CHECK(put(&c[2], GET_HELLO)); /* waits in the backlog */
	struct pollfd readable = {.fd = c[2].fd, .events = POLLIN};
	CHECK_INT(poll(&readable, 1, 200), 0);
	drop(&c[1]);
	CHECK(expect(&c[2], 200, "hello"));
	drop(&c[0]);
	drop(&c[2]);
	shut(s);

	set.loops = 2;
	set.max_connections = 100;
	set.max_connections_per_address = 2;
	s = serve(set);
	int served = 0, last = 0;
	for (int i = 0; i < 3; i++) { /* in any order: there are two loops */
		REQUIRE(connect_to(&c[i], s));
		bool ok = put(&c[i], GET_HELLO) && expect(&c[i], 200, "hello");
		served += ok;
		last = ok ? i : last;
	}
	CHECK_INT(served, 2);
	net_server_stats(s, &stats);
	CHECK_INT(stats.refused_connections, 1);
	drop(&c[last]);
	sleep_ms(50);
	CHECK(serves(s));
	for (int i = 0; i < 3; i++)
		if (i != last)
			drop(&c[i]);
	shut(s);
}

static void proxies_are_believed(void)
{
	struct net_settings set = settings();
	struct net_prefix proxy;
	struct client c;
	static const char ask[] =
	        "GET /who HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6, 1.2.3.4\r\n"
	        "X-Forwarded-Proto: https\r\n\r\n";
	struct net_server *s = serve(set);
	REQUIRE(connect_to(&c, s));
	CHECK(put(&c, ask) && expect(&c, 200, "127.0.0.1 plain"));
	drop(&c);
	shut(s);
	CHECK_OK(net_prefix_parse("127.0.0.0/8", &proxy));
	set.proxies = &proxy;
	set.proxy_count = 1;
	s = serve(set);
	REQUIRE(connect_to(&c, s));
	CHECK(put(&c, ask) && expect(&c, 200, "1.2.3.4 tls"));
	drop(&c);
	shut(s);
}

struct stopping {
	struct net_server *server;
	unsigned grace;
	int64_t took;
};

static void *stop_server(void *ctx)
{
	struct stopping *s = ctx;
	int64_t begun = now_ms();
	net_server_stop(s->server, s->grace);
	s->took = now_ms() - begun;
	return NULL;
}

static void stopping_is_graceful(void)
{
	struct net_settings set = settings();
	set.idle_timeout_s = 60;
	struct stopping stop = {.server = serve(set), .grace = 10};
	struct client idle, busy, late;
	pthread_t thread;
	REQUIRE(connect_to(&idle, stop.server) && connect_to(&busy, stop.server));
	CHECK(put(&idle, GET_HELLO) && expect(&idle, 200, "hello"));
	CHECK(put(&busy,
	        "POST /later?ms=500 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi" GET_HELLO));
	sleep_ms(100);
	REQUIRE(pthread_create(&thread, NULL, stop_server, &stop) == 0);
	CHECK(at_end(&idle)); /* at once */
	sleep_ms(100);        /* the other loop's listener */
	CHECK(!connect_to(&late, stop.server));
	drop(&late);
	struct answer a = get(&busy, false);
	CHECK(a.status == 200 && body_is(&a, "hi") && has_line(&a, "Connection: close"));
	CHECK(at_end(&busy));
	free(a.body);
	drop(&busy);
	drop(&idle);
	pthread_join(thread, NULL);
	CHECK(stop.took > 200 && stop.took < 5000);
	net_server_free(stop.server);
}

static void stopping_is_bounded(void)
{
	struct net_settings set = settings();
	set.head_timeout_s = set.idle_timeout_s = 60;
	struct stopping stop = {.server = serve(set), .grace = 1};
	struct client c, upload;
	REQUIRE(connect_to(&c, stop.server) && connect_to(&upload, stop.server));
	unsigned ends = atomic_load(&seen.ends);
	CHECK(put(&c, "POST /later?ms=3000 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"));
	CHECK(put(&upload, "PUT /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 200\r\n\r\nhi"));
	sleep_ms(100);
	stop_server(&stop);
	CHECK(stop.took > 900 && stop.took < 2900);
	CHECK(atomic_load(&seen.ends) == ends + 1);
	CHECK(get_status(&c) == 0);
	drop(&c);
	drop(&upload);
	net_server_free(stop.server);
	sleep_ms(2500); /* the answer to the one who left is dropped */
}

static void settings_are_checked(void)
{
	const char *why = NULL;
	struct net_server *s = serve(settings()), *second = NULL;
	char taken[40];
	struct net_settings set = settings();
	snprintf(taken, sizeof(taken), "127.0.0.1:%u", net_server_port(s));
	set.listen = taken;
	CHECK_ERR(net_server_new(&set, &app, &why, &second), TACIT_E_IO);
	CHECK(why != NULL && second == NULL);
	set.listen = "localhost";
	CHECK_ERR(net_server_new(&set, &app, &why, &second), TACIT_E_USAGE);
	set = settings();
	set.tls_cert = cert_path;
	CHECK_ERR(net_server_new(&set, &app, &why, &second), TACIT_E_USAGE);
	set.tls_key = cert_path; /* no key in there */
	CHECK_ERR(net_server_new(&set, &app, &why, &second), TACIT_E_USAGE);
	set.tls_key = file_path;
	CHECK_ERR(net_server_new(&set, &app, &why, &second), TACIT_E_USAGE);
	CHECK_ERR(net_server_reload_tls(s, &why), TACIT_E_USAGE);
	set = settings();
	CHECK_OK(net_server_new(&set, &app, &why, &second));
	net_server_free(second); /* never started */
	shut(s);
}

static void tls_is_modern(void)
{
	struct client c;
	const unsigned char *protocol = NULL;
	const char *why;
	unsigned bytes = 0;
	with_tls = true;
	struct net_server *s = serve(settings());
	REQUIRE(connect_to(&c, s));
	SSL_get0_alpn_selected(c.ssl, &protocol, &bytes);
	CHECK_BYTES(tacit_bytes(protocol, bytes), TACIT_STR("http/1.1"));
	CHECK_INT(SSL_version(c.ssl), TLS1_3_VERSION);
	CHECK_OK(net_server_reload_tls(s, &why));
	CHECK(put(&c, GET_HELLO) && expect(&c, 200, "hello"));
	CHECK(serves(s));
	drop(&c);
	SSL_CTX_set_max_proto_version(client_context, TLS1_2_VERSION);
	CHECK(serves(s));
	SSL_CTX_set_security_level(client_context, 0);
	SSL_CTX_set_min_proto_version(client_context, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(client_context, TLS1_1_VERSION);
	CHECK(!connect_to(&c, s));
	drop(&c);
	SSL_CTX_set_max_proto_version(client_context, 0);
	SSL_CTX_set_alpn_protos(client_context, (const unsigned char *)"\2h2", 3);
	CHECK(!connect_to(&c, s));
	drop(&c);
	SSL_CTX_set_alpn_protos(client_context, (const unsigned char *)"\2h2\10http/1.1", 12);
	shut(s);
	with_tls = false;
}

/* Allocations that fail, one out of `every`, while the hook is armed. */
static atomic_uint every, allocations;

static int fail_some(void *ctx)
{
	(void)ctx;
	unsigned n = atomic_load(&every);
	return n > 0 && atomic_fetch_add(&allocations, 1) % n == n - 1;
}

static void memory_may_run_out(void)
{
	static char part[20000];
	struct net_server *s = serve(settings());
	struct client c;
	for (unsigned n = 2; n < 12; n++) {
		for (int i = 0; i < 6; i++) {
			if (connect_raw(&c, s, 0)) {
				atomic_store(&every, n);
				put(&c, GET_HELLO
				        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
				        "chunked\r\n\r\n4e20\r\n");
				put_bytes(&c, part, sizeof(part));
				put(&c, "\r\n0\r\n\r\nGET /file?bytes=5000 HTTP/1.1\r\nHo");
				put(&c, "st: a\r\n\r\nBAD\r\n\r\n");
				while (get_more(&c) > 0)
					continue;
				atomic_store(&every, 0);
			}
			drop(&c);
		}
		CHECK(serves(s));
	}
	shut(s);
}

/* --- what all share --- */

static bool write_file(const char *path, bool (*fill)(FILE *f, void *ctx), void *ctx)
{
	FILE *f = fopen(path, "wb");
	bool ok = f != NULL && fill(f, ctx);
	return f != NULL && fclose(f) == 0 && ok;
}

static bool put_cert(FILE *f, void *cert)
{
	return PEM_write_X509(f, cert) == 1;
}

static bool put_key(FILE *f, void *key)
{
	return PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1;
}

static bool put_pattern(FILE *f, void *ctx)
{
	static uint8_t all[FILE_BYTES];
	(void)ctx;
	fill_pattern(all, sizeof(all), 0);
	return fwrite(all, 1, sizeof(all), f) == sizeof(all);
}

static bool make_certificate(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	if (key == NULL || cert == NULL)
		return false;
	X509_NAME *name = X509_get_subject_name(cert);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_NAME_add_entry_by_txt(
	        name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
	X509_set_issuer_name(cert, name);
	bool ok = X509_set_pubkey(cert, key) == 1 && X509_sign(cert, key, EVP_sha256()) > 0 &&
	          write_file(cert_path, put_cert, cert) && write_file(key_path, put_key, key);
	X509_free(cert);
	EVP_PKEY_free(key);
	return ok;
}

static bool set_up(void)
{
	struct job_lane_settings lanes[JOB_LANES];
	if (mkdtemp(folder) == NULL)
		return false;
	snprintf(cert_path, sizeof(cert_path), "%s/cert.pem", folder);
	snprintf(key_path, sizeof(key_path), "%s/key.pem", folder);
	snprintf(file_path, sizeof(file_path), "%s/file", folder);
	for (unsigned i = 0; i < JOB_LANES; i++)
		lanes[i] = (struct job_lane_settings){.threads = 1,
		        .capacity = 1000,
		        .batch = 1,
		        .cork = http_cork,
		        .uncork = http_uncork};
	lanes[JOB_FILE].threads = 2;
	client_context = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_alpn_protos(client_context, (const unsigned char *)"\2h2\10http/1.1", 12);
	SSL_CTX_set_options(client_context, SSL_OP_IGNORE_UNEXPECTED_EOF);
	signal(SIGPIPE, SIG_IGN);
	tacit_alloc_set_fault(fail_some, NULL);
	return make_certificate() && write_file(file_path, put_pattern, NULL) &&
	       job_pool_new(lanes, &pool) == TACIT_OK;
}

static void tear_down(void)
{
	job_pool_free(pool);
	SSL_CTX_free(client_context);
	unlink(cert_path);
	unlink(key_path);
	unlink(file_path);
	rmdir(folder);
}

#define IN_BOTH(name)                                                                              \
	static void name##_in_both(void)                                                           \
	{                                                                                          \
		both(name);                                                                        \
	}

IN_BOTH(keep_alive)
IN_BOTH(pipelining)
IN_BOTH(bodies_are_collected)
IN_BOTH(uploads_are_streamed)
IN_BOTH(files_are_streamed)
IN_BOTH(continue_is_said)
IN_BOTH(unread_bodies_do_not_cost_the_answer)
IN_BOTH(slow_peers_are_shown_out)
IN_BOTH(half_open_is_answered)
IN_BOTH(who_leaves_is_noticed)
IN_BOTH(who_is_watched_may_say_more)
IN_BOTH(garbage_is_refused)
IN_BOTH(abrupt_ends_leave_nothing)
IN_BOTH(stopping_is_graceful)

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"keep-alive", keep_alive_in_both},
	        {"pipelining", pipelining_in_both},
	        {"bodies are collected", bodies_are_collected_in_both},
	        {"uploads are streamed", uploads_are_streamed_in_both},
	        {"files are streamed", files_are_streamed_in_both},
	        {"a slow reader gets all", a_slow_reader_gets_all},
	        {"a stuck reader is dropped", a_stuck_reader_is_dropped},
	        {"continue is said", continue_is_said_in_both},
	        {"unread bodies do not cost the answer",
	                unread_bodies_do_not_cost_the_answer_in_both},
	        {"slow peers are shown out", slow_peers_are_shown_out_in_both},
	        {"half-open is answered", half_open_is_answered_in_both},
	        {"who leaves is noticed", who_leaves_is_noticed_in_both},
	        {"who is watched may say more", who_is_watched_may_say_more_in_both},
	        {"garbage is refused", garbage_is_refused_in_both},
	        {"abrupt ends leave nothing", abrupt_ends_leave_nothing_in_both},
	        {"stale handles lead nowhere", stale_handles_lead_nowhere},
	        {"connections are limited", connections_are_limited},
	        {"proxies are believed", proxies_are_believed},
	        {"stopping is graceful", stopping_is_graceful_in_both},
	        {"stopping is bounded", stopping_is_bounded},
	        {"settings are checked", settings_are_checked},
	        {"TLS is modern", tls_is_modern},
	        {"memory may run out", memory_may_run_out},
	};
	if (!set_up()) {
		printf("Bail out! no folder, certificate or lanes\n");
		return 1;
	}
	int status = tap_main(argc, argv, cases, TACIT_COUNT(cases));
	tear_down();
	return status;
}
