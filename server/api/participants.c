/* participants.c - who is in a conversation: list, add, leave, remove. */
#include "server/api/participants.h"

#include "base/alloc.h"
#include "server/api/handlers.h"
#include "server/api/names.h"

enum tacit_err api_participant_row(void *ctx, const struct store_participant *p)
{
	struct api_json *w = ctx;
	api_json_open_object(w, NULL);
	api_json_integer(w, "user_id", p->user_id);
	api_json_text(w, "username", tacit_cstr(p->username));
	api_json_public_key(w, "public_key", p->public_key);
	api_json_time(w, "joined_at", p->joined_at);
	api_json_integer(w, "read_message_id", p->read_message_id);
	api_json_time_or_null(w, "read_at", p->read_at);
	api_json_close_object(w);
	return w->err;
}

static enum tacit_err answer_list(struct api_call *c, struct store *store, int status)
{
	enum tacit_err err;
	struct api_json w;
	TRY(api_answer_json(c, status, &w));
	api_json_open_array(&w, "participants");
	TRY(store->ops->participant_list(
	        store, c->path.id, c->who.user_id, api_participant_row, &w));
	api_json_close_array(&w);
	TRY(api_json_finish(&w));
out:
	return err;
}

enum tacit_err api_participants_list(struct api_call *c, struct store *store)
{
	return answer_list(c, store, 200);
}

static void names_free(struct api *a, void *work)
{
	(void)a;
	api_names_clear(work);
	tacit_free(work);
}

static enum tacit_err begin(struct api_call *c, struct api_names **out)
{
	*out = tacit_calloc(1, sizeof(**out));
	c->work = *out;
	c->work_free = *out != NULL ? names_free : NULL;
	return *out != NULL ? TACIT_OK : TACIT_E_NOMEM;
}

/* The one in the path, or in "username", or (POST) those in "usernames"; none for leaving. That
 * strangers learn nothing here of who exists is the store's first check in what follows. */
enum tacit_err api_participants_find(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct api_names *names;
	struct tacit_bytes name = tacit_cstr(c->path.username);
	TRY(begin(c, &names));
	if (name.n == 0)
		TRY(api_text(c, "username", TACIT_OPTIONAL, TACIT_MAX_USERNAME, &name));
	if (name.n > 0)
		TRY(api_names_add(c, store, name, names));
	else if (c->method == HTTP_POST)
		TRY(api_names_resolve(c, store, "usernames", TACIT_REQUIRED, names));
	if (c->method == HTTP_POST && names->count == 0)
		err = api_refuse_member(c, API_INVALID_VALUE, "usernames");
out:
	return err;
}

enum tacit_err api_participants_add(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	const struct api_names *names = c->work;
	for (size_t i = 0; i < names->count; i++)
		TRY(store->ops->participant_add(store, c->path.id, c->who.user_id, names->ids[i],
		        c->api->settings.max_participants, c->now));
	TRY(answer_list(c, store, 201));
out:
	return err;
}

enum tacit_err api_participant_remove(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	const struct api_names *names = c->work;
	int64_t removed = names->count > 0 ? names->ids[0] : c->who.user_id;
	err = store->ops->participant_remove(
	        store, c->path.id, c->who.user_id, removed, api_collect_gone, c);
	if (err == TACIT_E_CONFLICT)
		err = api_refuse(c, API_NOT_ALLOWED);
	TRY(err);
	TRY(api_answer_empty(c, 200));
out:
	return err;
}
