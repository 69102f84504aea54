#include "client/direct.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "client/monotonic.h"
#include "client/outbound.h"
#include "e2e/parcel/channel.h"

#define HEAD 4
#define ROOM ((size_t)4 * (HEAD + TACIT_PARCEL_MAX_MESSAGE))
#define SOCKET_BUFFER (1024 * 1024)
#define TICK_MS 1000 /* how late a cancellation may be noticed, where no signal ends the wait */
#define LAST_MS 3000 /* for what is still to leave, and for the other end to hang up */

struct direct {
	int fd;
	const volatile sig_atomic_t *cancel;
	bool connected, gone;
	struct outbound out;
	uint8_t *room;
	size_t from, to; /* what has come and was not taken; the last message lies before from */
	size_t last;     /* length of the last message with its head; 0: none */
};

static bool cancelled(const struct direct *d)
{
	return d->cancel != NULL && *d->cancel != 0;
}

static size_t waiting(const struct direct *d)
{
	return outbound_left(&d->out).n;
}

/* --- life ------------------------------------------------------------------------------------ */

static void set(int fd, int level, int name, int value)
{
	/* Each makes it better and none is needed. */
	(void)setsockopt(fd, level, name, &value, sizeof(value));
}

/* A cable that is pulled is noticed, also while a person is asked and nobody says anything. */
static enum tacit_err prepare(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
		return TACIT_E_NETWORK;
	set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 10);
	set(fd, IPPROTO_TCP, TCP_KEEPINTVL, 5);
	set(fd, IPPROTO_TCP, TCP_KEEPCNT, (DIRECT_DEAD_S - 10) / 5);
	set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, DIRECT_DEAD_S * 1000);
	set(fd, SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER);
	return TACIT_OK;
}

enum tacit_err direct_adopt(int fd, const volatile sig_atomic_t *cancel, struct direct **out)
{
	enum tacit_err err;
	*out = NULL;
	struct direct *d = tacit_calloc(1, sizeof(*d));
	uint8_t *room = tacit_alloc(ROOM);
	TRY(d != NULL && room != NULL ? TACIT_OK : TACIT_E_NOMEM);
	TRY(prepare(fd));
	d->fd = fd;
	d->cancel = cancel;
	d->room = room;
	d->connected = true;
	*out = d;
	return TACIT_OK;
out:
	close(fd);
	tacit_free(room);
	tacit_free(d);
	return err;
}

/* IPv4 has sockets of its own: not every machine has IPv6. */
static socklen_t socket_address(
        const struct tacit_parcel_address *a, uint16_t port, struct sockaddr_storage *out)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	memset(out, 0, sizeof(*out));
	if (memcmp(a->b, mapped, sizeof(mapped)) == 0) {
		struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
		memcpy(&v4.sin_addr, a->b + sizeof(mapped), sizeof(v4.sin_addr));
		memcpy(out, &v4, sizeof(v4));
		return sizeof(v4);
	}
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	memcpy(&v6.sin6_addr, a->b, sizeof(v6.sin6_addr));
	memcpy(out, &v6, sizeof(v6));
	return sizeof(v6);
}

enum tacit_err direct_call(const struct tacit_parcel_address *to, uint16_t port,
        const volatile sig_atomic_t *cancel, struct direct **out)
{
	enum tacit_err err;
	struct sockaddr_storage address;
	socklen_t n = socket_address(to, port, &address);
	*out = NULL;
	int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return TACIT_E_NETWORK;
	TRY(direct_adopt(fd, cancel, out));
	(*out)->connected = false;
	if (connect(fd, (const struct sockaddr *)&address, n) != 0 && errno != EINPROGRESS &&
	        errno != EINTR)
		err = TACIT_E_NETWORK;
out:
	if (err != TACIT_OK) {
		direct_close(*out);
		*out = NULL;
	}
	return err;
}

void direct_close(struct direct *d)
{
	if (d == NULL)
		return;
	close(d->fd);
	tacit_buf_clear(&d->out.bytes);
	tacit_free(d->room);
	tacit_free(d);
}

/* --- waiting --------------------------------------------------------------------------------- */

struct pollfd direct_poll(const struct direct *d)
{
	struct pollfd p = {.fd = d->fd};
	p.events = (short)((d->connected && d->to < ROOM ? POLLIN : 0) |
	                   (!d->connected || waiting(d) > 0 ? POLLOUT : 0));
	return p;
}

enum tacit_err direct_ready(struct direct *d, bool *ready)
{
	struct pollfd p = direct_poll(d);
	int problem = 0;
	socklen_t n = sizeof(problem);
	if (!d->connected && poll(&p, 1, 0) == 1) {
		if (getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &problem, &n) != 0 || problem != 0)
			return TACIT_E_NETWORK;
		d->connected = true;
	}
	*ready = d->connected;
	return TACIT_OK;
}

static enum tacit_err flush(struct direct *d)
{
	while (waiting(d) > 0) {
		struct tacit_bytes left = outbound_left(&d->out);
		ssize_t n = send(d->fd, left.p, left.n, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK ? TACIT_OK : TACIT_E_NETWORK;
		outbound_took(&d->out, (size_t)n);
	}
	return TACIT_OK;
}

/* Until the socket says what p waits for, or until. */
static enum tacit_err wait(struct direct *d, int64_t until, struct pollfd p)
{
	int64_t left = until - monotonic_ms();
	left = left < TICK_MS ? left : TICK_MS;
	if (poll(&p, 1, left > 0 ? (int)left : 0) < 0 && errno != EINTR)
		return TACIT_E_NETWORK;
	return cancelled(d) ? TACIT_E_CANCELLED : flush(d);
}

/* --- out ------------------------------------------------------------------------------------- */

uint8_t *direct_place(struct direct *d, size_t n)
{
	return outbound_place(&d->out, HEAD, n);
}

enum tacit_err direct_send(struct direct *d, struct tacit_bytes message)
{
	enum tacit_err err;
	uint32_t n = (uint32_t)message.n;
	uint8_t *at, head[HEAD] = {
	                     (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
	TRY(message.n <= TACIT_PARCEL_MAX_MESSAGE ? TACIT_OK : TACIT_E_TOO_LARGE);
	TRY(d->connected && !d->gone ? TACIT_OK : TACIT_E_NETWORK);
	TRY(outbound_put(&d->out, tacit_bytes(head, HEAD), message, &at));
	TRY(flush(d));
	/* What the other end says meanwhile is not read here, and must not end the waiting. */
	while (waiting(d) > TACIT_PARCEL_MAX_MESSAGE / 2)
		TRY(wait(d, monotonic_ms() + TICK_MS,
		        (struct pollfd){.fd = d->fd, .events = POLLOUT}));
out:
	return err;
}

/* --- in -------------------------------------------------------------------------------------- */

static void make_space(struct direct *d)
{
	if (d->from == d->to) {
		d->from = d->to = 0;
	} else if (ROOM - d->from < HEAD + TACIT_PARCEL_MAX_MESSAGE) {
		memmove(d->room, d->room + d->from, d->to - d->from);
		d->to -= d->from;
		d->from = 0;
	}
}

static enum tacit_err read_some(struct direct *d)
{
	ssize_t n = recv(d->fd, d->room + d->to, ROOM - d->to, 0);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return TACIT_OK;
	if (n <= 0) {
		d->gone = true;
		return TACIT_E_NETWORK;
	}
	d->to += (size_t)n;
	return TACIT_OK;
}

static enum tacit_err take(struct direct *d, struct tacit_bytes *message, bool *got)
{
	const uint8_t *p = d->room + d->from;
	size_t there = d->to - d->from;
	if (there < HEAD)
		return TACIT_OK;
	size_t n = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
	if (n > TACIT_PARCEL_MAX_MESSAGE)
		return TACIT_E_TOO_LARGE;
	if (there - HEAD < n)
		return TACIT_OK;
	*message = tacit_bytes(p + HEAD, n);
	*got = true;
	d->last = HEAD + n;
	d->from += d->last;
	return TACIT_OK;
}

enum tacit_err direct_next(struct direct *d, int timeout_ms, struct tacit_bytes *message, bool *got)
{
	enum tacit_err err;
	int64_t until = timeout_ms < 0    ? INT64_MAX
	                : timeout_ms == 0 ? 0
	                                  : monotonic_ms() + timeout_ms;
	*got = false;
	*message = tacit_bytes(NULL, 0);
	d->last = 0;
	for (;;) {
		TRY(take(d, message, got));
		if (*got)
			break;
		make_space(d);
		TRY(d->connected && !d->gone ? TACIT_OK : TACIT_E_NETWORK);
		size_t before = d->to;
		TRY(read_some(d));
		if (d->to > before)
			continue;
		TRY(flush(d));
		if (until == 0 || monotonic_ms() >= until)
			break;
		TRY(wait(d, until, direct_poll(d)));
	}
	err = TACIT_OK;
out:
	return err;
}

void direct_again(struct direct *d)
{
	d->from -= d->last;
	d->last = 0;
}

/* Until the other end hangs up, too: closing upon what was not read would reset the connection, and
 * what was said last could go down with it. */
void direct_finish(struct direct *d)
{
	if (d == NULL)
		return;
	int64_t until = monotonic_ms() + LAST_MS;
	bool told = false;
	d->cancel = NULL;
	while (d->connected && !d->gone && monotonic_ms() < until) {
		if (flush(d) != TACIT_OK)
			break;
		if (waiting(d) == 0 && !told) {
			shutdown(d->fd, SHUT_WR);
			told = true;
		}
		d->from = d->to = 0;
		size_t before = d->to;
		if (read_some(d) != TACIT_OK)
			break;
		if (d->to == before && wait(d, until, direct_poll(d)) != TACIT_OK)
			break;
	}
	direct_close(d);
}
