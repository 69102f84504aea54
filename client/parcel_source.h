/* parcel_source.h - what is sent without an account: files and folders from this disk, standard
 * input, or a text, as one run of bytes in the order of the offer. */
#ifndef TACIT_CLIENT_PARCEL_SOURCE_H
#define TACIT_CLIENT_PARCEL_SOURCE_H

#include "base/buf.h"
#include "base/err.h"
#include "e2e/parcel/offer.h"

struct parcel_source;

/* Something that is not sent: a link, a device, what cannot be read. why is static. */
typedef void parcel_skipped(void *ctx, const char *path, const char *why);

/* Looks through folders; links below are skipped, links that were named are followed. path: what it
 * was about when it fails; borrowed. Fails: NOT_FOUND, IO, EXISTS (two of one name), UNSUPPORTED
 * (neither file nor folder), TOO_LARGE (too many), NOMEM. */
struct parcel_paths {
	const char *const *list;
	size_t count;
	parcel_skipped *skipped;
	void *ctx;
};
TACIT_MUST_USE enum tacit_err parcel_source_paths(
        const struct parcel_paths *p, struct parcel_source **out, const char **path);
/* Reads fd to its end into an unlinked file, so that the size is known and a transfer can go on.
 * Fails: IO, STORE_FULL, CANCELLED (a signal), NOMEM. */
TACIT_MUST_USE enum tacit_err parcel_source_input(
        int fd, const char *name, struct parcel_source **out);
/* Fails: TOO_LARGE, NOMEM. */
TACIT_MUST_USE enum tacit_err parcel_source_text(
        struct tacit_bytes text, struct parcel_source **out);
void parcel_source_free(struct parcel_source *s); /* NULL is fine */

struct tacit_bytes parcel_source_offer(const struct parcel_source *s); /* encoded */
const struct tacit_parcel_offer *parcel_source_decoded(const struct parcel_source *s);
/* Where to read on. */
void parcel_source_seek(struct parcel_source *s, uint64_t offset);
/* The next bytes, at most n; 0 at the end. With the last of a file it is known that the file was
 * the same from when it was looked at until now. Fails: IO, CONFLICT (it was not). */
TACIT_MUST_USE enum tacit_err parcel_source_read(
        struct parcel_source *s, uint8_t *room, size_t n, size_t *got);
/* The name of the file that CONFLICT was about; sanitise. NULL: none. */
const char *parcel_source_changed(const struct parcel_source *s);

#endif
