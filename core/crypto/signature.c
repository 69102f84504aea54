#include "crypto/signature.h"

#include <assert.h>
#include <string.h>

#include "crypto/curve448_int.h"
#include "crypto/ecdsa_int.h"
#include "crypto/secret.h"
#include "crypto/sign.h"

static const struct scheme {
	size_t sk_bytes, public_bytes, signature_max_bytes;
} schemes[] = {
        [TACIT_ED25519] = {TACIT_SIGN_SEED_BYTES, TACIT_SIGN_PUBLIC_BYTES, TACIT_SIGNATURE_BYTES},
        [TACIT_ECDSA_P256_SHA256] = {32, 65, 72},
        [TACIT_ECDSA_P384_SHA384] = {48, 97, 104},
        [TACIT_ECDSA_P521_SHA512] = {66, 133, TACIT_SCHEME_SIGNATURE_MAX_BYTES},
        [TACIT_ED448] = {TACIT_ED448_KEY_BYTES, TACIT_ED448_KEY_BYTES, TACIT_ED448_SIGNATURE_BYTES},
};

size_t tacit_scheme_sk_bytes(enum tacit_scheme s)
{
	return schemes[s].sk_bytes;
}

size_t tacit_scheme_public_bytes(enum tacit_scheme s)
{
	return schemes[s].public_bytes;
}

size_t tacit_scheme_signature_max_bytes(enum tacit_scheme s)
{
	return schemes[s].signature_max_bytes;
}

/* The seed, or the seed with the public key behind it. */
static bool ed25519_sk(struct tacit_bytes from, struct tacit_sign_sk *sk)
{
	struct tacit_sign_public pk;
	if (from.n == sizeof(sk->b))
		memcpy(sk->b, from.p, sizeof(sk->b));
	else if (from.n == TACIT_SIGN_SEED_BYTES)
		tacit_sign_keypair(from.p, sk, &pk);
	else
		return false;
	return true;
}

static enum tacit_err ed25519_sign(
        struct tacit_bytes from, struct tacit_bytes message, struct tacit_scheme_signature *out)
{
	struct tacit_sign_sk sk;
	struct tacit_signature signature;
	if (!ed25519_sk(from, &sk))
		return TACIT_E_MALFORMED;
	tacit_sign(&sk, message, &signature);
	memcpy(out->b, signature.b, sizeof(signature.b));
	out->n = sizeof(signature.b);
	tacit_sign_sk_wipe(&sk);
	return TACIT_OK;
}

static enum tacit_err ed25519_verify(
        struct tacit_bytes from, struct tacit_bytes message, struct tacit_bytes signature)
{
	struct tacit_sign_public pk;
	struct tacit_signature fixed;
	if (from.n != sizeof(pk.b) || signature.n != sizeof(fixed.b))
		return TACIT_E_BAD_SIGNATURE;
	memcpy(pk.b, from.p, sizeof(pk.b));
	memcpy(fixed.b, signature.p, sizeof(fixed.b));
	return tacit_sign_verify(&pk, message, &fixed);
}

static enum tacit_err ed25519_public(struct tacit_bytes from, uint8_t *pk)
{
	struct tacit_sign_sk sk;
	struct tacit_sign_public made;
	if (from.n != sizeof(sk.b) && from.n != TACIT_SIGN_SEED_BYTES)
		return TACIT_E_MALFORMED;
	tacit_sign_keypair(from.p, &sk, &made);
	memcpy(pk, made.b, sizeof(made.b));
	tacit_sign_sk_wipe(&sk);
	return TACIT_OK;
}

enum tacit_err tacit_scheme_keypair(
        enum tacit_scheme s, const struct tacit_env *env, uint8_t *sk, uint8_t *pk)
{
	struct tacit_bytes view = tacit_bytes(sk, schemes[s].sk_bytes);
	if (s == TACIT_ED25519 || s == TACIT_ED448)
		tacit_env_random(env, sk, view.n);
	else
		tacit_ecdsa_draw(s, env, sk);
	enum tacit_err err = tacit_scheme_public(s, view, pk);
	if (err != TACIT_OK)
		tacit_wipe(sk, view.n);
	return err;
}

enum tacit_err tacit_scheme_public(enum tacit_scheme s, struct tacit_bytes sk, uint8_t *pk)
{
	if (s == TACIT_ED25519)
		return ed25519_public(sk, pk);
	if (s == TACIT_ED448)
		return tacit_ed448_public(sk, pk);
	return tacit_ecdsa_public(s, sk, pk);
}

enum tacit_err tacit_scheme_sign(enum tacit_scheme s, struct tacit_bytes sk,
        struct tacit_bytes message, struct tacit_scheme_signature *out)
{
	out->n = 0;
	if (s == TACIT_ED25519)
		return ed25519_sign(sk, message, out);
	if (s == TACIT_ED448)
		return tacit_ed448_sign(sk, message, out);
	return tacit_ecdsa_sign(s, sk, message, out);
}

enum tacit_err tacit_scheme_verify(enum tacit_scheme s, struct tacit_bytes pk,
        struct tacit_bytes message, struct tacit_bytes signature)
{
	if (s == TACIT_ED25519)
		return ed25519_verify(pk, message, signature);
	if (s == TACIT_ED448)
		return tacit_ed448_verify(pk, message, signature);
	return tacit_ecdsa_verify(s, pk, message, signature);
}
