#include <stdlib.h>
#include <string.h>

#include "server/api/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Eight bytes of file size, then the header: a part always lies within the file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t total, from, bytes;
	if (size < sizeof(total))
		return 0;
	memcpy(&total, data, sizeof(total));
	struct tacit_bytes header = tacit_bytes(data + sizeof(total), size - sizeof(total));
	enum api_range kind = api_range_read(header, total, &from, &bytes);
	if (kind == API_RANGE_PART && (bytes == 0 || from >= total || bytes > total - from))
		abort();
	if (kind == API_RANGE_WHOLE && (from != 0 || bytes != total))
		abort();
	(void)api_etag_listed(header, TACIT_STR("\"0123\""));
	return 0;
}
