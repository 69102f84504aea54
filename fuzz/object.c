/* Of a body that is read where it stands, a tree says the same; around it, it has no say. */
#include "server/api/object.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "wire/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_same(const struct api_object *flat, const struct api_object *tree, const char *name)
{
	struct tacit_bytes a, b;
	int64_t n = 0, m = 0;
	const json_t *list;
	enum tacit_err err = api_object_text(flat, name, TACIT_OPTIONAL, SIZE_MAX, &a);
	if (err != api_object_text(tree, name, TACIT_OPTIONAL, SIZE_MAX, &b) ||
	        !tacit_bytes_eq(a, b) || (a.p == NULL) != (b.p == NULL))
		return false;
	err = api_object_integer(flat, name, TACIT_OPTIONAL, 0, &n);
	if (err != api_object_integer(tree, name, TACIT_OPTIONAL, 0, &m) || n != m)
		return false;
	err = api_object_array(flat, name, TACIT_OPTIONAL, &list);
	return err == api_object_array(tree, name, TACIT_OPTIONAL, &list) && list == NULL &&
	       api_object_has(flat, name) && api_object_has(tree, name);
}

static void compare(struct tacit_bytes body, const struct tacit_flat *flat)
{
	json_t *json = NULL;
	const char *name;
	json_t *value;
	if (tacit_json_parse(body, &json) != TACIT_OK || !json_is_object(json) ||
	        json_object_size(json) != flat->count)
		abort();
	const struct api_object a = {.flat = flat}, b = {.tree = json};
	json_object_foreach(json, name, value)
	{
		if (!is_same(&a, &b, name))
			abort();
	}
	json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tacit_flat flat;
	size_t before = sizeof(API_OBJECT_BEFORE) - 1, after = sizeof(API_OBJECT_AFTER) - 1;
	uint8_t *room = tacit_alloc(before + size + after);
	if (room == NULL)
		return 0;
	memcpy(room, API_OBJECT_BEFORE, before);
	if (size > 0)
		memcpy(room + before, data, size);
	memcpy(room + before + size, API_OBJECT_AFTER, after);
	struct tacit_bytes body = tacit_bytes(room + before, size);
	if (api_object_flat(body, &flat))
		compare(body, &flat);
	tacit_free(room);
	return 0;
}
