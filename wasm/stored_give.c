#include "wasm/stored_give.h"

#include <string.h>

#include "base/alloc.h"
#include "base/writer.h"
#include "crypto/aead.h"
#include "crypto/encoding.h"
#include "crypto/secret.h"
#include "e2e/file_stream.h"
#include "e2e/parcel/stored.h"
#include "wasm/room.h"

struct tacit_wasm_leave {
	uint8_t secret[TACIT_STORED_SECRET_BYTES];
	uint8_t owner[TACIT_STORED_TOKEN_BYTES];
	struct tacit_stored_keys keys;
	struct tacit_buf offer;
	uint64_t total, next; /* segment */
	struct tacit_file_stream *stream;
	uint64_t chunk;  /* of the segment under way */
	size_t at;       /* its content so far */
	bool sealed;     /* to its end */
	uint64_t hashed; /* of all content: what is sealed anew is not hashed again */
	struct tacit_hasher *hasher;
};

static void write_hex(struct tacit_writer *w, const uint8_t bytes[TACIT_SHA256_BYTES])
{
	char hex[2 * TACIT_SHA256_BYTES + 1];
	tacit_hex(tacit_bytes(bytes, TACIT_SHA256_BYTES), hex);
	tacit_write_vec32(w, tacit_cstr(hex));
	tacit_wipe(hex, sizeof(hex));
}

static void write_hash_of(struct tacit_writer *w, const uint8_t token[TACIT_STORED_TOKEN_BYTES])
{
	uint8_t hash[TACIT_SHA256_BYTES];
	tacit_sha256(tacit_bytes(token, TACIT_STORED_TOKEN_BYTES), hash);
	write_hex(w, hash);
}

static enum tacit_err take_offer(struct tacit_wasm_leave *l, struct tacit_bytes encoded)
{
	enum tacit_err err;
	struct tacit_parcel_offer offer = {0};
	TRY(tacit_parcel_offer_decode(encoded, &offer));
	TRY(offer.total <= TACIT_MAX_INTEGER ? TACIT_OK : TACIT_E_TOO_LARGE);
	TRY(tacit_buf_append(&l->offer, encoded));
	l->total = offer.total;
out:
	tacit_parcel_offer_clear(&offer);
	return err;
}

static enum tacit_err tell(struct tacit_wasm_leave *l)
{
	enum tacit_err err;
	struct tacit_buf head = {0};
	uint64_t count = tacit_stored_segments(l->total);
	TRY(tacit_stored_head_seal(&l->keys, tacit_buf_view(&l->offer), tacit_wasm_env(), &head));
	struct tacit_writer w = tacit_writer(tacit_wasm_begin());
	tacit_write_u32(&w, (uint32_t)(uintptr_t)l);
	tacit_write_u64(&w, tacit_stored_segment_at(head.n, l->total, count));
	tacit_write_u64(&w, head.n);
	write_hash_of(&w, l->keys.access);
	write_hex(&w, l->owner);
	write_hash_of(&w, l->owner);
	write_hex(&w, l->keys.receipt);
	TRY(tacit_writer_finish(&w));
out:
	tacit_buf_clear(&head);
	return err;
}

enum tacit_err tacit_wasm_leave_new(const uint8_t *offer, size_t n)
{
	enum tacit_err err;
	struct tacit_wasm_leave *l = tacit_calloc(1, sizeof(*l));
	if (l == NULL)
		return TACIT_E_NOMEM;
	TRY(take_offer(l, tacit_bytes(offer, n)));
	tacit_env_random(tacit_wasm_env(), l->secret, sizeof(l->secret));
	tacit_env_random(tacit_wasm_env(), l->owner, sizeof(l->owner));
	TRY(tacit_stored_keys(l->secret, &l->keys));
	TRY(tacit_hasher_new(TACIT_SHA256, &l->hasher));
	TRY(tell(l));
	l = NULL;
out:
	tacit_wasm_leave_free(l);
	return err;
}

void tacit_wasm_leave_free(struct tacit_wasm_leave *l)
{
	if (l == NULL)
		return;
	tacit_hasher_free(l->hasher);
	tacit_file_stream_free(l->stream);
	tacit_buf_clear(&l->offer);
	tacit_wipe(l, sizeof(*l));
	tacit_free(l);
}

enum tacit_err tacit_wasm_leave_head(struct tacit_wasm_leave *l)
{
	return tacit_stored_head_seal(
	        &l->keys, tacit_buf_view(&l->offer), tacit_wasm_env(), tacit_wasm_begin());
}

/* How much of a segment is content; what follows in it is of the hash. */
static size_t content_of(const struct tacit_wasm_leave *l)
{
	uint64_t at = l->next * TACIT_STORED_SEGMENT_BYTES,
	         left = at < l->total ? l->total - at : 0;
	return left < TACIT_STORED_SEGMENT_BYTES ? (size_t)left : TACIT_STORED_SEGMENT_BYTES;
}

static bool has_next(const struct tacit_wasm_leave *l)
{
	return l->next < tacit_stored_segments(l->total);
}

enum tacit_err tacit_wasm_leave_next(struct tacit_wasm_leave *l)
{
	struct tacit_writer w = tacit_writer(tacit_wasm_begin());
	uint64_t at = l->next * TACIT_STORED_SEGMENT_BYTES;
	tacit_write_u64(&w, at < l->total ? at : l->total);
	tacit_write_u64(&w, has_next(l) ? content_of(l) : 0);
	tacit_write_u8(&w, has_next(l));
	return tacit_writer_finish(&w);
}

enum tacit_err tacit_wasm_leave_begin(struct tacit_wasm_leave *l)
{
	enum tacit_err err;
	uint8_t key[TACIT_FILE_KEY_BYTES] = {0}, header[TACIT_FILE_HEADER_BYTES];
	const struct tacit_stored_place place = {l->total, l->next};
	TRY(has_next(l) ? TACIT_OK : TACIT_E_USAGE);
	tacit_file_stream_free(l->stream);
	l->stream = NULL;
	l->chunk = l->at = 0;
	l->sealed = false;
	TRY(tacit_stored_segment_key(&l->keys, place, key));
	TRY(tacit_file_stream_create(key, tacit_wasm_env(), header, &l->stream));
	TRY(tacit_wasm_give(tacit_bytes(header, sizeof(header))));
out:
	tacit_wipe(key, sizeof(key));
	return err;
}

static enum tacit_err hash_new(struct tacit_wasm_leave *l, struct tacit_bytes content)
{
	uint64_t from = l->next * TACIT_STORED_SEGMENT_BYTES + l->at;
	if (from < l->hashed)
		return TACIT_OK;
	l->hashed += content.n;
	return tacit_hasher_update(l->hasher, content);
}

/* Behind the end of all content the hash, or the part of it that is in this segment. */
static enum tacit_err add_tail(const struct tacit_wasm_leave *l, struct tacit_buf *out)
{
	uint8_t digest[TACIT_SHA256_BYTES];
	uint64_t at = l->next * TACIT_STORED_SEGMENT_BYTES;
	size_t skip = at > l->total ? (size_t)(at - l->total) : 0;
	size_t n = tacit_stored_segment_plain(l->total, l->next) - content_of(l);
	enum tacit_err err = tacit_hasher_peek(l->hasher, digest);
	return err == TACIT_OK ? tacit_buf_append(out, tacit_bytes(digest + skip, n)) : err;
}

static enum tacit_err seal_chunks(struct tacit_wasm_leave *l, struct tacit_bytes plain)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_buf *out = tacit_wasm_begin();
	uint64_t last = tacit_file_chunks(tacit_stored_segment_plain(l->total, l->next)) - 1;
	TRY(tacit_buf_reserve(out, (size_t)tacit_file_sealed_bytes(plain.n)));
	for (size_t i = 0; i < plain.n; i += TACIT_FILE_CHUNK_BYTES, l->chunk++) {
		struct tacit_bytes chunk = tacit_bytes_part(plain, i, TACIT_FILE_CHUNK_BYTES);
		TRY(tacit_file_seal_chunk(l->stream, l->chunk,
		        l->chunk == last ? TACIT_CHUNK_LAST : TACIT_CHUNK_MIDDLE, chunk,
		        out->p + out->n));
		out->n += chunk.n + TACIT_AEAD_TAG_BYTES;
	}
out:
	return err;
}

enum tacit_err tacit_wasm_leave_seal(struct tacit_wasm_leave *l, const uint8_t *plain, size_t n)
{
	enum tacit_err err;
	struct tacit_buf all = {0};
	TRY(l->stream != NULL && !l->sealed && n <= content_of(l) - l->at ? TACIT_OK
	                                                                  : TACIT_E_USAGE);
	bool end = l->at + n == content_of(l);
	TRY(end || (n > 0 && n % TACIT_FILE_CHUNK_BYTES == 0) ? TACIT_OK : TACIT_E_USAGE);
	TRY(hash_new(l, tacit_bytes(plain, n)));
	TRY(tacit_buf_reserve(&all, n + TACIT_STORED_TAIL_BYTES));
	TRY(tacit_buf_append(&all, tacit_bytes(plain, n)));
	if (end)
		TRY(add_tail(l, &all));
	TRY(seal_chunks(l, tacit_buf_view(&all)));
	l->at += n;
	l->sealed = end;
out:
	if (all.p != NULL)
		tacit_wipe(all.p, all.n);
	tacit_buf_clear(&all);
	return err;
}

enum tacit_err tacit_wasm_leave_came(struct tacit_wasm_leave *l)
{
	if (!l->sealed)
		return TACIT_E_USAGE;
	l->sealed = false;
	l->next++;
	(void)tacit_wasm_begin();
	return TACIT_OK;
}

enum tacit_err tacit_wasm_leave_link(struct tacit_wasm_leave *l, const uint8_t *id, size_t n)
{
	enum tacit_err err;
	char fragment[TACIT_STORED_FRAGMENT_ROOM];
	uint8_t raw[TACIT_STORED_ID_CHARS / 2];
	struct tacit_stored_link link = {0};
	memcpy(link.secret, l->secret, sizeof(link.secret));
	TRY(tacit_unhex(tacit_bytes(id, n), raw, sizeof(raw)));
	tacit_hex(tacit_bytes(raw, sizeof(raw)), link.id);
	TRY(tacit_stored_link_fragment(&link, fragment));
	TRY(tacit_wasm_give(tacit_cstr(fragment)));
out:
	tacit_wipe(&link, sizeof(link));
	tacit_wipe(fragment, sizeof(fragment));
	return err;
}

enum tacit_err tacit_wasm_leave_receipt(const uint8_t *in, size_t n)
{
	enum tacit_err err;
	char id[TACIT_STORED_ID_CHARS + 1] = {0};
	const uint8_t *claim = in + TACIT_SHA256_BYTES + TACIT_STORED_ID_CHARS;
	int64_t time = 0;
	TRY(n == 2 * TACIT_SHA256_BYTES + TACIT_STORED_ID_CHARS + TACIT_STORED_RECEIPT_BYTES
	                ? TACIT_OK
	                : TACIT_E_MALFORMED);
	memcpy(id, in + TACIT_SHA256_BYTES, TACIT_STORED_ID_CHARS);
	const struct tacit_stored_download d = {id, claim};
	TRY(tacit_stored_receipt_check(in, d, claim + TACIT_SHA256_BYTES, &time));
	TRY(time >= 0 ? TACIT_OK : TACIT_E_MALFORMED);
	struct tacit_writer w = tacit_writer(tacit_wasm_begin());
	tacit_write_u64(&w, (uint64_t)time);
	TRY(tacit_writer_finish(&w));
out:
	return err;
}
