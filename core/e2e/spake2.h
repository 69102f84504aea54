/* spake2.h - two devices that share a short code agree on a strong key (RFC 9382), ciphersuite
 * SPAKE2-P256-SHA256-HKDF-HMAC, with key confirmation.
 *
 *   A: start(A) --pA-->             B: start(B)
 *               <--pB--
 *   A: finish(pB) --cA-->           B: finish(pA)
 *                 <--cB--
 *   A: confirm(cB)                  B: confirm(cA)
 *
 * The key may be used only once confirm has returned OK. Whoever does not know the code learns from
 * a run nothing but whether the one code that it tried was right. A run is for one try: after any
 * error its state is wiped, and every further call is USAGE. */
#ifndef TACIT_E2E_SPAKE2_H
#define TACIT_E2E_SPAKE2_H

#include "base/bytes.h"
#include "base/env.h"
#include "crypto/p256.h"

#define TACIT_SPAKE2_MESSAGE_BYTES TACIT_P256_POINT_BYTES
#define TACIT_SPAKE2_CONFIRM_BYTES 32
#define TACIT_SPAKE2_KEY_BYTES 16 /* Ke, half of SHA-256 (RFC 9382 4): 128 bits, to derive from */
#define TACIT_SPAKE2_MAX_ID 64

enum tacit_spake2_role { TACIT_SPAKE2_A, TACIT_SPAKE2_B };

enum tacit_spake2_state { TACIT_SPAKE2_OVER, TACIT_SPAKE2_STARTED, TACIT_SPAKE2_FINISHED };

/* Secret: wipe with tacit_spake2_wipe. May be copied nowhere. */
struct tacit_spake2 {
	enum tacit_spake2_state state;
	enum tacit_spake2_role role;
	uint8_t w[TACIT_P256_SCALAR_BYTES], x[TACIT_P256_SCALAR_BYTES];
	uint8_t own[TACIT_SPAKE2_MESSAGE_BYTES];
	uint8_t key[TACIT_SPAKE2_KEY_BYTES], expected[TACIT_SPAKE2_CONFIRM_BYTES];
};

/* What both sides must agree on beside the code; views borrowed for the call. */
struct tacit_spake2_ids {
	struct tacit_bytes a, b; /* identities, at most TACIT_SPAKE2_MAX_ID; may be empty */
	struct tacit_bytes aad;  /* bound into the confirmation (RFC 9382 4), may be empty */
};

/* The scalar w of a code: HKDF-SHA256 of code and salt, drawn again until it is one of the group,
 * so that it is uniform. A code of few bits stays one of few bits: it must never be used twice. */
void tacit_spake2_scalar(
        struct tacit_bytes code, struct tacit_bytes salt, uint8_t w[TACIT_P256_SCALAR_BYTES]);

/* message goes to the peer. Fails: USAGE (w is no scalar), CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_spake2_start(struct tacit_spake2 *s,
        enum tacit_spake2_role role, const uint8_t w[TACIT_P256_SCALAR_BYTES],
        const struct tacit_env *env, uint8_t message[TACIT_SPAKE2_MESSAGE_BYTES]);
/* confirm goes to the peer. Fails: USAGE, MALFORMED (the peer's message is not a point, or the
 * shared element is the neutral one), TOO_LARGE (an identity). */
TACIT_MUST_USE enum tacit_err tacit_spake2_finish(struct tacit_spake2 *s,
        const struct tacit_spake2_ids *ids, struct tacit_bytes peer_message,
        uint8_t confirm[TACIT_SPAKE2_CONFIRM_BYTES]);
/* Copies the shared key out and ends the run. Fails: USAGE, BAD_SEAL (another code, or another
 * transcript). key is zeroed on error. */
TACIT_MUST_USE enum tacit_err tacit_spake2_confirm(struct tacit_spake2 *s,
        struct tacit_bytes peer_confirm, uint8_t key[TACIT_SPAKE2_KEY_BYTES]);
void tacit_spake2_wipe(struct tacit_spake2 *s);

#endif
