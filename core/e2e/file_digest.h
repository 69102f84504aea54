/* file_digest.h - the 32 bytes by which a message names the sealed form of a file: they bind its
 * header, every byte of its chunks, their order and their number, which AES-GCM under a key that
 * many know does not. Spec: docs/protocol.md 8. The header's version says how they are made:
 *
 *   1   SHA-256(header || chunk 0 || chunk 1 ...)
 *   2   SHA-256("tacit file v2" || header || SHA-256(chunk 0) || SHA-256(chunk 1) ...)
 *
 * with chunks as they are stored, tags included. Of version 2 the chunks can be hashed apart, by
 * other hands and many at once. Serves one thread. */
#ifndef TACIT_E2E_FILE_DIGEST_H
#define TACIT_E2E_FILE_DIGEST_H

#include "base/bytes.h"
#include "base/err.h"
#include "crypto/hash.h"
#include "wire/file_header.h"

struct tacit_file_digest;

/* Fails: MALFORMED, UNSUPPORTED (the header), NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_file_digest_new(
        const uint8_t header[TACIT_FILE_HEADER_BYTES], struct tacit_file_digest **out);
void tacit_file_digest_free(struct tacit_file_digest *d);

/* The next whole sealed chunk. Fails: CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_file_digest_chunk(
        struct tacit_file_digest *d, struct tacit_bytes sealed);
/* For a host with a SHA-256 of its own. Version 1: the next bytes of the sealed form, behind its
 * header. Version 2: the SHA-256s of the next chunks, one behind the other; MALFORMED when they are
 * no whole number of these. Fails: MALFORMED, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_file_digest_feed(
        struct tacit_file_digest *d, struct tacit_bytes in);

/* Of all that came so far; d may go on. Fails: CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_file_digest_peek(
        const struct tacit_file_digest *d, uint8_t out[TACIT_SHA256_BYTES]);
/* Fails: BAD_SEAL (it is another), CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_file_digest_check(
        const struct tacit_file_digest *d, const uint8_t want[TACIT_SHA256_BYTES]);

#endif
