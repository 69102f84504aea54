/* key_pairs.h - HPKE key pairs made ahead, for key packages, of which each takes two: with X25519
 * many at once cost much less than one by one (crypto/dh.h). */
#ifndef TACIT_E2E_MLS_KEY_PAIRS_H
#define TACIT_E2E_MLS_KEY_PAIRS_H

#include "e2e/mls/suite.h"

struct tacit_mls_key_pairs; /* opaque; holds secrets; borrows the suite, which is static */

/* n at least 1. Fails: NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_mls_key_pairs_new(const struct tacit_mls_suite *s,
        const struct tacit_env *env, size_t n, struct tacit_mls_key_pairs **out);
void tacit_mls_key_pairs_free(struct tacit_mls_key_pairs *k); /* wipes; NULL is fine */

/* One that was not taken before; its private half is here no more. sk has kem_sk_bytes, pk
 * kem_public_bytes. Fails: USAGE (another suite), EXHAUSTED. */
TACIT_MUST_USE enum tacit_err tacit_mls_key_pairs_take(
        struct tacit_mls_key_pairs *k, const struct tacit_mls_suite *s, uint8_t *sk, uint8_t *pk);

#endif
