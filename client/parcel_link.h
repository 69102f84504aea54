/* parcel_link.h - a new device of one's own, by a code: docs/protocol-transfer.md 15.9. By a relay
 * only, and in one go: what is lost begins anew, with another code. */
#ifndef TACIT_CLIENT_PARCEL_LINK_H
#define TACIT_CLIENT_PARCEL_LINK_H

#include "client/parcel.h"

/* Of the options: http, env, cancel, ui (code), ctx, code, kind.
 * Both fail: BAD_PASSWORD (not the same code: it is used up), CONFLICT (the code is of a transfer),
 * NOT_FOUND, GONE (the other one left, gave up, or nobody came), LIMIT, UNSUPPORTED (no relay),
 * BAD_SEAL, MALFORMED, NETWORK, CANCELLED, NOMEM; and what the hook fails with. */

/* The device that has the account. asked: by a device that calls itself `name` (at most 64 bytes,
 * from outside: sanitise); appends what is granted (e2e/parcel/grant.h), or fails. *reached: the
 * grant has left, though it is not known what became of it. */
struct parcel_link_give {
	enum tacit_err (*asked)(void *ctx, struct tacit_bytes name, struct tacit_buf *grant);
	unsigned patience_s; /* for a device to come */
};
TACIT_MUST_USE enum tacit_err parcel_link_give(const struct parcel_options *o,
        const struct parcel_link_give *give, struct parcel_result *out, bool *reached);

/* The new device. granted: logs in with it; what it fails with, the other device does not learn,
 * but that it has failed. */
struct parcel_link_take {
	const char *name; /* what this device is called */
	enum tacit_err (*granted)(void *ctx, struct tacit_bytes grant);
};
TACIT_MUST_USE enum tacit_err parcel_link_take(const struct parcel_options *o,
        const struct parcel_link_take *take, struct parcel_result *out);

#endif
