#include "wire/flat.h"

#include <string.h>

#include "base/utf8.h"
#include "wire/limits.h"

#define MAX_DIGITS 18 /* fit 64 bits whatever they are */

struct cursor {
	struct tacit_bytes text;
	size_t at;
};

static void skip_space(struct cursor *c)
{
	while (c->at < c->text.n && (c->text.p[c->at] == ' ' || c->text.p[c->at] == '\t' ||
	                                    c->text.p[c->at] == '\n' || c->text.p[c->at] == '\r'))
		c->at++;
}

static bool take(struct cursor *c, char wanted)
{
	skip_space(c);
	if (c->at == c->text.n || c->text.p[c->at] != (uint8_t)wanted)
		return false;
	c->at++;
	return true;
}

/* RFC 8259 7, without escapes. */
static bool read_text(struct cursor *c, struct tacit_bytes *out)
{
	if (!take(c, '"'))
		return false;
	const uint8_t *from = c->text.p + c->at;
	const uint8_t *end = memchr(from, '"', c->text.n - c->at);
	if (end == NULL)
		return false;
	*out = tacit_bytes(from, (size_t)(end - from));
	c->at += out->n + 1;
	unsigned odd = 0; /* to its end, so that many bytes are looked at together */
	for (size_t i = 0; i < out->n; i++)
		odd |= (from[i] < 0x20) | (from[i] == '\\');
	return odd == 0 && tacit_utf8_valid(*out);
}

/* RFC 8259 6, whole numbers; "-0" is not for us. */
static bool read_integer(struct cursor *c, int64_t *out)
{
	bool negative = c->text.p[c->at] == '-';
	size_t from = c->at += negative ? 1 : 0;
	*out = 0;
	for (; c->at < c->text.n && c->at - from <= MAX_DIGITS; c->at++) {
		uint8_t digit = (uint8_t)(c->text.p[c->at] - '0');
		if (digit > 9)
			break;
		*out = *out * 10 + digit;
	}
	size_t digits = c->at - from;
	if (digits == 0 || digits > MAX_DIGITS ||
	        (c->text.p[from] == '0' && (digits > 1 || negative)))
		return false;
	if (negative)
		*out = -*out;
	/* A fraction or an exponent begins with what nothing else may begin with here. */
	return c->at < c->text.n;
}

static bool read_null(struct cursor *c)
{
	static const char word[] = "null";
	size_t n = sizeof(word) - 1;
	if (c->text.n - c->at < n || memcmp(c->text.p + c->at, word, n) != 0)
		return false;
	c->at += n;
	return true;
}

static bool read_value(struct cursor *c, struct tacit_flat_member *m)
{
	skip_space(c);
	if (c->at == c->text.n)
		return false;
	switch (c->text.p[c->at]) {
	case '"':
		m->type = TACIT_FLAT_TEXT;
		return read_text(c, &m->text);
	case 'n':
		m->type = TACIT_FLAT_NULL;
		return read_null(c);
	default:
		m->type = TACIT_FLAT_INTEGER;
		return read_integer(c, &m->integer);
	}
}

static bool is_new(const struct tacit_flat *f, struct tacit_bytes name)
{
	for (size_t i = 0; i < f->count; i++)
		if (tacit_bytes_eq(f->members[i].name, name))
			return false;
	return true;
}

static bool read_members(struct cursor *c, struct tacit_flat *f)
{
	if (take(c, '}'))
		return true;
	do {
		if (f->count == TACIT_FLAT_MEMBERS)
			return false;
		struct tacit_flat_member *m = &f->members[f->count];
		*m = (struct tacit_flat_member){0};
		if (!read_text(c, &m->name) || m->name.n == 0 || !is_new(f, m->name) ||
		        !take(c, ':') || !read_value(c, m))
			return false;
		f->count++;
	} while (take(c, ','));
	return take(c, '}');
}

bool tacit_flat_read(struct tacit_bytes text, struct tacit_flat *out)
{
	struct cursor c = {text, 0};
	out->count = 0;
	if (text.n > TACIT_MAX_JSON_BODY || !take(&c, '[') || !read_text(&c, &out->name) ||
	        !take(&c, ',') || !take(&c, '{') || !read_members(&c, out) || !take(&c, ']'))
		return false;
	skip_space(&c);
	return c.at == text.n;
}

const struct tacit_flat_member *tacit_flat_find(const struct tacit_flat *f, const char *name)
{
	for (size_t i = 0; i < f->count; i++)
		if (tacit_bytes_eq(f->members[i].name, tacit_cstr(name)))
			return &f->members[i];
	return NULL;
}

/* NULL when it is not there; *err says whether that is an error. */
static const struct tacit_flat_member *member(const struct tacit_flat *f, const char *name,
        enum tacit_presence presence, enum tacit_err *err)
{
	const struct tacit_flat_member *m = tacit_flat_find(f, name);
	if (m != NULL && m->type == TACIT_FLAT_NULL)
		m = NULL;
	*err = m == NULL && presence == TACIT_REQUIRED ? TACIT_E_MALFORMED : TACIT_OK;
	return m;
}

enum tacit_err tacit_flat_text(const struct tacit_flat *f, const char *name,
        enum tacit_presence presence, size_t max, struct tacit_bytes *out)
{
	enum tacit_err err;
	*out = tacit_bytes(NULL, 0);
	const struct tacit_flat_member *m = member(f, name, presence, &err);
	if (m == NULL)
		return err;
	if (m->type != TACIT_FLAT_TEXT)
		return TACIT_E_MALFORMED;
	if (m->text.n > max)
		return TACIT_E_TOO_LARGE;
	*out = m->text;
	return TACIT_OK;
}

enum tacit_err tacit_flat_integer(const struct tacit_flat *f, const char *name,
        enum tacit_presence presence, int64_t min, int64_t max, int64_t *out)
{
	enum tacit_err err;
	const struct tacit_flat_member *m = member(f, name, presence, &err);
	if (m == NULL)
		return err;
	if (m->type != TACIT_FLAT_INTEGER || m->integer < min || m->integer > max)
		return TACIT_E_MALFORMED;
	*out = m->integer;
	return TACIT_OK;
}
