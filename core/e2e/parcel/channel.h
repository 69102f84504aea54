/* channel.h - from a short code, or from what an earlier run left, to records that only the two
 * ends can read and write: docs/protocol-transfer.md 15.2, 15.3. No I/O.
 *
 *   meet:    PAKE -> <- PAKE, CONFIRM -> <- CONFIRM: open       one try; then the code is used up
 *   rejoin:  HELLO -> <- HELLO: open                            under the root of an earlier
 * meeting
 *
 * Each connection has keys of its own, one per direction, from the root and fresh randomness of
 * both ends. Records are numbered: what is changed, left out, repeated, moved, or from another
 * connection does not open, and the channel is over. */
#ifndef TACIT_E2E_PARCEL_CHANNEL_H
#define TACIT_E2E_PARCEL_CHANNEL_H

#include "base/buf.h"
#include "crypto/aead.h"
#include "e2e/parcel/code.h"
#include "e2e/spake2.h"

#define TACIT_PARCEL_ROOT_BYTES 32
#define TACIT_PARCEL_RESUME_BYTES 32
#define TACIT_PARCEL_NONCE_BYTES 32
#define TACIT_PARCEL_BINDING_BYTES 32
#define TACIT_PARCEL_RECORD_BYTES (128 * 1024) /* of plaintext, its type not counted */
/* The longest message: kind, type, tag. */
#define TACIT_PARCEL_MAX_MESSAGE (1 + 1 + TACIT_PARCEL_RECORD_BYTES + TACIT_AEAD_TAG_BYTES)

enum tacit_parcel_role { TACIT_PARCEL_SENDER = 0, TACIT_PARCEL_RECEIVER = 1 };
enum tacit_parcel_place { TACIT_PARCEL_OPENER, TACIT_PARCEL_JOINER }; /* who made the code */

/* What the code is for: one of another kind does not open it. */
enum tacit_parcel_purpose { TACIT_PARCEL_TRANSFER = 0, TACIT_PARCEL_LINK = 1 };

enum tacit_channel_state {
	TACIT_CHANNEL_OVER, /* also before it begins */
	TACIT_CHANNEL_PAKE,
	TACIT_CHANNEL_CONFIRM,
	TACIT_CHANNEL_HELLO,
	TACIT_CHANNEL_OPEN,
};

/* Secret: clear with tacit_channel_clear. Empty is {0}. */
struct tacit_channel {
	enum tacit_channel_state state;
	enum tacit_parcel_role role;
	enum tacit_parcel_place place;
	enum tacit_parcel_purpose purpose;
	struct tacit_parcel_code code;
	struct tacit_spake2 run;
	uint8_t nonce[TACIT_PARCEL_NONCE_BYTES]; /* our own of this connection */
	uint8_t root[TACIT_PARCEL_ROOT_BYTES];   /* once open */
	/* Once open: what both ends of this connection have, and of no other. */
	uint8_t binding[TACIT_PARCEL_BINDING_BYTES];
	struct tacit_aead *out, *in;
	uint64_t sent, received; /* records */
};

/* Each appends the message that goes to the peer. After an error the channel is over.
 * Fail: CRYPTO, NOMEM. */
struct tacit_channel_meeting {
	const struct tacit_parcel_code *code;
	enum tacit_parcel_role role;
	enum tacit_parcel_place place;
	enum tacit_parcel_purpose purpose;
};
TACIT_MUST_USE enum tacit_err tacit_channel_meet(struct tacit_channel *c,
        const struct tacit_channel_meeting *m, const struct tacit_env *env, struct tacit_buf *out);
TACIT_MUST_USE enum tacit_err tacit_channel_rejoin(struct tacit_channel *c,
        const uint8_t root[TACIT_PARCEL_ROOT_BYTES], enum tacit_parcel_role role,
        const struct tacit_env *env, struct tacit_buf *out);

/* A message of the peer before the channel is open. An answer, if there is one, is appended.
 * Fails: MALFORMED, UNSUPPORTED (another version), CONFLICT (both want to send, or to receive, or
 * one has the code of a link and the other one transfers), BAD_PASSWORD (the peer has another code,
 * or somebody changed the messages: the code is used up), USAGE, CRYPTO, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_channel_greet(
        struct tacit_channel *c, struct tacit_bytes message, struct tacit_buf *out);

/* A record for the peer, in room for body.n + 18 bytes, in which body may stand at room + 2.
 * Fails: USAGE (not open), TOO_LARGE, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_channel_seal(
        struct tacit_channel *c, uint8_t type, struct tacit_bytes body, uint8_t *room);
/* A record of the peer; room has message.n bytes, and body points into it.
 * Fails: USAGE, MALFORMED (no record), TOO_LARGE, BAD_SEAL. */
TACIT_MUST_USE enum tacit_err tacit_channel_open(struct tacit_channel *c,
        struct tacit_bytes message, uint8_t *room, uint8_t *type, struct tacit_bytes *body);

/* What the relay knows a transfer by that goes on. */
void tacit_channel_resume_id(
        const uint8_t root[TACIT_PARCEL_ROOT_BYTES], uint8_t out[TACIT_PARCEL_RESUME_BYTES]);

void tacit_channel_clear(struct tacit_channel *c);

#endif
