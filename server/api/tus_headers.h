/* tus_headers.h - the headers of tus 1.0.0, read strictly. Sans-I/O. */
#ifndef TACIT_SERVER_API_TUS_HEADERS_H
#define TACIT_SERVER_API_TUS_HEADERS_H

#include "base/buf.h"
#include "base/err.h"
#include "crypto/hash.h"

#define API_TUS_VERSION "1.0.0"
#define API_TUS_METADATA_BYTES 4096
#define API_TUS_ALGORITHMS "sha256,sha1,sha256-blocks-65552" /* what files are sealed in (8) */

/* Digits, at most 2^53 - 1. Fails: MALFORMED. */
TACIT_MUST_USE enum tacit_err api_tus_number(struct tacit_bytes header, int64_t *out);

struct api_tus_checksum {
	bool wanted;
	enum tacit_hash algorithm; /* TACIT_SHA256 or TACIT_SHA1 */
	uint32_t block_bytes;      /* 0: over the body; else over the digests of its blocks */
	uint8_t digest[TACIT_HASH_MAX_BYTES];
};
#define API_TUS_BLOCK_MOST (8 * 1024 * 1024)
/* "sha256 <base64>", "sha1 <base64>", "sha256-blocks-N <base64>": the SHA-256 of the SHA-256s, one
 * behind the other, of each N bytes of the body and of what is left of it; 1024 <= N <=
 * API_TUS_BLOCK_MOST. An absent header wants nothing.
 * Fails: UNSUPPORTED (another algorithm), MALFORMED, NOMEM. */
TACIT_MUST_USE enum tacit_err api_tus_checksum_read(
        struct tacit_bytes header, struct api_tus_checksum *out);

/* "key base64,key base64": the decoded value of one key, appended; a key may stand without value.
 * Checks the whole header. Fails: MALFORMED, TOO_LARGE, NOMEM; NOT_FOUND when the key is absent. */
TACIT_MUST_USE enum tacit_err api_tus_metadata(
        struct tacit_bytes header, struct tacit_bytes key, struct tacit_buf *out);

#define API_HTTP_DATE_CHARS 29 /* "Sun, 06 Nov 1994 08:49:37 GMT" */
void api_http_date(int64_t unix_seconds, char out[API_HTTP_DATE_CHARS + 1]);

#endif
