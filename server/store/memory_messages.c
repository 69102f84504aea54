/* Messages and read marks. Rows are in the order of their ids, which grow: the order of every
 * conversation. */
#include <string.h>

#include "server/store/memory_int.h"
#include "server/store/memory_slots.h"

static struct tacit_bytes client_id_of(const struct memory_message *m)
{
	return tacit_bytes(m->client_id, m->client_id_bytes);
}

struct memory_message *memory_message(
        const struct memory_state *s, int64_t now, int64_t conversation_id, int64_t id)
{
	struct memory_message *m = NULL;
	while ((m = memory_next(s, MEMORY_MESSAGE, m)) != NULL)
		if (m->row.conversation_id == conversation_id && m->id == id)
			break;
	return m != NULL && !memory_is_over(m->expires_at, now) ? m : NULL;
}

static const struct memory_message *find_earlier(const struct memory_state *s,
        int64_t conversation_id, int64_t user_id, struct tacit_bytes client_id)
{
	const struct memory_message *m = NULL;
	while (client_id.n > 0 && (m = memory_next(s, MEMORY_MESSAGE, m)) != NULL)
		if (m->row.conversation_id == conversation_id && m->user_id == user_id &&
		        tacit_bytes_eq(client_id_of(m), client_id))
			break;
	return m;
}

static struct store_message describe(const struct memory_state *s, const struct memory_message *m)
{
	struct store_message out = {.id = m->id,
	        .conversation_id = m->row.conversation_id,
	        .user_id = m->user_id,
	        .created_at = m->created_at,
	        .expires_at = m->expires_at,
	        .begins_epoch = m->begins_epoch};
	memcpy(out.username, memory_user(s, m->user_id)->user.username, sizeof(out.username));
	return out;
}

struct store_message memory_describe(const struct memory_state *s, const struct memory_message *m)
{
	struct store_message out = describe(s, m);
	struct tacit_bytes text = memory_text(&m->row);
	out.content = tacit_bytes_part(text, 0, m->content_bytes);
	out.extra = tacit_bytes_part(text, m->content_bytes, SIZE_MAX);
	out.client_id = client_id_of(m);
	return out;
}

bool memory_has_message(const struct memory_state *s, const struct store_new_message *n)
{
	return find_earlier(s, n->conversation_id, n->user_id, n->client_id) != NULL;
}

enum tacit_err memory_append(struct memory *m, struct memory_state *s,
        const struct store_new_message *n, int64_t begins_epoch, struct store_message *out,
        bool *existed)
{
	enum tacit_err err;
	struct tacit_buf text = {0};
	struct memory_message added = {.row.conversation_id = n->conversation_id,
	        .user_id = n->user_id,
	        .created_at = n->now,
	        .begins_epoch = begins_epoch,
	        .content_bytes = n->content.n,
	        .client_id_bytes = n->client_id.n};
	TRY(n->client_id.n <= sizeof(added.client_id) ? TACIT_OK : TACIT_E_USAGE);
	if (n->client_id.n > 0)
		memcpy(added.client_id, n->client_id.p, n->client_id.n);
	TRY(tacit_buf_append(&text, n->content));
	TRY(tacit_buf_append(&text, n->extra));
	TRY(memory_member(s, m->now, n->conversation_id, n->user_id));
	int64_t ttl = memory_conversation(s, n->conversation_id)->message_ttl;
	added.expires_at = ttl > 0 && begins_epoch == 0 ? m->now + ttl : 0;
	const struct memory_message *earlier =
	        find_earlier(s, n->conversation_id, n->user_id, n->client_id);
	if (earlier == NULL) {
		added.id = ++s->last_id[MEMORY_MESSAGE];
		TRY(memory_add(s, MEMORY_MESSAGE, &added, tacit_buf_view(&text)));
		store_tell_deadline(&m->base, added.expires_at);
	}
	*out = describe(s, earlier != NULL ? earlier : &added);
	*existed = earlier != NULL;
out:
	tacit_buf_clear(&text);
	return err;
}

enum tacit_err memory_message_append(struct store *store, const struct store_new_message *n,
        struct store_message *out, bool *existed)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	*existed = false;
	*out = (struct store_message){0};
	memory_time(m, n->now);
	TRY(memory_enter(m, &s));
	TRY(memory_append(m, s, n, 0, out, existed));
out:
	return memory_leave(m, s, err);
}

struct range {
	int64_t conversation_id, after, before; /* both exclusive */
	int64_t now;                            /* what is over by then is left out */
};

/* The first of the range behind m (NULL: of all). */
static const struct memory_message *next_in(
        const struct memory_state *s, const struct range *r, const struct memory_message *m)
{
	while ((m = memory_next(s, MEMORY_MESSAGE, m)) != NULL)
		if (m->row.conversation_id == r->conversation_id && m->id > r->after &&
		        m->id < r->before && !memory_is_over(m->expires_at, r->now))
			break;
	return m;
}

enum tacit_err memory_message_page(struct store *store, int64_t conversation_id, int64_t user_id,
        int64_t before, int64_t after, unsigned limit,
        enum tacit_err (*row)(void *ctx, const struct store_message *m), void *ctx, bool *more)
{
	enum tacit_err err;
	struct memory *handle = memory_of(store);
	struct memory_state *s = memory_look(handle);
	const struct memory_message *m = NULL;
	struct range r = {conversation_id, after, before > 0 ? before : INT64_MAX, handle->now};
	size_t count = 0, skipped = 0, given = 0;
	*more = false;
	TRY(memory_member(s, handle->now, conversation_id, user_id));
	while ((m = next_in(s, &r, m)) != NULL)
		count++;
	if (after == 0 && count > limit)
		skipped = count - limit;
	for (size_t i = 0; given < limit && (m = next_in(s, &r, m)) != NULL; i++) {
		if (i < skipped)
			continue;
		struct store_message described = memory_describe(s, m);
		given++;
		TRY(row(ctx, &described));
	}
	*more = given < count;
out:
	memory_state_drop(s);
	return err;
}

enum tacit_err memory_read_mark(struct store *store, int64_t conversation_id, int64_t user_id,
        int64_t message_id, int64_t now, bool *moved)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	*moved = false;
	memory_time(m, now);
	TRY(memory_enter(m, &s));
	TRY(memory_member(s, m->now, conversation_id, user_id));
	bool there = memory_message(s, m->now, conversation_id, message_id) != NULL;
	TRY(there ? TACIT_OK : TACIT_E_NOT_FOUND);
	struct memory_participant *p = memory_participant(s, conversation_id, user_id);
	*moved = message_id > p->read_message_id;
	if (*moved) {
		p->read_message_id = message_id;
		p->read_at = now;
	}
out:
	return memory_leave(m, s, err);
}
