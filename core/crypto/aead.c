#include "crypto/aead.h"

size_t tacit_aead_key_bytes(enum tacit_aead_alg alg)
{
	return alg == TACIT_AES128_GCM ? 16 : 32;
}

enum tacit_err tacit_aead_seal_once(enum tacit_aead_alg alg, const uint8_t *key,
        const uint8_t nonce[TACIT_AEAD_NONCE_BYTES], struct tacit_bytes aad,
        struct tacit_bytes plain, uint8_t *out)
{
	struct tacit_aead *a;
	enum tacit_err err = tacit_aead_new(alg, key, &a);
	if (err == TACIT_OK)
		err = tacit_aead_seal(a, nonce, aad, plain, out);
	tacit_aead_free(a);
	return err;
}

enum tacit_err tacit_aead_open_once(enum tacit_aead_alg alg, const uint8_t *key,
        const uint8_t nonce[TACIT_AEAD_NONCE_BYTES], struct tacit_bytes aad,
        struct tacit_bytes sealed, uint8_t *out)
{
	struct tacit_aead *a;
	enum tacit_err err = tacit_aead_new(alg, key, &a);
	if (err == TACIT_OK)
		err = tacit_aead_open(a, nonce, aad, sealed, out);
	tacit_aead_free(a);
	return err;
}
