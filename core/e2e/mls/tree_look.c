/* tree_look.c - what can be asked of a tree without changing it. */
#include "base/alloc.h"
#include "e2e/mls/tree_int.h"

uint32_t tacit_mls_tree_width(const struct tacit_mls_tree *t)
{
	return t->width;
}

uint32_t tacit_mls_tree_members(const struct tacit_mls_tree *t)
{
	return t->members;
}

bool tacit_mls_tree_is_member(const struct tacit_mls_tree *t, uint32_t leaf)
{
	return leaf < t->width && t->nodes[tacit_mls_leaf_to_node(leaf)].any != NULL;
}

bool tacit_mls_tree_leaf(
        const struct tacit_mls_tree *t, uint32_t leaf, struct tacit_mls_leaf_node *out)
{
	*out = (struct tacit_mls_leaf_node){0};
	if (!tacit_mls_tree_is_member(t, leaf))
		return false;
	const struct tacit_mls_tree_leaf *l = t->nodes[tacit_mls_leaf_to_node(leaf)].leaf;
	enum tacit_err err = tacit_mls_leaf_node_decode(tacit_bytes(l->encoded, l->n), out);
	TACIT_ASSERT(err == TACIT_OK); /* it was decoded before it came in */
	return true;
}

bool tacit_mls_tree_find_signature_key(
        const struct tacit_mls_tree *t, struct tacit_bytes key, uint32_t *leaf)
{
	uint32_t node = 0;
	bool found = tacit_mls_keys_find(t, TACIT_MLS_KEY_SIGNATURE, key, &node);
	*leaf = tacit_mls_node_to_leaf(node);
	return found;
}

bool tacit_mls_tree_has_encryption_key(const struct tacit_mls_tree *t, struct tacit_bytes key)
{
	uint32_t node;
	return tacit_mls_keys_find(t, TACIT_MLS_KEY_ENCRYPTION, key, &node);
}

struct tacit_bytes tacit_mls_tree_public_key(const struct tacit_mls_tree *t, uint32_t node)
{
	if (node >= tacit_mls_node_count(t->width) || t->nodes[node].any == NULL)
		return tacit_bytes(NULL, 0);
	return tacit_mls_tree_key(t, node, TACIT_MLS_KEY_ENCRYPTION);
}

enum tacit_err tacit_mls_tree_check(const struct tacit_mls_tree *t)
{
	if (t->keys.duplicates > 0)
		return TACIT_E_EXISTS;
	/* A tree that could not be read again would be lost with the next restart. */
	if (t->bytes + tacit_mls_node_count(t->width) > TACIT_MLS_TREE_MAX_BYTES - 4)
		return TACIT_E_TOO_LARGE;
	for (unsigned i = 0; i < TACIT_MLS_TYPE_BITS; i++) {
		if (t->in_use[i] > 0 && t->lacking[i] > 0)
			return TACIT_E_UNSUPPORTED;
	}
	return TACIT_OK;
}

enum tacit_err tacit_mls_nodes_push(struct tacit_mls_nodes *l, uint32_t node)
{
	if (l->n == l->cap) {
		size_t cap = l->cap > 0 ? 2 * l->cap : 32;
		void *grown = tacit_realloc(l->p, cap * sizeof(*l->p));
		if (grown == NULL)
			return TACIT_E_NOMEM;
		l->p = grown;
		l->cap = cap;
	}
	l->p[l->n++] = node;
	return TACIT_OK;
}

void tacit_mls_nodes_clear(struct tacit_mls_nodes *l)
{
	tacit_free(l->p);
	*l = (struct tacit_mls_nodes){0};
}

static bool wanted(const struct tacit_mls_tree *t, uint32_t leaf, enum tacit_mls_resolution which)
{
	const struct tacit_mls_tree_leaf *l = t->nodes[tacit_mls_leaf_to_node(leaf)].leaf;
	return l != NULL && !(which == TACIT_MLS_RESOLUTION_WITHOUT_ADDED && l->added);
}

enum tacit_err tacit_mls_tree_resolution(const struct tacit_mls_tree *t, uint32_t node,
        enum tacit_mls_resolution which, struct tacit_mls_nodes *out)
{
	enum tacit_err err = TACIT_OK;
	if (tacit_mls_is_leaf(node)) {
		bool in = wanted(t, tacit_mls_node_to_leaf(node), which);
		return in ? tacit_mls_nodes_push(out, node) : TACIT_OK;
	}
	const struct tacit_mls_tree_parent *p = t->nodes[node].parent;
	if (p == NULL) {
		TRY(tacit_mls_tree_resolution(t, tacit_mls_left(node), which, out));
		return tacit_mls_tree_resolution(t, tacit_mls_right(node), which, out);
	}
	TRY(tacit_mls_nodes_push(out, node));
	for (uint32_t i = 0; i < p->unmerged_n; i++) {
		if (wanted(t, p->unmerged[i], which))
			TRY(tacit_mls_nodes_push(out, tacit_mls_leaf_to_node(p->unmerged[i])));
	}
out:
	return err;
}

/* Is anything at or below the node not blank? */
static bool is_populated(const struct tacit_mls_tree *t, uint32_t node)
{
	uint32_t below = tacit_mls_leaves_below(node) - 1;
	for (uint32_t x = node - below; x <= node + below; x++) {
		if (t->nodes[x].any != NULL)
			return true;
	}
	return false;
}

size_t tacit_mls_tree_filtered_path(
        const struct tacit_mls_tree *t, uint32_t leaf, uint8_t levels[TACIT_MLS_DEPTH_MAX])
{
	size_t n = 0;
	for (unsigned k = 1; k <= tacit_mls_tree_depth(t); k++) {
		if (is_populated(t, tacit_mls_sibling(tacit_mls_ancestor(leaf, k - 1))))
			levels[n++] = (uint8_t)k;
	}
	return n;
}

struct tacit_mls_unmerged tacit_mls_unmerged_below(
        const struct tacit_mls_tree_parent *p, uint32_t node)
{
	uint32_t first = tacit_mls_first_leaf(node);
	uint32_t end = first + tacit_mls_leaves_below(node);
	uint32_t from = 0;
	while (from < p->unmerged_n && p->unmerged[from] < first)
		from++;
	uint32_t to = from;
	while (to < p->unmerged_n && p->unmerged[to] < end)
		to++;
	return (struct tacit_mls_unmerged){from < to ? p->unmerged + from : NULL, to - from};
}

bool tacit_mls_unmerged_has(struct tacit_mls_unmerged list, uint32_t leaf)
{
	size_t from = 0, to = list.n;
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		if (list.p[middle] == leaf)
			return true;
		if (list.p[middle] < leaf)
			from = middle + 1;
		else
			to = middle;
	}
	return false;
}
