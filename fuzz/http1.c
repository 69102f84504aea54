/* What our parser accepts, http_parser must accept too, and read in the same way: method, target,
 * headers and body. It may accept more. Both get the same bytes; ours also in two cuts. */
/* Its names for methods are ours too. */
#define http_method oracle_method
#define HTTP_GET ORACLE_GET
#define HTTP_HEAD ORACLE_HEAD
#define HTTP_POST ORACLE_POST
#define HTTP_PUT ORACLE_PUT
#define HTTP_PATCH ORACLE_PATCH
#define HTTP_DELETE ORACLE_DELETE
#define HTTP_OPTIONS ORACLE_OPTIONS
#include <http_parser.h>
#undef http_method
#undef HTTP_GET
#undef HTTP_HEAD
#undef HTTP_POST
#undef HTTP_PUT
#undef HTTP_PATCH
#undef HTTP_DELETE
#undef HTTP_OPTIONS

#include "server/net/http1.h"

struct message {
	struct tacit_buf url, body, name, value;
	const struct http_request *want;
	size_t headers;
	bool in_value, complete;
};

static void take(struct tacit_buf *b, const char *at, size_t n)
{
	TACIT_ASSERT(tacit_buf_append(b, tacit_bytes(at, n)) == TACIT_OK);
}

static struct tacit_bytes trimmed(struct tacit_bytes b)
{
	while (b.n > 0 && (b.p[b.n - 1] == ' ' || b.p[b.n - 1] == '\t'))
		b.n--;
	return b;
}

static void end_header(struct message *m)
{
	if (!m->in_value)
		return;
	TACIT_ASSERT(m->headers < m->want->header_count);
	const struct http_header *h = &m->want->headers[m->headers++];
	TACIT_ASSERT(tacit_bytes_eq(h->name, tacit_buf_view(&m->name)));
	TACIT_ASSERT(tacit_bytes_eq(h->value, trimmed(tacit_buf_view(&m->value))));
	m->name.n = m->value.n = 0;
	m->in_value = false;
}

static int on_url(http_parser *p, const char *at, size_t n)
{
	take(&((struct message *)p->data)->url, at, n);
	return 0;
}

static int on_field(http_parser *p, const char *at, size_t n)
{
	struct message *m = p->data;
	end_header(m);
	take(&m->name, at, n);
	return 0;
}

static int on_value(http_parser *p, const char *at, size_t n)
{
	struct message *m = p->data;
	m->in_value = true;
	take(&m->value, at, n);
	return 0;
}

static int on_head(http_parser *p)
{
	struct message *m = p->data;
	end_header(m);
	TACIT_ASSERT(m->headers == m->want->header_count);
	return 0;
}

static int on_body(http_parser *p, const char *at, size_t n)
{
	take(&((struct message *)p->data)->body, at, n);
	return 0;
}

static int on_complete(http_parser *p)
{
	((struct message *)p->data)->complete = true;
	return 0;
}

static void compare(struct tacit_bytes bytes, const struct http_request *r, struct tacit_bytes body)
{
	static const unsigned methods[HTTP_METHOD_COUNT] = {ORACLE_GET, ORACLE_HEAD, ORACLE_POST,
	        ORACLE_PUT, ORACLE_PATCH, ORACLE_DELETE, ORACLE_OPTIONS};
	static const http_parser_settings settings = {.on_url = on_url,
	        .on_header_field = on_field,
	        .on_header_value = on_value,
	        .on_headers_complete = on_head,
	        .on_body = on_body,
	        .on_message_complete = on_complete};
	struct message m = {.want = r};
	http_parser p;
	http_parser_init(&p, HTTP_REQUEST);
	p.data = &m;
	size_t used = http_parser_execute(&p, &settings, (const char *)bytes.p, bytes.n);
	TACIT_ASSERT(HTTP_PARSER_ERRNO(&p) == HPE_OK && used == bytes.n && m.complete);
	TACIT_ASSERT(p.method == methods[r->method]);
	struct tacit_bytes url = tacit_buf_view(&m.url);
	TACIT_ASSERT(tacit_bytes_eq(tacit_bytes_part(url, 0, r->path.n), r->path));
	if (url.n > r->path.n)
		TACIT_ASSERT(url.p[r->path.n] == '?' &&
		             tacit_bytes_eq(tacit_bytes_part(url, r->path.n + 1, url.n), r->query));
	TACIT_ASSERT(tacit_bytes_eq(tacit_buf_view(&m.body), body));
	tacit_buf_clear(&m.url);
	tacit_buf_clear(&m.body);
	tacit_buf_clear(&m.name);
	tacit_buf_clear(&m.value);
}

/* http_parser takes a name that only begins like this for Transfer-Encoding itself, and knows no
 * tab behind a Content-Length. */
static bool confuses_oracle(const struct http_request *r)
{
	for (size_t i = 0; i < r->header_count; i++) {
		const struct http_header *h = &r->headers[i];
		if (h->name.n > 17 &&
		        http1_is(tacit_bytes_part(h->name, 0, 17), "transfer-encoding"))
			return true;
		const uint8_t *behind = h->value.p + h->value.n;
		while (*behind == ' ')
			behind++;
		if (http1_is(h->name, "content-length") && *behind == '\t')
			return true;
	}
	return false;
}

/* The body of r at the front of in; false: not whole, or refused. *used is its encoded length. */
static bool read_body(const struct http_request *r, struct tacit_bytes in, size_t cut,
        struct tacit_buf *body, size_t *used)
{
	struct http1_chunked c = {0};
	enum http1_result result = HTTP1_MORE;
	size_t at = 0;
	body->n = 0;
	*used = 0;
	if (r->content_length != UINT64_MAX) {
		*used = (size_t)r->content_length;
		struct tacit_bytes all = tacit_bytes_part(in, 0, *used);
		return r->content_length <= in.n && tacit_buf_append(body, all) == TACIT_OK;
	}
	while (result == HTTP1_MORE && at < in.n) {
		struct tacit_bytes part = tacit_bytes_part(in, at, at < cut ? cut - at : in.n);
		struct tacit_bytes data;
		size_t before = part.n;
		result = http1_chunked_next(&c, &part, 1 + cut, &data);
		TACIT_ASSERT(data.n <= 1 + cut && tacit_buf_append(body, data) == TACIT_OK);
		at += before - part.n;
	}
	*used = at;
	return result == HTTP1_DONE;
}

static enum http1_result find_end(struct tacit_bytes in, size_t cut, size_t *bytes, int *status)
{
	struct http1_scan scan = {0};
	enum http1_result result = HTTP1_MORE;
	if (cut > 0 && cut < in.n)
		result = http1_find_end(tacit_bytes_part(in, 0, cut), &scan, bytes, status);
	if (result == HTTP1_MORE && in.n > 0)
		result = http1_find_end(in, &scan, bytes, status);
	return result;
}

/* One message at the front of in; its length, or 0 when it is not whole or refused. */
static size_t check_message(struct tacit_bytes in, size_t cut)
{
	static struct http_request r;
	struct http1_head info;
	struct tacit_buf whole = {0}, parts = {0};
	size_t bytes = 0, cut_bytes = 0, used = 0, cut_used = 0, all = 0;
	int status = 0, cut_status = 0;
	enum http1_result result = find_end(in, 0, &bytes, &status);
	TACIT_ASSERT(find_end(in, cut, &cut_bytes, &cut_status) == result);
	TACIT_ASSERT(bytes == cut_bytes && status == cut_status);
	r = (struct http_request){0};
	if (result != HTTP1_DONE ||
	        http1_parse_head(tacit_bytes_part(in, 0, bytes), &r, &info) != 0)
		return 0;
	struct tacit_bytes rest = tacit_bytes_part(in, bytes, in.n);
	bool complete = read_body(&r, rest, in.n, &whole, &used);
	TACIT_ASSERT(read_body(&r, rest, cut, &parts, &cut_used) == complete);
	if (complete) {
		TACIT_ASSERT(used == cut_used);
		TACIT_ASSERT(tacit_bytes_eq(tacit_buf_view(&whole), tacit_buf_view(&parts)));
		if (!confuses_oracle(&r))
			compare(tacit_bytes_part(in, 0, bytes + used), &r, tacit_buf_view(&whole));
		all = bytes + used;
	}
	tacit_buf_clear(&whole);
	tacit_buf_clear(&parts);
	return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tacit_bytes in = tacit_bytes(data, size);
	size_t used;
	if (size == 0)
		return 0;
	size_t cut = data[size - 1] % 61;
	while (in.n > 0 && (used = check_message(in, cut)) > 0)
		in = tacit_bytes_part(in, used, in.n);
	return 0;
}
