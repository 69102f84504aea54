/* dh.h - Diffie-Hellman groups as HPKE needs them (RFC 9180 7.1): X25519, X448 (RFC 7748) and the
 * NIST curves P-256, P-384 and P-521 with uncompressed points and x-coordinates as shared secrets.
 */
#ifndef TACIT_CRYPTO_DH_H
#define TACIT_CRYPTO_DH_H

#include "base/bytes.h"
#include "base/err.h"

enum tacit_dh { TACIT_X25519, TACIT_P256, TACIT_P384, TACIT_P521, TACIT_X448 };

#define TACIT_DH_SK_MAX_BYTES 66
#define TACIT_DH_PUBLIC_MAX_BYTES 133
#define TACIT_DH_SHARED_MAX_BYTES 66

size_t tacit_dh_sk_bytes(enum tacit_dh g);
size_t tacit_dh_public_bytes(enum tacit_dh g);
size_t tacit_dh_shared_bytes(enum tacit_dh g);

/* Is this a private key of the group? (X25519, X448: any bytes; NIST: 1 <= sk < order.) */
bool tacit_dh_sk_valid(enum tacit_dh g, const uint8_t *sk);
/* Fails: MALFORMED for a private key out of range. */
TACIT_MUST_USE enum tacit_err tacit_dh_public(enum tacit_dh g, const uint8_t *sk, uint8_t *pk);
/* The same for n private keys, one behind the other as their public keys will be; of X25519, much
 * cheaper than one by one. */
TACIT_MUST_USE enum tacit_err tacit_dh_public_many(
        enum tacit_dh g, const uint8_t *sk, size_t n, uint8_t *pk);
/* Would tacit_dh take it, with every private key? Cheap. Fails: MALFORMED. */
TACIT_MUST_USE enum tacit_err tacit_dh_check_public(enum tacit_dh g, struct tacit_bytes pk);
/* Fails: MALFORMED for a private key out of range, a point off the curve or of wrong length, or an
 * all-zero result of X25519 or X448 (RFC 9180 7.1.4). shared is wiped on failure. */
TACIT_MUST_USE enum tacit_err tacit_dh(
        enum tacit_dh g, const uint8_t *sk, struct tacit_bytes pk, uint8_t *shared);

#endif
