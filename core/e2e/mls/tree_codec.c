/* tree_codec.c - the ratchet_tree extension: RFC 9420 12.4.3.3. */
#include "base/alloc.h"
#include "e2e/mls/tree_int.h"

enum { NODE_LEAF = 1, NODE_PARENT = 2 };

static const struct tacit_mls_unmerged all = {0};

enum tacit_err tacit_mls_tree_encode(const struct tacit_mls_tree *t, struct tacit_buf *out)
{
	struct tacit_writer w = tacit_writer(out);
	uint32_t end = tacit_mls_node_count(t->width);
	while (end > 0 && t->nodes[end - 1].any == NULL)
		end--;
	size_t begin = tacit_mls_vec_begin(&w);
	for (uint32_t x = 0; x < end; x++) {
		union tacit_mls_tree_node node = t->nodes[x];
		tacit_mls_write_optional(&w, node.any != NULL);
		if (node.any == NULL)
			continue;
		if (tacit_mls_is_leaf(x)) {
			tacit_write_u8(&w, NODE_LEAF);
			tacit_write_raw(&w, tacit_bytes(node.leaf->encoded, node.leaf->n));
		} else {
			tacit_write_u8(&w, NODE_PARENT);
			tacit_mls_write_parent(&w, node.parent, all);
		}
	}
	tacit_mls_vec_end(&w, begin);
	return tacit_writer_finish(&w);
}

/* uint32 unmerged_leaves<V>, increasing and below the node (7.1); that they are members is checked
 * when the tree is validated. */
static enum tacit_err read_unmerged(
        struct tacit_reader list, uint32_t node, struct tacit_mls_tree_parent *p)
{
	while (list.rest.n > 0) {
		uint32_t leaf = tacit_read_u32(&list);
		if (!tacit_mls_covers(node, leaf))
			return TACIT_E_MALFORMED;
		if (p->unmerged_n > 0 && p->unmerged[p->unmerged_n - 1] >= leaf)
			return TACIT_E_MALFORMED;
		p->unmerged[p->unmerged_n++] = leaf;
	}
	return list.err;
}

static enum tacit_err read_parent(struct tacit_reader *r, struct tacit_mls_tree *t, uint32_t node)
{
	struct tacit_bytes key = tacit_mls_read_vec(r);
	struct tacit_bytes parent_hash = tacit_mls_read_vec(r);
	struct tacit_bytes list = tacit_mls_read_vec(r);
	if (r->err != TACIT_OK)
		return r->err;
	if (key.n != t->suite->kem_public_bytes || list.n % 4 != 0)
		return TACIT_E_MALFORMED;
	if (parent_hash.n != 0 && parent_hash.n != t->suite->hash_bytes)
		return TACIT_E_MALFORMED;
	if (list.n / 4 > tacit_mls_leaves_below(node))
		return TACIT_E_MALFORMED;
	struct tacit_mls_tree_parent *p =
	        tacit_mls_tree_parent_new(key, parent_hash, (uint32_t)(list.n / 4));
	if (p == NULL)
		return TACIT_E_NOMEM;
	enum tacit_err err = read_unmerged(tacit_reader(list), node, p);
	if (err != TACIT_OK) {
		tacit_mls_tree_node_free(node, (union tacit_mls_tree_node){.parent = p});
		return err;
	}
	return tacit_mls_tree_put(t, node, (union tacit_mls_tree_node){.parent = p});
}

static enum tacit_err read_leaf(struct tacit_reader *r, struct tacit_mls_tree *t, uint32_t node)
{
	struct tacit_mls_leaf_node leaf;
	tacit_mls_read_leaf_node(r, &leaf);
	if (r->err != TACIT_OK)
		return r->err;
	return tacit_mls_tree_put_leaf(t, tacit_mls_node_to_leaf(node), &leaf);
}

/* One entry of the vector. */
static enum tacit_err read_node(struct tacit_reader *r, struct tacit_mls_tree *t, uint32_t node)
{
	if (!tacit_mls_read_optional(r))
		return r->err;
	uint8_t type = tacit_read_u8(r);
	if (r->err != TACIT_OK)
		return r->err;
	if (type != (tacit_mls_is_leaf(node) ? NODE_LEAF : NODE_PARENT))
		return TACIT_E_MALFORMED;
	return type == NODE_LEAF ? read_leaf(r, t, node) : read_parent(r, t, node);
}

static enum tacit_err read_nodes(struct tacit_reader *list, struct tacit_mls_tree *t)
{
	enum tacit_err err = TACIT_OK;
	uint32_t n = 0;
	while (tacit_mls_more(list)) {
		TRY(tacit_mls_tree_reserve(t, n + 1));
		while (tacit_mls_node_count(t->width) < n + 1)
			t->width *= 2;
		TRY(tacit_mls_tree_reserve(t, tacit_mls_node_count(t->width)));
		TRY(read_node(list, t, n));
		/* No key comes twice (7.3). Said at once: many of one key are dear to count. */
		TRY(t->keys.duplicates > 0 ? TACIT_E_EXISTS : TACIT_OK);
		n++;
	}
	if (n == 0 || t->nodes[n - 1].any == NULL)
		return TACIT_E_MALFORMED;
out:
	return err;
}

enum tacit_err tacit_mls_tree_decode(
        const struct tacit_mls_suite *s, struct tacit_bytes encoded, struct tacit_mls_tree **out)
{
	enum tacit_err err;
	struct tacit_mls_tree *t = NULL;
	*out = NULL;
	if (encoded.n > TACIT_MLS_TREE_MAX_BYTES)
		return TACIT_E_TOO_LARGE;
	struct tacit_reader r = tacit_reader(encoded);
	struct tacit_reader list = tacit_mls_read_sub(&r);
	TRY(tacit_reader_end(&r));
	TRY(tacit_mls_tree_new(s, &t));
	TRY(read_nodes(&list, t));
	TRY(tacit_reader_end(&list));
	*out = t;
	t = NULL;
out:
	tacit_mls_tree_free(t);
	return err;
}
