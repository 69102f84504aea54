#include "crypto/sha2_int.h"

size_t tacit_sha2_block_bytes(enum tacit_hash h)
{
	return h == TACIT_SHA256 ? 64 : 128;
}

#ifdef TACIT_NO_OPENSSL

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

#else

void tacit_sha2_init(struct tacit_sha2 *c, enum tacit_hash h)
{
	int ok = 0;
	c->hash = h;
	if (h == TACIT_SHA256)
		ok = SHA256_Init(&c->state.narrow);
	else if (h == TACIT_SHA384)
		ok = SHA384_Init(&c->state.wide);
	else if (h == TACIT_SHA512)
		ok = SHA512_Init(&c->state.wide);
	TACIT_ASSERT(ok == 1);
}

void tacit_sha2_update(struct tacit_sha2 *c, struct tacit_bytes in)
{
	if (in.n == 0)
		return;
	int ok = c->hash == TACIT_SHA256 ? SHA256_Update(&c->state.narrow, in.p, in.n)
	                                 : SHA512_Update(&c->state.wide, in.p, in.n);
	TACIT_ASSERT(ok == 1);
}

/* SHA512_Final writes what SHA384_Init has set. */
void tacit_sha2_final(struct tacit_sha2 *c, uint8_t *out)
{
	int ok = c->hash == TACIT_SHA256 ? SHA256_Final(out, &c->state.narrow)
	                                 : SHA512_Final(out, &c->state.wide);
	TACIT_ASSERT(ok == 1);
}

#endif
