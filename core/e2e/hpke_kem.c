/* DHKEM, RFC 9180 4.1, and the labelled derivations of section 4. */
#include <string.h>

#include "crypto/kdf.h"
#include "crypto/secret.h"
#include "e2e/hpke_int.h"

static const struct tacit_hpke_kem kems[] = {
        {0x0010, TACIT_HPKE_DHKEM, TACIT_P256, TACIT_SHA256, 0xff, 32, 65, 65, 32, 32},
        {0x0011, TACIT_HPKE_DHKEM, TACIT_P384, TACIT_SHA384, 0xff, 48, 97, 97, 48, 48},
        {0x0012, TACIT_HPKE_DHKEM, TACIT_P521, TACIT_SHA512, 0x01, 66, 133, 133, 64, 66},
        {0x0020, TACIT_HPKE_DHKEM, TACIT_X25519, TACIT_SHA256, 0xff, 32, 32, 32, 32, 32},
#ifndef TACIT_NO_CURVE448
        {0x0021, TACIT_HPKE_DHKEM, TACIT_X448, TACIT_SHA512, 0xff, 56, 56, 56, 64, 56},
#endif
        {0x647a, TACIT_HPKE_HYBRID, TACIT_X25519, TACIT_SHA256, 0xff, 32, 1216, 1120, 32, 64},
};

const struct tacit_hpke_kem *tacit_hpke_kem_find(uint16_t id)
{
	for (size_t i = 0; i < TACIT_COUNT(kems); i++)
		if (kems[i].id == id)
			return &kems[i];
	return NULL;
}

void tacit_hpke_labeled_extract(struct tacit_hpke_kdf kdf, struct tacit_bytes salt,
        const char *label, struct tacit_bytes ikm, uint8_t *out)
{
	struct tacit_bytes parts[] = {TACIT_STR("HPKE-v1"), kdf.suite_id, tacit_cstr(label), ikm};
	tacit_hmac_parts(kdf.hash, salt, parts, TACIT_COUNT(parts), out);
}

enum tacit_err tacit_hpke_labeled_expand(struct tacit_hpke_kdf kdf, struct tacit_bytes prk,
        const char *label, struct tacit_bytes info, uint8_t *out, size_t n)
{
	if (n > UINT16_MAX)
		return TACIT_E_USAGE;
	uint8_t length[] = {(uint8_t)(n >> 8), (uint8_t)n};
	struct tacit_bytes parts[] = {tacit_bytes(length, sizeof(length)), TACIT_STR("HPKE-v1"),
	        kdf.suite_id, tacit_cstr(label), info};
	return tacit_hkdf_expand_parts(
	        kdf.hash, prk, parts, TACIT_COUNT(parts), (struct tacit_room){out, n});
}

enum tacit_err tacit_hpke_labeled_derive(struct tacit_hpke_shake kdf,
        const struct tacit_bytes ikm[TACIT_HPKE_IKM_PARTS], const char *label,
        const struct tacit_bytes context[TACIT_HPKE_CONTEXT_PARTS], struct tacit_room out)
{
	struct tacit_bytes name = tacit_cstr(label);
	if (out.n > UINT16_MAX)
		return TACIT_E_USAGE;
	uint8_t label_n[] = {(uint8_t)(name.n >> 8), (uint8_t)name.n};
	uint8_t out_n[] = {(uint8_t)(out.n >> 8), (uint8_t)out.n};
	struct tacit_bytes parts[TACIT_HPKE_IKM_PARTS + 5 + TACIT_HPKE_CONTEXT_PARTS];
	struct tacit_bytes *p = parts;
	for (size_t i = 0; i < TACIT_HPKE_IKM_PARTS; i++)
		*p++ = ikm[i];
	*p++ = TACIT_STR("HPKE-v1");
	*p++ = kdf.suite_id;
	*p++ = tacit_bytes(label_n, sizeof(label_n));
	*p++ = name;
	*p++ = tacit_bytes(out_n, sizeof(out_n));
	for (size_t i = 0; i < TACIT_HPKE_CONTEXT_PARTS; i++)
		*p++ = context[i];
	return tacit_shake(kdf.shake, parts, TACIT_COUNT(parts), out);
}

#define KEM_SUITE_BYTES 5

static struct tacit_hpke_kdf kdf_of(
        const struct tacit_hpke_kem *kem, uint8_t suite_id[KEM_SUITE_BYTES])
{
	memcpy(suite_id, "KEM", 3);
	suite_id[3] = (uint8_t)(kem->id >> 8);
	suite_id[4] = (uint8_t)kem->id;
	return (struct tacit_hpke_kdf){kem->hash, tacit_bytes(suite_id, KEM_SUITE_BYTES)};
}

/* RFC 9180 7.1.3: X25519 and X448 take the bytes as they are, the NIST curves the first candidate
 * that is in range. */
static enum tacit_err derive_sk(const struct tacit_hpke_kem *kem, struct tacit_hpke_kdf kdf,
        struct tacit_bytes prk, uint8_t *sk)
{
	size_t n = tacit_dh_sk_bytes(kem->dh);
	if (kem->dh == TACIT_X25519 || kem->dh == TACIT_X448)
		return tacit_hpke_labeled_expand(kdf, prk, "sk", TACIT_STR(""), sk, n);
	for (unsigned counter = 0; counter < 256; counter++) {
		uint8_t byte = (uint8_t)counter;
		enum tacit_err err = tacit_hpke_labeled_expand(
		        kdf, prk, "candidate", tacit_bytes(&byte, 1), sk, n);
		if (err != TACIT_OK)
			return err;
		sk[0] &= kem->sk_top_bits;
		if (tacit_dh_sk_valid(kem->dh, sk))
			return TACIT_OK;
	}
	return TACIT_E_CRYPTO;
}

static enum tacit_err dhkem_derive_sk(
        const struct tacit_hpke_kem *kem, struct tacit_bytes ikm, uint8_t *sk)
{
	uint8_t suite_id[KEM_SUITE_BYTES], prk[TACIT_HASH_MAX_BYTES];
	struct tacit_hpke_kdf kdf = kdf_of(kem, suite_id);
	tacit_hpke_labeled_extract(kdf, TACIT_STR(""), "dkp_prk", ikm, prk);
	enum tacit_err err = derive_sk(kem, kdf, tacit_bytes(prk, tacit_hash_bytes(kem->hash)), sk);
	tacit_wipe(prk, sizeof(prk));
	return err;
}

static enum tacit_err public_many(
        const struct tacit_hpke_kem *kem, const uint8_t *sk, size_t n, uint8_t *pk)
{
	return kem->kind == TACIT_HPKE_HYBRID ? tacit_hpke_hybrid_public(sk, n, pk)
	                                      : tacit_dh_public_many(kem->dh, sk, n, pk);
}

enum tacit_err tacit_hpke_kem_derive_key_pairs(const struct tacit_hpke_kem *kem,
        struct tacit_bytes ikm, size_t n, uint8_t *sk, uint8_t *pk)
{
	size_t each = n > 0 ? ikm.n / n : 0;
	/* MLS derives P-521 keys from the 64 bytes of a node secret (RFC 9420 7.4). */
	if (each * n != ikm.n || (each < kem->sk_bytes && each < kem->shared_bytes))
		return TACIT_E_USAGE;
	enum tacit_err err = TACIT_OK;
	for (size_t i = 0; i < n; i++) {
		struct tacit_bytes part = tacit_bytes(ikm.p + i * each, each);
		uint8_t *to = sk + i * kem->sk_bytes;
		TRY(kem->kind == TACIT_HPKE_HYBRID ? tacit_hpke_hybrid_derive_sk(kem, part, to)
		                                   : dhkem_derive_sk(kem, part, to));
	}
	TRY(public_many(kem, sk, n, pk));
out:
	if (err != TACIT_OK)
		tacit_wipe(sk, n * kem->sk_bytes);
	return err;
}

enum tacit_err tacit_hpke_kem_public(
        const struct tacit_hpke_kem *kem, struct tacit_bytes sk, uint8_t *pk)
{
	return sk.n == kem->sk_bytes ? public_many(kem, sk.p, 1, pk) : TACIT_E_MALFORMED;
}

/* The inputs of ExtractAndExpand as they grow: one or two shared secrets, two or three keys. */
struct transcript {
	uint8_t dh[2 * TACIT_DH_SHARED_MAX_BYTES];
	size_t dh_n;
	uint8_t context[3 * TACIT_DH_PUBLIC_MAX_BYTES];
	size_t context_n;
};

static enum tacit_err mix_dh(
        struct transcript *t, enum tacit_dh g, const uint8_t *sk, struct tacit_bytes pk)
{
	enum tacit_err err = tacit_dh(g, sk, pk, t->dh + t->dh_n);
	t->dh_n += tacit_dh_shared_bytes(g);
	return err;
}

/* pk has the group's length: tacit_dh checked it, or tacit_dh_public made it. */
static void mix_key(struct transcript *t, enum tacit_dh g, const uint8_t *pk)
{
	memcpy(t->context + t->context_n, pk, tacit_dh_public_bytes(g));
	t->context_n += tacit_dh_public_bytes(g);
}

static enum tacit_err extract_and_expand(
        const struct tacit_hpke_kem *kem, const struct transcript *t, uint8_t *shared)
{
	uint8_t suite_id[KEM_SUITE_BYTES], prk[TACIT_HASH_MAX_BYTES];
	struct tacit_hpke_kdf kdf = kdf_of(kem, suite_id);
	tacit_hpke_labeled_extract(kdf, TACIT_STR(""), "eae_prk", tacit_bytes(t->dh, t->dh_n), prk);
	enum tacit_err err = tacit_hpke_labeled_expand(kdf,
	        tacit_bytes(prk, tacit_hash_bytes(kem->hash)), "shared_secret",
	        tacit_bytes(t->context, t->context_n), shared, kem->shared_bytes);
	tacit_wipe(prk, sizeof(prk));
	return err;
}

static enum tacit_err dhkem_encap(const struct tacit_hpke_kem *kem, struct tacit_bytes recipient_pk,
        struct tacit_bytes sender_sk, struct tacit_bytes ikm, uint8_t *enc, uint8_t *shared)
{
	enum tacit_err err;
	struct transcript t = {0};
	uint8_t ephemeral_sk[TACIT_DH_SK_MAX_BYTES], sender_pk[TACIT_DH_PUBLIC_MAX_BYTES];
	TRY(dhkem_derive_sk(kem, ikm, ephemeral_sk));
	TRY(tacit_dh_public(kem->dh, ephemeral_sk, enc));
	TRY(mix_dh(&t, kem->dh, ephemeral_sk, recipient_pk));
	mix_key(&t, kem->dh, enc);
	mix_key(&t, kem->dh, recipient_pk.p);
	if (sender_sk.n > 0) {
		TRY(sender_sk.n == tacit_dh_sk_bytes(kem->dh) ? TACIT_OK : TACIT_E_MALFORMED);
		TRY(mix_dh(&t, kem->dh, sender_sk.p, recipient_pk));
		TRY(tacit_dh_public(kem->dh, sender_sk.p, sender_pk));
		mix_key(&t, kem->dh, sender_pk);
	}
	TRY(extract_and_expand(kem, &t, shared));
out:
	tacit_wipe(ephemeral_sk, sizeof(ephemeral_sk));
	tacit_wipe(&t, sizeof(t));
	return err;
}

enum tacit_err tacit_hpke_kem_encap_by(const struct tacit_hpke_kem *kem,
        struct tacit_bytes recipient_pk, const uint8_t *sk, const uint8_t *enc, uint8_t *shared)
{
	enum tacit_err err;
	struct transcript t = {0};
	TRY(mix_dh(&t, kem->dh, sk, recipient_pk));
	mix_key(&t, kem->dh, enc);
	mix_key(&t, kem->dh, recipient_pk.p);
	TRY(extract_and_expand(kem, &t, shared));
out:
	tacit_wipe(&t, sizeof(t));
	return err;
}

static enum tacit_err dhkem_decap(const struct tacit_hpke_kem *kem, struct tacit_bytes enc,
        struct tacit_bytes recipient_sk, struct tacit_bytes sender_pk, uint8_t *shared)
{
	enum tacit_err err;
	struct transcript t = {0};
	uint8_t recipient_pk[TACIT_DH_PUBLIC_MAX_BYTES];
	TRY(mix_dh(&t, kem->dh, recipient_sk.p, enc));
	TRY(tacit_dh_public(kem->dh, recipient_sk.p, recipient_pk));
	mix_key(&t, kem->dh, enc.p);
	mix_key(&t, kem->dh, recipient_pk);
	if (sender_pk.n > 0) {
		TRY(mix_dh(&t, kem->dh, recipient_sk.p, sender_pk));
		mix_key(&t, kem->dh, sender_pk.p);
	}
	TRY(extract_and_expand(kem, &t, shared));
out:
	tacit_wipe(&t, sizeof(t));
	return err;
}

enum tacit_err tacit_hpke_kem_encap(const struct tacit_hpke_kem *kem,
        struct tacit_bytes recipient_pk, struct tacit_bytes sender_sk, struct tacit_bytes ikm,
        uint8_t *enc, uint8_t *shared)
{
	if (ikm.n != kem->ikm_bytes)
		return TACIT_E_USAGE;
	if (kem->kind == TACIT_HPKE_DHKEM)
		return dhkem_encap(kem, recipient_pk, sender_sk, ikm, enc, shared);
	return sender_sk.n > 0 ? TACIT_E_USAGE
	                       : tacit_hpke_hybrid_encap(recipient_pk, ikm.p, enc, shared);
}

enum tacit_err tacit_hpke_kem_decap(const struct tacit_hpke_kem *kem, struct tacit_bytes enc,
        struct tacit_bytes recipient_sk, struct tacit_bytes sender_pk, uint8_t *shared)
{
	if (recipient_sk.n != kem->sk_bytes)
		return TACIT_E_MALFORMED;
	if (kem->kind == TACIT_HPKE_DHKEM)
		return dhkem_decap(kem, enc, recipient_sk, sender_pk, shared);
	return sender_pk.n > 0 ? TACIT_E_USAGE
	                       : tacit_hpke_hybrid_decap(enc, recipient_sk.p, shared);
}

enum tacit_err tacit_hpke_kem_check_public(const struct tacit_hpke_kem *kem, struct tacit_bytes pk)
{
	return kem->kind == TACIT_HPKE_HYBRID ? tacit_hpke_hybrid_check_public(pk)
	                                      : tacit_dh_check_public(kem->dh, pk);
}
