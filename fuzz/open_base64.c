/* The quick base64 of what is no secret says of every text what the careful one says. */
#include <stdlib.h>

#include "crypto/encoding.h"
#include "server/api/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tacit_bytes text = tacit_bytes(data, size);
	struct tacit_buf quick = {0}, careful = {0}, again = {0};
	enum tacit_err err = api_base64_read(text, &quick);
	if (err != tacit_unbase64(TACIT_BASE64, text, &careful) ||
	        !tacit_bytes_eq(tacit_buf_view(&quick), tacit_buf_view(&careful)))
		abort();
	if (err == TACIT_OK && (api_base64_write(tacit_buf_view(&quick), &again) != TACIT_OK ||
	                               !tacit_bytes_eq(text, tacit_buf_view(&again))))
		abort();
	tacit_buf_clear(&quick);
	tacit_buf_clear(&careful);
	tacit_buf_clear(&again);
	return 0;
}
