/* stored_note.h - what the sender remembers of what waits at servers: a file for each in
 * paths_parcels(), readable by its owner alone.
 *
 * Once all of it is there, a note can revoke, and tell true receipts from others; it cannot open
 * anything: the secret of the link is in it only while the upload is under way. */
#ifndef TACIT_CLIENT_STORED_NOTE_H
#define TACIT_CLIENT_STORED_NOTE_H

#include "base/buf.h"
#include "base/err.h"
#include "e2e/parcel/stored.h"

#define STORED_MAX_LABEL 300
#define STORED_MAX_SERVER 512

/* Secret: wipe with tacit_wipe. */
struct stored_note {
	char server[STORED_MAX_SERVER + 1];
	char id[TACIT_STORED_ID_CHARS + 1];
	char label[STORED_MAX_LABEL + 1];
	uint8_t owner[TACIT_STORED_TOKEN_BYTES];
	uint8_t receipt[TACIT_SHA256_BYTES];       /* the key */
	uint8_t secret[TACIT_STORED_SECRET_BYTES]; /* zeros when all of it is there */
	uint8_t source[TACIT_SHA256_BYTES];        /* what is sent, and where: to know it again */
	bool ready;
	int64_t created_at, expires_at, downloads;
	uint64_t bytes; /* of the content */
};

/* Appended; read is exact. Fail: NOMEM; MALFORMED, TRUNCATED, TRAILING, TOO_LARGE, UNSUPPORTED. */
TACIT_MUST_USE enum tacit_err stored_note_write(const struct stored_note *n, struct tacit_buf *out);
TACIT_MUST_USE enum tacit_err stored_note_read(struct tacit_bytes in, struct stored_note *out);

/* Durable when it returns. Fails: IO, STORE_FULL, NOMEM. */
TACIT_MUST_USE enum tacit_err stored_note_save(const struct stored_note *n);
void stored_note_forget(const struct stored_note *n);
/* Every note that can be read, in no order, until one answers false. Fails: IO, NOMEM. */
TACIT_MUST_USE enum tacit_err stored_note_each(
        bool (*each)(void *ctx, const struct stored_note *n), void *ctx);

#endif
