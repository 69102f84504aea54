/* A tree and an update path for it: two bytes of the tree's length, the tree, the path. */
#include <stdlib.h>

#include "e2e/mls/treekem.h"

static void process(struct tacit_mls_tree *t, const struct tacit_mls_update_path *path)
{
	const struct tacit_mls_suite *s = tacit_mls_suite_find(TACIT_MLS_X25519_AES128_ED25519);
	struct tacit_mls_leaf_rules rules = {.suite = s};
	uint8_t sk[TACIT_MLS_KEM_SK_MAX_BYTES] = {1};
	struct tacit_mls_tree_keys keys;
	struct tacit_mls_path_opened opened;
	for (uint32_t sender = 0; sender < tacit_mls_tree_width(t) && sender < 4; sender++) {
		struct tacit_mls_leaf_place place = {TACIT_STR("group"), sender};
		if (tacit_mls_tree_stage(t) != TACIT_OK)
			abort();
		/* What does not merge is opened all the same: the caller's checks are not relied
		 * on. */
		tacit_ignore(tacit_mls_path_merge(t, path, &place, &rules), "either is fine");
		for (uint32_t leaf = 0; leaf < 4; leaf++) {
			tacit_mls_tree_keys_init(&keys, s, leaf, sk);
			tacit_ignore(tacit_mls_path_open(
			                     t, path, sender, &keys, TACIT_STR("context"), &opened),
			        "either is fine");
		}
		tacit_mls_tree_drop(t);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct tacit_mls_suite *s = tacit_mls_suite_find(TACIT_MLS_X25519_AES128_ED25519);
	struct tacit_reader r = tacit_reader(tacit_bytes(data, size));
	struct tacit_bytes encoded = tacit_read_vec16(&r, UINT16_MAX);
	struct tacit_mls_update_path path;
	struct tacit_mls_tree *t;
	tacit_mls_read_update_path(&r, &path);
	if (tacit_reader_end(&r) != TACIT_OK)
		return 0;
	if (tacit_mls_tree_decode(s, encoded, &t) != TACIT_OK)
		return 0;
	process(t, &path);
	tacit_mls_tree_free(t);
	return 0;
}
