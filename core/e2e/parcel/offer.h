/* offer.h - what a sender says that it will send, and what a receiver makes of it:
 * docs/protocol-transfer.md 15.4.
 *
 * Names come from the peer: what a decoded offer holds are safe relative paths, each part of them
 * made by tacit_file_name_safe, without duplicates, and no file where a folder must be. */
#ifndef TACIT_E2E_PARCEL_OFFER_H
#define TACIT_E2E_PARCEL_OFFER_H

#include "base/buf.h"
#include "base/err.h"

#define TACIT_PARCEL_MAX_OFFER (8 * 1024 * 1024)
#define TACIT_PARCEL_MAX_ENTRIES 65536
#define TACIT_PARCEL_MAX_PATH 4095
#define TACIT_PARCEL_MAX_DEPTH 64
#define TACIT_PARCEL_MAX_TEXT (64 * 1024)

enum tacit_parcel_kind {
	TACIT_PARCEL_TEXT = 1,   /* no entries; shown, not stored */
	TACIT_PARCEL_FILE = 2,   /* one entry */
	TACIT_PARCEL_FILES = 3,  /* several things side by side */
	TACIT_PARCEL_FOLDER = 4, /* all entries are in the folder that is the first of them */
};

struct tacit_parcel_entry {
	const char *path; /* relative, '/' between its parts */
	uint64_t size;    /* 0 for a folder */
	int64_t modified; /* Unix seconds; not negative */
	bool folder, executable;
};

struct tacit_parcel_offer {
	enum tacit_parcel_kind kind;
	uint64_t total; /* bytes of all files, or of the text */
	size_t count;
	struct tacit_parcel_entry *entries;
	char *paths; /* what the entries' paths point into, when decoded */
};

/* Appended. What a receiver would refuse or rename is not judged here, but in a decode.
 * Fails: TOO_LARGE, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_parcel_offer_encode(
        const struct tacit_parcel_offer *o, struct tacit_buf *out);
/* out is {0} on error, else cleared by the caller. Fails: MALFORMED (any path that is absolute, or
 * climbs, or has an empty part; a kind that does not fit the entries; a total that is not their
 * sum), EXISTS (two entries of one name), TOO_LARGE, TRUNCATED, TRAILING, UNSUPPORTED, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_parcel_offer_decode(
        struct tacit_bytes in, struct tacit_parcel_offer *out);
void tacit_parcel_offer_clear(struct tacit_parcel_offer *o); /* of a decoded one */

#endif
