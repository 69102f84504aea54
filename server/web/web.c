#include "server/web/web.h"

#include <string.h>
#include <strings.h>

const char *const web_coding_names[WEB_CODINGS] = {
        [WEB_IDENTITY] = "identity", [WEB_GZIP] = "gzip", [WEB_BROTLI] = "br"};

const struct web_file *web_find(const struct web_bundle *b, struct tacit_bytes path)
{
	for (size_t i = 0; b != NULL && i < b->count; i++)
		if (tacit_bytes_eq(path, tacit_cstr(b->files[i].path)))
			return &b->files[i];
	return NULL;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static struct tacit_bytes trimmed(struct tacit_bytes t)
{
	while (t.n > 0 && is_blank(t.p[0]))
		t = tacit_bytes_part(t, 1, t.n - 1);
	while (t.n > 0 && is_blank(t.p[t.n - 1]))
		t.n--;
	return t;
}

/* Cuts what stands before the first `at` off the front of rest. */
static struct tacit_bytes cut(struct tacit_bytes *rest, char at)
{
	const uint8_t *end = rest->n > 0 ? memchr(rest->p, at, rest->n) : NULL;
	size_t n = end != NULL ? (size_t)(end - rest->p) : rest->n;
	struct tacit_bytes first = tacit_bytes_part(*rest, 0, n);
	size_t over = end != NULL ? n + 1 : n;
	*rest = tacit_bytes_part(*rest, over, rest->n - over);
	return trimmed(first);
}

/* A weight of nothing but zeros: "q=0", "q=0.000" (RFC 9110 12.4.2). */
static bool refused(struct tacit_bytes parameters)
{
	struct tacit_bytes weight = cut(&parameters, ';');
	if (weight.n < 3 || (weight.p[0] != 'q' && weight.p[0] != 'Q') || weight.p[1] != '=')
		return false;
	for (size_t i = 2; i < weight.n; i++)
		if (weight.p[i] != '0' && weight.p[i] != '.')
			return false;
	return true;
}

static bool named(struct tacit_bytes name, const char *coding)
{
	return name.n == strlen(coding) && strncasecmp((const char *)name.p, coding, name.n) == 0;
}

enum web_coding web_choose(const struct web_file *f, struct tacit_bytes accept)
{
	bool allowed[WEB_CODINGS] = {0}, told[WEB_CODINGS] = {0}, others = false;
	while (accept.n > 0) {
		struct tacit_bytes item = cut(&accept, ',');
		struct tacit_bytes name = cut(&item, ';');
		bool yes = !refused(item);
		others |= yes && named(name, "*");
		for (size_t c = 0; c < WEB_CODINGS; c++)
			if (named(name, web_coding_names[c])) {
				allowed[c] = yes;
				told[c] = true;
			}
	}
	for (size_t c = WEB_CODINGS - 1; c > WEB_IDENTITY; c--)
		if (f->coded[c].p != NULL && (told[c] ? allowed[c] : others))
			return (enum web_coding)c;
	return WEB_IDENTITY;
}
