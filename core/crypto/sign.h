/* sign.h - Ed25519 (RFC 8032 5.1). Signatures with S >= L and keys of small order are refused. */
#ifndef TACIT_CRYPTO_SIGN_H
#define TACIT_CRYPTO_SIGN_H

#include "base/bytes.h"
#include "base/err.h"

#define TACIT_SIGN_SEED_BYTES 32
#define TACIT_SIGN_PUBLIC_BYTES 32
#define TACIT_SIGNATURE_BYTES 64

struct tacit_sign_public {
	uint8_t b[TACIT_SIGN_PUBLIC_BYTES];
};
struct tacit_sign_sk { /* seed and public key; wipe with tacit_sign_sk_wipe */
	uint8_t b[64];
};
struct tacit_signature {
	uint8_t b[TACIT_SIGNATURE_BYTES];
};

void tacit_sign_keypair(const uint8_t seed[TACIT_SIGN_SEED_BYTES], struct tacit_sign_sk *sk,
        struct tacit_sign_public *pk);
void tacit_sign(
        const struct tacit_sign_sk *sk, struct tacit_bytes message, struct tacit_signature *out);
/* Fails: BAD_SIGNATURE. */
TACIT_MUST_USE enum tacit_err tacit_sign_verify(const struct tacit_sign_public *pk,
        struct tacit_bytes message, const struct tacit_signature *sig);
void tacit_sign_sk_wipe(struct tacit_sign_sk *sk);

#endif
