/* file_header.h - the first bytes of an encrypted file. Spec: docs/protocol.md, "Files". */
#ifndef TACIT_WIRE_FILE_HEADER_H
#define TACIT_WIRE_FILE_HEADER_H

#include "base/buf.h"
#include "base/err.h"

#define TACIT_FILE_HEADER_BYTES 32
#define TACIT_FILE_CHUNK_BYTES                                                                     \
	(64 * 1024) /* plaintext; what we write. Readers accept 4 KiB to 4 MiB */

struct tacit_file_header {
	uint32_t chunk_bytes; /* plaintext per chunk but the last; a power of two */
	uint8_t salt[16];     /* random; with the file key it gives the stream key */
};

/* Appends TACIT_FILE_HEADER_BYTES. USAGE: a chunk size that a reader would refuse. Fails: USAGE,
 * NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_file_header_encode(
        const struct tacit_file_header *h, struct tacit_buf *out);
/* in is exactly the header; out is zeroed on error. Fails: TRUNCATED, TRAILING, MALFORMED,
 * UNSUPPORTED. */
TACIT_MUST_USE enum tacit_err tacit_file_header_decode(
        struct tacit_bytes in, struct tacit_file_header *out);

#endif
