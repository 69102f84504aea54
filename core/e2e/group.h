/* group.h - how the messages of one conversation are protected; the engine knows nothing deeper.
 *
 * Today the one implementation is `pairwise` (e2e/pairwise.c): HPKE to each device, signed by the
 * sender's account key. MLS (RFC 9420) takes its place behind the same table; the words are MLS's:
 * a roster of leaves (devices), application messages that are protected and unprotected, a state
 * that is serialised. Sans-I/O.
 *
 * Order of use: protect -> persist the serialised state -> only then let the bytes leave.
 *               unprotect -> persist the state together with what was opened.
 * On error the state is unchanged, with one exception: unprotect that answers WRONG_RECIPIENT may
 * have advanced it, for the message counts in its sender's row though it says nothing to us. The
 * host persists after that answer too.
 *
 * What MLS changes behind this table, and what the engine may not take for granted because of it:
 *  - The roster given to protect is what the membership should be. Pairwise takes it as it is, for
 *    each message anew. MLS has an epoch: it compares the roster with its tree, and where they
 *    differ it answers CONFLICT until a commit has brought the tree there (RFC 9420 12.4).
 *  - Commits, proposals and Welcomes are messages of their own. They will come out of new entries
 *    (commit: roster -> handshake bytes and a Welcome; join: Welcome -> group) at the end of this
 *    table, and in through unprotect, whose opened will say so; the server orders them like any
 *    other message, and the first commit of an epoch wins (RFC 9420 14).
 *  - unprotect's members is who may speak. MLS proves the sender by its leaf, whose credential is
 *    the same certificate (wire/device.h) under the same account key: both answers agree.
 *  - Keys are gone after use there: a message opens once, the plaintext is kept by the engine, and
 *    nothing may rely on opening stored bytes again. unsend cannot give a generation back; it will
 *    only forget it. Pairwise keeps this rule already for REPLAY. */
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
	struct tacit_sign_public sender; /* account key, proven */
	struct tacit_device_id device;   /* the sender's, proven */
	uint64_t order;
	uint64_t missing; /* messages of that device that never came before this one */
	bool own;         /* sent by this very device */
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
	 * A leaf whose HPKE key is none (an X25519 point of small order) is left out: its owner
	 * chose it, and must not be able to silence the others. Fails: NO_DEVICE (nobody to seal
	 * for), USAGE (a leaf twice), TOO_LARGE, EXHAUSTED, NOMEM, CRYPTO. */
	enum tacit_err (*protect)(struct tacit_group *g, const struct tacit_self *self,
	        const struct tacit_roster *to, struct tacit_bytes plain,
	        const struct tacit_env *env, struct tacit_buf *out);
	/* Takes back the last protect, after a server has refused that message for good, and it
	 * cannot have arrived by an earlier try. If the server lied and delivers it all the same,
	 * the others find two messages of one order, and say so. Fails: CONFLICT when message is not the last one protected. */
	enum tacit_err (*unsend)(struct tacit_group *g, struct tacit_bytes message);
	/* Opens message, which must come from a member: members holds the accounts that are (or
	 * were) in the conversation. Appends the plaintext. The own device's messages cannot be
	 * opened again (opened->own is set, plaintext empty); one that is ahead of the state, as
	 * after a restored backup, moves the state on, so that no order is used twice. A device's
	 * messages come in its order. Gaps are told in opened->missing, and what should have filled
	 * them is refused later; the first message seen of a device may have any order. On error
	 * opened is zeroed, but that sender, device and order are given once the signature was
	 * good, so that the refusal can be told with a name.
	 * Fails: BAD_SIGNATURE, UNKNOWN_SENDER, WRONG_RECIPIENT (sealed for others, or for another
	 * conversation), REPLAY (one of the device's last 64), ORDER_CHANGED (an order used
	 * already, a late filler of a gap, or another history before it), BAD_SEAL, LIMIT (more
	 * devices than a conversation remembers), NOMEM, CRYPTO, and the decoder's errors. */
	enum tacit_err (*unprotect)(struct tacit_group *g, const struct tacit_self *self,
	        const struct tacit_sign_public *members, size_t member_count,
	        struct tacit_bytes message, struct tacit_opened *opened, struct tacit_buf *plain);
};

extern const struct tacit_group_ops tacit_pairwise;

#endif
