/* The PROFILE record: decode, encode, decode; what was read is written the same. */
#include <stdlib.h>

#include "engine/engine_int.h"

static int64_t now(void *ctx)
{
	(void)ctx;
	return 1700000000;
}

static void no_random(void *ctx, uint8_t *out, size_t n)
{
	(void)ctx;
	for (size_t i = 0; i < n; i++)
		out[i] = 7;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tacit_env env = {now, no_random, NULL};
	struct tacit_engine *e;
	struct tacit_buf again = {0};
	if (tacit_engine_open(&env, tacit_bytes(data, size), &e) != TACIT_OK) {
		if (e != NULL)
			abort();
		return 0;
	}
	if (!tacit_engine_has_account(e) || !tacit_engine_locked(e))
		abort();
	if (tacit_profile_encode(e, &again) != TACIT_OK ||
	        !tacit_bytes_eq(tacit_buf_view(&again), tacit_bytes(data, size)))
		abort();
	tacit_buf_clear(&again);
	tacit_engine_free(e);
	return 0;
}
