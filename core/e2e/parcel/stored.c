#include "e2e/parcel/stored.h"

#include <string.h>

#include "base/reader.h"
#include "base/writer.h"
#include "crypto/aead.h"
#include "crypto/encoding.h"
#include "crypto/kdf.h"
#include "crypto/secret.h"
#include "e2e/file_stream.h"

#define SEALED_CHUNK (TACIT_FILE_CHUNK_BYTES + TACIT_AEAD_TAG_BYTES)
#define SECRET_CHARS 43 /* base64url of 32 bytes */

/* --- links ----------------------------------------------------------------------------------- */

static struct tacit_bytes fragment_of(struct tacit_bytes text, struct tacit_bytes *before)
{
	const uint8_t *mark = text.n > 0 ? memchr(text.p, '#', text.n) : NULL;
	size_t at = mark != NULL ? (size_t)(mark - text.p) : 0;
	*before = tacit_bytes_part(text, 0, at);
	return tacit_bytes_part(text, mark != NULL ? at + 1 : 0, text.n);
}

static bool begins_as_stored(struct tacit_bytes fragment)
{
	return fragment.n > 2 && fragment.p[0] == 's' && fragment.p[1] == '.';
}

bool tacit_stored_link_looks(struct tacit_bytes text)
{
	struct tacit_bytes before;
	return begins_as_stored(fragment_of(text, &before));
}

static enum tacit_err read_server(struct tacit_bytes before, struct tacit_bytes *server)
{
	bool page = before.n > 2 && memcmp(before.p + before.n - 2, "/r", 2) == 0;
	*server = tacit_bytes_part(before, 0, page ? before.n - 2 : 0);
	return before.n == 0 || page ? TACIT_OK : TACIT_E_MALFORMED;
}

static enum tacit_err read_id(struct tacit_bytes hex, char out[TACIT_STORED_ID_CHARS + 1])
{
	uint8_t raw[TACIT_STORED_ID_CHARS / 2];
	enum tacit_err err = tacit_unhex(hex, raw, sizeof(raw));
	if (err == TACIT_OK)
		tacit_hex(tacit_bytes(raw, sizeof(raw)), out);
	return err;
}

enum tacit_err tacit_stored_link_parse(
        struct tacit_bytes text, struct tacit_stored_link *out, struct tacit_bytes *server)
{
	enum tacit_err err;
	struct tacit_buf secret = {0};
	struct tacit_bytes before, fragment = fragment_of(text, &before);
	*out = (struct tacit_stored_link){0};
	*server = tacit_bytes(NULL, 0);
	bool shaped = begins_as_stored(fragment) &&
	              fragment.n == 2 + TACIT_STORED_ID_CHARS + 1 + SECRET_CHARS &&
	              fragment.p[2 + TACIT_STORED_ID_CHARS] == '.';
	TRY(shaped ? TACIT_OK : TACIT_E_MALFORMED);
	TRY(read_server(before, server));
	TRY(read_id(tacit_bytes_part(fragment, 2, TACIT_STORED_ID_CHARS), out->id));
	/* In one piece: a growing buffer would leave the secret behind. */
	TRY(tacit_buf_reserve(&secret, 2 * TACIT_STORED_SECRET_BYTES));
	TRY(tacit_unbase64(TACIT_BASE64URL,
	        tacit_bytes_part(fragment, fragment.n - SECRET_CHARS, fragment.n), &secret));
	TRY(secret.n == sizeof(out->secret) ? TACIT_OK : TACIT_E_MALFORMED);
	memcpy(out->secret, secret.p, sizeof(out->secret));
out:
	tacit_wipe(secret.p, secret.n);
	tacit_buf_clear(&secret);
	if (err != TACIT_OK) {
		*server = tacit_bytes(NULL, 0);
		tacit_wipe(out, sizeof(*out));
	}
	return err;
}

enum tacit_err tacit_stored_link_fragment(
        const struct tacit_stored_link *link, char out[TACIT_STORED_FRAGMENT_ROOM])
{
	enum tacit_err err;
	struct tacit_buf secret = {0};
	out[0] = '\0';
	TRY(tacit_buf_reserve(&secret, 2 * SECRET_CHARS));
	TRY(tacit_base64(
	        TACIT_BASE64URL, tacit_bytes(link->secret, sizeof(link->secret)), &secret));
	TRY(secret.n == SECRET_CHARS ? TACIT_OK : TACIT_E_USAGE);
	memcpy(out, "s.", 2);
	memcpy(out + 2, link->id, TACIT_STORED_ID_CHARS);
	out[2 + TACIT_STORED_ID_CHARS] = '.';
	memcpy(out + 3 + TACIT_STORED_ID_CHARS, secret.p, SECRET_CHARS);
	out[3 + TACIT_STORED_ID_CHARS + SECRET_CHARS] = '\0';
out:
	tacit_wipe(secret.p, secret.n);
	tacit_buf_clear(&secret);
	return err;
}

enum tacit_err tacit_stored_keys(
        const uint8_t secret[TACIT_STORED_SECRET_BYTES], struct tacit_stored_keys *out)
{
	enum tacit_err err;
	struct tacit_bytes s = tacit_bytes(secret, TACIT_STORED_SECRET_BYTES);
	TRY(tacit_derive(s, "tacit stored access", out->access, sizeof(out->access)));
	TRY(tacit_derive(s, "tacit stored head", out->head, sizeof(out->head)));
	TRY(tacit_derive(s, "tacit stored content", out->content, sizeof(out->content)));
	TRY(tacit_derive(s, "tacit stored receipt", out->receipt, sizeof(out->receipt)));
out:
	return err;
}

/* --- shape ----------------------------------------------------------------------------------- */

uint64_t tacit_stored_segments(uint64_t total)
{
	return (total + TACIT_STORED_TAIL_BYTES - 1) / TACIT_STORED_SEGMENT_BYTES + 1;
}

size_t tacit_stored_segment_plain(uint64_t total, uint64_t i)
{
	uint64_t left = total + TACIT_STORED_TAIL_BYTES - i * TACIT_STORED_SEGMENT_BYTES;
	return left < TACIT_STORED_SEGMENT_BYTES ? (size_t)left : TACIT_STORED_SEGMENT_BYTES;
}

size_t tacit_stored_segment_sealed(uint64_t total, uint64_t i)
{
	return (size_t)tacit_file_sealed_bytes(tacit_stored_segment_plain(total, i));
}

uint64_t tacit_stored_segment_at(uint64_t head_bytes, uint64_t total, uint64_t i)
{
	uint64_t count = tacit_stored_segments(total);
	uint64_t full = i < count ? i : count - 1;
	uint64_t at = head_bytes + full * tacit_file_sealed_bytes(TACIT_STORED_SEGMENT_BYTES);
	return i < count ? at : at + tacit_stored_segment_sealed(total, full);
}

/* --- a run of chunks in memory --------------------------------------------------------------- */

static enum tacit_chunk position_of(uint64_t i, uint64_t count)
{
	return i + 1 == count ? TACIT_CHUNK_LAST : TACIT_CHUNK_MIDDLE;
}

static enum tacit_err seal_run(const uint8_t key[TACIT_FILE_KEY_BYTES], struct tacit_bytes plain,
        const struct tacit_env *env, struct tacit_buf *out)
{
	enum tacit_err err;
	struct tacit_file_stream *stream = NULL;
	uint8_t header[TACIT_FILE_HEADER_BYTES];
	uint64_t count = tacit_file_chunks(plain.n);
	TRY(tacit_buf_reserve(out, (size_t)tacit_file_sealed_bytes(plain.n)));
	TRY(tacit_file_stream_create(key, env, header, &stream));
	TRY(tacit_buf_append(out, tacit_bytes(header, sizeof(header))));
	for (uint64_t i = 0; i < count; i++) {
		struct tacit_bytes chunk = tacit_bytes_part(
		        plain, (size_t)i * TACIT_FILE_CHUNK_BYTES, TACIT_FILE_CHUNK_BYTES);
		TRY(tacit_file_seal_chunk(
		        stream, i, position_of(i, count), chunk, out->p + out->n));
		out->n += chunk.n + TACIT_AEAD_TAG_BYTES;
	}
out:
	tacit_file_stream_free(stream);
	return err;
}

static enum tacit_err open_run(
        const uint8_t key[TACIT_FILE_KEY_BYTES], struct tacit_bytes sealed, struct tacit_buf *out)
{
	enum tacit_err err;
	struct tacit_file_stream *stream = NULL;
	size_t before = out->n;
	TRY(sealed.n > TACIT_FILE_HEADER_BYTES ? TACIT_OK : TACIT_E_TRUNCATED);
	struct tacit_bytes body = tacit_bytes_part(sealed, TACIT_FILE_HEADER_BYTES, sealed.n);
	size_t count = (body.n - 1) / SEALED_CHUNK + 1;
	TRY(body.n - (count - 1) * SEALED_CHUNK > TACIT_AEAD_TAG_BYTES ? TACIT_OK
	                                                               : TACIT_E_TRUNCATED);
	TRY(tacit_file_stream_resume(key, sealed.p, &stream));
	TRY(tacit_file_stream_chunk_bytes(stream) == TACIT_FILE_CHUNK_BYTES ? TACIT_OK
	                                                                    : TACIT_E_UNSUPPORTED);
	TRY(tacit_buf_reserve(out, body.n - count * TACIT_AEAD_TAG_BYTES));
	for (size_t i = 0; i < count; i++) {
		struct tacit_bytes chunk = tacit_bytes_part(body, i * SEALED_CHUNK, SEALED_CHUNK);
		TRY(tacit_file_open_chunk(
		        stream, i, position_of(i, count), chunk, out->p + out->n));
		out->n += chunk.n - TACIT_AEAD_TAG_BYTES;
	}
out:
	tacit_file_stream_free(stream);
	if (err != TACIT_OK)
		out->n = before;
	return err;
}

/* --- the head -------------------------------------------------------------------------------- */

enum tacit_err tacit_stored_head_seal(const struct tacit_stored_keys *k, struct tacit_bytes offer,
        const struct tacit_env *env, struct tacit_buf *out)
{
	static const uint8_t zeros[TACIT_STORED_PAD];
	enum tacit_err err;
	struct tacit_buf plain = {0};
	if (offer.n > TACIT_PARCEL_MAX_OFFER)
		return TACIT_E_TOO_LARGE;
	TRY(tacit_buf_reserve(&plain, 4 + offer.n + TACIT_STORED_PAD));
	struct tacit_writer w = tacit_writer(&plain);
	tacit_write_vec32(&w, offer);
	tacit_write_raw(&w,
	        tacit_bytes(zeros,
	                (TACIT_STORED_PAD - (4 + offer.n) % TACIT_STORED_PAD) % TACIT_STORED_PAD));
	TRY(tacit_writer_finish(&w));
	TRY(seal_run(k->head, tacit_buf_view(&plain), env, out));
out:
	tacit_wipe(plain.p, plain.n);
	tacit_buf_clear(&plain);
	return err;
}

static bool all_zero(struct tacit_bytes b)
{
	uint8_t any = 0;
	for (size_t i = 0; i < b.n; i++)
		any |= b.p[i];
	return any == 0;
}

enum tacit_err tacit_stored_head_open(
        const struct tacit_stored_keys *k, struct tacit_bytes sealed, struct tacit_buf *offer)
{
	enum tacit_err err;
	struct tacit_buf plain = {0};
	TRY(sealed.n <= TACIT_STORED_MAX_HEAD ? TACIT_OK : TACIT_E_TOO_LARGE);
	TRY(open_run(k->head, sealed, &plain));
	struct tacit_reader r = tacit_reader(tacit_buf_view(&plain));
	struct tacit_bytes found = tacit_read_vec32(&r, TACIT_PARCEL_MAX_OFFER);
	TRY(r.err);
	bool padded = plain.n % TACIT_STORED_PAD == 0 && r.rest.n < TACIT_STORED_PAD;
	TRY(padded && all_zero(r.rest) ? TACIT_OK : TACIT_E_MALFORMED);
	TRY(tacit_buf_append(offer, found));
out:
	tacit_wipe(plain.p, plain.n);
	tacit_buf_clear(&plain);
	return err;
}

/* --- segments -------------------------------------------------------------------------------- */

static void put_u64(uint64_t x, uint8_t out[8])
{
	for (unsigned i = 0; i < 8; i++)
		out[i] = (uint8_t)(x >> (56 - 8 * i));
}

enum tacit_err tacit_stored_segment_key(const struct tacit_stored_keys *k,
        struct tacit_stored_place p, uint8_t out[TACIT_FILE_KEY_BYTES])
{
	uint8_t index[8], count[8];
	const struct tacit_bytes info[] = {TACIT_STR("tacit stored segment"),
	        tacit_bytes(index, sizeof(index)), tacit_bytes(count, sizeof(count))};
	put_u64(p.index, index);
	put_u64(tacit_stored_segments(p.total), count);
	return tacit_hkdf_expand_parts(TACIT_SHA256, tacit_bytes(k->content, sizeof(k->content)),
	        info, TACIT_COUNT(info), (struct tacit_room){out, TACIT_FILE_KEY_BYTES});
}

enum tacit_err tacit_stored_segment_seal(const struct tacit_stored_keys *k,
        struct tacit_stored_place place, struct tacit_bytes plain, const struct tacit_env *env,
        struct tacit_buf *out)
{
	enum tacit_err err;
	uint8_t key[TACIT_FILE_KEY_BYTES] = {0};
	bool fits = place.index < tacit_stored_segments(place.total) &&
	            plain.n == tacit_stored_segment_plain(place.total, place.index);
	TRY(fits ? TACIT_OK : TACIT_E_USAGE);
	TRY(tacit_stored_segment_key(k, place, key));
	TRY(seal_run(key, plain, env, out));
out:
	tacit_wipe(key, sizeof(key));
	return err;
}

enum tacit_err tacit_stored_segment_open(const struct tacit_stored_keys *k,
        struct tacit_stored_place place, struct tacit_bytes sealed, struct tacit_buf *out)
{
	enum tacit_err err;
	uint8_t key[TACIT_FILE_KEY_BYTES] = {0};
	bool fits = place.index < tacit_stored_segments(place.total) &&
	            sealed.n == tacit_stored_segment_sealed(place.total, place.index);
	TRY(fits ? TACIT_OK : TACIT_E_BAD_SEAL);
	TRY(tacit_stored_segment_key(k, place, key));
	TRY(open_run(key, sealed, out));
out:
	tacit_wipe(key, sizeof(key));
	return err;
}

/* --- receipts -------------------------------------------------------------------------------- */

static void receipt_mac(const uint8_t key[TACIT_SHA256_BYTES], struct tacit_stored_download d,
        const uint8_t time[8], uint8_t out[TACIT_SHA256_BYTES])
{
	const struct tacit_bytes parts[] = {TACIT_STR("tacit stored receipt"),
	        tacit_bytes(d.id, TACIT_STORED_ID_CHARS), tacit_bytes(d.claim, TACIT_SHA256_BYTES),
	        tacit_bytes(time, 8)};
	tacit_hmac_parts(
	        TACIT_SHA256, tacit_bytes(key, TACIT_SHA256_BYTES), parts, TACIT_COUNT(parts), out);
}

void tacit_stored_receipt_make(const uint8_t key[TACIT_SHA256_BYTES],
        struct tacit_stored_download d, int64_t now, uint8_t out[TACIT_STORED_RECEIPT_BYTES])
{
	put_u64((uint64_t)now, out);
	receipt_mac(key, d, out, out + 8);
}

enum tacit_err tacit_stored_receipt_check(const uint8_t key[TACIT_SHA256_BYTES],
        struct tacit_stored_download d, const uint8_t receipt[TACIT_STORED_RECEIPT_BYTES],
        int64_t *time)
{
	uint8_t want[TACIT_SHA256_BYTES];
	struct tacit_reader r = tacit_reader(tacit_bytes(receipt, 8));
	receipt_mac(key, d, receipt, want);
	*time = 0;
	if (!tacit_ct_eq(
	            tacit_bytes(want, sizeof(want)), tacit_bytes(receipt + 8, TACIT_SHA256_BYTES)))
		return TACIT_E_BAD_SEAL;
	*time = (int64_t)tacit_read_u64(&r);
	return TACIT_OK;
}
