#include <openssl/evp.h>

#include "base/alloc.h"
#include "crypto/hash.h"
#include "crypto/sha2_int.h"

static const EVP_MD *(*const digests[])(void) = {
        [TACIT_SHA256] = EVP_sha256,
        [TACIT_SHA384] = EVP_sha384,
        [TACIT_SHA512] = EVP_sha512,
        [TACIT_SHA1] = EVP_sha1,
};

enum tacit_err tacit_sha1(struct tacit_bytes in, uint8_t *out)
{
	return EVP_Digest(in.p, in.n, out, NULL, EVP_sha1(), NULL) == 1 ? TACIT_OK : TACIT_E_CRYPTO;
}

struct tacit_hasher {
	EVP_MD_CTX *running;
	EVP_MD_CTX *copy; /* finished in place of running, by tacit_hasher_peek */
};

enum tacit_err tacit_hasher_new(enum tacit_hash h, struct tacit_hasher **out)
{
	*out = NULL;
	struct tacit_hasher *hasher = tacit_calloc(1, sizeof(*hasher));
	if (hasher == NULL)
		return TACIT_E_NOMEM;
	hasher->running = EVP_MD_CTX_new();
	hasher->copy = EVP_MD_CTX_new();
	enum tacit_err err = TACIT_OK;
	if (hasher->running == NULL || hasher->copy == NULL)
		err = TACIT_E_NOMEM;
	else if (EVP_DigestInit_ex(hasher->running, digests[h](), NULL) != 1)
		err = TACIT_E_CRYPTO;
	if (err == TACIT_OK)
		*out = hasher;
	else
		tacit_hasher_free(hasher);
	return err;
}

enum tacit_err tacit_hasher_update(struct tacit_hasher *h, struct tacit_bytes in)
{
	return EVP_DigestUpdate(h->running, in.p, in.n) == 1 ? TACIT_OK : TACIT_E_CRYPTO;
}

enum tacit_err tacit_hasher_peek(const struct tacit_hasher *h, uint8_t *out)
{
	bool ok = EVP_MD_CTX_copy_ex(h->copy, h->running) == 1 &&
	          EVP_DigestFinal_ex(h->copy, out, NULL) == 1;
	return ok ? TACIT_OK : TACIT_E_CRYPTO;
}

void tacit_hasher_free(struct tacit_hasher *h)
{
	if (h == NULL)
		return;
	EVP_MD_CTX_free(h->running);
	EVP_MD_CTX_free(h->copy);
	tacit_free(h);
}
