#include "server/net/conn.h"

#include <netinet/tcp.h>
#include <string.h>

#include "base/alloc.h"

/* --- end of a turn --- */

static void close_socket(struct conn *c)
{
	if (c->io.fd < 0)
		return;
	event_del(&c->readable);
	event_del(&c->writable);
	net_io_close(&c->io);
	conn_set_timeout(c, 0);
	if (c->counted) {
		struct sockaddr_storage peer = conn_peer(c);
		net_peers_leave(c->loop->shared->peers, &peer);
	}
}

static void release(struct conn *c)
{
	struct net_loop *l = c->loop;
	uint32_t slot = c->slot;
	tacit_buf_clear(&c->in);
	tacit_buf_clear(&c->out);
	tacit_free(c);
	net_loop_left(l, slot);
}

void conn_discard(struct conn *c)
{
	struct sockaddr_storage peer = conn_peer(c);
	net_io_close(&c->io);
	if (c->counted)
		net_peers_leave(c->line.shared->peers, &peer);
	tacit_buf_clear(&c->in);
	tacit_buf_clear(&c->out);
	tacit_free(c);
}

static void bury(struct conn *c)
{
	struct net_loop *l = c->loop;
	close_socket(c);
	l->running = c;
	bool over = c->ops->buried(c);
	l->running = NULL;
	if (over)
		release(c);
}

/* The loop's input buffer belongs to the next turn: what is unread moves into c's own. */
static bool keep_input(struct conn *c)
{
	if (c->input.n == 0) {
		if (c->in.cap > 0)
			tacit_buf_clear(&c->in);
		c->input = tacit_bytes(NULL, 0);
		return true;
	}
	if (c->in.n > 0) {
		memmove(c->in.p, c->input.p, c->input.n);
		c->in.n = c->input.n;
	} else if (tacit_buf_append(&c->in, c->input) != TACIT_OK) {
		return false;
	}
	c->input = tacit_buf_view(&c->in);
	return true;
}

/* Events are changed as rarely as can be, since each change is a system call: reading stays armed
 * while an answer is awaited, and is taken back only if the peer really sends meanwhile. */
static bool arm(struct conn *c)
{
	bool wants = c->ops->wants_input(c);
	if (wants && !c->read_armed) {
		if (event_add(&c->readable, NULL) != 0)
			return false;
		c->read_armed = true;
	}
	if (wants && net_io_has_more(&c->io))
		event_active(&c->readable, EV_READ, 0);
	bool write = c->want_write || c->io.needs_write;
	if (write != c->write_armed) {
		if ((write ? event_add(&c->writable, NULL) : event_del(&c->writable)) != 0)
			return false;
		c->write_armed = write;
	}
	return true;
}

void conn_turn(struct conn *c, void (*step)(struct conn *c))
{
	TACIT_ASSERT(c->loop->running == NULL);
	c->loop->running = c;
	step(c);
	c->loop->running = NULL;
	if (!c->dead && c->moving && keep_input(c)) {
		line_depart(c);
		return;
	}
	if (!c->dead && !(keep_input(c) && arm(c)))
		c->dead = true;
	if (c->dead)
		bury(c);
}

static void die(struct conn *c)
{
	c->dead = true;
}

void conn_kill(struct conn *c)
{
	conn_turn(c, die);
}

/* --- events --- */

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct conn *c = ctx;
	(void)fd;
	(void)what;
	c->io.dry = false;
	if (c->ops->wants_input(c)) {
		conn_turn(c, c->ops->readable);
		return;
	}
	event_del(&c->readable);
	c->read_armed = false;
}

static void on_writable(evutil_socket_t fd, short what, void *ctx)
{
	struct conn *c = ctx;
	(void)fd;
	(void)what;
	bool for_reading = c->io.needs_write && !c->want_write;
	c->want_write = c->io.needs_write = false;
	conn_turn(c, for_reading ? c->ops->readable : c->ops->writable);
}

/* --- beginning --- */

static bool begin_tls(struct conn *c)
{
	struct net_shared *shared = c->loop->shared;
	if (shared->settings.tls_cert == NULL)
		return true;
	pthread_mutex_lock(&shared->tls_lock);
	c->io.ssl = SSL_new(shared->tls);
	pthread_mutex_unlock(&shared->tls_lock);
	if (c->io.ssl == NULL || SSL_set_fd(c->io.ssl, c->io.fd) != 1)
		return false;
	SSL_set_accept_state(c->io.ssl); /* the first read shakes hands */
	return true;
}

static void keep_peer(struct conn *c, const struct sockaddr_storage *peer)
{
	c->peer.family = peer->ss_family;
	if (peer->ss_family == AF_INET)
		memcpy(&c->peer.v4, peer, sizeof(c->peer.v4));
	if (peer->ss_family == AF_INET6)
		memcpy(&c->peer.v6, peer, sizeof(c->peer.v6));
}

struct sockaddr_storage conn_peer(const struct conn *c)
{
	struct sockaddr_storage peer = {0};
	memcpy(&peer, &c->peer, sizeof(c->peer));
	return peer;
}

void conn_detach(struct conn *c)
{
	event_del(&c->readable);
	event_del(&c->writable);
	c->read_armed = c->write_armed = false;
	net_loop_left(c->loop, c->slot);
}

static void assign_events(struct conn *c)
{
	struct event_base *base = c->loop->base;
	event_assign(&c->readable, base, c->io.fd, EV_READ | EV_PERSIST, on_readable, c);
	event_assign(&c->writable, base, c->io.fd, EV_WRITE | EV_PERSIST, on_writable, c);
}

bool conn_attach(struct conn *c)
{
	if (!net_loop_join(c))
		return false;
	assign_events(c);
	return true;
}

struct conn *conn_new(struct net_loop *l, int fd, const struct sockaddr_storage *peer, bool counted)
{
	int on = 1;
	struct conn *c = tacit_calloc(1, sizeof(*c));
	if (c == NULL)
		return NULL;
	c->loop = l;
	c->ops = &http_conn_ops;
	c->io.fd = fd;
	c->counted = counted;
	keep_peer(c, peer);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* fails on no TCP socket */
	assign_events(c);
	if (!begin_tls(c) || event_add(&c->readable, NULL) != 0) {
		SSL_free(c->io.ssl);
		tacit_free(c);
		return NULL;
	}
	c->read_armed = true;
	return c;
}

/* --- within a turn --- */

void conn_set_timeout(struct conn *c, int64_t ms)
{
	c->loop->deadlines[c->slot] = ms > 0 ? net_now_ms() + ms : 0;
}

bool conn_received(struct conn *c, enum net_io_result result, size_t got)
{
	if (result == NET_IO_END || result == NET_IO_DEAD)
		c->dead = true;
	net_count(&c->loop->counters.bytes_in, got);
	return result == NET_IO_OK;
}

bool conn_receive(struct conn *c)
{
	size_t got = 0;
	enum net_io_result result;
	if (c->input.n == 0) {
		c->in.n = 0;
		result = net_io_receive(&c->io, c->loop->input, NET_INPUT_BYTES, &got);
		c->input = tacit_bytes(c->loop->input, got);
		return conn_received(c, result, got);
	}
	if (tacit_buf_reserve(&c->in, HTTP_MAX_HEAD_BYTES) != TACIT_OK) {
		c->dead = true;
		return false;
	}
	result = net_io_receive(&c->io, c->in.p + c->in.n, c->in.cap - c->in.n, &got);
	c->in.n += got;
	c->input = tacit_buf_view(&c->in);
	return conn_received(c, result, got);
}

bool conn_receive_at(struct conn *c, uint8_t *at, size_t room, size_t *placed)
{
	size_t got = 0;
	const struct iovec parts[2] = {{at, room}, {c->loop->input, CONN_BEHIND_BYTES}};
	enum net_io_result result =
	        room > 0 ? net_io_receive_two(&c->io, parts, &got)
	                 : net_io_receive(&c->io, c->loop->input, CONN_BEHIND_BYTES, &got);
	*placed = got < room ? got : room;
	c->in.n = 0;
	c->input = tacit_bytes(c->loop->input, got - *placed);
	return conn_received(c, result, got);
}

void conn_consume(struct conn *c, size_t bytes)
{
	c->input = tacit_bytes_part(c->input, bytes, c->input.n);
}

static struct iovec part_of(struct tacit_bytes b)
{
	return (struct iovec){.iov_base = (void *)(uintptr_t)b.p, .iov_len = b.n};
}

enum net_io_result conn_send(struct conn *c, struct tacit_bytes head, struct tacit_bytes body,
        bool more, size_t *body_sent)
{
	struct tacit_bytes kept = tacit_bytes_part(tacit_buf_view(&c->out), c->out_sent, c->out.n);
	struct iovec parts[3] = {part_of(kept), part_of(head), part_of(body)};
	size_t sent = 0, all = kept.n + head.n + body.n;
	*body_sent = 0;
	if (all == 0)
		return NET_IO_OK;
	enum net_io_result result = net_io_send(&c->io, parts, 3, more, c->loop->gather, &sent);
	net_count(&c->loop->counters.bytes_out, sent);
	if (result == NET_IO_DEAD || result == NET_IO_END)
		return NET_IO_DEAD;
	size_t of_kept = sent < kept.n ? sent : kept.n;
	size_t of_head = sent - of_kept < head.n ? sent - of_kept : head.n;
	*body_sent = sent - of_kept - of_head;
	c->out_sent += of_kept;
	if (of_head < head.n &&
	        tacit_buf_append(&c->out, tacit_bytes_part(head, of_head, head.n)) != TACIT_OK)
		return NET_IO_DEAD;
	if (c->out_sent == c->out.n && c->out.cap > 0) {
		tacit_buf_clear(&c->out);
		c->out_sent = 0;
	}
	if (sent == all)
		return NET_IO_OK;
	c->want_write = true;
	return NET_IO_AGAIN;
}
