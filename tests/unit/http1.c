#include <stdio.h>
#include <string.h>

#include "server/net/http1.h"
#include "server/net/peers.h"
#include "server/net/proxy.h"
#include "support/tap.h"

struct outcome {
	int status; /* 0: accepted, -1: incomplete, else the refusal */
	size_t bytes;
	struct http_request r;
	struct http1_head info;
};

/* step: how many bytes arrive at a time. */
static struct outcome feed(struct tacit_bytes in, size_t step)
{
	static struct outcome o;
	struct http1_scan scan = {0};
	o = (struct outcome){.status = -1};
	for (size_t n = step; o.status == -1; n += step) {
		struct tacit_bytes come = tacit_bytes_part(in, 0, n);
		int status = 0;
		enum http1_result result = http1_find_end(come, &scan, &o.bytes, &status);
		if (result == HTTP1_REFUSED)
			o.status = status;
		if (result == HTTP1_DONE)
			o.status =
			        http1_parse_head(tacit_bytes_part(in, 0, o.bytes), &o.r, &o.info);
		if (n >= in.n)
			break;
	}
	return o;
}

static bool same_header(const struct http_header *a, const struct http_header *b)
{
	return tacit_bytes_eq(a->name, b->name) && tacit_bytes_eq(a->value, b->value);
}

/* The outcome, which must not depend on how the bytes were cut. */
static struct outcome parse(struct tacit_bytes in)
{
	struct outcome whole = feed(in, in.n);
	for (size_t step = 1; step < 8; step++) {
		struct outcome cut = feed(in, step);
		CHECK_INT(cut.status, whole.status);
		if (whole.status != 0 || cut.status != 0)
			continue;
		CHECK_INT(cut.bytes, whole.bytes);
		CHECK_INT(cut.r.method, whole.r.method);
		CHECK_BYTES(cut.r.path, whole.r.path);
		CHECK_BYTES(cut.r.query, whole.r.query);
		CHECK_INT(cut.r.content_length, whole.r.content_length);
		CHECK_INT(cut.r.header_count, whole.r.header_count);
		for (size_t i = 0; i < cut.r.header_count; i++)
			CHECK(same_header(&cut.r.headers[i], &whole.r.headers[i]));
	}
	return whole;
}

static int status_of(const char *text)
{
	return parse(tacit_cstr(text)).status;
}

static void a_request_is_taken_apart(void)
{
	struct outcome o = parse(TACIT_STR("POST /api/rooms/7?limit=5&x HTTP/1.1\r\n"
	                                   "Host: chat.example:5000\r\n"
	                                   "content-LENGTH:   12\t \r\n"
	                                   "X-Empty:\r\n"
	                                   "X-Obs: caf\xe9 au lait\r\n\r\n{\"body\":123}"));
	REQUIRE(o.status == 0);
	CHECK_INT(o.r.method, HTTP_POST);
	CHECK_BYTES(o.r.path, TACIT_STR("/api/rooms/7"));
	CHECK_BYTES(o.r.query, TACIT_STR("limit=5&x"));
	CHECK_INT(o.r.header_count, 4);
	CHECK_INT(o.r.content_length, 12);
	CHECK_BYTES(http_header(&o.r, "Content-Length"), TACIT_STR("12"));
	CHECK_BYTES(http_header(&o.r, "x-obs"), TACIT_STR("caf\xe9 au lait"));
	CHECK(http_header(&o.r, "x-empty").p != NULL);
	CHECK_INT(http_header(&o.r, "x-empty").n, 0);
	CHECK(http_header(&o.r, "x-none").p == NULL);
	CHECK(!o.info.close && !o.info.chunked && !o.info.expect_continue);
}

static void each_method_is_known(void)
{
	static const char *const names[] = {
	        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
	char text[100];
	for (unsigned i = 0; i < TACIT_COUNT(names); i++) {
		snprintf(text, sizeof(text), "%s / HTTP/1.1\r\nHost: a\r\n\r\n", names[i]);
		struct outcome o = parse(tacit_cstr(text));
		CHECK_INT(o.status, 0);
		CHECK_INT(o.r.method, i);
	}
	CHECK_INT(status_of("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"), 501);
	CHECK_INT(status_of("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"), 501);
	CHECK_INT(status_of("GETT / HTTP/1.1\r\nHost: a\r\n\r\n"), 501);
	CHECK_INT(status_of("get / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
	CHECK_INT(status_of("G(T / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
}

static void request_lines_are_strict(void)
{
	CHECK_INT(status_of("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
	CHECK_INT(status_of("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
	CHECK_INT(status_of(" GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
	CHECK_INT(status_of("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
	CHECK_INT(status_of("GET /  HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
	CHECK_INT(status_of("GET / HTTP/1.1 \r\nHost: a\r\n\r\n"), 400);
	CHECK_INT(status_of("GET /\r\n\r\n"), 400);
	CHECK_INT(status_of("GET\r\n\r\n"), 400);
	CHECK_INT(status_of("GET / http/1.1\r\nHost: a\r\n\r\n"), 400);
	CHECK_INT(status_of("GET / HTTP/1.2\r\nHost: a\r\n\r\n"), 505);
	CHECK_INT(status_of("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 505);
	CHECK_INT(status_of("GET / HTTP/0.9\r\nHost: a\r\n\r\n"), 505);
	CHECK_INT(status_of("GET / HTTP/1.10\r\nHost: a\r\n\r\n"), 400);
	CHECK_INT(status_of("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
	CHECK_INT(status_of("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
	CHECK_INT(status_of("GET /a\x01 HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
	CHECK_INT(status_of("GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
	CHECK_INT(status_of("GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
	CHECK_INT(status_of("GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
	CHECK_INT(status_of("GET //a/../b?c?d HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
	CHECK_INT(status_of("\x16\x03\x01\x02"), 400); /* a TLS hello, at its first byte */
	CHECK_INT(status_of("GET / HTTP/1.1\r\nHost: a\r\n"), -1);
}

static void header_lines_are_strict(void)
{
	CHECK_INT(status_of("GET / HTTP/1.1\nHost: a\r\n\r\n"), 400);
	CHECK_INT(status_of("GET / HTTP/1.1\r\nHost: a\n\r\n"), 400);
	CHECK_INT(status_of("GET / HTTP/1.1\r\nHost: a\r\n\n"), 400);
	CHECK_INT(status_of("GET / HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n"), 400);
	CHECK_INT(status_of("GET / HTTP/1.1\r\nHost: a\r\nX: b\r\r\n\r\n"), 400);
	CHECK_INT(status_of("GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n"), 400);
	CHECK_INT(status_of("GET / HTTP/1.1\r\nHost: a\r\n\tfolded\r\n\r\n"), 400);
	CHECK_INT(status_of("GET / HTTP/1.1\r\n X: a\r\nHost: a\r\n\r\n"), 400);
	CHECK_INT(status_of("GET / HTTP/1.1\r\nHost : a\r\n\r\n"), 400);
	CHECK_INT(status_of("GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"), 400);
	CHECK_INT(status_of("GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n"), 400);
	CHECK_INT(status_of("GET / HTTP/1.1\r\nHost: a\r\nX(: b\r\n\r\n"), 400);
	CHECK_INT(status_of("GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n"), 400);
	CHECK_INT(parse(TACIT_STR("GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n")).status, 400);
}

/* RFC 9110 5.5, wherever in a value it stands. */
static void each_character_of_a_value_counts(void)
{
	static const char before[] = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
	char text[] = "GET / HTTP/1.1\r\nHost: a\r\nX: 0123456789\x80\t23456789\r\n\r\n";
	for (size_t at = sizeof(before) - 1; at < sizeof(text) - 5; at++) {
		const char kept = text[at];
		for (int c = 0; c < 256; c++) {
			text[at] = (char)c;
			bool fits = (c >= 0x20 && c != 0x7f) || c == '\t';
			struct outcome o = feed(tacit_bytes(text, sizeof(text) - 1), sizeof(text));
			if (!CHECK_INT(o.status, fits ? 0 : 400))
				printf("# 0x%02x at %zu\n", (unsigned)c, at);
		}
		text[at] = kept;
	}
}

static void host_is_there_once(void)
{
	CHECK_INT(status_of("GET / HTTP/1.1\r\n\r\n"), 400);
	CHECK_INT(status_of("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), 400);
	CHECK_INT(status_of("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), 400);
	CHECK_INT(status_of("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400);
	CHECK_INT(status_of("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"), 400);
	CHECK_INT(status_of("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"), 0);
	CHECK_INT(status_of("GET / HTTP/1.0\r\n\r\n"), 0);
	CHECK_INT(status_of("GET / HTTP/1.0\r\nHost: a\r\nhost: a\r\n\r\n"), 400);
}

#define POST "POST / HTTP/1.1\r\nHost: a\r\n"

static void framing_is_never_ambiguous(void)
{
	CHECK_INT(status_of(POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n"), 400);
	CHECK_INT(status_of(POST "Content-Length: 5, 5\r\n\r\n"), 400);
	CHECK_INT(status_of(POST "Content-Length: +5\r\n\r\n"), 400);
	CHECK_INT(status_of(POST "Content-Length: -5\r\n\r\n"), 400);
	CHECK_INT(status_of(POST "Content-Length: 0x5\r\n\r\n"), 400);
	CHECK_INT(status_of(POST "Content-Length:\r\n\r\n"), 400);
	CHECK_INT(status_of(POST "Content-Length: 5 5\r\n\r\n"), 400);
	CHECK_INT(status_of(POST "Content-Length: 18446744073709551616\r\n\r\n"), 400);
	CHECK_INT(status_of(POST "Content-Length: 999999999999999999\r\n\r\n"), 0);
	CHECK_INT(status_of(POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
	CHECK_INT(status_of(POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"), 400);
	CHECK_INT(
	        status_of(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
	        400);
	CHECK_INT(status_of(POST "Transfer-Encoding: gzip, chunked\r\n\r\n"), 501);
	CHECK_INT(status_of(POST "Transfer-Encoding: identity\r\n\r\n"), 501);
	CHECK_INT(status_of(POST "Transfer-Encoding: xchunked\r\n\r\n"), 501);
	CHECK_INT(status_of(POST "Transfer-Encoding : chunked\r\n\r\n"), 400);
	CHECK_INT(status_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
	struct outcome o = parse(TACIT_STR(POST "transfer-encoding: Chunked\r\n\r\n"));
	CHECK_INT(o.status, 0);
	CHECK(o.info.chunked && o.r.content_length == UINT64_MAX);
}

static void connection_and_expect_are_read(void)
{
	CHECK(parse(TACIT_STR(POST "Connection: x, Close\r\n\r\n")).info.close);
	CHECK(!parse(TACIT_STR(POST "Connection: closed, keep-alive\r\n\r\n")).info.close);
	CHECK(parse(TACIT_STR("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")).info.close);
	CHECK(parse(TACIT_STR(POST "Expect: 100-Continue\r\n\r\n")).info.expect_continue);
	CHECK(!parse(TACIT_STR("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n"))
	                .info.expect_continue);
	CHECK_INT(status_of(POST "Expect: miracles\r\n\r\n"), 417);
}

static void heads_are_bounded(void)
{
	static char text[2 * HTTP_MAX_HEAD_BYTES];
	for (unsigned lines = HTTP_MAX_HEADERS - 1; lines <= HTTP_MAX_HEADERS + 1; lines++) {
		size_t n = (size_t)snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: a\r\n");
		for (unsigned i = 1; i < lines; i++)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "X-%u: y\r\n", i);
		snprintf(text + n, sizeof(text) - n, "\r\n");
		CHECK_INT(parse(tacit_cstr(text)).status, lines > HTTP_MAX_HEADERS ? 431 : 0);
	}
	for (int over = -1; over <= 1; over++) {
		static const char begin[] = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
		size_t all = (size_t)(HTTP_MAX_HEAD_BYTES + over);
		memset(text, 'x', sizeof(text));
		memcpy(text, begin, sizeof(begin) - 1);
		memcpy(text + all - 4, "\r\n\r\n", 4);
		CHECK_INT(parse(tacit_bytes(text, all)).status, over > 0 ? 431 : 0);
		CHECK_INT(parse(tacit_bytes(text, all - 4)).status, -1);
	}
	memset(text, 'x', sizeof(text));
	text[0] = 'G';
	CHECK_INT(parse(tacit_bytes(text, sizeof(text))).status, 431);
}

/* Decodes in steps of at most `step` bytes of input and `room` of output. */
static enum http1_result dechunk(
        struct tacit_bytes in, size_t step, size_t room, struct tacit_buf *out, size_t *left)
{
	struct http1_chunked c = {0};
	enum http1_result result = HTTP1_MORE;
	out->n = 0;
	while (result == HTTP1_MORE && in.n > 0) {
		struct tacit_bytes part = tacit_bytes_part(in, 0, step), data;
		size_t before = part.n;
		result = http1_chunked_next(&c, &part, room, &data);
		CHECK(data.n <= room);
		CHECK_OK(tacit_buf_append(out, data));
		in = tacit_bytes_part(in, before - part.n, in.n);
	}
	*left = in.n;
	return result;
}

static enum http1_result dechunk_all(struct tacit_bytes in, struct tacit_buf *out, size_t *left)
{
	struct tacit_buf cut = {0};
	size_t cut_left;
	enum http1_result whole = dechunk(in, in.n, 1000, out, left);
	for (size_t step = 1; step < 6; step++) {
		CHECK_INT(dechunk(in, step, 7 - step, &cut, &cut_left), whole);
		if (whole != HTTP1_REFUSED) {
			CHECK_BYTES(tacit_buf_view(&cut), tacit_buf_view(out));
			CHECK_INT(cut_left, *left);
		}
	}
	tacit_buf_clear(&cut);
	return whole;
}

static void chunks_are_joined(void)
{
	struct tacit_buf out = {0};
	size_t left;
	CHECK_INT(dechunk_all(TACIT_STR("5\r\nhello\r\n00A;x=\"y\"\r\n, world...\r\n0\r\n\r\nGET"),
	                  &out, &left),
	        HTTP1_DONE);
	CHECK_BYTES(tacit_buf_view(&out), TACIT_STR("hello, world..."));
	CHECK_INT(left, 3);
	CHECK_INT(dechunk_all(TACIT_STR("0\r\n\r\n"), &out, &left), HTTP1_DONE);
	CHECK_INT(out.n, 0);
	CHECK_INT(dechunk_all(TACIT_STR("5\r\nhel"), &out, &left), HTTP1_MORE);
	CHECK_BYTES(tacit_buf_view(&out), TACIT_STR("hel"));
	tacit_buf_clear(&out);
}

static void bad_chunks_are_refused(void)
{
	static const char *const bad[] = {
	        "5\nhello\r\n0\r\n\r\n",
	        "5\r\nhello\n0\r\n\r\n",
	        "5\r\nhelloo\r\n0\r\n\r\n",
	        "5\r\nhello0\r\n\r\n",
	        "\r\n",
	        ";x\r\n",
	        "g\r\n",
	        "-1\r\n",
	        "0x5\r\n",
	        " 5\r\n",
	        "5 \r\nhello\r\n",
	        "5\rhello",
	        "0\r\nTrailer: x\r\n\r\n",
	        "0\r\n\n",
	        "0\r\n\rx",
	        "1000000000000000\r\n",
	        "0000000000000005\r\n",
	        "5;a\x01\r\nhello\r\n",
	};
	struct tacit_buf out = {0};
	size_t left;
	for (size_t i = 0; i < TACIT_COUNT(bad); i++)
		if (!CHECK_INT(dechunk_all(tacit_cstr(bad[i]), &out, &left), HTTP1_REFUSED))
			printf("# %s\n", bad[i]);
	char long_extension[200] = "5;";
	memset(long_extension + 2, 'x', sizeof(long_extension) - 2);
	CHECK_INT(dechunk_all(tacit_bytes(long_extension, sizeof(long_extension)), &out, &left),
	        HTTP1_REFUSED);
	tacit_buf_clear(&out);
}

static void queries_and_cookies_are_found(void)
{
	char out[8];
	struct http_request r = {.query = TACIT_STR("a=1&bb=%41+%2b&c&d=%0&e=%00&f=12345678&a=2")};
	CHECK_OK(http_query(&r, "a", out, sizeof(out)));
	CHECK_BYTES(tacit_cstr(out), TACIT_STR("1"));
	CHECK_OK(http_query(&r, "bb", out, sizeof(out)));
	CHECK_BYTES(tacit_cstr(out), TACIT_STR("A +"));
	CHECK_OK(http_query(&r, "c", out, sizeof(out)));
	CHECK_BYTES(tacit_cstr(out), TACIT_STR(""));
	CHECK_ERR(http_query(&r, "b", out, sizeof(out)), TACIT_E_NOT_FOUND);
	CHECK_ERR(http_query(&r, "d", out, sizeof(out)), TACIT_E_MALFORMED);
	CHECK_ERR(http_query(&r, "e", out, sizeof(out)), TACIT_E_MALFORMED);
	CHECK_ERR(http_query(&r, "f", out, sizeof(out)), TACIT_E_TOO_LARGE);

	r.headers[0] = (struct http_header){TACIT_STR("Cookie"), TACIT_STR("sid2=no; sid=a=b;x")};
	r.headers[1] = (struct http_header){TACIT_STR("cookie"), TACIT_STR("y=z")};
	r.header_count = 2;
	CHECK_BYTES(http_cookie(&r, "sid"), TACIT_STR("a=b"));
	CHECK_BYTES(http_cookie(&r, "y"), TACIT_STR("z"));
	CHECK(http_cookie(&r, "x").p == NULL);
	CHECK(http_cookie(&r, "si").p == NULL);
}

static enum tacit_err make_response(void)
{
	struct http_response *r = http_response_new(200);
	if (r == NULL)
		return TACIT_E_NOMEM;
	enum tacit_err err = http_response_header(r, "X-Name", "value");
	if (err == TACIT_OK)
		err = http_response_header(r, "X-Empty", "");
	if (err == TACIT_OK)
		CHECK_BYTES(
		        tacit_buf_view(&r->headers), TACIT_STR("X-Name: value\r\nX-Empty: \r\n"));
	http_response_free(r);
	return err;
}

static void response_headers_cannot_be_split(void)
{
	struct http_response *r = http_response_new(200);
	REQUIRE(r != NULL);
	CHECK_ERR(http_response_header(r, "X", "a\r\nSet-Cookie: b"), TACIT_E_MALFORMED);
	CHECK_ERR(http_response_header(r, "X", "a\nb"), TACIT_E_MALFORMED);
	CHECK_ERR(http_response_header(r, "X: y", "a"), TACIT_E_MALFORMED);
	CHECK_ERR(http_response_header(r, "", "a"), TACIT_E_MALFORMED);
	CHECK_INT(r->headers.n, 0);
	http_response_free(r);
	tap_alloc_sweep(make_response);
}

static bool parses(const char *text)
{
	struct sockaddr_storage a;
	return net_address_parse(tacit_cstr(text), &a);
}

static void addresses_and_prefixes_are_parsed(void)
{
	struct net_prefix p;
	struct sockaddr_storage a;
	CHECK(parses("127.0.0.1") && parses("127.0.0.1:80") && parses("::1") && parses("[::1]:80"));
	CHECK(!parses("") && !parses("127.0.0") && !parses("127.0.0.1:") && !parses("[::1"));
	CHECK(!parses("127.0.0.1:65536") && !parses("unknown") && !parses("[::1]x"));
	CHECK_OK(net_prefix_parse("10.1.128.0/17", &p));
	REQUIRE(net_address_parse(TACIT_STR("10.1.200.3"), &a));
	CHECK(net_prefixes_contain(&p, 1, &a));
	REQUIRE(net_address_parse(TACIT_STR("10.1.100.3"), &a));
	CHECK(!net_prefixes_contain(&p, 1, &a));
	REQUIRE(net_address_parse(TACIT_STR("::ffff:10.1.200.3"), &a));
	CHECK(!net_prefixes_contain(&p, 1, &a));
	net_address_unmap(&a);
	CHECK(net_prefixes_contain(&p, 1, &a));
	CHECK_ERR(net_prefix_parse("10.0.0.0/33", &p), TACIT_E_USAGE);
	CHECK_ERR(net_prefix_parse("10.0.0.0/", &p), TACIT_E_USAGE);
	CHECK_ERR(net_prefix_parse("ten", &p), TACIT_E_USAGE);
}

/* The client as the server sees it behind these headers; "tls " before it when encrypted. */
static bool client_is(const char *peer, const char *forwarded, const char *proto, const char *want)
{
	static struct net_prefix trusted[2];
	struct net_settings s = {.proxies = trusted, .proxy_count = 2};
	struct http_request r = {0};
	struct sockaddr_storage expected;
	bool tls = strncmp(want, "tls ", 4) == 0;
	CHECK_OK(net_prefix_parse("10.0.0.0/8", &trusted[0]));
	CHECK_OK(net_prefix_parse("::1", &trusted[1]));
	CHECK(net_address_parse(tacit_cstr(peer), &r.peer));
	CHECK(net_address_parse(tacit_cstr(tls ? want + 4 : want), &expected));
	r.headers[0] = (struct http_header){TACIT_STR("X-Forwarded-For"), tacit_cstr(forwarded)};
	r.headers[1] = (struct http_header){TACIT_STR("x-forwarded-proto"), tacit_cstr(proto)};
	r.header_count = 2;
	net_proxy_apply(&s, &r);
	return r.tls == tls && memcmp(&r.peer, &expected, sizeof(expected)) == 0;
}

static void only_trusted_proxies_are_believed(void)
{
	CHECK(client_is("192.0.2.9", "1.2.3.4", "https", "192.0.2.9"));
	CHECK(client_is("10.0.0.1", "1.2.3.4", "https", "tls 1.2.3.4"));
	CHECK(client_is("10.0.0.1", "6.6.6.6, 1.2.3.4", "http", "1.2.3.4"));
	CHECK(client_is("10.0.0.1", "6.6.6.6, 1.2.3.4 , 10.9.9.9,", "", "1.2.3.4"));
	CHECK(client_is("10.0.0.1", "6.6.6.6, bogus, 10.9.9.9", "", "10.9.9.9"));
	CHECK(client_is("10.0.0.1", "", "http, https", "tls 10.0.0.1"));
	CHECK(client_is("::1", "::ffff:1.2.3.4", "https, http", "1.2.3.4"));
	CHECK(client_is("::1", "[2001:db8::7]:443", "", "[2001:db8::7]:443"));
}

static void connections_are_counted_by_address(void)
{
	struct net_peers *p;
	struct sockaddr_storage a;
	char text[40];
	CHECK_OK(net_peers_new(512, 2, &p));
	for (unsigned round = 0; round < 3; round++)
		for (unsigned i = 0; i < 256; i++) {
			snprintf(text, sizeof(text), "10.0.%u.%u", i / 16, i);
			REQUIRE(net_address_parse(tacit_cstr(text), &a));
			CHECK(net_peers_enter(p, &a) == (round < 2));
		}
	for (unsigned i = 0; i < 256; i += 2) { /* holes among colliding runs */
		snprintf(text, sizeof(text), "10.0.%u.%u", i / 16, i);
		REQUIRE(net_address_parse(tacit_cstr(text), &a));
		net_peers_leave(p, &a);
		net_peers_leave(p, &a);
	}
	for (unsigned i = 0; i < 256; i++) {
		snprintf(text, sizeof(text), "10.0.%u.%u", i / 16, i);
		REQUIRE(net_address_parse(tacit_cstr(text), &a));
		CHECK(net_peers_enter(p, &a) == (i % 2 == 0));
	}
	REQUIRE(net_address_parse(TACIT_STR("2001:db8:1:2::1"), &a));
	CHECK(net_peers_enter(p, &a));
	REQUIRE(net_address_parse(TACIT_STR("2001:db8:1:2:ffff::9"), &a));
	CHECK(net_peers_enter(p, &a));
	CHECK(!net_peers_enter(p, &a));
	net_peers_free(p);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"a request is taken apart", a_request_is_taken_apart},
	        {"each method is known", each_method_is_known},
	        {"request lines are strict", request_lines_are_strict},
	        {"header lines are strict", header_lines_are_strict},
	        {"each character of a value counts", each_character_of_a_value_counts},
	        {"host is there once", host_is_there_once},
	        {"framing is never ambiguous", framing_is_never_ambiguous},
	        {"connection and expect are read", connection_and_expect_are_read},
	        {"heads are bounded", heads_are_bounded},
	        {"chunks are joined", chunks_are_joined},
	        {"bad chunks are refused", bad_chunks_are_refused},
	        {"queries and cookies are found", queries_and_cookies_are_found},
	        {"response headers cannot be split", response_headers_cannot_be_split},
	        {"addresses and prefixes are parsed", addresses_and_prefixes_are_parsed},
	        {"only trusted proxies are believed", only_trusted_proxies_are_believed},
	        {"connections are counted by address", connections_are_counted_by_address},
	};
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
