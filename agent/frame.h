/* frame.h - what two agents tell each other about files, inside the records of their channel
 * (e2e/parcel/channel.h): docs/agent.md, "Between two agents". Each has a type, which the record
 * carries, and a body. */
#ifndef TACIT_AGENT_FRAME_H
#define TACIT_AGENT_FRAME_H

#include "base/buf.h"
#include "base/err.h"
#include "crypto/hash.h"

#define FRAME_ID_BYTES 16

enum frame_type {
	FRAME_FILE = 1,   /* a file begins: file */
	FRAME_DATA = 2,   /* bytes of the file that has begun */
	FRAME_END = 3,    /* all of it was sent */
	FRAME_AT = 4,     /* the receiver has so many bytes: offset; the first one asks for them */
	FRAME_HAVE = 5,   /* the receiver has all of it, and it is what was announced: id */
	FRAME_REFUSE = 6, /* the receiver will not take it: id */
	FRAME_BYE = 7,    /* the session is closed */
};

struct frame {
	uint8_t id[FRAME_ID_BYTES];            /* FILE, HAVE, REFUSE */
	uint64_t size;                         /* FILE */
	uint8_t sha256[TACIT_SHA256_BYTES];    /* FILE, of the plaintext */
	struct tacit_bytes name, content_type; /* FILE; borrowed; not safe yet */
	uint64_t offset;                       /* AT */
	struct tacit_bytes data;               /* DATA; borrowed */
};

/* Appends the body. Fails: TOO_LARGE (name or type), USAGE (no such type, and DATA, whose body is
 * the bytes), NOMEM. */
TACIT_MUST_USE enum tacit_err frame_write(
        enum frame_type type, const struct frame *f, struct tacit_buf *out);
/* Fails: MALFORMED (an unknown type, a size beyond 2^53), TRUNCATED, TRAILING, TOO_LARGE. */
TACIT_MUST_USE enum tacit_err frame_read(uint8_t type, struct tacit_bytes body, struct frame *out);

#endif
