#include <stdlib.h>

#include "base/alloc.h"
#include "wire/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One message has one encoding: what was accepted comes out again byte for byte. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tacit_envelope e;
	struct tacit_recipient found;
	struct tacit_buf out = {0};
	if (tacit_envelope_decode(tacit_bytes(data, size), &e) != TACIT_OK)
		return 0;
	struct tacit_recipient *list = tacit_calloc(e.recipient_count, sizeof(*list));
	if (list == NULL)
		abort();
	for (size_t i = 0; i < e.recipient_count; i++) {
		tacit_envelope_recipient(&e, i, &list[i]);
		if (!tacit_envelope_find(&e, list[i].tag, &found))
			abort();
	}
	e.recipients = list;
	if (tacit_envelope_encode(&e, &out) != TACIT_OK ||
	        !tacit_bytes_eq(tacit_buf_view(&out), e.signed_part))
		abort();
	tacit_free(list);
	tacit_buf_clear(&out);
	return 0;
}
