/* parcel_kept.h - what an earlier process, or an earlier connection, has left of a transfer. */
#ifndef TACIT_CLIENT_PARCEL_KEPT_H
#define TACIT_CLIENT_PARCEL_KEPT_H

#include "client/parcel_run.h"

/* The journal of this end's transfer. verb: "give" or "take"; what: it will know it again by that.
 * Without a home there is none, which is no failure: it just cannot go on later.
 * Fails: CONFLICT (another process has it), NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err parcel_kept_open(
        struct parcel_run *r, const char *verb, struct tacit_bytes what);
/* Loads the note of an earlier process into the run, unless the options want nothing earlier.
 * *found false: there is none. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err parcel_kept_load(struct parcel_run *r, bool *found);

/* Reads at most `most` bytes at `at` into room (TACIT_PARCEL_RECORD_BYTES); at least one. */
struct parcel_kept_bytes {
	enum tacit_err (*read)(void *ctx, uint64_t at, size_t most, size_t *n);
	void *ctx;
	const uint8_t *room;
	uint64_t until; /* so many there are */
};
/* What is on this disk goes through tacit_parcel_kept. Fails: CANCELLED, as read does, as that. */
TACIT_MUST_USE enum tacit_err parcel_kept_hash(
        struct parcel_run *r, const struct parcel_kept_bytes *b);

#endif
