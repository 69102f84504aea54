/* parcel_sink.h - what comes, on its way to this disk: docs/protocol-transfer.md 15.6.
 *
 * While it comes it lies in `.tacit-ID.part` in the folder of its destination, readable by its
 * owner alone. Names are those of a decoded offer, and every step of a path is opened without
 * following links. Nothing has its final name before all of it is there and durable, and what
 * stands under that name already is never replaced: it is "name (2)" then. */
#ifndef TACIT_CLIENT_PARCEL_SINK_H
#define TACIT_CLIENT_PARCEL_SINK_H

#include "base/buf.h"
#include "base/err.h"
#include "e2e/parcel/offer.h"

#define PARCEL_SINK_ID 16 /* hex digits of the id of a part */

struct parcel_sink;

/* The offer outlives the sink. folder is there already. Fails: IO (see problem), CONFLICT (another
 * process is receiving it), STORE_FULL (it will not fit), NOMEM. */
struct parcel_place {
	const char *folder;
	char id[PARCEL_SINK_ID + 1];
};
TACIT_MUST_USE enum tacit_err parcel_sink_open(
        const struct parcel_place *p, const struct tacit_parcel_offer *o, struct parcel_sink **out);
/* What has come stays for another time, unless nothing has. */
void parcel_sink_close(struct parcel_sink *s); /* NULL is fine */
/* Why the last call failed; may be empty. */
const char *parcel_sink_problem(const struct parcel_sink *s);

/* How much of the whole is there, from its first byte on without a gap. */
uint64_t parcel_sink_kept(struct parcel_sink *s);
/* The next bytes of what is kept, for the hash. Fails: IO. */
TACIT_MUST_USE enum tacit_err parcel_sink_read(
        struct parcel_sink *s, uint64_t offset, uint8_t *room, size_t n, size_t *got);
/* Everything beyond offset is of no use. Fails: IO. */
TACIT_MUST_USE enum tacit_err parcel_sink_cut(struct parcel_sink *s, uint64_t offset);
/* In order, without gaps. Fails: IO, STORE_FULL. */
TACIT_MUST_USE enum tacit_err parcel_sink_write(
        struct parcel_sink *s, uint64_t offset, struct tacit_bytes bytes);
/* All has come: empty files and folders are made, and everything is durable. Fails: IO, STORE_FULL.
 */
TACIT_MUST_USE enum tacit_err parcel_sink_settle(struct parcel_sink *s);
/* Final names; each top one is told, with the path it got. Fails: IO. */
TACIT_MUST_USE enum tacit_err parcel_sink_publish(
        struct parcel_sink *s, void (*saved)(void *ctx, const char *path, bool renamed), void *ctx);
/* Nothing of it stays. */
void parcel_sink_discard(struct parcel_sink *s);

#endif
