/* mls_path.c - update paths that their sender has signed and that are wrong all the same: RFC 9420
 * 7.3, 7.5, 7.9.2, 12.4.2. A changed byte would be found by the signature; here there is none. */
#include <string.h>

#include "crypto/secret.h"
#include "e2e/mls/treekem_int.h"
#include "mls_members.h"
#include "support/tap.h"

enum { MEMBERS = 4, NODES = 2, SENDER = 0 };

static struct mls_group group;
static struct tacit_buf tree; /* before the path */
static struct tacit_buf good; /* the path */

static const struct tacit_mls_suite *suite(void)
{
	return tacit_mls_suite_find(TACIT_MLS_X25519_AES128_ED25519);
}

static bool set_up(void)
{
	bool ok = CHECK_OK(mls_group_make(&group, suite(), MEMBERS));
	for (uint32_t i = 0; i < MEMBERS && ok; i++)
		ok = CHECK_OK(mls_group_commit(&group, i, NULL));
	return ok && CHECK_OK(tacit_mls_tree_encode(group.tree, &tree)) &&
	       CHECK_OK(mls_group_commit(&group, SENDER, &good));
}

static void tear_down(void)
{
	mls_group_clear(&group);
	tacit_buf_clear(&tree);
	tacit_buf_clear(&good);
}

/* What is different from the good path; {0}: nothing. */
struct forgery {
	struct tacit_bytes leaf_key, signature_key, credentials, keys[NODES];
	enum tacit_mls_leaf_source source;
	const struct mls_member *signer;
	bool wrong_parent_hash, elsewhere; /* elsewhere: signed for another leaf */
	size_t first, last;                /* nodes left out at either end */
	enum { AS_MANY, ONE_MORE, NONE } ciphertexts;
};

struct parts {
	struct tacit_mls_update_path path;
	struct tacit_bytes keys[NODES], ciphertexts[NODES];
};

static bool take_apart(struct parts *p)
{
	struct tacit_reader r = tacit_reader(tacit_buf_view(&good));
	tacit_mls_read_update_path(&r, &p->path);
	bool ok = CHECK_OK(tacit_reader_end(&r)) && CHECK_INT(p->path.count, NODES);
	struct tacit_reader it = tacit_reader(p->path.nodes);
	for (size_t i = 0; i < NODES && ok; i++) {
		p->keys[i] = tacit_mls_read_vec(&it);
		p->ciphertexts[i] = tacit_mls_read_vec(&it);
	}
	return ok && CHECK_OK(tacit_reader_end(&it));
}

/* The parent hash that belongs to these keys. */
static void hash_parents(
        const struct tacit_bytes *keys, uint8_t hash[TACIT_MLS_HASH_MAX_BYTES], size_t *n)
{
	struct tacit_mls_tree *t = NULL;
	struct tacit_mls_filtered f = {.sender = SENDER};
	*n = 0;
	REQUIRE(CHECK_OK(tacit_mls_tree_decode(suite(), tacit_buf_view(&tree), &t)));
	CHECK_OK(tacit_mls_tree_stage(t));
	CHECK_OK(tacit_mls_tree_blank_above(t, SENDER));
	f.n = tacit_mls_tree_filtered_path(t, SENDER, f.levels);
	CHECK_OK(tacit_mls_path_put_parents(t, &f, keys, hash, n));
	tacit_mls_tree_free(t);
}

static void write_leaf(const struct parts *p, const struct forgery *f, struct tacit_buf *out)
{
	size_t hash_n;
	uint8_t hash[TACIT_MLS_HASH_MAX_BYTES];
	const struct mls_member *signer = f->signer != NULL ? f->signer : &group.members[SENDER];
	struct tacit_mls_leaf_place place = {TACIT_STR("group"), f->elsewhere ? 1 : SENDER};
	struct tacit_mls_leaf_node leaf = p->path.leaf;
	hash_parents(p->keys, hash, &hash_n);
	hash[0] ^= f->wrong_parent_hash;
	leaf.parent_hash = tacit_bytes(hash, hash_n);
	if (f->leaf_key.n > 0)
		leaf.encryption_key = f->leaf_key;
	if (f->signature_key.n > 0)
		leaf.signature_key = f->signature_key;
	if (f->credentials.n > 0)
		leaf.capabilities.credentials.encoded = f->credentials;
	if (f->source != 0)
		leaf.source = f->source;
	CHECK_OK(tacit_mls_leaf_node_sign(suite(), &leaf, &place,
	        tacit_bytes(signer->signature_sk, suite()->signature_sk_bytes), out));
}

static void write_path(const struct forgery *f, struct tacit_buf *out)
{
	struct parts p;
	REQUIRE(take_apart(&p));
	for (size_t i = 0; i < NODES; i++)
		if (f->keys[i].n > 0)
			p.keys[i] = f->keys[i];
	write_leaf(&p, f, out);
	struct tacit_writer w = tacit_writer(out);
	size_t begin = tacit_mls_vec_begin(&w);
	for (size_t i = f->first; i < NODES - f->last; i++) {
		tacit_mls_write_vec(&w, p.keys[i]);
		size_t list = tacit_mls_vec_begin(&w);
		size_t copies = f->ciphertexts == NONE ? 0 : f->ciphertexts == ONE_MORE ? 2 : 1;
		for (size_t k = 0; k < copies; k++)
			tacit_write_raw(&w, p.ciphertexts[i]);
		tacit_mls_vec_end(&w, list);
	}
	tacit_mls_vec_end(&w, begin);
	CHECK_OK(tacit_writer_finish(&w));
}

static void judged(const struct forgery *f, enum tacit_err want)
{
	struct tacit_buf forged = {0};
	struct tacit_mls_tree *t = NULL;
	struct tacit_mls_update_path path;
	struct tacit_mls_leaf_rules rules = {.suite = suite()};
	struct tacit_mls_leaf_place place = {TACIT_STR("group"), SENDER};
	write_path(f, &forged);
	struct tacit_reader r = tacit_reader(tacit_buf_view(&forged));
	tacit_mls_read_update_path(&r, &path);
	CHECK_OK(tacit_reader_end(&r));
	REQUIRE(CHECK_OK(tacit_mls_tree_decode(suite(), tacit_buf_view(&tree), &t)));
	CHECK_OK(tacit_mls_tree_stage(t));
	enum tacit_err err = tacit_mls_path_merge(t, &path, &place, &rules);
	CHECK_ERR(err, want);
	tacit_mls_tree_free(t);
	tacit_buf_clear(&forged);
}

/* In the tree before the path. */
static struct tacit_bytes key_at(uint32_t node)
{
	static uint8_t keys[2 * MEMBERS][32];
	struct tacit_mls_tree *t = NULL;
	if (CHECK_OK(tacit_mls_tree_decode(suite(), tacit_buf_view(&tree), &t)))
		memcpy(keys[node], tacit_mls_tree_public_key(t, node).p, sizeof(keys[node]));
	tacit_mls_tree_free(t);
	return tacit_bytes(keys[node], sizeof(keys[node]));
}

static void leaves(void)
{
	static const uint8_t none[32], x509[] = {0, TACIT_MLS_CREDENTIAL_X509};
	REQUIRE(set_up());
	judged(&(struct forgery){0}, TACIT_OK);
	judged(&(struct forgery){.wrong_parent_hash = true}, TACIT_E_MALFORMED);
	judged(&(struct forgery){.elsewhere = true}, TACIT_E_BAD_SIGNATURE);
	judged(&(struct forgery){.signer = &group.members[1]}, TACIT_E_BAD_SIGNATURE);
	judged(&(struct forgery){.source = TACIT_MLS_LEAF_UPDATE}, TACIT_E_MALFORMED);
	judged(&(struct forgery){.leaf_key = tacit_bytes(none, 32)}, TACIT_E_MALFORMED);
	judged(&(struct forgery){.leaf_key = tacit_bytes(none, 31)}, TACIT_E_MALFORMED);
	judged(&(struct forgery){.leaf_key = key_at(0)}, TACIT_E_EXISTS); /* its own old one */
	judged(&(struct forgery){.leaf_key = key_at(4)}, TACIT_E_EXISTS);
	judged(&(struct forgery){.leaf_key = key_at(5)}, TACIT_E_EXISTS); /* of a parent */
	judged(&(struct forgery){.credentials = tacit_bytes(x509, sizeof(x509))},
	        TACIT_E_UNSUPPORTED);
	struct tacit_bytes other = tacit_bytes(group.members[1].signature_key, 32);
	judged(&(struct forgery){.signature_key = other, .signer = &group.members[1]},
	        TACIT_E_EXISTS);
	tear_down();
}

static void nodes(void)
{
	static const uint8_t none[32], fresh[32] = {9};
	REQUIRE(set_up());
	struct tacit_bytes new = tacit_bytes(fresh, 32);
	judged(&(struct forgery){.keys = {{0}, new}}, TACIT_OK);
	judged(&(struct forgery){.keys = {new, new}}, TACIT_E_EXISTS);
	judged(&(struct forgery){.keys = {new}, .leaf_key = new}, TACIT_E_EXISTS);
	judged(&(struct forgery){.keys = {tacit_bytes(none, 32)}}, TACIT_E_MALFORMED);
	judged(&(struct forgery){.keys = {{0}, tacit_bytes(none, 32)}}, TACIT_E_MALFORMED);
	judged(&(struct forgery){.keys = {key_at(6)}}, TACIT_E_EXISTS);
	judged(&(struct forgery){.keys = {{0}, key_at(3)}}, TACIT_E_EXISTS); /* the old root's */
	judged(&(struct forgery){.keys = {{0}, key_at(5)}}, TACIT_E_EXISTS);
	judged(&(struct forgery){.first = 1}, TACIT_E_MALFORMED);
	judged(&(struct forgery){.last = 1}, TACIT_E_MALFORMED);
	judged(&(struct forgery){.last = NODES}, TACIT_E_MALFORMED);
	judged(&(struct forgery){.ciphertexts = ONE_MORE}, TACIT_E_MALFORMED);
	judged(&(struct forgery){.ciphertexts = NONE}, TACIT_E_MALFORMED);
	tear_down();
}

/* 12.4.3.1: a newcomer is told of one who is not there, at a parent that is chained on its other
 * side, where no hash shows it. */
static void unmerged_leaves(void)
{
	enum { ROOT = 7, BLANK = 6 };
	struct mls_group g;
	struct tacit_mls_leaf_rules rules = {.suite = suite()};
	REQUIRE(CHECK_OK(mls_group_make(&g, suite(), 5)));
	for (uint32_t i = 5; i > 0; i--)
		CHECK_OK(mls_group_commit(&g, i - 1, NULL));
	CHECK_OK(tacit_mls_tree_validate(g.tree, TACIT_STR("group"), &rules));
	CHECK_INT(tacit_mls_root(tacit_mls_tree_width(g.tree)), ROOT);
	const struct tacit_mls_tree_parent *root = g.tree->nodes[ROOT].parent;
	struct tacit_mls_tree_parent *lying =
	        tacit_mls_tree_parent_new(tacit_bytes(root->bytes, root->key_n),
	                tacit_bytes(root->bytes + root->key_n, root->hash_n), 1);
	REQUIRE(CHECK(lying != NULL));
	lying->unmerged[0] = BLANK;
	lying->unmerged_n = 1;
	CHECK_OK(tacit_mls_tree_stage(g.tree));
	CHECK_OK(tacit_mls_tree_put(g.tree, ROOT, (union tacit_mls_tree_node){.parent = lying}));
	CHECK_ERR(tacit_mls_tree_validate(g.tree, TACIT_STR("group"), &rules), TACIT_E_MALFORMED);
	mls_group_clear(&g);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"the leaf of a false path", leaves},
	        {"the nodes of a false path", nodes},
	        {"an unmerged leaf that is none", unmerged_leaves},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
