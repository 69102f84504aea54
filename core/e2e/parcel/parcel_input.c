/* parcel_input.c - what the peer sends: what is due, what it must be, and the event that it is. */
#include <string.h>

#include "base/reader.h"
#include "crypto/secret.h"
#include "e2e/parcel/parcel_int.h"

static enum tacit_err agree(struct tacit_parcel *p, struct tacit_bytes offer)
{
	enum tacit_err err;
	uint8_t digest[TACIT_SHA256_BYTES];
	tacit_sha256(offer, digest);
	if (p->agreed && !tacit_bytes_eq(tacit_bytes(digest, sizeof(digest)),
	                         tacit_bytes(p->offer_sha256, sizeof(p->offer_sha256))))
		return TACIT_E_CONFLICT;
	if (p->offer.kind == 0)
		TRY(tacit_parcel_offer_decode(offer, &p->offer));
	p->total = p->offer.total;
	tacit_parcel_expect(p, digest);
	err = TACIT_OK;
out:
	return err;
}

static enum tacit_err take_offer(
        struct tacit_parcel *p, struct tacit_reader *r, struct tacit_parcel_event *out)
{
	enum tacit_err err;
	uint32_t whole = tacit_read_u32(r);
	struct tacit_bytes piece = tacit_read_view(r, r->rest.n);
	TRY(tacit_reader_end(r));
	TRY(whole <= TACIT_PARCEL_MAX_OFFER ? TACIT_OK : TACIT_E_TOO_LARGE);
	TRY(piece.n > 0 && piece.n <= whole - (p->pieces.n < whole ? p->pieces.n : whole)
	                ? TACIT_OK
	                : TACIT_E_MALFORMED);
	TRY(tacit_buf_append(&p->pieces, piece));
	if (p->pieces.n < whole)
		goto out;
	TRY(agree(p, tacit_buf_view(&p->pieces)));
	tacit_buf_clear(&p->pieces);
	p->state = STATE_OFFERED;
	out->kind = TACIT_PARCEL_OFFERED;
	out->offer = &p->offer;
out:
	return err;
}

static enum tacit_err take_answer(
        struct tacit_parcel *p, struct tacit_reader *r, struct tacit_parcel_event *out)
{
	enum tacit_err err;
	p->answer_offset = tacit_read_u64(r);
	tacit_read_into(r, p->answer_sha256, sizeof(p->answer_sha256));
	TRY(tacit_reader_end(r));
	TRY(p->answer_offset <= p->total ? TACIT_OK : TACIT_E_MALFORMED);
	p->state = STATE_ANSWERED;
	out->kind = TACIT_PARCEL_ANSWERED;
	out->offset = p->answer_offset;
out:
	return err;
}

static enum tacit_err take_start(
        struct tacit_parcel *p, struct tacit_reader *r, struct tacit_parcel_event *out)
{
	enum tacit_err err;
	uint64_t offset = tacit_read_u64(r);
	TRY(tacit_reader_end(r));
	TRY(offset == p->done || offset == 0 ? TACIT_OK : TACIT_E_MALFORMED);
	if (offset == 0)
		TRY(tacit_parcel_hash_anew(p));
	p->state = STATE_MOVING;
	out->kind = TACIT_PARCEL_STARTED;
	out->offset = offset;
out:
	return err;
}

static enum tacit_err take_data(
        struct tacit_parcel *p, struct tacit_bytes body, struct tacit_parcel_event *out)
{
	enum tacit_err err;
	TRY(body.n > 0 ? TACIT_OK : TACIT_E_MALFORMED);
	TRY(body.n <= p->total - p->done ? TACIT_OK : TACIT_E_TRAILING);
	if (!p->reads_back) {
		TRY(tacit_hasher_update(p->hasher, body));
		p->hashed += body.n;
	}
	out->kind = TACIT_PARCEL_DATA;
	out->offset = p->done;
	out->bytes = body;
	p->done += body.n;
out:
	return err;
}

/* What came on this connection came in order and unchanged, or the channel had not opened it; what
 * was there before it has the hash that the answer named. */
static enum tacit_err take_end(
        struct tacit_parcel *p, struct tacit_bytes body, struct tacit_parcel_event *out)
{
	if (body.n > 0)
		return TACIT_E_MALFORMED;
	if (p->done != p->total)
		return TACIT_E_TRUNCATED;
	p->state = STATE_ENDED;
	out->kind = TACIT_PARCEL_ENDED;
	return TACIT_OK;
}

static enum tacit_err take_receipt(
        struct tacit_parcel *p, struct tacit_bytes body, struct tacit_parcel_event *out)
{
	if (body.n > 0)
		return TACIT_E_MALFORMED;
	/* The receiver can do without. */
	tacit_ignore(
	        tacit_parcel_send_record(p, RECORD_DONE, (struct tacit_bytes){0}), "a courtesy");
	p->state = STATE_DELIVERED;
	out->kind = TACIT_PARCEL_RECEIVED;
	return TACIT_OK;
}

static enum tacit_err take_decline(
        struct tacit_parcel *p, struct tacit_bytes body, struct tacit_parcel_event *out)
{
	if (body.n > 0)
		return TACIT_E_MALFORMED;
	p->state = STATE_OVER;
	out->kind = TACIT_PARCEL_DECLINED;
	return TACIT_OK;
}

/* A reason that is not known here is none. */
static enum tacit_err take_stop(
        struct tacit_parcel *p, struct tacit_bytes body, struct tacit_parcel_event *out)
{
	if (body.n > 1)
		return TACIT_E_MALFORMED;
	p->state = STATE_OVER;
	out->kind = TACIT_PARCEL_STOPPED;
	out->offset = body.n == 1 && body.p[0] == TACIT_PARCEL_CHANGED ? TACIT_PARCEL_CHANGED
	                                                               : TACIT_PARCEL_GAVE_UP;
	return TACIT_OK;
}

static enum tacit_err take_done(
        struct tacit_parcel *p, struct tacit_bytes body, struct tacit_parcel_event *out)
{
	if (body.n > 0)
		return TACIT_E_MALFORMED;
	p->state = STATE_DELIVERED;
	out->kind = TACIT_PARCEL_DONE;
	return TACIT_OK;
}

/* Once on a connection, and to an end that has not been offered anything yet. */
static enum tacit_err take_ways(
        struct tacit_parcel *p, struct tacit_bytes body, struct tacit_parcel_event *out)
{
	if (p->ways_heard || p->pieces.n > 0)
		return TACIT_E_MALFORMED;
	p->ways_heard = true;
	out->kind = TACIT_PARCEL_WAYS;
	return tacit_parcel_ways_decode(body, &out->ways);
}

static enum tacit_err take_stay(
        struct tacit_parcel *p, struct tacit_bytes body, struct tacit_parcel_event *out)
{
	if (body.n > 0 || p->pieces.n > 0)
		return TACIT_E_MALFORMED;
	out->kind = TACIT_PARCEL_STAY;
	return TACIT_OK;
}

/* When a record may come, and to whom; STOP always. */
static bool is_due(const struct tacit_parcel *p, uint8_t type)
{
	static const struct {
		enum tacit_parcel_role role;
		enum parcel_state state;
		enum tacit_parcel_purpose purpose;
	} due[] = {
	        [RECORD_OFFER] = {TACIT_PARCEL_RECEIVER, STATE_OPEN, TACIT_PARCEL_TRANSFER},
	        [RECORD_ANSWER] = {TACIT_PARCEL_SENDER, STATE_OFFERED, TACIT_PARCEL_TRANSFER},
	        [RECORD_DECLINE] = {TACIT_PARCEL_SENDER, STATE_OFFERED, TACIT_PARCEL_TRANSFER},
	        [RECORD_START] = {TACIT_PARCEL_RECEIVER, STATE_ANSWERED, TACIT_PARCEL_TRANSFER},
	        [RECORD_DATA] = {TACIT_PARCEL_RECEIVER, STATE_MOVING, TACIT_PARCEL_TRANSFER},
	        [RECORD_END] = {TACIT_PARCEL_RECEIVER, STATE_MOVING, TACIT_PARCEL_TRANSFER},
	        [RECORD_RECEIPT] = {TACIT_PARCEL_SENDER, STATE_ENDED, TACIT_PARCEL_TRANSFER},
	        [RECORD_DONE] = {TACIT_PARCEL_RECEIVER, STATE_RECEIPTED, TACIT_PARCEL_TRANSFER},
	        [RECORD_STAY] = {TACIT_PARCEL_RECEIVER, STATE_OPEN, TACIT_PARCEL_TRANSFER},
	        [RECORD_ASK] = {TACIT_PARCEL_SENDER, STATE_OPEN, TACIT_PARCEL_LINK},
	        [RECORD_GRANT] = {TACIT_PARCEL_RECEIVER, STATE_ASKED, TACIT_PARCEL_LINK},
	        [RECORD_LINKED] = {TACIT_PARCEL_SENDER, STATE_GRANTED, TACIT_PARCEL_LINK},
	};
	if (type == RECORD_STOP)
		return true;
	if (type == RECORD_KEEP || type == RECORD_CARD)
		return p->state == STATE_DELIVERED;
	if (type == RECORD_WAYS) /* it may cross with the offer */
		return p->o.purpose == TACIT_PARCEL_TRANSFER &&
		       (p->state == STATE_OPEN ||
		               parcel_may(p, TACIT_PARCEL_SENDER, STATE_OFFERED));
	return type < TACIT_COUNT(due) && due[type].state != STATE_IDLE &&
	       due[type].role == p->o.role && due[type].state == p->state &&
	       due[type].purpose == p->o.purpose;
}

static enum tacit_err take_record(struct tacit_parcel *p, uint8_t type, struct tacit_bytes body,
        struct tacit_parcel_event *out)
{
	struct tacit_reader r = tacit_reader(body);
	if (!is_due(p, type))
		return TACIT_E_MALFORMED;
	switch ((enum parcel_record)type) {
	case RECORD_OFFER:
		return take_offer(p, &r, out);
	case RECORD_ANSWER:
		return take_answer(p, &r, out);
	case RECORD_DECLINE:
		return take_decline(p, body, out);
	case RECORD_START:
		return take_start(p, &r, out);
	case RECORD_DATA:
		return take_data(p, body, out);
	case RECORD_END:
		return take_end(p, body, out);
	case RECORD_RECEIPT:
		return take_receipt(p, body, out);
	case RECORD_DONE:
		return take_done(p, body, out);
	case RECORD_STOP:
		return take_stop(p, body, out);
	case RECORD_WAYS:
		return take_ways(p, body, out);
	case RECORD_STAY:
		return take_stay(p, body, out);
	case RECORD_KEEP:
		return tacit_parcel_take_keep(p, body, out);
	case RECORD_CARD:
		return tacit_parcel_take_card(p, body, out);
	case RECORD_ASK:
		return tacit_parcel_take_ask(p, body, out);
	case RECORD_GRANT:
		return tacit_parcel_take_grant(p, body, out);
	case RECORD_LINKED:
		return tacit_parcel_take_linked(p, body, out);
	}
	return TACIT_E_MALFORMED;
}

static enum tacit_err take_greeting(
        struct tacit_parcel *p, struct tacit_bytes message, struct tacit_parcel_event *out)
{
	enum tacit_err err;
	struct tacit_buf answer = {0};
	TRY(tacit_parcel_send_greeting(
	        p, tacit_channel_greet(&p->channel, message, &answer), &answer));
	if (p->channel.state != TACIT_CHANNEL_OPEN)
		goto out;
	memcpy(p->root, p->channel.root, sizeof(p->root));
	p->rooted = true;
	p->state = STATE_OPEN;
	out->kind = TACIT_PARCEL_OPEN;
out:
	return err;
}

enum tacit_err tacit_parcel_input(
        struct tacit_parcel *p, struct tacit_bytes message, struct tacit_parcel_event *out)
{
	enum tacit_err err;
	uint8_t type;
	struct tacit_bytes body;
	*out = (struct tacit_parcel_event){0};
	if (p->state == STATE_GREETING) {
		TRY(take_greeting(p, message, out));
	} else if (p->state == STATE_IDLE || p->state == STATE_OVER) {
		TRY(TACIT_E_USAGE);
	} else {
		TRY(tacit_channel_open(&p->channel, message, p->in, &type, &body));
		TRY(take_record(p, type, body, out));
	}
out:
	if (err != TACIT_OK) {
		p->state = STATE_OVER;
		tacit_channel_clear(&p->channel);
		*out = (struct tacit_parcel_event){0};
	}
	return err;
}
