#include <stdlib.h>

#include "e2e/mls/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One message has one form. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tacit_mls_message m;
	struct tacit_buf out = {0};
	struct tacit_bytes in = tacit_bytes(data, size);
	if (tacit_mls_message_decode(in, &m) != TACIT_OK)
		return 0;
	if (tacit_mls_message_encode(&m, &out) != TACIT_OK ||
	        !tacit_bytes_eq(in, tacit_buf_view(&out)))
		abort();
	tacit_buf_clear(&out);
	return 0;
}
