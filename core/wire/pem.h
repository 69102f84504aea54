/* pem.h - an Ed25519 public key as PEM SubjectPublicKeyInfo (RFC 7468 13, RFC 8410 4). */
#ifndef TACIT_WIRE_PEM_H
#define TACIT_WIRE_PEM_H

#include "base/buf.h"
#include "crypto/sign.h"

/* White space around and line breaks within are tolerated as RFC 7468 3 allows; any other label,
 * algorithm or length is refused. out is zeroed on error. Fails: MALFORMED, UNSUPPORTED (a key of
 * another algorithm), TOO_LARGE, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_pem_read_public(
        struct tacit_bytes pem, struct tacit_sign_public *out);
/* Appends, with a line feed at the end. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_pem_write_public(
        const struct tacit_sign_public *pk, struct tacit_buf *out);

#endif
