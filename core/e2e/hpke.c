/* HPKE, RFC 9180: key schedule (5.1), contexts (5.2, 5.3), single shot (6.1). */
#include "e2e/hpke.h"

#include <string.h>

#include "base/alloc.h"
#include "crypto/kdf.h"
#include "crypto/secret.h"
#include "e2e/hpke_int.h"

enum { KEM_X25519 = 0x0020 }; /* RFC 9180 7.1 */

static bool has_auth(enum tacit_hpke_mode mode)
{
	return mode == TACIT_HPKE_AUTH || mode == TACIT_HPKE_AUTH_PSK;
}

bool tacit_hpke_suite_supported(struct tacit_hpke_suite s)
{
	return tacit_hpke_kem_find(s.kem) != NULL && tacit_hpke_kdf_supported(s.kdf) &&
	       ((s.aead >= 1 && s.aead <= 3) || s.aead == TACIT_HPKE_EXPORT_ONLY);
}

size_t tacit_hpke_sk_bytes(struct tacit_hpke_suite s)
{
	const struct tacit_hpke_kem *kem = tacit_hpke_kem_find(s.kem);
	return kem != NULL ? kem->sk_bytes : 0;
}

size_t tacit_hpke_pk_bytes(struct tacit_hpke_suite s)
{
	const struct tacit_hpke_kem *kem = tacit_hpke_kem_find(s.kem);
	return kem != NULL ? kem->pk_bytes : 0;
}

size_t tacit_hpke_enc_bytes(struct tacit_hpke_suite s)
{
	const struct tacit_hpke_kem *kem = tacit_hpke_kem_find(s.kem);
	return kem != NULL ? kem->enc_bytes : 0;
}

enum tacit_err tacit_hpke_derive_key_pair(
        struct tacit_hpke_suite s, struct tacit_bytes ikm, uint8_t *sk, uint8_t *pk)
{
	return tacit_hpke_derive_key_pairs(s, ikm, 1, sk, pk);
}

enum tacit_err tacit_hpke_derive_key_pairs(
        struct tacit_hpke_suite s, struct tacit_bytes ikm, size_t n, uint8_t *sk, uint8_t *pk)
{
	const struct tacit_hpke_kem *kem = tacit_hpke_kem_find(s.kem);
	return kem != NULL ? tacit_hpke_kem_derive_key_pairs(kem, ikm, n, sk, pk) : TACIT_E_USAGE;
}

enum tacit_err tacit_hpke_public(struct tacit_hpke_suite s, struct tacit_bytes sk, uint8_t *pk)
{
	const struct tacit_hpke_kem *kem = tacit_hpke_kem_find(s.kem);
	return kem != NULL ? tacit_hpke_kem_public(kem, sk, pk) : TACIT_E_USAGE;
}

enum tacit_err tacit_hpke_check_public(struct tacit_hpke_suite s, struct tacit_bytes pk)
{
	const struct tacit_hpke_kem *kem = tacit_hpke_kem_find(s.kem);
	return kem != NULL ? tacit_hpke_kem_check_public(kem, pk) : TACIT_E_USAGE;
}

/* out is zeroed, and wiped by the caller. */
static enum tacit_err context_init(struct tacit_hpke_suite s, enum tacit_hpke_role role,
        const struct tacit_hpke_info *info, const uint8_t *shared, struct tacit_hpke *out)
{
	enum tacit_err err;
	out->suite = s;
	out->role = role;
	TRY(tacit_hpke_key_schedule(s, info, shared, &out->keys));
	if (s.aead != TACIT_HPKE_EXPORT_ONLY)
		TRY(tacit_aead_new(tacit_hpke_aead_of(s), out->keys.key, &out->aead));
	tacit_wipe(out->keys.key, sizeof(out->keys.key));
out:
	return err;
}

static void context_clear(struct tacit_hpke *h)
{
	tacit_aead_free(h->aead);
	tacit_wipe(h, sizeof(*h));
}

static enum tacit_err context_new(struct tacit_hpke_suite s, enum tacit_hpke_role role,
        const struct tacit_hpke_info *info, const uint8_t *shared, struct tacit_hpke **out)
{
	struct tacit_hpke *h = tacit_calloc(1, sizeof(*h));
	if (h == NULL)
		return TACIT_E_NOMEM;
	enum tacit_err err;
	TRY(context_init(s, role, info, shared, h));
	*out = h;
	h = NULL;
out:
	tacit_hpke_free(h);
	return err;
}

void tacit_hpke_free(struct tacit_hpke *h)
{
	if (h == NULL)
		return;
	context_clear(h);
	tacit_free(h);
}

/* A mode has the sender's key if and only if it authenticates, and the PSK if it says so. */
static bool fits_mode(const struct tacit_hpke_info *info, struct tacit_bytes sender_key)
{
	return info->mode <= TACIT_HPKE_AUTH_PSK && has_auth(info->mode) == (sender_key.n > 0) &&
	       tacit_hpke_psk_consistent(info);
}

struct encap_in {
	struct tacit_bytes recipient_pk, sender_sk;
	struct tacit_bytes ikm; /* empty: drawn from env */
};

static enum tacit_err encap(struct tacit_hpke_suite s, const struct encap_in *in,
        const struct tacit_env *env, uint8_t *enc, uint8_t *shared)
{
	const struct tacit_hpke_kem *kem = tacit_hpke_kem_find(s.kem);
	struct tacit_bytes ikm = in->ikm;
	uint8_t drawn[TACIT_HPKE_IKM_MAX_BYTES] = {0};
	if (ikm.n == 0) {
		ikm = tacit_bytes(drawn, kem->ikm_bytes);
		tacit_env_random(env, drawn, ikm.n);
	}
	enum tacit_err err =
	        tacit_hpke_kem_encap(kem, in->recipient_pk, in->sender_sk, ikm, enc, shared);
	tacit_wipe(drawn, sizeof(drawn));
	return err;
}

enum tacit_err tacit_hpke_setup_sender(struct tacit_hpke_suite s,
        const struct tacit_hpke_info *info, struct tacit_bytes recipient_pk,
        const struct tacit_env *env, struct tacit_bytes ephemeral_ikm, struct tacit_buf *enc,
        struct tacit_hpke **out)
{
	*out = NULL;
	if (!tacit_hpke_suite_supported(s) || !fits_mode(info, info->sender_sk))
		return TACIT_E_USAGE;
	enum tacit_err err;
	uint8_t shared[TACIT_HPKE_SHARED_MAX_BYTES];
	size_t n = tacit_hpke_enc_bytes(s);
	TRY(tacit_buf_reserve(enc, n));
	struct encap_in in = {recipient_pk, info->sender_sk, ephemeral_ikm};
	TRY(encap(s, &in, env, enc->p + enc->n, shared));
	TRY(context_new(s, TACIT_HPKE_SENDER, info, shared, out));
	enc->n += n;
out:
	tacit_wipe(shared, sizeof(shared));
	return err;
}

enum tacit_err tacit_hpke_setup_receiver(struct tacit_hpke_suite s,
        const struct tacit_hpke_info *info, struct tacit_bytes enc, struct tacit_bytes recipient_sk,
        struct tacit_hpke **out)
{
	*out = NULL;
	if (!tacit_hpke_suite_supported(s) || !fits_mode(info, info->sender_pk))
		return TACIT_E_USAGE;
	enum tacit_err err;
	uint8_t shared[TACIT_HPKE_SHARED_MAX_BYTES];
	TRY(tacit_hpke_kem_decap(
	        tacit_hpke_kem_find(s.kem), enc, recipient_sk, info->sender_pk, shared));
	TRY(context_new(s, TACIT_HPKE_RECEIVER, info, shared, out));
out:
	tacit_wipe(shared, sizeof(shared));
	return err;
}

/* RFC 9180 5.2, ComputeNonce. The counter stops at 2^64 - 1, well before Nn's 2^96 - 1. */
static enum tacit_err next_nonce(const struct tacit_hpke *h, enum tacit_hpke_role role,
        uint8_t nonce[TACIT_AEAD_NONCE_BYTES])
{
	if (h->aead == NULL || h->role != role)
		return TACIT_E_USAGE;
	if (h->sequence == UINT64_MAX)
		return TACIT_E_EXHAUSTED;
	memcpy(nonce, h->keys.base_nonce, TACIT_AEAD_NONCE_BYTES);
	for (size_t i = 0; i < sizeof(h->sequence); i++)
		nonce[TACIT_AEAD_NONCE_BYTES - 1 - i] ^= (uint8_t)(h->sequence >> (8 * i));
	return TACIT_OK;
}

enum tacit_err tacit_hpke_seal(struct tacit_hpke *h, struct tacit_bytes aad,
        struct tacit_bytes plain, struct tacit_buf *out)
{
	enum tacit_err err;
	uint8_t nonce[TACIT_AEAD_NONCE_BYTES];
	TRY(next_nonce(h, TACIT_HPKE_SENDER, nonce));
	TRY(plain.n <= SIZE_MAX - TACIT_AEAD_TAG_BYTES ? TACIT_OK : TACIT_E_TOO_LARGE);
	TRY(tacit_buf_reserve(out, plain.n + TACIT_AEAD_TAG_BYTES));
	TRY(tacit_aead_seal(h->aead, nonce, aad, plain, out->p + out->n));
	out->n += plain.n + TACIT_AEAD_TAG_BYTES;
	h->sequence++;
out:
	return err;
}

enum tacit_err tacit_hpke_open(struct tacit_hpke *h, struct tacit_bytes aad,
        struct tacit_bytes sealed, struct tacit_buf *out)
{
	enum tacit_err err;
	uint8_t nonce[TACIT_AEAD_NONCE_BYTES];
	TRY(next_nonce(h, TACIT_HPKE_RECEIVER, nonce));
	TRY(sealed.n >= TACIT_AEAD_TAG_BYTES ? TACIT_OK : TACIT_E_BAD_SEAL);
	TRY(tacit_buf_reserve(out, sealed.n)); /* more than the plaintext, so never nothing */
	TRY(tacit_aead_open(h->aead, nonce, aad, sealed, out->p + out->n));
	out->n += sealed.n - TACIT_AEAD_TAG_BYTES;
	h->sequence++;
out:
	return err;
}

enum tacit_err tacit_hpke_export(
        const struct tacit_hpke *h, struct tacit_bytes exporter_context, uint8_t *out, size_t n)
{
	return tacit_hpke_export_secret(
	        h->suite, h->keys.exporter_secret, exporter_context, (struct tacit_room){out, n});
}

void tacit_hpke_ephemerals_clear(struct tacit_hpke_ephemerals *e)
{
	tacit_wipe(e, sizeof(*e));
}

/* RFC 9180 4: GenerateKeyPair, which for X25519 is any 32 random bytes. */
static enum tacit_err make_ephemerals(struct tacit_hpke_ephemerals *e, const struct tacit_env *env)
{
	size_t n = e->expected < TACIT_COUNT(e->sk) ? e->expected : TACIT_COUNT(e->sk);
	e->count = n > 0 ? n : 1;
	e->expected -= n;
	e->next = 0;
	tacit_env_random(env, e->sk[0], e->count * sizeof(e->sk[0]));
	enum tacit_err err = tacit_dh_public_many(TACIT_X25519, e->sk[0], e->count, e->pk[0]);
	if (err != TACIT_OK)
		e->count = 0;
	return err;
}

static enum tacit_err encap_by(struct tacit_hpke_ephemerals *e, struct tacit_bytes recipient_pk,
        const struct tacit_env *env, uint8_t *enc, uint8_t *shared)
{
	enum tacit_err err = TACIT_OK;
	if (e->next == e->count)
		TRY(make_ephemerals(e, env));
	size_t i = e->next++;
	memcpy(enc, e->pk[i], sizeof(e->pk[i]));
	err = tacit_hpke_kem_encap_by(
	        tacit_hpke_kem_find(KEM_X25519), recipient_pk, e->sk[i], enc, shared);
	tacit_wipe(e->sk[i], sizeof(e->sk[i]));
out:
	return err;
}

enum tacit_err tacit_hpke_seal_to(struct tacit_hpke_suite s, struct tacit_bytes recipient_pk,
        const struct tacit_hpke_message *m, const struct tacit_env *env,
        struct tacit_hpke_sealed_room out)
{
	if (!tacit_hpke_suite_supported(s) || s.aead == TACIT_HPKE_EXPORT_ONLY)
		return TACIT_E_USAGE;
	enum tacit_err err;
	struct tacit_hpke h = {0};
	struct tacit_hpke_info base = {.mode = TACIT_HPKE_BASE,
	        .info = m->info,
	        .base = m->base,
	        .exports = TACIT_HPKE_NO_EXPORTS};
	struct encap_in in = {.recipient_pk = recipient_pk};
	uint8_t shared[TACIT_HPKE_SHARED_MAX_BYTES];
	TRY(m->ephemerals != NULL && s.kem == KEM_X25519
	                ? encap_by(m->ephemerals, recipient_pk, env, out.enc, shared)
	                : encap(s, &in, env, out.enc, shared));
	TRY(context_init(s, TACIT_HPKE_SENDER, &base, shared, &h));
	TRY(tacit_aead_seal(h.aead, h.keys.base_nonce, m->aad, m->text, out.sealed));
out:
	context_clear(&h);
	tacit_wipe(shared, sizeof(shared));
	return err;
}

enum tacit_err tacit_hpke_open_from(struct tacit_hpke_suite s, struct tacit_bytes recipient_sk,
        struct tacit_bytes enc, const struct tacit_hpke_message *m, uint8_t *plain)
{
	if (!tacit_hpke_suite_supported(s) || s.aead == TACIT_HPKE_EXPORT_ONLY)
		return TACIT_E_USAGE;
	if (m->text.n < TACIT_AEAD_TAG_BYTES)
		return TACIT_E_BAD_SEAL;
	enum tacit_err err;
	struct tacit_hpke h = {0};
	struct tacit_hpke_info base = {.mode = TACIT_HPKE_BASE,
	        .info = m->info,
	        .base = m->base,
	        .exports = TACIT_HPKE_NO_EXPORTS};
	uint8_t shared[TACIT_HPKE_SHARED_MAX_BYTES];
	TRY(tacit_hpke_kem_decap(
	        tacit_hpke_kem_find(s.kem), enc, recipient_sk, TACIT_STR(""), shared));
	TRY(context_init(s, TACIT_HPKE_RECEIVER, &base, shared, &h));
	TRY(tacit_aead_open(h.aead, h.keys.base_nonce, m->aad, m->text, plain));
out:
	context_clear(&h);
	tacit_wipe(shared, sizeof(shared));
	return err;
}

enum tacit_err tacit_hpke_seal_once(struct tacit_hpke_suite s, struct tacit_bytes recipient_pk,
        struct tacit_bytes info, struct tacit_bytes aad, struct tacit_bytes plain,
        const struct tacit_env *env, struct tacit_buf *enc, struct tacit_buf *sealed)
{
	enum tacit_err err;
	size_t enc_n = tacit_hpke_enc_bytes(s);
	struct tacit_hpke_message m = {.info = info, .aad = aad, .text = plain};
	TRY(plain.n <= SIZE_MAX - TACIT_AEAD_TAG_BYTES ? TACIT_OK : TACIT_E_TOO_LARGE);
	TRY(tacit_buf_reserve(enc, enc_n));
	TRY(tacit_buf_reserve(sealed, plain.n + TACIT_AEAD_TAG_BYTES));
	TRY(tacit_hpke_seal_to(s, recipient_pk, &m, env,
	        (struct tacit_hpke_sealed_room){enc->p + enc->n, sealed->p + sealed->n}));
	enc->n += enc_n;
	sealed->n += plain.n + TACIT_AEAD_TAG_BYTES;
out:
	return err;
}

enum tacit_err tacit_hpke_open_once(struct tacit_hpke_suite s, struct tacit_bytes enc,
        struct tacit_bytes recipient_sk, struct tacit_bytes info, struct tacit_bytes aad,
        struct tacit_bytes sealed, struct tacit_buf *plain)
{
	enum tacit_err err;
	struct tacit_hpke_message m = {.info = info, .aad = aad, .text = sealed};
	TRY(sealed.n >= TACIT_AEAD_TAG_BYTES ? TACIT_OK : TACIT_E_BAD_SEAL);
	TRY(tacit_buf_reserve(plain, sealed.n)); /* more than the plaintext, so never nothing */
	TRY(tacit_hpke_open_from(s, recipient_sk, enc, &m, plain->p + plain->n));
	plain->n += sealed.n - TACIT_AEAD_TAG_BYTES;
out:
	return err;
}
