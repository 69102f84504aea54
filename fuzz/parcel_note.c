#include <stdlib.h>

#include "client/parcel_journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct parcel_note n;
	struct tacit_buf b = {0};
	if (parcel_note_read(tacit_bytes(data, size), &n) != TACIT_OK)
		return 0;
	if (parcel_note_write(&n, &b) != TACIT_OK ||
	        !tacit_bytes_eq(tacit_buf_view(&b), tacit_bytes(data, size)))
		abort();
	parcel_note_clear(&n);
	tacit_buf_clear(&b);
	return 0;
}
