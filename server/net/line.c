/* line.c - what a connection does after HTTP: conn_ops for lines.
 *
 *   after_answer() --same loop--> take() --> OPEN --net_line_end--> ENDING --all has left--> LINGER
 *        '--another loop: letter--> take()     '--socket gone, time--> gone()      '--end, time-->
 * closed
 */
#include "server/net/line.h"

#include <netinet/tcp.h>
#include <string.h>

#include "base/alloc.h"
#include "server/net/conn.h"

#define END_MS 5000
#define MOST_READS 8
#define TRIES 3     /* unanswered: not one lost packet */
#define STOP_MS 500 /* when the server ends: for the peer to read our good-bye */

static struct conn *conn_of(struct net_line *line)
{
	return (struct conn *)line;
}

static struct net_line *line_of(struct conn *c)
{
	return (struct net_line *)c;
}

/* --- sending --- */

static enum net_io_result send_ring(struct conn *c)
{
	struct net_ring *r = c->line.ring;
	struct iovec parts[NET_IO_MAX_PARTS];
	while (r->count > 0) {
		size_t sent = 0, all = 0;
		int n = net_ring_parts(r, parts, NET_IO_MAX_PARTS);
		for (int i = 0; i < n; i++)
			all += parts[i].iov_len;
		enum net_io_result result =
		        net_io_send(&c->io, parts, n, false, c->loop->gather, &sent);
		net_count(&c->loop->counters.bytes_out, sent);
		net_ring_sent(r, sent);
		c->line.progress |= sent > 0;
		if (result == NET_IO_DEAD || result == NET_IO_END)
			return NET_IO_DEAD;
		if (result == NET_IO_AGAIN || sent < (all < NET_IO_GATHER_BYTES ? all : sent))
			return NET_IO_AGAIN;
	}
	return NET_IO_OK;
}

/* A peer has write_timeout for taking anything at all. */
static void send_on(struct conn *c)
{
	bool waited = c->want_write || c->loop->deadlines[c->slot] != 0;
	c->line.progress = false;
	switch (send_ring(c)) {
	case NET_IO_OK:
		c->want_write = false;
		conn_set_timeout(c, 0);
		return;
	case NET_IO_AGAIN:
		c->want_write = true;
		if (!waited || c->line.progress)
			conn_set_timeout(c, conn_write_ms(c));
		return;
	default:
		c->dead = true;
	}
}

void net_line_flush(struct net_line *line)
{
	struct conn *c = conn_of(line);
	if (c->dead || c->want_write)
		return;
	if (c->loop->running == c)
		send_on(c);
	else
		conn_turn(c, send_on);
}

/* --- ending --- */

static void linger(struct conn *c)
{
	if (c->line.lingering)
		return;
	c->line.lingering = true;
	net_io_finish(&c->io);
	conn_set_timeout(c, c->loop->stopping ? STOP_MS : END_MS);
}

static void send_last(struct conn *c)
{
	size_t none;
	struct tacit_bytes nothing = tacit_bytes(NULL, 0);
	switch (conn_send(c, nothing, nothing, false, &none)) {
	case NET_IO_OK:
		linger(c);
		return;
	case NET_IO_AGAIN:
		return;
	default:
		c->dead = true;
	}
}

/* The ring is its owner's and goes with him: what it holds becomes ours. */
static void keep_ring(struct conn *c)
{
	struct iovec part;
	while (!c->dead && c->line.ring->count > 0) {
		net_ring_parts(c->line.ring, &part, 1);
		if (tacit_buf_append(&c->out, tacit_bytes(part.iov_base, part.iov_len)) != TACIT_OK)
			c->dead = true;
		net_ring_pop(c->line.ring);
	}
}

static void end(struct conn *c)
{
	if (c->line.ended)
		return;
	if (!c->dead)
		send_on(c);
	keep_ring(c);
	c->line.ended = true;
	c->line.ring = NULL;
	conn_consume(c, c->input.n);
	conn_set_timeout(c, END_MS);
	if (!c->dead)
		send_last(c);
}

void net_line_end(struct net_line *line)
{
	struct conn *c = conn_of(line);
	if (c->loop->running == c)
		end(c);
	else
		conn_turn(c, end);
}

/* --- the connection's ops --- */

static bool wants_input(const struct conn *c)
{
	return !c->line.paused || c->line.ended;
}

static void give_input(struct conn *c)
{
	if (!c->line.ended && !c->dead && c->input.n > 0)
		c->line.ops->input(c->line.ctx, &c->input);
	if (c->line.ended)
		conn_consume(c, c->input.n);
}

/* True: it was all that there was room for, and there may be more. */
static bool receive_placed(struct conn *c)
{
	size_t room = 0, placed;
	uint8_t *at = c->line.ops->place(c->line.ctx, &room);
	if (!conn_receive_at(c, at, room, &placed))
		return false;
	bool more = c->input.n == CONN_BEHIND_BYTES;
	if (placed > 0)
		c->line.ops->placed(c->line.ctx, placed);
	give_input(c);
	return more && !c->dead && !c->line.ended && wants_input(c);
}

/* A stream that comes fast is read on, since each turn has its price. */
static void readable(struct conn *c)
{
	int reads = 0;
	if (c->line.ended || c->line.ops->place == NULL || c->input.n > 0) {
		if (conn_receive(c))
			give_input(c);
		return;
	}
	while (receive_placed(c) && c->input.n == 0 && ++reads < MOST_READS)
		continue;
}

void net_line_read(struct net_line *line, enum net_line_reading reading)
{
	struct conn *c = conn_of(line);
	bool goes_on = c->line.paused && reading == NET_LINE_READS;
	c->line.paused = reading == NET_LINE_PAUSED;
	if (goes_on && !c->dead)
		conn_turn(c, give_input);
}

bool net_line_is_cut(const struct net_line *line, unsigned seconds)
{
	struct tcp_info tcp;
	socklen_t size = sizeof(tcp);
	const struct conn *c = (const struct conn *)line;
	return !c->dead && getsockopt(c->io.fd, IPPROTO_TCP, TCP_INFO, &tcp, &size) == 0 &&
	       tcp.tcpi_last_ack_recv / 1000 >= seconds &&
	       (tcp.tcpi_retransmits >= TRIES || tcp.tcpi_probes >= TRIES);
}

static void writable(struct conn *c)
{
	if (c->line.ended) {
		send_last(c);
		return;
	}
	c->want_write = true; /* it was: the deadline goes on unless something moves */
	send_on(c);
	if (!c->dead && c->line.progress)
		c->line.ops->drained(c->line.ctx);
}

static void expired(struct conn *c)
{
	if (!c->line.ended)
		net_count(&c->loop->counters.timeouts, 1);
	c->dead = true;
}

static void stop(struct conn *c)
{
	(void)c; /* its owner ends it */
}

static bool buried(struct conn *c)
{
	struct http_taker taker = c->line.taker;
	bool owned = !c->line.ended && c->line.ops != NULL;
	c->line.ended = true;
	c->line.taker.take = NULL;
	if (taker.take != NULL)
		taker.take(taker.ctx, NULL);
	if (owned)
		c->line.ops->gone(c->line.ctx);
	return true;
}

static const struct conn_ops line_conn_ops = {
        .wants_input = wants_input,
        .readable = readable,
        .writable = writable,
        .expired = expired,
        .stop = stop,
        .buried = buried,
};

/* --- the hand-over --- */

void net_line_open(
        struct net_line *line, const struct net_line_ops *ops, void *ctx, struct net_ring *ring)
{
	struct conn *c = conn_of(line);
	c->line.ops = ops;
	c->line.ctx = ctx;
	c->line.ring = ring;
}

static void arrive(struct conn *c)
{
	struct http_taker taker = c->line.taker;
	c->line.taker = (struct http_taker){0};
	taker.take(taker.ctx, line_of(c));
	TACIT_ASSERT(c->line.ops != NULL);
	give_input(c);
}

static void open_letter(struct net_letter *letter, bool lost)
{
	struct conn *c = (struct conn *)((uint8_t *)letter - offsetof(struct conn, line.letter));
	struct http_taker taker = c->line.taker;
	if (!lost && conn_attach(c)) {
		conn_turn(c, arrive);
		return;
	}
	taker.take(taker.ctx, NULL);
	conn_discard(c);
}

void line_take_over(struct conn *c, const struct http_taker *taker)
{
	c->ops = &line_conn_ops;
	c->line = (struct line_conn){.taker = *taker};
	conn_set_timeout(c, 0);
	if (taker->loop == c->loop->id)
		arrive(c);
	else
		c->moving = true;
}

void line_depart(struct conn *c)
{
	c->moving = false;
	c->line.letter.open = open_letter;
	c->line.shared = c->loop->shared;
	conn_detach(c);
	net_post(c->line.taker.loop, &c->line.letter);
}
