/* content.h - what a message says once it is open: text, a file, or a notice between clients. */
#ifndef TACIT_WIRE_CONTENT_H
#define TACIT_WIRE_CONTENT_H

#include "base/buf.h"
#include "crypto/hash.h"
#include "wire/limits.h"

enum tacit_content_kind {
	TACIT_CONTENT_TEXT = 1,
	TACIT_CONTENT_FILE = 2,
	/* Between clients; nobody reads these. */
	TACIT_CONTENT_TITLE = 3,    /* text: what the conversation is called */
	TACIT_CONTENT_UNOPENED = 4, /* message could not be opened; its sender may send it again */
	TACIT_CONTENT_AGAIN = 5,    /* what message said, for those who could not open it */
};

#define TACIT_CONTENT_LEAST 256

struct tacit_file_ref {
	struct tacit_bytes id;             /* the server's: 1 to 64 of letters, digits, '-', '_' */
	struct tacit_bytes name;           /* UTF-8, as the sender called it; never a path */
	struct tacit_bytes type;           /* MIME type in ASCII, may be empty */
	uint64_t size;                     /* of the plaintext */
	uint8_t key[TACIT_FILE_KEY_BYTES]; /* secret */
	uint8_t sealed_sha256[TACIT_SHA256_BYTES]; /* of the uploaded ciphertext */
};

struct tacit_content {
	enum tacit_content_kind kind;
	int64_t sent_at;         /* Unix seconds by the sender's clock */
	struct tacit_bytes text; /* TEXT, TITLE: UTF-8; FILE: a caption, may be empty; or empty */
	struct tacit_file_ref file; /* FILE */
	uint64_t message;           /* UNOPENED, AGAIN: an id of the server's, not 0 */
	/* UNOPENED: where the sender was then, to be compared by those who were there, too. */
	uint64_t epoch;
	uint8_t fingerprint[TACIT_SHA256_BYTES];
	struct tacit_bytes inner; /* AGAIN: an encoded TEXT or FILE, which is not looked into */
};

/* Padded so that lengths tell little: Padmé (Nikitin et al. 2019), at most 12 % more, and never
 * below TACIT_CONTENT_LEAST bytes, so that "yes" and "no" weigh the same. Views are borrowed;
 * out is zeroed on error. A decoded file id is safe in a URL path; a decoded name is valid UTF-8
 * and nothing more: it goes through tacit_file_name_safe before it names anything. encode fails:
 * USAGE (what decode would refuse as MALFORMED), TOO_LARGE, NOMEM. decode fails: TRUNCATED,
 * TRAILING, TOO_LARGE, MALFORMED, UNSUPPORTED (a kind of a later version). */
TACIT_MUST_USE enum tacit_err tacit_content_encode(
        const struct tacit_content *c, struct tacit_buf *out);
TACIT_MUST_USE enum tacit_err tacit_content_decode(
        struct tacit_bytes in, struct tacit_content *out);
void tacit_content_wipe(struct tacit_content *c); /* the file key; nothing is freed */

#endif
