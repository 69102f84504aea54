#include <stdlib.h>

#include "crypto/secret.h"
#include "mls_people.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A stored state that was damaged, or made up, with a tree that is good: what loads can be stored
 * again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct person ann;
	static struct tacit_buf tree;
	struct tacit_buf again = {0};
	struct tacit_mls_group *g = NULL;
	if (tree.n == 0) {
		if (tacit_crypto_init() != TACIT_OK ||
		        person_init(&ann, tacit_mls_suite_find(1), "ann") != TACIT_OK ||
		        person_create(&ann, "stored") != TACIT_OK ||
		        tacit_mls_group_save_tree(ann.group, &tree) != TACIT_OK)
			abort();
	}
	if (tacit_mls_group_load(tacit_bytes(data, size), tacit_buf_view(&tree), &g) != TACIT_OK) {
		if (g != NULL)
			abort();
		return 0;
	}
	if (tacit_mls_group_save(g, &again) != TACIT_OK ||
	        !tacit_bytes_eq(tacit_buf_view(&again), tacit_bytes(data, size)))
		abort();
	tacit_buf_clear(&again);
	tacit_mls_group_free(g);
	return 0;
}
