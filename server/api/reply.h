/* reply.h - answers that need no call: problems found on the loop, and the headers of all answers.
 */
#ifndef TACIT_SERVER_API_REPLY_H
#define TACIT_SERVER_API_REPLY_H

#include "server/api/call.h"

/* The error object with its headers; detail may be NULL. NULL when out of memory. */
struct http_response *api_problem_response(
        const struct api *a, enum api_problem p, const char *detail, unsigned retry_after);

/* What some refusals need beside their body: a challenge (RFC 9110 15.5.2), the version of tus. */
void api_problem_headers(struct http_response *r, enum api_problem p, const char *pattern);

/* http_app.common_headers and .error_body. */
void api_common_headers(void *ctx, const struct http_request *r, const struct http_response *answer,
        struct tacit_buf *out);
void api_error_body(void *ctx, int status, struct tacit_buf *out);

/* OPTIONS: CORS preflight (Fetch standard, 3.2.2), or just what is allowed. */
struct http_response *api_options_response(
        const struct api *a, const struct http_request *r, unsigned allowed_methods);
struct http_response *api_method_response(const struct api *a, unsigned allowed_methods);

#endif
