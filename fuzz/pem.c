#include <stdlib.h>

#include "wire/pem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tacit_sign_public pk;
	struct tacit_sign_public again;
	struct tacit_buf out = {0};
	if (tacit_pem_read_public(tacit_bytes(data, size), &pk) != TACIT_OK)
		return 0;
	if (tacit_pem_write_public(&pk, &out) != TACIT_OK ||
	        tacit_pem_read_public(tacit_buf_view(&out), &again) != TACIT_OK ||
	        !tacit_bytes_eq(
	                tacit_bytes(pk.b, sizeof(pk.b)), tacit_bytes(again.b, sizeof(again.b))))
		abort();
	tacit_buf_clear(&out);
	return 0;
}
