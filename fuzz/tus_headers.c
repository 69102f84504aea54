#include <stdlib.h>

#include "server/api/tus_headers.h"
#include "wire/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The three headers of tus that hold more than a word. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tacit_bytes in = tacit_bytes(data, size);
	struct api_tus_checksum checksum;
	struct tacit_buf value = {0};
	int64_t number = 0;
	if (api_tus_number(in, &number) == TACIT_OK && (number < 0 || number > TACIT_MAX_INTEGER))
		abort();
	enum tacit_err err = api_tus_checksum_read(in, &checksum);
	if (checksum.wanted && err != TACIT_OK)
		abort();
	err = api_tus_metadata(in, TACIT_STR("conversation_id"), &value);
	if (value.n > size || (err == TACIT_OK && size == 0))
		abort();
	tacit_buf_clear(&value);
	return 0;
}
