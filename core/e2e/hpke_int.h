/* hpke_int.h - the steps inside HPKE (RFC 9180 4.1, 5.1), for hpke.c, its KEM and the vectors. */
#ifndef TACIT_E2E_HPKE_INT_H
#define TACIT_E2E_HPKE_INT_H

#include "crypto/aead.h"
#include "crypto/dh.h"
#include "crypto/hash.h"
#include "e2e/hpke.h"

/* The id that every derivation is bound to (RFC 9180 4.1, 5.1), and the hash it uses. */
struct tacit_hpke_kdf {
	enum tacit_hash hash;
	struct tacit_bytes suite_id;
};

/* RFC 9180 4: LabeledExtract. out has tacit_hash_bytes(kdf.hash) bytes. */
void tacit_hpke_labeled_extract(struct tacit_hpke_kdf kdf, struct tacit_bytes salt,
        const char *label, struct tacit_bytes ikm, uint8_t *out);
/* RFC 9180 4: LabeledExpand. Fails: USAGE (n too large). */
TACIT_MUST_USE enum tacit_err tacit_hpke_labeled_expand(struct tacit_hpke_kdf kdf,
        struct tacit_bytes prk, const char *label, struct tacit_bytes info, uint8_t *out, size_t n);

struct tacit_hpke_kem {
	uint16_t id;
	enum tacit_dh dh;
	enum tacit_hash hash;
	uint8_t sk_top_bits; /* RFC 9180 7.1.3: the mask of a candidate's first byte */
};

/* NULL when the id is not supported. */
const struct tacit_hpke_kem *tacit_hpke_kem_find(uint16_t id);

#define TACIT_HPKE_SHARED_MAX_BYTES TACIT_HASH_MAX_BYTES
size_t tacit_hpke_kem_shared_bytes(const struct tacit_hpke_kem *kem); /* Nsecret */

TACIT_MUST_USE enum tacit_err tacit_hpke_kem_derive_key_pair(
        const struct tacit_hpke_kem *kem, struct tacit_bytes ikm, uint8_t *sk, uint8_t *pk);
/* Encap and, with a sender_sk that is not empty, AuthEncap: the ephemeral key pair comes from ikm.
 * enc has Npk bytes. Fails: MALFORMED, USAGE, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_hpke_kem_encap(const struct tacit_hpke_kem *kem,
        struct tacit_bytes recipient_pk, struct tacit_bytes sender_sk, struct tacit_bytes ikm,
        uint8_t *enc, uint8_t *shared);
/* Decap and, with a sender_pk that is not empty, AuthDecap. Fails: MALFORMED, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_hpke_kem_decap(const struct tacit_hpke_kem *kem,
        struct tacit_bytes enc, struct tacit_bytes recipient_sk, struct tacit_bytes sender_pk,
        uint8_t *shared);

struct tacit_hpke_keys { /* what the key schedule gives; secret */
	uint8_t key[TACIT_AEAD_KEY_MAX_BYTES];
	uint8_t base_nonce[TACIT_AEAD_NONCE_BYTES];
	uint8_t exporter_secret[TACIT_HASH_MAX_BYTES];
};

/* RFC 9180 5.1: KeySchedule; the suite is supported. Fails: USAGE (inconsistent PSK), CRYPTO. */
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
