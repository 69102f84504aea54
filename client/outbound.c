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

uint8_t *outbound_place(struct outbound *o, size_t head, size_t n)
{
	if (o->bytes.cap - o->bytes.n < head + n)
		move_up(o);
	if (tacit_buf_reserve(&o->bytes, head + n) != TACIT_OK)
		return NULL;
	return o->bytes.p + o->bytes.n + head;
}

enum tacit_err outbound_put(
        struct outbound *o, struct tacit_bytes head, struct tacit_bytes message, uint8_t **at)
{
	uint8_t *place = outbound_place(o, head.n, message.n);
	*at = place;
	if (place == NULL)
		return TACIT_E_NOMEM;
	if (message.n > 0 && message.p != place)
		memmove(place, message.p, message.n);
	memcpy(place - head.n, head.p, head.n);
	o->bytes.n += head.n + message.n;
	return TACIT_OK;
}
