/* The key schedule of HPKE: RFC 9180 5.1 with HKDF, draft-ietf-hpke-hpke with a one-stage KDF. */
#include <string.h>

#include "crypto/kdf.h"
#include "crypto/secret.h"
#include "e2e/hpke_int.h"

#define SUITE_BYTES 10

enum { PSK_MIN_BYTES = 32 /* RFC 9180 5.1.2, 9.5 */, SHAKE128 = 0x0010, SHAKE256 = 0x0011 };

static bool one_stage(uint16_t kdf)
{
	return kdf == SHAKE128 || kdf == SHAKE256;
}

bool tacit_hpke_kdf_supported(uint16_t kdf)
{
	return (kdf >= 1 && kdf <= 3) || one_stage(kdf);
}

enum tacit_aead_alg tacit_hpke_aead_of(struct tacit_hpke_suite s)
{
	static const enum tacit_aead_alg algs[] = {
	        TACIT_AES128_GCM, TACIT_AES256_GCM, TACIT_CHACHA20_POLY1305};
	return algs[s.aead - 1];
}

struct suite_id {
	uint8_t b[SUITE_BYTES];
};

static struct suite_id id_of(struct tacit_hpke_suite s)
{
	return (struct suite_id){{'H', 'P', 'K', 'E', (uint8_t)(s.kem >> 8), (uint8_t)s.kem,
	        (uint8_t)(s.kdf >> 8), (uint8_t)s.kdf, (uint8_t)(s.aead >> 8), (uint8_t)s.aead}};
}

/* id outlives the result. */
static struct tacit_hpke_kdf hkdf_of(struct tacit_hpke_suite s, const struct suite_id *id)
{
	static const enum tacit_hash hashes[] = {TACIT_SHA256, TACIT_SHA384, TACIT_SHA512};
	return (struct tacit_hpke_kdf){hashes[s.kdf - 1], tacit_bytes(id->b, SUITE_BYTES)};
}

static struct tacit_hpke_shake shake_of(struct tacit_hpke_suite s, const struct suite_id *id)
{
	return (struct tacit_hpke_shake){s.kdf == SHAKE128 ? TACIT_SHAKE128 : TACIT_SHAKE256,
	        tacit_bytes(id->b, SUITE_BYTES)};
}

static size_t exporter_bytes(struct tacit_hpke_suite s, const struct suite_id *id)
{
	if (one_stage(s.kdf))
		return s.kdf == SHAKE128 ? 32 : 64;
	return tacit_hash_bytes(hkdf_of(s, id).hash);
}

bool tacit_hpke_psk_consistent(const struct tacit_hpke_info *info)
{
	if (info->mode != TACIT_HPKE_PSK && info->mode != TACIT_HPKE_AUTH_PSK)
		return info->psk.n == 0 && info->psk_id.n == 0;
	return info->psk.n >= PSK_MIN_BYTES && info->psk_id.n > 0;
}

/* key_schedule_context: 1 and twice the hash's bytes. */
static void write_context(
        struct tacit_hpke_kdf kdf, const struct tacit_hpke_info *info, uint8_t *context)
{
	size_t n = tacit_hash_bytes(kdf.hash);
	context[0] = (uint8_t)info->mode;
	tacit_hpke_labeled_extract(kdf, TACIT_STR(""), "psk_id_hash", info->psk_id, context + 1);
	tacit_hpke_labeled_extract(kdf, TACIT_STR(""), "info_hash", info->info, context + 1 + n);
}

enum tacit_err tacit_hpke_base_init(
        struct tacit_hpke_suite s, struct tacit_bytes info, struct tacit_hpke_base *out)
{
	if (!tacit_hpke_suite_supported(s) || one_stage(s.kdf))
		return TACIT_E_USAGE;
	struct suite_id id = id_of(s);
	struct tacit_hpke_info base = {.mode = TACIT_HPKE_BASE, .info = info};
	out->suite = s;
	write_context(hkdf_of(s, &id), &base, out->context);
	return TACIT_OK;
}

static bool same_suite(struct tacit_hpke_suite a, struct tacit_hpke_suite b)
{
	return a.kem == b.kem && a.kdf == b.kdf && a.aead == b.aead;
}

static enum tacit_err two_stages(struct tacit_hpke_suite s, const struct tacit_hpke_info *info,
        struct tacit_bytes shared, struct tacit_hpke_keys *out)
{
	enum tacit_err err;
	uint8_t own[1 + 2 * TACIT_HASH_MAX_BYTES], secret[TACIT_HASH_MAX_BYTES];
	const uint8_t *context = info->base != NULL ? info->base->context : own;
	struct suite_id id = id_of(s);
	struct tacit_hpke_kdf kdf = hkdf_of(s, &id);
	size_t n = tacit_hash_bytes(kdf.hash);
	struct tacit_bytes context_view = tacit_bytes(context, 1 + 2 * n);
	struct tacit_bytes prk = tacit_bytes(secret, n);

	if (info->base == NULL)
		write_context(kdf, info, own);
	tacit_hpke_labeled_extract(kdf, shared, "secret", info->psk, secret);
	if (s.aead != TACIT_HPKE_EXPORT_ONLY) {
		TRY(tacit_hpke_labeled_expand(kdf, prk, "key", context_view, out->key,
		        tacit_aead_key_bytes(tacit_hpke_aead_of(s))));
		TRY(tacit_hpke_labeled_expand(kdf, prk, "base_nonce", context_view, out->base_nonce,
		        sizeof(out->base_nonce)));
	}
	if (info->exports == TACIT_HPKE_EXPORTS)
		TRY(tacit_hpke_labeled_expand(
		        kdf, prk, "exp", context_view, out->exporter_secret, n));
out:
	tacit_wipe(secret, sizeof(secret));
	tacit_wipe(own, sizeof(own));
	return err;
}

struct length {
	uint8_t b[2];
};

static struct length length_of(struct tacit_bytes b)
{
	return (struct length){{(uint8_t)(b.n >> 8), (uint8_t)b.n}};
}

static enum tacit_err in_one_stage(struct tacit_hpke_suite s, const struct tacit_hpke_info *info,
        struct tacit_bytes shared, struct tacit_hpke_keys *out)
{
	if (info->psk.n > UINT16_MAX || info->psk_id.n > UINT16_MAX || info->info.n > UINT16_MAX)
		return TACIT_E_USAGE;
	bool seals = s.aead != TACIT_HPKE_EXPORT_ONLY;
	struct suite_id id = id_of(s);
	size_t key_n = seals ? tacit_aead_key_bytes(tacit_hpke_aead_of(s)) : 0;
	size_t nonce_n = seals ? sizeof(out->base_nonce) : 0, exporter_n = exporter_bytes(s, &id);
	const uint8_t mode = (uint8_t)info->mode;
	const struct length psk_n = length_of(info->psk), shared_n = length_of(shared),
	                    psk_id_n = length_of(info->psk_id), info_n = length_of(info->info);
	const struct tacit_bytes secrets[TACIT_HPKE_IKM_PARTS] = {
	        tacit_bytes(psk_n.b, 2), info->psk, tacit_bytes(shared_n.b, 2), shared};
	const struct tacit_bytes context[TACIT_HPKE_CONTEXT_PARTS] = {tacit_bytes(&mode, 1),
	        tacit_bytes(psk_id_n.b, 2), info->psk_id, tacit_bytes(info_n.b, 2), info->info};
	uint8_t all[TACIT_AEAD_KEY_MAX_BYTES + TACIT_AEAD_NONCE_BYTES + TACIT_HASH_MAX_BYTES];

	enum tacit_err err = tacit_hpke_labeled_derive(shake_of(s, &id), secrets, "secret", context,
	        (struct tacit_room){all, key_n + nonce_n + exporter_n});
	if (err == TACIT_OK) {
		memcpy(out->key, all, key_n);
		memcpy(out->base_nonce, all + key_n, nonce_n);
		memcpy(out->exporter_secret, all + key_n + nonce_n, exporter_n);
	}
	tacit_wipe(all, sizeof(all));
	return err;
}

enum tacit_err tacit_hpke_key_schedule(struct tacit_hpke_suite s,
        const struct tacit_hpke_info *info, const uint8_t *shared, struct tacit_hpke_keys *out)
{
	if (!tacit_hpke_psk_consistent(info) ||
	        (info->base != NULL && (info->mode != TACIT_HPKE_BASE || one_stage(s.kdf) ||
	                                       !same_suite(info->base->suite, s))))
		return TACIT_E_USAGE;
	struct tacit_bytes view = tacit_bytes(shared, tacit_hpke_kem_find(s.kem)->shared_bytes);
	return one_stage(s.kdf) ? in_one_stage(s, info, view, out) : two_stages(s, info, view, out);
}

enum tacit_err tacit_hpke_export_secret(struct tacit_hpke_suite s, const uint8_t *exporter_secret,
        struct tacit_bytes exporter_context, struct tacit_room out)
{
	struct suite_id id = id_of(s);
	struct tacit_bytes secret = tacit_bytes(exporter_secret, exporter_bytes(s, &id));
	if (!one_stage(s.kdf))
		return tacit_hpke_labeled_expand(
		        hkdf_of(s, &id), secret, "sec", exporter_context, out.p, out.n);
	const struct tacit_bytes ikm[TACIT_HPKE_IKM_PARTS] = {secret};
	const struct tacit_bytes context[TACIT_HPKE_CONTEXT_PARTS] = {exporter_context};
	return tacit_hpke_labeled_derive(shake_of(s, &id), ikm, "sec", context, out);
}
