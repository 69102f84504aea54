#include <stdlib.h>

#include "e2e/mls/key_package.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct tacit_mls_suite *s = tacit_mls_suite_find(TACIT_MLS_X25519_AES128_ED25519);
	struct tacit_mls_leaf_rules rules = {.suite = s, .now = 1700000000};
	struct tacit_mls_key_package kp;
	uint8_t ref[TACIT_MLS_HASH_MAX_BYTES];
	if (tacit_mls_key_package_decode(tacit_bytes(data, size), &kp) != TACIT_OK)
		return 0;
	if (kp.encoded.n != size || kp.leaf.encoded.n >= size)
		abort();
	tacit_ignore(tacit_mls_key_package_ref(s, kp.encoded, ref), "only memory can fail");
	tacit_ignore(tacit_mls_key_package_check(&kp, &rules), "either is fine");
	return 0;
}
