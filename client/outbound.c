#include "client/outbound.h"

#include <string.h>

#define WORTH_MOVING ((size_t)1024 * 1024)

/* What has left goes: a socket that never takes all of it must not make it grow with what is sent.
 */
static void move_up(struct outbound *o)
{
	if (o->sent == 0)
		return;
	o->bytes.n -= o->sent;
	memmove(o->bytes.p, o->bytes.p + o->sent, o->bytes.n);
	o->sent = 0;
}

void outbound_took(struct outbound *o, size_t n)
{
	o->sent += n;
	if (o->sent == o->bytes.n)
		o->bytes.n = o->sent = 0;
	else if (o->sent > WORTH_MOVING)
		move_up(o);
}

enum tacit_err outbound_add(struct outbound *o, struct tacit_bytes bytes)
{
	move_up(o);
	return tacit_buf_append(&o->bytes, bytes);
}
