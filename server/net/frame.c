#include "server/net/frame.h"

#include <string.h>

#include "base/alloc.h"

#define FIRST_HEAP 16

struct net_frame *net_frame_new(size_t bytes)
{
	if (bytes > UINT32_MAX)
		return NULL;
	struct net_frame *f = tacit_alloc(sizeof(*f) + bytes);
	if (f == NULL)
		return NULL;
	atomic_init(&f->holders, 1);
	f->bytes = (uint32_t)bytes;
	f->mark = 0;
	return f;
}

struct net_frame *net_frame_copy(struct tacit_bytes bytes)
{
	struct net_frame *f = net_frame_new(bytes.n);
	if (f != NULL && bytes.n > 0)
		memcpy(f->data, bytes.p, bytes.n);
	return f;
}

struct net_frame *net_frame_adopt(struct tacit_buf *b)
{
	struct net_frame *f = (struct net_frame *)(void *)b->p;
	TACIT_ASSERT(b->n >= NET_FRAME_FRONT && b->n - NET_FRAME_FRONT <= UINT32_MAX);
	atomic_init(&f->holders, 1);
	f->bytes = (uint32_t)(b->n - NET_FRAME_FRONT);
	f->mark = 0;
	*b = (struct tacit_buf){0};
	return f;
}

void net_frame_drop(struct net_frame *f)
{
	if (f != NULL && atomic_fetch_sub_explicit(&f->holders, 1, memory_order_acq_rel) == 1)
		tacit_free(f);
}

static struct net_frame **slots_of(struct net_ring *r)
{
	return r->heap != NULL ? r->heap : r->own;
}

static uint32_t room_of(const struct net_ring *r)
{
	return r->heap != NULL ? r->room : NET_RING_OWN;
}

/* room is a power of two. */
static uint32_t place(const struct net_ring *r, size_t i)
{
	return (r->head + (uint32_t)i) & (room_of(r) - 1);
}

struct net_frame *net_ring_at(const struct net_ring *r, size_t i)
{
	return (r->heap != NULL ? r->heap : r->own)[place(r, i)];
}

static enum tacit_err grow(struct net_ring *r)
{
	uint32_t room = r->heap != NULL ? r->room * 2 : FIRST_HEAP;
	struct net_frame **wider =
	        room > r->count ? tacit_calloc(room, sizeof(struct net_frame *)) : NULL;
	if (wider == NULL)
		return TACIT_E_NOMEM;
	for (uint32_t i = 0; i < r->count; i++)
		wider[i] = net_ring_at(r, i);
	tacit_free(r->heap);
	r->heap = wider;
	r->room = room;
	r->head = 0;
	return TACIT_OK;
}

enum tacit_err net_ring_push(struct net_ring *r, struct net_frame *f)
{
	if (r->count == room_of(r) && grow(r) != TACIT_OK)
		return TACIT_E_NOMEM;
	slots_of(r)[place(r, r->count)] = net_frame_hold(f);
	r->count++;
	r->bytes += f->bytes;
	return TACIT_OK;
}

int net_ring_parts(const struct net_ring *r, struct iovec *parts, int most)
{
	int n = 0;
	for (; n < most && (uint32_t)n < r->count; n++) {
		struct net_frame *f = net_ring_at(r, (size_t)n);
		uint32_t from = n == 0 ? r->head_sent : 0;
		parts[n] = (struct iovec){.iov_base = f->data + from, .iov_len = f->bytes - from};
	}
	return n;
}

void net_ring_pop(struct net_ring *r)
{
	struct net_frame *f = net_ring_at(r, 0);
	r->bytes -= f->bytes - r->head_sent;
	r->head_sent = 0;
	r->head = place(r, 1);
	r->count--;
	net_frame_drop(f);
	if (r->count == 0 && r->heap != NULL) {
		tacit_free(r->heap);
		r->heap = NULL;
		r->room = r->head = 0;
	}
}

void net_ring_sent(struct net_ring *r, size_t bytes)
{
	while (r->count > 0) {
		size_t rest = net_ring_at(r, 0)->bytes - r->head_sent;
		if (bytes < rest)
			break;
		bytes -= rest;
		net_ring_pop(r);
	}
	r->head_sent += (uint32_t)bytes;
	r->bytes -= bytes;
}

void net_ring_clear(struct net_ring *r)
{
	while (r->count > 0)
		net_ring_pop(r);
}
