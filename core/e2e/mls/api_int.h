/* api_int.h - behind include/tacit/mls.h: the public names are a thin layer over group.h. */
#ifndef TACIT_E2E_MLS_API_INT_H
#define TACIT_E2E_MLS_API_INT_H

#include "e2e/mls/group.h"
#include "tacit/mls.h"

struct tmls_client {
	const struct tacit_mls_suite *suite;
	struct tmls_callbacks callbacks;
	struct tacit_env env;
	struct tacit_buf identity;
	uint8_t sk[TACIT_MLS_SIGNATURE_SK_MAX_BYTES];
	uint8_t pk[TACIT_MLS_SIGNATURE_PUBLIC_MAX_BYTES];
};

struct tmls_key_package {
	struct tacit_buf message; /* MLSMessage */
	struct tacit_mls_key_package_secrets secrets;
};

static inline struct tacit_bytes tmls_in(struct tmls_view v)
{
	return tacit_bytes(v.data, v.size);
}

static inline struct tmls_view tmls_out(struct tacit_bytes b)
{
	return (struct tmls_view){b.p, b.n};
}

/* Numbers are the same (asserted in api.c). */
static inline enum tmls_result tmls_result_of(enum tacit_err err)
{
	return (enum tmls_result)err;
}

/* Hands a buffer's content to the caller; b is empty afterwards. */
struct tmls_bytes tmls_give(struct tacit_buf *b);
struct tmls_member tmls_member_of(const struct tacit_mls_leaf_node *leaf);
struct tacit_mls_host tmls_host(const struct tmls_client *c);
/* The KeyPackage in a published message. Fails: MALFORMED, and the decoder's errors. */
TACIT_MUST_USE enum tacit_err tmls_bare_key_package(
        struct tacit_bytes message, struct tacit_bytes *out);

#endif
