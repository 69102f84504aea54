/* What a link may say, and what stands in a head that the sender has sealed: the bytes are sealed
 * here, so that they reach what is behind the seal. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "e2e/file_stream.h"
#include "e2e/parcel/stored.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ones(void *ctx, uint8_t *out, size_t n)
{
	(void)ctx;
	memset(out, 1, n);
}

static void read_link(struct tacit_bytes text)
{
	struct tacit_stored_link link, again;
	struct tacit_bytes server;
	char shown[TACIT_STORED_FRAGMENT_ROOM];
	if (tacit_stored_link_parse(text, &link, &server) != TACIT_OK)
		return;
	if (!tacit_stored_link_looks(text) || server.n > text.n ||
	        tacit_stored_link_fragment(&link, shown) != TACIT_OK ||
	        tacit_stored_link_parse(tacit_cstr(shown), &again, &server) != TACIT_OK ||
	        strcmp(link.id, again.id) != 0 ||
	        memcmp(link.secret, again.secret, sizeof(link.secret)) != 0)
		abort();
}

static void read_head(const struct tacit_stored_keys *k, struct tacit_bytes sealed)
{
	const struct tacit_env env = {.random = ones};
	struct tacit_parcel_offer offer;
	struct tacit_buf encoded = {0}, again = {0};
	if (tacit_stored_head_open(k, sealed, &encoded) == TACIT_OK) {
		if (tacit_stored_head_seal(k, tacit_buf_view(&encoded), &env, &again) != TACIT_OK ||
		        again.n != sealed.n)
			abort();
		if (tacit_parcel_offer_decode(tacit_buf_view(&encoded), &offer) == TACIT_OK)
			tacit_parcel_offer_clear(&offer);
	}
	tacit_buf_clear(&encoded);
	tacit_buf_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t secret[TACIT_STORED_SECRET_BYTES] = {1};
	const struct tacit_env env = {.random = ones};
	struct tacit_stored_keys k;
	struct tacit_file_stream *stream = NULL;
	struct tacit_bytes in = tacit_bytes(data, size);
	read_link(in);
	if (size == 0 || size > TACIT_FILE_CHUNK_BYTES || tacit_stored_keys(secret, &k) != TACIT_OK)
		return 0;
	read_head(&k, in);
	uint8_t *sealed = tacit_alloc(TACIT_FILE_HEADER_BYTES + size + 16);
	if (sealed != NULL && tacit_file_stream_create(k.head, &env, sealed, &stream) == TACIT_OK &&
	        tacit_file_seal_chunk(stream, 0, TACIT_CHUNK_LAST, in,
	                sealed + TACIT_FILE_HEADER_BYTES) == TACIT_OK)
		read_head(&k, tacit_bytes(sealed, TACIT_FILE_HEADER_BYTES + size + 16));
	tacit_file_stream_free(stream);
	tacit_free(sealed);
	return 0;
}
