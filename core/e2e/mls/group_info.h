/* group_info.h - a signed description of a group's state for those who join: RFC 9420 12.4.3. */
#ifndef TACIT_E2E_MLS_GROUP_INFO_H
#define TACIT_E2E_MLS_GROUP_INFO_H

#include "e2e/mls/key_schedule.h"

struct tacit_mls_group_info { /* views */
	struct tacit_mls_group_context context;
	struct tacit_mls_extensions extensions;
	struct tacit_bytes confirmation_tag;
	uint32_t signer; /* leaf index */
	struct tacit_bytes signature;
	struct tacit_bytes encoded_context; /* once decoded */
	struct tacit_bytes unsigned_part;   /* once decoded: up to the signature */
};

/* Fails (in r): UNSUPPORTED (version), MALFORMED, TRUNCATED, LIMIT. */
void tacit_mls_read_group_info(struct tacit_reader *r, struct tacit_mls_group_info *out);
TACIT_MUST_USE enum tacit_err tacit_mls_group_info_decode(
        struct tacit_bytes encoded, struct tacit_mls_group_info *out);
void tacit_mls_write_group_info(struct tacit_writer *w, const struct tacit_mls_group_info *info);

/* Appends info with a fresh signature. On error out is unchanged. Fails: MALFORMED (sk), TOO_LARGE,
 * NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_mls_group_info_sign(const struct tacit_mls_suite *s,
        const struct tacit_mls_group_info *info, struct tacit_bytes sk, struct tacit_buf *out);
/* pk is the signer's, out of the tree. Fails: BAD_SIGNATURE, NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_mls_group_info_verify(const struct tacit_mls_suite *s,
        const struct tacit_mls_group_info *info, struct tacit_bytes pk);

#endif
