/* group.h - a conversation as a group of devices: MLS (RFC 9420, e2e/mls) under tacit's rules.
 *
 * A leaf is a device. Its credential is basic: the account's public key and the device, which that
 * account has certified (wire/device.h); its signature key is the certified one. A leaf whose
 * certificate is not good is never let in. Whether an account belongs into the conversation is the
 * engine's to say: it is asked for who speaks, who comes by itself and who is let in from here.
 * Leaves of strangers that other members have let in are let pass, when this device joins and
 * later: their owners may have come and left while it was away. The engine compares before it sends
 * (tacit_group_compare), and what does not belong is removed before a word is protected.
 *
 * What a message says is more than its content: its number among those of its device, so that a gap
 * shows, and a hash over everything that the sender had seen of the conversation, in the server's
 * order, so that members who are shown different histories find out.
 *
 * Order of use: call -> persist what has changed -> only then let bytes leave. A message opens
 * once. On error the state is unchanged. Sans-I/O; one thread per group. */
#ifndef TACIT_E2E_GROUP_H
#define TACIT_E2E_GROUP_H

#include "base/buf.h"
#include "base/env.h"
#include "crypto/secret.h"
#include "e2e/account.h"
#include "wire/device.h"

struct tacit_group; /* opaque; one per conversation */

/* A device and whose it is. */
struct tacit_leaf {
	struct tacit_sign_public account;
	struct tacit_device device;
};

/* This device. Borrowed for the call. */
struct tacit_self {
	struct tacit_leaf leaf;
	const struct tacit_sign_sk *signature_sk; /* of leaf.device.signature_key */
	const struct tacit_env *env;
	/* Is or was this account in the conversation, under a key that the user knows? */
	bool (*belongs)(void *ctx, const struct tacit_sign_public *account);
	void *ctx;
};

/* --- key packages: RFC 9420 10 --- */

enum tacit_key_package_use { TACIT_KEY_PACKAGE_ONCE, TACIT_KEY_PACKAGE_LAST_RESORT };
#define TACIT_KEY_PACKAGE_SECONDS ((int64_t)90 * 24 * 3600)
/* The longest lifetime of anybody's that is accepted (RFC 9420 7.2): later versions may want more
 * than ours. */
#define TACIT_KEY_PACKAGE_LONGEST_SECONDS ((int64_t)366 * 24 * 3600)

/* The keys of so many key packages (1 at least), which cost less when they are made at once.
 * Secret; free wipes. Fails: NOMEM, CRYPTO. */
struct tacit_mls_key_pairs;
TACIT_MUST_USE enum tacit_err tacit_group_key_pairs_new(
        const struct tacit_self *self, size_t packages, struct tacit_mls_key_pairs **out);
void tacit_group_key_pairs_free(struct tacit_mls_key_pairs *k);
/* For publishing: appended to public. Its private half is appended to secret, to be kept sealed
 * until a Welcome for it comes. pairs: where its keys come from; NULL: they are drawn. Fails:
 * NOMEM, CRYPTO, EXHAUSTED (pairs). */
TACIT_MUST_USE enum tacit_err tacit_group_key_package(const struct tacit_self *self,
        struct tacit_mls_key_pairs *pairs, struct tacit_buf *public, struct tacit_buf *secret);
/* Is the Welcome for the key package of this private half? */
bool tacit_group_welcome_is_for(struct tacit_bytes welcome, struct tacit_bytes secret);

/* --- life --- */

/* Alone, at epoch 0, which the server knows as "no group yet". Fails: NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_group_create(
        uint64_t conversation, const struct tacit_self *self, struct tacit_group **out);
/* Where the server says that the group stands; the group itself proves the epoch. */
struct tacit_group_place {
	uint64_t conversation;
	uint64_t message; /* the commit that began the epoch */
};
/* By a Welcome. Fails: WRONG_RECIPIENT (another conversation, another key package), BAD_SEAL,
 * BAD_SIGNATURE, BAD_CERTIFICATE, MALFORMED, UNSUPPORTED, NOMEM, CRYPTO, ... */
TACIT_MUST_USE enum tacit_err tacit_group_join(const struct tacit_group_place *place,
        const struct tacit_self *self, struct tacit_bytes welcome, struct tacit_bytes secret,
        struct tacit_group **out);
/* Is this device among the leaves of a GroupInfo? Then a Welcome should have come, or its state
 * here is lost. False also for what is no GroupInfo. */
bool tacit_group_info_has(const struct tacit_self *self, struct tacit_bytes group_info);
/* Is that a GroupInfo of this conversation and of the epoch in which g is, but not of g? Then there
 * are two groups where there should be one. False also for what is no GroupInfo. */
bool tacit_group_info_parts(const struct tacit_group *g, struct tacit_bytes group_info);
/* By an external commit, from a GroupInfo; a leaf that this device had there is replaced. commit
 * and group_info (of the epoch that it begins) are appended, to be posted; the group is pending
 * until tacit_group_accept. Fails: as join, and NOT_FOUND (no external_pub). */
TACIT_MUST_USE enum tacit_err tacit_group_join_external(uint64_t conversation,
        const struct tacit_self *self, struct tacit_bytes group_info, struct tacit_buf *commit,
        struct tacit_buf *new_group_info, struct tacit_group **out);
void tacit_group_destroy(struct tacit_group *g); /* wipes; NULL is fine */

/* Two parts: TREE is large and changes with the epoch, STATE with every message. Appended. Both
 * hold secrets. Fails: NOMEM, TOO_LARGE. load fails: MALFORMED, UNSUPPORTED, CONFLICT (parts that
 * do not belong together), NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_group_save_state(
        const struct tacit_group *g, struct tacit_buf *out);
TACIT_MUST_USE enum tacit_err tacit_group_save_tree(
        const struct tacit_group *g, struct tacit_buf *out);
TACIT_MUST_USE enum tacit_err tacit_group_load(
        struct tacit_bytes state, struct tacit_bytes tree, struct tacit_group **out);

/* --- looking --- */

uint64_t tacit_group_epoch(const struct tacit_group *g);
/* Changes whenever the tree part has to be saved again. */
uint64_t tacit_group_tree_version(const struct tacit_group *g);
bool tacit_group_is_pending(const struct tacit_group *g); /* a commit of ours waits */
/* This device was removed, or the group ended: only late messages open. */
bool tacit_group_is_over(const struct tacit_group *g);
/* The devices in the group, in no order; false ends. index from 0. */
bool tacit_group_leaf(const struct tacit_group *g, uint32_t *index, struct tacit_leaf *out);
/* Own messages since this device's last path, and its time: when to update (see below). */
struct tacit_group_age {
	uint64_t messages;
	int64_t updated_at; /* Unix seconds */
};
struct tacit_group_age tacit_group_age(const struct tacit_group *g);
/* Hash of the epoch authenticator (RFC 9420 8.7) and the conversation: to be compared by members
 * who cannot read each other. 32 bytes. */
TACIT_MUST_USE enum tacit_err tacit_group_fingerprint(const struct tacit_group *g, uint8_t out[32]);

/* --- membership --- */

struct tacit_roster {
	const struct tacit_leaf
	        *leaves; /* who should be in, the own devices among them; borrowed */
	size_t count;
};
struct tacit_group_change { /* clear with tacit_group_change_clear */
	size_t *add;        /* places in the roster */
	size_t add_count;
	uint32_t *remove; /* leaf indices */
	size_t remove_count;
};
/* What brings the group to the roster; both counts 0: it is there. A device that has another key
 * than its leaf is removed and added. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_group_compare(const struct tacit_group *g,
        const struct tacit_roster *roster, struct tacit_group_change *out);
void tacit_group_change_clear(struct tacit_group_change *c);

/* Is this the key package of that very device, well made and in time? Fails: BAD_CERTIFICATE
 * (another device, or not certified), BAD_SIGNATURE, GONE, MALFORMED, UNSUPPORTED, NOMEM, CRYPTO.
 */
TACIT_MUST_USE enum tacit_err tacit_group_check_key_package(const struct tacit_self *self,
        struct tacit_bytes key_package, const struct tacit_leaf *want);

struct tacit_group_commit {
	const struct tacit_bytes *add; /* key packages, checked */
	size_t add_count;
	const uint32_t *remove;
	size_t remove_count;
};
struct tacit_group_staged {                           /* clear with tacit_group_staged_clear */
	struct tacit_buf commit, welcome, group_info; /* welcome: empty when nobody is added */
};
void tacit_group_staged_clear(struct tacit_group_staged *s);
/* A commit with a path, which heals what a thief of this device's state knew; nothing to add or
 * remove: just that. It waits as pending: persist, post, then accept or drop.
 * Fails: CONFLICT (one is pending already, or the group is over), and what the key packages are
 * refused with. */
TACIT_MUST_USE enum tacit_err tacit_group_stage(struct tacit_group *g,
        const struct tacit_self *self, const struct tacit_group_commit *what,
        struct tacit_group_staged *out);
/* The server has given the pending commit its place: the next epoch begins. Fails: CONFLICT,
 * NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_group_accept(
        struct tacit_group *g, const struct tacit_self *self, uint64_t message);
void tacit_group_drop(struct tacit_group *g); /* also when nothing is pending */

/* --- messages --- */

/* Appends a message for all members. Fails: CONFLICT (over, or pending), TOO_LARGE, EXHAUSTED,
 * NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_group_protect(struct tacit_group *g,
        const struct tacit_self *self, struct tacit_bytes content, struct tacit_buf *out);
/* The epoch in which a message was protected. False: it is none. */
bool tacit_group_epoch_of(struct tacit_bytes message, uint64_t *epoch);
/* The server has refused the last one for good, and it cannot have arrived: its number is free
 * again (its keys are not). */
void tacit_group_unsend(struct tacit_group *g);

enum tacit_group_event_kind {
	TACIT_GROUP_MESSAGE,
	TACIT_GROUP_COMMIT,  /* the next epoch has begun */
	TACIT_GROUP_OWN,     /* a message of this device: nothing to open */
	TACIT_GROUP_EARLIER, /* a commit of an epoch that is over here: nothing to do */
};
struct tacit_group_event { /* clear with tacit_group_event_clear */
	enum tacit_group_event_kind kind;
	struct tacit_leaf sender;        /* proven; zero for OWN and EARLIER */
	uint64_t missing;                /* MESSAGE: how many of that device never came before */
	bool history_differs;            /* MESSAGE: the sender was shown another history */
	bool joined;                     /* COMMIT: the sender came by it, by itself */
	bool removed;                    /* COMMIT: this device is out */
	bool lost;                       /* COMMIT: ours was pending, and lost */
	bool accepted;                   /* COMMIT: it is our own pending one */
	struct tacit_leaf *added, *gone; /* COMMIT: devices; a renewed leaf is in neither */
	size_t added_count, gone_count;
	struct tacit_buf plain; /* MESSAGE: the content, secret */
};
void tacit_group_event_clear(struct tacit_group_event *e);

/* Does this say of itself that it is a commit? To be compared with what the server calls one. */
bool tacit_group_is_commit(struct tacit_bytes message);

/* Every message of the conversation, own ones included, in the server's order; message is its id
 * there. A commit of another's drops ours that is pending. Persist after errors, too: the message
 * counts as seen in the history. ev->sender is also set on error once it is proven.
 * Fails: WRONG_RECIPIENT (another conversation), ORDER_CHANGED (an epoch that has not come here: a
 * commit is missing), GONE (an epoch or a key that is not kept any more), REPLAY, UNKNOWN_SENDER
 * (who does not belong), BAD_CERTIFICATE (somebody adds such a leaf), REFUSED (a commit against
 * tacit's rules), BAD_SEAL, BAD_SIGNATURE, MALFORMED, UNSUPPORTED, LIMIT, NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_group_process(struct tacit_group *g,
        const struct tacit_self *self, uint64_t message, struct tacit_bytes bytes,
        struct tacit_group_event *ev);
#endif
