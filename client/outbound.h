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

#endif
