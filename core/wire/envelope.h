/* envelope.h - the bytes of one sealed message, as the server stores them. Layout only; the
 * cryptography is in e2e/pairwise. Spec: docs/protocol.md, "The message envelope". */
#ifndef TACIT_WIRE_ENVELOPE_H
#define TACIT_WIRE_ENVELOPE_H

#include "base/buf.h"
#include "crypto/hash.h"
#include "crypto/sign.h"
#include "wire/device.h"
#include "wire/limits.h"

/* One per receiving device: HPKE enc and the sealed message key. */
struct tacit_recipient {
	struct tacit_device_id device;
	uint8_t enc[TACIT_HPKE_PUBLIC_BYTES];
	uint8_t sealed_key[32 + 16];
};

struct tacit_envelope {
	uint64_t conversation;               /* the server's id */
	struct tacit_sign_public sender;     /* account key */
	struct tacit_device_id device;       /* the sender's */
	uint64_t order;                      /* 1, 2, 3... per sender device and conversation */
	uint8_t previous[TACIT_SHA256_BYTES]; /* hash of that device's previous envelope here; zeroes first */
	const struct tacit_recipient *recipients; /* encode: given; decode: see below */
	size_t recipient_count;
	struct tacit_bytes recipient_bytes;  /* decode: the encoded list; read with _recipient */
	struct tacit_bytes ciphertext;
	struct tacit_signature signature;    /* over signed_part */
	struct tacit_bytes signed_part;      /* decode: everything before the signature */
};

/* Appends everything but the signature; the caller signs what was appended and appends that.
 * Fails: TOO_LARGE, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_envelope_encode(const struct tacit_envelope *e, struct tacit_buf *out);
/* Views are borrowed from in. Fails: TRUNCATED, TRAILING, TOO_LARGE, MALFORMED, UNSUPPORTED. */
TACIT_MUST_USE enum tacit_err tacit_envelope_decode(struct tacit_bytes in, struct tacit_envelope *out);
/* The i-th recipient of a decoded envelope; i < recipient_count. */
void tacit_envelope_recipient(const struct tacit_envelope *e, size_t i, struct tacit_recipient *out);

#endif
