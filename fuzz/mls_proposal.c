#include <stdlib.h>

#include "e2e/mls/proposal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One proposal has one form. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tacit_mls_proposal p;
	struct tacit_buf out = {0};
	struct tacit_bytes in = tacit_bytes(data, size);
	if (tacit_mls_proposal_decode(in, &p) != TACIT_OK)
		return 0;
	struct tacit_writer w = tacit_writer(&out);
	tacit_mls_write_proposal(&w, &p);
	if (tacit_writer_finish(&w) != TACIT_OK || !tacit_bytes_eq(in, tacit_buf_view(&out)))
		abort();
	tacit_buf_clear(&out);
	return 0;
}
