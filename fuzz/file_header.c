#include <stdlib.h>

#include "wire/file_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tacit_file_header h;
	struct tacit_buf out = {0};
	if (tacit_file_header_decode(tacit_bytes(data, size), &h) != TACIT_OK)
		return 0;
	if (h.chunk_bytes < 4096 || h.chunk_bytes > 4 * 1024 * 1024 ||
	        tacit_file_header_encode(&h, &out) != TACIT_OK ||
	        !tacit_bytes_eq(tacit_buf_view(&out), tacit_bytes(data, size)))
		abort();
	tacit_buf_clear(&out);
	return 0;
}
