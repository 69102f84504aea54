/* A stranger at an open port: the first byte says which side is played, then messages, each behind
 * its length (u8). And the ways that a peer tells. */
#include <stdlib.h>

#include "base/env.h"
#include "base/reader.h"
#include "e2e/parcel/direct.h"
#include "e2e/parcel/ways.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ones(void *ctx, uint8_t *out, size_t n)
{
	(void)ctx;
	for (size_t i = 0; i < n; i++)
		out[i] = 1;
}

static void read_ways(struct tacit_bytes in)
{
	struct tacit_parcel_ways w, again;
	struct tacit_buf b = {0};
	if (tacit_parcel_ways_decode(in, &w) != TACIT_OK)
		return;
	if (tacit_parcel_ways_encode(&w, &b) != TACIT_OK ||
	        !tacit_bytes_eq(tacit_buf_view(&b), in) ||
	        tacit_parcel_ways_decode(tacit_buf_view(&b), &again) != TACIT_OK ||
	        again.count != w.count || again.port != w.port)
		abort();
	tacit_buf_clear(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t root[TACIT_PARCEL_ROOT_BYTES] = {1};
	const struct tacit_env env = {.random = ones};
	struct tacit_reader r = tacit_reader(tacit_bytes(data, size));
	struct tacit_buf out = {0};
	struct tacit_direct d = {0};
	uint8_t how = tacit_read_u8(&r);
	const struct tacit_direct_options o = {&env, root,
	        (how & 1) != 0 ? TACIT_PARCEL_SENDER : TACIT_PARCEL_RECEIVER,
	        (how & 2) != 0 ? TACIT_DIRECT_CALLER : TACIT_DIRECT_CALLED};
	read_ways(r.rest);
	enum tacit_err err = tacit_direct_begin(&d, &o, &out);
	while (err == TACIT_OK && r.err == TACIT_OK && r.rest.n > 0) {
		struct tacit_bytes message = tacit_read_vec8(&r, 255);
		out.n = 0;
		err = tacit_direct_input(&d, message, &out);
		/* Nobody proves anything without the root. */
		if (out.n > TACIT_DIRECT_MAX_GREETING || d.state >= TACIT_DIRECT_PROVEN)
			abort();
	}
	tacit_direct_clear(&d);
	tacit_buf_clear(&out);
	return 0;
}
