/* suite.h - the cipher suites of MLS and the labelled functions over them: RFC 9420 5.1, 5.2,
 * 8, 17.1.
 *
 * All cryptography of core/e2e/mls comes through here. No state, no globals; randomness from env.
 * Lengths of fixed outputs are members of the suite, their maxima the constants below: callers keep
 * keys in arrays of the maximum and use the suite's length. Labels are without "MLS 1.0 ".
 * Pointers named sk and secret are the caller's to wipe; on error what was to hold a secret is
 * wiped. Every function may also fail with CRYPTO (a library below gave up) and NOMEM. */
#ifndef TACIT_E2E_MLS_SUITE_H
#define TACIT_E2E_MLS_SUITE_H

#include "base/bytes.h"
#include "base/env.h"
#include "base/err.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "crypto/signature.h"
#include "e2e/hpke.h"

#define TACIT_MLS_HASH_MAX_BYTES TACIT_HASH_MAX_BYTES /* Nh */
#define TACIT_MLS_KEY_MAX_BYTES TACIT_AEAD_KEY_MAX_BYTES
#define TACIT_MLS_NONCE_BYTES TACIT_AEAD_NONCE_BYTES /* Nn, of all suites */
#define TACIT_MLS_TAG_BYTES TACIT_AEAD_TAG_BYTES
#define TACIT_MLS_KEM_SK_MAX_BYTES TACIT_HPKE_SK_MAX_BYTES
#define TACIT_MLS_KEM_PUBLIC_MAX_BYTES TACIT_HPKE_PK_MAX_BYTES
#define TACIT_MLS_KEM_ENC_MAX_BYTES TACIT_HPKE_ENC_MAX_BYTES
#define TACIT_MLS_SIGNATURE_SK_MAX_BYTES 66
#define TACIT_MLS_SIGNATURE_PUBLIC_MAX_BYTES TACIT_SCHEME_PUBLIC_MAX_BYTES
#define TACIT_MLS_SIGNATURE_MAX_BYTES TACIT_SCHEME_SIGNATURE_MAX_BYTES

enum tacit_mls_suite_id { /* RFC 9420 17.1 */
	TACIT_MLS_X25519_AES128_ED25519 = 0x0001,
	TACIT_MLS_P256_AES128_P256 = 0x0002,
	TACIT_MLS_X25519_CHACHA_ED25519 = 0x0003,
	TACIT_MLS_X448_AES256_ED448 = 0x0004,
	TACIT_MLS_P521_AES256_P521 = 0x0005,
	TACIT_MLS_X448_CHACHA_ED448 = 0x0006,
	TACIT_MLS_P384_AES256_P384 = 0x0007,
	/* MLKEM768X25519, AES-256-GCM, SHA-384, Ed25519 (draft-ietf-mls-pq-ciphersuites), from the
	 * range for private use until a number is assigned. What tacit creates groups with. */
	TACIT_MLS_MLKEM768X25519_AES256_ED25519 = 0xf0a1,
};
#define TACIT_MLS_SUITE_DEFAULT TACIT_MLS_MLKEM768X25519_AES256_ED25519

struct tacit_mls_suite {
	uint16_t id;
	enum tacit_hash hash;
	enum tacit_aead_alg aead;
	enum tacit_scheme scheme;
	struct tacit_hpke_suite hpke;
	size_t hash_bytes;             /* Nh; also of every secret of the key schedule */
	size_t key_bytes;              /* Nk */
	size_t kem_sk_bytes;           /* as stored: for the hybrid KEM its seed */
	size_t kem_public_bytes;       /* of an HPKEPublicKey */
	size_t kem_enc_bytes;          /* of HPKECiphertext.kem_output */
	size_t signature_sk_bytes;     /* Ed25519 also takes 64 bytes: crypto/signature.h */
	size_t signature_public_bytes; /* of a SignaturePublicKey */
};

/* NULL for what this build does not offer. Static storage. */
const struct tacit_mls_suite *tacit_mls_suite_find(uint16_t id);
/* All that is offered, the most wanted first. Static storage. */
const struct tacit_mls_suite *tacit_mls_suites(size_t *count);

/* --- Hash and MAC --- */

/* out has hash_bytes. */
TACIT_MUST_USE enum tacit_err tacit_mls_hash(
        const struct tacit_mls_suite *s, struct tacit_bytes in, uint8_t *out);
/* Hash of a concatenation (transcript hashes, RFC 9420 8.2). */
TACIT_MUST_USE enum tacit_err tacit_mls_hash_parts(const struct tacit_mls_suite *s,
        const struct tacit_bytes *parts, size_t count, uint8_t *out);
/* RFC 9420 5.2: RefHash(label, value); label in full, such as "MLS 1.0 KeyPackage Reference". */
TACIT_MUST_USE enum tacit_err tacit_mls_ref_hash(const struct tacit_mls_suite *s,
        struct tacit_bytes label, struct tacit_bytes value, uint8_t *out);
/* HMAC (RFC 9420 5.1); compare with tacit_ct_eq. */
void tacit_mls_mac(
        const struct tacit_mls_suite *s, const uint8_t *key, struct tacit_bytes in, uint8_t *out);

/* --- Key schedule: RFC 9420 8. Secrets in and out have hash_bytes; nothing allocates. --- */

/* KDF.Extract; salt and ikm of any length. */
void tacit_mls_extract(const struct tacit_mls_suite *s, struct tacit_bytes salt,
        struct tacit_bytes ikm, uint8_t *out);
/* ExpandWithLabel. Fails: USAGE (n > 255 * hash_bytes). */
TACIT_MUST_USE enum tacit_err tacit_mls_expand(const struct tacit_mls_suite *s,
        const uint8_t *secret, struct tacit_bytes label, struct tacit_bytes context,
        struct tacit_room out);
/* DeriveSecret: hash_bytes out, which may be secret itself. */
TACIT_MUST_USE enum tacit_err tacit_mls_derive_secret(const struct tacit_mls_suite *s,
        const uint8_t *secret, struct tacit_bytes label, uint8_t *out);
/* DeriveTreeSecret (RFC 9420 9): the generation is the context. Fails: USAGE. */
TACIT_MUST_USE enum tacit_err tacit_mls_derive_tree_secret(const struct tacit_mls_suite *s,
        const uint8_t *secret, struct tacit_bytes label, uint32_t generation,
        struct tacit_room out);

/* --- Signatures: RFC 9420 5.1.2 --- */

/* Fails: MALFORMED (a private key that is none), TOO_LARGE. */
TACIT_MUST_USE enum tacit_err tacit_mls_sign(const struct tacit_mls_suite *s, struct tacit_bytes sk,
        struct tacit_bytes label, struct tacit_bytes content, struct tacit_scheme_signature *out);
/* Fails: BAD_SIGNATURE, TOO_LARGE. */
TACIT_MUST_USE enum tacit_err tacit_mls_verify(const struct tacit_mls_suite *s,
        struct tacit_bytes pk, struct tacit_bytes label, struct tacit_bytes content,
        struct tacit_bytes signature);
TACIT_MUST_USE enum tacit_err tacit_mls_signature_keypair(
        const struct tacit_mls_suite *s, const struct tacit_env *env, uint8_t *sk, uint8_t *pk);

/* --- HPKE: RFC 9420 5.1.3, 8.3 --- */

/* KEM.DeriveKeyPair (RFC 9420 7.4); secret has hash_bytes. */
TACIT_MUST_USE enum tacit_err tacit_mls_kem_derive(
        const struct tacit_mls_suite *s, const uint8_t *secret, uint8_t *sk, uint8_t *pk);
TACIT_MUST_USE enum tacit_err tacit_mls_kem_keypair(
        const struct tacit_mls_suite *s, const struct tacit_env *env, uint8_t *sk, uint8_t *pk);
/* n pairs at once, one behind the other in sk and pk; with X25519 much cheaper than one by one. n
 * at least 1. */
TACIT_MUST_USE enum tacit_err tacit_mls_kem_keypairs(const struct tacit_mls_suite *s,
        const struct tacit_env *env, size_t n, uint8_t *sk, uint8_t *pk);
/* The public key of a private key, for private keys that come from outside. Fails: MALFORMED. */
TACIT_MUST_USE enum tacit_err tacit_mls_kem_public(
        const struct tacit_mls_suite *s, struct tacit_bytes sk, uint8_t *pk);
/* Can one encrypt to it? Length; on the curve; reduced coefficients of ML-KEM; X25519 and X448 not
 * of small order. Fails: MALFORMED. */
TACIT_MUST_USE enum tacit_err tacit_mls_kem_check_public(
        const struct tacit_mls_suite *s, struct tacit_bytes pk);

struct tacit_mls_label { /* of EncryptWithLabel */
	struct tacit_bytes label;
	struct tacit_bytes context;
};

struct tacit_mls_ciphertext {          /* HPKECiphertext (RFC 9420 7.6) */
	struct tacit_bytes kem_output; /* kem_enc_bytes */
	struct tacit_bytes sealed;
};
struct tacit_mls_ciphertext_room {
	uint8_t *kem_output; /* kem_enc_bytes */
	uint8_t *sealed;     /* the plaintext's length and TACIT_MLS_TAG_BYTES more */
};

/* EncryptWithLabel. The room may not overlap plain. Fails: MALFORMED (pk), TOO_LARGE. */
TACIT_MUST_USE enum tacit_err tacit_mls_encrypt(const struct tacit_mls_suite *s,
        struct tacit_bytes pk, struct tacit_mls_label label, struct tacit_bytes plain,
        const struct tacit_env *env, struct tacit_mls_ciphertext_room out);
/* The same to many with one label and context, which are hashed once: a Welcome has them of the
 * size of the tree. Fails: TOO_LARGE. */
struct tacit_mls_bound { /* clear with tacit_mls_bound_clear */
	struct tacit_hpke_base base;
	struct tacit_hpke_ephemerals keys; /* keys.expected: may be set to the number of messages */
};
void tacit_mls_bound_clear(struct tacit_mls_bound *b);
TACIT_MUST_USE enum tacit_err tacit_mls_bind(
        const struct tacit_mls_suite *s, struct tacit_mls_label label, struct tacit_mls_bound *out);
TACIT_MUST_USE enum tacit_err tacit_mls_encrypt_bound(struct tacit_mls_bound *label,
        struct tacit_bytes pk, struct tacit_bytes plain, const struct tacit_env *env,
        struct tacit_mls_ciphertext_room out);
/* DecryptWithLabel: writes in.sealed.n - TACIT_MLS_TAG_BYTES to plain, nothing when that would be
 * negative. sk has kem_sk_bytes. Fails: MALFORMED (kem_output), BAD_SEAL. */
TACIT_MUST_USE enum tacit_err tacit_mls_decrypt(const struct tacit_mls_suite *s, const uint8_t *sk,
        struct tacit_mls_label label, struct tacit_mls_ciphertext in, uint8_t *plain);

/* RFC 9420 8.3: the init secret (hash_bytes) of an external commit, to external_pub and from it. */
TACIT_MUST_USE enum tacit_err tacit_mls_external_init_send(const struct tacit_mls_suite *s,
        struct tacit_bytes external_pub, const struct tacit_env *env, uint8_t *kem_output,
        uint8_t *init_secret);
TACIT_MUST_USE enum tacit_err tacit_mls_external_init_receive(const struct tacit_mls_suite *s,
        const uint8_t *external_sk, struct tacit_bytes kem_output, uint8_t *init_secret);

/* --- AEAD: tacit_aead_seal_once(s->aead, ...) and its kin of crypto/aead.h serve as they are. ---
 */

#endif
