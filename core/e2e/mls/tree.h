/* tree.h - the public ratchet tree of a group: RFC 9420 4, 7.1, 7.7 to 7.9, 12.4.3.
 *
 * All-or-nothing. Between tacit_mls_tree_stage and its end every node that is touched is kept aside
 * first, so that a change costs memory and time for the nodes it touches and not for the tree:
 *
 *     at rest --stage--> staged --keep----> at rest, changed
 *                          |------drop----> at rest, as it was
 *                          '------detach--> at rest, as it was; the changes are a patch, which
 *                                           tacit_mls_tree_apply puts in later (a commit of our own
 *                                           that waits for the server)
 *
 * Two secondary structures make checks cost the same whatever the size: an index over all public
 * keys, and counters of the credential types in use. Tree hashes are kept with the nodes; a change
 * marks those above it. Not thread-safe. Leaves are numbered from 0, nodes as in tree_math.h. */
#ifndef TACIT_E2E_MLS_TREE_H
#define TACIT_E2E_MLS_TREE_H

#include "e2e/mls/leaf_node.h"
#include "e2e/mls/limits.h"

struct tacit_mls_tree;

/* A tree of one blank leaf. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_mls_tree_new(
        const struct tacit_mls_suite *s, struct tacit_mls_tree **out);
void tacit_mls_tree_free(struct tacit_mls_tree *t);

/* The data of a ratchet_tree extension (12.4.3.3), form only: validate it before it is believed.
 * Fails: MALFORMED (a last node that is blank, a leaf in a parent's place, unmerged leaves out of
 * order), EXISTS (a key twice), TRUNCATED, TRAILING, LIMIT, TOO_LARGE, UNSUPPORTED (credential),
 * NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_mls_tree_decode(
        const struct tacit_mls_suite *s, struct tacit_bytes encoded, struct tacit_mls_tree **out);
/* Appends it. On error out is unchanged. Fails: NOMEM, TOO_LARGE. */
TACIT_MUST_USE enum tacit_err tacit_mls_tree_encode(
        const struct tacit_mls_tree *t, struct tacit_buf *out);

/* 7.9.2, 12.4.3.1: everything that is asked of a tree when joining: each leaf (7.3, signatures),
 * parent hashes, unmerged leaves, keys that occur once, credential types.
 * Fails: BAD_SIGNATURE, MALFORMED (structure, parent hashes, keys), UNSUPPORTED, GONE, NOMEM,
 * CRYPTO, and what rules->check_credential says. */
TACIT_MUST_USE enum tacit_err tacit_mls_tree_validate(struct tacit_mls_tree *t,
        struct tacit_bytes group_id, const struct tacit_mls_leaf_rules *rules);
/* The part of 7.3 that concerns all members at once, for after a list of proposals has been applied
 * and after a path has been merged: no public key occurs twice among signature keys or among
 * encryption keys, every credential type in use is supported by everybody. And a limit of ours: it
 * can be decoded again. Constant time. Fails: EXISTS (a key twice), TOO_LARGE, UNSUPPORTED. */
TACIT_MUST_USE enum tacit_err tacit_mls_tree_check(const struct tacit_mls_tree *t);

/* --- Looking --- */

uint32_t tacit_mls_tree_width(const struct tacit_mls_tree *t); /* leaves, a power of two */
uint32_t tacit_mls_tree_members(const struct tacit_mls_tree *t);
/* False when there is no such member. The views live until the leaf is replaced for good. */
bool tacit_mls_tree_leaf(
        const struct tacit_mls_tree *t, uint32_t leaf, struct tacit_mls_leaf_node *out);
bool tacit_mls_tree_is_member(const struct tacit_mls_tree *t, uint32_t leaf);
/* Where the next Add goes (12.1.1): the leftmost blank leaf, or the width when none is blank. */
uint32_t tacit_mls_tree_next_blank(const struct tacit_mls_tree *t);
/* Members by a key of theirs. */
bool tacit_mls_tree_find_signature_key(
        const struct tacit_mls_tree *t, struct tacit_bytes key, uint32_t *leaf);
/* The public key of any node; empty when it is blank or not there. */
struct tacit_bytes tacit_mls_tree_public_key(const struct tacit_mls_tree *t, uint32_t node);
/* Does an encryption key stand at any node? */
bool tacit_mls_tree_has_encryption_key(const struct tacit_mls_tree *t, struct tacit_bytes key);

/* 7.8: the tree hash of a node or of the root, hash_bytes. Costs the nodes changed since it was
 * last asked. Fails: NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_mls_tree_node_hash(
        struct tacit_mls_tree *t, uint32_t node, uint8_t *out);
TACIT_MUST_USE enum tacit_err tacit_mls_tree_hash(struct tacit_mls_tree *t, uint8_t *out);

struct tacit_mls_nodes { /* owned; {0} is empty */
	uint32_t *p;
	size_t n, cap;
};
TACIT_MUST_USE enum tacit_err tacit_mls_nodes_push(struct tacit_mls_nodes *l, uint32_t node);
void tacit_mls_nodes_clear(struct tacit_mls_nodes *l);

enum tacit_mls_resolution {
	TACIT_MLS_RESOLUTION_WHOLE,
	TACIT_MLS_RESOLUTION_WITHOUT_ADDED, /* leaves added in the running stage left out (7.5) */
};
/* 4.1.1: appends the resolution of a node. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_mls_tree_resolution(const struct tacit_mls_tree *t,
        uint32_t node, enum tacit_mls_resolution which, struct tacit_mls_nodes *out);
/* 4.1.2: the levels of the nodes on the filtered direct path of a leaf, lowest first; their number.
 */
size_t tacit_mls_tree_filtered_path(
        const struct tacit_mls_tree *t, uint32_t leaf, uint8_t levels[TACIT_MLS_DEPTH_MAX]);

/* --- Changing --- */

/* One stage at a time (else USAGE). Fails: USAGE. */
TACIT_MUST_USE enum tacit_err tacit_mls_tree_stage(struct tacit_mls_tree *t);
void tacit_mls_tree_keep(struct tacit_mls_tree *t);
/* Puts everything back; does nothing when at rest, so that it may stand at `out:`. */
void tacit_mls_tree_drop(struct tacit_mls_tree *t);

struct tacit_mls_patch; /* the changes of one stage */
/* Fails: NOMEM (and then the stage goes on). */
TACIT_MUST_USE enum tacit_err tacit_mls_tree_detach(
        struct tacit_mls_tree *t, struct tacit_mls_patch **out);
/* Takes the changes over and frees p. The tree must be at rest and as it was when the patch was
 * detached. Fails: CONFLICT (another state, by generation; p stays the caller's). */
TACIT_MUST_USE enum tacit_err tacit_mls_tree_apply(
        struct tacit_mls_tree *t, struct tacit_mls_patch *p);
void tacit_mls_patch_free(struct tacit_mls_patch *p);

/* Inside of a stage. On error the tree is to be dropped. Encoded leaves are copied; they were
 * checked by tacit_mls_leaf_node_check before (only their form is looked at here). */

/* 12.1.1. Fails: LIMIT, NOMEM, and what decoding says. */
TACIT_MUST_USE enum tacit_err tacit_mls_tree_add(
        struct tacit_mls_tree *t, struct tacit_bytes leaf_node, uint32_t *leaf);
/* 12.1.2: replaces and blanks above. Fails: NOT_FOUND, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_mls_tree_update(
        struct tacit_mls_tree *t, uint32_t leaf, struct tacit_bytes leaf_node);
/* 12.1.3: blanks it and what is above, and truncates. Fails: NOT_FOUND, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_mls_tree_remove(struct tacit_mls_tree *t, uint32_t leaf);

#endif
