#include <stdlib.h>

#include "wire/content.h"
#include "wire/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One content has one encoding; and a name out of it never leads out of a folder. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tacit_content c;
	struct tacit_buf out = {0};
	char name[TACIT_MAX_FILE_NAME + 1];
	if (tacit_content_decode(tacit_bytes(data, size), &c) != TACIT_OK)
		return 0;
	if (tacit_content_encode(&c, &out) != TACIT_OK ||
	        !tacit_bytes_eq(tacit_buf_view(&out), tacit_bytes(data, size)))
		abort();
	tacit_file_name_safe(c.file.name, name);
	if (name[0] == 0 || name[0] == '.')
		abort();
	for (const char *p = name; *p != 0; p++)
		if (*p == '/' || *p == '\\')
			abort();
	tacit_content_wipe(&c);
	tacit_buf_clear(&out);
	return 0;
}
