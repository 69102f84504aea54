/* line.h - a connection that HTTP has handed over (RFC 9110 7.8): bytes come in, frames of a ring
 * go out, gathered into as few writes as can be. Whose it is says struct http_taker.
 *
 * A line belongs to one loop and is touched on its thread only; it is flushed and ended within its
 * own turn, or when no connection has its turn (http_app.turn_over). */
#ifndef TACIT_SERVER_NET_LINE_H
#define TACIT_SERVER_NET_LINE_H

#include "server/net/frame.h"
#include "server/net/http.h"

struct net_line_ops {
	/* Bytes have come, which are taken off the front; what is left comes again with more. */
	void (*input)(void *ctx, struct tacit_bytes *in);
	/* Both or neither: where the next *room bytes belong, which then go there at once, when
	 * nothing was left of the input; *room 0: they are input. So many have gone there. */
	uint8_t *(*place)(void *ctx, size_t *room);
	void (*placed)(void *ctx, size_t bytes);
	/* The socket was full, and has taken something of the ring since. */
	void (*drained)(void *ctx);
	/* The line is no more: exactly once, unless net_line_end was called. */
	void (*gone)(void *ctx);
};

/* Within take(). ring is the owner's and outlives the line, or is given up by net_line_end. */
void net_line_open(
        struct net_line *line, const struct net_line_ops *ops, void *ctx, struct net_ring *ring);
/* Sends what is in the ring, as much as the socket takes; the rest follows by itself. The line may
 * be gone afterwards. */
void net_line_flush(struct net_line *line);
/* What the ring holds still leaves, copied, if the peer takes it within a few seconds; then the
 * connection ends. The owner hears no more of it. */
void net_line_end(struct net_line *line);

/* Stops and goes on reading, for one whose bytes find no room. What input() left comes again when
 * reading goes on; that is asked for when no connection has its turn. */
enum net_line_reading { NET_LINE_PAUSED, NET_LINE_READS };
void net_line_read(struct net_line *line, enum net_line_reading reading);

/* The other machine has acknowledged nothing for so long, although it was sent to again and again
 * (RFC 9293 3.8.1, 3.8.6.1): it is off, or the way to it is. One whose program is stopped, or does
 * not read, acknowledges. */
bool net_line_is_cut(const struct net_line *line, unsigned seconds);

#endif
