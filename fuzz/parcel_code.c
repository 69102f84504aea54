#include <stdlib.h>
#include <string.h>

#include "e2e/parcel/code.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *ctx, const char *code)
{
	struct tacit_parcel_code read;
	(void)ctx;
	if (strlen(code) >= TACIT_PARCEL_CODE_ROOM)
		abort();
	tacit_ignore(tacit_parcel_code_parse(tacit_cstr(code), &read), "it may be half a code");
}

/* What was read is shown in a form that is read as the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tacit_parcel_code code, again;
	char text[TACIT_PARCEL_CODE_ROOM];
	tacit_parcel_code_complete(tacit_bytes(data, size), ignore, NULL);
	if (tacit_parcel_code_parse(tacit_bytes(data, size), &code) != TACIT_OK)
		return 0;
	tacit_parcel_code_text(&code, text);
	if (tacit_parcel_code_parse(tacit_cstr(text), &again) != TACIT_OK ||
	        again.nameplate != code.nameplate || strcmp(again.secret, code.secret) != 0)
		abort();
	return 0;
}
