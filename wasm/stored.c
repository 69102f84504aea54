#include "wasm/stored.h"

#include <string.h>

#include "base/alloc.h"
#include "base/writer.h"
#include "crypto/aead.h"
#include "crypto/encoding.h"
#include "crypto/secret.h"
#include "e2e/file_stream.h"
#include "e2e/parcel/stored.h"
#include "wasm/parcel.h"
#include "wasm/room.h"

#define SEALED_CHUNK (TACIT_FILE_CHUNK_BYTES + TACIT_AEAD_TAG_BYTES)

struct tacit_wasm_stored {
	struct tacit_stored_link link;
	struct tacit_stored_keys keys;
	uint8_t claim[TACIT_SHA256_BYTES];
	uint64_t total, head_bytes, next; /* segment */
	struct tacit_file_stream *stream; /* of the segment under way */
	uint64_t chunk;                   /* of it */
	size_t at;                        /* its plaintext so far */
	bool opened, whole;
	struct tacit_hasher *hasher;
	uint8_t tail[TACIT_STORED_TAIL_BYTES];
};

static void write_hex(struct tacit_writer *w, const uint8_t bytes[TACIT_SHA256_BYTES])
{
	char hex[2 * TACIT_SHA256_BYTES + 1];
	tacit_hex(tacit_bytes(bytes, TACIT_SHA256_BYTES), hex);
	tacit_write_vec32(w, tacit_cstr(hex));
	tacit_wipe(hex, sizeof(hex));
}

enum tacit_err tacit_wasm_stored_new(const uint8_t *in, size_t n)
{
	enum tacit_err err;
	struct tacit_bytes all = tacit_bytes(in, n), server;
	struct tacit_wasm_stored *s = tacit_calloc(1, sizeof(*s));
	if (s == NULL)
		return TACIT_E_NOMEM;
	TRY(n > TACIT_STORED_TOKEN_BYTES ? TACIT_OK : TACIT_E_MALFORMED);
	TRY(tacit_stored_link_parse(
	        tacit_bytes_part(all, TACIT_STORED_TOKEN_BYTES, n), &s->link, &server));
	TRY(tacit_stored_keys(s->link.secret, &s->keys));
	TRY(tacit_hasher_new(TACIT_SHA256, &s->hasher));
	tacit_sha256(tacit_bytes_part(all, 0, TACIT_STORED_TOKEN_BYTES), s->claim);
	struct tacit_writer w = tacit_writer(tacit_wasm_begin());
	tacit_write_u32(&w, (uint32_t)(uintptr_t)s);
	tacit_write_vec32(&w, tacit_cstr(s->link.id));
	write_hex(&w, s->keys.access);
	write_hex(&w, s->claim);
	TRY(tacit_writer_finish(&w));
	s = NULL;
out:
	tacit_wasm_stored_free(s);
	return err;
}

void tacit_wasm_stored_free(struct tacit_wasm_stored *s)
{
	if (s == NULL)
		return;
	tacit_hasher_free(s->hasher);
	tacit_file_stream_free(s->stream);
	tacit_wipe(s, sizeof(*s));
	tacit_free(s);
}

enum tacit_err tacit_wasm_stored_head(
        struct tacit_wasm_stored *s, uint64_t size, const uint8_t *head, size_t n)
{
	enum tacit_err err;
	struct tacit_buf encoded = {0};
	struct tacit_parcel_offer offer = {0};
	TRY(s->opened ? TACIT_E_USAGE : TACIT_OK);
	TRY(tacit_stored_head_open(&s->keys, tacit_bytes(head, n), &encoded));
	TRY(tacit_parcel_offer_decode(tacit_buf_view(&encoded), &offer));
	TRY(offer.total <= TACIT_MAX_INTEGER ? TACIT_OK : TACIT_E_TOO_LARGE);
	uint64_t count = tacit_stored_segments(offer.total);
	TRY(tacit_stored_segment_at(n, offer.total, count) == size ? TACIT_OK : TACIT_E_MALFORMED);
	s->total = offer.total;
	s->head_bytes = n;
	s->opened = true;
	struct tacit_writer w = tacit_writer(tacit_wasm_begin());
	tacit_wasm_write_offer(&w, &offer);
	TRY(tacit_writer_finish(&w));
out:
	tacit_parcel_offer_clear(&offer);
	tacit_buf_clear(&encoded);
	return err;
}

enum tacit_err tacit_wasm_stored_next(struct tacit_wasm_stored *s)
{
	bool more = s->opened && s->next < tacit_stored_segments(s->total);
	struct tacit_writer w = tacit_writer(tacit_wasm_begin());
	if (!s->opened)
		return TACIT_E_USAGE;
	tacit_write_u64(&w, tacit_stored_segment_at(s->head_bytes, s->total, s->next));
	tacit_write_u64(&w, more ? tacit_stored_segment_sealed(s->total, s->next) : 0);
	tacit_write_u32(&w, TACIT_FILE_HEADER_BYTES);
	tacit_write_u32(&w, SEALED_CHUNK);
	return tacit_writer_finish(&w);
}

/* How much of what was opened is content; the rest is of the hash. */
static enum tacit_err split(struct tacit_wasm_stored *s, struct tacit_buf *plain)
{
	enum tacit_err err;
	uint64_t at = s->next * TACIT_STORED_SEGMENT_BYTES + s->at;
	uint64_t left = at < s->total ? s->total - at : 0;
	size_t content = left < plain->n ? (size_t)left : plain->n;
	size_t skip = at > s->total ? (size_t)(at - s->total) : 0;
	TRY(tacit_hasher_update(s->hasher, tacit_bytes(plain->p, content)));
	if (content < plain->n)
		memcpy(s->tail + skip, plain->p + content, plain->n - content);
	s->at += plain->n;
	plain->n = content;
out:
	return err;
}

static enum tacit_err begin_segment(struct tacit_wasm_stored *s, struct tacit_bytes *sealed)
{
	enum tacit_err err;
	uint8_t key[TACIT_FILE_KEY_BYTES] = {0};
	const struct tacit_stored_place place = {s->total, s->next};
	bool may =
	        s->next < tacit_stored_segments(s->total) && sealed->n >= TACIT_FILE_HEADER_BYTES;
	TRY(may ? TACIT_OK : TACIT_E_BAD_SEAL);
	TRY(tacit_stored_segment_key(&s->keys, place, key));
	TRY(tacit_file_stream_resume(key, sealed->p, &s->stream));
	TRY(tacit_file_stream_chunk_bytes(s->stream) == TACIT_FILE_CHUNK_BYTES
	                ? TACIT_OK
	                : TACIT_E_UNSUPPORTED);
	s->chunk = s->at = 0;
	*sealed = tacit_bytes_part(*sealed, TACIT_FILE_HEADER_BYTES, sealed->n);
out:
	tacit_wipe(key, sizeof(key));
	return err;
}

static enum tacit_err open_chunks(
        struct tacit_wasm_stored *s, struct tacit_bytes sealed, struct tacit_buf *out)
{
	enum tacit_err err = TACIT_OK;
	size_t plain = tacit_stored_segment_plain(s->total, s->next);
	uint64_t count = tacit_file_chunks(plain);
	TRY(tacit_buf_reserve(out, sealed.n));
	for (size_t i = 0; i < sealed.n; i += SEALED_CHUNK, s->chunk++) {
		struct tacit_bytes chunk = tacit_bytes_part(sealed, i, SEALED_CHUNK);
		bool fits = s->chunk < count && chunk.n > TACIT_AEAD_TAG_BYTES &&
		            s->at + out->n + chunk.n - TACIT_AEAD_TAG_BYTES <= plain;
		TRY(fits ? TACIT_OK : TACIT_E_BAD_SEAL);
		TRY(tacit_file_open_chunk(s->stream, s->chunk,
		        s->chunk + 1 == count ? TACIT_CHUNK_LAST : TACIT_CHUNK_MIDDLE, chunk,
		        out->p + out->n));
		out->n += chunk.n - TACIT_AEAD_TAG_BYTES;
	}
out:
	return err;
}

static enum tacit_err end_segment(struct tacit_wasm_stored *s)
{
	enum tacit_err err = TACIT_OK;
	uint8_t digest[TACIT_SHA256_BYTES];
	if (s->at < tacit_stored_segment_plain(s->total, s->next))
		return TACIT_OK;
	tacit_file_stream_free(s->stream);
	s->stream = NULL;
	s->next++;
	if (s->next < tacit_stored_segments(s->total))
		return TACIT_OK;
	TRY(tacit_hasher_peek(s->hasher, digest));
	s->whole = tacit_ct_eq(
	        tacit_bytes(digest, sizeof(digest)), tacit_bytes(s->tail, sizeof(s->tail)));
	err = s->whole ? TACIT_OK : TACIT_E_BAD_SEAL;
out:
	return err;
}

enum tacit_err tacit_wasm_stored_take(struct tacit_wasm_stored *s, const uint8_t *sealed, size_t n)
{
	enum tacit_err err;
	struct tacit_buf *out = tacit_wasm_begin();
	struct tacit_bytes piece = tacit_bytes(sealed, n);
	TRY(s->opened ? TACIT_OK : TACIT_E_USAGE);
	if (s->stream == NULL)
		TRY(begin_segment(s, &piece));
	TRY(open_chunks(s, piece, out));
	TRY(split(s, out));
	TRY(end_segment(s));
out:
	return err;
}

enum tacit_err tacit_wasm_stored_receipt(struct tacit_wasm_stored *s)
{
	uint8_t receipt[TACIT_STORED_RECEIPT_BYTES];
	char hex[2 * TACIT_STORED_RECEIPT_BYTES + 1];
	const struct tacit_stored_download d = {s->link.id, s->claim};
	if (!s->whole)
		return TACIT_E_USAGE;
	tacit_stored_receipt_make(s->keys.receipt, d, tacit_env_now(tacit_wasm_env()), receipt);
	tacit_hex(tacit_bytes(receipt, sizeof(receipt)), hex);
	return tacit_buf_append(tacit_wasm_begin(), tacit_cstr(hex));
}
