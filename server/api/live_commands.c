/* live_commands.c - what clients may say: docs/protocol-live.md, "Live events". */
#include <string.h>

#include "server/api/live_app.h"
#include "server/api/live_call.h"
#include "server/api/message_form.h"
#include "server/api/message_page.h"
#include "server/api/message_store.h"
#include "wire/limits.h"

#define HISTORY_BYTES ((size_t)64 * 1024) /* of one room_history; one message is always given */
#define PRESENCE_MEMBERS 256              /* of a room whose presence is described at joining */
#define MARKS_MEMBERS 8                   /* of one whose read marks are */

static enum tacit_err read_room(struct live_call *c, const struct api_object *body)
{
	return live_integer(c, body, "room_id", TACIT_REQUIRED, 1, &c->room);
}

/* Acknowledged with {"room_id": ...}. */
static enum tacit_err answer_room(struct live_call *c)
{
	struct api_json w = api_json_begin(&c->answer);
	api_json_integer(&w, "room_id", c->room);
	return api_json_finish(&w);
}

/* --- join_room, leave_room ------------------------------------------------------------------ */

/* The socket joins here and not in the lane: what it says next finds that done, and what is
 * committed after the history was read finds it there. Until live_open it gets nothing. */
static enum tacit_err begin_join(struct live_call *c, const struct api_object *body)
{
	enum tacit_err err;
	c->after = -1;
	c->limit = API_PAGE_DEFAULT;
	TRY(read_room(c, body));
	TRY(live_integer(c, body, "after", TACIT_OPTIONAL, 0, &c->after));
	TRY(live_integer(c, body, "limit", TACIT_OPTIONAL, 1, &c->limit));
	if (c->limit > API_PAGE_MAX)
		c->limit = API_PAGE_MAX;
	/* Joined before: what was not read yet waits again, for a history that fits to it. */
	c->join = live_join(c->socket, c->room);
out:
	return err;
}

struct history {
	struct live_frame *frame;
	int64_t known;
	bool joined;
};

static enum tacit_err keep_id(void *ctx, const struct store_message *m)
{
	*(int64_t *)ctx = m->id;
	return TACIT_OK;
}

/* What the client says that it has, as far as it exists: one from before the server was restored
 * from a backup may name what is yet to come, and would hide it. */
static enum tacit_err known_at_most(struct live_call *c, struct store *store, int64_t *known)
{
	bool more;
	int64_t newest = 0;
	if (c->after <= 0)
		return TACIT_OK;
	enum tacit_err err = store->ops->message_page(
	        store, c->room, c->who.user_id, 0, 0, 1, keep_id, &newest, &more);
	*known = newest < c->after ? newest : c->after;
	return err;
}

static enum tacit_err read_history(struct live_call *c, struct store *store, struct history *h)
{
	enum tacit_err err;
	bool more = false;
	struct tacit_buf text = {0};
	int64_t after = api_message_page_after(c->after);
	TRY(tacit_buf_append(&text, TACIT_STR("\"room_history\",")));
	struct api_json w = api_json_begin(&text);
	api_json_integer(&w, "room_id", c->room);
	api_json_open_array(&w, "messages");
	struct api_message_page page = {.w = &w,
	        .write = api_message_live,
	        .start = text.n,
	        .max_bytes = HISTORY_BYTES,
	        .from_oldest = after != 0};
	TRY(store->ops->message_page(store, c->room, c->who.user_id, 0, after, (unsigned)c->limit,
	        api_message_page_add, &page, &more));
	more = more || page.cut;
	h->joined = !more || after == 0;
	h->known = page.last_id;
	if (page.count == 0)
		TRY(known_at_most(c, store, &h->known));
	api_json_close_array(&w);
	api_json_bool(&w, "more", more);
	api_json_bool(&w, "joined", h->joined);
	TRY(api_json_finish(&w));
	h->frame = live_frame_new(tacit_buf_view(&text), 0);
	err = h->frame != NULL ? TACIT_OK : TACIT_E_NOMEM;
out:
	tacit_buf_clear(&text);
	return err;
}

struct members {
	int64_t ids[PRESENCE_MEMBERS];
	struct live_mark marks[MARKS_MEMBERS];
	size_t count;
};

static enum tacit_err add_member(void *ctx, const struct store_participant *p)
{
	struct members *m = ctx;
	if (m->count == PRESENCE_MEMBERS)
		return TACIT_E_LIMIT;
	if (m->count < MARKS_MEMBERS) {
		m->marks[m->count] =
		        (struct live_mark){{.user_id = p->user_id}, p->read_message_id, p->read_at};
		memcpy(m->marks[m->count].who.username, p->username, sizeof(p->username));
	}
	m->ids[m->count++] = p->user_id;
	return TACIT_OK;
}

/* Who is there; in a small room, how far each has read: what was said of that after the client was
 * told of the conversation, and before it joined, it has heard nowhere. */
static enum tacit_err describe_members(struct live_call *c, struct store *store)
{
	struct members m = {.count = 0};
	enum tacit_err err =
	        store->ops->participant_list(store, c->room, c->who.user_id, add_member, &m);
	if (err != TACIT_OK)
		return err == TACIT_E_LIMIT ? TACIT_OK : err;
	if (c->api->settings.presence)
		live_people_describe(c->api->people, c->socket, c->room, m.ids, m.count);
	for (size_t i = 0; i < m.count && m.count <= MARKS_MEMBERS; i++)
		if (m.marks[i].message_id > 0)
			TRY(live_whisper_read(c->socket, c->room, &m.marks[i]));
out:
	return err;
}

/* Who is not a member, or has to fetch more first, is out of the room again. */
static enum tacit_err run_join(struct live_call *c, struct store *store)
{
	enum tacit_err err;
	struct history h = {0};
	struct store_member m;
	TRY(store->ops->conversation_member(store, c->room, c->who.user_id, c->now, &m));
	TRY(read_history(c, store, &h));
	if (h.joined)
		TRY(describe_members(c, store));
	struct api_json w = api_json_begin(&c->answer);
	api_json_integer(&w, "room_id", c->room);
	api_json_bool(&w, "joined", h.joined);
	TRY(api_json_finish(&w));
	live_open(c->socket, c->room,
	        &(struct live_opening){
	                .join = c->join, .known = h.known, .stays = h.joined, .history = h.frame});
out:
	live_frame_drop(h.frame);
	return err;
}

static void leave_again(struct live_call *c)
{
	live_leave(c->socket, c->room, c->join);
}

static enum tacit_err leave(struct live_call *c, const struct api_object *body)
{
	enum tacit_err err;
	TRY(read_room(c, body));
	live_leave(c->socket, c->room, 0);
	TRY(answer_room(c));
out:
	return err;
}

/* --- send_message --------------------------------------------------------------------------- */

static enum tacit_err begin_send(struct live_call *c, const struct api_object *body)
{
	enum tacit_err err;
	struct api_message_form form;
	struct tacit_bytes client_id;
	TRY(read_room(c, body));
	TRY(live_text(c, body, "client_id", TACIT_OPTIONAL, STORE_CLIENT_ID_CHARS, &client_id));
	if (client_id.n > 0)
		memcpy(c->storage, client_id.p, client_id.n);
	c->client_id = tacit_bytes(c->storage, client_id.n);
	TRY(live_text(
	        c, body, "encrypted_content", TACIT_REQUIRED, SIZE_MAX, &form.encrypted_content));
	TRY(live_text(c, body, "iv", TACIT_OPTIONAL, API_MAX_IV, &form.iv));
	TRY(live_text(c, body, "message_hash", TACIT_OPTIONAL, API_MAX_IV, &form.message_hash));
	err = api_message_pack(&form, &c->content, &c->extra);
	if (err == TACIT_E_TOO_LARGE)
		err = live_refuse_call(c, API_TOO_LARGE);
out:
	return err;
}

static enum tacit_err run_send(struct live_call *c, struct store *store)
{
	enum tacit_err err;
	bool existed = false;
	struct store_message m;
	const struct store_new_message n = {.conversation_id = c->room,
	        .user_id = c->who.user_id,
	        .now = c->now,
	        .content = tacit_buf_view(&c->content),
	        .extra = tacit_buf_view(&c->extra),
	        .client_id = c->client_id};
	TRY(tacit_buf_reserve(&c->answer, API_JSON_ROOM)); /* behind the change nothing fails */
	TRY(api_message_store(store, &n, &c->outbox, &m, &existed));
	struct api_json w = api_json_begin(&c->answer);
	api_message_receipt(&w, "room_id", &m);
	TRY(api_json_finish(&w));
out:
	return err;
}

/* --- read ----------------------------------------------------------------------------------- */

static enum tacit_err begin_read(struct live_call *c, const struct api_object *body)
{
	enum tacit_err err;
	TRY(read_room(c, body));
	TRY(live_integer(c, body, "message_id", TACIT_REQUIRED, 1, &c->message_id));
out:
	return err;
}

static enum tacit_err run_read(struct live_call *c, struct store *store)
{
	enum tacit_err err;
	bool moved = false;
	struct store_member m;
	struct live_mark mark = {{.user_id = c->who.user_id}, c->message_id, c->now};
	TRY(store->ops->conversation_member(store, c->room, c->who.user_id, c->now, &m));
	TRY(store->ops->read_mark(store, c->room, c->who.user_id, c->message_id, c->now, &moved));
	memcpy(mark.who.username, m.username, sizeof(mark.who.username));
	if (moved)
		TRY(live_tell_read(&c->outbox, c->room, &mark));
	struct api_json w = api_json_begin(&c->answer);
	api_json_integer(&w, "room_id", c->room);
	api_json_integer(&w, "message_id", c->message_id);
	TRY(api_json_finish(&w));
out:
	return err;
}

/* --- typing, presence ----------------------------------------------------------------------- */

static enum tacit_err begin_typing(struct live_call *c, const struct api_object *body)
{
	enum tacit_err err;
	TRY(read_room(c, body));
	c->typing = live_flag(body, "typing");
out:
	return err;
}

/* To who has joined, but not to the socket that says it. */
static enum tacit_err run_typing(struct live_call *c, struct store *store)
{
	enum tacit_err err;
	struct store_member m;
	struct tacit_buf text = {0};
	struct live_frame *f = NULL;
	TRY(store->ops->conversation_member(store, c->room, c->who.user_id, c->now, &m));
	if (!c->api->settings.presence)
		goto out;
	TRY(tacit_buf_append(&text, TACIT_STR("\"typing\",")));
	struct api_json w = api_json_begin(&text);
	api_json_integer(&w, "room_id", c->room);
	api_json_integer(&w, "user_id", c->who.user_id);
	api_json_text(&w, "username", tacit_cstr(m.username));
	api_json_bool(&w, "typing", c->typing);
	TRY(api_json_finish(&w));
	f = live_frame_new(tacit_buf_view(&text), 0);
	TRY(f != NULL ? TACIT_OK : TACIT_E_NOMEM);
	live_publish(c->api->live, c->room, f, &c->socket);
out:
	live_frame_drop(f);
	tacit_buf_clear(&text);
	return err;
}

static enum tacit_err begin_presence(struct live_call *c, const struct api_object *body)
{
	enum tacit_err err;
	struct tacit_bytes state;
	TRY(live_text(c, body, "state", TACIT_REQUIRED, 16, &state));
	if (!live_state_read(state, &c->state))
		TRY(live_refuse_call(c, API_INVALID_VALUE));
	live_people_set_state(c->api->people, c->who.user_id, c->socket, c->state);
out:
	return err;
}

static enum tacit_err run_presence(struct live_call *c, struct store *store)
{
	return live_announce(c->api, store, c->who.user_id, c->now);
}

const struct live_command live_commands[] = {
        /* what is said most, first */
        {"send_message", 1, LIVE_WRITE, true, begin_send, run_send, true, NULL},
        {"typing", 1, LIVE_READ, false, begin_typing, run_typing, false, NULL},
        {"read", 1, LIVE_WRITE, true, begin_read, run_read, false, NULL},
        {"join_room", 2, LIVE_READ, false, begin_join, run_join, false, leave_again},
        {"leave_room", 1, LIVE_HERE, false, leave, NULL, false, NULL},
        {"presence", 2, LIVE_READ, false, begin_presence, run_presence, false, NULL},
        {NULL, 0, LIVE_HERE, false, NULL, NULL, false, NULL},
};
