#include "crypto/secret.h"

#include <sodium.h>
#include <string.h>

#include "base/alloc.h"

enum tacit_err tacit_crypto_init(void)
{
	return sodium_init() >= 0 ? TACIT_OK : TACIT_E_CRYPTO;
}

/* sodium_malloc knows no fault hook; an allocation of ours before it lets tests fail it too. */
static uint8_t *guarded_alloc(size_t n)
{
	void *probe = tacit_alloc(1);
	if (probe == NULL)
		return NULL;
	tacit_free(probe);
	return sodium_malloc(n);
}

enum tacit_err tacit_secret_new(struct tacit_secret *s, size_t n)
{
	tacit_secret_free(s);
	uint8_t *p = guarded_alloc(n);
	if (p == NULL)
		return TACIT_E_NOMEM;
	if (n > 0)
		memset(p, 0, n);
	*s = (struct tacit_secret){p, n};
	return TACIT_OK;
}

enum tacit_err tacit_secret_copy(struct tacit_secret *s, struct tacit_bytes from)
{
	struct tacit_secret copy = {0};
	enum tacit_err err = tacit_secret_new(&copy, from.n);
	if (err != TACIT_OK)
		return err;
	if (from.n > 0)
		memcpy(copy.p, from.p, from.n);
	tacit_secret_free(s); /* only now: from may be a view of s */
	*s = copy;
	return TACIT_OK;
}

/* Where there are no pages to guard, in the browser, sodium_free is free: it wipes nothing. */
void tacit_secret_free(struct tacit_secret *s)
{
	if (s->p != NULL)
		tacit_wipe(s->p, s->n);
	sodium_free(s->p);
	*s = (struct tacit_secret){0};
}

void tacit_wipe(void *p, size_t n)
{
	sodium_memzero(p, n);
}

bool tacit_ct_eq(struct tacit_bytes a, struct tacit_bytes b)
{
	return a.n == b.n && sodium_memcmp(a.p, b.p, a.n) == 0;
}
