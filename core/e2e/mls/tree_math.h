/* tree_math.h - the numbering of nodes in a full binary tree kept in an array: RFC 9420 appendix C.
 *
 * Leaf i is node 2 i; the number of leaves is a power of two. Nothing here checks: a parent of the
 * root, a child of a leaf are the caller's mistake. */
#ifndef TACIT_E2E_MLS_TREE_MATH_H
#define TACIT_E2E_MLS_TREE_MATH_H

#include <stdbool.h>
#include <stdint.h>

static inline uint32_t tacit_mls_node_count(uint32_t leaves)
{
	return 2 * leaves - 1;
}

static inline uint32_t tacit_mls_root(uint32_t leaves)
{
	return leaves - 1;
}

static inline bool tacit_mls_is_leaf(uint32_t node)
{
	return (node & 1) == 0;
}

static inline uint32_t tacit_mls_leaf_to_node(uint32_t leaf)
{
	return 2 * leaf;
}

static inline uint32_t tacit_mls_node_to_leaf(uint32_t node)
{
	return node / 2;
}

/* 0 for a leaf; the number of trailing ones otherwise. */
unsigned tacit_mls_level(uint32_t node);
uint32_t tacit_mls_left(uint32_t node);
uint32_t tacit_mls_right(uint32_t node);
uint32_t tacit_mls_parent(uint32_t node);
uint32_t tacit_mls_sibling(uint32_t node);

/* The ancestor of a leaf at a level (0: the leaf's own node). */
uint32_t tacit_mls_ancestor(uint32_t leaf, unsigned level);
/* The level of the lowest common ancestor of two leaves; 0 when they are the same. */
unsigned tacit_mls_common_level(uint32_t leaf_a, uint32_t leaf_b);
/* Is the leaf below (or at) the node? */
bool tacit_mls_covers(uint32_t node, uint32_t leaf);
/* Leaves below a node: the first, and how many. */
uint32_t tacit_mls_first_leaf(uint32_t node);
uint32_t tacit_mls_leaves_below(uint32_t node);

#endif
