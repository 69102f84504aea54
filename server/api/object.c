#include "server/api/object.h"

#include "wire/limits.h"

bool api_object_flat(struct tacit_bytes body, struct tacit_flat *out)
{
	size_t before = sizeof(API_OBJECT_BEFORE) - 1, after = sizeof(API_OBJECT_AFTER) - 1;
	return tacit_flat_read(tacit_bytes(body.p - before, before + body.n + after), out);
}

bool api_object_has(const struct api_object *b, const char *name)
{
	return b->flat != NULL ? tacit_flat_find(b->flat, name) != NULL
	                       : json_object_get(b->tree, name) != NULL;
}

enum tacit_err api_object_text(const struct api_object *b, const char *name,
        enum tacit_presence presence, size_t max, struct tacit_bytes *out)
{
	return b->flat != NULL ? tacit_flat_text(b->flat, name, presence, max, out)
	                       : tacit_json_text(b->tree, name, presence, max, out);
}

enum tacit_err api_object_integer(const struct api_object *b, const char *name,
        enum tacit_presence presence, int64_t min, int64_t *out)
{
	int64_t max = TACIT_MAX_INTEGER;
	return b->flat != NULL ? tacit_flat_integer(b->flat, name, presence, min, max, out)
	                       : tacit_json_integer(b->tree, name, presence, min, max, out);
}

static bool is_missing(const struct api_object *b, const char *name)
{
	if (b->flat == NULL) {
		const json_t *value = json_object_get(b->tree, name);
		return value == NULL || json_is_null(value);
	}
	const struct tacit_flat_member *m = tacit_flat_find(b->flat, name);
	return m == NULL || m->type == TACIT_FLAT_NULL;
}

enum tacit_err api_object_array(const struct api_object *b, const char *name,
        enum tacit_presence presence, const json_t **out)
{
	*out = NULL;
	if (is_missing(b, name))
		return presence == TACIT_OPTIONAL ? TACIT_OK : TACIT_E_MALFORMED;
	const json_t *value = json_object_get(b->tree, name); /* in a flat one there is none */
	if (!json_is_array(value))
		return TACIT_E_MALFORMED;
	*out = value;
	return TACIT_OK;
}
