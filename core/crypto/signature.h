/* signature.h - the signature schemes of MLS (RFC 9420 5.1, 17.1) behind one door: Ed25519, Ed448
 * (RFC 8032) and ECDSA on P-256, P-384, P-521 (FIPS 186-5) with SHA-256, SHA-384, SHA-512.
 *
 * Keys and signatures as MLS and TLS 1.3 (RFC 8446 4.2.3) have them on the wire:
 *  - Ed25519, Ed448: the 32 or 57 bytes of RFC 8032, signatures of 64 or 114 bytes. A private key
 * is the seed; for Ed25519 also the 64 bytes of struct tacit_sign_sk, which signs in half the time.
 *  - ECDSA: an uncompressed point (0x04, x, y), a scalar in big-endian of the field's length, and a
 *    DER ECDSA-Sig-Value. Signing is deterministic (RFC 6979). Only DER is accepted: the one
 *    encoding of each integer, nothing behind it.
 * ECDSA is BearSSL's, constant-time, the same code in WebAssembly; Ed448 is OpenSSL's. */
#ifndef TACIT_CRYPTO_SIGNATURE_H
#define TACIT_CRYPTO_SIGNATURE_H

#include "base/bytes.h"
#include "base/env.h"
#include "base/err.h"

enum tacit_scheme {
	TACIT_ED25519,
	TACIT_ECDSA_P256_SHA256,
	TACIT_ECDSA_P384_SHA384,
	TACIT_ECDSA_P521_SHA512,
	TACIT_ED448,
};

#define TACIT_SCHEME_SK_MAX_BYTES 66
#define TACIT_SCHEME_PUBLIC_MAX_BYTES 133
#define TACIT_SCHEME_SIGNATURE_MAX_BYTES 139 /* of P-521: 3 + 2 * (2 + 66) */

size_t tacit_scheme_sk_bytes(enum tacit_scheme s);
size_t tacit_scheme_public_bytes(enum tacit_scheme s);
size_t tacit_scheme_signature_max_bytes(enum tacit_scheme s);

/* A fresh private key of tacit_scheme_sk_bytes(s) and its public key. Fails: CRYPTO, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_scheme_keypair(
        enum tacit_scheme s, const struct tacit_env *env, uint8_t *sk, uint8_t *pk);
/* Fails: MALFORMED (wrong length, scalar out of range), CRYPTO, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_scheme_public(
        enum tacit_scheme s, struct tacit_bytes sk, uint8_t *pk);

struct tacit_scheme_signature {
	uint8_t b[TACIT_SCHEME_SIGNATURE_MAX_BYTES];
	size_t n;
};

/* Fails: MALFORMED (as above), CRYPTO, NOMEM. On error out->n is 0. */
TACIT_MUST_USE enum tacit_err tacit_scheme_sign(enum tacit_scheme s, struct tacit_bytes sk,
        struct tacit_bytes message, struct tacit_scheme_signature *out);
/* Fails: BAD_SIGNATURE (also for a key or a signature that is not well-formed), NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_scheme_verify(enum tacit_scheme s, struct tacit_bytes pk,
        struct tacit_bytes message, struct tacit_bytes signature);

#endif
