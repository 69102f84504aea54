/* What is read without a tree, a tree of it says, too. */
#include <stdlib.h>
#include <string.h>

#include "wire/flat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_same(const struct tacit_flat_member *m, const json_t *object)
{
	char name[256];
	if (m->name.n >= sizeof(name))
		return true;
	memcpy(name, m->name.p, m->name.n);
	name[m->name.n] = '\0';
	const json_t *value = json_object_get(object, name);
	switch (m->type) {
	case TACIT_FLAT_TEXT:
		return json_is_string(value) &&
		       tacit_bytes_eq(m->text,
		               tacit_bytes(json_string_value(value), json_string_length(value)));
	case TACIT_FLAT_INTEGER:
		return json_is_integer(value) && json_integer_value(value) == m->integer;
	case TACIT_FLAT_NULL:
		return json_is_null(value);
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tacit_flat f;
	json_t *tree = NULL;
	if (!tacit_flat_read(tacit_bytes(data, size), &f))
		return 0;
	if (tacit_json_parse(tacit_bytes(data, size), &tree) != TACIT_OK)
		abort();
	const json_t *name = json_array_get(tree, 0), *object = json_array_get(tree, 1);
	if (json_array_size(tree) != 2 || json_object_size(object) != f.count ||
	        !tacit_bytes_eq(
	                f.name, tacit_bytes(json_string_value(name), json_string_length(name))))
		abort();
	for (size_t i = 0; i < f.count; i++)
		if (!is_same(&f.members[i], object))
			abort();
	json_decref(tree);
	return 0;
}
