/* treekem.h - update paths: RFC 9420 7.4 to 7.6, and the private side of the tree.
 *
 * Two steps each way, because ciphertexts are bound to a group context that has the hash of the
 * tree after the change in it:
 *
 *     committer: tree_stage, proposals, path_draft, (tree hash -> context) path_seal, keep or
 * detach receiver:  tree_stage, proposals, path_merge, (tree hash -> context) path_open, keep or
 * drop
 *
 * Private keys never change in place: each step gives a new set, and the caller puts it in the
 * place of the old one together with the tree. */
#ifndef TACIT_E2E_MLS_TREEKEM_H
#define TACIT_E2E_MLS_TREEKEM_H

#include "e2e/mls/tree.h"

/* What one member holds: the key of its leaf, and those above that it knows. Plain data: copied by
 * assignment, wiped by tacit_mls_tree_keys_wipe. */
struct tacit_mls_tree_keys {
	uint32_t leaf;
	uint32_t known; /* bit k: sk[k] is the key of the ancestor at level k (0: the leaf) */
	uint8_t sk[TACIT_MLS_DEPTH_MAX + 1][TACIT_MLS_KEM_SK_MAX_BYTES];
};

/* A member with the key of its leaf alone; leaf_sk has kem_sk_bytes. */
void tacit_mls_tree_keys_init(struct tacit_mls_tree_keys *k, const struct tacit_mls_suite *s,
        uint32_t leaf, const uint8_t *leaf_sk);
void tacit_mls_tree_keys_wipe(struct tacit_mls_tree_keys *k);
/* Forgets the keys of nodes that are blank now: after proposals without a path. */
void tacit_mls_tree_keys_trim(struct tacit_mls_tree_keys *k, const struct tacit_mls_tree *t);
/* A new key of the own leaf, when an Update of ours was committed: trims, too. */
void tacit_mls_tree_keys_set_leaf(
        struct tacit_mls_tree_keys *k, const struct tacit_mls_tree *t, const uint8_t *leaf_sk);
/* Does every private key belong to the public key at its node? Fails: MALFORMED. */
TACIT_MUST_USE enum tacit_err tacit_mls_tree_keys_check(
        const struct tacit_mls_tree_keys *k, const struct tacit_mls_tree *t);
/* 12.4.3.1: the keys from a Welcome's path_secret (hash_bytes; empty: none was sent) at the common
 * ancestor with signer and above. k has the leaf's key. Fails: MALFORMED (a key that does not fit
 * the tree), CRYPTO. On error k is unchanged. */
TACIT_MUST_USE enum tacit_err tacit_mls_tree_keys_join(struct tacit_mls_tree_keys *k,
        const struct tacit_mls_tree *t, uint32_t signer, struct tacit_bytes path_secret);

/* For storing: secret bytes. Fails (in r): MALFORMED, TRUNCATED. */
void tacit_mls_write_tree_keys(struct tacit_writer *w, const struct tacit_mls_suite *s,
        const struct tacit_mls_tree_keys *k);
void tacit_mls_read_tree_keys(
        struct tacit_reader *r, const struct tacit_mls_suite *s, struct tacit_mls_tree_keys *k);

/* --- The committer's side --- */

struct tacit_mls_path; /* a path of our own, with its secrets; wiped on free */

struct tacit_mls_path_options {
	uint32_t sender; /* a member; or tacit_mls_tree_next_blank, for an external commit */
	struct tacit_bytes group_id;
	struct tacit_bytes signature_sk;
	/* The new leaf but for encryption_key, source and parent_hash, which are set here. */
	const struct tacit_mls_leaf_node *leaf;
};

/* Draws keys, puts them and a freshly signed leaf into the staged tree.
 * Fails: USAGE (at rest), NOT_FOUND (sender), MALFORMED (signature_sk), TOO_LARGE, LIMIT, CRYPTO,
 * NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_mls_path_draft(struct tacit_mls_tree *t,
        const struct tacit_mls_path_options *o, const struct tacit_env *env,
        struct tacit_mls_path **out);
/* Appends the encoded UpdatePath with the path secrets sealed to everybody but those added in this
 * stage. context is the encoded provisional GroupContext. On error out is unchanged.
 * Fails: MALFORMED (a public key in the tree that is none), TOO_LARGE, CRYPTO, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_mls_path_seal(const struct tacit_mls_path *p,
        const struct tacit_mls_tree *t, struct tacit_bytes context, const struct tacit_env *env,
        struct tacit_buf *out);
const uint8_t *tacit_mls_path_commit_secret(const struct tacit_mls_path *p); /* hash_bytes */
const struct tacit_mls_tree_keys *tacit_mls_path_keys(const struct tacit_mls_path *p);
/* What a Welcome tells a new member: the path secret of the common ancestor, borrowed. */
struct tacit_bytes tacit_mls_path_secret_for(const struct tacit_mls_path *p, uint32_t leaf);
void tacit_mls_path_free(struct tacit_mls_path *p);

/* --- The receiver's side --- */

struct tacit_mls_update_path {
	struct tacit_mls_leaf_node leaf;
	struct tacit_bytes nodes;   /* content of the vector: UpdatePathNode each */
	size_t count;               /* how many */
	struct tacit_bytes encoded; /* all of it */
};

/* Fails (in r): MALFORMED, TRUNCATED, LIMIT, UNSUPPORTED. */
void tacit_mls_read_update_path(struct tacit_reader *r, struct tacit_mls_update_path *out);

/* 12.4.2, 7.5: validates the path and merges it into the staged tree: leaf (7.3, source commit,
 * signature, another encryption key than before), number of nodes and of ciphertexts, no key that
 * stands in the tree already, parent hash, tacit_mls_tree_check. A sender that is no member may
 * only be tacit_mls_tree_next_blank: an external commit; whether one is allowed is the caller's to
 * know. Fails: NOT_FOUND (sender), BAD_SIGNATURE, MALFORMED, EXISTS, UNSUPPORTED, GONE, NOMEM,
 * CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_mls_path_merge(struct tacit_mls_tree *t,
        const struct tacit_mls_update_path *path, const struct tacit_mls_leaf_place *sender,
        const struct tacit_mls_leaf_rules *rules);

struct tacit_mls_path_opened {
	struct tacit_mls_tree_keys keys;                 /* the new set */
	uint8_t commit_secret[TACIT_MLS_HASH_MAX_BYTES]; /* hash_bytes */
	uint8_t path_secret[TACIT_MLS_HASH_MAX_BYTES];   /* the one that was decrypted */
};
void tacit_mls_path_opened_wipe(struct tacit_mls_path_opened *o);

/* After the merge: decrypts and derives. keys are those of before (with our own Update's new leaf
 * key where one was committed). On error *out is wiped.
 * Fails: BAD_SEAL, MALFORMED (a public key that is not derived from its secret), NOT_FOUND (nothing
 * for us: we were added in this stage, or hold no key that it was sealed to), CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_mls_path_open(const struct tacit_mls_tree *t,
        const struct tacit_mls_update_path *path, uint32_t sender,
        const struct tacit_mls_tree_keys *keys, struct tacit_bytes context,
        struct tacit_mls_path_opened *out);

#endif
