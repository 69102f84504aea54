/* parcel_link.c - a link: the new device, which receives, asks; the old one grants; the new one
 * says that it is in. */
#include "e2e/parcel/parcel_int.h"

enum tacit_err tacit_parcel_ask(struct tacit_parcel *p, struct tacit_bytes name)
{
	if (!parcel_may_link(p, TACIT_PARCEL_RECEIVER, STATE_OPEN) || name.n == 0 ||
	        name.n > TACIT_PARCEL_MAX_DEVICE_NAME)
		return TACIT_E_USAGE;
	p->state = STATE_ASKED;
	return tacit_parcel_send_record(p, RECORD_ASK, name);
}

enum tacit_err tacit_parcel_grant(struct tacit_parcel *p, struct tacit_bytes grant)
{
	if (!parcel_may_link(p, TACIT_PARCEL_SENDER, STATE_ASKED) || grant.n == 0)
		return TACIT_E_USAGE;
	p->state = STATE_GRANTED;
	return tacit_parcel_send_record(p, RECORD_GRANT, grant);
}

enum tacit_err tacit_parcel_linked(struct tacit_parcel *p)
{
	if (!parcel_may_link(p, TACIT_PARCEL_RECEIVER, STATE_GRANTED))
		return TACIT_E_USAGE;
	p->state = STATE_OVER;
	return tacit_parcel_send_record(p, RECORD_LINKED, (struct tacit_bytes){0});
}

enum tacit_err tacit_parcel_take_ask(
        struct tacit_parcel *p, struct tacit_bytes body, struct tacit_parcel_event *out)
{
	if (body.n == 0 || body.n > TACIT_PARCEL_MAX_DEVICE_NAME)
		return TACIT_E_MALFORMED;
	p->state = STATE_ASKED;
	out->kind = TACIT_PARCEL_ASKED;
	out->bytes = body;
	return TACIT_OK;
}

enum tacit_err tacit_parcel_take_grant(
        struct tacit_parcel *p, struct tacit_bytes body, struct tacit_parcel_event *out)
{
	if (body.n == 0)
		return TACIT_E_MALFORMED;
	p->state = STATE_GRANTED;
	out->kind = TACIT_PARCEL_GRANTED;
	out->bytes = body;
	return TACIT_OK;
}

enum tacit_err tacit_parcel_take_linked(
        struct tacit_parcel *p, struct tacit_bytes body, struct tacit_parcel_event *out)
{
	if (body.n > 0)
		return TACIT_E_MALFORMED;
	p->state = STATE_OVER;
	out->kind = TACIT_PARCEL_LINKED;
	return TACIT_OK;
}
