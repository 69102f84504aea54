/* treekem_int.h - what the two sides of an update path share. */
#ifndef TACIT_E2E_MLS_TREEKEM_INT_H
#define TACIT_E2E_MLS_TREEKEM_INT_H

#include "e2e/mls/tree_int.h"
#include "e2e/mls/treekem.h"

/* 7.4: the key pair of a node from its path secret. */
TACIT_MUST_USE enum tacit_err tacit_mls_path_key_pair(
        const struct tacit_mls_suite *s, const uint8_t *path_secret, uint8_t *sk, uint8_t *pk);
/* The next one up; out may be path_secret itself. */
TACIT_MUST_USE enum tacit_err tacit_mls_path_next(
        const struct tacit_mls_suite *s, const uint8_t *path_secret, uint8_t *out);

/* The nodes of a filtered direct path. */
struct tacit_mls_filtered {
	uint32_t sender;
	size_t n;
	uint8_t levels[TACIT_MLS_DEPTH_MAX];
};
uint32_t tacit_mls_filtered_node(const struct tacit_mls_filtered *f, size_t i);
uint32_t tacit_mls_filtered_copath(const struct tacit_mls_filtered *f, size_t i);

/* 7.5, 7.9: puts keys into the parents of a path, root first; leaf_hash (hash_bytes,
 * TACIT_MLS_HASH_MAX) becomes the parent_hash that the sender's leaf has to have; its length, 0 for
 * an empty path. */
TACIT_MUST_USE enum tacit_err tacit_mls_path_put_parents(struct tacit_mls_tree *t,
        const struct tacit_mls_filtered *f, const struct tacit_bytes *keys,
        uint8_t leaf_hash[TACIT_MLS_HASH_MAX_BYTES], size_t *leaf_hash_n);

/* Derives the keys of path nodes from index i on, compares them with the tree and puts them into k;
 * secret (hash_bytes) is at the end what follows the last. Fails: MALFORMED, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_mls_path_climb(const struct tacit_mls_tree *t,
        const struct tacit_mls_filtered *f, size_t i, uint8_t *secret,
        struct tacit_mls_tree_keys *k);

#endif
