#include <stdlib.h>

#include "e2e/mls/leaf_node.h"

static enum tacit_err any(void *ctx, const struct tacit_mls_leaf_node *leaf)
{
	(void)ctx;
	(void)leaf;
	return TACIT_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct tacit_mls_suite *s = tacit_mls_suite_find(TACIT_MLS_X25519_AES128_ED25519);
	struct tacit_mls_leaf_rules rules = {
	        .suite = s, .now = 1700000000, .lifetime_max = 1u << 30, .check_credential = any};
	struct tacit_mls_leaf_node leaf;
	if (tacit_mls_leaf_node_decode(tacit_bytes(data, size), &leaf) != TACIT_OK)
		return 0;
	/* What was read is all of the input, in the one way of writing it. */
	if (leaf.encoded.n != size || leaf.unsigned_part.n > size)
		abort();
	struct tacit_mls_leaf_place place = {TACIT_STR("group"), 3};
	tacit_ignore(tacit_mls_leaf_node_verify(s, &leaf, &place), "either is fine");
	/* The leaf's own extensions in place of a group's: any list of extensions is decoded there.
	 */
	rules.group_extensions = leaf.extensions;
	tacit_ignore(tacit_mls_leaf_node_check(&leaf, 0, &rules), "either is fine");
	return 0;
}
