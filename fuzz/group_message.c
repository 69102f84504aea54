#include <stdlib.h>
#include <string.h>

#include "e2e/group.h"
#include "wire/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The worst sender is a member: his signature is good, whatever he wrote. The input is everything
 * before the signature; who he is and where he writes is put in, and it is signed for him. */
static void member_writes(
        const uint8_t *data, size_t size, const struct tacit_account *member, struct tacit_buf *out)
{
	struct tacit_signature sig;
	if (tacit_buf_append(out, tacit_bytes(data, size)) != TACIT_OK)
		abort();
	if (out->n >= TACIT_ENVELOPE_HEADER_BYTES) {
		memcpy(out->p, TACIT_ENVELOPE_MAGIC, 17);
		memset(out->p + 17, 0, 8);
		memcpy(out->p + 25, member->public.b, 32);
	}
	tacit_sign(tacit_account_sk(member), tacit_buf_view(out), &sig);
	if (tacit_buf_append(out, tacit_bytes(sig.b, sizeof(sig.b))) != TACIT_OK)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t secrets[2][TACIT_ACCOUNT_SECRET_BYTES] = {{1}, {2}};
	static const uint8_t hpke_sk[TACIT_HPKE_PUBLIC_BYTES] = {3};
	struct tacit_account me;
	struct tacit_account member;
	struct tacit_group *g;
	struct tacit_buf message = {0};
	struct tacit_buf plain = {0};
	struct tacit_opened opened;
	if (tacit_crypto_init() != TACIT_OK ||
	        tacit_account_from_secret(tacit_bytes(secrets[0], 32), &me) != TACIT_OK ||
	        tacit_account_from_secret(tacit_bytes(secrets[1], 32), &member) != TACIT_OK ||
	        tacit_pairwise.create(0, &g) != TACIT_OK)
		abort();
	const struct tacit_self self = {&me, {{7}}, hpke_sk};
	member_writes(data, size, &member, &message);
	for (int again = 0; again < 2; again++) {
		enum tacit_err err = tacit_pairwise.unprotect(
		        g, &self, &member.public, 1, tacit_buf_view(&message), &opened, &plain);
		if (err == TACIT_E_BAD_SIGNATURE || err == TACIT_E_UNKNOWN_SENDER ||
		        (again && err == TACIT_OK))
			abort();
	}
	tacit_pairwise.destroy(g);
	tacit_account_clear(&me);
	tacit_account_clear(&member);
	tacit_buf_clear(&message);
	tacit_buf_clear(&plain);
	return 0;
}
