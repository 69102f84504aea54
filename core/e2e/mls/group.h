/* group.h - an MLS group as one member sees it: RFC 9420 11, 12, 14, 15.
 *
 * Sans-I/O. Everything goes in and out as encoded MLSMessages (message.h). One thread per group.
 *
 *                     .---------- create, join, external_join
 *                     v
 *      .---------> ACTIVE ---- propose, commit (a commit waits as `pending`), protect, process
 *      |   accept(pending)  |      |
 *      '-- or process ------'      |--- a commit with a ReInit ---> REINIT: reads late messages,
 *                                  |                                 may be succeeded
 *                                  '--- a commit that removes us -> REMOVED: reads late messages
 *
 * All-or-nothing: a call that fails leaves the group exactly as it was, its serialised form
 * included. Order of use: call -> save -> only then let bytes leave.
 *
 * Secrets are wiped when they are used up (9.2) and on every way out. Limits against hostile input:
 * limits.h, secret_tree.h, psk.h, commit.h, and the constants below. */
#ifndef TACIT_E2E_MLS_GROUP_H
#define TACIT_E2E_MLS_GROUP_H

#include "base/buf.h"
#include "base/env.h"
#include "e2e/mls/framing.h"
#include "e2e/mls/key_package.h"
#include "e2e/mls/proposal.h"
#include "e2e/mls/tree.h"

#define TACIT_MLS_CACHED_PROPOSALS_MAX 4096   /* by reference, in one epoch */
#define TACIT_MLS_CACHED_MAX_BYTES (8u << 20) /* of all of them */
#define TACIT_MLS_PAST_EPOCHS_MAX 32
#define TACIT_MLS_RESUMPTIONS_MAX 256
#define TACIT_MLS_GROUP_ID_MAX_BYTES 256
#define TACIT_MLS_GROUP_STATE_VERSION 1

struct tacit_mls_group; /* opaque */

/* What the application lends for the length of a call. */
struct tacit_mls_host {
	const struct tacit_env *env;
	struct tacit_bytes signature_sk; /* of our leaf; only where something is signed */
	/* The authentication service (5.3.1): is this credential good for this signature key? Asked
	 * for every leaf that comes in. NULL: every one is. An error refuses, and is passed on. */
	enum tacit_err (*check_credential)(void *ctx, const struct tacit_mls_leaf_node *leaf);
	/* The same for one in the external_senders of a group (5.3.1): when they are added or
	 * change, and for those of a group that we join. NULL: every one is. */
	enum tacit_err (*check_external_sender)(
	        void *ctx, const struct tacit_mls_external_sender *sender);
	/* May after take the place of before (Update, path of a commit, resync: 5.3.1, 12.2)? Also
	 * asked when a new group has to have the members of an old one. NULL: when the credentials
	 * are equal. */
	bool (*check_successor)(void *ctx, const struct tacit_mls_leaf_node *before,
	        const struct tacit_mls_leaf_node *after);
	/* The application's own rules (12.2): who may add, remove, join by external commit
	 * (external_init). Asked for each proposal of a commit, our own included. NULL: all may. */
	enum tacit_err (*check_proposal)(void *ctx, const struct tacit_mls_group *g,
	        const struct tacit_mls_sender *sender, const struct tacit_mls_proposal *p);
	/* Appends the PSK of that id to out (nonce aside): external ones, and resumption PSKs that
	 * the group does not hold itself. NULL, or NOT_FOUND: there is none. */
	enum tacit_err (*find_psk)(
	        void *ctx, const struct tacit_mls_psk_id *id, struct tacit_buf *out);
	void *ctx;
	uint64_t lifetime_max; /* longest acceptable lifetime of a key package in seconds; 0: any */
	/* Compare lifetimes with the clock for what is received, too, and not only for what we add
	 * ourselves (7.3). Off by default: members with different clocks would not agree. */
	bool strict_lifetimes;
};

struct tacit_mls_settings {   /* {0} is the default; kept with the group */
	uint16_t past_epochs; /* kept for late messages; 0: 4; no more than the maximum */
	uint16_t resumptions; /* resumption PSKs kept, of epochs before; 0: 8 */
	uint32_t pad_to;      /* private messages are padded to multiples of it; 0: 1 */
	/* Messages of ours that leave as PublicMessage: handshakes only. */
	bool public_handshakes;
};

enum tacit_mls_group_state { TACIT_MLS_ACTIVE, TACIT_MLS_REINITED, TACIT_MLS_REMOVED };

/* --- Making groups --- */

struct tacit_mls_create_options {
	const struct tacit_mls_suite *suite;
	struct tacit_bytes group_id; /* unique among all groups ever: 32 random bytes, say */
	struct tacit_mls_extensions extensions;
	/* Our leaf: a key package of our own (its init key is not used), and its private half. */
	struct tacit_bytes key_package;
	const struct tacit_mls_key_package_secrets *secrets;
	struct tacit_mls_settings settings;
};
/* RFC 9420 11: a group of one, at epoch 0. Fails: USAGE, UNSUPPORTED, MALFORMED, BAD_SIGNATURE,
 * GONE (lifetime), what check_credential says, TOO_LARGE, NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_mls_group_create(const struct tacit_mls_create_options *o,
        const struct tacit_mls_host *host, struct tacit_mls_group **out);

/* 11.2, 11.3: a group that follows from an older one, at epoch 0. Its first commit carries the
 * resumption PSK that proves it. REINIT: old was reinited; suite, group_id and extensions of o are
 * ignored, those of the ReInit hold. BRANCH: the suite is that of old.
 * The key packages of the members are added by that first commit, which is to have them all
 * (REINIT: checked by every one who joins). Fails: CONFLICT (old is not in that state), and as
 * create. */
enum tacit_mls_succession { TACIT_MLS_SUCCEED_REINIT = 2, TACIT_MLS_SUCCEED_BRANCH = 3 };
TACIT_MUST_USE enum tacit_err tacit_mls_group_succeed(const struct tacit_mls_group *old,
        enum tacit_mls_succession kind, const struct tacit_mls_create_options *o,
        const struct tacit_mls_host *host, struct tacit_mls_group **out);

struct tacit_mls_join_options {
	struct tacit_bytes welcome;     /* MLSMessage */
	struct tacit_bytes key_package; /* KeyPackage, without a message header */
	const struct tacit_mls_key_package_secrets *secrets;
	struct tacit_bytes ratchet_tree;      /* when the Welcome has none; else empty */
	const struct tacit_mls_group *origin; /* for a reinited or branched group; else NULL */
	struct tacit_mls_settings settings;
};
/* 12.4.3.1. The caller checks that it is in no group of that id yet, and forgets the key package
 * (but for a last-resort one). Fails: WRONG_RECIPIENT (not for this key package), NOT_FOUND (no
 * tree, a PSK), BAD_SEAL, BAD_SIGNATURE, MALFORMED, UNSUPPORTED, CONFLICT (origin does not fit),
 * GONE, what check_credential says, LIMIT, TOO_LARGE, NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_mls_group_join(const struct tacit_mls_join_options *o,
        const struct tacit_mls_host *host, struct tacit_mls_group **out);
/* Is the Welcome for this key package? Then join may be tried. */
TACIT_MUST_USE enum tacit_err tacit_mls_welcome_is_for(
        struct tacit_bytes welcome, struct tacit_bytes key_package);

struct tacit_mls_external_join_options {
	struct tacit_bytes group_info;   /* MLSMessage, with an external_pub */
	struct tacit_bytes ratchet_tree; /* when the GroupInfo has none; else empty */
	/* Our leaf, in the form of a key package (of which the leaf counts) and its secrets. */
	struct tacit_bytes key_package;
	const uint32_t *removes;             /* our old leaf, which is resynchronised; or NULL */
	const struct tacit_mls_psk_id *psks; /* nonces are drawn */
	size_t psk_count;
	struct tacit_bytes authenticated_data;
	struct tacit_mls_settings settings;
};
/* 12.4.3.2: the commit to send, appended as MLSMessage, and the group as it is once the others have
 * taken it. If they do not (another commit came first), the group is dropped, and a newer GroupInfo
 * is used. Fails: as join, and NOT_FOUND (no external_pub). */
TACIT_MUST_USE enum tacit_err tacit_mls_group_external_join(
        const struct tacit_mls_external_join_options *o, const struct tacit_mls_host *host,
        struct tacit_buf *commit, struct tacit_mls_group **out);

void tacit_mls_group_free(struct tacit_mls_group *g); /* wipes; NULL is fine */

/* --- Looking. Views live until the group changes. --- */

enum tacit_mls_group_state tacit_mls_group_state(const struct tacit_mls_group *g);
const struct tacit_mls_suite *tacit_mls_group_suite(const struct tacit_mls_group *g);
struct tacit_bytes tacit_mls_group_id(const struct tacit_mls_group *g);
uint64_t tacit_mls_group_epoch(const struct tacit_mls_group *g);
struct tacit_mls_extensions tacit_mls_group_extensions(const struct tacit_mls_group *g);
/* Leaves 0 .. width-1, of which some are blank. */
const struct tacit_mls_tree *tacit_mls_group_tree(const struct tacit_mls_group *g);
uint32_t tacit_mls_group_own_leaf(const struct tacit_mls_group *g);
bool tacit_mls_group_member(
        const struct tacit_mls_group *g, uint32_t leaf, struct tacit_mls_leaf_node *out);
/* 8.1: the encoded GroupContext of the present epoch. */
struct tacit_bytes tacit_mls_group_context(const struct tacit_mls_group *g);
/* 8.7: equal for all who see the same group; hash_bytes. */
struct tacit_bytes tacit_mls_group_epoch_authenticator(const struct tacit_mls_group *g);
/* 8.5. Fails: USAGE (too long), CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_mls_group_export(const struct tacit_mls_group *g,
        struct tacit_bytes label, struct tacit_bytes context, struct tacit_room out);
/* 8.6: the resumption PSK of this epoch or of one before; hash_bytes. False: not kept. */
bool tacit_mls_group_resumption(
        const struct tacit_mls_group *g, uint64_t epoch, struct tacit_bytes *out);
/* Does a commit of ours wait? How many proposals of others and of ours wait for a commit? */
bool tacit_mls_group_has_pending(const struct tacit_mls_group *g);
size_t tacit_mls_group_proposal_count(const struct tacit_mls_group *g);
/* What the group was reinited as; false when it was not. */
bool tacit_mls_group_reinit(const struct tacit_mls_group *g, struct tacit_mls_reinit *out);

enum tacit_mls_info_parts {
	TACIT_MLS_INFO_TREE = 1,         /* a ratchet_tree extension */
	TACIT_MLS_INFO_EXTERNAL_PUB = 2, /* so that one can join by external commit */
};
/* Appends a signed GroupInfo of the present epoch as MLSMessage; parts is a sum of the above.
 * Fails: CONFLICT (not active), NOMEM, TOO_LARGE, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_mls_group_info(const struct tacit_mls_group *g,
        const struct tacit_mls_host *host, unsigned parts, struct tacit_buf *out);

/* --- Proposals --- */

/* Sends a proposal for somebody to commit. p: ADD needs add.encoded; UPDATE is made by the next
 * call; PSK: the nonce is drawn. It is kept here as well, to be committed. Appends an MLSMessage.
 * Fails: CONFLICT (not active), EXISTS (the very same waits already), USAGE, LIMIT, what the
 * validation of 12.1 says, NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_mls_group_propose(struct tacit_mls_group *g,
        const struct tacit_mls_host *host, const struct tacit_mls_proposal *p,
        struct tacit_bytes authenticated_data, struct tacit_buf *out);

/* How a new leaf of ours differs from the one before; empty members (NULL data) stay as they are.
 */
struct tacit_mls_leaf_change {
	const struct tacit_mls_credential *credential;
	const struct tacit_mls_capabilities *capabilities;
	const struct tacit_mls_extensions *extensions;
	/* A new signing key: the private half signs the leaf; after the commit host->signature_sk
	 * is to be this one. */
	struct tacit_bytes signature_key, signature_sk;
};
/* An Update with a fresh encryption key; change may be NULL. Fails as above. */
TACIT_MUST_USE enum tacit_err tacit_mls_group_propose_update(struct tacit_mls_group *g,
        const struct tacit_mls_host *host, const struct tacit_mls_leaf_change *change,
        struct tacit_bytes authenticated_data, struct tacit_buf *out);

/* Forgets all proposals that wait (the engine of an application may not want to commit them). */
void tacit_mls_group_clear_proposals(struct tacit_mls_group *g);

struct tacit_mls_outside_proposal { /* 12.1.8: from one who is not a member */
	const struct tacit_mls_suite *suite;
	struct tacit_bytes group_id;
	uint64_t epoch;
	/* EXTERNAL with the place in external_senders, or NEW_MEMBER_PROPOSAL (an Add of oneself)
	 */
	struct tacit_mls_sender sender;
	struct tacit_bytes signature_sk;
	struct tacit_bytes authenticated_data;
};
/* Appends an MLSMessage. Fails: USAGE (not for such a sender), TOO_LARGE, NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_mls_propose_from_outside(
        const struct tacit_mls_outside_proposal *o, const struct tacit_mls_proposal *p,
        struct tacit_buf *out);

/* --- Commits --- */

enum tacit_mls_committed {
	TACIT_MLS_COMMIT_WAITING, /* by reference: all that wait and that fit together (12.2) */
	TACIT_MLS_COMMIT_GIVEN,   /* only the ones given */
};

struct tacit_mls_commit_options { /* {0}: an Update of ourselves, and all that waits */
	const struct tacit_mls_proposal *proposals; /* by value, as for propose; no UPDATE */
	size_t proposal_count;
	enum tacit_mls_committed waiting;
	bool without_path; /* leave the path out where the standard lets one (12.4) */
	const struct tacit_mls_leaf_change *leaf; /* of our path; or NULL */
	struct tacit_bytes authenticated_data;
	bool welcome_without_tree;
	unsigned group_info; /* enum tacit_mls_info_parts; 0: none is wanted */
};

struct tacit_mls_commit_result { /* MLSMessages; clear with tacit_mls_commit_result_clear */
	struct tacit_buf commit;
	struct tacit_buf welcome;    /* one for all added; empty when none was */
	struct tacit_buf group_info; /* of the new epoch */
	uint32_t added;
	size_t left_out; /* waiting proposals that did not fit, or were not valid */
};
void tacit_mls_commit_result_clear(struct tacit_mls_commit_result *r);

/* A commit, kept as pending until the server has ordered it: accept then, or drop; or process it
 * when it comes back, or another one, which takes its place. One at a time. r is {0} on error.
 * Fails: CONFLICT (not active, or one is pending), NOT_FOUND (member, PSK), EXISTS (a client or
 * key twice), GONE (lifetime), MALFORMED, UNSUPPORTED, BAD_SIGNATURE (key package), USAGE, LIMIT,
 * what the host's checks say, TOO_LARGE, NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_mls_group_commit(struct tacit_mls_group *g,
        const struct tacit_mls_host *host, const struct tacit_mls_commit_options *o,
        struct tacit_mls_commit_result *r);
/* The new epoch begins. Fails: CONFLICT (nothing is pending), NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_mls_group_accept(struct tacit_mls_group *g);
/* Back to where there was none. */
void tacit_mls_group_drop(struct tacit_mls_group *g);

/* --- Messages --- */

/* Appends an application message. Fails: CONFLICT (not active; or proposals wait, and a commit has
 * to come first: 12.4), EXHAUSTED, TOO_LARGE, NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_mls_group_protect(struct tacit_mls_group *g,
        const struct tacit_mls_host *host, struct tacit_bytes authenticated_data,
        struct tacit_bytes plain, struct tacit_buf *out);

enum tacit_mls_event_kind {
	TACIT_MLS_EVENT_APPLICATION,
	TACIT_MLS_EVENT_PROPOSAL,
	TACIT_MLS_EVENT_COMMIT, /* the group is in the next epoch (but for REMOVED) */
	TACIT_MLS_EVENT_OWN,    /* a message of ours that we cannot and need not open: no change */
};

enum tacit_mls_change_kind { TACIT_MLS_ADDED, TACIT_MLS_REMOVED_MEMBER, TACIT_MLS_UPDATED };
struct tacit_mls_change {
	enum tacit_mls_change_kind kind;
	uint32_t leaf;
	struct tacit_buf before, after; /* encoded leaves; empty where there is none */
};

struct tacit_mls_event { /* clear with tacit_mls_event_clear */
	enum tacit_mls_event_kind kind;
	uint64_t epoch; /* that the message was sent in */
	struct tacit_mls_sender sender;
	struct tacit_buf sender_leaf; /* encoded, as of that epoch; not of external senders */
	struct tacit_buf authenticated_data;
	struct tacit_buf plain; /* application: what was said; proposal: the encoded Proposal */
	bool own;               /* commit: our pending one */
	bool removed;           /* commit: we are no member any more */
	bool reinited;          /* commit: the group is at its end (11.2) */
	bool external;          /* commit: the sender joined by it */
	bool dropped_pending;   /* commit: a commit of ours lost against it */
	struct tacit_mls_change *changes; /* commit: to the leaves, the committer's own included */
	size_t change_count;
};
void tacit_mls_event_clear(struct tacit_mls_event *e);

/* Any PublicMessage or PrivateMessage of the group. A proposal is checked and kept. A commit moves
 * the group on. ev is {0} on error. Fails: WRONG_RECIPIENT (another group), CONFLICT (not active;
 * or a commit of ours that is not the pending one: only joining anew helps), GONE (an epoch that is
 * not kept any more, or a key that is too late), ORDER_CHANGED (an epoch that has not come yet; a
 * handshake of another epoch), REPLAY, UNKNOWN_SENDER, BAD_SEAL, BAD_SIGNATURE, MALFORMED,
 * UNSUPPORTED, NOT_FOUND (a proposal by reference, a PSK, a leaf), EXISTS, LIMIT, what the host's
 * checks say, TOO_LARGE, NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_mls_group_process(struct tacit_mls_group *g,
        const struct tacit_mls_host *host, struct tacit_bytes message, struct tacit_mls_event *ev);

/* --- Storing --- */

/* The state in two parts. The tree is large and changes with the epoch only: it is public (but
 * shows who is in the group). The rest is small, changes with every call, and holds all that is
 * secret. Appended. Fails: NOMEM, TOO_LARGE. */
TACIT_MUST_USE enum tacit_err tacit_mls_group_save(
        const struct tacit_mls_group *g, struct tacit_buf *out);
TACIT_MUST_USE enum tacit_err tacit_mls_group_save_tree(
        const struct tacit_mls_group *g, struct tacit_buf *out);
/* Everything as it was, a pending commit included. Fails: UNSUPPORTED (version, suite), CONFLICT
 * (tree and state are not of the same epoch), MALFORMED, TRUNCATED, TRAILING, NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_mls_group_load(
        struct tacit_bytes state, struct tacit_bytes tree, struct tacit_mls_group **out);

#endif
