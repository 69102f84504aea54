#include "e2e/file_digest.h"

#include "base/alloc.h"
#include "crypto/secret.h"
#include "e2e/file_stream.h"

struct tacit_file_digest {
	struct tacit_hasher *hasher;
	enum tacit_file_version version;
};

enum tacit_err tacit_file_digest_new(
        const uint8_t header[TACIT_FILE_HEADER_BYTES], struct tacit_file_digest **out)
{
	*out = NULL;
	enum tacit_err err;
	struct tacit_file_header h;
	struct tacit_file_digest *d = NULL;
	TRY(tacit_file_header_decode(tacit_bytes(header, TACIT_FILE_HEADER_BYTES), &h));
	d = tacit_calloc(1, sizeof(*d));
	TRY(d != NULL ? TACIT_OK : TACIT_E_NOMEM);
	d->version = h.version;
	TRY(tacit_hasher_new(TACIT_SHA256, &d->hasher));
	if (d->version == TACIT_FILE_V2)
		TRY(tacit_hasher_update(d->hasher, TACIT_STR(TACIT_FILE_LABEL_V2)));
	TRY(tacit_hasher_update(d->hasher, tacit_bytes(header, TACIT_FILE_HEADER_BYTES)));
	*out = d;
	d = NULL;
out:
	tacit_file_digest_free(d);
	return err;
}

void tacit_file_digest_free(struct tacit_file_digest *d)
{
	if (d == NULL)
		return;
	tacit_hasher_free(d->hasher);
	tacit_free(d);
}

enum tacit_err tacit_file_digest_chunk(struct tacit_file_digest *d, struct tacit_bytes sealed)
{
	uint8_t leaf[TACIT_SHA256_BYTES];
	if (d->version == TACIT_FILE_V1)
		return tacit_hasher_update(d->hasher, sealed);
	enum tacit_err err = tacit_hash(TACIT_SHA256, sealed, leaf);
	if (err != TACIT_OK)
		return err;
	return tacit_hasher_update(d->hasher, tacit_bytes(leaf, sizeof(leaf)));
}

enum tacit_err tacit_file_digest_feed(struct tacit_file_digest *d, struct tacit_bytes in)
{
	if (d->version == TACIT_FILE_V2 && in.n % TACIT_SHA256_BYTES != 0)
		return TACIT_E_MALFORMED;
	return tacit_hasher_update(d->hasher, in);
}

enum tacit_err tacit_file_digest_peek(
        const struct tacit_file_digest *d, uint8_t out[TACIT_SHA256_BYTES])
{
	return tacit_hasher_peek(d->hasher, out);
}

enum tacit_err tacit_file_digest_check(
        const struct tacit_file_digest *d, const uint8_t want[TACIT_SHA256_BYTES])
{
	uint8_t got[TACIT_SHA256_BYTES];
	enum tacit_err err = tacit_file_digest_peek(d, got);
	if (err != TACIT_OK)
		return err;
	return tacit_ct_eq(tacit_bytes(got, sizeof(got)), tacit_bytes(want, sizeof(got)))
	               ? TACIT_OK
	               : TACIT_E_BAD_SEAL;
}
