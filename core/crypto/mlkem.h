/* mlkem.h - ML-KEM-768 (FIPS 203), deterministic: randomness comes from the caller.
 *
 * Two libraries can stand below, chosen when tacit is built (option mlkem): OpenSSL from 3.5 on,
 * else the C source of PQClean. Both give the same bytes. Never used alone for secrecy: the hybrid
 * KEM of e2e/hpke.h is the way to it. */
#ifndef TACIT_CRYPTO_MLKEM_H
#define TACIT_CRYPTO_MLKEM_H

#include "base/bytes.h"
#include "base/err.h"

#define TACIT_MLKEM_SEED_BYTES 64 /* d and z */
#define TACIT_MLKEM_COINS_BYTES 32
#define TACIT_MLKEM_PUBLIC_BYTES 1184
#define TACIT_MLKEM_SK_BYTES 2400 /* expanded: FIPS 203 7.1 */
#define TACIT_MLKEM_CIPHERTEXT_BYTES 1088
#define TACIT_MLKEM_SHARED_BYTES 32

/* "OpenSSL" or "PQClean". */
const char *tacit_mlkem_library(void);

/* FIPS 203 7.1: pk may be NULL. Fails: CRYPTO, NOMEM (both only with OpenSSL below, here and in
 * what follows). On failure sk is wiped. */
TACIT_MUST_USE enum tacit_err tacit_mlkem_keypair(
        const uint8_t seed[TACIT_MLKEM_SEED_BYTES], uint8_t *sk, uint8_t *pk);
/* FIPS 203 7.2, the modulus check of an encapsulation key. Fails: MALFORMED. */
TACIT_MUST_USE enum tacit_err tacit_mlkem_check_public(struct tacit_bytes pk);
/* FIPS 203 7.3, the hash check of a decapsulation key that comes from outside. Fails: MALFORMED. */
TACIT_MUST_USE enum tacit_err tacit_mlkem_check_sk(struct tacit_bytes sk);
/* FIPS 203 7.2. Fails: MALFORMED (as check_public). On failure shared is wiped. */
TACIT_MUST_USE enum tacit_err tacit_mlkem_encap(struct tacit_bytes pk,
        const uint8_t coins[TACIT_MLKEM_COINS_BYTES], uint8_t *ciphertext, uint8_t *shared);
/* FIPS 203 7.3. A ciphertext that was not made for this key gives a secret that nobody has
 * (implicit rejection), not an error. Fails: MALFORMED (length). */
TACIT_MUST_USE enum tacit_err tacit_mlkem_decap(
        const uint8_t sk[TACIT_MLKEM_SK_BYTES], struct tacit_bytes ciphertext, uint8_t *shared);

#endif
