/* parcel.h - one end of a transfer between two devices without accounts:
 * docs/protocol-transfer.md 15. No I/O: messages of the peer come in by tacit_parcel_input,
 * messages for it leave by send().
 *
 *   sender                                  receiver
 *     meet or rejoin <-------------------->   meet or rejoin               event OPEN
 *     (ways          <------WAYS---------->   ways                         event WAYS)
 *     (stay          --STAY--------------->                                event STAY)
 *     offer          --OFFER...----------->   (asks the person)            event OFFERED
 *                    <--ANSWER, offset-----   kept..., answer              event ANSWERED
 *     kept..., begin --START, offset------>                                event STARTED
 *     data...        --DATA...------------>   (writes)                     event DATA
 *     end            --END---------------->   (makes it durable)           event ENDED
 *                    <--RECEIPT------------   receipt                      event RECEIVED
 *                    --DONE--------------->                                event DONE
 *     (keep          <------KEEP---------->   keep)                        event KEEP
 *     (card          <------CARD---------->   card)                        event CARD
 *
 * A link, which has a code of its own kind, hands an account over to a new device (15.9):
 *
 *   sender: has the account                 receiver: the new device
 *     meet           <-------------------->   meet                         event OPEN
 *     (asks)         <--ASK----------------   ask                          event ASKED
 *     grant          --GRANT-------------->   (logs in)                    event GRANTED
 *                    <--LINKED-------------   linked                       event LINKED
 *
 * When the connection is lost, both rejoin, and go through the same steps; what the receiver has is
 * not sent again. An offer that is not the one of before is refused. After an error of input the
 * connection is of no use any more; who knows the error to be the network's may rejoin. */
#ifndef TACIT_E2E_PARCEL_PARCEL_H
#define TACIT_E2E_PARCEL_PARCEL_H

#include "crypto/hash.h"
#include "e2e/parcel/channel.h"
#include "e2e/parcel/offer.h"
#include "e2e/parcel/ways.h"

enum tacit_parcel_event_kind {
	TACIT_PARCEL_NOTHING,
	TACIT_PARCEL_OPEN,     /* the peer is who has the code; root may be kept */
	TACIT_PARCEL_WAYS,     /* ways: where the peer can be reached directly */
	TACIT_PARCEL_STAY,     /* the sender goes on with this connection */
	TACIT_PARCEL_OFFERED,  /* offer */
	TACIT_PARCEL_ANSWERED, /* offset: what the peer has */
	TACIT_PARCEL_DECLINED,
	TACIT_PARCEL_STARTED, /* offset: where data goes on; 0 when what is there is of no use */
	TACIT_PARCEL_DATA,    /* bytes; offset: where they belong */
	TACIT_PARCEL_ENDED,   /* all of it has come, and is what the sender read */
	TACIT_PARCEL_RECEIVED,
	TACIT_PARCEL_DONE,
	TACIT_PARCEL_STOPPED, /* the peer gives up; offset: why, as far as it says */
	TACIT_PARCEL_KEEP,    /* the peer wants to keep us; offset: 1, and has an account to show */
	TACIT_PARCEL_CARD,    /* bytes: not proven yet, see card.h */
	TACIT_PARCEL_ASKED,   /* bytes: what the new device calls itself; sanitise */
	TACIT_PARCEL_GRANTED, /* bytes: secret, see grant.h */
	TACIT_PARCEL_LINKED,
};

enum tacit_parcel_why {
	TACIT_PARCEL_GAVE_UP = 0,
	TACIT_PARCEL_CHANGED = 1, /* the sender: what it reads is not what it offered any more */
};

struct tacit_parcel_event {
	enum tacit_parcel_event_kind kind;
	uint64_t offset;
	struct tacit_bytes bytes;               /* until the next call */
	const struct tacit_parcel_offer *offer; /* as long as the parcel */
	struct tacit_parcel_ways ways;
};

struct tacit_parcel;

/* send: takes a message for the peer; what it fails with is what the call fails with. */
struct tacit_parcel_options {
	enum tacit_parcel_role role;
	const struct tacit_env *env; /* borrowed */
	enum tacit_err (*send)(void *ctx, struct tacit_bytes message);
	/* NULL, or where a record of n bytes is best made, for send to find it there: the same
	 * place until then, also for a shorter one. NULL is answered where there is none. */
	uint8_t *(*place)(void *ctx, size_t n);
	void *ctx;
	enum tacit_parcel_purpose purpose;
};

/* Fails: NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_parcel_new(
        const struct tacit_parcel_options *o, struct tacit_parcel **out);
void tacit_parcel_free(struct tacit_parcel *p); /* wipes; NULL is fine */

/* The connection has been made. Fail: CRYPTO, NOMEM, what send fails with. */
TACIT_MUST_USE enum tacit_err tacit_parcel_meet(struct tacit_parcel *p,
        const struct tacit_parcel_code *code, enum tacit_parcel_place place);
TACIT_MUST_USE enum tacit_err tacit_parcel_rejoin(
        struct tacit_parcel *p, const uint8_t root[TACIT_PARCEL_ROOT_BYTES]);
/* Either, once, when it is open and before the offer: an end that tells none is not reached
 * directly. Fails: USAGE, and as send. */
TACIT_MUST_USE enum tacit_err tacit_parcel_ways(
        struct tacit_parcel *p, const struct tacit_parcel_ways *ways);
/* The sender: the connection is this one, whatever ways there are. Fails: USAGE, and as send. */
TACIT_MUST_USE enum tacit_err tacit_parcel_stay(struct tacit_parcel *p);
/* Another connection to the same peer is the way from now on: it is OPEN, as after a rejoin.
 * Takes what is in c, which is {0} then. Fails: USAGE (c is not open, or of another role). */
TACIT_MUST_USE enum tacit_err tacit_parcel_move(struct tacit_parcel *p, struct tacit_channel *c);
/* What a card of this connection is bound to. Only after OPEN. */
const uint8_t *tacit_parcel_binding(const struct tacit_parcel *p);
/* Secret; for rejoining. Only after OPEN. */
const uint8_t *tacit_parcel_root(const struct tacit_parcel *p);
/* What was agreed before, by an earlier process: another offer is refused. */
void tacit_parcel_expect(struct tacit_parcel *p, const uint8_t offer_sha256[TACIT_SHA256_BYTES]);
void tacit_parcel_offer_sha256(const struct tacit_parcel *p, uint8_t out[TACIT_SHA256_BYTES]);

/* A message of the peer. Fails: as tacit_channel_greet, BAD_SEAL (changed on the way, or not all of
 * it came), MALFORMED (a step out of turn, or a body that is none), CONFLICT (another offer than
 * before), TRAILING (more than was offered), TRUNCATED (less), and as tacit_parcel_offer_decode. */
TACIT_MUST_USE enum tacit_err tacit_parcel_input(
        struct tacit_parcel *p, struct tacit_bytes message, struct tacit_parcel_event *out);

/* --- the sender; in the order of the picture, else USAGE --- */
TACIT_MUST_USE enum tacit_err tacit_parcel_offer(struct tacit_parcel *p, struct tacit_bytes offer);
/* Either: what is on this disk already, from tacit_parcel_hashed() on. The sender gives as much as
 * the answer says, so that both ends know to mean the same bytes. Fails: USAGE, TRAILING, CRYPTO.
 */
TACIT_MUST_USE enum tacit_err tacit_parcel_kept(struct tacit_parcel *p, struct tacit_bytes bytes);
/* *offset: where to read on: what the peer has, or 0 when it has something else. */
TACIT_MUST_USE enum tacit_err tacit_parcel_begin(struct tacit_parcel *p, uint64_t *offset);
/* At most TACIT_PARCEL_RECORD_BYTES; from tacit_parcel_data_place they are not copied. */
TACIT_MUST_USE enum tacit_err tacit_parcel_data(struct tacit_parcel *p, struct tacit_bytes bytes);
/* Where so many bytes may be put for the next call of tacit_parcel_data, which seals them there. */
uint8_t *tacit_parcel_data_place(struct tacit_parcel *p);
TACIT_MUST_USE enum tacit_err tacit_parcel_end(struct tacit_parcel *p);

/* --- the receiver --- */
/* Once OFFERED: it can read again what it has written, and will before it answers on the next
 * connection (kept); else all is hashed as it comes, which on fast ways is a fifth of the work. */
void tacit_parcel_reads_back(struct tacit_parcel *p);
TACIT_MUST_USE enum tacit_err tacit_parcel_answer(struct tacit_parcel *p);
TACIT_MUST_USE enum tacit_err tacit_parcel_decline(struct tacit_parcel *p);
TACIT_MUST_USE enum tacit_err tacit_parcel_receipt(struct tacit_parcel *p);

/* --- either, after RECEIVED or DONE: contacts --- */
/* Once: we want to keep who is there; willing: and have a card to show. An end that does not want
 * to leaves. Fails: USAGE, and as send. */
TACIT_MUST_USE enum tacit_err tacit_parcel_keep(struct tacit_parcel *p, bool willing);
/* Once, when both are willing. Fails: USAGE, TOO_LARGE, and as send. */
TACIT_MUST_USE enum tacit_err tacit_parcel_card(struct tacit_parcel *p, struct tacit_bytes card);

/* --- a link; in the order of the picture, else USAGE --- */
#define TACIT_PARCEL_MAX_DEVICE_NAME 64
TACIT_MUST_USE enum tacit_err tacit_parcel_ask(struct tacit_parcel *p, struct tacit_bytes name);
TACIT_MUST_USE enum tacit_err tacit_parcel_grant(struct tacit_parcel *p, struct tacit_bytes grant);
TACIT_MUST_USE enum tacit_err tacit_parcel_linked(struct tacit_parcel *p);

/* Either: gives up, and says so where that is possible; for no special reason, or why. */
void tacit_parcel_stop(struct tacit_parcel *p);
void tacit_parcel_stop_since(struct tacit_parcel *p, enum tacit_parcel_why why);
/* Bytes of the content that were sent, or that have come. */
uint64_t tacit_parcel_done(const struct tacit_parcel *p);
/* Where kept() goes on. */
uint64_t tacit_parcel_hashed(const struct tacit_parcel *p);

#endif
