/* transfer_int.h - what uploads and downloads share. */
#ifndef TACIT_CLIENT_TRANSFER_INT_H
#define TACIT_CLIENT_TRANSFER_INT_H

#include "client/transfer.h"
#include "wire/file_header.h"

#define TRANSFER_TAG_BYTES 16
#define TRANSFER_TRIES 5 /* in a row without a byte of progress */

/* Runs one request; a refusal's and the network's words end up in t->problem. */
TACIT_MUST_USE enum tacit_err transfer_call(
        struct transfer *t, const struct http_request *r, struct http_answer *a);
/* Waits before try number `tries` (1, 2, ...). Fails: CANCELLED. */
TACIT_MUST_USE enum tacit_err transfer_pause(const struct transfer *t, unsigned tries);
bool transfer_cancelled(const struct transfer *t);
void transfer_progress(const struct transfer *t, uint64_t done, uint64_t total);

/* --- seal_source.c: the sealed form of a file, made as it is read -------------------------------
 */

struct seal_source;

/* Sizes of a sealed file. chunk_bytes is of plaintext. */
struct sealed_shape {
	uint64_t plain_bytes;
	uint32_t chunk_bytes;
};
uint64_t sealed_chunks(struct sealed_shape s);
uint64_t sealed_bytes(struct sealed_shape s);
/* Plaintext bytes of chunk i. */
size_t sealed_chunk_plain(struct sealed_shape s, uint64_t i);

/* fd is borrowed and read with pread. Fails: MALFORMED, UNSUPPORTED, NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err seal_source_new(const uint8_t key[TACIT_FILE_KEY_BYTES],
        const uint8_t header[TACIT_FILE_HEADER_BYTES], int fd, uint64_t plain_bytes,
        struct seal_source **out);
void seal_source_free(struct seal_source *s);
uint64_t seal_source_total(const struct seal_source *s);
/* Goes to a place in the sealed form; what is skipped is sealed and hashed nevertheless, once.
 * Fails: USAGE (beyond the end), IO, CONFLICT (the file is shorter now), CRYPTO. */
TACIT_MUST_USE enum tacit_err seal_source_seek(struct seal_source *s, uint64_t offset);
/* The next bytes, at most n, 0 at the end. Fails: as seek. */
TACIT_MUST_USE enum tacit_err seal_source_read(
        struct seal_source *s, uint8_t *room, size_t n, size_t *got);
/* Once all of it was made: what a message names the sealed form by (e2e/file_digest.h), and its
 * SHA-256, as the server has it. Fail: USAGE (not yet), CRYPTO. */
TACIT_MUST_USE enum tacit_err seal_source_digest(
        const struct seal_source *s, uint8_t out[TACIT_SHA256_BYTES]);
TACIT_MUST_USE enum tacit_err seal_source_sha256(
        const struct seal_source *s, uint8_t out[TACIT_SHA256_BYTES]);

#endif
