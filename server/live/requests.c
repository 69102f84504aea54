/* requests.c - a request that outlives its exchange: until a socket was accepted, the application
 * may ask for its cookies and headers. */
#include <string.h>

#include "base/alloc.h"
#include "server/live/home.h"

struct request_copy {
	struct http_request r;
	uint8_t text[];
};

static struct tacit_bytes keep(uint8_t **at, struct tacit_bytes b)
{
	struct tacit_bytes kept = tacit_bytes(b.p != NULL ? *at : NULL, b.n);
	if (b.n > 0)
		memcpy(*at, b.p, b.n);
	*at += b.n;
	return kept;
}

struct request_copy *request_copy(const struct http_request *r)
{
	size_t n = r->path.n + r->query.n;
	for (size_t i = 0; i < r->header_count; i++)
		n += r->headers[i].name.n + r->headers[i].value.n;
	struct request_copy *c = tacit_alloc(sizeof(*c) + n);
	if (c == NULL)
		return NULL;
	uint8_t *at = c->text;
	c->r = *r;
	c->r.body = tacit_bytes(NULL, 0);
	c->r.path = keep(&at, r->path);
	c->r.query = keep(&at, r->query);
	for (size_t i = 0; i < r->header_count; i++) {
		c->r.headers[i].name = keep(&at, r->headers[i].name);
		c->r.headers[i].value = keep(&at, r->headers[i].value);
	}
	return c;
}

const struct http_request *request_of(const struct request_copy *c)
{
	return &c->r;
}

bool request_is_at(const struct http_request *r, const char *path)
{
	size_t n = path != NULL ? strlen(path) : 0;
	if (path == NULL || r->path.n < n || memcmp(r->path.p, path, n) != 0)
		return false;
	return r->path.n == n || (r->path.n == n + 1 && r->path.p[n] == '/');
}

/* It holds cookies. */
void request_free(struct request_copy *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->r.header_count; i++)
		if (c->r.headers[i].value.n > 0)
			explicit_bzero((void *)(uintptr_t)c->r.headers[i].value.p,
			        c->r.headers[i].value.n);
	tacit_free(c);
}
