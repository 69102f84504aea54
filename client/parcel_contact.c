/* parcel_contact.c
 *
 *   KEEP -> <- KEEP    somebody who does not ask leaves, and we hear that
 *   CARD -> <- CARD    when both can show one */
#include "client/parcel_contact.h"

#include <string.h>

#include "client/parcel_run.h"

#define HEAR_MS 30000 /* both are there: nobody is asked anything before */

static enum tacit_err hear(
        struct parcel_run *r, enum tacit_parcel_event_kind kind, struct tacit_parcel_event *out)
{
	enum tacit_err err;
	TRY(parcel_run_hear(r, HEAR_MS, out));
	TRY(out->kind == kind ? TACIT_OK : TACIT_E_MALFORMED);
out:
	return err;
}

static enum tacit_err show_card(struct parcel_run *r)
{
	enum tacit_err err;
	struct tacit_buf card = {0};
	const struct tacit_parcel_seat own = {r->role, tacit_parcel_binding(r->parcel)};
	TRY(r->o->contact->card(r->o->ctx, &own, &card));
	TRY(tacit_parcel_card(r->parcel, tacit_buf_view(&card)));
out:
	tacit_buf_clear(&card);
	return err;
}

static enum tacit_err read_card(struct parcel_run *r, struct tacit_bytes bytes)
{
	enum tacit_err err;
	struct tacit_parcel_card card;
	struct parcel_other *to = &r->result->contact;
	const struct tacit_parcel_seat theirs = {
	        r->role == TACIT_PARCEL_SENDER ? TACIT_PARCEL_RECEIVER : TACIT_PARCEL_SENDER,
	        tacit_parcel_binding(r->parcel)};
	TRY(tacit_parcel_card_open(bytes, &theirs, &card));
	memcpy(to->server, card.server.p, card.server.n);
	memcpy(to->username, card.username.p, card.username.n);
	to->key = card.key;
out:
	return err;
}

static enum tacit_err exchange(struct parcel_run *r, bool willing)
{
	enum tacit_err err;
	struct tacit_parcel_event ev;
	struct parcel_other *to = &r->result->contact;
	TRY(tacit_parcel_keep(r->parcel, willing));
	TRY(hear(r, TACIT_PARCEL_KEEP, &ev));
	if (ev.offset == 0 || !willing) {
		to->state = willing ? PARCEL_OTHER_HAS_NONE : PARCEL_OTHER_WAITS;
		goto out;
	}
	TRY(show_card(r));
	TRY(hear(r, TACIT_PARCEL_CARD, &ev));
	TRY(read_card(r, ev.bytes));
	to->state = PARCEL_OTHER_SHOWN;
out:
	return err;
}

void parcel_contact_exchange(struct parcel_run *r)
{
	struct parcel_other *to = &r->result->contact;
	if (r->o->contact == NULL)
		return;
	to->state = PARCEL_OTHER_SILENT;
	enum tacit_err err = exchange(r, r->o->contact->card != NULL);
	/* USAGE: the transfer's last word has not come, so this is no time for it. */
	if (err != TACIT_OK && err != TACIT_E_GONE && err != TACIT_E_NETWORK &&
	        err != TACIT_E_CANCELLED && err != TACIT_E_USAGE)
		to->state = PARCEL_OTHER_FALSE;
}
