/* parcel_contact.c - after the files: whether both want to keep each other, then who they are.
 * Nobody shows a card to an end that has not said that it would show one, too. */
#include "e2e/parcel/parcel_int.h"

enum tacit_err tacit_parcel_keep(struct tacit_parcel *p, bool willing)
{
	const uint8_t body = willing;
	if (p->state != STATE_DELIVERED || p->contact.keep_told)
		return TACIT_E_USAGE;
	p->contact.keep_told = true;
	p->contact.willing = willing;
	return tacit_parcel_send_record(p, RECORD_KEEP, tacit_bytes(&body, 1));
}

enum tacit_err tacit_parcel_card(struct tacit_parcel *p, struct tacit_bytes card)
{
	struct parcel_contact *c = &p->contact;
	if (p->state != STATE_DELIVERED || !c->willing || !c->other_willing || c->card_told)
		return TACIT_E_USAGE;
	c->card_told = true;
	return tacit_parcel_send_record(p, RECORD_CARD, card);
}

enum tacit_err tacit_parcel_take_keep(
        struct tacit_parcel *p, struct tacit_bytes body, struct tacit_parcel_event *out)
{
	if (p->contact.keep_heard || body.n != 1 || body.p[0] > 1)
		return TACIT_E_MALFORMED;
	p->contact.keep_heard = true;
	p->contact.other_willing = body.p[0] == 1;
	out->kind = TACIT_PARCEL_KEEP;
	out->offset = body.p[0];
	return TACIT_OK;
}

/* Before ours was told it cannot be there: ours says that we are willing. */
enum tacit_err tacit_parcel_take_card(
        struct tacit_parcel *p, struct tacit_bytes body, struct tacit_parcel_event *out)
{
	struct parcel_contact *c = &p->contact;
	if (!c->willing || !c->other_willing || c->card_heard || body.n == 0)
		return TACIT_E_MALFORMED;
	c->card_heard = true;
	out->kind = TACIT_PARCEL_CARD;
	out->bytes = body;
	return TACIT_OK;
}
