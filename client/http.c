#include "client/http_int.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "crypto/secret.h"
#include "wire/json.h"

#define CONNECT_SECONDS 10L
#define CALL_SECONDS 120L
#define STALL_SECONDS 60L /* for bodies that stream: no byte for this long */
#define SEND_BUFFER (1024L * 1024)
#define RECEIVE_BUFFER (512L * 1024)

static_assert(HTTP_READ_ABORT == CURL_READFUNC_ABORT, "read callbacks speak curl's language");

/* What the callbacks of one call see. */
struct call {
	struct http *http;
	const struct http_request *request;
	struct http_answer *answer;
	enum tacit_err err;
	bool head_done; /* of the final answer */
	bool cut_short; /* it came before our body had left: the rest is not wanted */
};

/* --- addresses ------------------------------------------------------------------------------- */

static bool host_is_loopback(const char *host)
{
	struct in_addr four;
	size_t n = strlen(host);
	if (strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
		return true;
	return n < INET_ADDRSTRLEN && inet_pton(AF_INET, host, &four) == 1 &&
	       (ntohl(four.s_addr) >> 24) == 127;
}

static char *url_part(CURLU *url, CURLUPart part)
{
	char *text = NULL;
	return curl_url_get(url, part, &text, 0) == CURLUE_OK ? text : NULL;
}

static const char *check_url(CURLU *url, bool insecure_http, bool *loopback)
{
	const char *problem = NULL;
	char *scheme = url_part(url, CURLUPART_SCHEME);
	char *host = url_part(url, CURLUPART_HOST);
	char *path = url_part(url, CURLUPART_PATH);
	char *user = url_part(url, CURLUPART_USER);
	char *query = url_part(url, CURLUPART_QUERY);
	*loopback = host != NULL && host_is_loopback(host);
	bool plain = scheme != NULL && strcmp(scheme, "http") == 0;
	if (scheme == NULL || host == NULL || (!plain && strcmp(scheme, "https") != 0))
		problem = "A server's address begins with https:// (or http:// on this machine).";
	else if (user != NULL || query != NULL || (path != NULL && strcmp(path, "/") != 0))
		problem =
		        "A server's address is a scheme, a name and perhaps a port, nothing more.";
	else if (plain && !*loopback && !insecure_http)
		problem =
		        "Plain http:// is refused outside this machine: what is sent could be read "
		        "on the way.";
	curl_free(scheme);
	curl_free(host);
	curl_free(path);
	curl_free(user);
	curl_free(query);
	return problem;
}

static const char *check_server(const char *server, bool insecure_http, bool *loopback)
{
	const char *problem = "That is not a server's address.";
	*loopback = false;
	if (strlen(server) >= HTTP_MAX_SERVER)
		return problem;
	CURLU *url = curl_url();
	if (url != NULL && curl_url_set(url, CURLUPART_URL, server, 0) == CURLUE_OK)
		problem = check_url(url, insecure_http, loopback);
	curl_url_cleanup(url);
	return problem;
}

const char *http_server_problem(const char *server, bool insecure_http)
{
	bool loopback;
	return check_server(server, insecure_http, &loopback);
}

/* --- life ------------------------------------------------------------------------------------ */

enum tacit_err http_open(const struct http_options *o, struct http **out)
{
	enum tacit_err err = TACIT_OK;
	*out = NULL;
	struct http *h = tacit_calloc(1, sizeof(*h));
	if (h == NULL)
		return TACIT_E_NOMEM;
	if (check_server(o->server, o->insecure_http, &h->loopback) != NULL)
		TRY(TACIT_E_BAD_NAME);
	if (o->ca_file != NULL && strlen(o->ca_file) >= sizeof(h->ca_file))
		TRY(TACIT_E_BAD_NAME);
	snprintf(h->server, sizeof(h->server), "%s", o->server);
	snprintf(h->ca_file, sizeof(h->ca_file), "%s", o->ca_file != NULL ? o->ca_file : "");
	for (size_t n = strlen(h->server); n > 0 && h->server[n - 1] == '/'; n--)
		h->server[n - 1] = '\0';
	h->cancel = o->cancel;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		TRY(TACIT_E_NOMEM);
	h->curl = curl_easy_init();
	h->multi = curl_multi_init();
	if (h->curl == NULL || h->multi == NULL)
		TRY(TACIT_E_NOMEM);
	*out = h;
	h = NULL;
out:
	http_close(h);
	return err;
}

void http_close(struct http *h)
{
	if (h == NULL)
		return;
	curl_easy_cleanup(h->curl);
	curl_multi_cleanup(h->multi);
	tacit_free(h);
}

void http_set_watch(struct http *h, const struct http_watch *w)
{
	h->watch = w;
}

const char *http_server(const struct http *h)
{
	return h->server;
}

bool http_server_is_here(const struct http *h)
{
	return h->loopback;
}

const char *http_problem(const struct http *h)
{
	return h->problem;
}

bool http_untrusted(const struct http *h)
{
	return h->untrusted;
}

void http_answer_clear(struct http_answer *a)
{
	tacit_buf_clear(&a->body);
	tacit_buf_clear(&a->cookie);
	*a = (struct http_answer){.upload_offset = -1};
}

/* --- answers --------------------------------------------------------------------------------- */

static struct tacit_bytes trimmed(const char *p, size_t n)
{
	while (n > 0 && (p[0] == ' ' || p[0] == '\t')) {
		p++;
		n--;
	}
	while (n > 0 && strchr(" \t\r\n", p[n - 1]) != NULL)
		n--;
	return tacit_bytes(p, n);
}

/* Too long: left empty, which its reader takes as missing. */
static void copy_header(struct tacit_bytes value, char *room, size_t size)
{
	room[0] = '\0';
	if (value.n < size)
		snprintf(room, size, "%.*s", (int)value.n, (const char *)value.p);
}

/* Two may come in one answer: the end of a registration drops the pending cookie and sets the
 * session's. The session's counts. */
static enum tacit_err take_cookie(struct http_answer *a, struct tacit_bytes value)
{
	static const char *const known[] = {"tacit_pending=", "tacit_session="};
	for (size_t i = 0; i < TACIT_COUNT(known); i++) {
		size_t n = strlen(known[i]);
		if (value.n < n || memcmp(value.p, known[i], n) != 0)
			continue;
		if (i == 0 && strcmp(a->cookie_name, "tacit_session") == 0)
			return TACIT_OK;
		const void *end = memchr(value.p, ';', value.n);
		size_t whole = end != NULL ? (size_t)((const uint8_t *)end - value.p) : value.n;
		snprintf(a->cookie_name, sizeof(a->cookie_name), "%.*s", (int)(n - 1), known[i]);
		tacit_buf_clear(&a->cookie);
		return tacit_buf_append(&a->cookie, tacit_bytes(value.p + n, whole - n));
	}
	return TACIT_OK;
}

static enum tacit_err take_header(
        struct http_answer *a, const char *name, size_t name_n, struct tacit_bytes value)
{
	char text[32];
	if (name_n == 10 && strncasecmp(name, "Set-Cookie", name_n) == 0)
		return take_cookie(a, value);
	if (name_n == 8 && strncasecmp(name, "Location", name_n) == 0)
		copy_header(value, a->location, sizeof(a->location));
	if (name_n == 13 && strncasecmp(name, "Content-Range", name_n) == 0)
		copy_header(value, a->content_range, sizeof(a->content_range));
	if (name_n == 17 && strncasecmp(name, "Tacit-File-Sha256", name_n) == 0)
		copy_header(value, a->file_sha256, sizeof(a->file_sha256));
	if (name_n == 13 && strncasecmp(name, "Upload-Offset", name_n) == 0) {
		char *end = text;
		copy_header(value, text, sizeof(text));
		a->upload_offset = strtoll(text, &end, 10);
		if (end == text || *end != '\0')
			a->upload_offset = -1;
	}
	return TACIT_OK;
}

static size_t on_header(char *line, size_t size, size_t n, void *ctx)
{
	struct call *c = ctx;
	(void)size;
	if (n >= 5 && memcmp(line, "HTTP/", 5) == 0) {
		long status = 0;
		curl_easy_getinfo(c->http->curl, CURLINFO_RESPONSE_CODE, &status);
		http_answer_clear(c->answer); /* a 100 Continue may have come before */
		c->answer->status = (int)status;
		return n;
	}
	const char *colon = memchr(line, ':', n);
	if (n <= 2)
		c->head_done = c->answer->status >= 200;
	if (colon == NULL)
		return n;
	size_t name_n = (size_t)(colon - line);
	c->err = take_header(c->answer, line, name_n, trimmed(colon + 1, n - name_n - 1));
	return c->err == TACIT_OK ? n : 0;
}

static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
	struct call *c = ctx;
	struct tacit_bytes part = tacit_bytes(data, n);
	(void)size;
	if (c->request->write != NULL && c->answer->status / 100 == 2) {
		if (!c->request->write(c->request->ctx, part))
			c->err = TACIT_E_IO;
	} else if (c->answer->body.n + n > HTTP_MAX_ANSWER) {
		c->err = TACIT_E_TOO_LARGE;
	} else {
		c->err = tacit_buf_append(&c->answer->body, part);
	}
	return c->err == TACIT_OK ? n : 0;
}

static size_t on_read(char *room, size_t size, size_t n, void *ctx)
{
	struct call *c = ctx;
	c->cut_short = c->head_done;
	if (c->cut_short)
		return HTTP_READ_ABORT;
	size_t got = c->request->read(c->request->ctx, (uint8_t *)room, size * n);
	if (got == HTTP_READ_ABORT)
		c->err = TACIT_E_IO;
	return got;
}

static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct http *h = ctx;
	(void)a, (void)b, (void)c, (void)d;
	return h->watch == NULL && h->cancel != NULL && *h->cancel != 0;
}

/* --- requests -------------------------------------------------------------------------------- */

static enum tacit_err add_header(
        struct curl_slist **list, const char *name, struct tacit_bytes value)
{
	struct tacit_buf line = {0};
	enum tacit_err err;
	TRY(tacit_buf_printf(&line, "%s: %.*s", name, (int)value.n, (const char *)value.p));
	TRY(tacit_buf_terminate(&line));
	struct curl_slist *longer = curl_slist_append(*list, (const char *)line.p);
	if (longer == NULL)
		TRY(TACIT_E_NOMEM);
	*list = longer;
out:
	tacit_buf_clear(&line);
	return err;
}

static enum tacit_err add_headers(
        struct curl_slist **list, const struct http *h, const struct http_request *r)
{
	enum tacit_err err = TACIT_OK;
	if (strcmp(r->method, "GET") != 0 && strcmp(r->method, "HEAD") != 0)
		TRY(add_header(list, "Origin", tacit_cstr(h->server)));
	if (r->cookie.n > 0)
		TRY(add_header(list, "Cookie", r->cookie));
	if (r->content_type != NULL)
		TRY(add_header(list, "Content-Type", tacit_cstr(r->content_type)));
	for (size_t i = 0; i < r->header_count; i++) {
		struct curl_slist *longer = curl_slist_append(*list, r->headers[i]);
		if (longer == NULL)
			TRY(TACIT_E_NOMEM);
		*list = longer;
	}
	struct curl_slist *last = curl_slist_append(*list, "Expect:");
	if (last == NULL)
		TRY(TACIT_E_NOMEM);
	*list = last;
out:
	return err;
}

static void drop_headers(struct curl_slist *list)
{
	for (struct curl_slist *i = list; i != NULL; i = i->next)
		tacit_wipe(i->data, strlen(i->data));
	curl_slist_free_all(list);
}

void http_set_connection(struct http *h, CURL *c)
{
	curl_easy_reset(c); /* options only: the connection stays */
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "tacit/" TACIT_VERSION);
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, h->curl_error);
	curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(c, CURLOPT_XFERINFODATA, h);
	if (h->loopback)
		curl_easy_setopt(c, CURLOPT_PROXY, "");
	if (h->ca_file[0] != '\0')
		curl_easy_setopt(c, CURLOPT_CAINFO, h->ca_file);
}

static void set_request(struct call *call)
{
	const struct http_request *r = call->request;
	CURL *c = call->http->curl;
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, call);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, call);
	if (r->read != NULL) {
		curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(c, CURLOPT_UPLOAD_BUFFERSIZE, SEND_BUFFER);
		curl_easy_setopt(c, CURLOPT_READFUNCTION, on_read);
		curl_easy_setopt(c, CURLOPT_READDATA, call);
		curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->read_bytes);
	} else if (r->content_type != NULL || strcmp(r->method, "POST") == 0) {
		curl_easy_setopt(c, CURLOPT_POST, 1L);
		curl_easy_setopt(
		        c, CURLOPT_POSTFIELDS, r->body.n > 0 ? (const char *)r->body.p : "");
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n);
	} else if (strcmp(r->method, "HEAD") == 0) {
		curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
	}
	if (strcmp(r->method, "HEAD") != 0)
		curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, r->method);
	if (r->write != NULL)
		curl_easy_setopt(c, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER);
	if (r->read != NULL || r->write != NULL) {
		curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
		curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, STALL_SECONDS);
	} else {
		curl_easy_setopt(c, CURLOPT_TIMEOUT, CALL_SECONDS);
	}
}

enum tacit_err http_failure(struct http *h, CURLcode rc)
{
	if (rc == CURLE_OK)
		return TACIT_OK;
	if (rc == CURLE_ABORTED_BY_CALLBACK)
		return TACIT_E_CANCELLED;
	if (rc == CURLE_OUT_OF_MEMORY)
		return TACIT_E_NOMEM;
	h->untrusted = rc == CURLE_PEER_FAILED_VERIFICATION;
	const char *why = h->curl_error[0] != '\0' ? h->curl_error : curl_easy_strerror(rc);
	if (rc == CURLE_COULDNT_CONNECT)
		why = "nobody answers there";
	snprintf(h->problem, sizeof(h->problem), "%s cannot be reached: %s.", h->server, why);
	return TACIT_E_NETWORK;
}

static enum tacit_err outcome(const struct call *call, CURLcode rc)
{
	if (call->cut_short && call->err == TACIT_OK)
		return TACIT_OK;
	return call->err != TACIT_OK ? call->err : http_failure(call->http, rc);
}

static unsigned watched(const struct http *h, struct curl_waitfd fds[HTTP_WATCHED])
{
	unsigned n = 0;
	for (size_t i = 0; h->watch != NULL && i < HTTP_WATCHED; i++)
		if (h->watch->fds[i] >= 0)
			fds[n++] = (struct curl_waitfd){
			        .fd = h->watch->fds[i], .events = CURL_WAIT_POLLIN};
	return n;
}

/* As curl_easy_perform does it, with an eye on the watched descriptors. */
CURLcode http_transfer(struct http *h, CURLM *multi)
{
	CURLcode rc = CURLE_OK;
	CURLMcode mc = CURLM_OK;
	int running = 1, left;
	struct curl_waitfd fds[HTTP_WATCHED];
	while (mc == CURLM_OK && running > 0 && rc == CURLE_OK) {
		mc = curl_multi_perform(multi, &running);
		if (mc == CURLM_OK && running > 0)
			mc = curl_multi_poll(multi, fds, watched(h, fds), 1000, NULL);
		if (running > 0 && h->watch != NULL && h->watch->turn(h->watch->ctx))
			rc = CURLE_ABORTED_BY_CALLBACK;
	}
	const struct CURLMsg *end = curl_multi_info_read(multi, &left);
	if (end != NULL && end->msg == CURLMSG_DONE)
		rc = end->data.result;
	return mc == CURLM_OK ? rc : CURLE_OUT_OF_MEMORY;
}

static CURLcode transfer(struct http *h)
{
	CURLcode rc = CURLE_OUT_OF_MEMORY;
	if (curl_multi_add_handle(h->multi, h->curl) == CURLM_OK)
		rc = http_transfer(h, h->multi);
	curl_multi_remove_handle(h->multi, h->curl);
	return rc;
}

enum tacit_err http_perform(struct http *h, const struct http_request *r, struct http_answer *out)
{
	enum tacit_err err;
	struct tacit_buf url = {0};
	struct curl_slist *headers = NULL;
	struct call call = {.http = h, .request = r, .answer = out};
	http_answer_clear(out);
	h->untrusted = false;
	h->problem[0] = '\0';
	h->curl_error[0] = '\0';
	http_set_connection(h, h->curl);
	set_request(&call);
	TRY(tacit_buf_printf(&url, "%s%s", h->server, r->path));
	TRY(tacit_buf_terminate(&url));
	TRY(add_headers(&headers, h, r));
	curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, headers);
	if (curl_easy_setopt(h->curl, CURLOPT_URL, (const char *)url.p) != CURLE_OK)
		TRY(TACIT_E_NOMEM);
	TRY(outcome(&call, transfer(h)));
out:
	curl_easy_reset(h->curl);
	drop_headers(headers);
	tacit_buf_clear(&url);
	return err;
}

/* --- refusals -------------------------------------------------------------------------------- */

static enum tacit_err status_error(int status)
{
	switch (status) {
	case 401:
		return TACIT_E_NOT_LOGGED_IN;
	case 404:
		return TACIT_E_NOT_FOUND;
	case 409:
		return TACIT_E_CONFLICT;
	case 410:
		return TACIT_E_GONE;
	case 413:
		return TACIT_E_TOO_LARGE;
	case 416: /* the file is shorter than it should be */
		return TACIT_E_TRUNCATED;
	case 429:
		return TACIT_E_LIMIT;
	case 507:
		return TACIT_E_STORE_FULL;
	default:
		return TACIT_E_REFUSED;
	}
}

enum tacit_err http_refusal(struct http *h, const struct http_answer *a)
{
	json_t *body = NULL;
	struct tacit_bytes text = {0};
	if (a->status / 100 == 2)
		return TACIT_OK;
	snprintf(h->problem, sizeof(h->problem), "The server answered with status %d.", a->status);
	if (tacit_json_parse(tacit_buf_view(&a->body), &body) == TACIT_OK &&
	        tacit_json_text(body, "error", TACIT_REQUIRED, MAX_PROBLEM - 1, &text) == TACIT_OK)
		snprintf(h->problem, sizeof(h->problem), "%.*s", (int)text.n, (const char *)text.p);
	json_decref(body);
	return status_error(a->status);
}
