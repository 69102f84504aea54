#include "net_people.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support/tap.h"

bool with_tls;
SSL_CTX *client_context;

void sleep_ms(long ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	nanosleep(&t, NULL);
}

int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct net_settings settings(void)
{
	return (struct net_settings){.listen = "127.0.0.1:0",
	        .loops = 2,
	        .max_connections = 100,
	        .head_timeout_s = 60,
	        .idle_timeout_s = 60,
	        .write_timeout_s = 60,
	        .tls_cert = with_tls ? cert_path : NULL,
	        .tls_key = with_tls ? key_path : NULL};
}

struct net_settings hasty(void)
{
	struct net_settings s = settings();
	s.head_timeout_s = s.write_timeout_s = 1;
	s.idle_timeout_s = 2;
	return s;
}

struct net_server *serve(struct net_settings s)
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

void shut(struct net_server *s)
{
	net_server_stop(s, 2);
	net_server_free(s);
}

bool connect_raw(struct client *c, const struct net_server *s, int receive_buffer)
{
	struct sockaddr_in a = {
	        .sin_family = AF_INET, .sin_port = htons((uint16_t)net_server_port(s))};
	struct timeval limit = {.tv_sec = 60};
	*c = (struct client){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (receive_buffer > 0)
		setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	return connect(c->fd, (struct sockaddr *)&a, sizeof(a)) == 0;
}

bool connect_to(struct client *c, const struct net_server *s)
{
	if (!connect_raw(c, s, 0))
		return false;
	if (!with_tls)
		return true;
	c->ssl = SSL_new(client_context);
	return c->ssl != NULL && SSL_set_fd(c->ssl, c->fd) == 1 && SSL_connect(c->ssl) == 1;
}

bool put_bytes(struct client *c, const void *p, size_t n)
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

bool put(struct client *c, const char *text)
{
	return put_bytes(c, text, strlen(text));
}

void put_chunk(struct client *c, const void *p, size_t n)
{
	char size[20];
	snprintf(size, sizeof(size), "%zx\r\n", n);
	if (put(c, size) && put_bytes(c, p, n))
		put(c, "\r\n");
}

ssize_t get_more(struct client *c)
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

void drop(struct client *c)
{
	if (c->ssl != NULL)
		SSL_free(c->ssl);
	close(c->fd);
	free(c->in);
	*c = (struct client){.fd = -1};
}

bool at_end(struct client *c)
{
	return c->n == 0 && get_more(c) == 0;
}

static void take_in(struct client *c, size_t n)
{
	memmove(c->in, c->in + n, c->n - n);
	c->n -= n;
}

bool has_line(const struct answer *a, const char *line)
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

struct answer get(struct client *c, bool bodiless)
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

int get_status(struct client *c)
{
	struct answer a = get(c, false);
	free(a.body);
	return a.status;
}

bool body_is(const struct answer *a, const char *text)
{
	bool same = a->body != NULL && strcmp((char *)a->body, text) == 0;
	if (!same)
		printf("# %d, body %.60s\n", a->status,
		        a->body != NULL ? (char *)a->body : "(none)");
	return same;
}

bool expect(struct client *c, int status, const char *body)
{
	struct answer a = get(c, false);
	bool ok = a.status == status && body_is(&a, body);
	free(a.body);
	return ok;
}

bool serves(const struct net_server *s)
{
	struct client c;
	bool ok = connect_to(&c, s) && put(&c, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n") &&
	          expect(&c, 200, "hello");
	drop(&c);
	return ok;
}

void both(void (*run)(void))
{
	for (int i = 0; i < 2; i++) {
		with_tls = i == 1;
		run();
	}
	with_tls = false;
}

bool eventually(atomic_uint *counter, unsigned value)
{
	for (int i = 0; i < 6000 && atomic_load(counter) < value; i++)
		sleep_ms(10);
	return atomic_load(counter) == value;
}
