/* stored.h - sends without waiting for the receiver: sealed here, kept by a server, fetched by
 * whoever has the link. docs/protocol-transfer.md 16; the sealed form is e2e/parcel/stored.h.
 *
 * Of parcel_options these count: http, env, cancel, ui (offered, progress, saved, text, state),
 * ctx, fresh, patience_s. */
#ifndef TACIT_CLIENT_STORED_H
#define TACIT_CLIENT_STORED_H

#include "client/parcel.h"
#include "client/stored_note.h"
#include "e2e/parcel/stored.h"

struct stored_terms {
	int64_t lifetime_s, downloads;
	const char *label; /* for our own list: what it is */
};

struct stored_result {
	struct tacit_stored_link link; /* secret; of one that is there */
	uint64_t bytes, resumed_from;
	int64_t expires_at;
	bool kept; /* it failed, and can go on by the same command */
	char problem[400];
};

/* Returns when all of it is there. One that was interrupted goes on, with the same source and
 * server, whatever the terms: those of its beginning count.
 * Fails: REFUSED (the server does not keep anything, or not so long), TOO_LARGE, STORE_FULL (its
 * room), LIMIT (too much from this address), CONFLICT (a file changed, or another process sends the
 * same), GONE (it was revoked meanwhile), NETWORK, CANCELLED, UNSUPPORTED (a server without it),
 * MALFORMED, IO, CRYPTO, NOMEM. */
TACIT_MUST_USE enum tacit_err stored_give(const struct parcel_options *o,
        struct parcel_source *source, const struct stored_terms *terms, struct stored_result *out);

/* Fails: NOT_FOUND (no such link there), GONE (taken as often as was allowed, revoked, or
 * expired), CONFLICT (all downloads are taken or under way; another process receives it), BAD_SEAL,
 * MALFORMED, TRUNCATED, TRAILING, EXISTS, TOO_LARGE, UNSUPPORTED (what came is not what was sent,
 * or breaks the rules), REFUSED (declined), NETWORK, CANCELLED, IO, STORE_FULL, NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err stored_take(const struct parcel_options *o,
        const struct tacit_stored_link *link, const struct parcel_target *target,
        struct parcel_result *out);

/* What the server says has become of one of ours. */
struct stored_status {
	char state[12]; /* "coming", "ready", "taken", "revoked", "expired" */
	int64_t downloads, offset;
	unsigned begun;    /* downloads under way, or never ended */
	unsigned receipts; /* true ones */
	unsigned false_receipts;
	int64_t received_at[16]; /* as the first receivers say, in no order */
};
/* Fails: NOT_FOUND (it has ended long ago, or another server), NETWORK, MALFORMED, CANCELLED,
 * NOMEM. */
TACIT_MUST_USE enum tacit_err stored_ask(
        struct http *http, const struct stored_note *n, struct stored_status *out);
TACIT_MUST_USE enum tacit_err stored_revoke(struct http *http, const struct stored_note *n);

#endif
