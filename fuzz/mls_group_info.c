#include <stdlib.h>

#include "e2e/mls/group_info.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One GroupInfo has one form. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tacit_mls_group_info info;
	struct tacit_buf out = {0};
	struct tacit_bytes in = tacit_bytes(data, size);
	if (tacit_mls_group_info_decode(in, &info) != TACIT_OK)
		return 0;
	struct tacit_writer w = tacit_writer(&out);
	tacit_mls_write_group_info(&w, &info);
	if (tacit_writer_finish(&w) != TACIT_OK || !tacit_bytes_eq(in, tacit_buf_view(&out)))
		abort();
	tacit_buf_clear(&out);
	return 0;
}
