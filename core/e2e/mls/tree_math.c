#include "e2e/mls/tree_math.h"

unsigned tacit_mls_level(uint32_t node)
{
	unsigned k = 0;
	while ((node >> k & 1) == 1)
		k++;
	return k;
}

uint32_t tacit_mls_left(uint32_t node)
{
	return node ^ (UINT32_C(1) << (tacit_mls_level(node) - 1));
}

uint32_t tacit_mls_right(uint32_t node)
{
	return node ^ (UINT32_C(3) << (tacit_mls_level(node) - 1));
}

uint32_t tacit_mls_parent(uint32_t node)
{
	unsigned k = tacit_mls_level(node);
	return (node | UINT32_C(1) << k) & ~(UINT32_C(1) << (k + 1));
}

uint32_t tacit_mls_sibling(uint32_t node)
{
	return node ^ (UINT32_C(1) << (tacit_mls_level(node) + 1));
}

uint32_t tacit_mls_ancestor(uint32_t leaf, unsigned level)
{
	return (leaf >> level << (level + 1)) + ((UINT32_C(1) << level) - 1);
}

unsigned tacit_mls_common_level(uint32_t leaf_a, uint32_t leaf_b)
{
	unsigned k = 0;
	while (leaf_a >> k != leaf_b >> k)
		k++;
	return k;
}

uint32_t tacit_mls_first_leaf(uint32_t node)
{
	return (node - (tacit_mls_leaves_below(node) - 1)) / 2;
}

uint32_t tacit_mls_leaves_below(uint32_t node)
{
	return UINT32_C(1) << tacit_mls_level(node);
}

bool tacit_mls_covers(uint32_t node, uint32_t leaf)
{
	uint32_t first = tacit_mls_first_leaf(node);
	return leaf >= first && leaf - first < tacit_mls_leaves_below(node);
}
