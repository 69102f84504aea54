#include <stdlib.h>

#include "e2e/group.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One state has one form. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tacit_group *g;
	struct tacit_buf out = {0};
	if (tacit_pairwise.load(tacit_bytes(data, size), &g) != TACIT_OK) {
		if (g != NULL)
			abort();
		return 0;
	}
	if (tacit_pairwise.serialise(g, &out) != TACIT_OK ||
	        !tacit_bytes_eq(tacit_buf_view(&out), tacit_bytes(data, size)))
		abort();
	tacit_buf_clear(&out);
	tacit_pairwise.destroy(g);
	return 0;
}
