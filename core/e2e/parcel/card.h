/* card.h - who an end of a transfer is, as it tells the other one when both want to keep each
 * other: docs/protocol-transfer.md 15.8. Signed by the account key over what only these two ends of
 * this connection have, so that a card cannot be shown by somebody else, or again. */
#ifndef TACIT_E2E_PARCEL_CARD_H
#define TACIT_E2E_PARCEL_CARD_H

#include "base/buf.h"
#include "crypto/sign.h"
#include "e2e/parcel/channel.h"

#define TACIT_PARCEL_MAX_SERVER 255

/* Views are borrowed. */
struct tacit_parcel_card {
	struct tacit_bytes server;   /* its URL, as its owner has it: printable ASCII */
	struct tacit_bytes username; /* a valid one */
	struct tacit_sign_public key;
};

/* Which end of which connection the card is of. */
struct tacit_parcel_seat {
	enum tacit_parcel_role role;
	const uint8_t *binding; /* TACIT_PARCEL_BINDING_BYTES: tacit_parcel_binding */
};

/* Appended. Fails: USAGE (a server or name that is none), NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_parcel_card_make(const struct tacit_parcel_card *c,
        const struct tacit_parcel_seat *seat, const struct tacit_sign_sk *account_sk,
        struct tacit_buf *out);
/* The card of the other end: seat is the one where it sits. out is {0} on error, else its views
 * point into `in`. Fails: MALFORMED, UNSUPPORTED, TRUNCATED, TRAILING, TOO_LARGE, BAD_SIGNATURE
 * (changed, of another connection or end, or the key is not theirs), NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_parcel_card_open(
        struct tacit_bytes in, const struct tacit_parcel_seat *seat, struct tacit_parcel_card *out);

#endif
