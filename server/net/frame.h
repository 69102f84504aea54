/* frame.h - bytes that many connections send, encoded once, and the queue of them that each has.
 *
 * A frame is counted, never copied: a message to a hundred connections is one block of memory and a
 * hundred pointers. A queue that is empty holds no memory of its own. */
#ifndef TACIT_SERVER_NET_FRAME_H
#define TACIT_SERVER_NET_FRAME_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/buf.h"
#include "base/err.h"

struct net_frame {
	_Atomic uint32_t holders;
	uint32_t bytes;
	int64_t mark; /* the application's own */
	uint8_t data[];
};

/* Room for so many bytes, held once by the caller. NULL: out of memory, or beyond 2^32. */
struct net_frame *net_frame_new(size_t bytes);
struct net_frame *net_frame_copy(struct tacit_bytes bytes);
/* What b holds behind its first NET_FRAME_FRONT bytes, held once by the caller: the block is the
 * frame's from now on, and b is {0}. */
#define NET_FRAME_FRONT offsetof(struct net_frame, data)
struct net_frame *net_frame_adopt(struct tacit_buf *b);
void net_frame_drop(struct net_frame *f); /* NULL is fine */

static inline struct net_frame *net_frame_hold(struct net_frame *f)
{
	atomic_fetch_add_explicit(&f->holders, 1, memory_order_relaxed);
	return f;
}

#define NET_RING_OWN 4 /* pointers that need no memory beyond the ring's */

/* One thread's. Empty is {0}. */
struct net_ring {
	struct net_frame *own[NET_RING_OWN];
	struct net_frame **heap; /* NULL: own */
	uint32_t room, head, count;
	uint32_t head_sent; /* of the first frame */
	size_t bytes;       /* of all frames, less what was sent */
};

/* Holds f. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err net_ring_push(struct net_ring *r, struct net_frame *f);
/* Borrowed; i < count. */
struct net_frame *net_ring_at(const struct net_ring *r, size_t i);
/* What is to be sent first, at most `most` parts; how many there are. */
int net_ring_parts(const struct net_ring *r, struct iovec *parts, int most);
/* So many bytes have left: the frames that are through are dropped. */
void net_ring_sent(struct net_ring *r, size_t bytes);
/* Drops the first frame, however much of it was sent. */
void net_ring_pop(struct net_ring *r);
void net_ring_clear(struct net_ring *r);

#endif
