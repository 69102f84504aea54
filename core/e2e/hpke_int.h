/* hpke_int.h - the steps inside HPKE (RFC 9180 4.1, 5.1), for hpke.c, its KEM and the vectors. */
#ifndef TACIT_E2E_HPKE_INT_H
#define TACIT_E2E_HPKE_INT_H

#include "crypto/aead.h"
#include "crypto/dh.h"
#include "crypto/hash.h"
#include "crypto/sha3.h"
#include "e2e/hpke.h"

/* The id that every derivation is bound to (RFC 9180 4.1, 5.1), and the hash it uses. */
struct tacit_hpke_kdf {
	enum tacit_hash hash;
	struct tacit_bytes suite_id;
};

/* The same for the one-stage KDFs of draft-ietf-hpke-pq. */
struct tacit_hpke_shake {
	enum tacit_shake shake;
	struct tacit_bytes suite_id;
};
#define TACIT_HPKE_IKM_PARTS 4
#define TACIT_HPKE_CONTEXT_PARTS 5

/* RFC 9180 4: LabeledExtract. out has tacit_hash_bytes(kdf.hash) bytes. */
void tacit_hpke_labeled_extract(struct tacit_hpke_kdf kdf, struct tacit_bytes salt,
        const char *label, struct tacit_bytes ikm, uint8_t *out);
/* RFC 9180 4: LabeledExpand. Fails: USAGE (n too large). */
TACIT_MUST_USE enum tacit_err tacit_hpke_labeled_expand(struct tacit_hpke_kdf kdf,
        struct tacit_bytes prk, const char *label, struct tacit_bytes info, uint8_t *out, size_t n);

/* draft-ietf-hpke-hpke, LabeledDerive of a one-stage KDF: ikm is the concatenation of the parts. n
 * at most 65535. Fails: USAGE, NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_hpke_labeled_derive(struct tacit_hpke_shake kdf,
        const struct tacit_bytes ikm[TACIT_HPKE_IKM_PARTS], const char *label,
        const struct tacit_bytes context[TACIT_HPKE_CONTEXT_PARTS], struct tacit_room out);

enum tacit_hpke_kem_kind {
	TACIT_HPKE_DHKEM,  /* RFC 9180 4.1 */
	TACIT_HPKE_HYBRID, /* ML-KEM-768 with X25519: draft-ietf-hpke-pq, "X-Wing" */
};

struct tacit_hpke_kem {
	uint16_t id;
	enum tacit_hpke_kem_kind kind;
	enum tacit_dh dh;
	enum tacit_hash hash; /* DHKEM alone */
	uint8_t sk_top_bits;  /* RFC 9180 7.1.3: the mask of a candidate's first byte */
	size_t sk_bytes, pk_bytes, enc_bytes, shared_bytes;
	size_t ikm_bytes; /* what encap wants to be given */
};

/* NULL when the id is not supported. */
const struct tacit_hpke_kem *tacit_hpke_kem_find(uint16_t id);

#define TACIT_HPKE_SHARED_MAX_BYTES TACIT_HASH_MAX_BYTES
#define TACIT_HPKE_IKM_MAX_BYTES 66

/* n pairs; ikm is cut into n parts. Fails: USAGE (parts too short, or unequal), CRYPTO, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_hpke_kem_derive_key_pairs(const struct tacit_hpke_kem *kem,
        struct tacit_bytes ikm, size_t n, uint8_t *sk, uint8_t *pk);
/* Fails: MALFORMED, CRYPTO, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_hpke_kem_public(
        const struct tacit_hpke_kem *kem, struct tacit_bytes sk, uint8_t *pk);
TACIT_MUST_USE enum tacit_err tacit_hpke_kem_check_public(
        const struct tacit_hpke_kem *kem, struct tacit_bytes pk);
/* Encap and, with a sender_sk that is not empty, AuthEncap. All randomness comes from ikm, which
 * has ikm_bytes: the seed of the ephemeral key pair, or the coins of both parts of a hybrid. Fails:
 * MALFORMED, USAGE (a hybrid does not authenticate), CRYPTO, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_hpke_kem_encap(const struct tacit_hpke_kem *kem,
        struct tacit_bytes recipient_pk, struct tacit_bytes sender_sk, struct tacit_bytes ikm,
        uint8_t *enc, uint8_t *shared);
/* Encap of a DHKEM with an ephemeral key pair that is there already: sk, and its public key in enc.
 * Fails: MALFORMED, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_hpke_kem_encap_by(const struct tacit_hpke_kem *kem,
        struct tacit_bytes recipient_pk, const uint8_t *sk, const uint8_t *enc, uint8_t *shared);
/* Decap and, with a sender_pk that is not empty, AuthDecap. Fails: as encap. */
TACIT_MUST_USE enum tacit_err tacit_hpke_kem_decap(const struct tacit_hpke_kem *kem,
        struct tacit_bytes enc, struct tacit_bytes recipient_sk, struct tacit_bytes sender_pk,
        uint8_t *shared);

/* The hybrid's part of the four above; a private key is a seed of 32 bytes. public: of n keys. */
TACIT_MUST_USE enum tacit_err tacit_hpke_hybrid_derive_sk(
        const struct tacit_hpke_kem *kem, struct tacit_bytes ikm, uint8_t *sk);
TACIT_MUST_USE enum tacit_err tacit_hpke_hybrid_public(const uint8_t *sk, size_t n, uint8_t *pk);
TACIT_MUST_USE enum tacit_err tacit_hpke_hybrid_check_public(struct tacit_bytes pk);
TACIT_MUST_USE enum tacit_err tacit_hpke_hybrid_encap(
        struct tacit_bytes pk, const uint8_t *coins, uint8_t *enc, uint8_t *shared);
TACIT_MUST_USE enum tacit_err tacit_hpke_hybrid_decap(
        struct tacit_bytes enc, const uint8_t *sk, uint8_t *shared);

struct tacit_hpke_keys { /* what the key schedule gives; secret */
	uint8_t key[TACIT_AEAD_KEY_MAX_BYTES];
	uint8_t base_nonce[TACIT_AEAD_NONCE_BYTES];
	uint8_t exporter_secret[TACIT_HASH_MAX_BYTES];
};

enum { TACIT_HPKE_EXPORT_ONLY = 0xffff };

/* RFC 9180 7.2 and the one-stage KDFs SHAKE128 (0x0010) and SHAKE256 (0x0011) of
 * draft-ietf-hpke-pq. */
bool tacit_hpke_kdf_supported(uint16_t kdf);
/* RFC 9180 7.3; not for export-only. */
enum tacit_aead_alg tacit_hpke_aead_of(struct tacit_hpke_suite s);
/* RFC 9180 5.1: VerifyPSKInputs. */
bool tacit_hpke_psk_consistent(const struct tacit_hpke_info *info);
/* RFC 9180 5.3. Fails: USAGE (too long), NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_hpke_export_secret(struct tacit_hpke_suite s,
        const uint8_t *exporter_secret, struct tacit_bytes exporter_context, struct tacit_room out);

/* RFC 9180 5.1: KeySchedule; the suite is supported. Fails: USAGE (inconsistent PSK; with a
 * one-stage KDF info, psk or psk_id of more than 65535 bytes), NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_hpke_key_schedule(struct tacit_hpke_suite s,
        const struct tacit_hpke_info *info, const uint8_t *shared, struct tacit_hpke_keys *out);

enum tacit_hpke_role { TACIT_HPKE_SENDER, TACIT_HPKE_RECEIVER };

struct tacit_hpke {
	struct tacit_hpke_suite suite;
	enum tacit_hpke_role role;
	struct tacit_aead *aead; /* NULL when export-only */
	uint64_t sequence;
	struct tacit_hpke_keys keys; /* but for keys.key, which aead holds */
};

#endif
