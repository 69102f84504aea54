/* group_int.h - what the files of a group share.
 *
 * Invariants: the tree is at rest between calls. A function that can fail changes the group only
 * after its last step that can; what it prepares lives in a struct tacit_mls_next until then. */
#ifndef TACIT_E2E_MLS_GROUP_INT_H
#define TACIT_E2E_MLS_GROUP_INT_H

#include "e2e/mls/commit.h"
#include "e2e/mls/group.h"
#include "e2e/mls/group_info.h"
#include "e2e/mls/key_schedule.h"
#include "e2e/mls/treekem.h"

struct tacit_mls_epoch {
	uint64_t number;
	struct tacit_buf extensions; /* content of the vector */
	struct tacit_buf context;    /* encoded GroupContext */
	uint8_t tree_hash[TACIT_MLS_HASH_MAX_BYTES];
	uint8_t confirmed[TACIT_MLS_HASH_MAX_BYTES];
	size_t confirmed_bytes; /* 0 in epoch 0 */
	uint8_t interim[TACIT_MLS_HASH_MAX_BYTES];
	uint8_t tag[TACIT_MLS_HASH_MAX_BYTES];  /* confirmation tag */
	struct tacit_mls_epoch_secrets secrets; /* but for encryption: that is in messages */
	struct tacit_mls_secret_tree *messages;
	struct tacit_mls_tree_keys keys;
};

struct tacit_mls_changes { /* owned */
	struct tacit_mls_change *p;
	size_t n, cap;
};

/* What opens late messages of an epoch that is over. */
struct tacit_mls_past {
	uint64_t number;
	struct tacit_buf context;
	uint8_t sender_data[TACIT_MLS_HASH_MAX_BYTES];
	struct tacit_mls_secret_tree *messages;
	/* What the commit that ended it changed: with those of later ones and the tree it tells who
	 * was at a leaf. `after` is not kept. */
	struct tacit_mls_changes changes;
};

struct tacit_mls_resumption {
	uint64_t number;
	uint8_t psk[TACIT_MLS_HASH_MAX_BYTES];
};

struct tacit_mls_cached { /* a proposal that waits */
	uint8_t reference[TACIT_MLS_HASH_MAX_BYTES];
	struct tacit_mls_sender sender;
	struct tacit_buf proposal; /* encoded */
	bool has_update_sk;        /* our own Update */
	uint8_t update_sk[TACIT_MLS_KEM_SK_MAX_BYTES];
};

/* A proposal of a commit; views into the commit, the cache or the caller's. */
struct tacit_mls_item {
	struct tacit_mls_sender sender;
	struct tacit_mls_proposal p;
	const struct tacit_mls_cached *cached; /* by reference */
};

struct tacit_mls_plan {               /* a list of proposals, and what became of it */
	struct tacit_mls_item *items; /* owned */
	size_t count, cap;
	uint32_t committer; /* a leaf; of an external commit: known after plan_apply */
	bool external;
	bool links; /* the first commit of a group that succeeds another (11.2, 11.3) */
	bool ours;  /* we are about to send it */
	const struct tacit_mls_item *extensions, *reinit, *external_init;
	bool needs_path;
	uint32_t *added; /* owned: leaves, in the order of the Adds */
	size_t add_count, psk_count;
	struct tacit_mls_changes changes;
};

/* An epoch that is ready to begin. */
struct tacit_mls_next {
	struct tacit_mls_epoch *epoch;
	struct tacit_mls_changes changes;
	struct tacit_buf reinit; /* encoded proposal; empty: none */
};

struct tacit_mls_pending {
	struct tacit_mls_next next;
	struct tacit_mls_patch *patch;
	uint8_t message_hash[TACIT_MLS_HASH_MAX_BYTES];
	/* From which the patch is made again after loading: senders and proposals, and the path. */
	struct tacit_buf recipe;
};

struct tacit_mls_origin { /* what the group succeeds, until its first commit */
	uint8_t usage;    /* enum tacit_mls_psk_usage; 0: nothing */
	struct tacit_buf group_id;
	uint64_t number;
	uint8_t psk[TACIT_MLS_HASH_MAX_BYTES];
	size_t psk_bytes; /* of the old group's suite */
};

struct tacit_mls_group {
	const struct tacit_mls_suite *suite;
	struct tacit_buf group_id;
	enum tacit_mls_group_state state;
	struct tacit_mls_settings settings;
	struct tacit_mls_tree *tree;
	struct tacit_mls_epoch *now;
	struct tacit_mls_past *past[TACIT_MLS_PAST_EPOCHS_MAX]; /* newest first */
	size_t past_count;
	struct tacit_mls_resumption *resumptions; /* newest first; room for the setting */
	size_t resumption_count;
	struct tacit_mls_cached **cached;
	size_t cached_count, cached_cap, cached_bytes;
	struct tacit_mls_pending *pending;
	struct tacit_buf reinit; /* encoded proposal */
	struct tacit_mls_origin origin;
};

/* --- group.c --- */

TACIT_MUST_USE enum tacit_err tacit_mls_group_new(const struct tacit_mls_suite *s,
        struct tacit_bytes group_id, const struct tacit_mls_settings *settings,
        struct tacit_mls_group **out);
size_t tacit_mls_resumption_limit(const struct tacit_mls_group *g);
void tacit_mls_epoch_free(struct tacit_mls_epoch *e);
void tacit_mls_past_free(struct tacit_mls_past *p);
void tacit_mls_pending_free(struct tacit_mls_pending *p);
void tacit_mls_next_clear(struct tacit_mls_next *n);
void tacit_mls_changes_clear(struct tacit_mls_changes *c);
/* before, after: empty for none; both are copied. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_mls_changes_add(struct tacit_mls_changes *c,
        enum tacit_mls_change_kind kind, uint32_t leaf, struct tacit_bytes before,
        struct tacit_bytes after);
/* The room for what is over; NULL when out of memory. */
struct tacit_mls_past *tacit_mls_past_new(const struct tacit_mls_changes *changes);
/* next->epoch becomes the present one and next empty; past is taken over. The tree has been changed
 * already. Cannot fail. */
void tacit_mls_group_install(
        struct tacit_mls_group *g, struct tacit_mls_next *next, struct tacit_mls_past *past);
struct tacit_bytes tacit_mls_epoch_confirmed(const struct tacit_mls_epoch *e);
/* The encoded GroupContext of an epoch with this confirmed hash. Replaces out. */
TACIT_MUST_USE enum tacit_err tacit_mls_epoch_context(const struct tacit_mls_group *g,
        const struct tacit_mls_epoch *e, struct tacit_bytes confirmed, struct tacit_buf *out);
struct tacit_mls_extensions tacit_mls_epoch_extensions(const struct tacit_mls_epoch *e);
struct tacit_mls_leaf_rules tacit_mls_group_rules(const struct tacit_mls_group *g,
        const struct tacit_mls_host *host, struct tacit_mls_extensions extensions, bool ours);
bool tacit_mls_host_successor(const struct tacit_mls_host *host,
        const struct tacit_mls_leaf_node *before, const struct tacit_mls_leaf_node *after);

/* --- group_proposals.c: 12.2, 12.3 --- */

TACIT_MUST_USE enum tacit_err tacit_mls_plan_add(
        struct tacit_mls_plan *plan, const struct tacit_mls_item *item);
/* Everything about the list that does not need the new tree. Fills in what the list has. */
TACIT_MUST_USE enum tacit_err tacit_mls_plan_check(const struct tacit_mls_group *g,
        const struct tacit_mls_host *host, struct tacit_mls_plan *plan);
/* One proposal alone (12.1), as when it comes as a message. */
TACIT_MUST_USE enum tacit_err tacit_mls_item_check(const struct tacit_mls_group *g,
        const struct tacit_mls_host *host, const struct tacit_mls_plan *plan,
        const struct tacit_mls_item *item);
/* Applies the list to the staged tree, and the leaf of one who joins by external commit. */
TACIT_MUST_USE enum tacit_err tacit_mls_plan_apply(
        struct tacit_mls_group *g, struct tacit_mls_plan *plan, struct tacit_bytes joiner_leaf);
/* Members' support for new extensions (12.1.7). After apply. */
TACIT_MUST_USE enum tacit_err tacit_mls_plan_check_members(
        const struct tacit_mls_group *g, const struct tacit_mls_plan *plan);
struct tacit_mls_extensions tacit_mls_plan_extensions(
        const struct tacit_mls_group *g, const struct tacit_mls_plan *plan);
void tacit_mls_plan_clear(struct tacit_mls_plan *plan);
TACIT_MUST_USE enum tacit_err tacit_mls_plan_write_recipe(
        const struct tacit_mls_plan *plan, struct tacit_bytes path, struct tacit_buf *out);
/* The patch of a loaded pending commit. */
TACIT_MUST_USE enum tacit_err tacit_mls_pending_replay(
        struct tacit_mls_group *g, struct tacit_mls_pending *p);

/* What the standard knows of a group's extensions is well-formed, and the host knows the external
 * senders. Fails: what the host says, MALFORMED, TRUNCATED, TRAILING, LIMIT, UNSUPPORTED. */
TACIT_MUST_USE enum tacit_err tacit_mls_check_context_extensions(
        const struct tacit_mls_host *host, struct tacit_mls_extensions list);

/* --- group_create.c --- */

/* The resumption PSK of an epoch of old, for a group that succeeds it. Fails: NOT_FOUND, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_mls_origin_set(struct tacit_mls_origin *o,
        const struct tacit_mls_group *old, uint8_t usage, uint64_t epoch);

/* --- group_join.c --- */

struct tacit_mls_info_checked {           /* a GroupInfo, and the tree that goes with it */
	struct tacit_mls_group_info info; /* views */
	struct tacit_bytes ratchet_tree;  /* from outside, or empty */
};
/* A group whose tree and epoch are those of a GroupInfo that has been verified; without secrets. */
TACIT_MUST_USE enum tacit_err tacit_mls_group_from_info(const struct tacit_mls_suite *s,
        const struct tacit_mls_info_checked *from, const struct tacit_mls_host *host,
        const struct tacit_mls_settings *settings, struct tacit_mls_group **out);

/* --- group_epoch.c --- */

/* The hash of the staged tree, and a provisional context for the path (12.4.1): begins *out. */
TACIT_MUST_USE enum tacit_err tacit_mls_epoch_draft(
        struct tacit_mls_group *g, const struct tacit_mls_plan *plan, struct tacit_mls_epoch **out);
struct tacit_mls_advance {
	const uint8_t *init;          /* of the epoch before, or of an external init */
	const uint8_t *commit_secret; /* NULL: none */
	const struct tacit_mls_authenticated *commit; /* signed */
	uint8_t *joiner;                              /* out: hash_bytes; wiped by the caller */
	uint8_t *psk;                                 /* out: psk_secret */
};
/* Transcript, PSKs, key schedule, confirmation tag, secret tree: completes a draft. */
TACIT_MUST_USE enum tacit_err tacit_mls_epoch_complete(struct tacit_mls_group *g,
        const struct tacit_mls_host *host, const struct tacit_mls_plan *plan,
        const struct tacit_mls_advance *a, struct tacit_mls_epoch *e);
/* The part that joining shares: secrets of an epoch whose context is set, tag and secret tree. */
TACIT_MUST_USE enum tacit_err tacit_mls_epoch_key(const struct tacit_mls_group *g,
        const uint8_t *joiner, const uint8_t *psk, struct tacit_mls_epoch *e);
TACIT_MUST_USE enum tacit_err tacit_mls_epoch_finish(
        const struct tacit_mls_group *g, struct tacit_mls_epoch *e);
/* One PSK, appended to out. Fails: NOT_FOUND. */
TACIT_MUST_USE enum tacit_err tacit_mls_group_find_psk(const struct tacit_mls_group *g,
        const struct tacit_mls_host *host, const struct tacit_mls_psk_id *id,
        struct tacit_buf *out);

/* --- group_info of an epoch that may not have begun: group_welcome.c --- */

struct tacit_mls_info_options {
	const struct tacit_mls_epoch *epoch;
	const struct tacit_mls_tree *tree;
	struct tacit_bytes signature_sk;
	unsigned parts;
	const struct tacit_env *env;
};
/* The bare GroupInfo. */
TACIT_MUST_USE enum tacit_err tacit_mls_make_info(const struct tacit_mls_group *g,
        const struct tacit_mls_info_options *o, struct tacit_buf *out);
struct tacit_mls_welcome_options {
	const struct tacit_mls_plan *plan;
	const struct tacit_mls_path *path; /* or NULL */
	const uint8_t *joiner, *psk;
	const struct tacit_env *env;
};
/* MLSMessage. */
TACIT_MUST_USE enum tacit_err tacit_mls_make_welcome(const struct tacit_mls_group *g,
        const struct tacit_mls_welcome_options *o, struct tacit_bytes info, struct tacit_buf *out);

/* --- group_propose.c --- */

/* Content from us: framed, then (signed by the caller) sealed as an MLSMessage that is appended. */
struct tacit_mls_outgoing {
	uint8_t content_type;
	struct tacit_bytes content, authenticated_data;
};
void tacit_mls_outgoing_frame(const struct tacit_mls_group *g, const struct tacit_mls_outgoing *o,
        struct tacit_mls_authenticated *out);
TACIT_MUST_USE enum tacit_err tacit_mls_outgoing_seal(struct tacit_mls_group *g,
        const struct tacit_env *env, const struct tacit_mls_authenticated *a,
        struct tacit_buf *out);
/* Room for one more proposal of so many bytes, and then its place: push takes ownership. Fails:
 * LIMIT, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_mls_cache_reserve(struct tacit_mls_group *g, size_t bytes);
void tacit_mls_cache_push(struct tacit_mls_group *g, struct tacit_mls_cached *c);
TACIT_MUST_USE enum tacit_err tacit_mls_cached_new(const struct tacit_mls_suite *s,
        const struct tacit_mls_authenticated *a, struct tacit_mls_cached **out);
void tacit_mls_cached_free(struct tacit_mls_cached *c);
const struct tacit_mls_cached *tacit_mls_group_find_cached(
        const struct tacit_mls_group *g, struct tacit_bytes reference);
/* A leaf like our present one with the changes; for UPDATE or a path. */
TACIT_MUST_USE enum tacit_err tacit_mls_own_leaf(const struct tacit_mls_group *g,
        const struct tacit_mls_leaf_change *change, struct tacit_mls_leaf_node *out);

#endif
