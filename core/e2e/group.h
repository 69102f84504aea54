/* group.h - how the messages of one conversation are protected; the engine knows nothing deeper.
 *
 * Today the one implementation is `pairwise` (e2e/pairwise.c): HPKE to each device, signed by the
 * sender's account key. MLS (RFC 9420) takes its place behind the same table; the words are MLS's:
 * a roster of leaves (devices), application messages that are protected and unprotected, a state
 * that is serialised. Sans-I/O; on error the state is unchanged.
 *
 * Order of use: protect -> persist the serialised state -> only then let the bytes leave.
 *               unprotect -> persist the state together with what was opened. */
#ifndef TACIT_E2E_GROUP_H
#define TACIT_E2E_GROUP_H

#include "base/buf.h"
#include "base/env.h"
#include "crypto/hash.h"
#include "crypto/sign.h"
#include "e2e/account.h"
#include "wire/device.h"

/* A member's device, already checked by the engine: account key pinned, certificate good. */
struct tacit_leaf {
	struct tacit_sign_public account;
	struct tacit_device device;
};

struct tacit_roster {
	const struct tacit_leaf *leaves; /* borrowed; the own devices are among them */
	size_t count;
};

/* This device: who signs and who opens. Borrowed for the call. */
struct tacit_self {
	const struct tacit_account *account;
	struct tacit_device_id device;
	const uint8_t *hpke_sk; /* TACIT_HPKE_PUBLIC_BYTES */
};

struct tacit_opened {
	struct tacit_sign_public sender;  /* account key, proven */
	struct tacit_device_id device;    /* the sender's, proven */
	uint64_t order;
	uint64_t missing;                 /* messages of that device that never came before this one */
	bool own;                         /* sent by this very device */
};

struct tacit_group; /* opaque; one per conversation */

struct tacit_group_ops {
	const char *name;
	/* A fresh state for a conversation. Fails: NOMEM. */
	enum tacit_err (*create)(uint64_t conversation, struct tacit_group **out);
	/* Fails: MALFORMED, UNSUPPORTED, TRUNCATED, TRAILING, TOO_LARGE, NOMEM. */
	enum tacit_err (*load)(struct tacit_bytes state, struct tacit_group **out);
	enum tacit_err (*serialise)(const struct tacit_group *g, struct tacit_buf *out);
	void (*destroy)(struct tacit_group *g); /* wipes; NULL is fine */

	/* Appends one message for every leaf of the roster but this device to out, and advances g.
	 * Fails: NO_DEVICE (nobody to seal for), TOO_LARGE, EXHAUSTED, NOMEM, CRYPTO. */
	enum tacit_err (*protect)(struct tacit_group *g, const struct tacit_self *self,
		const struct tacit_roster *to, struct tacit_bytes plain, const struct tacit_env *env,
		struct tacit_buf *out);
	/* Takes back the last protect, after a server has refused that message for good.
	 * Fails: CONFLICT when message is not the last one protected. */
	enum tacit_err (*unsend)(struct tacit_group *g, struct tacit_bytes message);
	/* Opens message, which must come from a member: members holds the accounts that are (or were)
	 * in the conversation. Appends the plaintext. The own device's messages cannot be opened again
	 * (opened->own is set, plaintext empty).
	 * Fails: BAD_SIGNATURE, UNKNOWN_SENDER, WRONG_RECIPIENT (sealed for others, or for another
	 * conversation), REPLAY, ORDER_CHANGED, BAD_SEAL, and the decoder's errors. */
	enum tacit_err (*unprotect)(struct tacit_group *g, const struct tacit_self *self,
		const struct tacit_sign_public *members, size_t member_count, struct tacit_bytes message,
		struct tacit_opened *opened, struct tacit_buf *plain);
};

extern const struct tacit_group_ops tacit_pairwise;

#endif
