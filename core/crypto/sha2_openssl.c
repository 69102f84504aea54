#include "crypto/sha2_int.h"

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
