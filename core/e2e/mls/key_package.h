/* key_package.h - what a client publishes so that others can add it: RFC 9420 10.
 *
 * Decoded ones are views into the bytes they were read from. */
#ifndef TACIT_E2E_MLS_KEY_PACKAGE_H
#define TACIT_E2E_MLS_KEY_PACKAGE_H

#include "e2e/mls/key_pairs.h"
#include "e2e/mls/leaf_node.h"

struct tacit_mls_key_package {
	uint16_t version, suite;
	struct tacit_bytes init_key;
	struct tacit_mls_leaf_node leaf;
	struct tacit_mls_extensions extensions;
	struct tacit_bytes signature;
	struct tacit_bytes encoded;       /* all of it, once decoded */
	struct tacit_bytes unsigned_part; /* encoded up to the signature */
};

/* Fails (in r): MALFORMED, TRUNCATED, UNSUPPORTED (credential), LIMIT, TOO_LARGE. A version or
 * suite that is not ours is left to the check. */
void tacit_mls_read_key_package(struct tacit_reader *r, struct tacit_mls_key_package *out);
/* Exactly one. Fails: the same, and TRAILING. */
TACIT_MUST_USE enum tacit_err tacit_mls_key_package_decode(
        struct tacit_bytes encoded, struct tacit_mls_key_package *out);

/* 5.2: KeyPackageRef, hash_bytes of the suite. Fails: CRYPTO, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_mls_key_package_ref(
        const struct tacit_mls_suite *s, struct tacit_bytes encoded, uint8_t *out);

/* 10.1, both signatures included: for one that was downloaded, and for one in an Add.
 * Fails: UNSUPPORTED (version, suite, capabilities), MALFORMED (keys, source), BAD_SIGNATURE, and
 * what tacit_mls_leaf_node_check says. */
TACIT_MUST_USE enum tacit_err tacit_mls_key_package_check(
        const struct tacit_mls_key_package *kp, const struct tacit_mls_leaf_rules *rules);

/* The private halves; wipe after use. */
struct tacit_mls_key_package_secrets {
	uint8_t init_sk[TACIT_MLS_KEM_SK_MAX_BYTES];
	uint8_t encryption_sk[TACIT_MLS_KEM_SK_MAX_BYTES];
};
void tacit_mls_key_package_secrets_wipe(struct tacit_mls_key_package_secrets *s);

struct tacit_mls_key_package_options {
	const struct tacit_mls_suite *suite;
	struct tacit_bytes signature_sk, signature_key;
	struct tacit_mls_credential credential;
	struct tacit_mls_capabilities capabilities;
	struct tacit_mls_lifetime lifetime;
	struct tacit_mls_extensions leaf_extensions, extensions;
	/* Where its two key pairs come from, when many are made; NULL: they are drawn. */
	struct tacit_mls_key_pairs *pairs;
};

/* Appends a signed key package to out. On error out is unchanged and the secrets are wiped. Fails:
 * MALFORMED (signature_sk), TOO_LARGE, CRYPTO, NOMEM, and what tacit_mls_key_pairs_take says. */
TACIT_MUST_USE enum tacit_err tacit_mls_key_package_create(
        const struct tacit_mls_key_package_options *o, const struct tacit_env *env,
        struct tacit_buf *out, struct tacit_mls_key_package_secrets *secrets);

#endif
