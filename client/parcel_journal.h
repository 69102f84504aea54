/* parcel_journal.h - what one end must know to go on with a transfer after it was killed, in a file
 * of its own in paths_parcels(), readable by its owner alone.
 *
 * The root in it is worth the content of this one transfer, to whoever also has the relay. It goes
 * when the transfer is through, and counts for nothing after a day. */
#ifndef TACIT_CLIENT_PARCEL_JOURNAL_H
#define TACIT_CLIENT_PARCEL_JOURNAL_H

#include "base/buf.h"
#include "base/err.h"
#include "crypto/hash.h"
#include "e2e/parcel/channel.h"

#define PARCEL_JOURNAL_MAX_AGE_S (24 * 3600)

/* Secret: clear with parcel_note_clear. */
struct parcel_note {
	uint8_t root[TACIT_PARCEL_ROOT_BYTES];
	uint8_t offer_sha256[TACIT_SHA256_BYTES];
	bool settled;            /* a receiver's: all has come, and is durable in its part;
	                          * one's of several receivers: it has all of it */
	struct tacit_buf code;   /* as it is shown */
	struct tacit_buf folder; /* a receiver's: its destination, absolute */
	struct tacit_buf offer;  /* a receiver's: encoded */
};
void parcel_note_clear(struct parcel_note *n);
/* Appended; read is exact. Fail: NOMEM; MALFORMED, TRUNCATED, TRAILING, TOO_LARGE, UNSUPPORTED. */
TACIT_MUST_USE enum tacit_err parcel_note_write(const struct parcel_note *n, struct tacit_buf *out);
TACIT_MUST_USE enum tacit_err parcel_note_read(struct tacit_bytes in, struct parcel_note *out);

/* Names a journal: of what a later run will know again. */
struct parcel_journal {
	char path[512];
	int lock; /* -1: none */
};
/* key: a role and what identifies the transfer for it. Takes the journal, so that no two processes
 * go on with one transfer. Fails: IO, CONFLICT (another process has it), TOO_LARGE, NOMEM, CRYPTO.
 */
TACIT_MUST_USE enum tacit_err parcel_journal_open(
        struct tacit_bytes key, struct parcel_journal *out);
/* Fails: NOT_FOUND (none, or none that counts any more), IO, NOMEM. */
TACIT_MUST_USE enum tacit_err parcel_journal_load(
        struct parcel_journal *j, int64_t now, struct parcel_note *out);
/* Durable when it returns. Fails: IO, STORE_FULL, NOMEM. */
TACIT_MUST_USE enum tacit_err parcel_journal_save(
        struct parcel_journal *j, const struct parcel_note *n);
void parcel_journal_forget(struct parcel_journal *j);
void parcel_journal_close(struct parcel_journal *j);

#endif
