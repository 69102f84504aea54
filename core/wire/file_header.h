/* file_header.h - the first bytes of an encrypted file. Spec: docs/protocol.md, "Files". */
#ifndef TACIT_WIRE_FILE_HEADER_H
#define TACIT_WIRE_FILE_HEADER_H

#include "base/buf.h"
#include "base/err.h"

#define TACIT_FILE_HEADER_BYTES 32
#define TACIT_FILE_CHUNK_BYTES                                                                     \
	(64 * 1024) /* plaintext; what we write. Readers accept 4 KiB to 4 MiB */

/* What the 32 bytes are by which a message names the sealed form (e2e/file_digest.h); in all else
 * the versions are the same. */
enum tacit_file_version {
	TACIT_FILE_V1 = 1, /* SHA-256 of all of it */
	TACIT_FILE_V2 = 2  /* SHA-256 over the SHA-256s of its chunks */
};

struct tacit_file_header {
	enum tacit_file_version version;
	uint32_t chunk_bytes; /* plaintext per chunk but the last; a power of two */
	uint8_t salt[16];     /* random; with the file key it gives the stream key */
};

/* Appends TACIT_FILE_HEADER_BYTES. USAGE: a version or chunk size that a reader would refuse.
 * Fails: USAGE, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_file_header_encode(
        const struct tacit_file_header *h, struct tacit_buf *out);
/* in is exactly the header; out is zeroed on error. Fails: TRUNCATED, TRAILING, MALFORMED,
 * UNSUPPORTED. */
TACIT_MUST_USE enum tacit_err tacit_file_header_decode(
        struct tacit_bytes in, struct tacit_file_header *out);

#endif
