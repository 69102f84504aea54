/* parcels.h - one request about a parcel on its way: shared by parcels.c and parcel_upload.c.
 *
 * Nobody has an account here. Who may do what is told by tokens of 32 random bytes, of which the
 * server keeps the SHA-256: the owner's, that of who has the link (access), and one for each claim.
 * They come as "Authorization: Parcel <64 hex digits>". A wrong one is answered as an unknown id.
 */
#ifndef TACIT_SERVER_API_PARCELS_H
#define TACIT_SERVER_API_PARCELS_H

#include "server/api/call.h"

/* An upload waits so long for its next part, or UPLOAD_EXPIRY when that is shorter: what is only
 * announced takes room from others. */
#define API_PARCEL_IDLE_S 3600
#define API_PARCEL_LAPSE_S 600 /* a reserved claim, until bytes are fetched under it */
#define API_PARCEL_MAX_DOWNLOADS 1000
#define API_PARCEL_LEAST_LIFETIME_S 60

struct parcel_work {
	struct store_parcel parcel;
	struct store_parcel_claim claim;
	uint8_t token[STORE_HASH_BYTES]; /* hash of what the caller showed */
	bool begins;                     /* more than the head is asked for */
	/* an upload */
	struct api_claim writing;
	int fd; /* -1: closed */
	int64_t at;
	bool gone; /* the parcel has ended meanwhile */
};

int64_t api_parcel_idle_s(const struct api *a);
/* c->work, with the hash of the caller's token, and the parcel, whatever has become of it.
 * Fails: NOT_FOUND (also without a token), NOMEM. */
TACIT_MUST_USE enum tacit_err api_parcel_load(struct api_call *c, struct store *store);
/* The same for its owner: anybody else is told NOT_FOUND. */
TACIT_MUST_USE enum tacit_err api_parcel_load_own(struct api_call *c, struct store *store);

#endif
