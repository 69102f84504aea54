/* meeting.h - two parties that share a password and a verification code become sure of each other,
 * and get a key: SPAKE2 through e2e/parcel/channel.h, under a code that is derived from both. No
 * I/O. */
#ifndef TACIT_AGENT_MEETING_H
#define TACIT_AGENT_MEETING_H

#include "e2e/parcel/channel.h"

#define MEETING_CODE_DIGITS 6
#define MEETING_TRIES 3 /* wrong guesses that end a session */
#define MEETING_RELAY_ID_BYTES 32

/* Secret: clear with meeting_clear. Empty is {0}. */
struct meeting {
	struct tacit_channel channel;
	struct tacit_buf first; /* our first message */
};
void meeting_clear(struct meeting *m);

/* Six digits, uniform. */
void meeting_make_code(const struct tacit_env *env, char out[MEETING_CODE_DIGITS + 1]);
/* What both must know, bound to the session. Secret: wipe with tacit_wipe. */
struct meeting_secret {
	struct tacit_bytes session, password, verification_code;
};
void meeting_derive(const struct meeting_secret *s, struct tacit_parcel_code *out);
/* In the place of a nameplate that a relay gives: from the session's id, or a later one. */
uint32_t meeting_nameplate(struct tacit_bytes id);
/* Where the relay lets the two meet: from the session's id, which it does not learn. */
void meeting_relay_id(struct tacit_bytes session, uint8_t out[MEETING_RELAY_ID_BYTES]);

/* A fresh run: it serves one try. Fails: CRYPTO, NOMEM. */
TACIT_MUST_USE enum tacit_err meeting_begin(struct meeting *m, const struct tacit_parcel_code *code,
        enum tacit_parcel_place place, const struct tacit_env *env);
/* Both ends on this machine: runs the two against each other; root gets the key.
 * Fails: BAD_PASSWORD, CRYPTO, NOMEM. */
TACIT_MUST_USE enum tacit_err meeting_within(
        struct meeting *opener, struct meeting *joiner, uint8_t root[TACIT_PARCEL_ROOT_BYTES]);

#endif
