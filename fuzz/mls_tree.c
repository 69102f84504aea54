#include <stdlib.h>

#include "e2e/mls/tree.h"

static void must_encode_to(const struct tacit_mls_tree *t, struct tacit_bytes want)
{
	struct tacit_buf out = {0};
	if (tacit_mls_tree_encode(t, &out) != TACIT_OK ||
	        !tacit_bytes_eq(tacit_buf_view(&out), want))
		abort();
	tacit_buf_clear(&out);
}

/* Members leave one after the other and the tree follows; then all of it is taken back. */
static void change_and_drop(struct tacit_mls_tree *t)
{
	uint8_t before[TACIT_MLS_HASH_MAX_BYTES] = {0}, after[TACIT_MLS_HASH_MAX_BYTES] = {0};
	uint32_t width = tacit_mls_tree_width(t), leaf;
	struct tacit_mls_leaf_node node;
	if (tacit_mls_tree_hash(t, before) != TACIT_OK || tacit_mls_tree_stage(t) != TACIT_OK)
		abort();
	for (uint32_t i = width; i > 0; i--) {
		if (!tacit_mls_tree_leaf(t, i - 1, &node))
			continue;
		if (i % 3 == 0 && tacit_mls_tree_remove(t, i - 1) != TACIT_OK)
			abort();
		if (i % 3 == 1 && tacit_mls_tree_add(t, node.encoded, &leaf) != TACIT_OK)
			abort();
		if (i % 3 == 2 && tacit_mls_tree_update(t, i - 1, node.encoded) != TACIT_OK)
			abort();
	}
	if (tacit_mls_tree_hash(t, after) != TACIT_OK)
		abort();
	tacit_mls_tree_drop(t);
	if (tacit_mls_tree_hash(t, after) != TACIT_OK ||
	        !tacit_bytes_eq(
	                tacit_bytes(before, sizeof(before)), tacit_bytes(after, sizeof(after))))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct tacit_mls_suite *s = tacit_mls_suite_find(TACIT_MLS_X25519_AES128_ED25519);
	struct tacit_mls_leaf_rules rules = {.suite = s};
	struct tacit_bytes encoded = tacit_bytes(data, size);
	struct tacit_mls_tree *t;
	if (size > 1u << 16 || tacit_mls_tree_decode(s, encoded, &t) != TACIT_OK)
		return 0;
	must_encode_to(t, encoded);
	tacit_ignore(tacit_mls_tree_validate(t, TACIT_STR("group"), &rules), "either is fine");
	change_and_drop(t);
	must_encode_to(t, encoded);
	tacit_mls_tree_free(t);
	return 0;
}
