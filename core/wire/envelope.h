/* envelope.h - the bytes of one sealed message, as the server stores them. Layout only; the
 * cryptography is in e2e/pairwise. Spec: docs/protocol.md, "The message envelope". */
#ifndef TACIT_WIRE_ENVELOPE_H
#define TACIT_WIRE_ENVELOPE_H

#include "base/buf.h"
#include "crypto/hash.h"
#include "crypto/sign.h"
#include "wire/device.h"
#include "wire/limits.h"

/* The first bytes of every envelope, and thereby of what is signed: the signature's context. */
#define TACIT_ENVELOPE_MAGIC "tacit envelope v1"
/* Everything before the recipients: magic, conversation, sender, device, order, previous. */
#define TACIT_ENVELOPE_HEADER_BYTES (17 + 8 + 32 + TACIT_DEVICE_ID_BYTES + 8 + 32)
#define TACIT_RECIPIENT_TAG_BYTES 16
#define TACIT_RECIPIENT_BYTES (TACIT_RECIPIENT_TAG_BYTES + 32 + 48)

/* One per receiving device: HPKE enc and the sealed message key. The tag stands for (account,
 * device): were it the bare device id, a member could name a device of his like somebody else's. */
struct tacit_recipient {
	uint8_t tag[TACIT_RECIPIENT_TAG_BYTES];
	uint8_t enc[TACIT_HPKE_PUBLIC_BYTES];
	uint8_t sealed_key[32 + 16];
};

struct tacit_envelope {
	uint64_t conversation;                /* the server's id */
	struct tacit_sign_public sender;      /* account key */
	struct tacit_device_id device;        /* the sender's */
	uint64_t order;                       /* 1, 2, 3... per sender device and conversation */
	uint8_t previous[TACIT_SHA256_BYTES]; /* hash of that device's previous envelope here;
	                                         zeroes first */
	const struct tacit_recipient *recipients; /* encode: given, tags ascending; decode: NULL */
	size_t recipient_count;
	struct tacit_bytes recipient_bytes; /* decode: the encoded list; read with _recipient */
	struct tacit_bytes ciphertext;
	struct tacit_signature signature; /* over signed_part */
	struct tacit_bytes signed_part;   /* decode: everything before the signature */
};

/* The tag of a device as a recipient. */
void tacit_envelope_tag(const struct tacit_sign_public *account,
        const struct tacit_device_id *device, uint8_t out[TACIT_RECIPIENT_TAG_BYTES]);
/* The bytes before the recipients, which the seals are bound to. */
void tacit_envelope_header(
        const struct tacit_envelope *e, uint8_t out[TACIT_ENVELOPE_HEADER_BYTES]);

/* Appends everything but the signature; the caller signs what was appended and appends that.
 * Fails: USAGE (what decode would refuse as MALFORMED), TOO_LARGE, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_envelope_encode(
        const struct tacit_envelope *e, struct tacit_buf *out);
/* Views are borrowed from in; out is zeroed on error. MALFORMED is an order of 0, a first message
 * with a previous one, no recipient, tags that are not strictly ascending (which also excludes
 * doubles). Fails: TRUNCATED, TRAILING, TOO_LARGE, MALFORMED, UNSUPPORTED. */
TACIT_MUST_USE enum tacit_err tacit_envelope_decode(
        struct tacit_bytes in, struct tacit_envelope *out);
/* The i-th recipient of a decoded envelope; i < recipient_count. */
void tacit_envelope_recipient(
        const struct tacit_envelope *e, size_t i, struct tacit_recipient *out);
/* The recipient with this tag of a decoded envelope, by halving; false when there is none. */
bool tacit_envelope_find(const struct tacit_envelope *e,
        const uint8_t tag[TACIT_RECIPIENT_TAG_BYTES], struct tacit_recipient *out);

#endif
