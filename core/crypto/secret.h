/* secret.h - the one type that holds long-lived secrets, and the constant-time compare.
 *
 * Memory comes from sodium_malloc: guard pages, locked, never in a core dump, wiped on free.
 * Short-lived keys of fixed size live on the stack in arrays and are wiped at `out:`. */
#ifndef TACIT_CRYPTO_SECRET_H
#define TACIT_CRYPTO_SECRET_H

#include "base/bytes.h"
#include "base/err.h"

struct tacit_secret {
	uint8_t *p;
	size_t n;
};

/* Once, before anything else in crypto; may be called again, from one thread. Fails: CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_crypto_init(void);

/* n zeroed bytes; what s held before is freed. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_secret_new(struct tacit_secret *s, size_t n);
TACIT_MUST_USE enum tacit_err tacit_secret_copy(struct tacit_secret *s, struct tacit_bytes from);
/* Wipes and frees; s is {0} afterwards. */
void tacit_secret_free(struct tacit_secret *s);

static inline struct tacit_bytes tacit_secret_view(const struct tacit_secret *s)
{
	return tacit_bytes(s->p, s->n);
}

void tacit_wipe(void *p, size_t n);

/* Constant-time in the content; the lengths are public. */
TACIT_MUST_USE bool tacit_ct_eq(struct tacit_bytes a, struct tacit_bytes b);

#endif
