/* ML-KEM-768 and SHA-3 by OpenSSL 3.5 or newer. */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "crypto/mlkem.h"
#include "crypto/secret.h"
#include "crypto/sha3.h"

#define NAME "ML-KEM-768"

const char *tacit_mlkem_library(void)
{
	return "OpenSSL";
}

/* A key from one octet string: a seed, a private or a public key. */
static EVP_PKEY *key_from(const char *param, int selection, const uint8_t *p, size_t n)
{
	EVP_PKEY *key = NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, NAME, NULL);
	OSSL_PARAM params[] = {
	        OSSL_PARAM_construct_octet_string(param, (void *)(uintptr_t)p, n),
	        OSSL_PARAM_construct_end(),
	};
	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	        EVP_PKEY_fromdata(ctx, &key, selection, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static bool read_from(const EVP_PKEY *key, const char *param, uint8_t *out, size_t n)
{
	size_t got = 0;
	return EVP_PKEY_get_octet_string_param(key, param, out, n, &got) == 1 && got == n;
}

enum tacit_err tacit_mlkem_keypair(
        const uint8_t seed[TACIT_MLKEM_SEED_BYTES], uint8_t *sk, uint8_t *pk)
{
	EVP_PKEY *key = key_from(
	        OSSL_PKEY_PARAM_ML_KEM_SEED, EVP_PKEY_KEYPAIR, seed, TACIT_MLKEM_SEED_BYTES);
	bool ok = key != NULL &&
	          read_from(key, OSSL_PKEY_PARAM_PRIV_KEY, sk, TACIT_MLKEM_SK_BYTES) &&
	          (pk == NULL ||
	                  read_from(key, OSSL_PKEY_PARAM_PUB_KEY, pk, TACIT_MLKEM_PUBLIC_BYTES));
	EVP_PKEY_free(key);
	if (!ok)
		tacit_wipe(sk, TACIT_MLKEM_SK_BYTES);
	return ok ? TACIT_OK : TACIT_E_CRYPTO;
}

enum tacit_err tacit_mlkem_encap(struct tacit_bytes pk,
        const uint8_t coins[TACIT_MLKEM_COINS_BYTES], uint8_t *ciphertext, uint8_t *shared)
{
	enum tacit_err err;
	EVP_PKEY *key = NULL;
	EVP_PKEY_CTX *ctx = NULL;
	size_t ciphertext_n = TACIT_MLKEM_CIPHERTEXT_BYTES, shared_n = TACIT_MLKEM_SHARED_BYTES;
	OSSL_PARAM params[] = {
	        OSSL_PARAM_construct_octet_string(
	                OSSL_KEM_PARAM_IKME, (void *)(uintptr_t)coins, TACIT_MLKEM_COINS_BYTES),
	        OSSL_PARAM_construct_end(),
	};
	TRY(tacit_mlkem_check_public(pk));
	err = TACIT_E_CRYPTO;
	key = key_from(OSSL_PKEY_PARAM_PUB_KEY, EVP_PKEY_PUBLIC_KEY, pk.p, pk.n);
	ctx = key != NULL ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL;
	if (ctx != NULL && EVP_PKEY_encapsulate_init(ctx, params) == 1 &&
	        EVP_PKEY_encapsulate(ctx, ciphertext, &ciphertext_n, shared, &shared_n) == 1 &&
	        ciphertext_n == TACIT_MLKEM_CIPHERTEXT_BYTES &&
	        shared_n == TACIT_MLKEM_SHARED_BYTES)
		err = TACIT_OK;
out:
	if (err != TACIT_OK)
		tacit_wipe(shared, TACIT_MLKEM_SHARED_BYTES);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key);
	return err;
}

enum tacit_err tacit_mlkem_decap(
        const uint8_t sk[TACIT_MLKEM_SK_BYTES], struct tacit_bytes ciphertext, uint8_t *shared)
{
	enum tacit_err err;
	EVP_PKEY *key = NULL;
	EVP_PKEY_CTX *ctx = NULL;
	size_t n = TACIT_MLKEM_SHARED_BYTES;
	TRY(ciphertext.n == TACIT_MLKEM_CIPHERTEXT_BYTES ? TACIT_OK : TACIT_E_MALFORMED);
	err = TACIT_E_CRYPTO;
	key = key_from(OSSL_PKEY_PARAM_PRIV_KEY, EVP_PKEY_KEYPAIR, sk, TACIT_MLKEM_SK_BYTES);
	ctx = key != NULL ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL;
	if (ctx != NULL && EVP_PKEY_decapsulate_init(ctx, NULL) == 1 &&
	        EVP_PKEY_decapsulate(ctx, shared, &n, ciphertext.p, ciphertext.n) == 1 &&
	        n == TACIT_MLKEM_SHARED_BYTES)
		err = TACIT_OK;
out:
	if (err != TACIT_OK)
		tacit_wipe(shared, TACIT_MLKEM_SHARED_BYTES);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key);
	return err;
}

enum tacit_err tacit_sha3_256(struct tacit_bytes in, uint8_t out[TACIT_SHA3_256_BYTES])
{
	return EVP_Digest(in.p, in.n, out, NULL, EVP_sha3_256(), NULL) == 1 ? TACIT_OK
	                                                                    : TACIT_E_CRYPTO;
}

enum tacit_err tacit_shake(
        enum tacit_shake h, const struct tacit_bytes *parts, size_t count, struct tacit_room out)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	if (md == NULL)
		return TACIT_E_NOMEM;
	bool ok = EVP_DigestInit_ex(
	                  md, h == TACIT_SHAKE128 ? EVP_shake128() : EVP_shake256(), NULL) == 1;
	for (size_t i = 0; ok && i < count; i++)
		ok = parts[i].n == 0 || EVP_DigestUpdate(md, parts[i].p, parts[i].n) == 1;
	ok = ok && EVP_DigestFinalXOF(md, out.p, out.n) == 1;
	EVP_MD_CTX_free(md);
	if (!ok)
		tacit_wipe(out.p, out.n);
	return ok ? TACIT_OK : TACIT_E_CRYPTO;
}
