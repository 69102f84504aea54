/* X-Wing (draft-connolly-cfrg-xwing-kem), whose bytes the KEM 0x647a of HPKE has. */
#include "e2e/hpke_int.h"
#include "vectors/vectors.h"

static bool knows(const json_t *root)
{
	const json_t *first = json_array_get(root, 0);
	return json_object_get(first, "eseed") != NULL && json_object_get(first, "ss") != NULL;
}

static const char *check(const json_t *v)
{
	const struct tacit_hpke_kem *kem = tacit_hpke_kem_find(0x647a);
	uint8_t pk[TACIT_HPKE_PK_MAX_BYTES], enc[TACIT_HPKE_ENC_MAX_BYTES];
	uint8_t sent[TACIT_HPKE_SHARED_MAX_BYTES], got[TACIT_HPKE_SHARED_MAX_BYTES];
	struct tacit_bytes sk = hex_member(v, "sk"), shared = hex_member(v, "ss");
	if (tacit_hpke_kem_public(kem, sk, pk) != TACIT_OK ||
	        !tacit_bytes_eq(tacit_bytes(pk, kem->pk_bytes), hex_member(v, "pk")))
		return "public key";
	if (tacit_hpke_kem_encap(kem, hex_member(v, "pk"), TACIT_STR(""), hex_member(v, "eseed"),
	            enc, sent) != TACIT_OK ||
	        !tacit_bytes_eq(tacit_bytes(enc, kem->enc_bytes), hex_member(v, "ct")) ||
	        !tacit_bytes_eq(tacit_bytes(sent, kem->shared_bytes), shared))
		return "encapsulation";
	if (tacit_hpke_kem_decap(kem, hex_member(v, "ct"), sk, TACIT_STR(""), got) != TACIT_OK ||
	        !tacit_bytes_eq(tacit_bytes(got, kem->shared_bytes), shared))
		return "decapsulation";
	return NULL;
}

static void run(const json_t *root, struct tally *t)
{
	size_t i;
	const json_t *v;
	json_array_foreach(root, i, v)
	{
		const char *wrong = check(v);
		if (wrong == NULL)
			tally_pass(t);
		else
			tally_fail(t, "entry %zu: %s", i, wrong);
		hex_forget();
	}
}

const struct vector_format xwing_format = {knows, run};
