#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "client/transfer_int.h"
#include "crypto/hash.h"
#include "crypto/secret.h"
#include "e2e/file_digest.h"
#include "e2e/file_stream.h"

#define NO_CHUNK UINT64_MAX

struct seal_source {
	struct tacit_file_stream *stream;
	struct tacit_hasher *hasher;      /* of all of it, as the server hashes it */
	struct tacit_file_digest *digest; /* as a message names it */
	uint8_t header[TACIT_FILE_HEADER_BYTES];
	struct sealed_shape shape;
	uint64_t total;
	uint64_t offset;   /* where the next read begins, in the sealed form */
	uint64_t hashed;   /* what is before this went into the hasher, in order, once */
	uint64_t digested; /* likewise of chunks and digest */
	uint8_t *plain;    /* one chunk */
	uint8_t *sealed;   /* one sealed chunk: number `staged` */
	uint64_t staged;
	int fd;
};

uint64_t sealed_chunks(struct sealed_shape s)
{
	if (s.plain_bytes == 0)
		return 1;
	return (s.plain_bytes - 1) / s.chunk_bytes + 1;
}

uint64_t sealed_bytes(struct sealed_shape s)
{
	return TACIT_FILE_HEADER_BYTES + s.plain_bytes + sealed_chunks(s) * TRANSFER_TAG_BYTES;
}

size_t sealed_chunk_plain(struct sealed_shape s, uint64_t i)
{
	if (i + 1 < sealed_chunks(s))
		return s.chunk_bytes;
	return (size_t)(s.plain_bytes - i * s.chunk_bytes);
}

enum tacit_err seal_source_new(const uint8_t key[TACIT_FILE_KEY_BYTES],
        const uint8_t header[TACIT_FILE_HEADER_BYTES], int fd, uint64_t plain_bytes,
        struct seal_source **out)
{
	enum tacit_err err;
	*out = NULL;
	struct seal_source *s = tacit_calloc(1, sizeof(*s));
	if (s == NULL)
		return TACIT_E_NOMEM;
	s->fd = fd;
	s->staged = NO_CHUNK;
	memcpy(s->header, header, sizeof(s->header));
	TRY(tacit_file_stream_resume(key, header, &s->stream));
	TRY(tacit_hasher_new(TACIT_SHA256, &s->hasher));
	TRY(tacit_file_digest_new(header, &s->digest));
	s->shape = (struct sealed_shape){plain_bytes, tacit_file_stream_chunk_bytes(s->stream)};
	s->total = sealed_bytes(s->shape);
	s->plain = tacit_alloc(s->shape.chunk_bytes);
	s->sealed = tacit_alloc(s->shape.chunk_bytes + TRANSFER_TAG_BYTES);
	if (s->plain == NULL || s->sealed == NULL)
		TRY(TACIT_E_NOMEM);
	*out = s;
	s = NULL;
out:
	seal_source_free(s);
	return err;
}

void seal_source_free(struct seal_source *s)
{
	if (s == NULL)
		return;
	tacit_file_stream_free(s->stream);
	tacit_hasher_free(s->hasher);
	tacit_file_digest_free(s->digest);
	if (s->plain != NULL)
		tacit_wipe(s->plain, s->shape.chunk_bytes);
	tacit_free(s->plain);
	tacit_free(s->sealed);
	tacit_free(s);
}

uint64_t seal_source_total(const struct seal_source *s)
{
	return s->total;
}

static enum tacit_err read_plain(struct seal_source *s, uint64_t chunk, size_t n)
{
	uint64_t from = chunk * s->shape.chunk_bytes;
	for (size_t done = 0; done < n;) {
		ssize_t got = pread(s->fd, s->plain + done, n - done, (off_t)(from + done));
		if (got == 0)
			return TACIT_E_CONFLICT;
		if (got < 0 && errno != EINTR)
			return TACIT_E_IO;
		if (got > 0)
			done += (size_t)got;
	}
	return TACIT_OK;
}

static enum tacit_err seal_chunk(struct seal_source *s, uint64_t chunk, uint8_t *out)
{
	size_t n = sealed_chunk_plain(s->shape, chunk);
	enum tacit_chunk position =
	        chunk + 1 == sealed_chunks(s->shape) ? TACIT_CHUNK_LAST : TACIT_CHUNK_MIDDLE;
	enum tacit_err err;
	TRY(read_plain(s, chunk, n));
	TRY(tacit_file_seal_chunk(s->stream, chunk, position, tacit_bytes(s->plain, n), out));
	if (chunk == s->digested) {
		TRY(tacit_file_digest_chunk(s->digest, tacit_bytes(out, n + TRANSFER_TAG_BYTES)));
		s->digested++;
	}
out:
	return err;
}

/* The bytes at s->offset up to the end of the header or chunk, at most n. A whole chunk is sealed
 * straight into room; a part of one goes through the staging room. */
static enum tacit_err next_piece(struct seal_source *s, uint8_t *room, size_t n, size_t *got)
{
	enum tacit_err err = TACIT_OK;
	if (s->offset < TACIT_FILE_HEADER_BYTES) {
		size_t left = TACIT_FILE_HEADER_BYTES - (size_t)s->offset;
		*got = left < n ? left : n;
		memcpy(room, s->header + s->offset, *got);
		return TACIT_OK;
	}
	uint64_t body = s->offset - TACIT_FILE_HEADER_BYTES;
	uint64_t chunk = body / (s->shape.chunk_bytes + TRANSFER_TAG_BYTES);
	size_t in = (size_t)(body % (s->shape.chunk_bytes + TRANSFER_TAG_BYTES));
	size_t whole = sealed_chunk_plain(s->shape, chunk) + TRANSFER_TAG_BYTES;
	if (in == 0 && n >= whole) {
		*got = whole;
		return seal_chunk(s, chunk, room);
	}
	if (s->staged != chunk) {
		s->staged = NO_CHUNK;
		TRY(seal_chunk(s, chunk, s->sealed));
		s->staged = chunk;
	}
	*got = whole - in < n ? whole - in : n;
	memcpy(room, s->sealed + in, *got);
out:
	return err;
}

enum tacit_err seal_source_read(struct seal_source *s, uint8_t *room, size_t n, size_t *got)
{
	enum tacit_err err = TACIT_OK;
	size_t done = 0;
	while (done < n && s->offset < s->total) {
		size_t piece = 0;
		TRY(next_piece(s, room + done, n - done, &piece));
		uint64_t end = s->offset + piece;
		if (end > s->hashed) {
			size_t known = (size_t)(s->hashed - s->offset);
			TRY(tacit_hasher_update(
			        s->hasher, tacit_bytes(room + done + known, piece - known)));
			s->hashed = end;
		}
		s->offset = end;
		done += piece;
	}
out:
	*got = done;
	return err;
}

enum tacit_err seal_source_seek(struct seal_source *s, uint64_t offset)
{
	enum tacit_err err = TACIT_OK;
	uint8_t *scratch = NULL;
	size_t size = s->shape.chunk_bytes + TRANSFER_TAG_BYTES;
	if (offset > s->total)
		return TACIT_E_USAGE;
	s->offset = offset < s->hashed ? offset : s->hashed;
	if (s->offset < offset) {
		scratch = tacit_alloc(size);
		if (scratch == NULL)
			TRY(TACIT_E_NOMEM);
	}
	while (s->offset < offset) {
		uint64_t left = offset - s->offset;
		size_t got = 0;
		TRY(seal_source_read(s, scratch, left < size ? (size_t)left : size, &got));
	}
out:
	tacit_free(scratch);
	return err;
}

enum tacit_err seal_source_digest(const struct seal_source *s, uint8_t out[TACIT_SHA256_BYTES])
{
	if (s->hashed != s->total)
		return TACIT_E_USAGE;
	return tacit_file_digest_peek(s->digest, out);
}

enum tacit_err seal_source_sha256(const struct seal_source *s, uint8_t out[TACIT_SHA256_BYTES])
{
	if (s->hashed != s->total)
		return TACIT_E_USAGE;
	return tacit_hasher_peek(s->hasher, out);
}
