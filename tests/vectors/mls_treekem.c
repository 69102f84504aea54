/* mls_treekem.c - treekem.json. */
#include <string.h>

#include "base/alloc.h"
#include "crypto/secret.h"
#include "e2e/mls/treekem.h"
#include "e2e/mls/tree_math.h"
#include "vectors/mls.h"

struct scene {
	const struct tacit_mls_suite *suite;
	const json_t *entry;
	struct tacit_mls_tree *tree;
	struct tacit_mls_tree_keys *keys; /* of each leaf; unused ones are zero */
};

/* RFC 9420 8.1, with no extensions. */
static enum tacit_err write_context(const struct scene *s, struct tacit_buf *out)
{
	uint8_t hash[TACIT_MLS_HASH_MAX_BYTES];
	enum tacit_err err = tacit_mls_tree_hash(s->tree, hash);
	if (err != TACIT_OK)
		return err;
	struct tacit_writer w = tacit_writer(out);
	tacit_write_u16(&w, TACIT_MLS_VERSION_10);
	tacit_write_u16(&w, s->suite->id);
	tacit_mls_write_vec(&w, hex_member(s->entry, "group_id"));
	tacit_write_u64(&w, number_member(s->entry, "epoch"));
	tacit_mls_write_vec(&w, tacit_bytes(hash, s->suite->hash_bytes));
	tacit_mls_write_vec(&w, hex_member(s->entry, "confirmed_transcript_hash"));
	tacit_mls_write_length(&w, 0);
	return tacit_writer_finish(&w);
}

static const json_t *find_private(const struct scene *s, uint32_t leaf)
{
	size_t i;
	const json_t *each;
	MLS_EACH(s->entry, "leaves_private", i, each)
	{
		if (number_member(each, "index") == leaf)
			return each;
	}
	return NULL;
}

/* The private state of a leaf: its key, and those that its path secrets give. */
static const char *load_keys(
        const struct scene *s, const json_t *private, struct tacit_mls_tree_keys *k)
{
	size_t i;
	const json_t *each;
	uint8_t secret[TACIT_MLS_HASH_MAX_BYTES], pk[TACIT_MLS_KEM_PUBLIC_MAX_BYTES];
	struct tacit_bytes sk = hex_member(private, "encryption_priv");
	if (sk.n != s->suite->kem_sk_bytes)
		return "the length of encryption_priv";
	tacit_mls_tree_keys_init(k, s->suite, (uint32_t)number_member(private, "index"), sk.p);
	MLS_EACH(private, "path_secrets", i, each)
	{
		unsigned level = tacit_mls_level((uint32_t)number_member(each, "node"));
		struct tacit_bytes path_secret = hex_member(each, "path_secret");
		if (path_secret.n != s->suite->hash_bytes)
			return "the length of a path_secret";
		if (tacit_mls_derive_secret(s->suite, path_secret.p, TACIT_STR("node"), secret) !=
		                TACIT_OK ||
		        tacit_mls_kem_derive(s->suite, secret, k->sk[level], pk) != TACIT_OK)
			return "a key is not derived";
		k->known |= UINT32_C(1) << level;
	}
	return tacit_mls_tree_keys_check(k, s->tree) == TACIT_OK ? NULL
	                                                         : "private keys and tree differ";
}

struct expected { /* of one path; path_secrets is NULL for a path of our own */
	uint32_t sender;
	const json_t *path_secrets;
	struct tacit_bytes commit_secret;
};

/* One member opens the path; the tree is staged and has it merged. */
static const char *open_as(const struct scene *s, const struct tacit_mls_update_path *path,
        const struct expected *want, const struct tacit_mls_tree_keys *keys)
{
	struct tacit_buf context = {0};
	struct tacit_mls_path_opened got;
	const char *wrong = NULL;
	size_t n = s->suite->hash_bytes;
	if (write_context(s, &context) != TACIT_OK ||
	        tacit_mls_path_open(s->tree, path, want->sender, keys, tacit_buf_view(&context),
	                &got) != TACIT_OK) {
		tacit_buf_clear(&context);
		return "a member cannot open the path";
	}
	if (!tacit_bytes_eq(tacit_bytes(got.commit_secret, n), want->commit_secret))
		wrong = "commit_secret";
	else if (want->path_secrets != NULL &&
	         !is_hex(json_array_get(want->path_secrets, keys->leaf), got.path_secret, n))
		wrong = "path_secrets";
	tacit_mls_path_opened_wipe(&got);
	tacit_buf_clear(&context);
	return wrong;
}

/* Every other member opens the path in the tree that has it. */
static const char *open_as_all(const struct scene *s, const struct tacit_mls_update_path *path,
        const struct expected *want)
{
	const char *wrong = NULL;
	for (uint32_t leaf = 0; leaf < tacit_mls_tree_width(s->tree) && wrong == NULL; leaf++) {
		if (leaf != want->sender && tacit_mls_tree_is_member(s->tree, leaf))
			wrong = open_as(s, path, want, &s->keys[leaf]);
	}
	return wrong;
}

/* Merges a path, lets all open it and puts the tree back. tree_hash may be NULL. */
static const char *process(const struct scene *s, struct tacit_bytes encoded,
        const struct expected *want, const json_t *tree_hash)
{
	struct tacit_mls_update_path path;
	struct tacit_mls_leaf_rules rules = {.suite = s->suite};
	struct tacit_mls_leaf_place place = {hex_member(s->entry, "group_id"), want->sender};
	uint8_t hash[TACIT_MLS_HASH_MAX_BYTES];
	struct tacit_reader r = tacit_reader(encoded);
	tacit_mls_read_update_path(&r, &path);
	if (tacit_reader_end(&r) != TACIT_OK)
		return "the update path is not decoded";
	if (tacit_mls_tree_stage(s->tree) != TACIT_OK)
		return "stage";
	enum tacit_err err = tacit_mls_path_merge(s->tree, &path, &place, &rules);
	const char *wrong = err != TACIT_OK ? tacit_err_name(err) : NULL;
	if (wrong == NULL && tree_hash != NULL &&
	        (tacit_mls_tree_hash(s->tree, hash) != TACIT_OK ||
	                !is_hex(tree_hash, hash, s->suite->hash_bytes)))
		wrong = "tree_hash_after";
	if (wrong == NULL)
		wrong = open_as_all(s, &path, want);
	tacit_mls_tree_drop(s->tree);
	return wrong;
}

/* A path of our own for the same sender, sealed in the tree that has it. */
static const char *make_path(
        const struct scene *s, uint32_t sender, struct tacit_buf *encoded, uint8_t *commit_secret)
{
	struct tacit_env env = mls_env();
	struct tacit_mls_path *path = NULL;
	struct tacit_buf context = {0};
	struct tacit_mls_leaf_node leaf;
	struct tacit_mls_path_options o = {
	        .sender = sender,
	        .group_id = hex_member(s->entry, "group_id"),
	        .signature_sk = hex_member(find_private(s, sender), "signature_priv"),
	        .leaf = &leaf,
	};
	bool made = tacit_mls_tree_leaf(s->tree, sender, &leaf) &&
	            tacit_mls_tree_stage(s->tree) == TACIT_OK &&
	            tacit_mls_path_draft(s->tree, &o, &env, &path) == TACIT_OK &&
	            write_context(s, &context) == TACIT_OK &&
	            tacit_mls_path_seal(path, s->tree, tacit_buf_view(&context), &env, encoded) ==
	                    TACIT_OK &&
	            tacit_mls_tree_keys_check(tacit_mls_path_keys(path), s->tree) == TACIT_OK;
	if (made)
		memcpy(commit_secret, tacit_mls_path_commit_secret(path), s->suite->hash_bytes);
	tacit_mls_tree_drop(s->tree);
	tacit_mls_path_free(path);
	tacit_buf_clear(&context);
	return made ? NULL : "no path of our own";
}

static const char *check_update(const struct scene *s, const json_t *update)
{
	struct tacit_buf ours = {0};
	uint8_t commit_secret[TACIT_MLS_HASH_MAX_BYTES];
	struct expected want = {
	        .sender = (uint32_t)number_member(update, "sender"),
	        .path_secrets = json_object_get(update, "path_secrets"),
	        .commit_secret = hex_member(update, "commit_secret"),
	};
	const char *wrong = process(s, hex_member(update, "update_path"), &want,
	        json_object_get(update, "tree_hash_after"));
	if (wrong == NULL)
		wrong = make_path(s, want.sender, &ours, commit_secret);
	if (wrong == NULL) {
		want.path_secrets = NULL;
		want.commit_secret = tacit_bytes(commit_secret, s->suite->hash_bytes);
		wrong = process(s, tacit_buf_view(&ours), &want, NULL);
	}
	tacit_buf_clear(&ours);
	return wrong;
}

static const char *check_entry(const struct scene *s)
{
	size_t i;
	const json_t *each;
	const char *wrong = NULL;
	MLS_EACH(s->entry, "leaves_private", i, each)
	{
		uint32_t leaf = (uint32_t)number_member(each, "index");
		if (wrong == NULL && leaf >= tacit_mls_tree_width(s->tree))
			wrong = "a leaf that is not there";
		if (wrong == NULL)
			wrong = load_keys(s, each, &s->keys[leaf]);
	}
	MLS_EACH(s->entry, "update_paths", i, each)
	{
		if (wrong == NULL)
			wrong = check_update(s, each);
	}
	return wrong;
}

static const char *check(const json_t *entry, const struct tacit_mls_suite *suite)
{
	struct scene s = {suite, entry, NULL, NULL};
	if (tacit_mls_tree_decode(suite, hex_member(entry, "ratchet_tree"), &s.tree) != TACIT_OK)
		return "ratchet_tree is not decoded";
	uint32_t width = tacit_mls_tree_width(s.tree);
	s.keys = tacit_calloc(width, sizeof(*s.keys));
	const char *wrong = s.keys == NULL ? "out of memory" : check_entry(&s);
	tacit_free(s.keys);
	tacit_mls_tree_free(s.tree);
	return wrong;
}

const struct mls_vectors mls_treekem = {{"ratchet_tree", "leaves_private", "update_paths"}, check};
