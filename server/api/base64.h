/* base64.h - base64 (RFC 4648 4) of what the server carries and cannot read: ciphertext and public
 * keys, many times a second. By tables, so in a time that depends on the content; whatever is
 * secret goes through crypto/encoding.h. */
#ifndef TACIT_SERVER_API_BASE64_H
#define TACIT_SERVER_API_BASE64_H

#include "base/buf.h"

/* Appended to out, padded. On error out is unchanged. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err api_base64_write(struct tacit_bytes in, struct tacit_buf *out);
/* Appended to out; nothing but the canonical, padded form is accepted: no white space, zero
 * trailing bits. Fails: MALFORMED, NOMEM; out is unchanged on error. */
TACIT_MUST_USE enum tacit_err api_base64_read(struct tacit_bytes text, struct tacit_buf *out);

#endif
