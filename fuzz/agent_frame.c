/* What an agent takes from the other one: a type and a body. What is read is written back the same.
 */
#include "agent/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame f;
	struct tacit_buf again = {0};
	if (size == 0)
		return 0;
	struct tacit_bytes body = tacit_bytes(data + 1, size - 1);
	if (frame_read(data[0], body, &f) == TACIT_OK && data[0] != FRAME_DATA) {
		TACIT_ASSERT(frame_write((enum frame_type)data[0], &f, &again) == TACIT_OK);
		TACIT_ASSERT(tacit_bytes_eq(tacit_buf_view(&again), body));
	}
	tacit_buf_clear(&again);
	return 0;
}
