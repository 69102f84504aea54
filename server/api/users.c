/* users.c - POST /api/me and the directory. */
#include <string.h>

#include "crypto/encoding.h"
#include "server/api/devices.h"
#include "server/api/handlers.h"
#include "server/api/sessions.h"

#define SEARCH_LIMIT 50

enum tacit_err api_me(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct api_json w;
	struct store_user user;
	TRY(store->ops->user_by_id(store, c->who.user_id, &user));
	TRY(api_answer_json(c, 200, &w));
	api_user_members(&w, &user, API_OWNER_VIEW);
	TRY(api_json_finish(&w));
out:
	return err;
}

static enum tacit_err add_user(void *ctx, const struct store_user *u)
{
	struct api_json *w = ctx;
	api_json_open_object(w, NULL);
	api_user_members(w, u, API_PUBLIC_VIEW);
	api_json_close_object(w);
	return w->err;
}

/* With an exact directory, only the one whose name it is. */
static enum tacit_err add_exactly(struct store *store, const char *name, struct api_json *w)
{
	struct store_user user;
	enum tacit_err err = store->ops->user_by_name(store, name, &user);
	if (err == TACIT_E_NOT_FOUND || (err == TACIT_OK && user.disabled))
		return TACIT_OK;
	return err == TACIT_OK ? add_user(w, &user) : err;
}

enum tacit_err api_users_search(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct api_json w;
	char prefix[TACIT_MAX_USERNAME + 1] = "";
	enum api_directory directory = c->api->settings.directory;
	if (directory == API_DIRECTORY_OFF)
		return api_refuse(c, API_DIRECTORY_CLOSED);
	err = api_query_text(c, "q", prefix, sizeof(prefix));
	if (err != TACIT_OK && err != TACIT_E_NOT_FOUND)
		return api_refuse(c, API_INVALID_QUERY);
	TRY(api_answer_json(c, 200, &w));
	api_json_open_array(&w, "users");
	if (directory == API_DIRECTORY_EXACT)
		TRY(add_exactly(store, prefix, &w));
	else
		TRY(store->ops->user_search(store, tacit_cstr(prefix), SEARCH_LIMIT, add_user, &w));
	api_json_close_array(&w);
	TRY(api_json_finish(&w));
out:
	return err;
}

enum tacit_err api_user_get(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct api_json w;
	struct store_user user;
	if (c->api->settings.directory == API_DIRECTORY_OFF &&
	        strcmp(c->path.username, c->who.username) != 0)
		return api_refuse(c, API_DIRECTORY_CLOSED);
	err = store->ops->user_by_name(store, c->path.username, &user);
	if (err == TACIT_E_NOT_FOUND || (err == TACIT_OK && user.disabled))
		err = api_refuse(c, API_USER_NOT_FOUND);
	TRY(err);
	TRY(api_answer_json(c, 200, &w));
	api_user_members(&w, &user, API_PUBLIC_VIEW);
	api_json_open_array(&w, "devices");
	TRY(store->ops->device_list(store, user.id, api_device_row, &w));
	api_json_close_array(&w);
	TRY(api_json_finish(&w));
out:
	return err;
}
