#include "crypto/curve448_int.h"

#include <openssl/evp.h>

static enum tacit_err public_of(int type, const uint8_t *sk, size_t n, uint8_t *pk)
{
	size_t pk_n = n;
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(type, NULL, sk, n);
	bool ok = key != NULL && EVP_PKEY_get_raw_public_key(key, pk, &pk_n) == 1 && pk_n == n;
	EVP_PKEY_free(key);
	return ok ? TACIT_OK : TACIT_E_CRYPTO;
}

enum tacit_err tacit_x448_public(const uint8_t *sk, uint8_t *pk)
{
	return public_of(EVP_PKEY_X448, sk, TACIT_X448_BYTES, pk);
}

/* OpenSSL refuses a result of zeroes. */
enum tacit_err tacit_x448(const uint8_t *sk, const uint8_t *pk, uint8_t *shared)
{
	enum tacit_err err = TACIT_E_CRYPTO;
	size_t n = TACIT_X448_BYTES;
	EVP_PKEY *own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X448, NULL, sk, TACIT_X448_BYTES);
	EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X448, NULL, pk, TACIT_X448_BYTES);
	EVP_PKEY_CTX *ctx = own != NULL ? EVP_PKEY_CTX_new(own, NULL) : NULL;
	if (ctx != NULL && peer != NULL && EVP_PKEY_derive_init(ctx) == 1 &&
	        EVP_PKEY_derive_set_peer(ctx, peer) == 1)
		err = EVP_PKEY_derive(ctx, shared, &n) == 1 && n == TACIT_X448_BYTES
		              ? TACIT_OK
		              : TACIT_E_MALFORMED;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(peer);
	EVP_PKEY_free(own);
	return err;
}

enum tacit_err tacit_ed448_public(struct tacit_bytes sk, uint8_t *pk)
{
	if (sk.n != TACIT_ED448_KEY_BYTES)
		return TACIT_E_MALFORMED;
	return public_of(EVP_PKEY_ED448, sk.p, sk.n, pk);
}

enum tacit_err tacit_ed448_sign(
        struct tacit_bytes sk, struct tacit_bytes message, struct tacit_scheme_signature *out)
{
	if (sk.n != TACIT_ED448_KEY_BYTES)
		return TACIT_E_MALFORMED;
	size_t n = TACIT_ED448_SIGNATURE_BYTES;
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED448, NULL, sk.p, sk.n);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool ok = key != NULL && md != NULL && EVP_DigestSignInit(md, NULL, NULL, NULL, key) == 1 &&
	          EVP_DigestSign(md, out->b, &n, message.p, message.n) == 1;
	EVP_MD_CTX_free(md);
	EVP_PKEY_free(key);
	out->n = ok ? n : 0;
	return ok ? TACIT_OK : TACIT_E_CRYPTO;
}

enum tacit_err tacit_ed448_verify(
        struct tacit_bytes pk, struct tacit_bytes message, struct tacit_bytes signature)
{
	if (pk.n != TACIT_ED448_KEY_BYTES || signature.n != TACIT_ED448_SIGNATURE_BYTES)
		return TACIT_E_BAD_SIGNATURE;
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED448, NULL, pk.p, pk.n);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool good = key != NULL && md != NULL &&
	            EVP_DigestVerifyInit(md, NULL, NULL, NULL, key) == 1 &&
	            EVP_DigestVerify(md, signature.p, signature.n, message.p, message.n) == 1;
	EVP_MD_CTX_free(md);
	EVP_PKEY_free(key);
	return good ? TACIT_OK : TACIT_E_BAD_SIGNATURE;
}
