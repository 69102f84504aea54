#include "mls_members.h"

#include <string.h>

#include "support/tap.h"
#include "crypto/secret.h"

enum tacit_err mls_member_make(const struct tacit_mls_suite *s, const struct tacit_env *env,
        const struct mls_member_options *o, struct mls_member *m)
{
	enum tacit_err err;
	struct tacit_buf store = {0};
	*m = (struct mls_member){0};
	struct tacit_mls_key_package_options kp = {
	        .suite = s,
	        .signature_sk = tacit_bytes(m->signature_sk, s->signature_sk_bytes),
	        .signature_key = tacit_bytes(m->signature_key, s->signature_public_bytes),
	        .credential = {.type = TACIT_MLS_CREDENTIAL_BASIC, .identity = TACIT_STR("ann")},
	        .lifetime = {1600000000, 1800000000},
	};
	if (o != NULL) {
		kp.credential = o->credential;
		kp.leaf_extensions = o->leaf_extensions;
		kp.extensions = o->extensions;
	}
	TRY(tacit_mls_signature_keypair(s, env, m->signature_sk, m->signature_key));
	TRY(tacit_mls_capabilities_make(
	        o != NULL ? o->support : NULL, env, &store, &kp.capabilities));
	TRY(tacit_mls_key_package_create(&kp, env, &m->package, &m->secrets));
out:
	tacit_buf_clear(&store);
	return err;
}

struct tacit_bytes mls_member_leaf(const struct mls_member *m)
{
	struct tacit_mls_key_package kp;
	tacit_ignore(tacit_mls_key_package_decode(tacit_buf_view(&m->package), &kp),
	        "an empty leaf is refused by what takes it");
	return kp.leaf.encoded;
}

void mls_member_clear(struct mls_member *m)
{
	tacit_buf_clear(&m->package);
	tacit_wipe(m, sizeof(*m));
}

enum tacit_err mls_group_make(struct mls_group *g, const struct tacit_mls_suite *s, uint32_t n)
{
	enum tacit_err err;
	*g = (struct mls_group){.suite = s, .env = tap_env(n), .n = n};
	TRY(tacit_mls_tree_new(s, &g->tree));
	TRY(tacit_mls_tree_stage(g->tree));
	for (uint32_t i = 0; i < n; i++) {
		uint32_t leaf;
		TRY(mls_member_make(s, &g->env, NULL, &g->members[i]));
		TRY(tacit_mls_tree_add(g->tree, mls_member_leaf(&g->members[i]), &leaf));
		tacit_mls_tree_keys_init(&g->keys[i], s, leaf, g->members[i].secrets.encryption_sk);
	}
	tacit_mls_tree_keep(g->tree);
out:
	if (err != TACIT_OK)
		mls_group_clear(g);
	return err;
}

/* Any bytes do for a context as long as both sides have the same: the hash of the tree. */
static enum tacit_err write_context(struct mls_group *g, uint8_t *hash, struct tacit_bytes *context)
{
	*context = tacit_bytes(hash, g->suite->hash_bytes);
	return tacit_mls_tree_hash(g->tree, hash);
}

static enum tacit_err make_path(struct mls_group *g, uint32_t sender, struct tacit_buf *encoded,
        struct tacit_mls_path **path, struct tacit_mls_patch **patch)
{
	enum tacit_err err;
	uint8_t hash[TACIT_MLS_HASH_MAX_BYTES];
	struct tacit_bytes context;
	struct tacit_mls_leaf_node leaf;
	struct mls_member *m = &g->members[sender];
	struct tacit_mls_path_options o = {
	        .sender = sender,
	        .group_id = TACIT_STR("group"),
	        .signature_sk = tacit_bytes(m->signature_sk, g->suite->signature_sk_bytes),
	        .leaf = &leaf,
	};
	if (!tacit_mls_tree_leaf(g->tree, sender, &leaf))
		TRY(tacit_mls_leaf_node_decode(mls_member_leaf(m), &leaf));
	TRY(tacit_mls_tree_stage(g->tree));
	TRY(tacit_mls_path_draft(g->tree, &o, &g->env, path));
	TRY(write_context(g, hash, &context));
	TRY(tacit_mls_path_seal(*path, g->tree, context, &g->env, encoded));
	TRY(tacit_mls_tree_detach(g->tree, patch));
out:
	tacit_mls_tree_drop(g->tree);
	return err;
}

static enum tacit_err open_all(struct mls_group *g, const struct tacit_mls_update_path *path,
        uint32_t sender, const uint8_t *commit_secret)
{
	enum tacit_err err = TACIT_OK;
	uint8_t hash[TACIT_MLS_HASH_MAX_BYTES];
	struct tacit_bytes context;
	TRY(write_context(g, hash, &context));
	for (uint32_t i = 0; i < g->n; i++) {
		struct tacit_mls_path_opened opened;
		if (i == sender || !tacit_mls_tree_is_member(g->tree, i))
			continue;
		TRY(tacit_mls_path_open(g->tree, path, sender, &g->keys[i], context, &opened));
		bool same = tacit_ct_eq(tacit_bytes(opened.commit_secret, g->suite->hash_bytes),
		        tacit_bytes(commit_secret, g->suite->hash_bytes));
		g->keys[i] = opened.keys;
		tacit_mls_path_opened_wipe(&opened);
		if (!same)
			return TACIT_E_USAGE;
		TRY(tacit_mls_tree_keys_check(&g->keys[i], g->tree));
	}
out:
	return err;
}

enum tacit_err mls_group_commit(struct mls_group *g, uint32_t sender, struct tacit_buf *encoded)
{
	enum tacit_err err;
	struct tacit_buf own = {0};
	struct tacit_mls_path *path = NULL;
	struct tacit_mls_patch *patch = NULL;
	struct tacit_mls_update_path received;
	struct tacit_mls_leaf_rules rules = {.suite = g->suite, .now = 1700000000};
	struct tacit_mls_leaf_place place = {TACIT_STR("group"), sender};
	struct tacit_buf *out = encoded != NULL ? encoded : &own;
	uint8_t theirs[TACIT_MLS_HASH_MAX_BYTES], ours[TACIT_MLS_HASH_MAX_BYTES];
	TRY(make_path(g, sender, out, &path, &patch));
	struct tacit_reader r = tacit_reader(tacit_buf_view(out));
	tacit_mls_read_update_path(&r, &received);
	TRY(tacit_reader_end(&r));
	TRY(tacit_mls_tree_stage(g->tree));
	TRY(tacit_mls_path_merge(g->tree, &received, &place, &rules));
	TRY(open_all(g, &received, sender, tacit_mls_path_commit_secret(path)));
	TRY(tacit_mls_tree_hash(g->tree, theirs));
	tacit_mls_tree_drop(g->tree);
	TRY(tacit_mls_tree_apply(g->tree, patch));
	patch = NULL;
	TRY(tacit_mls_tree_hash(g->tree, ours));
	if (!tacit_bytes_eq(tacit_bytes(ours, g->suite->hash_bytes),
	            tacit_bytes(theirs, g->suite->hash_bytes)))
		err = TACIT_E_USAGE;
	g->keys[sender] = *tacit_mls_path_keys(path);
out:
	tacit_mls_tree_drop(g->tree);
	tacit_mls_patch_free(patch);
	tacit_mls_path_free(path);
	tacit_buf_clear(&own);
	return err;
}

void mls_group_clear(struct mls_group *g)
{
	for (uint32_t i = 0; i < MLS_GROUP_MAX; i++) {
		mls_member_clear(&g->members[i]);
		tacit_mls_tree_keys_wipe(&g->keys[i]);
	}
	tacit_mls_tree_free(g->tree);
	g->tree = NULL;
}
