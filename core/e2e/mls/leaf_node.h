/* leaf_node.h - one member's leaf: RFC 9420 7.2 (contents), 7.3 (validation).
 *
 * A decoded leaf is a set of views into the bytes it was read from. To make a leaf, fill in the
 * fields (from an older leaf, say) and let tacit_mls_leaf_node_sign append the encoding. */
#ifndef TACIT_E2E_MLS_LEAF_NODE_H
#define TACIT_E2E_MLS_LEAF_NODE_H

#include "e2e/mls/credential.h"
#include "e2e/mls/extension.h"
#include "e2e/mls/suite.h"

#define TACIT_MLS_VERSION_10 0x0001

enum tacit_mls_leaf_source {
	TACIT_MLS_LEAF_KEY_PACKAGE = 1,
	TACIT_MLS_LEAF_UPDATE = 2,
	TACIT_MLS_LEAF_COMMIT = 3,
};

struct tacit_mls_capabilities {
	struct tacit_mls_types versions, suites, extensions, proposals, credentials;
};

struct tacit_mls_lifetime { /* Unix seconds, both inclusive */
	uint64_t not_before, not_after;
};

struct tacit_mls_leaf_node {
	struct tacit_bytes encryption_key, signature_key;
	struct tacit_mls_credential credential;
	struct tacit_mls_capabilities capabilities;
	enum tacit_mls_leaf_source source;
	struct tacit_mls_lifetime lifetime; /* of source key_package */
	struct tacit_bytes parent_hash;     /* of source commit */
	struct tacit_mls_extensions extensions;
	struct tacit_bytes signature;
	struct tacit_bytes encoded;       /* all of it, once decoded */
	struct tacit_bytes unsigned_part; /* encoded up to the signature */
};

/* Where a leaf stands; bound by the signatures of sources update and commit. */
struct tacit_mls_leaf_place {
	struct tacit_bytes group_id;
	uint32_t index;
};

/* Fails (in r): MALFORMED, TRUNCATED, UNSUPPORTED (credential), LIMIT, TOO_LARGE. */
void tacit_mls_read_leaf_node(struct tacit_reader *r, struct tacit_mls_leaf_node *out);
/* Exactly one leaf. Fails: the same, and TRAILING. */
TACIT_MUST_USE enum tacit_err tacit_mls_leaf_node_decode(
        struct tacit_bytes encoded, struct tacit_mls_leaf_node *out);

/* Appends the leaf with a fresh signature; leaf->signature, encoded and unsigned_part are not
 * looked at. place may be NULL for source key_package. On error out is unchanged.
 * Fails: MALFORMED (sk), TOO_LARGE, CRYPTO, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_mls_leaf_node_sign(const struct tacit_mls_suite *s,
        const struct tacit_mls_leaf_node *leaf, const struct tacit_mls_leaf_place *place,
        struct tacit_bytes sk, struct tacit_buf *out);
/* Fails: BAD_SIGNATURE, NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_mls_leaf_node_verify(const struct tacit_mls_suite *s,
        const struct tacit_mls_leaf_node *leaf, const struct tacit_mls_leaf_place *place);

/* What the group and the application ask of a leaf. */
struct tacit_mls_leaf_rules {
	const struct tacit_mls_suite *suite;
	struct tacit_mls_extensions group_extensions; /* of the GroupContext that will hold */
	uint64_t now;          /* Unix seconds; 0: lifetimes are not compared with the clock */
	uint64_t lifetime_max; /* longest total lifetime in seconds (7.2); 0: any */
	/* Is this credential one for this signature key (5.3.1)? NULL: every one is. An error other
	 * than OK refuses the leaf and is passed on. */
	enum tacit_err (*check_credential)(void *ctx, const struct tacit_mls_leaf_node *leaf);
	void *ctx;
};

/* 7.3 but for the signature and for what needs the other members (tree.h): source (0: any), sizes
 * and validity of keys, version, credential and extensions among the leaf's own
 * capabilities, required_capabilities and extensions of the group, lifetime, the application's
 * word. Fails: MALFORMED (source, key), UNSUPPORTED (capabilities), GONE (lifetime), and what
 * check_credential says. */
TACIT_MUST_USE enum tacit_err tacit_mls_leaf_node_check(const struct tacit_mls_leaf_node *leaf,
        enum tacit_mls_leaf_source source, const struct tacit_mls_leaf_rules *rules);
/* Does the leaf support the extensions and required_capabilities of a group? Part of the above; for
 * members there already, when extensions of the group change (12.1.7). Fails: UNSUPPORTED, and
 * MALFORMED or TRUNCATED for a required_capabilities that is none. */
TACIT_MUST_USE enum tacit_err tacit_mls_leaf_node_supports(
        const struct tacit_mls_leaf_node *leaf, struct tacit_mls_extensions group_extensions);

/* What a client puts into its capabilities: all suites offered, MLS 1.0, both credentials, and: */
struct tacit_mls_support {
	const uint16_t *extensions; /* beyond the default ones */
	size_t extension_count;
	const uint16_t *proposals;
	size_t proposal_count;
};

/* Views into *store, which is emptied first and lives as long as they do. With env, a random GREASE
 * value goes into each list that takes one (13.5). ours may be NULL. Fails: NOMEM, TOO_LARGE. */
TACIT_MUST_USE enum tacit_err tacit_mls_capabilities_make(const struct tacit_mls_support *ours,
        const struct tacit_env *env, struct tacit_buf *store, struct tacit_mls_capabilities *out);

#endif
