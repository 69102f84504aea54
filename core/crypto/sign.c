#include "crypto/sign.h"

#include <assert.h>
#include <sodium.h>

#include "crypto/secret.h"

static_assert(sizeof(struct tacit_sign_sk) == crypto_sign_SECRETKEYBYTES, "Ed25519 secret key");
static_assert(sizeof(struct tacit_sign_public) == crypto_sign_PUBLICKEYBYTES, "Ed25519 key");
static_assert(sizeof(struct tacit_signature) == crypto_sign_BYTES, "Ed25519 signature");

void tacit_sign_keypair(const uint8_t seed[TACIT_SIGN_SEED_BYTES], struct tacit_sign_sk *sk,
        struct tacit_sign_public *pk)
{
	TACIT_ASSERT(crypto_sign_seed_keypair(pk->b, sk->b, seed) == 0);
}

void tacit_sign(
        const struct tacit_sign_sk *sk, struct tacit_bytes message, struct tacit_signature *out)
{
	TACIT_ASSERT(crypto_sign_detached(out->b, NULL, message.p, message.n, sk->b) == 0);
}

enum tacit_err tacit_sign_verify(const struct tacit_sign_public *pk, struct tacit_bytes message,
        const struct tacit_signature *sig)
{
	bool good = crypto_sign_verify_detached(sig->b, message.p, message.n, pk->b) == 0;
	return good ? TACIT_OK : TACIT_E_BAD_SIGNATURE;
}

void tacit_sign_sk_wipe(struct tacit_sign_sk *sk)
{
	tacit_wipe(sk, sizeof(*sk));
}
