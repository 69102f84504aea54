#include <stdlib.h>
#include <string.h>

#include "e2e/parcel/offer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_path(const char *path)
{
	if (path[0] == '/' || path[0] == '.' || path[0] == '\0')
		abort();
	for (const char *part = path; part != NULL; part = strchr(part, '/')) {
		part += part[0] == '/' ? 1 : 0;
		size_t n = strcspn(part, "/");
		if (n == 0 || n > 255 || strncmp(part, "..", n > 2 ? n : 2) == 0 ||
		        (n == 1 && part[0] == '.'))
			abort();
	}
}

/* No path that comes out leads anywhere else, and the safe form is the same when read again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tacit_parcel_offer o, again;
	struct tacit_buf b = {0};
	if (tacit_parcel_offer_decode(tacit_bytes(data, size), &o) != TACIT_OK)
		return 0;
	for (size_t i = 0; i < o.count; i++)
		check_path(o.entries[i].path);
	if (tacit_parcel_offer_encode(&o, &b) != TACIT_OK ||
	        tacit_parcel_offer_decode(tacit_buf_view(&b), &again) != TACIT_OK ||
	        again.count != o.count || again.total != o.total)
		abort();
	for (size_t i = 0; i < o.count; i++)
		if (strcmp(o.entries[i].path, again.entries[i].path) != 0)
			abort();
	tacit_parcel_offer_clear(&o);
	tacit_parcel_offer_clear(&again);
	tacit_buf_clear(&b);
	return 0;
}
