/* mls_tree.c - the ratchet tree and update paths: what fits, what is refused, what is taken back.
 */
#include <string.h>

#include "support/tap.h"
#include "crypto/secret.h"
#include "e2e/mls/tree_math.h"
#include "mls_members.h"

static const struct tacit_mls_suite *suite(void)
{
	return tacit_mls_suite_find(TACIT_MLS_X25519_AES128_ED25519);
}

static void hash_of(struct tacit_mls_tree *t, uint8_t out[TACIT_MLS_HASH_MAX_BYTES])
{
	memset(out, 0, TACIT_MLS_HASH_MAX_BYTES);
	CHECK_OK(tacit_mls_tree_hash(t, out));
}

static bool same_hash(struct tacit_mls_tree *t, const uint8_t *want)
{
	uint8_t got[TACIT_MLS_HASH_MAX_BYTES];
	hash_of(t, got);
	return tacit_bytes_eq(tacit_bytes(got, sizeof(got)), tacit_bytes(want, sizeof(got)));
}

static enum tacit_err validate(struct tacit_mls_tree *t)
{
	struct tacit_mls_leaf_rules rules = {.suite = suite(), .now = 1700000000};
	return tacit_mls_tree_validate(t, TACIT_STR("group"), &rules);
}

static void numbering(void)
{
	CHECK_INT(tacit_mls_level(7), 3);
	CHECK_INT(tacit_mls_ancestor(5, 0), 10);
	CHECK_INT(tacit_mls_ancestor(5, 2), 11);
	CHECK_INT(tacit_mls_common_level(4, 7), 2);
	CHECK_INT(tacit_mls_common_level(3, 3), 0);
	CHECK(tacit_mls_covers(11, 4) && tacit_mls_covers(11, 7));
	CHECK(!tacit_mls_covers(11, 3) && !tacit_mls_covers(11, 8));
	CHECK_INT(tacit_mls_first_leaf(11), 4);
}

/* Every member commits once: all agree, and the tree is one that a newcomer would accept. */
static void everybody_commits(void)
{
	for (uint32_t n = 1; n <= 9; n++) {
		struct mls_group g;
		REQUIRE(CHECK_OK(mls_group_make(&g, suite(), n)));
		for (uint32_t i = 0; i < n; i++)
			CHECK_OK(mls_group_commit(&g, i, NULL));
		CHECK_OK(validate(g.tree));
		CHECK_INT(tacit_mls_tree_members(g.tree), n);
		mls_group_clear(&g);
	}
}

static void every_suite(void)
{
	size_t count;
	const struct tacit_mls_suite *suites = tacit_mls_suites(&count);
	for (size_t i = 0; i < count; i++) {
		struct mls_group g;
		REQUIRE(CHECK_OK(mls_group_make(&g, &suites[i], 3)));
		CHECK_OK(mls_group_commit(&g, 1, NULL));
		CHECK_OK(mls_group_commit(&g, 2, NULL));
		struct tacit_mls_leaf_rules rules = {.suite = &suites[i]};
		CHECK_OK(tacit_mls_tree_validate(g.tree, TACIT_STR("group"), &rules));
		mls_group_clear(&g);
	}
}

static void remove_leaf(struct mls_group *g, uint32_t leaf)
{
	CHECK_OK(tacit_mls_tree_stage(g->tree));
	CHECK_OK(tacit_mls_tree_remove(g->tree, leaf));
	tacit_mls_tree_keep(g->tree);
	for (uint32_t i = 0; i < g->n; i++)
		tacit_mls_tree_keys_trim(&g->keys[i], g->tree);
}

static void members_leave_and_the_tree_shrinks(void)
{
	struct mls_group g;
	REQUIRE(CHECK_OK(mls_group_make(&g, suite(), 9)));
	CHECK_OK(mls_group_commit(&g, 0, NULL));
	CHECK_INT(tacit_mls_tree_width(g.tree), 16);
	remove_leaf(&g, 8);
	CHECK_INT(tacit_mls_tree_width(g.tree), 8);
	remove_leaf(&g, 2);
	CHECK_OK(mls_group_commit(&g, 5, NULL));
	CHECK_INT(tacit_mls_tree_next_blank(g.tree), 2);
	CHECK_OK(validate(g.tree));
	for (uint32_t i = 3; i < 8; i++)
		remove_leaf(&g, i);
	CHECK_INT(tacit_mls_tree_width(g.tree), 2);
	CHECK_OK(mls_group_commit(&g, 1, NULL));
	CHECK_OK(tacit_mls_tree_stage(g.tree));
	CHECK_ERR(tacit_mls_tree_remove(g.tree, 2), TACIT_E_NOT_FOUND);
	tacit_mls_tree_drop(g.tree);
	mls_group_clear(&g);
}

/* A member added after a commit is unmerged, is not sealed to in its own commit, and is from then
 * on; its Welcome's path secret gives it the keys above. */
static void newcomer(void)
{
	struct mls_group g;
	struct mls_member *new = &g.members[5];
	struct tacit_mls_path *path = NULL;
	uint32_t leaf;
	REQUIRE(CHECK_OK(mls_group_make(&g, suite(), 5)));
	CHECK_OK(mls_group_commit(&g, 0, NULL));
	CHECK_OK(mls_member_make(suite(), &g.env, NULL, new));
	CHECK_OK(tacit_mls_tree_stage(g.tree));
	CHECK_OK(tacit_mls_tree_add(g.tree, mls_member_leaf(new), &leaf));
	CHECK_INT(leaf, 5);
	struct tacit_mls_nodes nodes = {0};
	uint32_t root = tacit_mls_root(tacit_mls_tree_width(g.tree));
	CHECK_OK(tacit_mls_tree_resolution(g.tree, root, TACIT_MLS_RESOLUTION_WHOLE, &nodes));
	CHECK(nodes.n == 2 && nodes.p[0] == root && nodes.p[1] == 10);
	nodes.n = 0;
	CHECK_OK(tacit_mls_tree_resolution(
	        g.tree, root, TACIT_MLS_RESOLUTION_WITHOUT_ADDED, &nodes));
	CHECK_INT(nodes.n, 1);
	tacit_mls_nodes_clear(&nodes);

	struct tacit_mls_leaf_node own;
	CHECK(tacit_mls_tree_leaf(g.tree, 1, &own));
	struct tacit_mls_path_options o = {1, TACIT_STR("group"),
	        tacit_bytes(g.members[1].signature_sk, suite()->signature_sk_bytes), &own};
	CHECK_OK(tacit_mls_path_draft(g.tree, &o, &g.env, &path));
	tacit_mls_tree_keep(g.tree);
	CHECK_OK(validate(g.tree));
	struct tacit_mls_tree_keys keys;
	struct tacit_bytes secret = tacit_mls_path_secret_for(path, 5);
	tacit_mls_tree_keys_init(&keys, suite(), 5, new->secrets.encryption_sk);
	const uint8_t wrong[32] = {1};
	CHECK_ERR(tacit_mls_tree_keys_join(&keys, g.tree, 1, tacit_bytes(wrong, 32)),
	        TACIT_E_MALFORMED);
	CHECK_ERR(tacit_mls_tree_keys_join(&keys, g.tree, 5, secret), TACIT_E_MALFORMED);
	CHECK_INT(keys.known, 1);
	CHECK_OK(tacit_mls_tree_keys_join(&keys, g.tree, 1, secret));
	CHECK_INT(keys.known, 1 | 1 << 3);
	CHECK_OK(tacit_mls_tree_keys_check(&keys, g.tree));
	keys.sk[3][0] ^= 8;
	CHECK_ERR(tacit_mls_tree_keys_check(&keys, g.tree), TACIT_E_MALFORMED);
	tacit_mls_tree_keys_wipe(&keys);
	tacit_mls_path_free(path);
	mls_group_clear(&g);
}

/* Somebody from outside takes the next blank leaf with a path of their own (12.4.3.2). */
static void external_joiner(void)
{
	struct mls_group g;
	REQUIRE(CHECK_OK(mls_group_make(&g, suite(), 4)));
	CHECK_OK(mls_group_commit(&g, 3, NULL));
	CHECK_OK(mls_member_make(suite(), &g.env, NULL, &g.members[4]));
	CHECK_ERR(mls_group_commit(&g, 5, NULL), TACIT_E_TRUNCATED); /* no leaf to start from */
	CHECK_OK(mls_group_commit(&g, 4, NULL));
	CHECK_INT(tacit_mls_tree_width(g.tree), 8);
	CHECK_INT(tacit_mls_tree_members(g.tree), 5);
	CHECK_OK(validate(g.tree));
	g.n = 5;
	CHECK_OK(mls_group_commit(&g, 2, NULL));
	mls_group_clear(&g);
}

static void changes_are_taken_back(void)
{
	struct mls_group g;
	struct tacit_mls_patch *patch = NULL;
	struct tacit_buf before = {0}, after = {0};
	uint8_t hash[TACIT_MLS_HASH_MAX_BYTES];
	uint32_t leaf;
	REQUIRE(CHECK_OK(mls_group_make(&g, suite(), 8)));
	CHECK_OK(mls_group_commit(&g, 4, NULL));
	hash_of(g.tree, hash);
	CHECK_OK(tacit_mls_tree_encode(g.tree, &before));
	CHECK_OK(mls_member_make(suite(), &g.env, NULL, &g.members[8]));

	CHECK_OK(tacit_mls_tree_stage(g.tree));
	CHECK_ERR(tacit_mls_tree_stage(g.tree), TACIT_E_USAGE);
	CHECK_OK(tacit_mls_tree_remove(g.tree, 1));
	CHECK_OK(tacit_mls_tree_update(g.tree, 2, mls_member_leaf(&g.members[1])));
	CHECK_OK(tacit_mls_tree_add(g.tree, mls_member_leaf(&g.members[8]), &leaf));
	CHECK_INT(leaf, 1);
	CHECK_OK(tacit_mls_tree_add(g.tree, mls_member_leaf(&g.members[2]), &leaf));
	CHECK_INT(leaf, 8);
	CHECK(!same_hash(g.tree, hash));
	CHECK_OK(tacit_mls_tree_detach(g.tree, &patch));
	CHECK(same_hash(g.tree, hash));
	CHECK_INT(tacit_mls_tree_width(g.tree), 8);
	CHECK_OK(tacit_mls_tree_encode(g.tree, &after));
	CHECK_BYTES(tacit_buf_view(&after), tacit_buf_view(&before));
	CHECK_OK(mls_group_commit(&g, 0, NULL)); /* somebody else was first */
	CHECK_ERR(tacit_mls_tree_apply(g.tree, patch), TACIT_E_CONFLICT);
	tacit_mls_patch_free(patch);
	CHECK_OK(validate(g.tree));
	CHECK(tacit_mls_tree_find_signature_key(
	        g.tree, tacit_bytes(g.members[6].signature_key, 32), &leaf));
	CHECK_INT(leaf, 6);
	CHECK(!tacit_mls_tree_find_signature_key(
	        g.tree, tacit_bytes(g.members[8].signature_key, 32), &leaf));
	tacit_buf_clear(&before);
	tacit_buf_clear(&after);
	mls_group_clear(&g);
}

static void nobody_is_in_twice(void)
{
	struct mls_group g;
	uint32_t leaf;
	REQUIRE(CHECK_OK(mls_group_make(&g, suite(), 3)));
	CHECK_OK(tacit_mls_tree_stage(g.tree));
	CHECK_OK(tacit_mls_tree_add(g.tree, mls_member_leaf(&g.members[1]), &leaf));
	CHECK_ERR(tacit_mls_tree_check(g.tree), TACIT_E_EXISTS);
	CHECK_ERR(validate(g.tree), TACIT_E_EXISTS);
	CHECK_OK(tacit_mls_tree_remove(g.tree, 1)); /* and then it is once again once */
	CHECK_OK(tacit_mls_tree_check(g.tree));
	tacit_mls_tree_drop(g.tree);
	CHECK_OK(tacit_mls_tree_check(g.tree));
	mls_group_clear(&g);
}

/* The leaf of a member who knows basic credentials alone. */
static void make_simple(const struct tacit_env *env, struct mls_member *m, struct tacit_buf *out)
{
	static const uint8_t basic[] = {0, TACIT_MLS_CREDENTIAL_BASIC};
	struct tacit_mls_leaf_node leaf;
	CHECK_OK(mls_member_make(suite(), env, NULL, m));
	CHECK_OK(tacit_mls_leaf_node_decode(mls_member_leaf(m), &leaf));
	leaf.capabilities.credentials.encoded = tacit_bytes(basic, sizeof(basic));
	CHECK_OK(tacit_mls_leaf_node_sign(suite(), &leaf, NULL,
	        tacit_bytes(m->signature_sk, suite()->signature_sk_bytes), out));
}

/* 7.3: whatever kind of credential somebody has, all of the others know it. */
static void credentials_are_known_to_all(void)
{
	static const uint8_t chain[] = {3, 'a', 'b', 'c'};
	const struct mls_member_options certified = {
	        .credential = {.type = TACIT_MLS_CREDENTIAL_X509,
	                .certificates = tacit_bytes(chain, sizeof(chain))}};
	struct tacit_env env = tap_env(21);
	struct mls_member ann, bob;
	struct tacit_buf simple = {0};
	struct tacit_mls_tree *t = NULL;
	uint32_t leaf;
	make_simple(&env, &ann, &simple);
	CHECK_OK(mls_member_make(suite(), &env, &certified, &bob));
	REQUIRE(CHECK_OK(tacit_mls_tree_new(suite(), &t)));
	CHECK_OK(tacit_mls_tree_stage(t));
	CHECK_OK(tacit_mls_tree_add(t, mls_member_leaf(&bob), &leaf));
	CHECK_OK(tacit_mls_tree_check(t));
	CHECK_OK(tacit_mls_tree_add(t, tacit_buf_view(&simple), &leaf));
	CHECK_ERR(tacit_mls_tree_check(t), TACIT_E_UNSUPPORTED);
	CHECK_ERR(validate(t), TACIT_E_UNSUPPORTED);
	CHECK_OK(tacit_mls_tree_remove(t, 0));
	CHECK_OK(tacit_mls_tree_check(t));
	tacit_mls_tree_free(t);
	mls_member_clear(&ann);
	mls_member_clear(&bob);
	tacit_buf_clear(&simple);
}

/* Every byte of an update path changed: it is refused, or nobody can open it. */
static void tampered_paths(void)
{
	struct mls_group g, before;
	struct tacit_buf encoded = {0}, tree = {0};
	struct tacit_mls_leaf_rules rules = {.suite = suite()};
	struct tacit_mls_leaf_place place = {TACIT_STR("group"), 0};
	REQUIRE(CHECK_OK(mls_group_make(&g, suite(), 3)));
	memcpy(&before, &g, sizeof(before));
	CHECK_OK(tacit_mls_tree_encode(g.tree, &tree));
	CHECK_OK(mls_group_commit(&g, 0, &encoded));
	struct tacit_mls_tree *t = NULL;
	REQUIRE(CHECK_OK(tacit_mls_tree_decode(suite(), tacit_buf_view(&tree), &t)));
	for (size_t i = 0; i < encoded.n; i++) {
		struct tacit_mls_update_path path;
		struct tacit_mls_path_opened opened;
		uint8_t hash[TACIT_MLS_HASH_MAX_BYTES];
		encoded.p[i] ^= 1;
		struct tacit_reader r = tacit_reader(tacit_buf_view(&encoded));
		tacit_mls_read_update_path(&r, &path);
		enum tacit_err err = tacit_reader_end(&r);
		CHECK_OK(tacit_mls_tree_stage(t));
		if (err == TACIT_OK)
			err = tacit_mls_path_merge(t, &path, &place, &rules);
		if (err == TACIT_OK)
			err = tacit_mls_tree_hash(t, hash);
		for (uint32_t who = 1; who < 3 && err == TACIT_OK; who++)
			err = tacit_mls_path_open(t, &path, 0, &before.keys[who],
			        tacit_bytes(hash, suite()->hash_bytes), &opened);
		if (!CHECK(err != TACIT_OK))
			break;
		tacit_mls_tree_drop(t);
		encoded.p[i] ^= 1;
	}
	tacit_mls_tree_free(t);
	tacit_buf_clear(&encoded);
	tacit_buf_clear(&tree);
	mls_group_clear(&g);
}

/* Every byte of a tree changed, in its parents and leaves: no newcomer accepts it. */
static void tampered_trees(void)
{
	struct mls_group g;
	struct tacit_buf encoded = {0};
	struct tacit_mls_tree *t;
	REQUIRE(CHECK_OK(mls_group_make(&g, suite(), 5)));
	for (uint32_t i = 0; i < 5; i++)
		CHECK_OK(mls_group_commit(&g, i, NULL));
	CHECK_OK(tacit_mls_tree_encode(g.tree, &encoded));
	for (size_t i = 0; i < encoded.n; i++) {
		encoded.p[i] ^= 1;
		enum tacit_err err = tacit_mls_tree_decode(suite(), tacit_buf_view(&encoded), &t);
		if (err == TACIT_OK)
			err = validate(t);
		if (!CHECK(err != TACIT_OK))
			break;
		tacit_mls_tree_free(t);
		encoded.p[i] ^= 1;
	}
	encoded.n--;
	CHECK(tacit_mls_tree_decode(suite(), tacit_buf_view(&encoded), &t) != TACIT_OK);
	CHECK(t == NULL);
	tacit_buf_clear(&encoded);
	mls_group_clear(&g);
}

static void malformed_trees(void)
{
	struct tacit_mls_tree *t;
	const uint8_t empty[] = {0}, blank[] = {1, 0}, type[] = {2, 1, 2}, presence[] = {1, 2};
	CHECK_ERR(tacit_mls_tree_decode(suite(), tacit_bytes(empty, 1), &t), TACIT_E_MALFORMED);
	CHECK_ERR(tacit_mls_tree_decode(suite(), tacit_bytes(blank, 2), &t), TACIT_E_MALFORMED);
	CHECK_ERR(tacit_mls_tree_decode(suite(), tacit_bytes(type, 3), &t), TACIT_E_MALFORMED);
	CHECK_ERR(tacit_mls_tree_decode(suite(), tacit_bytes(presence, 2), &t), TACIT_E_MALFORMED);
	CHECK_ERR(tacit_mls_tree_decode(suite(), tacit_bytes(NULL, 0), &t), TACIT_E_TRUNCATED);
}

static void keys_are_stored_and_read(void)
{
	struct mls_group g;
	struct tacit_buf out = {0};
	struct tacit_mls_tree_keys k;
	REQUIRE(CHECK_OK(mls_group_make(&g, suite(), 4)));
	CHECK_OK(mls_group_commit(&g, 2, NULL));
	struct tacit_writer w = tacit_writer(&out);
	tacit_mls_write_tree_keys(&w, suite(), &g.keys[3]);
	CHECK_OK(tacit_writer_finish(&w));
	struct tacit_reader r = tacit_reader(tacit_buf_view(&out));
	tacit_mls_read_tree_keys(&r, suite(), &k);
	CHECK_OK(tacit_reader_end(&r));
	CHECK(k.leaf == 3 && k.known == g.keys[3].known);
	CHECK_OK(tacit_mls_tree_keys_check(&k, g.tree));
	out.p[7] = 0; /* without the leaf's own */
	r = tacit_reader(tacit_buf_view(&out));
	tacit_mls_read_tree_keys(&r, suite(), &k);
	CHECK_ERR(tacit_reader_end(&r), TACIT_E_MALFORMED);
	CHECK_INT(k.known, 0);
	tacit_buf_clear(&out);
	mls_group_clear(&g);
}

static uint32_t pick(struct mls_group *g, uint32_t below)
{
	uint8_t b;
	tacit_env_random(&g->env, &b, 1);
	return b % below;
}

static uint32_t pick_member(struct mls_group *g)
{
	uint32_t leaf = pick(g, tacit_mls_tree_width(g->tree));
	while (!tacit_mls_tree_is_member(g->tree, leaf))
		leaf = (leaf + 1) % tacit_mls_tree_width(g->tree);
	return leaf;
}

/* Somebody new in a leaf: by an Add, or in the place of who was there. */
static enum tacit_err renew(struct mls_group *g, uint32_t leaf)
{
	enum tacit_err err;
	mls_member_clear(&g->members[leaf]);
	TRY(mls_member_make(g->suite, &g->env, NULL, &g->members[leaf]));
	tacit_mls_tree_keys_init(
	        &g->keys[leaf], g->suite, leaf, g->members[leaf].secrets.encryption_sk);
	if (tacit_mls_tree_is_member(g->tree, leaf))
		return tacit_mls_tree_update(g->tree, leaf, mls_member_leaf(&g->members[leaf]));
	uint32_t at;
	TRY(tacit_mls_tree_add(g->tree, mls_member_leaf(&g->members[leaf]), &at));
	if (at != leaf)
		err = TACIT_E_USAGE;
out:
	return err;
}

static enum tacit_err change_something(struct mls_group *g)
{
	uint32_t blank = tacit_mls_tree_next_blank(g->tree);
	switch (pick(g, 4)) {
	case 0:
	case 1:
		return blank < MLS_GROUP_MAX ? renew(g, blank) : TACIT_OK;
	case 2:
		return renew(g, pick_member(g));
	default:
		return tacit_mls_tree_members(g->tree) > 1
		               ? tacit_mls_tree_remove(g->tree, pick_member(g))
		               : TACIT_OK;
	}
}

/* What is kept beside the nodes (hashes, index, counters) is what a fresh look at them gives. */
static bool is_sound(struct mls_group *g)
{
	struct tacit_buf encoded = {0};
	struct tacit_mls_tree *fresh = NULL;
	struct tacit_mls_leaf_node leaf;
	uint8_t hash[TACIT_MLS_HASH_MAX_BYTES];
	bool sound = tacit_mls_tree_encode(g->tree, &encoded) == TACIT_OK &&
	             tacit_mls_tree_decode(g->suite, tacit_buf_view(&encoded), &fresh) == TACIT_OK;
	if (sound) {
		hash_of(fresh, hash);
		sound = same_hash(g->tree, hash) && tacit_mls_tree_check(g->tree) == TACIT_OK &&
		        tacit_mls_tree_next_blank(g->tree) == tacit_mls_tree_next_blank(fresh) &&
		        tacit_mls_tree_members(g->tree) == tacit_mls_tree_members(fresh);
	}
	for (uint32_t i = 0; sound && i < tacit_mls_tree_width(g->tree); i++) {
		uint32_t at;
		if (tacit_mls_tree_leaf(g->tree, i, &leaf))
			sound = tacit_mls_tree_find_signature_key(
			                g->tree, leaf.signature_key, &at) &&
			        at == i;
	}
	tacit_mls_tree_free(fresh);
	tacit_buf_clear(&encoded);
	return sound;
}

/* Members come, go and change; some changes are dropped, some put in later; and somebody commits.
 */
static enum tacit_err live_a_day(struct mls_group *g)
{
	enum tacit_err err;
	struct tacit_mls_patch *patch = NULL;
	TRY(tacit_mls_tree_stage(g->tree));
	for (uint32_t n = pick(g, 5); n > 0; n--)
		TRY(change_something(g));
	if (pick(g, 2) == 0) {
		tacit_mls_tree_keep(g->tree);
	} else {
		TRY(tacit_mls_tree_detach(g->tree, &patch));
		if (!is_sound(g))
			TRY(TACIT_E_USAGE);
		TRY(tacit_mls_tree_apply(g->tree, patch));
		patch = NULL;
	}
	for (uint32_t i = 0; i < MLS_GROUP_MAX; i++)
		tacit_mls_tree_keys_trim(&g->keys[i], g->tree);
	if (pick(g, 3) > 0)
		TRY(mls_group_commit(g, pick_member(g), NULL));
out:
	tacit_mls_patch_free(patch);
	tacit_mls_tree_drop(g->tree);
	return err;
}

static void long_lives(void)
{
	for (uint32_t n = 1; n <= 6; n++) {
		struct mls_group g;
		REQUIRE(CHECK_OK(mls_group_make(&g, suite(), n)));
		g.n = MLS_GROUP_MAX;
		bool ok = true;
		for (int day = 0; ok && day < 40; day++) {
			ok = CHECK_OK(live_a_day(&g)) && CHECK(is_sound(&g));
			if (ok && day % 10 == 9)
				ok = CHECK_OK(validate(g.tree));
		}
		mls_group_clear(&g);
	}
}

/* A half that goes with a patch and comes back later has no hash of what was in it. */
static void a_half_goes_and_comes_back(void)
{
	struct mls_group g;
	struct tacit_mls_patch *patch = NULL;
	uint32_t leaf;
	REQUIRE(CHECK_OK(mls_group_make(&g, suite(), 7)));
	CHECK_OK(tacit_mls_tree_stage(g.tree));
	for (uint32_t i = 4; i < 7; i++)
		CHECK_OK(tacit_mls_tree_remove(g.tree, i));
	CHECK_OK(tacit_mls_tree_detach(g.tree, &patch));
	CHECK(is_sound(&g)); /* every hash is known now */
	CHECK_OK(tacit_mls_tree_apply(g.tree, patch));
	CHECK_INT(tacit_mls_tree_width(g.tree), 4);
	CHECK_OK(tacit_mls_tree_stage(g.tree));
	CHECK_OK(tacit_mls_tree_add(g.tree, mls_member_leaf(&g.members[6]), &leaf));
	CHECK_INT(leaf, 4);
	CHECK(is_sound(&g));
	tacit_mls_tree_drop(g.tree);
	CHECK(is_sound(&g));
	mls_group_clear(&g);
}

static enum tacit_err commit_scenario(void)
{
	struct mls_group g;
	struct tacit_buf encoded = {0};
	struct tacit_mls_tree *t = NULL;
	uint32_t leaf;
	enum tacit_err err = mls_group_make(&g, suite(), 3);
	if (err != TACIT_OK)
		return err;
	TRY(mls_group_commit(&g, 1, NULL));
	TRY(tacit_mls_tree_stage(g.tree));
	TRY(tacit_mls_tree_remove(g.tree, 0));
	TRY(tacit_mls_tree_add(g.tree, mls_member_leaf(&g.members[0]), &leaf));
	tacit_mls_tree_keep(g.tree);
	TRY(tacit_mls_tree_encode(g.tree, &encoded));
	TRY(tacit_mls_tree_decode(suite(), tacit_buf_view(&encoded), &t));
	TRY(validate(t));
out:
	tacit_mls_tree_free(t);
	tacit_buf_clear(&encoded);
	mls_group_clear(&g);
	return err;
}

static void allocations(void)
{
	tap_alloc_sweep(commit_scenario);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"the numbering of nodes", numbering},
	        {"everybody commits once", everybody_commits},
	        {"every suite", every_suite},
	        {"members leave and the tree shrinks", members_leave_and_the_tree_shrinks},
	        {"a newcomer", newcomer},
	        {"a joiner from outside", external_joiner},
	        {"changes are taken back", changes_are_taken_back},
	        {"nobody is in twice", nobody_is_in_twice},
	        {"credentials are known to all", credentials_are_known_to_all},
	        {"tampered paths", tampered_paths},
	        {"tampered trees", tampered_trees},
	        {"malformed trees", malformed_trees},
	        {"keys are stored and read", keys_are_stored_and_read},
	        {"a half goes and comes back", a_half_goes_and_comes_back},
	        {"long lives", long_lives},
	        {"allocations", allocations},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
