#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "wire/ws.h"

#define READ_BYTES ((size_t)512 * 1024)
#define CLIENTS_PER_ADDRESS 20000 /* a loopback address has some 28,000 ports */
#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

void client_die(const char *what, const char *more)
{
	fprintf(stderr, "live: %s: %s\n", what, more);
	exit(1);
}

static int64_t ns_of(struct timespec t)
{
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t client_now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return ns_of(t);
}

static void must(enum tacit_err err)
{
	if (err != TACIT_OK)
		client_die("out of memory", tacit_err_text(err));
}

static void watch(const struct client_host *h, struct client *c, int how, bool write)
{
	struct epoll_event ev = {
	        .events = EPOLLIN | (write ? (uint32_t)EPOLLOUT : 0), .data.ptr = c};
	if (epoll_ctl(h->poll, how, c->fd, &ev) != 0)
		client_die("epoll", strerror(errno));
	c->polls_write = write;
}

/* --- sending --- */

void client_say(struct client *c, struct tacit_bytes text)
{
	static const uint8_t mask[TACIT_WS_MASK_BYTES] = {0x3a, 0x91, 0x5c, 0xe7};
	must(tacit_ws_write(&c->out, TACIT_WS_TEXT, text, mask));
}

static ssize_t send_some(struct client *c)
{
	if (c->ssl == NULL) {
		ssize_t n = send(c->fd, c->out.p, c->out.n, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			client_die("send", strerror(errno));
		return n;
	}
	int n = SSL_write(c->ssl, c->out.p, (int)c->out.n);
	if (n <= 0 && SSL_get_error(c->ssl, n) != SSL_ERROR_WANT_WRITE)
		client_die("TLS", "write");
	return n;
}

void client_flush(const struct client_host *h, struct client *c)
{
	if (c->out.n == 0)
		return;
	ssize_t n = send_some(c);
	size_t sent = n > 0 ? (size_t)n : 0;
	memmove(c->out.p, c->out.p + sent, c->out.n - sent);
	c->out.n -= sent;
	if ((c->out.n > 0) != c->polls_write)
		watch(h, c, EPOLL_CTL_MOD, c->out.n > 0);
	if (c->out.n == 0 && c->state < CLIENT_READY)
		tacit_buf_clear(&c->out);
}

/* --- the handshake --- */

static void ask_upgrade(const struct client_host *h, struct client *c)
{
	c->state = CLIENT_UPGRADE;
	must(tacit_buf_printf(&c->out,
	        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
	        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
	        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	        "Cookie: tacit_session=%s\r\n\r\n",
	        h->port, c->token));
	client_flush(h, c);
}

static void go_on_with_tls(const struct client_host *h, struct client *c)
{
	int n = SSL_connect(c->ssl);
	if (n == 1) {
		ask_upgrade(h, c);
		return;
	}
	int why = SSL_get_error(c->ssl, n);
	if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
		client_die("TLS", "handshake");
}

void client_start(const struct client_host *h, struct client *c)
{
	struct sockaddr_in from = {.sin_family = AF_INET}, to = from;
	int one = 1;
	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + c->number / CLIENTS_PER_ADDRESS);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons((uint16_t)h->port);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 ||
	        setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one)) != 0 ||
	        bind(c->fd, (struct sockaddr *)&from, sizeof(from)) != 0 ||
	        connect(c->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		client_die("connect", strerror(errno));
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(c->fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one));
	if (fcntl(c->fd, F_SETFL, O_NONBLOCK) != 0)
		client_die("fcntl", strerror(errno));
	watch(h, c, EPOLL_CTL_ADD, false);
	if (h->tls == NULL) {
		ask_upgrade(h, c);
		return;
	}
	c->state = CLIENT_TLS;
	c->ssl = SSL_new(h->tls);
	if (c->ssl == NULL || SSL_set_fd(c->ssl, c->fd) != 1)
		client_die("TLS", "set-up");
	go_on_with_tls(h, c);
}

static bool begins(struct tacit_bytes b, const char *with)
{
	return b.n >= strlen(with) && memcmp(b.p, with, strlen(with)) == 0;
}

static void advance(const struct client_host *h, struct client *c, struct tacit_bytes text)
{
	char join[80], said[200];
	snprintf(said, sizeof(said), "%.*s", (int)(text.n < 190 ? text.n : 190),
	        (const char *)text.p);
	if (c->state == CLIENT_OPENS && begins(text, "0{")) {
		c->state = CLIENT_CONNECTS;
		client_say(c, TACIT_STR("40"));
	} else if (c->state == CLIENT_CONNECTS && begins(text, "40")) {
		c->state = CLIENT_JOINS;
		snprintf(join, sizeof(join), "420[\"join_room\",{\"room_id\":%" PRId64 "}]",
		        c->room);
		client_say(c, tacit_cstr(join));
	} else if (c->state == CLIENT_JOINS && begins(text, "430[{")) {
		if (strstr(said, "\"error\"") != NULL)
			client_die("join_room", said);
		c->state = CLIENT_READY;
		h->ready(h->ctx, c);
	} else if (begins(text, "44") || begins(text, "1")) {
		client_die("refused", said);
	}
}

/* --- receiving --- */

/* One frame off the front; false: it is not whole yet. A server's frames are not masked. */
static bool take_frame(struct tacit_bytes *in, uint8_t *opcode, struct tacit_bytes *payload)
{
	const uint8_t *p = in->p;
	size_t head = 2, n;
	if (in->n < 2)
		return false;
	n = p[1] & 0x7f;
	if (n == 126) {
		head = 4;
		n = in->n >= head ? (size_t)p[2] << 8 | p[3] : 0;
	} else if (n == 127) {
		head = 10;
		n = in->n >= head
		            ? (size_t)p[6] << 24 | (size_t)p[7] << 16 | (size_t)p[8] << 8 | p[9]
		            : 0;
	}
	if (in->n < head || in->n - head < n)
		return false;
	*opcode = p[0] & 0x0f;
	*payload = tacit_bytes(p + head, n);
	*in = tacit_bytes(p + head + n, in->n - head - n);
	return true;
}

static void take_frames(const struct client_host *h, struct client *c, struct tacit_bytes *in)
{
	uint8_t opcode;
	struct tacit_bytes payload;
	while (take_frame(in, &opcode, &payload)) {
		if (opcode != TACIT_WS_TEXT)
			client_die("the server sent a frame of another kind",
			        opcode == 8 ? "close" : "?");
		if (payload.n == 1 && payload.p[0] == '2')
			client_say(c, TACIT_STR("3"));
		else if (c->state == CLIENT_READY)
			h->text(h->ctx, c, payload);
		else
			advance(h, c, payload);
	}
}

static void take_upgrade(struct client *c, struct tacit_bytes *in)
{
	const uint8_t *end = memmem(in->p, in->n, "\r\n\r\n", 4);
	if (end == NULL)
		return;
	if (!begins(*in, "HTTP/1.1 101"))
		client_die("no WebSocket", (const char *)in->p);
	*in = tacit_bytes(end + 4, in->n - (size_t)(end + 4 - in->p));
	c->state = CLIENT_OPENS;
}

static void take(const struct client_host *h, struct client *c, struct tacit_bytes in)
{
	bool kept = c->in.n > 0;
	if (kept) {
		must(tacit_buf_append(&c->in, in));
		in = tacit_buf_view(&c->in);
	}
	if (c->state == CLIENT_UPGRADE)
		take_upgrade(c, &in);
	if (c->state > CLIENT_UPGRADE)
		take_frames(h, c, &in);
	struct tacit_buf rest = {0};
	if (in.n > 0)
		must(tacit_buf_append(&rest, in));
	tacit_buf_clear(&c->in);
	c->in = rest;
}

/* socket(7): when the last of the packets that were read came. */
static int64_t arrival(struct msghdr *message)
{
	struct timespec t;
	const struct cmsghdr *note = CMSG_FIRSTHDR(message);
	if (note == NULL || note->cmsg_level != SOL_SOCKET || note->cmsg_type != SCM_TIMESTAMPNS)
		return client_now_ns();
	memcpy(&t, CMSG_DATA(note), sizeof(t));
	return ns_of(t);
}

static ssize_t receive_plain(struct client *c, uint8_t *room)
{
	_Alignas(struct cmsghdr) uint8_t note[CMSG_SPACE(sizeof(struct timespec))];
	struct iovec part = {.iov_base = room, .iov_len = READ_BYTES - 1};
	struct msghdr message = {.msg_iov = &part,
	        .msg_iovlen = 1,
	        .msg_control = note,
	        .msg_controllen = sizeof(note)};
	ssize_t n = recvmsg(c->fd, &message, 0);
	if (n > 0)
		c->arrived_ns = arrival(&message);
	return n < 0 && errno == EAGAIN ? -1 : n > 0 ? n : 0;
}

static ssize_t receive(struct client *c, uint8_t *room)
{
	if (c->ssl == NULL)
		return receive_plain(c, room);
	int n = SSL_read(c->ssl, room, (int)READ_BYTES - 1);
	c->arrived_ns = client_now_ns();
	return n > 0 ? n : SSL_get_error(c->ssl, n) == SSL_ERROR_WANT_READ ? -1 : 0;
}

void client_turn(const struct client_host *h, struct client *c, uint32_t events)
{
	static uint8_t room[READ_BYTES];
	if (c->state == CLIENT_TLS) {
		go_on_with_tls(h, c);
		return;
	}
	do {
		ssize_t n = events & ~(uint32_t)EPOLLOUT ? receive(c, room) : -1;
		if (n == 0)
			client_die("the server closed a connection", "");
		if (n > 0) {
			room[n] = 0;
			take(h, c, tacit_bytes(room, (size_t)n));
		}
	} while (c->ssl != NULL && SSL_pending(c->ssl) > 0);
	client_flush(h, c);
}
