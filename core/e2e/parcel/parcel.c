/* parcel.c - the states of both ends.
 *
 *   both      IDLE --meet, rejoin--> GREETING --peer's last greeting--> OPEN
 *   sender    OPEN --offer--> OFFERED --ANSWER--> ANSWERED --begin--> MOVING --end--> ENDED
 *             ENDED --RECEIPT--> OVER
 *   receiver  OPEN --OFFER, all of it--> OFFERED --answer--> ANSWERED --START--> MOVING
 *             MOVING --END--> ENDED --receipt--> RECEIPTED --DONE--> OVER
 *   any       --error, STOP, DECLINE--> OVER; --rejoin--> GREETING; --move--> OPEN
 */
#include "e2e/parcel/parcel.h"

#include <string.h>

#include "base/alloc.h"
#include "base/reader.h"
#include "base/writer.h"
#include "crypto/secret.h"

enum record {
	RECORD_OFFER = 1,   /* u32 of the whole, a piece */
	RECORD_ANSWER = 2,  /* u64 offset, SHA-256 of what is there */
	RECORD_DECLINE = 3, /* empty */
	RECORD_START = 4,   /* u64 offset */
	RECORD_DATA = 5,    /* bytes, at least one */
	RECORD_END = 6,     /* SHA-256 of the whole */
	RECORD_RECEIPT = 7, /* the same */
	RECORD_DONE = 8,    /* empty */
	RECORD_STOP = 9,    /* empty */
	RECORD_WAYS = 10,   /* ways.h */
	RECORD_STAY = 11,   /* empty */
};

enum state {
	STATE_IDLE,
	STATE_GREETING,
	STATE_OPEN,
	STATE_OFFERED,
	STATE_ANSWERED,
	STATE_MOVING,
	STATE_ENDED,
	STATE_RECEIPTED,
	STATE_OVER,
};

struct tacit_parcel {
	struct tacit_parcel_options o;
	enum state state;
	struct tacit_channel channel;
	bool rooted, agreed;        /* root is there; offer_sha256 is */
	bool ways_told, ways_heard; /* on this connection */
	uint8_t root[TACIT_PARCEL_ROOT_BYTES];
	uint8_t offer_sha256[TACIT_SHA256_BYTES];
	struct tacit_buf pieces; /* of an offer that is not whole yet */
	struct tacit_parcel_offer offer;
	uint64_t total, done;
	struct tacit_hasher *hasher; /* of the first `done` bytes */
	uint64_t answer_offset;
	uint8_t answer_sha256[TACIT_SHA256_BYTES];
	uint8_t out[TACIT_PARCEL_MAX_MESSAGE], in[TACIT_PARCEL_MAX_MESSAGE];
};

/* --- life ------------------------------------------------------------------------------------ */

static enum tacit_err hash_anew(struct tacit_parcel *p)
{
	tacit_hasher_free(p->hasher);
	p->hasher = NULL;
	p->done = 0;
	return tacit_hasher_new(TACIT_SHA256, &p->hasher);
}

enum tacit_err tacit_parcel_new(const struct tacit_parcel_options *o, struct tacit_parcel **out)
{
	*out = NULL;
	struct tacit_parcel *p = tacit_calloc(1, sizeof(*p));
	if (p == NULL)
		return TACIT_E_NOMEM;
	p->o = *o;
	enum tacit_err err = hash_anew(p);
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

/* --- sending --------------------------------------------------------------------------------- */

static enum tacit_err send_record(struct tacit_parcel *p, enum record type, struct tacit_bytes body)
{
	enum tacit_err err;
	TRY(tacit_channel_seal(&p->channel, (uint8_t)type, body, p->out));
	TRY(p->o.send(p->o.ctx, tacit_bytes(p->out, 2 + body.n + TACIT_AEAD_TAG_BYTES)));
out:
	return err;
}

static enum tacit_err send_greeting(
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
	const struct tacit_channel_meeting m = {code, p->o.role, place};
	if (p->state != STATE_IDLE)
		return TACIT_E_USAGE;
	p->state = STATE_GREETING;
	return send_greeting(p, tacit_channel_meet(&p->channel, &m, p->o.env, &message), &message);
}

enum tacit_err tacit_parcel_rejoin(
        struct tacit_parcel *p, const uint8_t root[TACIT_PARCEL_ROOT_BYTES])
{
	struct tacit_buf message = {0};
	memmove(p->root, root, sizeof(p->root));
	p->rooted = true;
	tacit_buf_clear(&p->pieces);
	p->ways_told = p->ways_heard = false;
	p->state = STATE_GREETING;
	return send_greeting(p,
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
	p->ways_told = p->ways_heard = false;
	tacit_buf_clear(&p->pieces);
	p->state = STATE_OPEN;
	return TACIT_OK;
}

enum tacit_err tacit_parcel_ways(struct tacit_parcel *p, const struct tacit_parcel_ways *ways)
{
	enum tacit_err err;
	struct tacit_buf body = {0};
	if (p->state != STATE_OPEN || p->ways_told)
		return TACIT_E_USAGE;
	TRY(tacit_parcel_ways_encode(ways, &body));
	p->ways_told = true;
	TRY(send_record(p, RECORD_WAYS, tacit_buf_view(&body)));
out:
	tacit_buf_clear(&body);
	return err;
}

static bool may(const struct tacit_parcel *p, enum tacit_parcel_role role, enum state state)
{
	return p->o.role == role && p->state == state;
}

enum tacit_err tacit_parcel_stay(struct tacit_parcel *p)
{
	if (!may(p, TACIT_PARCEL_SENDER, STATE_OPEN))
		return TACIT_E_USAGE;
	return send_record(p, RECORD_STAY, (struct tacit_bytes){0});
}

enum tacit_err tacit_parcel_offer(struct tacit_parcel *p, struct tacit_bytes offer)
{
	enum tacit_err err;
	struct tacit_buf body = {0};
	if (!may(p, TACIT_PARCEL_SENDER, STATE_OPEN))
		return TACIT_E_USAGE;
	tacit_parcel_offer_clear(&p->offer);
	TRY(tacit_parcel_offer_decode(offer, &p->offer)); /* what the peer would refuse */
	p->total = p->offer.total;
	TRY(hash_anew(p));
	for (size_t at = 0; at < offer.n; at += body.n - 4) {
		struct tacit_writer w = tacit_writer(&body);
		body.n = 0;
		w.start = 0;
		tacit_write_u32(&w, (uint32_t)offer.n);
		tacit_write_raw(&w, tacit_bytes_part(offer, at, TACIT_PARCEL_RECORD_BYTES - 4));
		TRY(tacit_writer_finish(&w));
		TRY(send_record(p, RECORD_OFFER, tacit_buf_view(&body)));
	}
	p->state = STATE_OFFERED;
out:
	tacit_buf_clear(&body);
	return err;
}

enum tacit_err tacit_parcel_kept(struct tacit_parcel *p, struct tacit_bytes bytes)
{
	enum tacit_err err;
	bool sends = may(p, TACIT_PARCEL_SENDER, STATE_ANSWERED);
	if (!sends && !may(p, TACIT_PARCEL_RECEIVER, STATE_OFFERED))
		return TACIT_E_USAGE;
	if (bytes.n > (sends ? p->answer_offset : p->total) - p->done)
		return TACIT_E_TRAILING;
	TRY(tacit_hasher_update(p->hasher, bytes));
	p->done += bytes.n;
out:
	return err;
}

enum tacit_err tacit_parcel_begin(struct tacit_parcel *p, uint64_t *offset)
{
	enum tacit_err err;
	uint8_t digest[TACIT_SHA256_BYTES], body[8];
	*offset = 0;
	if (!may(p, TACIT_PARCEL_SENDER, STATE_ANSWERED) || p->done != p->answer_offset)
		return TACIT_E_USAGE;
	TRY(tacit_hasher_peek(p->hasher, digest));
	if (!tacit_ct_eq(tacit_bytes(digest, sizeof(digest)),
	            tacit_bytes(p->answer_sha256, sizeof(p->answer_sha256))))
		TRY(hash_anew(p));
	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t)(p->done >> (56 - 8 * i));
	TRY(send_record(p, RECORD_START, tacit_bytes(body, sizeof(body))));
	*offset = p->done;
	p->state = STATE_MOVING;
out:
	return err;
}

enum tacit_err tacit_parcel_data(struct tacit_parcel *p, struct tacit_bytes bytes)
{
	enum tacit_err err;
	if (!may(p, TACIT_PARCEL_SENDER, STATE_MOVING) || bytes.n == 0 ||
	        bytes.n > p->total - p->done)
		return TACIT_E_USAGE;
	TRY(tacit_hasher_update(p->hasher, bytes));
	TRY(send_record(p, RECORD_DATA, bytes));
	p->done += bytes.n;
out:
	return err;
}

static enum tacit_err send_digest(struct tacit_parcel *p, enum record type)
{
	enum tacit_err err;
	uint8_t digest[TACIT_SHA256_BYTES];
	TRY(tacit_hasher_peek(p->hasher, digest));
	TRY(send_record(p, type, tacit_bytes(digest, sizeof(digest))));
out:
	return err;
}

enum tacit_err tacit_parcel_end(struct tacit_parcel *p)
{
	enum tacit_err err;
	if (!may(p, TACIT_PARCEL_SENDER, STATE_MOVING) || p->done != p->total)
		return TACIT_E_USAGE;
	TRY(send_digest(p, RECORD_END));
	p->state = STATE_ENDED;
out:
	return err;
}

enum tacit_err tacit_parcel_answer(struct tacit_parcel *p)
{
	enum tacit_err err;
	uint8_t body[8 + TACIT_SHA256_BYTES];
	if (!may(p, TACIT_PARCEL_RECEIVER, STATE_OFFERED))
		return TACIT_E_USAGE;
	for (size_t i = 0; i < 8; i++)
		body[i] = (uint8_t)(p->done >> (56 - 8 * i));
	TRY(tacit_hasher_peek(p->hasher, body + 8));
	TRY(send_record(p, RECORD_ANSWER, tacit_bytes(body, sizeof(body))));
	p->state = STATE_ANSWERED;
out:
	return err;
}

enum tacit_err tacit_parcel_decline(struct tacit_parcel *p)
{
	if (!may(p, TACIT_PARCEL_RECEIVER, STATE_OFFERED))
		return TACIT_E_USAGE;
	p->state = STATE_OVER;
	return send_record(p, RECORD_DECLINE, (struct tacit_bytes){0});
}

enum tacit_err tacit_parcel_receipt(struct tacit_parcel *p)
{
	enum tacit_err err;
	if (!may(p, TACIT_PARCEL_RECEIVER, STATE_ENDED))
		return TACIT_E_USAGE;
	TRY(send_digest(p, RECORD_RECEIPT));
	p->state = STATE_RECEIPTED;
out:
	return err;
}

void tacit_parcel_stop(struct tacit_parcel *p)
{
	if (p->state > STATE_GREETING && p->state < STATE_OVER)
		tacit_ignore(send_record(p, RECORD_STOP, (struct tacit_bytes){0}),
		        "the peer sees the connection end, too");
	p->state = STATE_OVER;
	tacit_channel_clear(&p->channel);
}

/* --- receiving ------------------------------------------------------------------------------- */

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
		TRY(hash_anew(p));
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
	TRY(tacit_hasher_update(p->hasher, body));
	out->kind = TACIT_PARCEL_DATA;
	out->offset = p->done;
	out->bytes = body;
	p->done += body.n;
out:
	return err;
}

/* The digest that the peer names must be ours. */
static enum tacit_err same_digest(struct tacit_parcel *p, struct tacit_reader *r)
{
	enum tacit_err err;
	uint8_t digest[TACIT_SHA256_BYTES];
	struct tacit_bytes theirs = tacit_read_view(r, sizeof(digest));
	TRY(tacit_reader_end(r));
	TRY(p->done == p->total ? TACIT_OK : TACIT_E_TRUNCATED);
	TRY(tacit_hasher_peek(p->hasher, digest));
	TRY(tacit_ct_eq(tacit_bytes(digest, sizeof(digest)), theirs) ? TACIT_OK : TACIT_E_BAD_SEAL);
out:
	return err;
}

static enum tacit_err take_end(
        struct tacit_parcel *p, struct tacit_reader *r, struct tacit_parcel_event *out)
{
	enum tacit_err err;
	TRY(same_digest(p, r));
	p->state = STATE_ENDED;
	out->kind = TACIT_PARCEL_ENDED;
out:
	return err;
}

static enum tacit_err take_receipt(
        struct tacit_parcel *p, struct tacit_reader *r, struct tacit_parcel_event *out)
{
	enum tacit_err err;
	TRY(same_digest(p, r));
	/* The receiver can do without. */
	tacit_ignore(send_record(p, RECORD_DONE, (struct tacit_bytes){0}), "a courtesy");
	p->state = STATE_OVER;
	out->kind = TACIT_PARCEL_RECEIVED;
out:
	return err;
}

static enum tacit_err take_last(struct tacit_parcel *p, struct tacit_bytes body,
        enum tacit_parcel_event_kind kind, struct tacit_parcel_event *out)
{
	if (body.n > 0)
		return TACIT_E_MALFORMED;
	p->state = STATE_OVER;
	out->kind = kind;
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
		enum state state;
	} due[] = {
	        [RECORD_OFFER] = {TACIT_PARCEL_RECEIVER, STATE_OPEN},
	        [RECORD_ANSWER] = {TACIT_PARCEL_SENDER, STATE_OFFERED},
	        [RECORD_DECLINE] = {TACIT_PARCEL_SENDER, STATE_OFFERED},
	        [RECORD_START] = {TACIT_PARCEL_RECEIVER, STATE_ANSWERED},
	        [RECORD_DATA] = {TACIT_PARCEL_RECEIVER, STATE_MOVING},
	        [RECORD_END] = {TACIT_PARCEL_RECEIVER, STATE_MOVING},
	        [RECORD_RECEIPT] = {TACIT_PARCEL_SENDER, STATE_ENDED},
	        [RECORD_DONE] = {TACIT_PARCEL_RECEIVER, STATE_RECEIPTED},
	        [RECORD_STAY] = {TACIT_PARCEL_RECEIVER, STATE_OPEN},
	};
	if (type == RECORD_STOP)
		return true;
	if (type == RECORD_WAYS) /* it may cross with the offer */
		return p->state == STATE_OPEN || may(p, TACIT_PARCEL_SENDER, STATE_OFFERED);
	return type < TACIT_COUNT(due) && due[type].state != STATE_IDLE &&
	       may(p, due[type].role, due[type].state);
}

static enum tacit_err take_record(struct tacit_parcel *p, uint8_t type, struct tacit_bytes body,
        struct tacit_parcel_event *out)
{
	struct tacit_reader r = tacit_reader(body);
	if (!is_due(p, type))
		return TACIT_E_MALFORMED;
	switch ((enum record)type) {
	case RECORD_OFFER:
		return take_offer(p, &r, out);
	case RECORD_ANSWER:
		return take_answer(p, &r, out);
	case RECORD_DECLINE:
		return take_last(p, body, TACIT_PARCEL_DECLINED, out);
	case RECORD_START:
		return take_start(p, &r, out);
	case RECORD_DATA:
		return take_data(p, body, out);
	case RECORD_END:
		return take_end(p, &r, out);
	case RECORD_RECEIPT:
		return take_receipt(p, &r, out);
	case RECORD_DONE:
		return take_last(p, body, TACIT_PARCEL_DONE, out);
	case RECORD_STOP:
		return take_last(p, body, TACIT_PARCEL_STOPPED, out);
	case RECORD_WAYS:
		return take_ways(p, body, out);
	case RECORD_STAY:
		return take_stay(p, body, out);
	}
	return TACIT_E_MALFORMED;
}

static enum tacit_err take_greeting(
        struct tacit_parcel *p, struct tacit_bytes message, struct tacit_parcel_event *out)
{
	enum tacit_err err;
	struct tacit_buf answer = {0};
	TRY(send_greeting(p, tacit_channel_greet(&p->channel, message, &answer), &answer));
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
