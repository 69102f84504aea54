/* x25519_int.h - the public keys of X25519 private keys, for dh.c. A build without OpenSSL
 * takes libsodium's own way, which is slower and gives the same. */
#ifndef TACIT_CRYPTO_X25519_INT_H
#define TACIT_CRYPTO_X25519_INT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* n times 32 bytes each. Constant-time in sk. Fails: CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_x25519_public_many(const uint8_t *sk, size_t n, uint8_t *pk);

#endif
