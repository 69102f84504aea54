#include <stdlib.h>

#include "e2e/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The corpus holds one record that opens under this key; any other that does is a forgery, and what
 * opens has the length that it must have. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[TACIT_STORE_KEY_BYTES] = {1, 2, 3};
	static const struct tacit_record_id id = {{4, 5, 6}};
	struct tacit_buf out = {0};
	if (tacit_crypto_init() != TACIT_OK)
		abort();
	enum tacit_err err = tacit_record_open(key, &id, tacit_bytes(data, size), &out);
	if (out.n != (err == TACIT_OK ? size - TACIT_RECORD_OVERHEAD : 0))
		abort();
	tacit_buf_clear(&out);
	return 0;
}
