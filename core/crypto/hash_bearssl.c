#include <bearssl.h>

#include "base/alloc.h"
#include "crypto/hash.h"
#include "crypto/secret.h"
#include "crypto/sha2_int.h"

struct tacit_hasher {
	br_hash_compat_context state;
};

enum tacit_err tacit_sha1(struct tacit_bytes in, uint8_t *out)
{
	br_sha1_context sha;
	br_sha1_init(&sha);
	br_sha1_update(&sha, in.p, in.n);
	br_sha1_out(&sha, out);
	return TACIT_OK;
}

enum tacit_err tacit_hasher_new(enum tacit_hash h, struct tacit_hasher **out)
{
	static const br_hash_class *const classes[] = {
	        [TACIT_SHA256] = &br_sha256_vtable,
	        [TACIT_SHA384] = &br_sha384_vtable,
	        [TACIT_SHA512] = &br_sha512_vtable,
	        [TACIT_SHA1] = &br_sha1_vtable,
	};
	*out = tacit_calloc(1, sizeof(**out));
	if (*out == NULL)
		return TACIT_E_NOMEM;
	classes[h]->init(&(*out)->state.vtable);
	return TACIT_OK;
}

enum tacit_err tacit_hasher_update(struct tacit_hasher *h, struct tacit_bytes in)
{
	if (in.n > 0)
		h->state.vtable->update(&h->state.vtable, in.p, in.n);
	return TACIT_OK;
}

/* BearSSL's hashes go on after they were read out. */
enum tacit_err tacit_hasher_peek(const struct tacit_hasher *h, uint8_t *out)
{
	h->state.vtable->out(&h->state.vtable, out);
	return TACIT_OK;
}

void tacit_hasher_free(struct tacit_hasher *h)
{
	if (h == NULL)
		return;
	tacit_wipe(h, sizeof(*h));
	tacit_free(h);
}
