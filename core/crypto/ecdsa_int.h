/* ecdsa_int.h - ECDSA (FIPS 186-5 6) for signature.c; the contracts are those of signature.h. */
#ifndef TACIT_CRYPTO_ECDSA_INT_H
#define TACIT_CRYPTO_ECDSA_INT_H

#include "crypto/signature.h"

/* A private key from env, by trying candidates (FIPS 186-5 A.2.2). */
void tacit_ecdsa_draw(enum tacit_scheme s, const struct tacit_env *env, uint8_t *sk);
TACIT_MUST_USE enum tacit_err tacit_ecdsa_public(
        enum tacit_scheme s, struct tacit_bytes sk, uint8_t *pk);
TACIT_MUST_USE enum tacit_err tacit_ecdsa_sign(enum tacit_scheme s, struct tacit_bytes sk,
        struct tacit_bytes message, struct tacit_scheme_signature *out);
TACIT_MUST_USE enum tacit_err tacit_ecdsa_verify(enum tacit_scheme s, struct tacit_bytes pk,
        struct tacit_bytes message, struct tacit_bytes signature);

/* ECDSA-Sig-Value (RFC 3279 2.2.3) in DER to the two integers, each in n bytes, and back.
 * false: not DER, not positive, or longer than n. */
TACIT_MUST_USE bool tacit_ecdsa_from_der(struct tacit_bytes der, size_t n, uint8_t *r_and_s);
/* n at most 66, where the integers have at most 521 bits; out->n is set. */
void tacit_ecdsa_to_der(const uint8_t *r_and_s, size_t n, struct tacit_scheme_signature *out);

#endif
