#include "server/api/route.h"

#include <string.h>

#include "crypto/encoding.h"
#include "wire/names.h"

static const char *const method_names[HTTP_METHOD_COUNT] = {
        [HTTP_GET] = "GET",
        [HTTP_HEAD] = "HEAD",
        [HTTP_POST] = "POST",
        [HTTP_PUT] = "PUT",
        [HTTP_PATCH] = "PATCH",
        [HTTP_DELETE] = "DELETE",
        [HTTP_OPTIONS] = "OPTIONS",
};

const char *api_method_name(enum http_method method)
{
	return method_names[method];
}

static bool read_number(struct tacit_bytes text, int64_t *out)
{
	int64_t value = 0;
	if (text.n == 0 || text.n > 16 || text.p[0] == '0')
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		value = value * 10 + (text.p[i] - '0');
	}
	*out = value;
	return value <= TACIT_MAX_INTEGER;
}

static bool read_hex(struct tacit_bytes text, char out[STORE_FILE_ID_CHARS + 1])
{
	uint8_t raw[STORE_FILE_ID_CHARS / 2];
	if (text.n != STORE_FILE_ID_CHARS || tacit_unhex(text, raw, sizeof(raw)) != TACIT_OK)
		return false;
	tacit_hex(tacit_bytes(raw, sizeof(raw)), out);
	return true;
}

/* User names need no percent-encoding: what is not a valid name is nobody's. */
static bool read_username(struct tacit_bytes text, char out[TACIT_MAX_USERNAME + 1])
{
	if (!tacit_username_valid(text))
		return false;
	memcpy(out, text.p, text.n);
	out[text.n] = '\0';
	return true;
}

static bool read_asset(struct tacit_bytes text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < '-' || text.p[i] > 'z')
			return false;
	return text.n > 0 && text.n <= API_MAX_ASSET_NAME;
}

static bool read_variable(struct tacit_bytes name, struct tacit_bytes text, struct api_path *out)
{
	if (tacit_bytes_eq(name, TACIT_STR("{id}")))
		return read_number(text, &out->id);
	if (tacit_bytes_eq(name, TACIT_STR("{username}")))
		return read_username(text, out->username);
	if (tacit_bytes_eq(name, TACIT_STR("{asset}")))
		return read_asset(text);
	return read_hex(text, out->file);
}

static struct tacit_bytes segment(struct tacit_bytes path, size_t from)
{
	const uint8_t *end = from < path.n ? memchr(path.p + from, '/', path.n - from) : NULL;
	size_t stop = end != NULL ? (size_t)(end - path.p) : path.n;
	return tacit_bytes_part(path, from, stop - from);
}

bool api_path_match(const char *pattern, struct tacit_bytes path, struct api_path *out)
{
	struct api_path ignored;
	struct tacit_bytes want = tacit_cstr(pattern);
	size_t w = 0, p = 0;
	if (out == NULL)
		out = &ignored;
	while (w < want.n && p < path.n) {
		if (want.p[w] != '{') {
			if (want.p[w++] != path.p[p++])
				return false;
			continue;
		}
		struct tacit_bytes name = segment(want, w), text = segment(path, p);
		if (!read_variable(name, text, out))
			return false;
		w += name.n;
		p += text.n;
	}
	return w == want.n && p == path.n;
}

static const struct api_route *find(enum http_method method, struct tacit_bytes path)
{
	for (size_t i = 0; i < api_route_count; i++)
		if (api_routes[i].method == method &&
		        api_path_match(api_routes[i].pattern, path, NULL))
			return &api_routes[i];
	return NULL;
}

const struct api_route *api_route_find(enum http_method method, struct tacit_bytes path)
{
	const struct api_route *r = find(method, path);
	return r == NULL && method == HTTP_HEAD ? find(HTTP_GET, path) : r;
}

unsigned api_route_methods(struct tacit_bytes path)
{
	unsigned allowed = 0;
	for (int m = 0; m < HTTP_METHOD_COUNT; m++)
		if (api_route_find((enum http_method)m, path) != NULL)
			allowed |= 1u << m;
	return allowed;
}
