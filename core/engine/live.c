/* live.c - what comes over the live connection, and what must be fetched because it did not.
 *
 *            join_room                 room_history: joined
 *   OUT ------------------> JOINING -------------------------> IN
 *    ^---------------------------|
 *      room_history: there is more than it holds, come again
 *
 * A room is even with the server when it is IN, not `behind`, and no message is `wanted`: then the
 * next new_message is the next message, and it is opened. Otherwise it only says how far there is
 * something to fetch. A fetch is a SYNC of our own accord; there is one at a time. */
#include <string.h>

#include "engine/engine_int.h"
#include "wire/names.h"

#define JOINS_AT_ONCE 32 /* a server bounds how much a connection may ask at once */
#define RETRY_SECONDS 5
#define MAX_PAGE 1000

static bool is_even(const struct tacit_engine *e, const struct tacit_conversation *c)
{
	bool fetching = e->live.op != 0 && e->live.room == c->id;
	return c->live.state == LIVE_IN && !c->live.behind && c->live.wanted <= c->seen &&
	       !fetching;
}

/* One that waits for its history learns from that what it lacks. */
static bool needs_fetch(const struct tacit_conversation *c)
{
	if (!c->known || !c->in || c->closed || c->live.state == LIVE_JOINING)
		return false;
	return c->live.behind || c->live.wanted > c->seen;
}

static void miss(struct tacit_conversation *c, uint64_t message)
{
	if (message > c->live.wanted)
		c->live.wanted = message;
}

/* --- joining and fetching ------------------------------------------------------------------------
 */

enum tacit_err tacit_live_emit(struct tacit_engine *e, const char *name, const json_t *body)
{
	enum tacit_err err;
	struct tacit_effect *fx;
	if (body == NULL)
		return TACIT_E_NOMEM;
	TRY(tacit_effects_add(&e->stage[STAGE_OUT], TACIT_EFFECT_LIVE, &fx));
	TRY(tacit_buf_append(&fx->path, tacit_cstr(name)));
	TRY(tacit_buf_terminate(&fx->path));
	TRY(tacit_json_write(body, &fx->data));
out:
	return err;
}

static enum tacit_err join(struct tacit_engine *e, struct tacit_conversation *c)
{
	enum tacit_err err;
	json_t *body =
	        json_pack("{s:I,s:I}", "room_id", (json_int_t)c->id, "after", (json_int_t)c->seen);
	TRY(tacit_live_emit(e, "join_room", body));
	c->live = (struct tacit_live_room){.state = LIVE_JOINING};
	e->live.joining++;
	e->changed = true;
out:
	json_decref(body);
	return err;
}

/* Where something was said last, first. */
static struct tacit_conversation *next_to_join(const struct tacit_engine *e)
{
	struct tacit_conversation *best = NULL;
	for (struct tacit_conversation *c = e->conversations; c != NULL; c = c->next)
		if (c->known && c->in && !c->closed && c->live.state == LIVE_OUT &&
		        !needs_fetch(c) && (best == NULL || c->last > best->last))
			best = c;
	return best;
}

static struct tacit_conversation *next_to_fetch(const struct tacit_engine *e)
{
	for (struct tacit_conversation *c = e->conversations; c != NULL; c = c->next)
		if (needs_fetch(c))
			return c;
	return NULL;
}

static enum tacit_err fetch(struct tacit_engine *e, struct tacit_conversation *c)
{
	const struct tacit_command sync = {
	        .kind = TACIT_CMD_SYNC, .conversation = c != NULL ? c->id : 0};
	/* From here on these say what came while the fetch was under way. What was promised and
	 * cannot be fetched is thereby not asked for again and again. */
	if (c == NULL)
		e->live.list_wanted = false;
	else
		c->live = (struct tacit_live_room){.state = c->live.state};
	e->live.room = sync.conversation;
	enum tacit_err err = tacit_engine_begin(e, &sync, &e->live.op);
	return err == TACIT_E_NOT_LOGGED_IN ? TACIT_OK : err;
}

enum tacit_err tacit_live_follow_up(struct tacit_engine *e)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_conversation *c;
	if (!e->live.up || !e->unlocked || e->cookie.n == 0)
		return TACIT_OK;
	while (e->live.joining < JOINS_AT_ONCE && (c = next_to_join(e)) != NULL)
		TRY(join(e, c));
	if (e->live.op != 0 || e->live.retry_at > tacit_env_now(&e->env))
		return TACIT_OK;
	if (e->live.list_wanted)
		return fetch(e, NULL);
	c = next_to_fetch(e);
	if (c != NULL)
		TRY(fetch(e, c));
out:
	return err;
}

void tacit_live_fetched(struct tacit_engine *e, const struct tacit_op *op, enum tacit_err how)
{
	struct tacit_conversation *one = tacit_conversation_find(e, op->conversation);
	e->live.op = 0;
	e->live.retry_at = 0;
	e->changed = true;
	if (how == TACIT_E_NOT_FOUND && one != NULL) { /* the list will say what has become of it */
		one->live = (struct tacit_live_room){.state = LIVE_IN};
		e->live.list_wanted = true;
	} else if (how != TACIT_OK) {
		e->live.retry_at = tacit_env_now(&e->env) + RETRY_SECONDS;
		e->live.list_wanted |= op->conversation == 0;
		if (one != NULL)
			one->live.behind = true;
	}
}

/* --- what comes
 * ------------------------------------------------------------------------------------- */

struct event {
	struct tacit_engine *e;
	const json_t *body;
	struct tacit_conversation *room; /* NULL: none is named, or it is not known */
	bool about_room;
	struct tacit_bytes username; /* valid, or empty */
};

static const struct tacit_op nobody = {.kind = TACIT_CMD_SYNC, .own_accord = true};

/* As a message stands in a page of the history. */
static json_t *as_in_history(const struct tacit_conversation *c, const json_t *m)
{
	const json_t *content = json_object_get(m, "encrypted_content");
	json_t *out = json_pack("{s:O?,s:I,s:O?,s:O?,s:O?,s:O?}", "id", json_object_get(m, "id"),
	        "conversation_id", (json_int_t)c->id, "username", json_object_get(m, "username"),
	        "content", content, "created_at", json_object_get(m, "created_at"), "expires_at",
	        json_object_get(m, "expires_at"));
	json_t *epoch = json_object_get(m, "epoch"); /* of a commit */
	if (out != NULL && epoch != NULL && json_object_set(out, "epoch", epoch) != 0) {
		json_decref(out);
		return NULL;
	}
	return out;
}

static enum tacit_err page_of(
        const struct tacit_conversation *c, const json_t *messages, json_t **out)
{
	size_t i;
	json_t *item;
	*out = json_array();
	bool ok = *out != NULL;
	json_array_foreach(messages, i, item)
	{
		uint64_t id;
		if (tacit_answer_id(item, "id", &id) == TACIT_OK && id <= c->seen)
			continue;
		ok = ok && json_array_append_new(*out, as_in_history(c, item)) == 0;
	}
	if (ok)
		return TACIT_OK;
	json_decref(*out);
	*out = NULL;
	return TACIT_E_NOMEM;
}

static void count_new(struct tacit_engine *e, struct tacit_conversation *c, const json_t *page)
{
	size_t i;
	json_t *item;
	json_array_foreach(page, i, item)
	{
		struct tacit_bytes name;
		if (tacit_json_text(item, "username", TACIT_OPTIONAL, TACIT_MAX_USERNAME, &name) !=
		        TACIT_OK)
			continue;
		bool commit = json_object_get(item, "epoch") != NULL;
		c->unread += !commit && !tacit_contact_is_self(e, name);
	}
	if (c->seen > c->last)
		c->last = c->seen;
	c->dirty = e->changed = true;
}

/* Opens what follows; whatever is wrong with it, a fetch tells. */
static enum tacit_err take(struct tacit_engine *e, struct tacit_conversation *c,
        const json_t *messages, enum tacit_sync_from from)
{
	enum tacit_err err;
	bool whole = false;
	json_t *page = NULL;
	TRY(page_of(c, messages, &page));
	if (json_array_size(page) == 0)
		goto out;
	err = tacit_sync_take(e, c, page, from, &whole);
	if (err == TACIT_E_NOMEM)
		goto out;
	if (whole)
		count_new(e, c, page);
	c->live.behind |= !whole;
	err = TACIT_OK;
out:
	json_decref(page);
	return err;
}

/* A message does not touch the tree: what was saved of the rest is put back beside it. */
static enum tacit_err put_back(
        struct tacit_engine *e, struct tacit_conversation *c, struct tacit_bytes state)
{
	enum tacit_err err;
	struct tacit_group *earlier = NULL;
	struct tacit_buf tree = {0};
	bool saved = c->tree_saved == tacit_group_tree_version(c->group);
	TRY(tacit_group_save_tree(c->group, &tree));
	TRY(tacit_group_load(state, tacit_buf_view(&tree), &earlier));
	tacit_membership_set(e, c, earlier);
	c->tree_saved = saved ? tacit_group_tree_version(c->group) : 0;
out:
	tacit_buf_clear(&tree);
	return err;
}

/* One event. Where it does not follow, the group's state is as if it had not come: the same message
 * is opened again, behind what was missing, when the fetch brings both. */
static enum tacit_err take_one(
        struct tacit_engine *e, struct tacit_conversation *c, const json_t *messages)
{
	enum tacit_err err;
	uint64_t id = c->seen;
	struct tacit_buf state = {0};
	TRY(tacit_membership_load(e, c));
	bool good = tacit_membership_good(c);
	if (good)
		TRY(tacit_group_save_state(c->group, &state));
	TRY(take(e, c, messages, TACIT_FROM_EVENT));
	if (good && c->seen == id)
		TRY(put_back(e, c, tacit_buf_view(&state)));
out:
	tacit_buf_clear(&state);
	return err;
}

static enum tacit_err on_message(const struct event *ev)
{
	enum tacit_err err;
	uint64_t id;
	struct tacit_conversation *c = ev->room;
	json_t *one = NULL;
	if (c == NULL)
		return TACIT_OK;
	TRY(tacit_answer_id(ev->body, "id", &id));
	if (id <= c->seen)
		goto out;
	if (!is_even(ev->e, c)) {
		miss(c, id);
		goto out;
	}
	one = json_pack("[O]", ev->body);
	if (one == NULL)
		TRY(TACIT_E_NOMEM);
	TRY(take_one(ev->e, c, one));
	if (c->seen < id)
		miss(c, id);
out:
	json_decref(one);
	return err;
}

/* The server read the history after what we had, and let the room's events through from there on:
 * in a room that was joined what comes next is next. */
static enum tacit_err on_history(const struct event *ev)
{
	enum tacit_err err;
	const json_t *messages;
	struct tacit_conversation *c = ev->room;
	if (c == NULL || c->live.state != LIVE_JOINING)
		return TACIT_OK;
	TRY(tacit_answer_list(ev->body, "messages", MAX_PAGE, &messages));
	bool joined = json_is_true(json_object_get(ev->body, "joined"));
	uint64_t before = c->seen;
	c->live.state = joined ? LIVE_IN : LIVE_OUT;
	ev->e->live.joining -= ev->e->live.joining > 0;
	if (!c->live.behind)
		TRY(take(ev->e, c, messages, TACIT_FROM_PAGE));
	c->live.behind |= !joined && c->seen == before;
out:
	return err;
}

static enum tacit_err on_read(const struct event *ev)
{
	uint64_t message;
	enum tacit_err err = tacit_answer_id(ev->body, "message_id", &message);
	struct tacit_conversation *c = ev->room;
	if (err != TACIT_OK || c == NULL || ev->username.n == 0)
		return err;
	if (tacit_contact_is_self(ev->e, ev->username) && message >= c->last && c->unread != 0) {
		c->unread = 0; /* read on another device */
		c->dirty = ev->e->changed = true;
	}
	return tacit_conversation_read(ev->e, &nobody, c, ev->username, message);
}

/* Only of people who are known to be there: a server could else put any name on the screen. */
static enum tacit_err on_typing(const struct event *ev)
{
	const struct tacit_conversation *c = ev->room;
	if (c == NULL || ev->username.n == 0 || tacit_contact_is_self(ev->e, ev->username))
		return TACIT_OK;
	const struct tacit_member *m = tacit_conversation_member(c, ev->username);
	if (m == NULL || !m->in)
		return TACIT_OK;
	return tacit_op_tell(ev->e, &nobody,
	        &(struct tacit_notice){
	                .kind = TACIT_NOTICE_TYPING,
	                .username = tacit_name_view(&m->name),
	                .conversation = c->id,
	                .flag = !json_is_false(json_object_get(ev->body, "typing")),
	        });
}

static enum tacit_err tell_presence(struct tacit_engine *e, const json_t *user)
{
	enum tacit_err err;
	struct tacit_bytes name, state;
	TRY(tacit_json_text(user, "username", TACIT_REQUIRED, TACIT_MAX_USERNAME, &name));
	TRY(tacit_json_text(user, "state", TACIT_REQUIRED, 16, &state));
	const struct tacit_contact *who = tacit_contact_find(e, name);
	bool away = tacit_bytes_eq(state, TACIT_STR("away"));
	bool online = tacit_bytes_eq(state, TACIT_STR("online"));
	if (who == NULL)
		goto out;
	TRY(tacit_op_tell(e, &nobody,
	        &(struct tacit_notice){
	                .kind = TACIT_NOTICE_PRESENCE,
	                .username = tacit_name_view(&who->pinned.name),
	                .text = away     ? TACIT_STR("away")
	                        : online ? TACIT_STR("online")
	                                 : TACIT_STR("offline"),
	                .flag = online || away,
	        }));
out:
	return err;
}

static enum tacit_err on_presence(const struct event *ev)
{
	enum tacit_err err;
	const json_t *users;
	size_t i;
	json_t *item;
	TRY(tacit_answer_list(ev->body, "users", TACIT_MAX_PARTICIPANTS, &users));
	json_array_foreach(users, i, item) TRY(tell_presence(ev->e, item));
out:
	return err;
}

/* Who is in: the description says it all. */
static enum tacit_err on_change(const struct event *ev)
{
	size_t i;
	json_t *item;
	struct tacit_bytes name;
	if (ev->room == NULL)
		return TACIT_OK;
	ev->room->live.behind = true;
	json_array_foreach(json_object_get(ev->body, "users"), i, item)
	{
		/* Put out and let in again in one moment: the server joins nobody by itself. */
		if (ev->room->live.state == LIVE_IN &&
		        tacit_json_text(item, "username", TACIT_REQUIRED, TACIT_MAX_USERNAME,
		                &name) == TACIT_OK &&
		        tacit_contact_is_self(ev->e, name))
			ev->room->live.state = LIVE_OUT;
	}
	return TACIT_OK;
}

/* Who it was, is in no description. */
static enum tacit_err on_expiry(const struct event *ev)
{
	int64_t seconds = 0;
	struct tacit_bytes name = {0};
	struct tacit_conversation *c = ev->room;
	const struct tacit_member *m = NULL;
	if (c == NULL)
		return TACIT_OK;
	if (tacit_json_text(json_object_get(ev->body, "by"), "username", TACIT_REQUIRED,
	            TACIT_MAX_USERNAME, &name) == TACIT_OK)
		m = tacit_conversation_member(c, name);
	if (m != NULL && tacit_json_integer(ev->body, "message_ttl_seconds", TACIT_REQUIRED, 0,
	                         TACIT_MAX_INTEGER, &seconds) == TACIT_OK) {
		c->life.by = m->name;
		c->life.by_seconds = (uint64_t)seconds;
	}
	c->live.behind = true;
	return TACIT_OK;
}

static enum tacit_err on_closed(const struct event *ev)
{
	if (ev->room != NULL && ev->room->kind == TACIT_SESSION)
		return tacit_conversation_close(ev->e, &nobody, ev->room);
	ev->e->live.list_wanted = true;
	return TACIT_OK;
}

static void stop_waiting(struct tacit_engine *e, struct tacit_conversation *c)
{
	if (c->live.state != LIVE_JOINING)
		return;
	c->live.state = LIVE_OUT;
	e->live.joining -= e->live.joining > 0;
}

/* Among what was dropped may be the history that a room waits for: it joins again. */
static enum tacit_err on_fell_behind(const struct event *ev)
{
	for (struct tacit_conversation *c = ev->e->conversations; c != NULL; c = c->next) {
		if (ev->room != NULL && ev->room != c)
			continue;
		stop_waiting(ev->e, c);
		c->live.behind = true;
	}
	return TACIT_OK;
}

/* A room that cannot be joined must not keep others from it: what is there is fetched, and only a
 * new connection asks again. */
static enum tacit_err on_error(const struct event *ev)
{
	struct tacit_bytes code = {0};
	struct tacit_conversation *c = ev->room;
	enum tacit_err err = tacit_json_text(ev->body, "code", TACIT_OPTIONAL, 64, &code);
	if (err != TACIT_OK || c == NULL)
		return err;
	if (tacit_bytes_eq(code, TACIT_STR("FELL_BEHIND")))
		return on_fell_behind(ev);
	if (c->live.state != LIVE_JOINING)
		return TACIT_OK;
	c->live = (struct tacit_live_room){.state = LIVE_IN, .behind = true};
	ev->e->live.joining -= ev->e->live.joining > 0;
	return TACIT_OK;
}

static const struct {
	const char *name;
	enum tacit_err (*take)(const struct event *ev);
} events[] = {
        {"new_message", on_message},
        {"room_history", on_history},
        {"read", on_read},
        {"typing", on_typing},
        {"presence", on_presence},
        {"participants", on_change},
        {"expiry", on_expiry},
        {"session_closed", on_closed},
        {"fell_behind", on_fell_behind},
        {"error", on_error},
};

static void read_event(struct tacit_engine *e, const json_t *body, struct event *out)
{
	uint64_t id;
	struct tacit_bytes name;
	*out = (struct event){.e = e, .body = body};
	if (tacit_answer_id(body, "room_id", &id) == TACIT_OK) {
		struct tacit_conversation *c = tacit_conversation_find(e, id);
		out->about_room = true;
		if (c != NULL && !c->in) /* let in again: it is to be joined anew */
			c->live = (struct tacit_live_room){0};
		out->room = c != NULL && c->known && c->in && !c->closed ? c : NULL;
	}
	if (tacit_json_text(body, "username", TACIT_OPTIONAL, TACIT_MAX_USERNAME, &name) ==
	                TACIT_OK &&
	        name.n > 0 && tacit_username_valid(name))
		out->username = name;
}

static enum tacit_err dispatch(struct tacit_engine *e, struct tacit_bytes name, const json_t *body)
{
	struct event ev;
	read_event(e, body, &ev);
	for (size_t i = 0; i < TACIT_COUNT(events); i++) {
		if (!tacit_bytes_eq(name, tacit_cstr(events[i].name)))
			continue;
		/* News of a conversation that is not known yet. */
		e->live.list_wanted |= ev.about_room && ev.room == NULL;
		return events[i].take(&ev);
	}
	return TACIT_OK; /* of a later version */
}

/* --- for hosts
 * ------------------------------------------------------------------------------------- */

enum tacit_err tacit_engine_live_event(struct tacit_engine *e, struct tacit_bytes name,
        struct tacit_bytes body, struct tacit_effects *fx)
{
	json_t *object = NULL;
	if (e->broken)
		return TACIT_E_NOMEM;
	if (!e->live.up || !e->unlocked)
		return TACIT_OK;
	enum tacit_err err = tacit_json_parse(body, &object);
	if (err == TACIT_OK && !json_is_object(object))
		err = TACIT_E_MALFORMED;
	if (err != TACIT_OK) {
		json_decref(object);
		return err;
	}
	e->changed = true;
	enum tacit_err taken = dispatch(e, name, object);
	err = tacit_engine_finish(e, taken == TACIT_E_NOMEM ? taken : TACIT_OK, fx);
	json_decref(object);
	return err != TACIT_OK ? err : taken;
}

static void forget_rooms(struct tacit_engine *e)
{
	for (struct tacit_conversation *c = e->conversations; c != NULL; c = c->next)
		c->live = (struct tacit_live_room){0};
	e->live.joining = 0;
	e->live.retry_at = 0;
}

enum tacit_err tacit_engine_live_up(struct tacit_engine *e, struct tacit_effects *fx)
{
	if (e->broken)
		return TACIT_E_NOMEM;
	forget_rooms(e);
	e->changed = true;
	e->live.up = e->live.list_wanted = true;
	return tacit_engine_finish(e, TACIT_OK, fx);
}

void tacit_engine_live_down(struct tacit_engine *e)
{
	e->live.up = e->live.list_wanted = false;
	forget_rooms(e);
}

void tacit_engine_live_adopt(struct tacit_engine *e, const struct tacit_engine *before)
{
	e->live = before->live;
	e->live.op = 0;
	e->live.list_wanted |= before->live.op != 0 && before->live.room == 0;
	for (struct tacit_conversation *c = e->conversations; c != NULL; c = c->next) {
		const struct tacit_conversation *old = tacit_conversation_find(before, c->id);
		if (old != NULL)
			c->live = old->live;
		c->live.behind |= before->live.op != 0 && before->live.room == c->id;
	}
}

/* --- the clock
 * ------------------------------------------------------------------------------------- */

int64_t tacit_engine_due(const struct tacit_engine *e)
{
	int64_t due = INT64_MAX;
	bool waits = e->live.list_wanted || next_to_fetch(e) != NULL;
	if (!e->unlocked || e->broken)
		return due;
	if (e->live.up && e->live.op == 0 && e->cookie.n > 0 && waits)
		due = e->live.retry_at;
	for (const struct tacit_conversation *c = e->conversations; c != NULL; c = c->next) {
		int64_t own = tacit_lifetime_due(c);
		due = own < due ? own : due;
	}
	return due;
}
