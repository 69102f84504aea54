#include "server/api/live_outbox.h"

#include "server/api/json_out.h"
#include "server/api/message_form.h"

struct live_post {
	enum { TO_ROOM, TO_USER, EVICT, END } kind;
	int64_t room, user_id, session_id;
	struct live_frame *frame; /* owned; NULL: none */
};

/* Takes the frame. */
static enum tacit_err put(struct live_outbox *o, const struct live_post *post)
{
	enum tacit_err err = tacit_buf_append(&o->posts, tacit_bytes(post, sizeof(*post)));
	if (err != TACIT_OK)
		live_frame_drop(post->frame);
	return err;
}

/* Begins `"name",{` in text; frame_of ends it. */
static enum tacit_err begin(const char *name, struct tacit_buf *text, struct api_json *w)
{
	enum tacit_err err;
	*w = (struct api_json){text, TACIT_E_NOMEM};
	TRY(tacit_buf_append(text, TACIT_STR("\"")));
	TRY(tacit_buf_append(text, tacit_cstr(name)));
	TRY(tacit_buf_append(text, TACIT_STR("\",")));
	*w = api_json_begin(text);
	err = w->err;
out:
	return err;
}

static enum tacit_err frame_of(struct api_json *w, int64_t order, struct live_frame **out)
{
	enum tacit_err err;
	*out = NULL;
	TRY(api_json_finish(w));
	*out = live_frame_new(tacit_buf_view(w->out), order);
	err = *out != NULL ? TACIT_OK : TACIT_E_NOMEM;
out:
	return err;
}

void live_tell_message(struct live_outbox *o, const struct store_message *m)
{
	o->message = *m;
	o->has_message = true;
}

static enum tacit_err message_frame(const struct store_message *m, struct live_frame **out)
{
	enum tacit_err err;
	struct api_json w;
	struct tacit_buf text = {0};
	*out = NULL;
	TRY(tacit_buf_reserve(&text, m->content.n / 3 * 4 + m->extra.n + API_JSON_ROOM));
	TRY(begin("new_message", &text, &w));
	api_message_live_members(&w, m);
	TRY(frame_of(&w, m->id, out));
out:
	tacit_buf_clear(&text);
	return err;
}

/* It is on disk by now. Who connects from here on reads it from history, so a server where nobody
 * is connected has nobody to tell. */
static void deliver_message(struct live *live, const struct store_message *m)
{
	struct live_frame *frame;
	if (!live_anyone(live))
		return;
	if (message_frame(m, &frame) == TACIT_OK)
		live_publish(live, m->conversation_id, frame, NULL);
	else
		live_give_up(live);
	live_frame_drop(frame);
}

static void write_person(struct api_json *w, const struct live_person *p)
{
	api_json_integer(w, "user_id", p->user_id);
	api_json_text(w, "username", tacit_cstr(p->username));
}

static enum tacit_err read_frame(
        int64_t room, const struct live_mark *mark, struct live_frame **out)
{
	enum tacit_err err;
	struct api_json w;
	struct tacit_buf text = {0};
	*out = NULL;
	TRY(begin("read", &text, &w));
	api_json_integer(&w, "room_id", room);
	write_person(&w, &mark->who);
	api_json_integer(&w, "message_id", mark->message_id);
	api_json_time(&w, "read_at", mark->read_at);
	TRY(frame_of(&w, 0, out));
out:
	tacit_buf_clear(&text);
	return err;
}

enum tacit_err live_tell_read(struct live_outbox *o, int64_t room, const struct live_mark *mark)
{
	struct live_post post = {.kind = TO_ROOM, .room = room};
	enum tacit_err err = read_frame(room, mark, &post.frame);
	return err == TACIT_OK ? put(o, &post) : err;
}

enum tacit_err live_whisper_read(struct live_handle s, int64_t room, const struct live_mark *mark)
{
	struct live_frame *frame;
	enum tacit_err err = read_frame(room, mark, &frame);
	if (err == TACIT_OK)
		live_whisper(s, room, frame);
	live_frame_drop(frame);
	return err;
}

enum tacit_err live_tell_expiry(
        struct live_outbox *o, int64_t room, int64_t seconds, const struct live_person *by)
{
	enum tacit_err err;
	struct api_json w;
	struct tacit_buf text = {0};
	struct live_post post = {.kind = TO_ROOM, .room = room};
	TRY(begin("expiry", &text, &w));
	api_json_integer(&w, "room_id", room);
	api_json_integer(&w, "message_ttl_seconds", seconds);
	api_json_open_object(&w, "by");
	write_person(&w, by);
	api_json_close_object(&w);
	TRY(frame_of(&w, 0, &post.frame));
	TRY(put(o, &post));
out:
	tacit_buf_clear(&text);
	return err;
}

static enum tacit_err participants_frame(int64_t room, enum live_change change,
        const struct live_person *people, size_t count, const struct live_person *by,
        struct live_frame **out)
{
	static const char *const names[] = {"added", "removed", "left"};
	enum tacit_err err;
	struct api_json w;
	struct tacit_buf text = {0};
	*out = NULL;
	TRY(begin("participants", &text, &w));
	api_json_integer(&w, "room_id", room);
	api_json_text(&w, "change", tacit_cstr(names[change]));
	api_json_open_array(&w, "users");
	for (size_t i = 0; i < count; i++) {
		api_json_open_object(&w, NULL);
		write_person(&w, &people[i]);
		api_json_close_object(&w);
	}
	api_json_close_array(&w);
	api_json_open_object(&w, "by");
	write_person(&w, by);
	api_json_close_object(&w);
	TRY(frame_of(&w, 0, out));
out:
	tacit_buf_clear(&text);
	return err;
}

enum tacit_err live_tell_participants(struct live_outbox *o, int64_t room, enum live_change change,
        const struct live_person *people, size_t count, const struct live_person *by)
{
	enum tacit_err err;
	struct live_frame *frame = NULL;
	TRY(participants_frame(room, change, people, count, by, &frame));
	for (size_t i = 0; change != LIVE_ADDED && i < count; i++)
		TRY(put(o, &(struct live_post){
		                   .kind = EVICT, .room = room, .user_id = people[i].user_id}));
	TRY(put(o, &(struct live_post){
	                   .kind = TO_ROOM, .room = room, .frame = live_frame_hold(frame)}));
	for (size_t i = 0; i < count; i++)
		TRY(put(o, &(struct live_post){.kind = TO_USER,
		                   .user_id = people[i].user_id,
		                   .frame = live_frame_hold(frame)}));
out:
	live_frame_drop(frame);
	return err;
}

enum tacit_err live_tell_closed(struct live_outbox *o, int64_t room, const char *reason,
        const int64_t *members, size_t count)
{
	enum tacit_err err;
	struct api_json w;
	struct tacit_buf text = {0};
	struct live_frame *frame = NULL;
	TRY(begin("session_closed", &text, &w));
	api_json_integer(&w, "room_id", room);
	api_json_text(&w, "reason", tacit_cstr(reason));
	TRY(frame_of(&w, 0, &frame));
	TRY(put(o, &(struct live_post){.kind = EVICT, .room = room}));
	for (size_t i = 0; i < count; i++)
		TRY(put(o, &(struct live_post){.kind = TO_USER,
		                   .user_id = members[i],
		                   .frame = live_frame_hold(frame)}));
out:
	live_frame_drop(frame);
	tacit_buf_clear(&text);
	return err;
}

enum tacit_err live_tell_end(struct live_outbox *o, int64_t user_id, int64_t session_id)
{
	return put(
	        o, &(struct live_post){.kind = END, .user_id = user_id, .session_id = session_id});
}

static void deliver(struct live *live, const struct live_post *p)
{
	switch (p->kind) {
	case TO_ROOM:
		live_publish(live, p->room, p->frame, NULL);
		break;
	case TO_USER:
		live_publish_user(live, p->user_id, p->frame);
		break;
	case EVICT:
		live_evict(live, p->room, p->user_id);
		break;
	case END:
		live_end(live, p->user_id, p->session_id);
		break;
	}
}

static const struct live_post *post_at(const struct live_outbox *o, size_t i)
{
	return (const struct live_post *)(const void *)o->posts.p + i;
}

void live_outbox_send(struct live_outbox *o, struct live *live)
{
	if (live != NULL && o->has_message)
		deliver_message(live, &o->message);
	for (size_t i = 0; live != NULL && i < o->posts.n / sizeof(struct live_post); i++)
		deliver(live, post_at(o, i));
	live_outbox_clear(o);
}

void live_outbox_clear(struct live_outbox *o)
{
	for (size_t i = 0; i < o->posts.n / sizeof(struct live_post); i++)
		live_frame_drop(post_at(o, i)->frame);
	tacit_buf_clear(&o->posts);
	o->recheck = false;
	o->has_message = false;
}
