/* treekem_commit.c - the committer's side of an update path: RFC 9420 7.4, 7.5. */
#include <string.h>

#include "base/alloc.h"
#include "crypto/secret.h"
#include "e2e/mls/treekem_int.h"

struct tacit_mls_path {
	const struct tacit_mls_suite *suite;
	struct tacit_mls_filtered nodes;
	/* secrets[i] of nodes.levels[i]; secrets[nodes.n] is the commit secret */
	uint8_t secrets[TACIT_MLS_DEPTH_MAX + 1][TACIT_MLS_HASH_MAX_BYTES];
	struct tacit_mls_tree_keys keys;
	struct tacit_buf leaf; /* as signed */
};

struct public_keys {
	uint8_t b[TACIT_MLS_DEPTH_MAX + 1][TACIT_MLS_KEM_PUBLIC_MAX_BYTES]; /* 0: of the leaf */
};

void tacit_mls_path_free(struct tacit_mls_path *p)
{
	if (p == NULL)
		return;
	tacit_buf_clear(&p->leaf);
	tacit_wipe(p, sizeof(*p));
	tacit_free(p);
}

enum tacit_err tacit_mls_path_put_parents(struct tacit_mls_tree *t,
        const struct tacit_mls_filtered *f, const struct tacit_bytes *keys,
        uint8_t leaf_hash[TACIT_MLS_HASH_MAX_BYTES], size_t *leaf_hash_n)
{
	enum tacit_err err = TACIT_OK;
	uint8_t sibling[TACIT_MLS_HASH_MAX_BYTES];
	size_t nh = t->suite->hash_bytes;
	*leaf_hash_n = 0; /* the root's parent hash is empty (7.9) */
	for (size_t i = f->n; i-- > 0;) {
		struct tacit_mls_parent_hash_input in = {
		        .key = keys[i],
		        .parent_hash = tacit_bytes(leaf_hash, *leaf_hash_n),
		        .sibling_tree_hash = tacit_bytes(sibling, nh),
		};
		TRY(tacit_mls_tree_put_parent(
		        t, tacit_mls_filtered_node(f, i), keys[i], in.parent_hash));
		TRY(tacit_mls_tree_node_hash(t, tacit_mls_filtered_copath(f, i), sibling));
		TRY(tacit_mls_parent_hash(t->suite, &in, leaf_hash));
		*leaf_hash_n = nh;
	}
out:
	return err;
}

/* 7.4: fresh secrets and keys for every node of the path. */
static enum tacit_err draw(
        struct tacit_mls_path *p, const struct tacit_env *env, struct public_keys *pks)
{
	enum tacit_err err;
	TRY(tacit_mls_kem_keypair(p->suite, env, p->keys.sk[0], pks->b[0]));
	p->keys.known = 1;
	tacit_env_random(env, p->secrets[0], p->suite->hash_bytes);
	for (size_t i = 0; i < p->nodes.n; i++) {
		unsigned level = p->nodes.levels[i];
		TRY(tacit_mls_path_key_pair(
		        p->suite, p->secrets[i], p->keys.sk[level], pks->b[i + 1]));
		p->keys.known |= UINT32_C(1) << level;
		TRY(tacit_mls_path_next(p->suite, p->secrets[i], p->secrets[i + 1]));
	}
out:
	return err;
}

static enum tacit_err put_leaf(struct tacit_mls_tree *t, struct tacit_mls_path *p,
        const struct tacit_mls_path_options *o, struct tacit_mls_leaf_node *leaf)
{
	enum tacit_err err;
	struct tacit_mls_leaf_place place = {o->group_id, o->sender};
	leaf->source = TACIT_MLS_LEAF_COMMIT;
	TRY(tacit_mls_leaf_node_sign(p->suite, leaf, &place, o->signature_sk, &p->leaf));
	TRY(tacit_mls_leaf_node_decode(tacit_buf_view(&p->leaf), leaf));
	TRY(tacit_mls_tree_put_leaf(t, o->sender, leaf));
out:
	return err;
}

static enum tacit_err draft(struct tacit_mls_tree *t, const struct tacit_mls_path_options *o,
        const struct tacit_env *env, struct tacit_mls_path *p)
{
	enum tacit_err err;
	struct public_keys pks;
	struct tacit_bytes keys[TACIT_MLS_DEPTH_MAX];
	uint8_t leaf_hash[TACIT_MLS_HASH_MAX_BYTES];
	size_t leaf_hash_n, pk_n = t->suite->kem_public_bytes;
	struct tacit_mls_leaf_node leaf = *o->leaf;

	if (!tacit_mls_tree_is_member(t, o->sender))
		TRY(tacit_mls_tree_open_blank(t, o->sender));
	TRY(tacit_mls_tree_blank_above(t, o->sender));
	p->nodes.n = tacit_mls_tree_filtered_path(t, o->sender, p->nodes.levels);
	TRY(draw(p, env, &pks));
	for (size_t i = 0; i < p->nodes.n; i++)
		keys[i] = tacit_bytes(pks.b[i + 1], pk_n);
	TRY(tacit_mls_path_put_parents(t, &p->nodes, keys, leaf_hash, &leaf_hash_n));
	leaf.encryption_key = tacit_bytes(pks.b[0], pk_n);
	leaf.parent_hash = tacit_bytes(leaf_hash, leaf_hash_n);
	TRY(put_leaf(t, p, o, &leaf));
out:
	return err;
}

enum tacit_err tacit_mls_path_draft(struct tacit_mls_tree *t,
        const struct tacit_mls_path_options *o, const struct tacit_env *env,
        struct tacit_mls_path **out)
{
	*out = NULL;
	if (!t->staged)
		return TACIT_E_USAGE;
	struct tacit_mls_path *p = tacit_calloc(1, sizeof(*p));
	if (p == NULL)
		return TACIT_E_NOMEM;
	p->suite = t->suite;
	p->nodes.sender = o->sender;
	p->keys.leaf = o->sender;
	enum tacit_err err = draft(t, o, env, p);
	if (err != TACIT_OK) {
		tacit_mls_path_free(p);
		return err;
	}
	*out = p;
	return TACIT_OK;
}

struct sealing {
	const struct tacit_mls_path *path;
	const struct tacit_mls_tree *tree;
	struct tacit_mls_bound label;
	const struct tacit_env *env;
};

/* HPKECiphertext (7.6) of one path secret for one node. */
static enum tacit_err seal_to(struct sealing *s, size_t i, uint32_t node, struct tacit_writer *w)
{
	const struct tacit_mls_suite *suite = s->path->suite;
	uint8_t enc[TACIT_MLS_KEM_ENC_MAX_BYTES];
	uint8_t sealed[TACIT_MLS_HASH_MAX_BYTES + TACIT_MLS_TAG_BYTES];
	struct tacit_bytes secret = tacit_bytes(s->path->secrets[i], suite->hash_bytes);
	enum tacit_err err =
	        tacit_mls_encrypt_bound(&s->label, tacit_mls_tree_public_key(s->tree, node), secret,
	                s->env, (struct tacit_mls_ciphertext_room){enc, sealed});
	if (err != TACIT_OK)
		return err;
	tacit_mls_write_vec(w, tacit_bytes(enc, suite->kem_enc_bytes));
	tacit_mls_write_vec(w, tacit_bytes(sealed, secret.n + TACIT_MLS_TAG_BYTES));
	return w->err;
}

static enum tacit_err seal_node(
        struct sealing *s, size_t i, struct tacit_mls_nodes *nodes, struct tacit_writer *w)
{
	enum tacit_err err;
	const struct tacit_mls_filtered *f = &s->path->nodes;
	nodes->n = 0;
	TRY(tacit_mls_tree_resolution(s->tree, tacit_mls_filtered_copath(f, i),
	        TACIT_MLS_RESOLUTION_WITHOUT_ADDED, nodes));
	tacit_mls_write_vec(w, tacit_mls_tree_public_key(s->tree, tacit_mls_filtered_node(f, i)));
	size_t begin = tacit_mls_vec_begin(w);
	s->label.keys.expected = nodes->n;
	for (size_t j = 0; j < nodes->n; j++)
		TRY(seal_to(s, i, nodes->p[j], w));
	tacit_mls_vec_end(w, begin);
out:
	return err;
}

enum tacit_err tacit_mls_path_seal(const struct tacit_mls_path *p, const struct tacit_mls_tree *t,
        struct tacit_bytes context, const struct tacit_env *env, struct tacit_buf *out)
{
	enum tacit_err err;
	struct tacit_mls_nodes nodes = {0};
	struct sealing s = {.path = p, .tree = t, .env = env};
	struct tacit_mls_label label = {TACIT_STR("UpdatePathNode"), context};
	size_t before = out->n;
	struct tacit_writer w = tacit_writer(out);
	TRY(tacit_mls_bind(p->suite, label, &s.label));
	tacit_write_raw(&w, tacit_buf_view(&p->leaf));
	size_t begin = tacit_mls_vec_begin(&w);
	for (size_t i = 0; i < p->nodes.n; i++)
		TRY(seal_node(&s, i, &nodes, &w));
	tacit_mls_vec_end(&w, begin);
	TRY(tacit_writer_finish(&w));
out:
	if (err != TACIT_OK)
		out->n = before;
	tacit_mls_bound_clear(&s.label);
	tacit_mls_nodes_clear(&nodes);
	return err;
}

const uint8_t *tacit_mls_path_commit_secret(const struct tacit_mls_path *p)
{
	return p->secrets[p->nodes.n];
}

const struct tacit_mls_tree_keys *tacit_mls_path_keys(const struct tacit_mls_path *p)
{
	return &p->keys;
}

struct tacit_bytes tacit_mls_path_secret_for(const struct tacit_mls_path *p, uint32_t leaf)
{
	unsigned level = tacit_mls_common_level(p->nodes.sender, leaf);
	for (size_t i = 0; i < p->nodes.n; i++) {
		if (p->nodes.levels[i] == level)
			return tacit_bytes(p->secrets[i], p->suite->hash_bytes);
	}
	return tacit_bytes(NULL, 0);
}
