/* encoding.h - hex and base64 (RFC 4648) in constant time for the content, strict on input. */
#ifndef TACIT_CRYPTO_ENCODING_H
#define TACIT_CRYPTO_ENCODING_H

#include "base/buf.h"

/* Lower-case hex of in, 2 * in.n characters and a NUL. */
void tacit_hex(struct tacit_bytes in, char *out);
/* Exactly n bytes from exactly 2n hex digits, either case. Fails: MALFORMED. */
TACIT_MUST_USE enum tacit_err tacit_unhex(struct tacit_bytes hex, uint8_t *out, size_t n);

enum tacit_base64 { TACIT_BASE64 /* padded */, TACIT_BASE64URL /* no padding */ };

/* Appended to out. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_base64(
        enum tacit_base64 kind, struct tacit_bytes in, struct tacit_buf *out);
/* Appended to out; nothing but the canonical form is accepted, no white space, zero trailing
 * bits. Fails: MALFORMED, NOMEM; out is unchanged on error. */
TACIT_MUST_USE enum tacit_err tacit_unbase64(
        enum tacit_base64 kind, struct tacit_bytes text, struct tacit_buf *out);

#endif
