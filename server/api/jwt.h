/* jwt.h - bearer tokens: JWT (RFC 7519) in JWS compact form with HS256, and nothing else.
 *
 * The header is compared as text, so that no other algorithm can be asked for (RFC 8725 3.1). */
#ifndef TACIT_SERVER_API_JWT_H
#define TACIT_SERVER_API_JWT_H

#include "base/buf.h"
#include "base/err.h"

#define API_JWT_SECONDS (15 * 60)
#define API_JWT_MAX_BYTES 512

struct api_jwt {
	int64_t user_id, session_id, expires_at;
};

/* Appended. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err api_jwt_write(
        struct tacit_bytes key, const struct api_jwt *claims, int64_t now, struct tacit_buf *out);
/* Fails: MALFORMED, BAD_SIGNATURE, GONE (expired), NOMEM. */
TACIT_MUST_USE enum tacit_err api_jwt_read(
        struct tacit_bytes key, struct tacit_bytes token, int64_t now, struct api_jwt *out);

#endif
