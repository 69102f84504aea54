#include "crypto/sha2_int.h"

void tacit_sha2_init(struct tacit_sha2 *c, enum tacit_hash h)
{
	static const br_hash_class *const classes[] = {
	        [TACIT_SHA256] = &br_sha256_vtable,
	        [TACIT_SHA384] = &br_sha384_vtable,
	        [TACIT_SHA512] = &br_sha512_vtable,
	};
	TACIT_ASSERT(h < TACIT_COUNT(classes));
	c->hash = h;
	classes[h]->init(&c->state.vtable);
}

void tacit_sha2_update(struct tacit_sha2 *c, struct tacit_bytes in)
{
	if (in.n > 0)
		c->state.vtable->update(&c->state.vtable, in.p, in.n);
}

void tacit_sha2_final(struct tacit_sha2 *c, uint8_t *out)
{
	c->state.vtable->out(&c->state.vtable, out);
}
