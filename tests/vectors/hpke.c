/* RFC 9180 appendix A and draft-ietf-hpke-pq, in the JSON form of the RFC's own repository. */
#include "e2e/hpke_int.h"
#include "vectors/vectors.h"

static bool knows(const json_t *root)
{
	const json_t *first = json_array_get(root, 0);
	return json_object_get(first, "kem_id") != NULL &&
	       json_object_get(first, "exporter_secret") != NULL;
}

/* The member is exactly these n bytes. */
static bool is(const json_t *v, const char *name, const uint8_t *got, size_t n)
{
	return tacit_bytes_eq(hex_member(v, name), tacit_bytes(got, n));
}

struct sides {
	struct tacit_hpke_info sender, receiver;
};

static struct sides sides_of(const json_t *v)
{
	struct tacit_hpke_info common = {
	        .mode = (enum tacit_hpke_mode)json_integer_value(json_object_get(v, "mode")),
	        .info = hex_member(v, "info"),
	        .psk = hex_member(v, "psk"),
	        .psk_id = hex_member(v, "psk_id"),
	};
	struct sides s = {common, common};
	s.sender.sender_sk = hex_member(v, "skSm");
	s.receiver.sender_pk = hex_member(v, "pkSm");
	return s;
}

/* Every pair of keys that is there follows from its seed. */
static const char *check_key_pairs(const json_t *v, struct tacit_hpke_suite suite)
{
	static const char *const names[][3] = {
	        {"ikmE", "skEm", "pkEm"}, {"ikmR", "skRm", "pkRm"}, {"ikmS", "skSm", "pkSm"}};
	for (size_t i = 0; i < TACIT_COUNT(names); i++) {
		uint8_t sk[TACIT_HPKE_SK_MAX_BYTES], pk[TACIT_HPKE_PK_MAX_BYTES];
		struct tacit_bytes ikm = hex_member(v, names[i][0]);
		if (ikm.n == 0 || json_object_get(v, names[i][1]) == NULL)
			continue; /* the ephemeral "key" of a hybrid is its coins */
		if (tacit_hpke_derive_key_pair(suite, ikm, sk, pk) != TACIT_OK ||
		        !is(v, names[i][1], sk, tacit_hpke_sk_bytes(suite)) ||
		        !is(v, names[i][2], pk, tacit_hpke_pk_bytes(suite)))
			return names[i][0];
	}
	return NULL;
}

static const char *check_secrets(
        const json_t *v, struct tacit_hpke_suite suite, const struct sides *s)
{
	uint8_t enc[TACIT_HPKE_ENC_MAX_BYTES];
	uint8_t sent[TACIT_HPKE_SHARED_MAX_BYTES], got[TACIT_HPKE_SHARED_MAX_BYTES];
	const struct tacit_hpke_kem *kem = tacit_hpke_kem_find(suite.kem);
	size_t shared_bytes = kem->shared_bytes;
	if (tacit_hpke_kem_encap(kem, hex_member(v, "pkRm"), s->sender.sender_sk,
	            hex_member(v, "ikmE"), enc, sent) != TACIT_OK ||
	        !is(v, "enc", enc, tacit_hpke_enc_bytes(suite)) ||
	        !is(v, "shared_secret", sent, shared_bytes))
		return "encap";
	if (tacit_hpke_kem_decap(kem, hex_member(v, "enc"), hex_member(v, "skRm"),
	            s->receiver.sender_pk, got) != TACIT_OK ||
	        !is(v, "shared_secret", got, shared_bytes))
		return "decap";
	static const size_t key_bytes[] = {0, 16, 32, 32},
	                    exporter_bytes[] = {[1] = 32, [2] = 48, [3] = 64, [16] = 32, [17] = 64};
	bool seals = suite.aead < TACIT_COUNT(key_bytes);
	struct tacit_hpke_keys keys;
	if (tacit_hpke_key_schedule(suite, &s->receiver, got, &keys) != TACIT_OK ||
	        !is(v, "key", keys.key, seals ? key_bytes[suite.aead] : 0) ||
	        !is(v, "base_nonce", keys.base_nonce, seals ? TACIT_AEAD_NONCE_BYTES : 0) ||
	        !is(v, "exporter_secret", keys.exporter_secret, exporter_bytes[suite.kdf]))
		return "key schedule";
	return NULL;
}

/* Of a long sequence only some messages are listed: the nonce tells which. */
static uint64_t sequence_of(const json_t *v, const json_t *message)
{
	struct tacit_bytes base = hex_member(v, "base_nonce"), nonce = hex_member(message, "nonce");
	uint64_t sequence = 0;
	for (size_t i = 0; i < base.n && i < nonce.n; i++)
		sequence = sequence << 8 | (uint8_t)(base.p[i] ^ nonce.p[i]);
	return sequence;
}

static const char *check_encryptions(
        const json_t *v, struct tacit_hpke *sender, struct tacit_hpke *receiver)
{
	size_t i;
	const json_t *message;
	json_array_foreach(json_object_get(v, "encryptions"), i, message)
	{
		struct tacit_bytes aad = hex_member(message, "aad"), ct = hex_member(message, "ct"),
		                   pt = hex_member(message, "pt");
		struct tacit_buf sealed = {0}, opened = {0};
		sender->sequence = receiver->sequence = sequence_of(v, message);
		bool ok = tacit_hpke_seal(sender, aad, pt, &sealed) == TACIT_OK &&
		          tacit_bytes_eq(tacit_buf_view(&sealed), ct) &&
		          tacit_hpke_open(receiver, aad, ct, &opened) == TACIT_OK &&
		          tacit_bytes_eq(tacit_buf_view(&opened), pt);
		tacit_buf_clear(&sealed);
		tacit_buf_clear(&opened);
		if (!ok)
			return "encryption";
	}
	return NULL;
}

static const char *check_exports(const json_t *v, const struct tacit_hpke *h)
{
	size_t i;
	const json_t *export;
	json_array_foreach(json_object_get(v, "exports"), i, export)
	{
		uint8_t got[256];
		struct tacit_bytes want = hex_member(export, "exported_value");
		if (want.n > sizeof(got) || want.n == 0 ||
		        tacit_hpke_export(h, hex_member(export, "exporter_context"), got, want.n) !=
		                TACIT_OK ||
		        !tacit_bytes_eq(want, tacit_bytes(got, want.n)))
			return "export";
	}
	return NULL;
}

static const char *check_contexts(
        const json_t *v, struct tacit_hpke_suite suite, const struct sides *s)
{
	const char *wrong = "setup";
	struct tacit_hpke *sender = NULL, *receiver = NULL;
	struct tacit_buf enc = {0};
	struct tacit_bytes want_enc = hex_member(v, "enc");
	if (tacit_hpke_setup_sender(suite, &s->sender, hex_member(v, "pkRm"), NULL,
	            hex_member(v, "ikmE"), &enc, &sender) == TACIT_OK &&
	        tacit_bytes_eq(tacit_buf_view(&enc), want_enc) &&
	        tacit_hpke_setup_receiver(suite, &s->receiver, want_enc, hex_member(v, "skRm"),
	                &receiver) == TACIT_OK)
		wrong = check_encryptions(v, sender, receiver);
	if (wrong == NULL)
		wrong = check_exports(v, sender);
	if (wrong == NULL)
		wrong = check_exports(v, receiver);
	tacit_hpke_free(sender);
	tacit_hpke_free(receiver);
	tacit_buf_clear(&enc);
	return wrong;
}

static void run(const json_t *root, struct tally *t)
{
	size_t i;
	const json_t *v;
	json_array_foreach(root, i, v)
	{
		struct tacit_hpke_suite suite = {
		        (uint16_t)json_integer_value(json_object_get(v, "kem_id")),
		        (uint16_t)json_integer_value(json_object_get(v, "kdf_id")),
		        (uint16_t)json_integer_value(json_object_get(v, "aead_id")),
		};
		if (!tacit_hpke_suite_supported(suite)) {
			t->not_applicable++;
			continue;
		}
		struct sides s = sides_of(v);
		const char *wrong = check_key_pairs(v, suite);
		if (wrong == NULL)
			wrong = check_secrets(v, suite, &s);
		if (wrong == NULL)
			wrong = check_contexts(v, suite, &s);
		if (wrong == NULL)
			tally_pass(t);
		else
			tally_fail(t, "entry %zu (mode %d, suite %04x/%04x/%04x): %s", i,
			        (int)s.sender.mode, suite.kem, suite.kdf, suite.aead, wrong);
		hex_forget();
	}
}

const struct vector_format hpke_format = {knows, run};
