#include <stdlib.h>

#include "wire/device.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct tacit_sign_public nobody = {{1}};
	struct tacit_device d;
	struct tacit_buf out = {0};
	if (tacit_device_decode(tacit_bytes(data, size), &d) != TACIT_OK)
		return 0;
	if (tacit_device_check(&d, &nobody) == TACIT_OK ||
	        tacit_device_encode(&d, &out) != TACIT_OK ||
	        !tacit_bytes_eq(tacit_buf_view(&out), tacit_bytes(data, size)))
		abort();
	tacit_buf_clear(&out);
	return 0;
}
