#include <stdlib.h>

#include "server/web/web.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A coding that a file does not have is never chosen. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t byte = 0;
	for (unsigned have = 0; have < 4; have++) {
		struct web_file f = {.coded[WEB_IDENTITY] = tacit_bytes(&byte, 1)};
		if (have & 1)
			f.coded[WEB_GZIP] = tacit_bytes(&byte, 1);
		if (have & 2)
			f.coded[WEB_BROTLI] = tacit_bytes(&byte, 1);
		enum web_coding chosen = web_choose(&f, tacit_bytes(data, size));
		if (chosen >= WEB_CODINGS || f.coded[chosen].p == NULL)
			abort();
	}
	return 0;
}
