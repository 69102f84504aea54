#include "server/api/names.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "wire/names.h"

void api_names_clear(struct api_names *n)
{
	tacit_free(n->ids);
	*n = (struct api_names){0};
}

void api_names_remove(struct api_names *n, int64_t id)
{
	size_t kept = 0;
	for (size_t i = 0; i < n->count; i++)
		if (n->ids[i] != id)
			n->ids[kept++] = n->ids[i];
	n->count = kept;
}

static enum tacit_err refuse_name(struct api_call *c, const char *name)
{
	(void)snprintf(c->detail, sizeof(c->detail), "There is no user \"%s\".", name);
	return api_refuse(c, API_USER_NOT_FOUND);
}

enum tacit_err api_names_add(
        struct api_call *c, struct store *store, struct tacit_bytes name, struct api_names *out)
{
	char text[TACIT_MAX_USERNAME + 1] = "";
	struct store_user user;
	if (!tacit_username_valid(name))
		return api_refuse(c, API_USER_NOT_FOUND);
	memcpy(text, name.p, name.n);
	enum tacit_err err = store->ops->user_by_name(store, text, &user);
	if (err == TACIT_E_NOT_FOUND || (err == TACIT_OK && user.disabled))
		return refuse_name(c, text);
	if (err != TACIT_OK)
		return err;
	api_names_remove(out, user.id);
	int64_t *ids = tacit_realloc(out->ids, (out->count + 1) * sizeof(*ids));
	if (ids == NULL)
		return TACIT_E_NOMEM;
	out->ids = ids;
	out->ids[out->count++] = user.id;
	return TACIT_OK;
}

enum tacit_err api_names_resolve(struct api_call *c, struct store *store, const char *member,
        enum tacit_presence presence, struct api_names *out)
{
	const json_t *array;
	enum tacit_err err = api_object_array(&c->data, member, presence, &array);
	if (err != TACIT_OK)
		return api_refuse_member(c, API_INVALID_FIELD, member);
	if (json_array_size(array) > c->api->settings.max_participants)
		return api_refuse(c, API_TOO_MANY);
	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *name = json_array_get(array, i);
		if (!json_is_string(name))
			return api_refuse_member(c, API_INVALID_FIELD, member);
		TRY(api_names_add(c, store,
		        tacit_bytes(json_string_value(name), json_string_length(name)), out));
	}
out:
	return err;
}
