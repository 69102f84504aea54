/* treekem.c - the receiver's side of an update path: RFC 9420 7.5, 7.6, 12.4.2. */
#include "e2e/mls/treekem.h"

#include <string.h>

#include "crypto/secret.h"
#include "e2e/mls/treekem_int.h"

struct path_node { /* UpdatePathNode, 7.6 */
	struct tacit_bytes key;
	struct tacit_bytes ciphertexts; /* content of the vector */
	size_t count;
};

static struct tacit_mls_ciphertext read_ciphertext(struct tacit_reader *r)
{
	struct tacit_mls_ciphertext c = {.kem_output = tacit_mls_read_vec(r)};
	c.sealed = tacit_mls_read_vec(r);
	return c;
}

static struct path_node read_node(struct tacit_reader *r)
{
	struct path_node n = {.key = tacit_mls_read_vec(r)};
	n.ciphertexts = tacit_mls_read_vec(r);
	struct tacit_reader it = tacit_reader(n.ciphertexts);
	for (; tacit_mls_more(&it); n.count++)
		(void)read_ciphertext(&it);
	if (it.err != TACIT_OK)
		tacit_reader_fail(r, it.err);
	return n;
}

void tacit_mls_read_update_path(struct tacit_reader *r, struct tacit_mls_update_path *out)
{
	struct tacit_bytes start = r->rest;
	*out = (struct tacit_mls_update_path){0};
	tacit_mls_read_leaf_node(r, &out->leaf);
	out->nodes = tacit_mls_read_vec(r);
	struct tacit_reader it = tacit_reader(out->nodes);
	for (; tacit_mls_more(&it); out->count++) {
		(void)read_node(&it);
		if (out->count == TACIT_MLS_DEPTH_MAX)
			tacit_reader_fail(&it, TACIT_E_LIMIT);
	}
	if (it.err != TACIT_OK)
		tacit_reader_fail(r, it.err);
	if (r->err != TACIT_OK)
		*out = (struct tacit_mls_update_path){0};
	else
		out->encoded = tacit_bytes(start.p, start.n - r->rest.n);
}

/* The nodes of a path that was read, one by one. */
static void split(const struct tacit_mls_update_path *path, struct path_node *nodes)
{
	struct tacit_reader it = tacit_reader(path->nodes);
	for (size_t i = 0; i < path->count; i++)
		nodes[i] = read_node(&it);
}

/* 12.4.2: usable keys, and none that stands in the tree, the sender's own old ones included. */
static enum tacit_err check_keys(const struct tacit_mls_tree *t,
        const struct tacit_mls_update_path *path, const struct path_node *nodes)
{
	if (tacit_mls_tree_has_encryption_key(t, path->leaf.encryption_key))
		return TACIT_E_EXISTS;
	for (size_t i = 0; i < path->count; i++) {
		enum tacit_err err = tacit_mls_kem_check_public(t->suite, nodes[i].key);
		if (err != TACIT_OK)
			return err;
		if (tacit_mls_tree_has_encryption_key(t, nodes[i].key))
			return TACIT_E_EXISTS;
	}
	return TACIT_OK;
}

/* 7.6: one node for each of the filtered direct path, one ciphertext for each of the resolution. */
static enum tacit_err check_shape(const struct tacit_mls_tree *t,
        const struct tacit_mls_filtered *f, const struct path_node *nodes, size_t count)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_mls_nodes resolution = {0};
	if (f->n != count)
		return TACIT_E_MALFORMED;
	for (size_t i = 0; i < count; i++) {
		resolution.n = 0;
		TRY(tacit_mls_tree_resolution(t, tacit_mls_filtered_copath(f, i),
		        TACIT_MLS_RESOLUTION_WITHOUT_ADDED, &resolution));
		if (resolution.n != nodes[i].count)
			TRY(TACIT_E_MALFORMED);
	}
out:
	tacit_mls_nodes_clear(&resolution);
	return err;
}

enum tacit_err tacit_mls_path_merge(struct tacit_mls_tree *t,
        const struct tacit_mls_update_path *path, const struct tacit_mls_leaf_place *sender,
        const struct tacit_mls_leaf_rules *rules)
{
	enum tacit_err err = TACIT_E_USAGE;
	struct path_node nodes[TACIT_MLS_DEPTH_MAX];
	struct tacit_bytes keys[TACIT_MLS_DEPTH_MAX];
	struct tacit_mls_filtered f = {.sender = sender->index};
	uint8_t leaf_hash[TACIT_MLS_HASH_MAX_BYTES];
	size_t leaf_hash_n;
	if (!t->staged)
		return err;
	if (!tacit_mls_tree_is_member(t, sender->index))
		TRY(tacit_mls_tree_open_blank(t, sender->index));
	split(path, nodes);
	for (size_t i = 0; i < path->count; i++)
		keys[i] = nodes[i].key;
	TRY(tacit_mls_leaf_node_check(&path->leaf, TACIT_MLS_LEAF_COMMIT, rules));
	TRY(check_keys(t, path, nodes));
	TRY(tacit_mls_tree_blank_above(t, sender->index));
	f.n = tacit_mls_tree_filtered_path(t, sender->index, f.levels);
	TRY(check_shape(t, &f, nodes, path->count));
	TRY(tacit_mls_path_put_parents(t, &f, keys, leaf_hash, &leaf_hash_n));
	if (!tacit_bytes_eq(path->leaf.parent_hash, tacit_bytes(leaf_hash, leaf_hash_n)))
		return TACIT_E_MALFORMED;
	TRY(tacit_mls_leaf_node_verify(t->suite, &path->leaf, sender));
	TRY(tacit_mls_tree_put_leaf(t, sender->index, &path->leaf));
	TRY(tacit_mls_tree_check(t));
out:
	return err;
}

void tacit_mls_path_opened_wipe(struct tacit_mls_path_opened *o)
{
	tacit_wipe(o, sizeof(*o));
}

/* Which ciphertext of the resolution is for a key that we hold; its level in *level. */
static bool find_ours(const struct tacit_mls_nodes *resolution,
        const struct tacit_mls_tree_keys *keys, size_t *at, unsigned *level)
{
	for (size_t i = 0; i < resolution->n; i++) {
		unsigned k = tacit_mls_level(resolution->p[i]);
		if (k <= TACIT_MLS_DEPTH_MAX && (keys->known >> k & 1) != 0 &&
		        tacit_mls_ancestor(keys->leaf, k) == resolution->p[i]) {
			*at = i;
			*level = k;
			return true;
		}
	}
	return false;
}

/* 7.5: the path secret of the i-th node, from the one ciphertext that is ours. */
static enum tacit_err decrypt(const struct tacit_mls_tree *t, uint32_t copath,
        const struct path_node *node, const struct tacit_mls_tree_keys *keys,
        struct tacit_bytes context, uint8_t *secret)
{
	enum tacit_err err;
	struct tacit_mls_nodes resolution = {0};
	size_t at;
	unsigned level;
	TRY(tacit_mls_tree_resolution(t, copath, TACIT_MLS_RESOLUTION_WITHOUT_ADDED, &resolution));
	if (!find_ours(&resolution, keys, &at, &level))
		TRY(TACIT_E_NOT_FOUND);
	struct tacit_reader it = tacit_reader(node->ciphertexts);
	struct tacit_mls_ciphertext c = {0};
	for (size_t j = 0; j <= at; j++)
		c = read_ciphertext(&it);
	if (c.sealed.n != t->suite->hash_bytes + TACIT_MLS_TAG_BYTES)
		TRY(TACIT_E_MALFORMED);
	struct tacit_mls_label label = {TACIT_STR("UpdatePathNode"), context};
	TRY(tacit_mls_decrypt(t->suite, keys->sk[level], label, c, secret));
out:
	tacit_mls_nodes_clear(&resolution);
	return err;
}

/* The keys at and above a level make room for new ones. */
static void forget_from(struct tacit_mls_tree_keys *k, unsigned level)
{
	for (unsigned i = level; i <= TACIT_MLS_DEPTH_MAX; i++) {
		k->known &= ~(UINT32_C(1) << i);
		tacit_wipe(k->sk[i], sizeof(k->sk[i]));
	}
}

enum tacit_err tacit_mls_path_open(const struct tacit_mls_tree *t,
        const struct tacit_mls_update_path *path, uint32_t sender,
        const struct tacit_mls_tree_keys *keys, struct tacit_bytes context,
        struct tacit_mls_path_opened *out)
{
	enum tacit_err err = TACIT_E_USAGE;
	struct path_node nodes[TACIT_MLS_DEPTH_MAX];
	struct tacit_mls_filtered f = {.sender = sender};
	size_t n = t->suite->hash_bytes, i = 0;
	*out = (struct tacit_mls_path_opened){.keys = *keys};
	if (sender == keys->leaf || sender >= t->width || keys->leaf >= t->width)
		goto out;
	unsigned common = tacit_mls_common_level(sender, keys->leaf);
	f.n = tacit_mls_tree_filtered_path(t, sender, f.levels);
	while (i < f.n && f.levels[i] != common)
		i++;
	err = TACIT_E_NOT_FOUND;
	if (i == f.n || f.n != path->count)
		goto out;
	split(path, nodes);
	tacit_mls_tree_keys_trim(&out->keys, t);
	forget_from(&out->keys, common);
	TRY(decrypt(t, tacit_mls_filtered_copath(&f, i), &nodes[i], &out->keys, context,
	        out->path_secret));
	memcpy(out->commit_secret, out->path_secret, n);
	TRY(tacit_mls_path_climb(t, &f, i, out->commit_secret, &out->keys));
out:
	if (err != TACIT_OK)
		tacit_mls_path_opened_wipe(out);
	return err;
}
