/* participants.c - who is in a conversation: list, add, leave, remove. */
#include "server/api/participants.h"

#include <string.h>

#include "base/alloc.h"
#include "server/api/handlers.h"

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

static enum tacit_err add_member_id(void *ctx, const struct store_participant *p)
{
	return tacit_buf_append(ctx, tacit_bytes(&p->user_id, sizeof(p->user_id)));
}

enum tacit_err api_member_ids(
        struct api_call *c, struct store *store, int64_t id, struct tacit_buf *out)
{
	return store->ops->participant_list(store, id, c->who.user_id, add_member_id, out);
}

enum tacit_err api_tell_participants(struct api_call *c, struct store *store, int64_t conversation,
        enum live_change change, const struct api_names *names)
{
	enum tacit_err err = TACIT_OK;
	const struct live_person by = api_caller(c);
	struct live_person *people = tacit_calloc(names->count, sizeof(*people));
	TRY(people != NULL ? TACIT_OK : TACIT_E_NOMEM);
	for (size_t i = 0; i < names->count; i++) {
		struct store_user user;
		TRY(store->ops->user_by_id(store, names->ids[i], &user));
		people[i].user_id = user.id;
		memcpy(people[i].username, user.username, sizeof(people[i].username));
	}
	TRY(live_tell_participants(&c->outbox, conversation, change, people, names->count, &by));
out:
	tacit_free(people);
	return err;
}

enum tacit_err api_participants_add(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	const struct api_names *names = c->work;
	for (size_t i = 0; i < names->count; i++)
		TRY(store->ops->participant_add(store, c->path.id, c->who.user_id, names->ids[i],
		        c->api->settings.max_participants, c->now));
	TRY(api_tell_participants(c, store, c->path.id, LIVE_ADDED, names));
	TRY(answer_list(c, store, 201));
out:
	return err;
}

/* Who goes may take a session along, or be the last of it. */
static enum tacit_err tell_gone(
        struct api_call *c, struct store *store, int64_t removed, const struct tacit_buf *members)
{
	struct store_member m;
	const struct api_names gone = {.ids = &removed, .count = 1};
	bool self = removed == c->who.user_id;
	if (store->ops->conversation_member(store, c->path.id, c->who.user_id, c->now, &m) ==
	        TACIT_E_GONE)
		return live_tell_closed(&c->outbox, c->path.id, "closed",
		        (const int64_t *)(const void *)members->p, members->n / sizeof(int64_t));
	return api_tell_participants(c, store, c->path.id, self ? LIVE_LEFT : LIVE_REMOVED, &gone);
}

enum tacit_err api_participant_remove(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	const struct api_names *names = c->work;
	struct tacit_buf members = {0};
	int64_t removed = names->count > 0 ? names->ids[0] : c->who.user_id;
	TRY(api_member_ids(c, store, c->path.id, &members));
	err = store->ops->participant_remove(
	        store, c->path.id, c->who.user_id, removed, api_collect_gone, c);
	if (err == TACIT_E_CONFLICT)
		err = api_refuse(c, API_NOT_ALLOWED);
	TRY(err);
	TRY(tell_gone(c, store, removed, &members));
	TRY(api_answer_empty(c, 200));
out:
	tacit_buf_clear(&members);
	return err;
}
