/* outbound.h - what a connection did not take yet, in its order. */
#ifndef TACIT_CLIENT_OUTBOUND_H
#define TACIT_CLIENT_OUTBOUND_H

#include "base/buf.h"
#include "base/err.h"

/* Empty is {0}. Who makes messages in place appends to bytes. */
struct outbound {
	struct tacit_buf bytes;
	size_t sent; /* of them */
};

static inline struct tacit_bytes outbound_left(const struct outbound *o)
{
	return tacit_bytes_part(tacit_buf_view(&o->bytes), o->sent, o->bytes.n);
}
/* The first n of what was left have left. */
void outbound_took(struct outbound *o, size_t n);
/* Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err outbound_add(struct outbound *o, struct tacit_bytes bytes);

/* Where a message of n bytes is best made: at the end, behind a head of so many. The same place
 * until something is added, also for a shorter one. NULL: no memory. */
uint8_t *outbound_place(struct outbound *o, size_t head, size_t n);
/* Head and message, which may have been made in its place, or lie anywhere else. *at: where it is
 * now. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err outbound_put(
        struct outbound *o, struct tacit_bytes head, struct tacit_bytes message, uint8_t **at);

#endif
