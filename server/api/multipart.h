/* multipart.h - multipart/form-data (RFC 7578) as it comes in, in pieces of any size. Sans-I/O.
 *
 * Keeps no part but the small fields that are asked for: the bytes of the part "file" go to a sink
 * as they come. Everything is bounded; what follows the last delimiter is ignored. */
#ifndef TACIT_SERVER_API_MULTIPART_H
#define TACIT_SERVER_API_MULTIPART_H

#include "base/bytes.h"
#include "base/err.h"

#define API_MULTIPART_BOUNDARY 70 /* RFC 2046 5.1.1 */
#define API_MULTIPART_HEAD 2048   /* headers of one part */
#define API_MULTIPART_PARTS 16
#define API_MULTIPART_FRAMING (64 * 1024) /* more than all that stands around the file */
#define API_MULTIPART_FIELD 24            /* a number as text */

enum api_multipart_state {
	MULTIPART_BODY,      /* of a part, or the preamble; looking for the delimiter */
	MULTIPART_DELIMITER, /* behind it: "--", or blanks and CRLF */
	MULTIPART_HEAD,
	MULTIPART_END,
};

enum api_multipart_part { PART_IGNORED, PART_FILE, PART_CONVERSATION_ID, PART_MESSAGE_ID };

struct api_multipart {
	enum api_multipart_state state;
	enum api_multipart_part part;
	char delimiter[4 + API_MULTIPART_BOUNDARY]; /* CR LF - - boundary */
	size_t delimiter_bytes, matched;
	char head[API_MULTIPART_HEAD];
	size_t head_bytes;
	char tail[2]; /* behind the delimiter */
	size_t tail_bytes;
	char field[2][API_MULTIPART_FIELD]; /* conversation_id, message_id */
	size_t field_bytes[2];
	unsigned parts;
	bool has_file;
};

struct api_multipart_sink {
	enum tacit_err (*file_bytes)(void *ctx, struct tacit_bytes data);
	void *ctx;
};

/* From the Content-Type. Fails: UNSUPPORTED (another type), MALFORMED (no or a bad boundary). */
TACIT_MUST_USE enum tacit_err api_multipart_init(
        struct api_multipart *m, struct tacit_bytes content_type);
/* Fails: MALFORMED, TOO_LARGE, and what the sink fails with; not to be fed again then. */
TACIT_MUST_USE enum tacit_err api_multipart_feed(
        struct api_multipart *m, struct tacit_bytes data, const struct api_multipart_sink *sink);
/* The body is over. *conversation_id and *message_id are 0 when they were not given.
 * Fails: MALFORMED (no closing delimiter, no file, or a field that is no number). */
TACIT_MUST_USE enum tacit_err api_multipart_end(
        const struct api_multipart *m, int64_t *conversation_id, int64_t *message_id);

#endif
