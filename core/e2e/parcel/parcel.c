/* parcel.c - the states of both ends.
 *
 *   both      IDLE --meet, rejoin--> GREETING --peer's last greeting--> OPEN
 *   sender    OPEN --offer--> OFFERED --ANSWER--> ANSWERED --begin--> MOVING --end--> ENDED
 *             ENDED --RECEIPT--> DELIVERED
 *   receiver  OPEN --OFFER, all of it--> OFFERED --answer--> ANSWERED --START--> MOVING
 *             MOVING --END--> ENDED --receipt--> RECEIPTED --DONE--> DELIVERED
 *   both      DELIVERED --keep, card, KEEP, CARD--> DELIVERED
 *   link      sender    OPEN --ASK--> ASKED --grant--> GRANTED --LINKED--> OVER
 *             receiver  OPEN --ask--> ASKED --GRANT--> GRANTED --linked--> OVER
 *   any       --error, STOP, DECLINE--> OVER; --rejoin--> GREETING; --move--> OPEN
 */
#include <string.h>

#include "base/alloc.h"
#include "base/writer.h"
#include "crypto/secret.h"
#include "e2e/parcel/parcel_int.h"

/* --- life ------------------------------------------------------------------------------------ */

enum tacit_err tacit_parcel_hash_anew(struct tacit_parcel *p)
{
	tacit_hasher_free(p->hasher);
	p->hasher = NULL;
	p->done = p->hashed = 0;
	return tacit_hasher_new(TACIT_SHA256, &p->hasher);
}

enum tacit_err tacit_parcel_new(const struct tacit_parcel_options *o, struct tacit_parcel **out)
{
	*out = NULL;
	struct tacit_parcel *p = tacit_calloc(1, sizeof(*p));
	if (p == NULL)
		return TACIT_E_NOMEM;
	p->o = *o;
	enum tacit_err err = tacit_parcel_hash_anew(p);
	if (err == TACIT_OK)
		*out = p;
	else
		tacit_parcel_free(p);
	return err;
}

void tacit_parcel_free(struct tacit_parcel *p)
{
	if (p == NULL)
		return;
	tacit_channel_clear(&p->channel);
	tacit_buf_clear(&p->pieces);
	tacit_parcel_offer_clear(&p->offer);
	tacit_hasher_free(p->hasher);
	tacit_wipe(p, sizeof(*p));
	tacit_free(p);
}

const uint8_t *tacit_parcel_binding(const struct tacit_parcel *p)
{
	TACIT_ASSERT(p->channel.state == TACIT_CHANNEL_OPEN);
	return p->channel.binding;
}

const uint8_t *tacit_parcel_root(const struct tacit_parcel *p)
{
	TACIT_ASSERT(p->rooted);
	return p->root;
}

void tacit_parcel_expect(struct tacit_parcel *p, const uint8_t offer_sha256[TACIT_SHA256_BYTES])
{
	memcpy(p->offer_sha256, offer_sha256, TACIT_SHA256_BYTES);
	p->agreed = true;
}

void tacit_parcel_offer_sha256(const struct tacit_parcel *p, uint8_t out[TACIT_SHA256_BYTES])
{
	memcpy(out, p->offer_sha256, TACIT_SHA256_BYTES);
}

uint64_t tacit_parcel_done(const struct tacit_parcel *p)
{
	return p->done;
}

uint64_t tacit_parcel_hashed(const struct tacit_parcel *p)
{
	return p->hashed;
}

void tacit_parcel_reads_back(struct tacit_parcel *p)
{
	p->reads_back = true;
}

/* --- sending --------------------------------------------------------------------------------- */

/* Of a record with so large a body. */
static uint8_t *place_of(struct tacit_parcel *p, size_t body)
{
	uint8_t *place =
	        p->o.place != NULL ? p->o.place(p->o.ctx, 2 + body + TACIT_AEAD_TAG_BYTES) : NULL;
	return place != NULL ? place : p->out;
}

uint8_t *tacit_parcel_data_place(struct tacit_parcel *p)
{
	return place_of(p, TACIT_PARCEL_RECORD_BYTES) + 2;
}

enum tacit_err tacit_parcel_send_record(
        struct tacit_parcel *p, enum parcel_record type, struct tacit_bytes body)
{
	enum tacit_err err;
	uint8_t *place = place_of(p, body.n);
	TRY(tacit_channel_seal(&p->channel, (uint8_t)type, body, place));
	TRY(p->o.send(p->o.ctx, tacit_bytes(place, 2 + body.n + TACIT_AEAD_TAG_BYTES)));
out:
	return err;
}

enum tacit_err tacit_parcel_send_greeting(
        struct tacit_parcel *p, enum tacit_err made, struct tacit_buf *message)
{
	enum tacit_err err = made;
	if (err == TACIT_OK && message->n > 0)
		err = p->o.send(p->o.ctx, tacit_buf_view(message));
	tacit_buf_clear(message);
	return err;
}

enum tacit_err tacit_parcel_meet(
        struct tacit_parcel *p, const struct tacit_parcel_code *code, enum tacit_parcel_place place)
{
	struct tacit_buf message = {0};
	const struct tacit_channel_meeting m = {code, p->o.role, place, p->o.purpose};
	if (p->state != STATE_IDLE)
		return TACIT_E_USAGE;
	p->state = STATE_GREETING;
	return tacit_parcel_send_greeting(
	        p, tacit_channel_meet(&p->channel, &m, p->o.env, &message), &message);
}

/* What is said once on a connection was not said on this one. */
static void begin_connection(struct tacit_parcel *p)
{
	p->ways_told = p->ways_heard = false;
	p->contact = (struct parcel_contact){0};
}

enum tacit_err tacit_parcel_rejoin(
        struct tacit_parcel *p, const uint8_t root[TACIT_PARCEL_ROOT_BYTES])
{
	struct tacit_buf message = {0};
	memmove(p->root, root, sizeof(p->root));
	p->rooted = true;
	tacit_buf_clear(&p->pieces);
	begin_connection(p);
	p->state = STATE_GREETING;
	return tacit_parcel_send_greeting(p,
	        tacit_channel_rejoin(&p->channel, p->root, p->o.role, p->o.env, &message),
	        &message);
}

enum tacit_err tacit_parcel_move(struct tacit_parcel *p, struct tacit_channel *c)
{
	if (c->state != TACIT_CHANNEL_OPEN || c->role != p->o.role)
		return TACIT_E_USAGE;
	tacit_channel_clear(&p->channel);
	p->channel = *c;
	tacit_wipe(c, sizeof(*c));
	memcpy(p->root, p->channel.root, sizeof(p->root));
	p->rooted = true;
	begin_connection(p);
	tacit_buf_clear(&p->pieces);
	p->state = STATE_OPEN;
	return TACIT_OK;
}

enum tacit_err tacit_parcel_ways(struct tacit_parcel *p, const struct tacit_parcel_ways *ways)
{
	enum tacit_err err;
	struct tacit_buf body = {0};
	if (p->o.purpose != TACIT_PARCEL_TRANSFER || p->state != STATE_OPEN || p->ways_told)
		return TACIT_E_USAGE;
	TRY(tacit_parcel_ways_encode(ways, &body));
	p->ways_told = true;
	TRY(tacit_parcel_send_record(p, RECORD_WAYS, tacit_buf_view(&body)));
out:
	tacit_buf_clear(&body);
	return err;
}

enum tacit_err tacit_parcel_stay(struct tacit_parcel *p)
{
	if (!parcel_may(p, TACIT_PARCEL_SENDER, STATE_OPEN))
		return TACIT_E_USAGE;
	return tacit_parcel_send_record(p, RECORD_STAY, (struct tacit_bytes){0});
}

enum tacit_err tacit_parcel_offer(struct tacit_parcel *p, struct tacit_bytes offer)
{
	enum tacit_err err;
	struct tacit_buf body = {0};
	if (!parcel_may(p, TACIT_PARCEL_SENDER, STATE_OPEN))
		return TACIT_E_USAGE;
	tacit_parcel_offer_clear(&p->offer);
	TRY(tacit_parcel_offer_decode(offer, &p->offer)); /* what the peer would refuse */
	p->total = p->offer.total;
	TRY(tacit_parcel_hash_anew(p));
	for (size_t at = 0; at < offer.n; at += body.n - 4) {
		struct tacit_writer w = tacit_writer(&body);
		body.n = 0;
		w.start = 0;
		tacit_write_u32(&w, (uint32_t)offer.n);
		tacit_write_raw(&w, tacit_bytes_part(offer, at, TACIT_PARCEL_RECORD_BYTES - 4));
		TRY(tacit_writer_finish(&w));
		TRY(tacit_parcel_send_record(p, RECORD_OFFER, tacit_buf_view(&body)));
	}
	p->state = STATE_OFFERED;
out:
	tacit_buf_clear(&body);
	return err;
}

enum tacit_err tacit_parcel_kept(struct tacit_parcel *p, struct tacit_bytes bytes)
{
	enum tacit_err err;
	bool sends = parcel_may(p, TACIT_PARCEL_SENDER, STATE_ANSWERED);
	if (!sends && !parcel_may(p, TACIT_PARCEL_RECEIVER, STATE_OFFERED))
		return TACIT_E_USAGE;
	if (bytes.n > (sends ? p->answer_offset : p->total) - p->hashed)
		return TACIT_E_TRAILING;
	TRY(tacit_hasher_update(p->hasher, bytes));
	p->hashed += bytes.n;
	if (p->done < p->hashed)
		p->done = p->hashed;
out:
	return err;
}

enum tacit_err tacit_parcel_begin(struct tacit_parcel *p, uint64_t *offset)
{
	enum tacit_err err;
	uint8_t digest[TACIT_SHA256_BYTES], body[8];
	*offset = 0;
	if (!parcel_may(p, TACIT_PARCEL_SENDER, STATE_ANSWERED) || p->done != p->answer_offset)
		return TACIT_E_USAGE;
	TRY(tacit_hasher_peek(p->hasher, digest));
	if (!tacit_ct_eq(tacit_bytes(digest, sizeof(digest)),
	            tacit_bytes(p->answer_sha256, sizeof(p->answer_sha256))))
		TRY(tacit_parcel_hash_anew(p));
	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t)(p->done >> (56 - 8 * i));
	TRY(tacit_parcel_send_record(p, RECORD_START, tacit_bytes(body, sizeof(body))));
	*offset = p->done;
	p->state = STATE_MOVING;
out:
	return err;
}

enum tacit_err tacit_parcel_data(struct tacit_parcel *p, struct tacit_bytes bytes)
{
	enum tacit_err err;
	if (!parcel_may(p, TACIT_PARCEL_SENDER, STATE_MOVING) || bytes.n == 0 ||
	        bytes.n > p->total - p->done)
		return TACIT_E_USAGE;
	TRY(tacit_parcel_send_record(p, RECORD_DATA, bytes));
	p->done += bytes.n;
out:
	return err;
}

enum tacit_err tacit_parcel_end(struct tacit_parcel *p)
{
	enum tacit_err err;
	if (!parcel_may(p, TACIT_PARCEL_SENDER, STATE_MOVING) || p->done != p->total)
		return TACIT_E_USAGE;
	TRY(tacit_parcel_send_record(p, RECORD_END, (struct tacit_bytes){0}));
	p->state = STATE_ENDED;
out:
	return err;
}

enum tacit_err tacit_parcel_answer(struct tacit_parcel *p)
{
	enum tacit_err err;
	uint8_t body[8 + TACIT_SHA256_BYTES];
	if (!parcel_may(p, TACIT_PARCEL_RECEIVER, STATE_OFFERED) || p->hashed != p->done)
		return TACIT_E_USAGE;
	for (size_t i = 0; i < 8; i++)
		body[i] = (uint8_t)(p->done >> (56 - 8 * i));
	TRY(tacit_hasher_peek(p->hasher, body + 8));
	TRY(tacit_parcel_send_record(p, RECORD_ANSWER, tacit_bytes(body, sizeof(body))));
	p->state = STATE_ANSWERED;
out:
	return err;
}

enum tacit_err tacit_parcel_decline(struct tacit_parcel *p)
{
	if (!parcel_may(p, TACIT_PARCEL_RECEIVER, STATE_OFFERED))
		return TACIT_E_USAGE;
	p->state = STATE_OVER;
	return tacit_parcel_send_record(p, RECORD_DECLINE, (struct tacit_bytes){0});
}

enum tacit_err tacit_parcel_receipt(struct tacit_parcel *p)
{
	enum tacit_err err;
	if (!parcel_may(p, TACIT_PARCEL_RECEIVER, STATE_ENDED))
		return TACIT_E_USAGE;
	TRY(tacit_parcel_send_record(p, RECORD_RECEIPT, (struct tacit_bytes){0}));
	p->state = STATE_RECEIPTED;
out:
	return err;
}

void tacit_parcel_stop(struct tacit_parcel *p)
{
	tacit_parcel_stop_since(p, TACIT_PARCEL_GAVE_UP);
}

void tacit_parcel_stop_since(struct tacit_parcel *p, enum tacit_parcel_why why)
{
	const uint8_t body = (uint8_t)why;
	if (p->state > STATE_GREETING && p->state < STATE_OVER)
		tacit_ignore(tacit_parcel_send_record(p, RECORD_STOP,
		                     tacit_bytes(&body, why != TACIT_PARCEL_GAVE_UP ? 1 : 0)),
		        "the peer sees the connection end, too");
	p->state = STATE_OVER;
	tacit_channel_clear(&p->channel);
}
