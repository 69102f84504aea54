/* grant.h - what a device hands over to a new one of the same account:
 * docs/protocol-transfer.md 15.9. All of it is secret; it travels in a link's channel only, and is
 * never stored. */
#ifndef TACIT_E2E_PARCEL_GRANT_H
#define TACIT_E2E_PARCEL_GRANT_H

#include "base/buf.h"
#include "base/err.h"
#include "e2e/account.h"

#define TACIT_PARCEL_MAX_TICKET 512
#define TACIT_PARCEL_PASSWORD_HASH_CHARS 64

/* Views are borrowed. */
struct tacit_parcel_grant {
	struct tacit_bytes server; /* as the old device has it; may be empty, at most 255 bytes */
	struct tacit_bytes username, email;
	struct tacit_bytes secret;        /* of the account: TACIT_ACCOUNT_SECRET_BYTES */
	struct tacit_bytes wrapped, iv;   /* the same under the password (e2e/account.h) */
	struct tacit_bytes password_hash; /* as the server wants it: 64 hex digits */
	struct tacit_bytes ticket;        /* stands for one second factor, once */
};

/* Appended, in one piece. Fails: USAGE (what decode would refuse), NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_parcel_grant_encode(
        const struct tacit_parcel_grant *g, struct tacit_buf *out);
/* out is {0} on error, else its views point into `in`. Fails: MALFORMED, UNSUPPORTED, TRUNCATED,
 * TRAILING, TOO_LARGE. */
TACIT_MUST_USE enum tacit_err tacit_parcel_grant_decode(
        struct tacit_bytes in, struct tacit_parcel_grant *out);

#endif
