/* x25519_int.h - the public key of an X25519 private key, for dh.c. A build without OpenSSL
 * takes libsodium's own way, which is slower and gives the same. */
#ifndef TACIT_CRYPTO_X25519_INT_H
#define TACIT_CRYPTO_X25519_INT_H

#include <stdint.h>

#include "base/err.h"

/* 32 bytes each. Constant-time in sk. Fails: CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_x25519_public(const uint8_t *sk, uint8_t *pk);

#endif
