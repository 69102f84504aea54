/* web_app.c - the web app's files as answers. They come from memory, so they leave at once, on the
 * loop that asked. */
#include "server/api/web_app.h"

#include <stdio.h>
#include <string.h>

#include "server/api/range.h"

/* 'self' of connect-src covers WebSockets of the same host (CSP 3, 6.7.2.8). A worker has the
 * policy of its own script's answer, so every file of the app has the same. */
static const char page_policy[] =
        "Content-Security-Policy: default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; "
        "style-src 'self'; connect-src 'self'; img-src 'self' blob: data:; media-src blob:; "
        "worker-src 'self'; manifest-src 'self'; font-src 'self'; form-action 'none'; "
        "frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; "
        "trusted-types tacit\r\n"
        "Permissions-Policy: camera=(self), microphone=(), geolocation=(), payment=(), usb=()\r\n"
        "Cross-Origin-Opener-Policy: same-origin\r\n"
        "Cross-Origin-Embedder-Policy: require-corp\r\n"
        "Cross-Origin-Resource-Policy: same-origin\r\n";

static bool wants_html(const struct http_request *r)
{
	struct tacit_bytes accept = http_header(r, "accept");
	return accept.n > 0 && memmem(accept.p, accept.n, "text/html", 9) != NULL;
}

/* A tag names bytes as they are sent, so each coding has its own (RFC 9110 8.8.3.3). */
static struct http_response *respond(const struct web_file *f, const struct http_request *r)
{
	enum tacit_err err;
	char etag[96];
	enum web_coding coding = web_choose(f, http_header(r, "accept-encoding"));
	(void)snprintf(etag, sizeof(etag), "\"%s-%s\"", f->tag, web_coding_names[coding]);
	bool same = api_etag_listed(http_header(r, "if-none-match"), tacit_cstr(etag));
	struct http_response *answer = http_response_new(same ? 304 : 200);
	if (answer == NULL)
		return NULL;
	answer->policy = page_policy;
	answer->content_type = f->type;
	answer->fixed = f->coded[coding];
	TRY(http_response_header(answer, "ETag", etag));
	TRY(http_response_header(answer, "Cache-Control",
	        f->immutable ? "public, max-age=31536000, immutable" : "no-cache"));
	TRY(http_response_header(
	        answer, "Vary", f->is_page ? "Accept, Accept-Encoding" : "Accept-Encoding"));
	if (coding != WEB_IDENTITY)
		TRY(http_response_header(answer, "Content-Encoding", web_coding_names[coding]));
out:
	if (err != TACIT_OK) {
		http_response_free(answer);
		answer = NULL;
	}
	return answer;
}

bool api_web_plan(const struct api *a, const struct http_request *r, struct http_plan *plan)
{
	const struct web_file *f = web_find(a->settings.web, r->path);
	if (f == NULL || (f->is_page && !wants_html(r)))
		return false;
	plan->kind = HTTP_ANSWER;
	plan->answer = respond(f, r);
	return true;
}
