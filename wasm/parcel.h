/* parcel.h - what parcel.wasm exports beside room.c: one end of a transfer without accounts, from
 * the relay's messages to what happened (e2e/parcel/parcel.h, wire/relay.h). It tells the other end
 * no way to itself: a browser has only the relay.
 *
 * Calls, answers and errors are as in abi.h. The answer to a call that ends with an *event*:
 *
 *   u32 count, bytes each: messages for the relay, to be sent in this order
 *   u8 event, and
 *     OFFERED   u8 enum tacit_parcel_kind, u64 total, u32 count, each: u8 is a folder, u64 size,
 *               u64 modified (Unix), text path
 *     ANSWERED, STARTED, BEGUN: u64 offset
 *     STOPPED   u64 enum tacit_parcel_why
 *     DATA      u64 offset, bytes
 *     CODE      text: to be told to the other person; secret from everybody else
 *     ENDED     u8 enum tacit_relay_end
 *
 * Behind an error the parcel is fit for parcel_free and parcel_query only. */
#ifndef TACIT_WASM_PARCEL_H
#define TACIT_WASM_PARCEL_H

#include "base/writer.h"
#include "e2e/parcel/offer.h"
#include "wasm/abi.h"

/* Beside those of enum tacit_parcel_event_kind. */
enum {
	TACIT_WASM_CODE = 64,   /* there is a nameplate */
	TACIT_WASM_ENDED = 65,  /* the relay closes the connection */
	TACIT_WASM_WRONG = 66,  /* the other end has another code: it is used up */
	TACIT_WASM_BEGUN = 67,  /* parcel_begin */
	TACIT_WASM_PAIRED = 68, /* somebody is there */
};

struct tacit_wasm_parcel;

/* role: 0 sends, 1 receives. The answer: the handle, u32. */
TACIT_EXPORT("parcel_new") enum tacit_err tacit_wasm_parcel_new(unsigned role);
TACIT_EXPORT("parcel_free") void tacit_wasm_parcel_free(struct tacit_wasm_parcel *p); /* wipes */
/* The other end has made the code; without this, this one will. Fails: MALFORMED, BAD_NAME. */
TACIT_EXPORT("parcel_join")
enum tacit_err tacit_wasm_parcel_join(struct tacit_wasm_parcel *p, const uint8_t *code, size_t n);
/* A connection to the relay is about to be made. The answer: its query, a text without a length. */
TACIT_EXPORT("parcel_query") enum tacit_err tacit_wasm_parcel_query(struct tacit_wasm_parcel *p);

/* --- with an event; the errors are those of e2e/parcel/parcel.h and wire/relay.h --- */

/* A message of the relay. */
TACIT_EXPORT("parcel_take")
enum tacit_err tacit_wasm_parcel_take(
        struct tacit_wasm_parcel *p, const uint8_t *message, size_t n);
/* offer: in the form of docs/protocol-transfer.md 15.4. */
TACIT_EXPORT("parcel_offer")
enum tacit_err tacit_wasm_parcel_offer(struct tacit_wasm_parcel *p, const uint8_t *offer, size_t n);
TACIT_EXPORT("parcel_kept")
enum tacit_err tacit_wasm_parcel_kept(struct tacit_wasm_parcel *p, const uint8_t *bytes, size_t n);
TACIT_EXPORT("parcel_begin") enum tacit_err tacit_wasm_parcel_begin(struct tacit_wasm_parcel *p);
TACIT_EXPORT("parcel_data")
enum tacit_err tacit_wasm_parcel_data(struct tacit_wasm_parcel *p, const uint8_t *bytes, size_t n);
TACIT_EXPORT("parcel_end") enum tacit_err tacit_wasm_parcel_end(struct tacit_wasm_parcel *p);
TACIT_EXPORT("parcel_answer") enum tacit_err tacit_wasm_parcel_answer(struct tacit_wasm_parcel *p);
TACIT_EXPORT("parcel_decline")
enum tacit_err tacit_wasm_parcel_decline(struct tacit_wasm_parcel *p);
TACIT_EXPORT("parcel_receipt")
enum tacit_err tacit_wasm_parcel_receipt(struct tacit_wasm_parcel *p);
/* why: enum tacit_parcel_why. */
TACIT_EXPORT("parcel_stop")
enum tacit_err tacit_wasm_parcel_stop(struct tacit_wasm_parcel *p, unsigned why);

/* For stored.c: an offer as above. */
void tacit_wasm_write_offer(struct tacit_writer *w, const struct tacit_parcel_offer *o);

/* --- without one --- */

/* Would a receiver take this offer? Fails: as tacit_parcel_offer_decode. */
TACIT_EXPORT("offer_check") enum tacit_err tacit_wasm_offer_check(const uint8_t *offer, size_t n);

/* How what was typed of a code may go on. The answer: u32 count, texts. */
TACIT_EXPORT("code_complete")
enum tacit_err tacit_wasm_code_complete(const uint8_t *typed, size_t n);

#endif
