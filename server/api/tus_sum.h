/* tus_sum.h - what Upload-Checksum is held against: a digest over a body that comes in pieces. */
#ifndef TACIT_SERVER_API_TUS_SUM_H
#define TACIT_SERVER_API_TUS_SUM_H

#include "server/api/tus_headers.h"

struct api_tus_sum;

/* of: wanted. Fails: NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err api_tus_sum_new(
        const struct api_tus_checksum *of, struct api_tus_sum **out);
void api_tus_sum_free(struct api_tus_sum *s);
/* Fails: NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err api_tus_sum_update(struct api_tus_sum *s, struct tacit_bytes in);
/* Once, at the end. Fails: BAD_SEAL (the digest is another), CRYPTO. */
TACIT_MUST_USE enum tacit_err api_tus_sum_check(
        struct api_tus_sum *s, const struct api_tus_checksum *of);

#endif
