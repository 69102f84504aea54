#include <stdlib.h>

#include "client/stored_note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read is written as the same bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stored_note note;
	struct tacit_buf again = {0};
	struct tacit_bytes in = tacit_bytes(data, size);
	if (stored_note_read(in, &note) != TACIT_OK)
		return 0;
	if (stored_note_write(&note, &again) != TACIT_OK ||
	        !tacit_bytes_eq(tacit_buf_view(&again), in))
		abort();
	tacit_buf_clear(&again);
	return 0;
}
