#include "e2e/file_stream.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "crypto/aead.h"
#include "crypto/kdf.h"
#include "crypto/secret.h"

#define LABEL_BYTES (sizeof(TACIT_FILE_LABEL_V1) - 1)

static_assert(TACIT_FILE_NONCE_BYTES == TACIT_AEAD_NONCE_BYTES, "of AES-GCM");
static_assert(sizeof(TACIT_FILE_LABEL_V1) == sizeof(TACIT_FILE_LABEL_V2), "one room for both");
static_assert(TACIT_FILE_KEY_BYTES == TACIT_SHA256_BYTES, "of AES-256");

struct tacit_file_stream {
	struct tacit_aead *aead;
	uint32_t chunk_bytes;
	uint8_t header[TACIT_FILE_HEADER_BYTES];
};

uint64_t tacit_file_chunks(uint64_t plain_bytes)
{
	if (plain_bytes == 0)
		return 1;
	return (plain_bytes - 1) / TACIT_FILE_CHUNK_BYTES + 1;
}

uint64_t tacit_file_sealed_bytes(uint64_t plain_bytes)
{
	return TACIT_FILE_HEADER_BYTES + plain_bytes +
	       tacit_file_chunks(plain_bytes) * TACIT_AEAD_TAG_BYTES;
}

/* RFC 5869: extract with the salt of the header, expand with the label and the whole header. */
enum tacit_err tacit_file_stream_key(const uint8_t file_key[TACIT_FILE_KEY_BYTES],
        const uint8_t header[TACIT_FILE_HEADER_BYTES], uint8_t key[TACIT_FILE_KEY_BYTES],
        uint32_t *chunk_bytes)
{
	enum tacit_err err;
	struct tacit_file_header h;
	uint8_t prk[TACIT_SHA256_BYTES] = {0};
	uint8_t info[LABEL_BYTES + TACIT_FILE_HEADER_BYTES];
	TRY(tacit_file_header_decode(tacit_bytes(header, TACIT_FILE_HEADER_BYTES), &h));
	*chunk_bytes = h.chunk_bytes;
	const char *label = h.version == TACIT_FILE_V1 ? TACIT_FILE_LABEL_V1 : TACIT_FILE_LABEL_V2;
	memcpy(info, label, LABEL_BYTES);
	memcpy(info + LABEL_BYTES, header, TACIT_FILE_HEADER_BYTES);
	tacit_hkdf_extract(TACIT_SHA256, tacit_bytes(h.salt, sizeof(h.salt)),
	        tacit_bytes(file_key, TACIT_FILE_KEY_BYTES), prk);
	TRY(tacit_hkdf_expand(TACIT_SHA256, tacit_bytes(prk, sizeof(prk)),
	        tacit_bytes(info, sizeof(info)), key, TACIT_FILE_KEY_BYTES));
out:
	tacit_wipe(prk, sizeof(prk));
	return err;
}

enum tacit_err tacit_file_stream_resume(const uint8_t key[TACIT_FILE_KEY_BYTES],
        const uint8_t header[TACIT_FILE_HEADER_BYTES], struct tacit_file_stream **out)
{
	*out = NULL;
	enum tacit_err err;
	uint32_t chunk_bytes;
	struct tacit_file_stream *s = NULL;
	uint8_t own[TACIT_FILE_KEY_BYTES] = {0};
	TRY(tacit_file_stream_key(key, header, own, &chunk_bytes));
	s = tacit_calloc(1, sizeof(*s));
	if (s == NULL) {
		err = TACIT_E_NOMEM;
		goto out;
	}
	s->chunk_bytes = chunk_bytes;
	memcpy(s->header, header, sizeof(s->header));
	TRY(tacit_aead_new(TACIT_AES256_GCM, own, &s->aead));
	*out = s;
	s = NULL;
out:
	tacit_wipe(own, sizeof(own));
	tacit_file_stream_free(s);
	return err;
}

static enum tacit_err draw_header(const struct tacit_env *env, enum tacit_file_version version,
        uint32_t chunk_bytes, uint8_t header[TACIT_FILE_HEADER_BYTES])
{
	enum tacit_err err;
	struct tacit_buf encoded = {0};
	struct tacit_file_header h = {.version = version, .chunk_bytes = chunk_bytes};
	tacit_env_random(env, h.salt, sizeof(h.salt));
	TRY(tacit_file_header_encode(&h, &encoded));
	memcpy(header, encoded.p, TACIT_FILE_HEADER_BYTES);
out:
	tacit_buf_clear(&encoded);
	return err;
}

enum tacit_err tacit_file_header_new(
        const struct tacit_env *env, uint8_t header[TACIT_FILE_HEADER_BYTES])
{
	return draw_header(env, TACIT_FILE_V2, TACIT_FILE_CHUNK_BYTES, header);
}

enum tacit_err tacit_file_stream_create(const uint8_t key[TACIT_FILE_KEY_BYTES],
        const struct tacit_env *env, uint8_t header_out[TACIT_FILE_HEADER_BYTES],
        struct tacit_file_stream **out)
{
	*out = NULL;
	enum tacit_err err = draw_header(env, TACIT_FILE_V1, TACIT_FILE_CHUNK_BYTES, header_out);
	return err == TACIT_OK ? tacit_file_stream_resume(key, header_out, out) : err;
}

uint32_t tacit_file_stream_chunk_bytes(const struct tacit_file_stream *s)
{
	return s->chunk_bytes;
}

void tacit_file_stream_free(struct tacit_file_stream *s)
{
	if (s == NULL)
		return;
	tacit_aead_free(s->aead);
	tacit_free(s);
}

/* 0^7 || counter || last: each chunk has its place, and the last one its mark, in the nonce. */
enum tacit_err tacit_file_chunk_nonce(
        uint64_t index, enum tacit_chunk position, uint8_t nonce[TACIT_FILE_NONCE_BYTES])
{
	if (index > UINT32_MAX)
		return TACIT_E_EXHAUSTED;
	memset(nonce, 0, 7);
	for (int i = 0; i < 4; i++)
		nonce[7 + i] = (uint8_t)(index >> (24 - 8 * i));
	nonce[11] = position == TACIT_CHUNK_LAST;
	return TACIT_OK;
}

static bool length_fits(
        const struct tacit_file_stream *s, uint64_t index, enum tacit_chunk position, size_t n)
{
	if (position != TACIT_CHUNK_LAST)
		return n == s->chunk_bytes;
	return n <= s->chunk_bytes && (n > 0 || index == 0);
}

enum tacit_err tacit_file_seal_chunk(struct tacit_file_stream *s, uint64_t index,
        enum tacit_chunk position, struct tacit_bytes plain, uint8_t *out)
{
	if (!length_fits(s, index, position, plain.n))
		return TACIT_E_USAGE;
	uint8_t nonce[TACIT_FILE_NONCE_BYTES];
	enum tacit_err err = tacit_file_chunk_nonce(index, position, nonce);
	if (err != TACIT_OK)
		return err;
	return tacit_aead_seal(
	        s->aead, nonce, tacit_bytes(s->header, sizeof(s->header)), plain, out);
}

enum tacit_err tacit_file_open_chunk(struct tacit_file_stream *s, uint64_t index,
        enum tacit_chunk position, struct tacit_bytes sealed, uint8_t *out)
{
	uint8_t nonce[TACIT_FILE_NONCE_BYTES];
	if (tacit_file_chunk_nonce(index, position, nonce) != TACIT_OK)
		return TACIT_E_USAGE;
	if (sealed.n < TACIT_AEAD_TAG_BYTES ||
	        !length_fits(s, index, position, sealed.n - TACIT_AEAD_TAG_BYTES))
		return TACIT_E_BAD_SEAL;
	return tacit_aead_open(
	        s->aead, nonce, tacit_bytes(s->header, sizeof(s->header)), sealed, out);
}
