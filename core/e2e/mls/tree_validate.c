/* tree_validate.c - what a newcomer asks of a tree: RFC 9420 7.3, 7.9.2, 12.4.3.1. */
#include "e2e/mls/tree_int.h"

static enum tacit_err validate_leaf(struct tacit_mls_tree *t, uint32_t leaf,
        struct tacit_bytes group_id, const struct tacit_mls_leaf_rules *rules)
{
	enum tacit_err err;
	struct tacit_mls_leaf_node node;
	struct tacit_mls_leaf_place place = {group_id, leaf};
	if (!tacit_mls_tree_leaf(t, leaf, &node))
		return TACIT_OK;
	TRY(tacit_mls_leaf_node_check(&node, 0, rules));
	TRY(tacit_mls_leaf_node_verify(t->suite, &node, &place));
out:
	return err;
}

/* Each unmerged leaf is a member, and unmerged at the next parent down that is not blank; that one
 * answers for those below it. */
static bool unmerged_fits(const struct tacit_mls_tree *t, uint32_t node)
{
	const struct tacit_mls_tree_parent *p = t->nodes[node].parent;
	for (uint32_t i = 0; i < p->unmerged_n; i++) {
		uint32_t leaf = p->unmerged[i];
		if (!tacit_mls_tree_is_member(t, leaf))
			return false;
		unsigned k = tacit_mls_level(node) - 1;
		while (k > 0 && t->nodes[tacit_mls_ancestor(leaf, k)].any == NULL)
			k--;
		if (k == 0)
			continue;
		const struct tacit_mls_tree_parent *below =
		        t->nodes[tacit_mls_ancestor(leaf, k)].parent;
		struct tacit_mls_unmerged list = {below->unmerged, below->unmerged_n};
		if (!tacit_mls_unmerged_has(list, leaf))
			return false;
	}
	return true;
}

/* 7.9.2: the one node of child's resolution that may have been set together with the parent: the
 * resolution without it is exactly the parent's unmerged leaves below child. */
static bool find_partner(const struct tacit_mls_nodes *resolution,
        struct tacit_mls_unmerged unmerged, uint32_t *partner)
{
	size_t others = 0;
	if (resolution->n != unmerged.n + 1)
		return false;
	for (size_t i = 0; i < resolution->n; i++) {
		uint32_t x = resolution->p[i];
		if (tacit_mls_is_leaf(x) &&
		        tacit_mls_unmerged_has(unmerged, tacit_mls_node_to_leaf(x)))
			continue;
		*partner = x;
		others++;
	}
	return others == 1;
}

static struct tacit_bytes parent_hash_in(const struct tacit_mls_tree *t, uint32_t node)
{
	if (!tacit_mls_is_leaf(node))
		return tacit_mls_tree_parent_hash_of(t->nodes[node].parent);
	struct tacit_mls_leaf_node leaf;
	if (!tacit_mls_tree_leaf(t, tacit_mls_node_to_leaf(node), &leaf))
		return tacit_bytes(NULL, 0);
	return leaf.parent_hash; /* empty unless the source is commit */
}

/* Is node valid by way of child (one of its two)? nodes is for scratch. */
static enum tacit_err valid_by(struct tacit_mls_tree *t, uint32_t node, uint32_t child,
        struct tacit_mls_nodes *nodes, bool *valid)
{
	enum tacit_err err;
	const struct tacit_mls_tree_parent *p = t->nodes[node].parent;
	uint32_t sibling = tacit_mls_sibling(child), partner;
	uint8_t sibling_hash[TACIT_MLS_HASH_MAX_BYTES], hash[TACIT_MLS_HASH_MAX_BYTES];
	size_t n = t->suite->hash_bytes;
	*valid = false;
	nodes->n = 0;
	TRY(tacit_mls_tree_resolution(t, child, TACIT_MLS_RESOLUTION_WHOLE, nodes));
	if (!find_partner(nodes, tacit_mls_unmerged_below(p, child), &partner))
		return TACIT_OK;
	struct tacit_mls_unmerged without = tacit_mls_unmerged_below(p, sibling);
	TRY(tacit_mls_tree_original_hash(t, sibling, without, sibling_hash));
	struct tacit_mls_parent_hash_input in = {
	        .key = tacit_mls_tree_key(t, node, TACIT_MLS_KEY_ENCRYPTION),
	        .parent_hash = tacit_mls_tree_parent_hash_of(p),
	        .sibling_tree_hash = tacit_bytes(sibling_hash, n),
	};
	TRY(tacit_mls_parent_hash(t->suite, &in, hash));
	*valid = tacit_bytes_eq(parent_hash_in(t, partner), tacit_bytes(hash, n));
out:
	return err;
}

/* Every parent is chained to exactly one node below it; from the leaves up that makes chains. */
static enum tacit_err validate_parent(
        struct tacit_mls_tree *t, uint32_t node, struct tacit_mls_nodes *nodes)
{
	enum tacit_err err;
	bool left, right;
	TRY(tacit_mls_kem_check_public(
	        t->suite, tacit_mls_tree_key(t, node, TACIT_MLS_KEY_ENCRYPTION)));
	if (!unmerged_fits(t, node))
		return TACIT_E_MALFORMED;
	TRY(valid_by(t, node, tacit_mls_left(node), nodes, &left));
	TRY(valid_by(t, node, tacit_mls_right(node), nodes, &right));
	if (left == right)
		return TACIT_E_MALFORMED;
out:
	return err;
}

enum tacit_err tacit_mls_tree_validate(struct tacit_mls_tree *t, struct tacit_bytes group_id,
        const struct tacit_mls_leaf_rules *rules)
{
	enum tacit_err err;
	struct tacit_mls_nodes nodes = {0};
	TRY(tacit_mls_tree_check(t));
	for (uint32_t x = 1; x < tacit_mls_node_count(t->width); x += 2) {
		if (t->nodes[x].parent != NULL)
			TRY(validate_parent(t, x, &nodes));
	}
	for (uint32_t leaf = 0; leaf < t->width; leaf++) /* last: signatures are dear */
		TRY(validate_leaf(t, leaf, group_id, rules));
out:
	tacit_mls_nodes_clear(&nodes);
	return err;
}
