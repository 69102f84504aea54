/* HPKE, RFC 9180: key schedule (5.1), contexts (5.2, 5.3), single shot (6.1). */
#include "e2e/hpke.h"

#include <string.h>

#include "base/alloc.h"
#include "crypto/kdf.h"
#include "crypto/secret.h"
#include "e2e/hpke_int.h"

enum { AEAD_EXPORT_ONLY = 0xffff, PSK_MIN_BYTES = 32 /* RFC 9180 5.1.2, 9.5 */ };

static bool has_psk(enum tacit_hpke_mode mode)
{
	return mode == TACIT_HPKE_PSK || mode == TACIT_HPKE_AUTH_PSK;
}

static bool has_auth(enum tacit_hpke_mode mode)
{
	return mode == TACIT_HPKE_AUTH || mode == TACIT_HPKE_AUTH_PSK;
}

/* RFC 9180 7.2: 1, 2, 3 in the order of enum tacit_hash. */
static enum tacit_hash hash_of(struct tacit_hpke_suite s)
{
	static const enum tacit_hash hashes[] = {TACIT_SHA256, TACIT_SHA384, TACIT_SHA512};
	return hashes[s.kdf - 1];
}

/* RFC 9180 7.3; not for export-only. */
static enum tacit_aead_alg aead_of(struct tacit_hpke_suite s)
{
	static const enum tacit_aead_alg algs[] = {
	        TACIT_AES128_GCM, TACIT_AES256_GCM, TACIT_CHACHA20_POLY1305};
	return algs[s.aead - 1];
}

bool tacit_hpke_suite_supported(struct tacit_hpke_suite s)
{
	return tacit_hpke_kem_find(s.kem) != NULL && s.kdf >= 1 && s.kdf <= 3 &&
	       ((s.aead >= 1 && s.aead <= 3) || s.aead == AEAD_EXPORT_ONLY);
}

size_t tacit_hpke_sk_bytes(struct tacit_hpke_suite s)
{
	const struct tacit_hpke_kem *kem = tacit_hpke_kem_find(s.kem);
	return kem != NULL ? tacit_dh_sk_bytes(kem->dh) : 0;
}

size_t tacit_hpke_pk_bytes(struct tacit_hpke_suite s)
{
	const struct tacit_hpke_kem *kem = tacit_hpke_kem_find(s.kem);
	return kem != NULL ? tacit_dh_public_bytes(kem->dh) : 0;
}

enum tacit_err tacit_hpke_derive_key_pair(
        struct tacit_hpke_suite s, struct tacit_bytes ikm, uint8_t *sk, uint8_t *pk)
{
	const struct tacit_hpke_kem *kem = tacit_hpke_kem_find(s.kem);
	return kem != NULL ? tacit_hpke_kem_derive_key_pair(kem, ikm, sk, pk) : TACIT_E_USAGE;
}

enum tacit_err tacit_hpke_public(struct tacit_hpke_suite s, struct tacit_bytes sk, uint8_t *pk)
{
	const struct tacit_hpke_kem *kem = tacit_hpke_kem_find(s.kem);
	if (kem == NULL)
		return TACIT_E_USAGE;
	return sk.n == tacit_dh_sk_bytes(kem->dh) ? tacit_dh_public(kem->dh, sk.p, pk)
	                                          : TACIT_E_MALFORMED;
}

enum tacit_err tacit_hpke_check_public(struct tacit_hpke_suite s, struct tacit_bytes pk)
{
	const struct tacit_hpke_kem *kem = tacit_hpke_kem_find(s.kem);
	if (kem == NULL)
		return TACIT_E_USAGE;
	uint8_t one[TACIT_DH_SK_MAX_BYTES] = {0}, shared[TACIT_DH_SHARED_MAX_BYTES];
	one[tacit_dh_sk_bytes(kem->dh) - 1] = 1;
	return tacit_dh(kem->dh, one, pk, shared);
}

#define SUITE_BYTES 10

static struct tacit_hpke_kdf kdf_of(struct tacit_hpke_suite s, uint8_t suite_id[SUITE_BYTES])
{
	const uint8_t id[SUITE_BYTES] = {'H', 'P', 'K', 'E', (uint8_t)(s.kem >> 8), (uint8_t)s.kem,
	        (uint8_t)(s.kdf >> 8), (uint8_t)s.kdf, (uint8_t)(s.aead >> 8), (uint8_t)s.aead};
	memcpy(suite_id, id, sizeof(id));
	return (struct tacit_hpke_kdf){hash_of(s), tacit_bytes(suite_id, SUITE_BYTES)};
}

/* RFC 9180 5.1, VerifyPSKInputs. */
static bool psk_consistent(const struct tacit_hpke_info *info)
{
	if (!has_psk(info->mode))
		return info->psk.n == 0 && info->psk_id.n == 0;
	return info->psk.n >= PSK_MIN_BYTES && info->psk_id.n > 0;
}

enum tacit_err tacit_hpke_key_schedule(struct tacit_hpke_suite s,
        const struct tacit_hpke_info *info, const uint8_t *shared, struct tacit_hpke_keys *out)
{
	if (!psk_consistent(info))
		return TACIT_E_USAGE;
	enum tacit_err err;
	uint8_t suite_id[SUITE_BYTES];
	uint8_t context[1 + 2 * TACIT_HASH_MAX_BYTES], secret[TACIT_HASH_MAX_BYTES];
	struct tacit_hpke_kdf kdf = kdf_of(s, suite_id);
	size_t n = tacit_hash_bytes(kdf.hash);
	struct tacit_bytes shared_view =
	        tacit_bytes(shared, tacit_hpke_kem_shared_bytes(tacit_hpke_kem_find(s.kem)));
	struct tacit_bytes context_view = tacit_bytes(context, 1 + 2 * n);
	struct tacit_bytes prk = tacit_bytes(secret, n);

	context[0] = (uint8_t)info->mode;
	tacit_hpke_labeled_extract(kdf, TACIT_STR(""), "psk_id_hash", info->psk_id, context + 1);
	tacit_hpke_labeled_extract(kdf, TACIT_STR(""), "info_hash", info->info, context + 1 + n);
	tacit_hpke_labeled_extract(kdf, shared_view, "secret", info->psk, secret);
	if (s.aead != AEAD_EXPORT_ONLY) {
		TRY(tacit_hpke_labeled_expand(
		        kdf, prk, "key", context_view, out->key, tacit_aead_key_bytes(aead_of(s))));
		TRY(tacit_hpke_labeled_expand(kdf, prk, "base_nonce", context_view, out->base_nonce,
		        sizeof(out->base_nonce)));
	}
	TRY(tacit_hpke_labeled_expand(kdf, prk, "exp", context_view, out->exporter_secret, n));
out:
	tacit_wipe(secret, sizeof(secret));
	tacit_wipe(context, sizeof(context));
	return err;
}

static enum tacit_err context_new(struct tacit_hpke_suite s, enum tacit_hpke_role role,
        const struct tacit_hpke_info *info, const uint8_t *shared, struct tacit_hpke **out)
{
	struct tacit_hpke *h = tacit_calloc(1, sizeof(*h));
	if (h == NULL)
		return TACIT_E_NOMEM;
	enum tacit_err err;
	h->suite = s;
	h->role = role;
	TRY(tacit_hpke_key_schedule(s, info, shared, &h->keys));
	if (s.aead != AEAD_EXPORT_ONLY)
		TRY(tacit_aead_new(aead_of(s), h->keys.key, &h->aead));
	tacit_wipe(h->keys.key, sizeof(h->keys.key));
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
	tacit_aead_free(h->aead);
	tacit_wipe(h, sizeof(*h));
	tacit_free(h);
}

/* A mode has the sender's key if and only if it authenticates, and the PSK if it says so. */
static bool fits_mode(const struct tacit_hpke_info *info, struct tacit_bytes sender_key)
{
	return info->mode <= TACIT_HPKE_AUTH_PSK && has_auth(info->mode) == (sender_key.n > 0) &&
	       psk_consistent(info);
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
	const struct tacit_hpke_kem *kem = tacit_hpke_kem_find(s.kem);
	size_t n = tacit_hpke_pk_bytes(s);
	uint8_t drawn[TACIT_HPKE_SK_MAX_BYTES] = {0}, shared[TACIT_HPKE_SHARED_MAX_BYTES];
	if (ephemeral_ikm.n == 0) {
		ephemeral_ikm = tacit_bytes(drawn, tacit_hpke_sk_bytes(s));
		tacit_env_random(env, drawn, ephemeral_ikm.n);
	}
	TRY(tacit_buf_reserve(enc, n));
	TRY(tacit_hpke_kem_encap(
	        kem, recipient_pk, info->sender_sk, ephemeral_ikm, enc->p + enc->n, shared));
	TRY(context_new(s, TACIT_HPKE_SENDER, info, shared, out));
	enc->n += n;
out:
	tacit_wipe(drawn, sizeof(drawn));
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
	uint8_t suite_id[SUITE_BYTES];
	struct tacit_hpke_kdf kdf = kdf_of(h->suite, suite_id);
	struct tacit_bytes prk = tacit_bytes(h->keys.exporter_secret, tacit_hash_bytes(kdf.hash));
	return tacit_hpke_labeled_expand(kdf, prk, "sec", exporter_context, out, n);
}

enum tacit_err tacit_hpke_seal_once(struct tacit_hpke_suite s, struct tacit_bytes recipient_pk,
        struct tacit_bytes info, struct tacit_bytes aad, struct tacit_bytes plain,
        const struct tacit_env *env, struct tacit_buf *enc, struct tacit_buf *sealed)
{
	enum tacit_err err;
	struct tacit_hpke *h = NULL;
	struct tacit_hpke_info base = {.mode = TACIT_HPKE_BASE, .info = info};
	size_t enc_before = enc->n;
	TRY(tacit_hpke_setup_sender(s, &base, recipient_pk, env, TACIT_STR(""), enc, &h));
	TRY(tacit_hpke_seal(h, aad, plain, sealed));
out:
	if (err != TACIT_OK)
		enc->n = enc_before;
	tacit_hpke_free(h);
	return err;
}

enum tacit_err tacit_hpke_open_once(struct tacit_hpke_suite s, struct tacit_bytes enc,
        struct tacit_bytes recipient_sk, struct tacit_bytes info, struct tacit_bytes aad,
        struct tacit_bytes sealed, struct tacit_buf *plain)
{
	enum tacit_err err;
	struct tacit_hpke *h = NULL;
	struct tacit_hpke_info base = {.mode = TACIT_HPKE_BASE, .info = info};
	TRY(tacit_hpke_setup_receiver(s, &base, enc, recipient_sk, &h));
	TRY(tacit_hpke_open(h, aad, sealed, plain));
out:
	tacit_hpke_free(h);
	return err;
}
