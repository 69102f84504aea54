/* content.h - what a message says once it is open: text, a file, something about another message,
 * or a notice between clients. */
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
	/* About another message of the conversation. */
	TACIT_CONTENT_REACTION = 6, /* text: an emoji, or another short word; empty: taken back */
	TACIT_CONTENT_EDIT = 7,     /* text: what message, a TEXT, says from now on */
	TACIT_CONTENT_DELETE = 8,   /* message is taken back, for everyone */
};

#define TACIT_CONTENT_LEAST 256

struct tacit_file_ref {
	struct tacit_bytes id;             /* the server's: 1 to 64 of letters, digits, '-', '_' */
	struct tacit_bytes name;           /* UTF-8, as the sender called it; never a path */
	struct tacit_bytes type;           /* MIME type in ASCII, may be empty */
	uint64_t size;                     /* of the plaintext */
	uint8_t key[TACIT_FILE_KEY_BYTES]; /* secret */
	uint8_t sealed_digest[TACIT_SHA256_BYTES]; /* of what was uploaded: e2e/file_digest.h */
};

struct tacit_content {
	enum tacit_content_kind kind;
	int64_t sent_at;            /* Unix seconds by the sender's clock */
	struct tacit_bytes text;    /* TEXT, TITLE, EDIT: UTF-8; FILE: a caption, may be empty;
	                             * REACTION: at most TACIT_MAX_REACTION bytes, no white space, no
	                             * control; or empty */
	struct tacit_file_ref file; /* FILE */
	uint64_t reply_to;          /* TEXT, FILE: the message that is answered; 0: none */
	uint64_t
	        message; /* UNOPENED, AGAIN, REACTION, EDIT, DELETE: an id of the server's, not 0 */
	/* UNOPENED: where the sender was then, to be compared by those who were there, too. */
	uint64_t epoch;
	uint8_t fingerprint[TACIT_SHA256_BYTES];
	struct tacit_bytes inner; /* AGAIN: what the message was, encoded; not looked into */
};

/* Something that is shown in a place of its own. */
static inline bool tacit_content_is_shown(const struct tacit_content *c)
{
	return c->kind == TACIT_CONTENT_TEXT || c->kind == TACIT_CONTENT_FILE;
}
/* Something about another message: REACTION, EDIT, DELETE. */
static inline bool tacit_content_is_change(const struct tacit_content *c)
{
	return c->kind >= TACIT_CONTENT_REACTION && c->kind <= TACIT_CONTENT_DELETE;
}
/* What a person says, and not clients to each other. */
static inline bool tacit_content_is_said(const struct tacit_content *c)
{
	return tacit_content_is_shown(c) || tacit_content_is_change(c);
}

/* Padded so that lengths tell little: Padmé (Nikitin et al. 2019), at most 12 % more, and never
 * below TACIT_CONTENT_LEAST bytes, so that "yes" and "no" weigh the same. Views are borrowed;
 * out is zeroed on error. A decoded file id is safe in a URL path; a decoded name is valid UTF-8
 * and nothing more: it goes through tacit_file_name_safe before it names anything. encode fails:
 * USAGE (what decode would refuse as MALFORMED), TOO_LARGE, NOMEM. decode fails: TRUNCATED,
 * TRAILING, TOO_LARGE, MALFORMED, UNSUPPORTED (a kind of a later version). What version 1 could say
 * is said in version 1; the rest (a reply, something about another message) in version 2. */
TACIT_MUST_USE enum tacit_err tacit_content_encode(
        const struct tacit_content *c, struct tacit_buf *out);
TACIT_MUST_USE enum tacit_err tacit_content_decode(
        struct tacit_bytes in, struct tacit_content *out);
void tacit_content_wipe(struct tacit_content *c); /* the file key; nothing is freed */

#endif
