/* direct.h - what is said on a connection that was made directly, before it is the way of a
 * transfer: docs/protocol-transfer.md 15.7. No I/O.
 *
 *   caller                      called
 *     HELLO ------------------->
 *           <------------------- HELLO
 *     HERE  ------------------->           the called end knows the caller
 *           <------------------- HERE      the caller knows the called end: both PROVEN
 *     then, whoever sends the files:
 *     CHOSEN ------------------>           this connection it is, and no other
 *
 * HELLO and keys are those of a channel that is rejoined, so that a connection has keys of its own;
 * HERE and CHOSEN are records of it. Who does not have the root gets nothing but fresh randomness.
 */
#ifndef TACIT_E2E_PARCEL_DIRECT_H
#define TACIT_E2E_PARCEL_DIRECT_H

#include "e2e/parcel/channel.h"

#define TACIT_DIRECT_MAX_GREETING 64 /* no message of a greeting is longer */

enum tacit_direct_state {
	TACIT_DIRECT_OVER,
	TACIT_DIRECT_GREETING,
	TACIT_DIRECT_PROVING,
	TACIT_DIRECT_PROVEN,
	TACIT_DIRECT_CHOSEN,
};
enum tacit_direct_side { TACIT_DIRECT_CALLER, TACIT_DIRECT_CALLED };

/* Secret: clear with tacit_direct_clear. Empty is {0}. */
struct tacit_direct {
	enum tacit_direct_state state;
	enum tacit_direct_side side;
	enum tacit_parcel_role role;
	const struct tacit_env *env; /* borrowed */
	struct tacit_channel channel;
	uint8_t root[TACIT_PARCEL_ROOT_BYTES];
};

struct tacit_direct_options {
	const struct tacit_env *env;
	const uint8_t *root; /* TACIT_PARCEL_ROOT_BYTES */
	enum tacit_parcel_role role;
	enum tacit_direct_side side;
};
/* A caller's first message is appended. Fails: CRYPTO, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_direct_begin(
        struct tacit_direct *d, const struct tacit_direct_options *o, struct tacit_buf *out);
/* A message of the other end; the answer, if there is one, is appended. After an error it is over.
 * Fails: MALFORMED, UNSUPPORTED, CONFLICT (the same role), BAD_SEAL, USAGE, CRYPTO, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_direct_input(
        struct tacit_direct *d, struct tacit_bytes message, struct tacit_buf *out);
/* The sender's, once PROVEN. Fails: USAGE, CRYPTO, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_direct_choose(struct tacit_direct *d, struct tacit_buf *out);
void tacit_direct_clear(struct tacit_direct *d);

#endif
