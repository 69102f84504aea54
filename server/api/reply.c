#include "server/api/reply.h"

#include <stdio.h>
#include <string.h>

#include "server/api/auth.h"
#include "server/api/tus_headers.h"

static const char security_headers[] = "X-Content-Type-Options: nosniff\r\n"
                                       "X-Frame-Options: DENY\r\n"
                                       "Referrer-Policy: no-referrer\r\n";
/* Of an answer that has none of its own. No script, no style, no frame: there is nothing in it for
 * a browser to run. */
static const char api_policy[] =
        "Content-Security-Policy: default-src 'none'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'\r\n"
        "Permissions-Policy: camera=(), microphone=(), geolocation=(), payment=(), usb=()\r\n"
        "Cross-Origin-Opener-Policy: same-origin\r\n"
        "Cross-Origin-Resource-Policy: same-origin\r\n";
static const char transport_security[] =
        "Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n";
static const char exposed_headers[] =
        "Access-Control-Allow-Credentials: true\r\n"
        "Access-Control-Expose-Headers: ETag, Location, Retry-After, Tus-Resumable, Upload-Offset, "
        "Upload-Length, Upload-Expires, Tacit-File-Sha256\r\n";
static const char allowed_headers[] =
        "Authorization, Content-Type, Range, If-Range, If-None-Match, X-CSRF-Token, Tus-Resumable, "
        "Upload-Length, Upload-Defer-Length, Upload-Offset, Upload-Metadata, Upload-Checksum";

struct http_response *api_problem_response(
        const struct api *a, enum api_problem p, const char *detail, unsigned retry_after)
{
	enum tacit_err err;
	char seconds[16];
	struct http_response *r = http_response_new(api_problem_status(p));
	if (r == NULL)
		return NULL;
	r->content_type = "application/json";
	r->no_store = true;
	(void)snprintf(seconds, sizeof(seconds), "%u", retry_after > 0 ? retry_after : 1);
	TRY(api_problem_write(p, detail, tacit_env_now(&a->settings.env), &r->body));
	if (r->status == 423 || r->status == 429 || r->status == 503)
		TRY(http_response_header(r, "Retry-After", seconds));
out:
	if (err != TACIT_OK) {
		http_response_free(r);
		r = NULL;
	}
	return r;
}

void api_problem_headers(struct http_response *r, enum api_problem p, const char *pattern)
{
	enum tacit_err err = TACIT_OK;
	if (r->status == 401)
		TRY(http_response_header(r, "WWW-Authenticate", "Bearer realm=\"tacit\""));
	if (strncmp(pattern, "/api/files/tus", 14) == 0)
		TRY(http_response_header(r, "Tus-Resumable", API_TUS_VERSION));
	if (p == API_UNSUPPORTED_TUS_VERSION)
		TRY(http_response_header(r, "Tus-Version", API_TUS_VERSION));
out:
	tacit_ignore(err, "out of memory: the refusal itself still leaves");
}

static enum tacit_err append_common(const struct api *a, const struct http_request *r,
        const char *policy, struct tacit_buf *out)
{
	enum tacit_err err;
	struct tacit_bytes origin = {0};
	TRY(tacit_buf_append(out, tacit_bytes(security_headers, sizeof(security_headers) - 1)));
	TRY(tacit_buf_append(out, tacit_cstr(policy != NULL ? policy : api_policy)));
	if (r != NULL ? r->tls : a->settings.tls)
		TRY(tacit_buf_append(
		        out, tacit_bytes(transport_security, sizeof(transport_security) - 1)));
	if (a->settings.cors_origins == NULL || a->settings.cors_origins[0] == '\0')
		return TACIT_OK;
	TRY(tacit_buf_append(out, TACIT_STR("Vary: Origin\r\n")));
	if (r != NULL)
		origin = http_header(r, "origin");
	if (origin.p == NULL || !api_origin_listed(a, origin))
		return TACIT_OK;
	TRY(tacit_buf_append(out, TACIT_STR("Access-Control-Allow-Origin: ")));
	TRY(tacit_buf_append(out, origin));
	TRY(tacit_buf_append(out, TACIT_STR("\r\n")));
	TRY(tacit_buf_append(out, tacit_bytes(exposed_headers, sizeof(exposed_headers) - 1)));
out:
	return err;
}

void api_common_headers(void *ctx, const struct http_request *r, const struct http_response *answer,
        struct tacit_buf *out)
{
	size_t start = out->n;
	if (append_common(ctx, r, answer->policy, out) != TACIT_OK)
		out->n = start; /* out of memory: an answer without them is still an answer */
}

void api_error_body(void *ctx, int status, struct tacit_buf *out)
{
	const struct api *a = ctx;
	tacit_ignore(api_problem_write(api_problem_of_status(status), NULL,
	                     tacit_env_now(&a->settings.env), out),
	        "out of memory: the status line says it");
}

static enum tacit_err allow_header(struct http_response *r, const char *name, unsigned allowed)
{
	char list[80] = "";
	size_t n = 0;
	for (int m = 0; m < HTTP_METHOD_COUNT; m++)
		if (allowed & (1u << m))
			n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", n > 0 ? ", " : "",
			        api_method_name((enum http_method)m));
	return http_response_header(r, name, list);
}

struct http_response *api_options_response(
        const struct api *a, const struct http_request *r, unsigned allowed)
{
	enum tacit_err err;
	struct tacit_bytes origin = http_header(r, "origin");
	struct http_response *answer = http_response_new(204);
	if (answer == NULL)
		return NULL;
	allowed |= 1u << HTTP_OPTIONS;
	TRY(allow_header(answer, "Allow", allowed));
	if (origin.p != NULL && api_origin_listed(a, origin) &&
	        http_header(r, "access-control-request-method").p != NULL) {
		TRY(allow_header(answer, "Access-Control-Allow-Methods", allowed));
		TRY(http_response_header(answer, "Access-Control-Allow-Headers", allowed_headers));
		TRY(http_response_header(answer, "Access-Control-Max-Age", "600"));
	}
out:
	if (err != TACIT_OK) {
		http_response_free(answer);
		answer = NULL;
	}
	return answer;
}

struct http_response *api_method_response(const struct api *a, unsigned allowed)
{
	struct http_response *r = api_problem_response(a, API_METHOD_NOT_ALLOWED, NULL, 0);
	if (r != NULL && allow_header(r, "Allow", allowed | 1u << HTTP_OPTIONS) != TACIT_OK) {
		http_response_free(r);
		return NULL;
	}
	return r;
}
