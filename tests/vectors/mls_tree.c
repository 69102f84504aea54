/* mls_tree.c - tree-math.json, tree-operations.json, tree-validation.json. */
#include <string.h>

#include "e2e/mls/key_package.h"
#include "e2e/mls/tree.h"
#include "e2e/mls/tree_math.h"
#include "vectors/mls.h"

/* --- tree-math --- */

/* optional<uint32>: is it want? */
static bool is_node(const json_t *list, size_t i, bool present, uint32_t want)
{
	const json_t *got = json_array_get(list, i);
	return present ? json_integer_value(got) == want && json_is_integer(got)
	               : json_is_null(got);
}

static const char *check_math(const json_t *entry, const struct tacit_mls_suite *suite)
{
	(void)suite;
	uint32_t leaves = (uint32_t)number_member(entry, "n_leaves");
	uint32_t nodes = tacit_mls_node_count(leaves), root = tacit_mls_root(leaves);
	if (nodes != number_member(entry, "n_nodes"))
		return "n_nodes";
	if (root != number_member(entry, "root"))
		return "root";
	const json_t *left = json_object_get(entry, "left");
	const json_t *right = json_object_get(entry, "right");
	const json_t *parent = json_object_get(entry, "parent");
	const json_t *sibling = json_object_get(entry, "sibling");
	for (uint32_t x = 0; x < nodes; x++) {
		bool inner = !tacit_mls_is_leaf(x);
		if (!is_node(left, x, inner, inner ? tacit_mls_left(x) : 0))
			return "left";
		if (!is_node(right, x, inner, inner ? tacit_mls_right(x) : 0))
			return "right";
		if (!is_node(parent, x, x != root, tacit_mls_parent(x)))
			return "parent";
		if (!is_node(sibling, x, x != root, tacit_mls_sibling(x)))
			return "sibling";
	}
	return NULL;
}

const struct mls_vectors mls_tree_math = {{"n_leaves", "n_nodes", "sibling"}, check_math};

/* --- tree-operations --- */

static bool has_hash(struct tacit_mls_tree *t, const json_t *entry, const char *name, size_t n)
{
	uint8_t hash[TACIT_MLS_HASH_MAX_BYTES];
	return tacit_mls_tree_hash(t, hash) == TACIT_OK && is_member(entry, name, hash, n);
}

static bool encodes_to(const struct tacit_mls_tree *t, struct tacit_bytes want)
{
	struct tacit_buf out = {0};
	bool same = tacit_mls_tree_encode(t, &out) == TACIT_OK &&
	            tacit_bytes_eq(tacit_buf_view(&out), want);
	tacit_buf_clear(&out);
	return same;
}

/* The proposal as it is on the wire (RFC 9420 12.1): a type, then its content. */
static enum tacit_err apply(struct tacit_mls_tree *t, struct tacit_bytes proposal, uint32_t sender)
{
	struct tacit_reader r = tacit_reader(proposal);
	uint16_t type = tacit_read_u16(&r);
	uint32_t leaf;
	if (type == 1) {
		struct tacit_mls_key_package kp;
		tacit_mls_read_key_package(&r, &kp);
		if (tacit_reader_end(&r) != TACIT_OK)
			return TACIT_E_MALFORMED;
		return tacit_mls_tree_add(t, kp.leaf.encoded, &leaf);
	}
	if (type == 2)
		return tacit_mls_tree_update(t, sender, r.rest);
	return type == 3 ? tacit_mls_tree_remove(t, tacit_read_u32(&r)) : TACIT_E_UNSUPPORTED;
}

static const char *check_applied(
        struct tacit_mls_tree *t, const json_t *entry, const struct tacit_mls_suite *suite)
{
	struct tacit_bytes before = hex_member(entry, "tree_before");
	struct tacit_bytes proposal = hex_member(entry, "proposal");
	uint32_t sender = (uint32_t)number_member(entry, "proposal_sender");
	struct tacit_mls_patch *patch = NULL;
	if (!encodes_to(t, before))
		return "the tree does not encode to what it was decoded from";
	if (!has_hash(t, entry, "tree_hash_before", suite->hash_bytes))
		return "tree_hash_before";
	if (tacit_mls_tree_stage(t) != TACIT_OK || apply(t, proposal, sender) != TACIT_OK)
		return "the proposal is not applied";
	if (tacit_mls_tree_detach(t, &patch) != TACIT_OK)
		return "the changes are not detached";
	bool restored =
	        encodes_to(t, before) && has_hash(t, entry, "tree_hash_before", suite->hash_bytes);
	if (tacit_mls_tree_apply(t, patch) != TACIT_OK) {
		tacit_mls_patch_free(patch);
		return "the patch does not apply";
	}
	if (!restored)
		return "the tree is not as it was after detaching";
	if (!has_hash(t, entry, "tree_hash_after", suite->hash_bytes))
		return "tree_hash_after";
	return encodes_to(t, hex_member(entry, "tree_after")) ? NULL : "tree_after";
}

static const char *check_operation(const json_t *entry, const struct tacit_mls_suite *suite)
{
	struct tacit_mls_tree *t;
	if (tacit_mls_tree_decode(suite, hex_member(entry, "tree_before"), &t) != TACIT_OK)
		return "tree_before is not decoded";
	const char *wrong = check_applied(t, entry, suite);
	tacit_mls_tree_free(t);
	return wrong;
}

const struct mls_vectors mls_tree_operations = {
        {"proposal", "tree_before", "tree_after"}, check_operation};

/* --- tree-validation --- */

static bool resolves_to(const struct tacit_mls_tree *t, uint32_t node, const json_t *want)
{
	struct tacit_mls_nodes got = {0};
	bool same =
	        tacit_mls_tree_resolution(t, node, TACIT_MLS_RESOLUTION_WHOLE, &got) == TACIT_OK &&
	        got.n == json_array_size(want);
	for (size_t i = 0; same && i < got.n; i++)
		same = json_integer_value(json_array_get(want, i)) == got.p[i];
	tacit_mls_nodes_clear(&got);
	return same;
}

static bool hashes_to(struct tacit_mls_tree *t, uint32_t node, const json_t *want, size_t n)
{
	uint8_t hash[TACIT_MLS_HASH_MAX_BYTES];
	return tacit_mls_tree_node_hash(t, node, hash) == TACIT_OK && is_hex(want, hash, n);
}

static const char *check_valid(
        struct tacit_mls_tree *t, const json_t *entry, const struct tacit_mls_suite *suite)
{
	const json_t *resolutions = json_object_get(entry, "resolutions");
	const json_t *hashes = json_object_get(entry, "tree_hashes");
	uint32_t nodes = tacit_mls_node_count(tacit_mls_tree_width(t));
	if (json_array_size(resolutions) > nodes || json_array_size(hashes) > nodes)
		return "the number of nodes";
	for (uint32_t x = 0; x < json_array_size(resolutions); x++) {
		if (!resolves_to(t, x, json_array_get(resolutions, x)))
			return "resolutions";
	}
	for (uint32_t x = 0; x < json_array_size(hashes); x++) {
		if (!hashes_to(t, x, json_array_get(hashes, x), suite->hash_bytes))
			return "tree_hashes";
	}
	struct tacit_mls_leaf_rules rules = {.suite = suite};
	enum tacit_err err = tacit_mls_tree_validate(t, hex_member(entry, "group_id"), &rules);
	return err == TACIT_OK ? NULL : tacit_err_text(err);
}

static const char *check_validation(const json_t *entry, const struct tacit_mls_suite *suite)
{
	struct tacit_mls_tree *t;
	struct tacit_bytes encoded = hex_member(entry, "tree");
	if (tacit_mls_tree_decode(suite, encoded, &t) != TACIT_OK)
		return "tree is not decoded";
	const char *wrong = check_valid(t, entry, suite);
	if (wrong == NULL && !encodes_to(t, encoded))
		wrong = "the tree does not encode to what it was decoded from";
	tacit_mls_tree_free(t);
	return wrong;
}

const struct mls_vectors mls_tree_validation = {
        {"tree", "resolutions", "tree_hashes"}, check_validation};
