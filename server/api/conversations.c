/* conversations.c - /api/rooms, /api/conversations, /api/sessions: one thing of four kinds. */
#include <string.h>

#include "base/alloc.h"
#include "server/api/handlers.h"
#include "server/api/names.h"
#include "server/api/participants.h"
#include "wire/names.h"

#define LIST_BYTES ((size_t)12 * 1024 * 1024) /* beyond, the list goes on with ?skip= */
#define SESSION_DEFAULT_SECONDS 3600

static const char *const ends_names[] = {
        [STORE_LAST_LEAVES] = "last_leaves",
        [STORE_ANYONE_LEAVES] = "anyone_leaves",
};
static const char *const kind_names[] = {
        [STORE_DIRECT] = "direct",
        [STORE_GROUP] = "group",
        [STORE_ROOM] = "room",
        [STORE_SESSION] = "session",
};

/* --- a conversation in an answer ----------------------------------------------------------- */

/* The members of a row; its object stays open for the participants. */
static enum tacit_err open_conversation(void *ctx, const struct store_conversation *v)
{
	struct api_json *w = ctx;
	api_json_integer(w, "id", v->id);
	api_json_text(w, "kind", tacit_cstr(kind_names[v->kind]));
	api_json_text(w, "name", v->name);
	api_json_integer(w, "creator_id", v->creator_id);
	api_json_time(w, "created_at", v->created_at);
	api_json_time_or_null(w, "expires_at", v->expires_at);
	if (v->kind == STORE_SESSION)
		api_json_text(w, "ends_when", tacit_cstr(ends_names[v->ends_when]));
	else
		api_json_null(w, "ends_when");
	api_json_integer(w, "message_ttl_seconds", v->message_ttl);
	api_json_integer(w, "last_message_id", v->last_message_id);
	api_json_integer(w, "unread", v->unread);
	return w->err;
}

static enum tacit_err add_participants(
        struct api_call *c, struct store *store, int64_t id, struct api_json *w)
{
	api_json_open_array(w, "participants");
	enum tacit_err err =
	        store->ops->participant_list(store, id, c->who.user_id, api_participant_row, w);
	api_json_close_array(w);
	return err;
}

static enum tacit_err answer_conversation(
        struct api_call *c, struct store *store, int64_t id, int status)
{
	enum tacit_err err;
	struct api_json w;
	TRY(api_answer_json(c, status, &w));
	TRY(store->ops->conversation_get(store, id, c->who.user_id, c->now, open_conversation, &w));
	TRY(add_participants(c, store, id, &w));
	TRY(api_json_finish(&w));
out:
	return err;
}

enum tacit_err api_conversation_get(struct api_call *c, struct store *store)
{
	return answer_conversation(c, store, c->path.id, 200);
}

/* --- the list ------------------------------------------------------------------------------ */

static enum tacit_err add_id(void *ctx, const struct store_conversation *v)
{
	return tacit_buf_append(ctx, tacit_bytes(&v->id, sizeof(v->id)));
}

/* One that vanished between the list and the look is left out. */
static enum tacit_err add_listed(
        struct api_call *c, struct store *store, int64_t id, struct api_json *w)
{
	size_t start = w->out->n;
	api_json_open_object(w, NULL);
	enum tacit_err err = store->ops->conversation_get(
	        store, id, c->who.user_id, c->now, open_conversation, w);
	if (err == TACIT_OK)
		err = add_participants(c, store, id, w);
	api_json_close_object(w);
	if (err == TACIT_E_NOT_FOUND || err == TACIT_E_GONE) {
		w->out->n = start;
		err = TACIT_OK;
	}
	return err;
}

static const char *list_name(int kind)
{
	return kind == STORE_ROOM ? "rooms" : kind == STORE_SESSION ? "sessions" : "conversations";
}

enum tacit_err api_conversations_list(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct api_json w;
	struct tacit_buf ids = {0};
	int64_t skip = 0;
	TRY(api_query_integer(c, "skip", 0, TACIT_MAX_INTEGER, &skip));
	TRY(store->ops->conversation_list(
	        store, c->who.user_id, c->route->kind, c->now, add_id, &ids));
	TRY(api_answer_json(c, 200, &w));
	api_json_open_array(&w, list_name(c->route->kind));
	size_t at =
	        (uint64_t)skip < ids.n / sizeof(int64_t) ? (size_t)skip * sizeof(int64_t) : ids.n;
	for (; at < ids.n && c->answer->body.n < LIST_BYTES; at += sizeof(int64_t)) {
		int64_t id;
		memcpy(&id, ids.p + at, sizeof(id));
		TRY(add_listed(c, store, id, &w));
	}
	api_json_close_array(&w);
	api_json_bool(&w, "has_more", at < ids.n);
	TRY(api_json_finish(&w));
out:
	tacit_buf_clear(&ids);
	return err;
}

/* --- a new one ----------------------------------------------------------------------------- */

struct creation {
	enum store_kind kind;
	struct tacit_bytes name; /* in the call's body */
	int64_t expires_at, message_ttl;
	enum store_ends_when ends_when;
	struct api_names members;
};

static void creation_free(struct api *a, void *work)
{
	struct creation *n = work;
	(void)a;
	api_names_clear(&n->members);
	tacit_free(n);
}

static enum tacit_err read_kind(struct api_call *c, struct creation *n)
{
	enum tacit_err err;
	struct tacit_bytes text;
	if (c->route->kind != 0) {
		n->kind = (enum store_kind)c->route->kind;
		return TACIT_OK;
	}
	TRY(api_text(c, "kind", TACIT_REQUIRED, 16, &text));
	for (int k = STORE_DIRECT; k <= STORE_SESSION; k++)
		if (tacit_bytes_eq(text, tacit_cstr(kind_names[k]))) {
			n->kind = (enum store_kind)k;
			return TACIT_OK;
		}
	err = api_refuse_member(c, API_INVALID_VALUE, "kind");
out:
	return err;
}

/* How long messages live; 0: without end, also when it is absent. */
static enum tacit_err read_message_ttl(
        struct api_call *c, enum tacit_presence presence, int64_t *seconds)
{
	enum tacit_err err;
	const struct api_settings *s = &c->api->settings;
	*seconds = 0;
	TRY(api_integer(c, "message_ttl_seconds", presence, 0, seconds));
	if (*seconds != 0 && (*seconds < s->ttl_min_s || *seconds > s->ttl_max_s))
		err = api_refuse_member(c, API_INVALID_VALUE, "message_ttl_seconds");
out:
	return err;
}

/* Of a session only. */
static enum tacit_err read_end(struct api_call *c, struct creation *n)
{
	enum tacit_err err;
	const struct api_settings *s = &c->api->settings;
	struct tacit_bytes when;
	int64_t ttl = SESSION_DEFAULT_SECONDS;
	if (ttl < s->ttl_min_s)
		ttl = s->ttl_min_s;
	if (ttl > s->ttl_max_s)
		ttl = s->ttl_max_s;
	TRY(api_integer(c, "ttl_seconds", TACIT_OPTIONAL, 1, &ttl));
	if (ttl < s->ttl_min_s || ttl > s->ttl_max_s)
		TRY(api_refuse_member(c, API_INVALID_VALUE, "ttl_seconds"));
	n->expires_at = c->steady + ttl;
	TRY(api_text(c, "ends_when", TACIT_OPTIONAL, 32, &when));
	if (when.p == NULL || tacit_bytes_eq(when, tacit_cstr(ends_names[STORE_LAST_LEAVES])))
		n->ends_when = STORE_LAST_LEAVES;
	else if (tacit_bytes_eq(when, tacit_cstr(ends_names[STORE_ANYONE_LEAVES])))
		n->ends_when = STORE_ANYONE_LEAVES;
	else
		err = api_refuse_member(c, API_INVALID_VALUE, "ends_when");
out:
	return err;
}

static enum tacit_err read_rest(struct api_call *c, struct creation *n)
{
	enum tacit_err err;
	enum tacit_presence named = n->kind == STORE_ROOM ? TACIT_REQUIRED : TACIT_OPTIONAL;
	TRY(api_text(c, "name", named, 4 * TACIT_MAX_CONVERSATION_NAME, &n->name));
	if ((n->name.n > 0 || named == TACIT_REQUIRED) && !tacit_conversation_name_valid(n->name))
		TRY(api_refuse_member(c, API_INVALID_VALUE, "name"));
	TRY(read_message_ttl(c, TACIT_OPTIONAL, &n->message_ttl));
	if (n->kind == STORE_SESSION)
		TRY(read_end(c, n));
out:
	return err;
}

enum tacit_err api_conversation_check(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct creation *n = tacit_calloc(1, sizeof(*n));
	if (n == NULL)
		return TACIT_E_NOMEM;
	c->work = n;
	c->work_free = creation_free;
	TRY(read_kind(c, n));
	TRY(read_rest(c, n));
	bool alone = n->kind == STORE_ROOM || n->kind == STORE_GROUP;
	TRY(api_names_resolve(
	        c, store, "participants", alone ? TACIT_OPTIONAL : TACIT_REQUIRED, &n->members));
	api_names_remove(&n->members, c->who.user_id);
	if (n->kind == STORE_DIRECT && n->members.count != 1)
		err = api_refuse_member(c, API_INVALID_VALUE, "participants");
	else if (n->members.count >= c->api->settings.max_participants)
		err = api_refuse(c, API_TOO_MANY);
out:
	return err;
}

struct newcomers {
	int64_t now;
	struct tacit_buf ids;
};

static enum tacit_err add_newcomer(void *ctx, const struct store_participant *p)
{
	struct newcomers *n = ctx;
	if (p->joined_at < n->now)
		return TACIT_OK;
	return tacit_buf_append(&n->ids, tacit_bytes(&p->user_id, sizeof(p->user_id)));
}

/* All of a new one; of a direct one that was there before, who had left it and is in again. */
static enum tacit_err tell_newcomers(struct api_call *c, struct store *store, int64_t id)
{
	enum tacit_err err;
	struct newcomers n = {.now = c->now};
	TRY(store->ops->participant_list(store, id, c->who.user_id, add_newcomer, &n));
	const struct api_names all = {(int64_t *)(void *)n.ids.p, n.ids.n / sizeof(int64_t)};
	if (all.count > 0)
		TRY(api_tell_participants(c, store, id, LIVE_ADDED, &all));
out:
	tacit_buf_clear(&n.ids);
	return err;
}

/* One that was there before keeps its terms. */
static enum tacit_err set_terms(
        struct api_call *c, struct store *store, const struct creation *n, int64_t id)
{
	enum tacit_err err = TACIT_OK;
	int64_t user = c->who.user_id;
	if (n->message_ttl != 0)
		TRY(store->ops->conversation_set_message_ttl(
		        store, id, user, n->message_ttl, c->now));
	if (n->ends_when != STORE_LAST_LEAVES)
		TRY(store->ops->conversation_set_ends_when(store, id, user, n->ends_when, c->now));
out:
	return err;
}

enum tacit_err api_conversation_create(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	const struct creation *n = c->work;
	int64_t id = 0;
	bool existed = false;
	TRY(store->ops->conversation_create(store, n->kind, c->who.user_id, n->name, n->members.ids,
	        n->members.count, c->now, n->expires_at, &id, &existed));
	TRY(tell_newcomers(c, store, id));
	if (!existed)
		TRY(set_terms(c, store, n, id));
	TRY(answer_conversation(c, store, id, existed ? 200 : 201));
out:
	return err;
}

/* PUT .../{id}/expiry */
enum tacit_err api_expiry_set(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	int64_t seconds;
	TRY(read_message_ttl(c, TACIT_REQUIRED, &seconds));
	TRY(store->ops->conversation_set_message_ttl(
	        store, c->path.id, c->who.user_id, seconds, c->now));
	const struct live_person by = api_caller(c);
	TRY(live_tell_expiry(&c->outbox, c->path.id, seconds, &by));
	TRY(answer_conversation(c, store, c->path.id, 200));
out:
	return err;
}

/* DELETE /api/sessions/{id} */
enum tacit_err api_session_close(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct tacit_buf members = {0};
	TRY(api_member_ids(c, store, c->path.id, &members));
	TRY(store->ops->conversation_close(
	        store, c->path.id, c->who.user_id, c->now, api_collect_gone, c));
	TRY(live_tell_closed(&c->outbox, c->path.id, "closed",
	        (const int64_t *)(const void *)members.p, members.n / sizeof(int64_t)));
	TRY(api_answer_empty(c, 200));
out:
	tacit_buf_clear(&members);
	return err;
}
