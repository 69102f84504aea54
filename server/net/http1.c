#include "server/net/http1.h"

#include <string.h>

/* Sets of ASCII characters, one bit each; nothing above 0x7f is in any. */
struct char_set {
	uint64_t half[2];
};
/* RFC 9110 5.6.2: letters, digits and !#$%&'*+-.^_`|~ */
static const struct char_set token_chars = {{0x3ff6cfa00000000, 0x57ffffffc7fffffe}};
/* All visible characters but # " < > and the backslash, which no client has to send raw. */
static const struct char_set target_chars = {{0xaffffff200000000, 0x7fffffffefffffff}};
/* RFC 3986 3.2.2 and 3.2.3: a host and a port, without user information. */
static const struct char_set host_chars = {{0x2fff7ff200000000, 0x47fffffeaffffffe}};

static bool in_set(const struct char_set *set, uint8_t c)
{
	return c < 128 && (set->half[c >> 6] >> (c & 63) & 1) != 0;
}

static bool all_in_set(const struct char_set *set, struct tacit_bytes text)
{
	for (size_t i = 0; i < text.n; i++)
		if (!in_set(set, text.p[i]))
			return false;
	return true;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* RFC 9110 5.5: visible characters, obs-text and blanks. */
static bool is_value_char(uint8_t c)
{
	return (c >= 0x20 && c != 0x7f) || c == '\t';
}

/* Eight at a time while all are from 0x20 to 0x7e, as they nearly always are. */
static bool is_value(struct tacit_bytes text)
{
	const uint64_t ones = 0x0101010101010101, high = 0x80 * ones;
	size_t i = 0;
	for (uint64_t eight; text.n - i >= sizeof(eight); i += sizeof(eight)) {
		memcpy(&eight, text.p + i, sizeof(eight));
		uint64_t below = ~((eight | high) - 0x20 * ones), above = (eight + ones) | eight;
		if (((below | above) & high) != 0)
			break;
	}
	while (i < text.n && is_value_char(text.p[i]))
		i++;
	return i == text.n;
}

bool http1_is_token(struct tacit_bytes text)
{
	return text.n > 0 && all_in_set(&token_chars, text);
}

bool http1_is(struct tacit_bytes text, const char *lower)
{
	size_t i = 0;
	for (; i < text.n && lower[i] != 0; i++) {
		uint8_t c = text.p[i];
		if (c >= 'A' && c <= 'Z')
			c = (uint8_t)(c | 0x20);
		if (c != (uint8_t)lower[i])
			return false;
	}
	return i == text.n && lower[i] == 0;
}

static struct tacit_bytes skip(struct tacit_bytes b, size_t n)
{
	return tacit_bytes(b.p + n, b.n - n);
}

static struct tacit_bytes trim(struct tacit_bytes b)
{
	while (b.n > 0 && is_blank(b.p[0]))
		b = skip(b, 1);
	while (b.n > 0 && is_blank(b.p[b.n - 1]))
		b.n--;
	return b;
}

/* What stands before the first c is split off *rest, and c itself dropped. False: no c. */
static bool split(struct tacit_bytes *rest, char c, struct tacit_bytes *before)
{
	const uint8_t *at = rest->n > 0 ? memchr(rest->p, c, rest->n) : NULL;
	if (at == NULL)
		return false;
	*before = tacit_bytes(rest->p, (size_t)(at - rest->p));
	*rest = skip(*rest, before->n + 1);
	return true;
}

bool http1_list_next(struct tacit_bytes *list, struct tacit_bytes *element)
{
	while (list->n > 0) {
		if (!split(list, ',', element)) {
			*element = *list;
			*list = tacit_bytes(NULL, 0);
		}
		*element = trim(*element);
		if (element->n > 0)
			return true;
	}
	return false;
}

static enum http1_result refuse(int *status, int why)
{
	*status = why;
	return HTTP1_REFUSED;
}

enum http1_result http1_find_end(
        struct tacit_bytes in, struct http1_scan *s, size_t *bytes, int *status)
{
	*bytes = 0;
	*status = 0;
	/* One empty line before a request is forgiven (RFC 9112 2.2); anything but a method after
	 * it is refused at once, a TLS hello on the plain port for one. */
	size_t lead = in.n >= 2 && in.p[0] == '\r' && in.p[1] == '\n' ? 2 : 0;
	if (in.n > lead && (in.p[lead] < 'A' || in.p[lead] > 'Z') &&
	        !(in.n == 1 && in.p[0] == '\r'))
		return refuse(status, 400);
	struct tacit_bytes fresh = skip(in, s->seen);
	struct tacit_bytes line;
	while (split(&fresh, '\n', &line)) {
		size_t end = (size_t)(fresh.p - in.p); /* after the LF */
		size_t length = end - s->line;
		if (end > HTTP_MAX_HEAD_BYTES)
			return refuse(status, 431);
		if (length < 2 || in.p[end - 2] != '\r')
			return refuse(status, 400);
		bool empty = length == 2 && s->line >= lead;
		s->line = end;
		s->seen = end;
		if (empty) {
			*bytes = end;
			return HTTP1_DONE;
		}
	}
	s->seen = in.n;
	return in.n >= HTTP_MAX_HEAD_BYTES ? refuse(status, 431) : HTTP1_MORE;
}

static int parse_method(struct tacit_bytes name, enum http_method *out)
{
	static const char *const methods[HTTP_METHOD_COUNT] = {
	        [HTTP_GET] = "GET",
	        [HTTP_HEAD] = "HEAD",
	        [HTTP_POST] = "POST",
	        [HTTP_PUT] = "PUT",
	        [HTTP_PATCH] = "PATCH",
	        [HTTP_DELETE] = "DELETE",
	        [HTTP_OPTIONS] = "OPTIONS",
	};
	for (unsigned i = 0; i < HTTP_METHOD_COUNT; i++)
		if (name.n == strlen(methods[i]) && memcmp(name.p, methods[i], name.n) == 0) {
			*out = (enum http_method)i;
			return 0;
		}
	return http1_is_token(name) ? 501 : 400;
}

static int parse_version(struct tacit_bytes text, unsigned *minor)
{
	if (text.n != 8 || memcmp(text.p, "HTTP/", 5) != 0 || text.p[6] != '.')
		return 400;
	if (text.p[5] < '0' || text.p[5] > '9' || text.p[7] < '0' || text.p[7] > '9')
		return 400;
	*minor = (unsigned)(text.p[7] - '0');
	return text.p[5] == '1' && *minor <= 1 ? 0 : 505;
}

static int parse_request_line(struct tacit_bytes line, struct http_request *r, unsigned *minor)
{
	struct tacit_bytes method, target;
	if (!split(&line, ' ', &method) || !split(&line, ' ', &target))
		return 400;
	int status = parse_method(method, &r->method);
	if (status != 0)
		return status;
	if (target.n == 0 || target.p[0] != '/' || !all_in_set(&target_chars, target))
		return 400;
	r->query = tacit_bytes(NULL, 0);
	r->path = target;
	if (split(&target, '?', &r->path))
		r->query = target;
	return parse_version(line, minor);
}

static int parse_field(struct tacit_bytes line, struct http_header *h)
{
	if (!split(&line, ':', &h->name) || !http1_is_token(h->name))
		return 400;
	if (!is_value(line))
		return 400;
	h->value = trim(line);
	return 0;
}

static int parse_content_length(struct tacit_bytes text, uint64_t *out)
{
	uint64_t n = 0;
	if (text.n == 0 || text.n > 18) /* below 10^18: no overflow, and no file is larger */
		return 400;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return 400;
		n = n * 10 + (uint64_t)(text.p[i] - '0');
	}
	*out = n;
	return 0;
}

/* The fields that frame the message, counted, so that doubles are seen. */
struct framing {
	unsigned hosts, lengths, codings;
};

static int note_field(const struct http_header *h, struct framing *f, struct http_request *r,
        struct http1_head *info)
{
	switch (h->name.n) {
	case 4:
		if (http1_is(h->name, "host") &&
		        (f->hosts++ > 0 || !all_in_set(&host_chars, h->value)))
			return 400;
		break;
	case 6:
		if (!http1_is(h->name, "expect"))
			break;
		if (!http1_is(h->value, "100-continue"))
			return 417;
		info->expect_continue = true;
		break;
	case 10:
		if (http1_is(h->name, "connection")) {
			struct tacit_bytes list = h->value, option;
			while (http1_list_next(&list, &option))
				info->close |= http1_is(option, "close");
		}
		break;
	case 14:
		if (http1_is(h->name, "content-length"))
			return f->lengths++ > 0
			               ? 400
			               : parse_content_length(h->value, &r->content_length);
		break;
	case 17:
		if (!http1_is(h->name, "transfer-encoding"))
			break;
		if (f->codings++ > 0)
			return 400;
		if (!http1_is(h->value, "chunked"))
			return 501;
		info->chunked = true;
		break;
	default:
		break;
	}
	return 0;
}

static bool take_line(struct tacit_bytes *rest, struct tacit_bytes *line)
{
	if (!split(rest, '\n', line) || line->n == 0 || line->p[line->n - 1] != '\r')
		return false;
	line->n--;
	return true;
}

int http1_parse_head(struct tacit_bytes head, struct http_request *r, struct http1_head *info)
{
	struct framing framing = {0};
	struct tacit_bytes line;
	unsigned minor = 0;
	*info = (struct http1_head){0};
	r->header_count = 0;
	r->content_length = 0;
	if (head.n >= 2 && head.p[0] == '\r' && head.p[1] == '\n')
		head = skip(head, 2);
	if (!take_line(&head, &line))
		return 400;
	int status = parse_request_line(line, r, &minor);
	while (status == 0) {
		if (!take_line(&head, &line))
			return 400;
		if (line.n == 0)
			break;
		if (r->header_count == HTTP_MAX_HEADERS)
			return 431;
		struct http_header *h = &r->headers[r->header_count];
		status = parse_field(line, h);
		if (status == 0)
			status = note_field(h, &framing, r, info);
		r->header_count++;
	}
	if (status != 0)
		return status;
	if (head.n != 0 || (minor == 1 && framing.hosts != 1))
		return 400;
	if (info->chunked && (framing.lengths > 0 || minor == 0))
		return 400;
	if (info->chunked)
		r->content_length = UINT64_MAX;
	if (minor == 0) {
		info->close = true;
		info->expect_continue = false; /* RFC 9110 10.1.1 */
	}
	return 0;
}

/* Enough for any size below 2^60, and for the few extensions that exist. */
#define MAX_SIZE_DIGITS 15
#define MAX_EXTENSION 128

int http1_hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (uint8_t)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum http1_chunk_state size_byte(struct http1_chunked *c, uint8_t byte)
{
	int digit = http1_hex_digit(byte);
	if (digit >= 0) {
		c->rest = c->rest << 4 | (uint64_t)digit;
		return ++c->digits <= MAX_SIZE_DIGITS ? HTTP1_CHUNK_SIZE : HTTP1_CHUNK_BAD;
	}
	if (c->digits == 0)
		return HTTP1_CHUNK_BAD;
	if (byte == ';')
		return HTTP1_CHUNK_EXTENSION;
	return byte == '\r' ? HTTP1_CHUNK_SIZE_LF : HTTP1_CHUNK_BAD;
}

/* The state after a byte that is not data. */
static enum http1_chunk_state framing_byte(struct http1_chunked *c, uint8_t byte)
{
	switch (c->state) {
	case HTTP1_CHUNK_SIZE:
		return size_byte(c, byte);
	case HTTP1_CHUNK_EXTENSION:
		if (byte == '\r')
			return HTTP1_CHUNK_SIZE_LF;
		return is_value_char(byte) && ++c->extra <= MAX_EXTENSION ? HTTP1_CHUNK_EXTENSION
		                                                          : HTTP1_CHUNK_BAD;
	case HTTP1_CHUNK_SIZE_LF:
		if (byte != '\n')
			return HTTP1_CHUNK_BAD;
		c->digits = 0;
		c->extra = 0;
		return c->rest > 0 ? HTTP1_CHUNK_DATA : HTTP1_CHUNK_LAST_CR;
	case HTTP1_CHUNK_DATA_CR:
		return byte == '\r' ? HTTP1_CHUNK_DATA_LF : HTTP1_CHUNK_BAD;
	case HTTP1_CHUNK_DATA_LF:
		return byte == '\n' ? HTTP1_CHUNK_SIZE : HTTP1_CHUNK_BAD;
	case HTTP1_CHUNK_LAST_CR:
		return byte == '\r' ? HTTP1_CHUNK_LAST_LF : HTTP1_CHUNK_BAD;
	case HTTP1_CHUNK_LAST_LF:
		return byte == '\n' ? HTTP1_CHUNK_DONE : HTTP1_CHUNK_BAD;
	default:
		return HTTP1_CHUNK_BAD;
	}
}

enum http1_result http1_chunked_next(
        struct http1_chunked *c, struct tacit_bytes *in, size_t room, struct tacit_bytes *data)
{
	*data = tacit_bytes(NULL, 0);
	while (in->n > 0 && c->state < HTTP1_CHUNK_DONE) {
		if (c->state == HTTP1_CHUNK_DATA) {
			size_t n = in->n < room ? in->n : room;
			n = n < c->rest ? n : (size_t)c->rest;
			*data = tacit_bytes(in->p, n);
			*in = skip(*in, n);
			c->rest -= n;
			if (c->rest == 0)
				c->state = HTTP1_CHUNK_DATA_CR;
			return HTTP1_MORE;
		}
		c->state = framing_byte(c, in->p[0]);
		*in = skip(*in, 1);
	}
	if (c->state == HTTP1_CHUNK_BAD)
		return HTTP1_REFUSED;
	return c->state == HTTP1_CHUNK_DONE ? HTTP1_DONE : HTTP1_MORE;
}
