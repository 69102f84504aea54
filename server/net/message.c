/* message.c - what the application asks of a request, and the answer that it makes. */
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "server/net/http1.h"

struct tacit_bytes http_header(const struct http_request *r, const char *name)
{
	size_t length = strlen(name);
	for (size_t i = 0; i < r->header_count; i++) {
		const struct http_header *h = &r->headers[i];
		if (h->name.n != length)
			continue;
		size_t k = 0;
		/* Tokens: bit 5 is the case of letters, and joins no two other token characters
		 * but ^ and ~, | and \, which stand in no name that is asked for. */
		while (k < length && (h->name.p[k] | 0x20) == ((uint8_t)name[k] | 0x20))
			k++;
		if (k == length)
			return h->value;
	}
	return tacit_bytes(NULL, 0);
}

/* application/x-www-form-urlencoded, as URLSearchParams writes it. */
static enum tacit_err decode(struct tacit_bytes text, char *out, size_t room)
{
	size_t n = 0;
	for (size_t i = 0; i < text.n; i++) {
		int c = text.p[i] == '+' ? ' ' : text.p[i];
		if (c == '%') {
			if (text.n - i < 3)
				return TACIT_E_MALFORMED;
			int high = http1_hex_digit(text.p[i + 1]),
			    low = http1_hex_digit(text.p[i + 2]);
			if (high < 0 || low < 0)
				return TACIT_E_MALFORMED;
			c = high * 16 + low;
			i += 2;
		}
		if (c == 0) /* would cut the text short for its reader */
			return TACIT_E_MALFORMED;
		if (n + 1 >= room)
			return TACIT_E_TOO_LARGE;
		out[n++] = (char)c;
	}
	out[n] = 0;
	return TACIT_OK;
}

/* The next of the parts between separators; false when none is left. */
static bool next_part(struct tacit_bytes *rest, char separator, struct tacit_bytes *part)
{
	if (rest->n == 0)
		return false;
	const uint8_t *at = memchr(rest->p, separator, rest->n);
	size_t n = at != NULL ? (size_t)(at - rest->p) : rest->n;
	*part = tacit_bytes(rest->p, n);
	*rest = tacit_bytes_part(*rest, n + 1, rest->n);
	return true;
}

/* The value, when part reads name=value. */
static bool value_of(struct tacit_bytes part, struct tacit_bytes name, struct tacit_bytes *value)
{
	bool bare = part.n == name.n;
	if (part.n < name.n || (!bare && part.p[name.n] != '='))
		return false;
	if (!tacit_bytes_eq(tacit_bytes_part(part, 0, name.n), name))
		return false;
	*value = tacit_bytes_part(part, name.n + 1, part.n);
	return true;
}

enum tacit_err http_query(const struct http_request *r, const char *name, char *out, size_t room)
{
	struct tacit_bytes rest = r->query, part, value;
	if (room == 0)
		return TACIT_E_TOO_LARGE;
	out[0] = 0;
	while (next_part(&rest, '&', &part))
		if (value_of(part, tacit_cstr(name), &value))
			return decode(value, out, room);
	return TACIT_E_NOT_FOUND;
}

static bool cookie_in(struct tacit_bytes list, struct tacit_bytes name, struct tacit_bytes *value)
{
	struct tacit_bytes part;
	while (next_part(&list, ';', &part)) {
		while (part.n > 0 && part.p[0] == ' ')
			part = tacit_bytes_part(part, 1, part.n);
		if (part.n > name.n && value_of(part, name, value))
			return true;
	}
	return false;
}

struct tacit_bytes http_cookie(const struct http_request *r, const char *name)
{
	struct tacit_bytes value;
	for (size_t i = 0; i < r->header_count; i++)
		if (http1_is(r->headers[i].name, "cookie") &&
		        cookie_in(r->headers[i].value, tacit_cstr(name), &value))
			return value;
	return tacit_bytes(NULL, 0);
}

struct http_response *http_response_new(int status)
{
	struct http_response *r = tacit_calloc(1, sizeof(*r));
	if (r == NULL)
		return NULL;
	r->status = status;
	r->file = -1;
	return r;
}

void http_response_free(struct http_response *r)
{
	if (r == NULL)
		return;
	if (r->taker.take != NULL)
		r->taker.take(r->taker.ctx, NULL);
	tacit_buf_clear(&r->headers);
	tacit_buf_clear(&r->body);
	if (r->file >= 0)
		close(r->file);
	tacit_free(r);
}

enum tacit_err http_response_header(struct http_response *r, const char *name, const char *value)
{
	struct tacit_bytes n = tacit_cstr(name), v = tacit_cstr(value);
	if (!http1_is_token(n))
		return TACIT_E_MALFORMED;
	for (size_t i = 0; i < v.n; i++)
		if ((v.p[i] < 0x20 && v.p[i] != '\t') || v.p[i] == 0x7f)
			return TACIT_E_MALFORMED;
	enum tacit_err err = tacit_buf_reserve(&r->headers, n.n + v.n + 4);
	if (err != TACIT_OK)
		return err;
	uint8_t *p = r->headers.p + r->headers.n;
	memcpy(p, n.p, n.n);
	memcpy(p + n.n, ": ", 2);
	if (v.n > 0)
		memcpy(p + n.n + 2, v.p, v.n);
	memcpy(p + n.n + 2 + v.n, "\r\n", 2);
	r->headers.n += n.n + v.n + 4;
	return TACIT_OK;
}
