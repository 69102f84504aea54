/* curve448_int.h - X448 (RFC 7748) and Ed448 (RFC 8032), by OpenSSL: for dh.c and signature.c,
 * whose contracts these are. A build without OpenSSL has none of them, and knows no suite that
 * names them (TACIT_NO_CURVE448): all fail with UNSUPPORTED there. */
#ifndef TACIT_CRYPTO_CURVE448_INT_H
#define TACIT_CRYPTO_CURVE448_INT_H

#include "crypto/signature.h"

#define TACIT_X448_BYTES 56
#define TACIT_ED448_KEY_BYTES 57
#define TACIT_ED448_SIGNATURE_BYTES 114

TACIT_MUST_USE enum tacit_err tacit_x448_public(const uint8_t *sk, uint8_t *pk);
/* Fails: MALFORMED (a point of small order), CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_x448(const uint8_t *sk, const uint8_t *pk, uint8_t *shared);

TACIT_MUST_USE enum tacit_err tacit_ed448_public(struct tacit_bytes sk, uint8_t *pk);
TACIT_MUST_USE enum tacit_err tacit_ed448_sign(
        struct tacit_bytes sk, struct tacit_bytes message, struct tacit_scheme_signature *out);
TACIT_MUST_USE enum tacit_err tacit_ed448_verify(
        struct tacit_bytes pk, struct tacit_bytes message, struct tacit_bytes signature);

#endif
