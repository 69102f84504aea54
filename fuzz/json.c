#include <stdlib.h>

#include "wire/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was accepted is written, read again, and is the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *value;
	json_t *again;
	struct tacit_buf out = {0};
	if (tacit_json_parse(tacit_bytes(data, size), &value) != TACIT_OK)
		return 0;
	if (tacit_json_write(value, &out) != TACIT_OK)
		abort();
	/* Escapes may grow a body beyond the limit, and reals may lose their last digit. */
	if (tacit_json_parse(tacit_buf_view(&out), &again) == TACIT_OK)
		json_decref(again);
	else if (out.n <= size)
		abort();
	json_decref(value);
	tacit_buf_clear(&out);
	return 0;
}
