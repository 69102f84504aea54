/* AES-GCM and ChaCha20-Poly1305 by BearSSL, in constant time without instructions of a processor's.
 */
#include <bearssl.h>
#include <limits.h>
#include <string.h>

#include "base/alloc.h"
#include "crypto/aead.h"
#include "crypto/secret.h"

struct tacit_aead {
	enum tacit_aead_alg alg;
	union {
		br_aes_ct64_ctr_keys aes;
		uint8_t chacha[32];
	} key;
};

enum tacit_err tacit_aead_new(enum tacit_aead_alg alg, const uint8_t *key, struct tacit_aead **out)
{
	*out = NULL;
	struct tacit_aead *a = tacit_calloc(1, sizeof(*a));
	if (a == NULL)
		return TACIT_E_NOMEM;
	a->alg = alg;
	if (alg == TACIT_CHACHA20_POLY1305)
		memcpy(a->key.chacha, key, sizeof(a->key.chacha));
	else
		br_aes_ct64_ctr_init(&a->key.aes, key, tacit_aead_key_bytes(alg));
	*out = a;
	return TACIT_OK;
}

void tacit_aead_free(struct tacit_aead *a)
{
	if (a == NULL)
		return;
	tacit_wipe(a, sizeof(*a));
	tacit_free(a);
}

/* In place; the tag of what is the ciphertext before or behind it. */
static void run(struct tacit_aead *a, bool seal, const uint8_t *nonce, struct tacit_bytes aad,
        struct tacit_bytes text, uint8_t *tag)
{
	void *p = (void *)(uintptr_t)text.p;
	if (a->alg == TACIT_CHACHA20_POLY1305) {
		br_poly1305_ctmul_run(a->key.chacha, nonce, p, text.n, aad.p, aad.n, tag,
		        br_chacha20_ct_run, seal);
		return;
	}
	br_gcm_context gcm;
	br_gcm_init(&gcm, &a->key.aes.vtable, br_ghash_ctmul64);
	br_gcm_reset(&gcm, nonce, TACIT_AEAD_NONCE_BYTES);
	br_gcm_aad_inject(&gcm, aad.p, aad.n);
	br_gcm_flip(&gcm);
	br_gcm_run(&gcm, seal, p, text.n);
	br_gcm_get_tag(&gcm, tag);
	tacit_wipe(&gcm, sizeof(gcm));
}

enum tacit_err tacit_aead_seal(struct tacit_aead *a, const uint8_t nonce[TACIT_AEAD_NONCE_BYTES],
        struct tacit_bytes aad, struct tacit_bytes plain, uint8_t *out)
{
	if (plain.n > INT_MAX || aad.n > INT_MAX)
		return TACIT_E_TOO_LARGE;
	if (plain.n > 0)
		memmove(out, plain.p, plain.n);
	run(a, true, nonce, aad, tacit_bytes(out, plain.n), out + plain.n);
	return TACIT_OK;
}

enum tacit_err tacit_aead_open(struct tacit_aead *a, const uint8_t nonce[TACIT_AEAD_NONCE_BYTES],
        struct tacit_bytes aad, struct tacit_bytes sealed, uint8_t *out)
{
	if (sealed.n < TACIT_AEAD_TAG_BYTES)
		return TACIT_E_BAD_SEAL;
	size_t n = sealed.n - TACIT_AEAD_TAG_BYTES;
	if (n > INT_MAX || aad.n > INT_MAX)
		return TACIT_E_TOO_LARGE;
	uint8_t said[TACIT_AEAD_TAG_BYTES], tag[TACIT_AEAD_TAG_BYTES];
	memcpy(said, sealed.p + n, sizeof(said));
	if (n > 0)
		memmove(out, sealed.p, n);
	run(a, false, nonce, aad, tacit_bytes(out, n), tag);
	if (tacit_ct_eq(tacit_bytes(said, sizeof(said)), tacit_bytes(tag, sizeof(tag))))
		return TACIT_OK;
	tacit_wipe(out, n);
	return TACIT_E_BAD_SEAL;
}
