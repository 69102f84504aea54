#include "e2e/mls/key_pairs.h"

#include <string.h>

#include "base/alloc.h"
#include "crypto/secret.h"

struct tacit_mls_key_pairs {
	const struct tacit_mls_suite *suite;
	size_t n, next;
	uint8_t *sk, *pk;
};

enum tacit_err tacit_mls_key_pairs_new(const struct tacit_mls_suite *s, const struct tacit_env *env,
        size_t n, struct tacit_mls_key_pairs **out)
{
	enum tacit_err err;
	struct tacit_mls_key_pairs *k = tacit_calloc(1, sizeof(*k));
	*out = NULL;
	TRY(k == NULL ? TACIT_E_NOMEM : TACIT_OK);
	k->suite = s;
	k->n = n;
	k->sk = tacit_calloc(n, s->kem_sk_bytes);
	k->pk = tacit_calloc(n, s->kem_public_bytes);
	TRY(k->sk == NULL || k->pk == NULL ? TACIT_E_NOMEM : TACIT_OK);
	TRY(tacit_mls_kem_keypairs(s, env, n, k->sk, k->pk));
	*out = k;
	k = NULL;
out:
	tacit_mls_key_pairs_free(k);
	return err;
}

void tacit_mls_key_pairs_free(struct tacit_mls_key_pairs *k)
{
	if (k == NULL)
		return;
	if (k->sk != NULL)
		tacit_wipe(k->sk, k->n * k->suite->kem_sk_bytes);
	tacit_free(k->sk);
	tacit_free(k->pk);
	tacit_free(k);
}

enum tacit_err tacit_mls_key_pairs_take(
        struct tacit_mls_key_pairs *k, const struct tacit_mls_suite *s, uint8_t *sk, uint8_t *pk)
{
	if (s != k->suite)
		return TACIT_E_USAGE;
	if (k->next == k->n)
		return TACIT_E_EXHAUSTED;
	uint8_t *from = k->sk + k->next * s->kem_sk_bytes;
	memcpy(sk, from, s->kem_sk_bytes);
	tacit_wipe(from, s->kem_sk_bytes);
	memcpy(pk, k->pk + k->next * s->kem_public_bytes, s->kem_public_bytes);
	k->next++;
	return TACIT_OK;
}
