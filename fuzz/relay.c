#include <stdlib.h>

#include "wire/relay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tacit_relay_message m;
	struct tacit_buf b = {0};
	if (tacit_relay_read(tacit_bytes(data, size), &m) != TACIT_OK)
		return 0;
	if (tacit_relay_write(&b, &m) != TACIT_OK ||
	        !tacit_bytes_eq(tacit_buf_view(&b), tacit_bytes(data, size)))
		abort();
	tacit_buf_clear(&b);
	return 0;
}
