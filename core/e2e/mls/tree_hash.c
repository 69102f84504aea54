/* tree_hash.c - tree hashes (RFC 9420 7.8) and parent hashes (7.9). */
#include <string.h>

#include "e2e/mls/tree_int.h"

enum { NODE_LEAF = 1, NODE_PARENT = 2 }; /* NodeType, 7.8 */

void tacit_mls_write_parent(struct tacit_writer *w, const struct tacit_mls_tree_parent *p,
        struct tacit_mls_unmerged without)
{
	tacit_mls_write_vec(w, tacit_bytes(p->bytes, p->key_n));
	tacit_mls_write_vec(w, tacit_mls_tree_parent_hash_of(p));
	size_t begin = tacit_mls_vec_begin(w);
	for (uint32_t i = 0; i < p->unmerged_n; i++) {
		if (!tacit_mls_unmerged_has(without, p->unmerged[i]))
			tacit_write_u32(w, p->unmerged[i]);
	}
	tacit_mls_vec_end(w, begin);
}

static enum tacit_err finish_hash(
        const struct tacit_mls_suite *s, struct tacit_writer *w, uint8_t *out)
{
	enum tacit_err err = tacit_writer_finish(w);
	return err == TACIT_OK ? tacit_mls_hash(s, tacit_buf_view(w->out), out) : err;
}

/* leaf may be NULL: blank. scratch is emptied first. */
static enum tacit_err hash_leaf(const struct tacit_mls_suite *s, uint32_t index,
        const struct tacit_mls_tree_leaf *leaf, struct tacit_buf *scratch, uint8_t *out)
{
	scratch->n = 0;
	struct tacit_writer w = tacit_writer(scratch);
	tacit_write_u8(&w, NODE_LEAF);
	tacit_write_u32(&w, index);
	tacit_mls_write_optional(&w, leaf != NULL);
	if (leaf != NULL)
		tacit_write_raw(&w, tacit_bytes(leaf->encoded, leaf->n));
	return finish_hash(s, &w, out);
}

struct parent_input {
	const struct tacit_mls_tree_parent *parent; /* NULL: blank */
	struct tacit_mls_unmerged without;
	const uint8_t *left, *right;
};

static enum tacit_err hash_parent(const struct tacit_mls_suite *s, const struct parent_input *in,
        struct tacit_buf *scratch, uint8_t *out)
{
	scratch->n = 0;
	struct tacit_writer w = tacit_writer(scratch);
	tacit_write_u8(&w, NODE_PARENT);
	tacit_mls_write_optional(&w, in->parent != NULL);
	if (in->parent != NULL)
		tacit_mls_write_parent(&w, in->parent, in->without);
	tacit_mls_write_vec(&w, tacit_bytes(in->left, s->hash_bytes));
	tacit_mls_write_vec(&w, tacit_bytes(in->right, s->hash_bytes));
	return finish_hash(s, &w, out);
}

static uint8_t *hash_at(struct tacit_mls_tree *t, uint32_t node)
{
	return t->hashes + (size_t)node * t->suite->hash_bytes;
}

/* Recursion as deep as the tree: TACIT_MLS_DEPTH_MAX. */
static enum tacit_err refresh(struct tacit_mls_tree *t, uint32_t node, struct tacit_buf *scratch)
{
	enum tacit_err err;
	if ((t->flags[node] & TACIT_MLS_NODE_HASHED) != 0)
		return TACIT_OK;
	if (tacit_mls_is_leaf(node)) {
		TRY(hash_leaf(t->suite, tacit_mls_node_to_leaf(node), t->nodes[node].leaf, scratch,
		        hash_at(t, node)));
	} else {
		uint32_t left = tacit_mls_left(node), right = tacit_mls_right(node);
		TRY(refresh(t, left, scratch));
		TRY(refresh(t, right, scratch));
		struct parent_input in = {.parent = t->nodes[node].parent,
		        .left = hash_at(t, left),
		        .right = hash_at(t, right)};
		TRY(hash_parent(t->suite, &in, scratch, hash_at(t, node)));
	}
	t->flags[node] |= TACIT_MLS_NODE_HASHED;
out:
	return err;
}

enum tacit_err tacit_mls_tree_node_hash(struct tacit_mls_tree *t, uint32_t node, uint8_t *out)
{
	enum tacit_err err;
	struct tacit_buf scratch = {0};
	if (node >= tacit_mls_node_count(t->width))
		return TACIT_E_NOT_FOUND;
	TRY(refresh(t, node, &scratch));
	memcpy(out, hash_at(t, node), t->suite->hash_bytes);
out:
	tacit_buf_clear(&scratch);
	return err;
}

enum tacit_err tacit_mls_tree_hash(struct tacit_mls_tree *t, uint8_t *out)
{
	return tacit_mls_tree_node_hash(t, tacit_mls_root(t->width), out);
}

/* The part of a sorted list that is below a node. */
static struct tacit_mls_unmerged part_below(struct tacit_mls_unmerged list, uint32_t node)
{
	uint32_t first = tacit_mls_first_leaf(node);
	uint32_t end = first + tacit_mls_leaves_below(node);
	while (list.n > 0 && list.p[0] < first) {
		list.p++;
		list.n--;
	}
	while (list.n > 0 && list.p[list.n - 1] >= end)
		list.n--;
	return list;
}

static enum tacit_err original(struct tacit_mls_tree *t, uint32_t node,
        struct tacit_mls_unmerged without, struct tacit_buf *scratch, uint8_t *out)
{
	enum tacit_err err;
	without = part_below(without, node);
	if (without.n == 0) {
		TRY(refresh(t, node, scratch));
		memcpy(out, hash_at(t, node), t->suite->hash_bytes);
		return TACIT_OK;
	}
	if (tacit_mls_is_leaf(node))
		return hash_leaf(t->suite, tacit_mls_node_to_leaf(node), NULL, scratch, out);
	uint8_t left[TACIT_MLS_HASH_MAX_BYTES], right[TACIT_MLS_HASH_MAX_BYTES];
	TRY(original(t, tacit_mls_left(node), without, scratch, left));
	TRY(original(t, tacit_mls_right(node), without, scratch, right));
	struct parent_input in = {t->nodes[node].parent, without, left, right};
	TRY(hash_parent(t->suite, &in, scratch, out));
out:
	return err;
}

enum tacit_err tacit_mls_tree_original_hash(
        struct tacit_mls_tree *t, uint32_t node, struct tacit_mls_unmerged without, uint8_t *out)
{
	struct tacit_buf scratch = {0};
	enum tacit_err err = original(t, node, without, &scratch, out);
	tacit_buf_clear(&scratch);
	return err;
}

enum tacit_err tacit_mls_parent_hash(
        const struct tacit_mls_suite *s, const struct tacit_mls_parent_hash_input *in, uint8_t *out)
{
	struct tacit_buf scratch = {0};
	struct tacit_writer w = tacit_writer(&scratch);
	tacit_mls_write_vec(&w, in->key);
	tacit_mls_write_vec(&w, in->parent_hash);
	tacit_mls_write_vec(&w, in->sibling_tree_hash);
	enum tacit_err err = finish_hash(s, &w, out);
	tacit_buf_clear(&scratch);
	return err;
}
