/* secret_tree_int.h - what secret_tree.c and secret_tree_state.c share.
 *
 * Invariants:
 *  - nodes holds subtree roots, sorted by index; no one is an ancestor of another. A leaf has
 *    either an ancestor (or itself) among the nodes, or a ratchet pair, and never both.
 *  - A chain's secret is that of generation `next`. Every generation below `next` is among the
 *    skipped, was used, or is below `floor`. */
#ifndef TACIT_E2E_MLS_SECRET_TREE_INT_H
#define TACIT_E2E_MLS_SECRET_TREE_INT_H

#include "e2e/mls/secret_tree.h"

struct node {
	uint32_t index;
	uint8_t secret[TACIT_MLS_HASH_MAX_BYTES];
};

struct skipped {
	uint32_t generation;
	uint8_t key[TACIT_MLS_KEY_MAX_BYTES];
	uint8_t nonce[TACIT_MLS_NONCE_BYTES];
};

struct chain {
	uint32_t next;
	uint32_t floor; /* what was passed over below this is forgotten */
	bool exhausted;
	uint8_t secret[TACIT_MLS_HASH_MAX_BYTES];
	struct skipped *skipped; /* ascending */
	size_t skipped_count;
};

struct ratchet {
	uint32_t leaf;
	struct chain chains[2];
};

struct tacit_mls_secret_tree {
	const struct tacit_mls_suite *suite;
	uint32_t leaf_count;
	struct node **nodes;
	size_t node_count, node_cap;
	struct ratchet **ratchets; /* sorted by leaf */
	size_t ratchet_count, ratchet_cap;
};

/* A tree without nodes; leaf_count is rounded up. Fails: LIMIT, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_mls_secret_tree_blank(
        const struct tacit_mls_suite *s, uint32_t leaf_count, struct tacit_mls_secret_tree **out);
/* Room for `more` pointers in a row of pointers. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_mls_row_reserve(
        void *row, size_t count, size_t *cap, size_t more);

#endif
