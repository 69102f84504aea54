/* mls_members.h - people with key packages, and trees of them, for the tests of core/e2e/mls. */
#ifndef TACIT_TESTS_MLS_MEMBERS_H
#define TACIT_TESTS_MLS_MEMBERS_H

#include "e2e/mls/key_package.h"
#include "e2e/mls/treekem.h"

struct mls_member {
	uint8_t signature_sk[TACIT_MLS_SIGNATURE_SK_MAX_BYTES];
	uint8_t signature_key[TACIT_MLS_SIGNATURE_PUBLIC_MAX_BYTES];
	struct tacit_mls_key_package_secrets secrets;
	struct tacit_buf package; /* encoded */
};

struct mls_member_options {
	struct tacit_mls_credential credential;
	const struct tacit_mls_support *support;
	struct tacit_mls_extensions leaf_extensions, extensions;
};

enum tacit_err mls_member_make(const struct tacit_mls_suite *s, const struct tacit_env *env,
        const struct mls_member_options *o, struct mls_member *m);
/* The leaf of the package, encoded. */
struct tacit_bytes mls_member_leaf(const struct mls_member *m);
void mls_member_clear(struct mls_member *m);

#define MLS_GROUP_MAX 16

struct mls_group { /* everybody's private side beside the one public tree */
	const struct tacit_mls_suite *suite;
	struct tacit_env env;
	struct tacit_mls_tree *tree;
	struct mls_member members[MLS_GROUP_MAX]; /* by leaf */
	struct tacit_mls_tree_keys keys[MLS_GROUP_MAX];
	uint32_t n;
};

/* n members, added in one stage. */
enum tacit_err mls_group_make(struct mls_group *g, const struct tacit_mls_suite *s, uint32_t n);
/* A path of one member; everybody else merges and opens it in the same tree, which keeps it. Says
 * USAGE when two of them do not agree. encoded may be NULL. */
enum tacit_err mls_group_commit(struct mls_group *g, uint32_t sender, struct tacit_buf *encoded);
void mls_group_clear(struct mls_group *g);

#endif
