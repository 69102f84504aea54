#include "crypto/aead.h"

#include <limits.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/alloc.h"
#include "crypto/secret.h"

struct tacit_aead {
	EVP_CIPHER_CTX *evp; /* keyed once; each call only sets direction and nonce */
};

static const EVP_CIPHER *(*const ciphers[])(void) = {
        [TACIT_AES128_GCM] = EVP_aes_128_gcm,
        [TACIT_AES256_GCM] = EVP_aes_256_gcm,
        [TACIT_CHACHA20_POLY1305] = EVP_chacha20_poly1305,
};

/* In the three algorithms 12 bytes is the nonce length that OpenSSL starts with. */
enum tacit_err tacit_aead_new(enum tacit_aead_alg alg, const uint8_t *key, struct tacit_aead **out)
{
	*out = NULL;
	struct tacit_aead *a = tacit_calloc(1, sizeof(*a));
	if (a == NULL)
		return TACIT_E_NOMEM;
	enum tacit_err err = TACIT_OK;
	a->evp = EVP_CIPHER_CTX_new();
	if (a->evp == NULL)
		err = TACIT_E_NOMEM;
	else if (EVP_CipherInit_ex(a->evp, ciphers[alg](), NULL, key, NULL, 1) != 1)
		err = TACIT_E_CRYPTO;
	if (err == TACIT_OK)
		*out = a;
	else
		tacit_aead_free(a);
	return err;
}

void tacit_aead_free(struct tacit_aead *a)
{
	if (a == NULL)
		return;
	EVP_CIPHER_CTX_free(a->evp); /* wipes the key schedule */
	tacit_free(a);
}

enum { OPEN = 0, SEAL = 1 }; /* the directions of EVP_CipherInit_ex */

/* Nonce, additional data and text; the tag is the caller's part. A NULL out would make OpenSSL
 * take text for additional data, so empty text is not handed on. */
static bool run(EVP_CIPHER_CTX *evp, int direction, const uint8_t *nonce, struct tacit_bytes aad,
        struct tacit_bytes text, uint8_t *out)
{
	int n = 0;
	return EVP_CipherInit_ex(evp, NULL, NULL, NULL, nonce, direction) == 1 &&
	       (aad.n == 0 || EVP_CipherUpdate(evp, NULL, &n, aad.p, (int)aad.n) == 1) &&
	       (text.n == 0 || EVP_CipherUpdate(evp, out, &n, text.p, (int)text.n) == 1);
}

enum tacit_err tacit_aead_seal(struct tacit_aead *a, const uint8_t nonce[TACIT_AEAD_NONCE_BYTES],
        struct tacit_bytes aad, struct tacit_bytes plain, uint8_t *out)
{
	if (plain.n > INT_MAX || aad.n > INT_MAX)
		return TACIT_E_TOO_LARGE;
	int n = 0;
	bool ok = run(a->evp, SEAL, nonce, aad, plain, out) &&
	          EVP_CipherFinal_ex(a->evp, out + plain.n, &n) == 1 &&
	          EVP_CIPHER_CTX_ctrl(
	                  a->evp, EVP_CTRL_AEAD_GET_TAG, TACIT_AEAD_TAG_BYTES, out + plain.n) == 1;
	return ok ? TACIT_OK : TACIT_E_CRYPTO;
}

enum tacit_err tacit_aead_open(struct tacit_aead *a, const uint8_t nonce[TACIT_AEAD_NONCE_BYTES],
        struct tacit_bytes aad, struct tacit_bytes sealed, uint8_t *out)
{
	if (sealed.n < TACIT_AEAD_TAG_BYTES)
		return TACIT_E_BAD_SEAL;
	size_t n = sealed.n - TACIT_AEAD_TAG_BYTES;
	if (n > INT_MAX || aad.n > INT_MAX)
		return TACIT_E_TOO_LARGE;
	uint8_t tag[TACIT_AEAD_TAG_BYTES]; /* OpenSSL wants a tag that it may write to */
	memcpy(tag, sealed.p + n, sizeof(tag));
	enum tacit_err err = TACIT_E_CRYPTO;
	int final_n = 0;
	uint8_t none[1];
	if (run(a->evp, OPEN, nonce, aad, tacit_bytes(sealed.p, n), out) &&
	        EVP_CIPHER_CTX_ctrl(a->evp, EVP_CTRL_AEAD_SET_TAG, sizeof(tag), tag) == 1)
		err = EVP_CipherFinal_ex(a->evp, none, &final_n) == 1 ? TACIT_OK : TACIT_E_BAD_SEAL;
	if (err != TACIT_OK)
		tacit_wipe(out, n);
	return err;
}
