/* file_stream.h - file bytes, sealed chunk by chunk: the STREAM construction (Hoang, Reyhanitabar,
 * Rogaway, Vizár 2015) over AES-256-GCM, as age and Tink use it.
 *
 * Key = HKDF-SHA256(file key, salt, label of the version || header). Nonce = 0^7 || chunk counter
 * (u32) || last flag. The header is the AAD of every chunk. A sealed file is header || chunk*;
 * every chunk but the last holds exactly chunk_bytes of plaintext, the last 1 to chunk_bytes (or 0
 * when the file is empty). Any chunk can be opened alone, given its index: that is what makes Range
 * downloads useful. Whoever opens chunk by chunk knows that the file was whole only after the LAST
 * one has opened.
 *
 * A stream holds a key and its schedule, and allocates nothing per chunk; it serves one thread. To
 * seal another plaintext under an index that was used already would reuse a nonce: who resumes an
 * upload seals the same bytes again, or begins a new stream. */
#ifndef TACIT_E2E_FILE_STREAM_H
#define TACIT_E2E_FILE_STREAM_H

#include "base/bytes.h"
#include "base/env.h"
#include "base/err.h"
#include "wire/file_header.h"
#include "wire/limits.h"

#define TACIT_FILE_NONCE_BYTES 12
#define TACIT_FILE_LABEL_V1 "tacit file v1"
#define TACIT_FILE_LABEL_V2 "tacit file v2"

enum tacit_chunk { TACIT_CHUNK_MIDDLE = 0, TACIT_CHUNK_LAST = 1 };

struct tacit_file_stream;

/* What a stream is made of, for a host whose AES-GCM is not ours (WebCrypto): the header of a new
 * file, of version 2; the stream's key, secret, and the plaintext bytes of its chunks, by the
 * header, which is the AAD; the nonce of a chunk. Fail: NOMEM; MALFORMED, UNSUPPORTED; EXHAUSTED.
 */
TACIT_MUST_USE enum tacit_err tacit_file_header_new(
        const struct tacit_env *env, uint8_t header[TACIT_FILE_HEADER_BYTES]);
TACIT_MUST_USE enum tacit_err tacit_file_stream_key(const uint8_t file_key[TACIT_FILE_KEY_BYTES],
        const uint8_t header[TACIT_FILE_HEADER_BYTES], uint8_t key[TACIT_FILE_KEY_BYTES],
        uint32_t *chunk_bytes);
TACIT_MUST_USE enum tacit_err tacit_file_chunk_nonce(
        uint64_t index, enum tacit_chunk position, uint8_t nonce[TACIT_FILE_NONCE_BYTES]);

/* Sealed size of a file of plain_bytes with the default chunk size, header included. */
uint64_t tacit_file_sealed_bytes(uint64_t plain_bytes);
/* Number of chunks of a file of plain_bytes (an empty file has one). */
uint64_t tacit_file_chunks(uint64_t plain_bytes);

/* A stream to write whose sealed form no message names (parcel/stored.h, agent/shelf.h), and which
 * stays of version 1: draws the salt from env and writes the header to header_out.
 * Fails: NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_file_stream_create(const uint8_t key[TACIT_FILE_KEY_BYTES],
        const struct tacit_env *env, uint8_t header_out[TACIT_FILE_HEADER_BYTES],
        struct tacit_file_stream **out);
/* A stream to read, or to go on writing, from an existing header.
 * Fails: MALFORMED, UNSUPPORTED, NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_file_stream_resume(const uint8_t key[TACIT_FILE_KEY_BYTES],
        const uint8_t header[TACIT_FILE_HEADER_BYTES], struct tacit_file_stream **out);
uint32_t tacit_file_stream_chunk_bytes(const struct tacit_file_stream *s);
void tacit_file_stream_free(struct tacit_file_stream *s);

/* out has room for plain.n + 16 and may be plain.p. Fails: USAGE (a middle chunk that is not full,
 * an empty last chunk that is not the first), EXHAUSTED, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_file_seal_chunk(struct tacit_file_stream *s, uint64_t index,
        enum tacit_chunk position, struct tacit_bytes plain, uint8_t *out);
/* out has room for sealed.n - 16 and may be sealed.p. Fails: BAD_SEAL (changed, moved, cut, or not
 * last when said to be), USAGE (an index beyond 2^32 - 1), CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_file_open_chunk(struct tacit_file_stream *s, uint64_t index,
        enum tacit_chunk position, struct tacit_bytes sealed, uint8_t *out);

#endif
