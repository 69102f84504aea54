/* parcel_int.h - what the files of a parcel share: its records, its states, and how one is sent.
 * Who takes which record when is in parcel_input.c. */
#ifndef TACIT_E2E_PARCEL_PARCEL_INT_H
#define TACIT_E2E_PARCEL_PARCEL_INT_H

#include "e2e/parcel/parcel.h"

enum parcel_record {
	RECORD_OFFER = 1,   /* u32 of the whole, a piece */
	RECORD_ANSWER = 2,  /* u64 offset, SHA-256 of what is there */
	RECORD_DECLINE = 3, /* empty */
	RECORD_START = 4,   /* u64 offset */
	RECORD_DATA = 5,    /* bytes, at least one */
	RECORD_END = 6,     /* empty */
	RECORD_RECEIPT = 7, /* empty */
	RECORD_DONE = 8,    /* empty */
	RECORD_STOP = 9,    /* empty, or u8: enum tacit_parcel_why */
	RECORD_WAYS = 10,   /* ways.h */
	RECORD_STAY = 11,   /* empty */
	RECORD_KEEP =
	        12, /* u8: 1, an account key can be shown; 0, it would be, if there were one */
	RECORD_CARD = 13,   /* card.h */
	RECORD_ASK = 14,    /* what the new device is called: at most 64 bytes */
	RECORD_GRANT = 15,  /* grant.h */
	RECORD_LINKED = 16, /* empty */
};

enum parcel_state {
	STATE_IDLE,
	STATE_GREETING,
	STATE_OPEN,
	STATE_OFFERED,
	STATE_ANSWERED,
	STATE_MOVING,
	STATE_ENDED,
	STATE_RECEIPTED,
	STATE_ASKED,   /* of a link */
	STATE_GRANTED, /* of a link */
	STATE_OVER,
	STATE_DELIVERED, /* the files are; contacts may follow */
};

/* What was said about keeping each other, once each. */
struct parcel_contact {
	bool keep_told, keep_heard, card_told, card_heard;
	bool willing, other_willing; /* to show a card */
};

struct tacit_parcel {
	struct tacit_parcel_options o;
	enum parcel_state state;
	struct tacit_channel channel;
	bool rooted, agreed;        /* root is there; offer_sha256 is */
	bool ways_told, ways_heard; /* on this connection */
	struct parcel_contact contact;
	uint8_t root[TACIT_PARCEL_ROOT_BYTES];
	uint8_t offer_sha256[TACIT_SHA256_BYTES];
	struct tacit_buf pieces; /* of an offer that is not whole yet */
	struct tacit_parcel_offer offer;
	uint64_t total, done;
	bool reads_back;
	struct tacit_hasher *hasher; /* of the first `hashed` bytes */
	uint64_t hashed;
	uint64_t answer_offset;
	uint8_t answer_sha256[TACIT_SHA256_BYTES];
	uint8_t out[TACIT_PARCEL_MAX_MESSAGE], in[TACIT_PARCEL_MAX_MESSAGE];
};

/* In this purpose, role and state. */
static inline bool parcel_may(
        const struct tacit_parcel *p, enum tacit_parcel_role role, enum parcel_state state)
{
	return p->o.purpose == TACIT_PARCEL_TRANSFER && p->o.role == role && p->state == state;
}
static inline bool parcel_may_link(
        const struct tacit_parcel *p, enum tacit_parcel_role role, enum parcel_state state)
{
	return p->o.purpose == TACIT_PARCEL_LINK && p->o.role == role && p->state == state;
}

TACIT_MUST_USE enum tacit_err tacit_parcel_send_record(
        struct tacit_parcel *p, enum parcel_record type, struct tacit_bytes body);
/* made: how the making of message went; it is cleared. */
TACIT_MUST_USE enum tacit_err tacit_parcel_send_greeting(
        struct tacit_parcel *p, enum tacit_err made, struct tacit_buf *message);
TACIT_MUST_USE enum tacit_err tacit_parcel_hash_anew(struct tacit_parcel *p);

/* parcel_contact.c, parcel_link.c: records that are due. Fail: MALFORMED. */
TACIT_MUST_USE enum tacit_err tacit_parcel_take_keep(
        struct tacit_parcel *p, struct tacit_bytes body, struct tacit_parcel_event *out);
TACIT_MUST_USE enum tacit_err tacit_parcel_take_card(
        struct tacit_parcel *p, struct tacit_bytes body, struct tacit_parcel_event *out);
TACIT_MUST_USE enum tacit_err tacit_parcel_take_ask(
        struct tacit_parcel *p, struct tacit_bytes body, struct tacit_parcel_event *out);
TACIT_MUST_USE enum tacit_err tacit_parcel_take_grant(
        struct tacit_parcel *p, struct tacit_bytes body, struct tacit_parcel_event *out);
TACIT_MUST_USE enum tacit_err tacit_parcel_take_linked(
        struct tacit_parcel *p, struct tacit_bytes body, struct tacit_parcel_event *out);

#endif
