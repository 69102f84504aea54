/* tree_int.h - the inside of the ratchet tree, for tree*.c, treekem*.c and their tests.
 *
 * Invariants: nodes beyond the width are NULL; a node whose hash is not known has no ancestor whose
 * hash is; every leaf counts in members, types, keys and bytes, every parent in keys and bytes; a
 * node with TOUCHED has its value from before the stage in saved. Arrays never shrink, so that
 * putting back what was there before needs no memory and cannot fail. */
#ifndef TACIT_E2E_MLS_TREE_INT_H
#define TACIT_E2E_MLS_TREE_INT_H

#include "e2e/mls/tree.h"
#include "e2e/mls/tree_math.h"

struct tacit_mls_tree_leaf {
	uint32_t n;
	uint8_t uses;     /* the bit of its credential's type */
	uint8_t supports; /* the bits of the types that it lists */
	bool added;       /* in the running stage */
	uint8_t encoded[];
};

struct tacit_mls_tree_parent {
	uint32_t *unmerged; /* leaf indices, increasing */
	uint32_t unmerged_n, unmerged_cap;
	uint16_t key_n, hash_n;
	uint8_t bytes[]; /* encryption key, parent hash */
};

union tacit_mls_tree_node {
	struct tacit_mls_tree_leaf *leaf;     /* even nodes */
	struct tacit_mls_tree_parent *parent; /* odd nodes */
	void *any;
};

enum { TACIT_MLS_NODE_HASHED = 1, TACIT_MLS_NODE_TOUCHED = 2 };

struct tacit_mls_saved {
	uint32_t node;
	union tacit_mls_tree_node value;
};

struct tacit_mls_patch {
	struct tacit_mls_saved *saved;
	size_t n, cap;
	uint32_t width;
	uint64_t generation; /* of the tree that it was detached from */
};

enum tacit_mls_key_kind { TACIT_MLS_KEY_ENCRYPTION, TACIT_MLS_KEY_SIGNATURE };

struct tacit_mls_key_entry {
	uint32_t hash;
	uint32_t id; /* 1 + 2 * node + kind; 0: free */
};

struct tacit_mls_key_index { /* open addressing, linear probing, deletion by shifting back */
	struct tacit_mls_key_entry *p;
	uint32_t size, used; /* size is a power of two, or 0 */
	uint32_t duplicates; /* entries minus different keys */
};

enum { TACIT_MLS_TYPE_BITS = 2 }; /* credential types that can be decoded: basic, x509 */

struct tacit_mls_tree {
	const struct tacit_mls_suite *suite;
	union tacit_mls_tree_node *nodes;
	uint8_t *hashes; /* hash_bytes each */
	uint8_t *flags;
	uint32_t capacity; /* of the three, in nodes */
	uint32_t width, members;
	uint32_t blank_hint; /* no leaf below it is blank */
	uint32_t in_use[TACIT_MLS_TYPE_BITS], lacking[TACIT_MLS_TYPE_BITS];
	size_t bytes; /* of the nodes that are not blank, encoded; not less */
	struct tacit_mls_key_index keys;
	bool staged;
	struct tacit_mls_patch stage; /* what was there before, and the width */
	uint64_t generation;
};

/* Room for a tree of so many nodes; the new ones are blank. */
TACIT_MUST_USE enum tacit_err tacit_mls_tree_reserve(struct tacit_mls_tree *t, uint32_t nodes);
/* Puts a value into a node and takes it over, on failure too (it is freed). value.any may be NULL.
 */
TACIT_MUST_USE enum tacit_err tacit_mls_tree_put(
        struct tacit_mls_tree *t, uint32_t node, union tacit_mls_tree_node value);
TACIT_MUST_USE enum tacit_err tacit_mls_tree_put_leaf(
        struct tacit_mls_tree *t, uint32_t leaf, const struct tacit_mls_leaf_node *decoded);
/* A parent without unmerged leaves. */
TACIT_MUST_USE enum tacit_err tacit_mls_tree_put_parent(struct tacit_mls_tree *t, uint32_t node,
        struct tacit_bytes key, struct tacit_bytes parent_hash);
/* All ancestors of a leaf. */
TACIT_MUST_USE enum tacit_err tacit_mls_tree_blank_above(struct tacit_mls_tree *t, uint32_t leaf);
/* Room at tacit_mls_tree_next_blank, for a joiner by external commit. Fails: NOT_FOUND (another
 * leaf), LIMIT, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_mls_tree_open_blank(struct tacit_mls_tree *t, uint32_t leaf);
unsigned tacit_mls_tree_depth(const struct tacit_mls_tree *t);

/* NULL when out of memory. */
struct tacit_mls_tree_parent *tacit_mls_tree_parent_new(
        struct tacit_bytes key, struct tacit_bytes parent_hash, uint32_t unmerged_cap);
void tacit_mls_tree_node_free(uint32_t node, union tacit_mls_tree_node value);
struct tacit_bytes tacit_mls_tree_parent_hash_of(const struct tacit_mls_tree_parent *p);

/* The unmerged leaves of a parent that are below a node: a slice of its list. */
struct tacit_mls_unmerged {
	const uint32_t *p;
	size_t n;
};
struct tacit_mls_unmerged tacit_mls_unmerged_below(
        const struct tacit_mls_tree_parent *p, uint32_t node);
bool tacit_mls_unmerged_has(struct tacit_mls_unmerged list, uint32_t leaf);

/* 7.9: the parent hash of a node with a key and a parent_hash of its own; out has hash_bytes. */
struct tacit_mls_parent_hash_input {
	struct tacit_bytes key, parent_hash, sibling_tree_hash;
};
TACIT_MUST_USE enum tacit_err tacit_mls_parent_hash(const struct tacit_mls_suite *s,
        const struct tacit_mls_parent_hash_input *in, uint8_t *out);
/* 7.9: the tree hash of a node without some of the leaves below it. */
TACIT_MUST_USE enum tacit_err tacit_mls_tree_original_hash(
        struct tacit_mls_tree *t, uint32_t node, struct tacit_mls_unmerged without, uint8_t *out);
/* A ParentNode (7.1), but for the leaves that are left out of its unmerged_leaves. */
void tacit_mls_write_parent(struct tacit_writer *w, const struct tacit_mls_tree_parent *p,
        struct tacit_mls_unmerged without);

/* The key index. Reserve first; the others cannot fail. */
TACIT_MUST_USE enum tacit_err tacit_mls_keys_reserve(struct tacit_mls_key_index *k, uint32_t more);
void tacit_mls_keys_insert(struct tacit_mls_tree *t, uint32_t node, enum tacit_mls_key_kind kind);
void tacit_mls_keys_delete(struct tacit_mls_tree *t, uint32_t node, enum tacit_mls_key_kind kind);
bool tacit_mls_keys_find(const struct tacit_mls_tree *t, enum tacit_mls_key_kind kind,
        struct tacit_bytes key, uint32_t *node);
struct tacit_bytes tacit_mls_tree_key(
        const struct tacit_mls_tree *t, uint32_t node, enum tacit_mls_key_kind kind);

#endif
