#include <stdlib.h>

#include "e2e/mls/commit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One commit has one form, and its count is right. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tacit_mls_commit c;
	struct tacit_mls_proposal_or_ref p;
	struct tacit_buf list = {0};
	struct tacit_buf out = {0};
	size_t count = 0;
	struct tacit_bytes in = tacit_bytes(data, size);
	if (tacit_mls_commit_decode(in, &c) != TACIT_OK)
		return 0;
	struct tacit_writer w = tacit_writer(&list);
	struct tacit_reader it = tacit_reader(c.proposals);
	for (; tacit_mls_commit_next(&it, &p); count++)
		tacit_mls_write_proposal_or_ref(&w, &p);
	if (tacit_writer_finish(&w) != TACIT_OK || count != c.proposal_count)
		abort();
	w = tacit_writer(&out);
	tacit_mls_write_commit(
	        &w, tacit_buf_view(&list), c.has_path ? c.path.encoded : tacit_bytes(NULL, 0));
	if (tacit_writer_finish(&w) != TACIT_OK || !tacit_bytes_eq(in, tacit_buf_view(&out)))
		abort();
	tacit_buf_clear(&list);
	tacit_buf_clear(&out);
	return 0;
}
