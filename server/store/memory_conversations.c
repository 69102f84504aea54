/* Conversations, their participants and wrapped keys. */
#include <string.h>

#include "server/store/memory_int.h"
#include "server/store/memory_slots.h"

struct memory_conversation *memory_conversation(const struct memory_state *s, int64_t id)
{
	struct memory_conversation *c = NULL;
	while ((c = memory_next(s, MEMORY_CONVERSATION, c)) != NULL)
		if (c->row.conversation_id == id)
			break;
	return c;
}

struct memory_participant *memory_participant(
        const struct memory_state *s, int64_t conversation_id, int64_t user_id)
{
	struct memory_participant *p = NULL;
	while ((p = memory_next(s, MEMORY_PARTICIPANT, p)) != NULL)
		if (p->row.conversation_id == conversation_id && p->user_id == user_id)
			break;
	return p;
}

enum tacit_err memory_member(
        const struct memory_state *s, int64_t now, int64_t conversation_id, int64_t user_id)
{
	if (memory_participant(s, conversation_id, user_id) == NULL)
		return TACIT_E_NOT_FOUND;
	const struct memory_conversation *c = memory_conversation(s, conversation_id);
	bool over = c->closed_at != 0 || memory_is_over(c->expires_at, now);
	return over ? TACIT_E_GONE : TACIT_OK;
}

/* The two of a direct conversation in order; with oneself, both are the same. */
static enum tacit_err find_pair(
        int64_t creator_id, const int64_t *members, size_t count, int64_t pair[2])
{
	int64_t other = creator_id;
	for (size_t i = 0; i < count; i++) {
		if (members[i] == creator_id || members[i] == other)
			continue;
		if (other != creator_id)
			return TACIT_E_USAGE;
		other = members[i];
	}
	pair[0] = creator_id < other ? creator_id : other;
	pair[1] = creator_id < other ? other : creator_id;
	return TACIT_OK;
}

static const struct memory_conversation *find_direct(
        const struct memory_state *s, const int64_t pair[2])
{
	const struct memory_conversation *c = NULL;
	while ((c = memory_next(s, MEMORY_CONVERSATION, c)) != NULL)
		if (c->kind == STORE_DIRECT && c->pair[0] == pair[0] && c->pair[1] == pair[1])
			break;
	return c;
}

/* OK when the user is in it already. */
static enum tacit_err ensure_participant(
        struct memory_state *s, int64_t id, int64_t user_id, int64_t now)
{
	struct memory_participant added = {
	        .row.conversation_id = id, .user_id = user_id, .joined_at = now};
	if (memory_participant(s, id, user_id) != NULL)
		return TACIT_OK;
	if (memory_user(s, user_id) == NULL)
		return TACIT_E_NOT_FOUND;
	return memory_add(s, MEMORY_PARTICIPANT, &added, TACIT_STR(""));
}

enum tacit_err memory_conversation_create(struct store *store, enum store_kind kind,
        int64_t creator_id, struct tacit_bytes name, const int64_t *members, size_t member_count,
        int64_t now, int64_t expires_at, int64_t *id, bool *existed)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	const struct memory_conversation *direct = NULL;
	struct memory_conversation added = {.kind = kind,
	        .creator_id = creator_id,
	        .created_at = now,
	        .expires_at = expires_at};
	*id = 0;
	*existed = false;
	memory_time(m, now);
	TRY(expires_at == 0 || kind == STORE_SESSION ? TACIT_OK : TACIT_E_USAGE);
	if (kind == STORE_DIRECT)
		TRY(find_pair(creator_id, members, member_count, added.pair));
	TRY(memory_enter(m, &s));
	if (kind == STORE_DIRECT)
		direct = find_direct(s, added.pair);
	if (direct != NULL) {
		added = *direct;
	} else {
		added.row.conversation_id = ++s->last_id[MEMORY_CONVERSATION];
		TRY(memory_add(s, MEMORY_CONVERSATION, &added, name));
	}
	TRY(ensure_participant(s, added.row.conversation_id, creator_id, now));
	for (size_t i = 0; i < member_count; i++)
		TRY(ensure_participant(s, added.row.conversation_id, members[i], now));
	*id = added.row.conversation_id;
	*existed = direct != NULL;
	store_tell_deadline(store, *existed ? 0 : expires_at);
out:
	return memory_leave(m, s, err);
}

/* The newest message; NULL when there is none. Messages are in the order of their ids. */
static const struct memory_message *last_message(
        const struct memory_state *s, int64_t now, int64_t id)
{
	const struct memory_message *m = NULL, *last = NULL;
	while ((m = memory_next(s, MEMORY_MESSAGE, m)) != NULL)
		if (m->row.conversation_id == id && !memory_is_over(m->expires_at, now))
			last = m;
	return last;
}

static int64_t count_unread(
        const struct memory_state *s, int64_t now, const struct memory_participant *p)
{
	int64_t count = 0;
	const struct memory_message *m = NULL;
	while ((m = memory_next(s, MEMORY_MESSAGE, m)) != NULL)
		count += m->row.conversation_id == p->row.conversation_id &&
		         m->id > p->read_message_id && m->user_id != p->user_id &&
		         m->begins_epoch == 0 && !memory_is_over(m->expires_at, now);
	return count < STORE_MAX_UNREAD ? count : STORE_MAX_UNREAD;
}

static struct store_conversation describe(const struct memory_state *s, int64_t now,
        const struct memory_conversation *c, const struct memory_participant *asking)
{
	const struct memory_message *last = last_message(s, now, c->row.conversation_id);
	return (struct store_conversation){
	        .id = c->row.conversation_id,
	        .kind = c->kind,
	        .name = memory_text(&c->row),
	        .creator_id = c->creator_id,
	        .created_at = c->created_at,
	        .expires_at = c->expires_at,
	        .last_message_id = last != NULL ? last->id : 0,
	        .unread = count_unread(s, now, asking),
	        .message_ttl = c->message_ttl,
	        .ends_when = c->ends_when,
	};
}

enum tacit_err memory_conversation_get(struct store *store, int64_t id, int64_t user_id,
        int64_t now, enum tacit_err (*row)(void *ctx, const struct store_conversation *c),
        void *ctx)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = memory_look(m);
	memory_time(m, now);
	TRY(memory_member(s, m->now, id, user_id));
	struct store_conversation c =
	        describe(s, m->now, memory_conversation(s, id), memory_participant(s, id, user_id));
	TRY(row(ctx, &c));
out:
	memory_state_drop(s);
	return err;
}

/* Where it stands in a list: the greatest comes first. Of two that were active at the same time,
 * it is the one whose last message, or else whose beginning, is younger. */
struct rank {
	int64_t active_at, last_message_id, id;
};

static struct rank rank_of(
        const struct memory_state *s, int64_t now, const struct memory_conversation *c)
{
	const struct memory_message *last = last_message(s, now, c->row.conversation_id);
	return (struct rank){last != NULL ? last->created_at : c->created_at,
	        last != NULL ? last->id : 0, c->row.conversation_id};
}

static bool is_below(struct rank a, struct rank b)
{
	if (a.active_at != b.active_at)
		return a.active_at < b.active_at;
	if (a.last_message_id != b.last_message_id)
		return a.last_message_id < b.last_message_id;
	return a.id < b.id;
}

/* The user's conversation that comes next below *rank, which becomes its own. */
static const struct memory_conversation *next_by_rank(
        const struct memory_state *s, int64_t user_id, int kind, int64_t now, struct rank *rank)
{
	const struct memory_conversation *best = NULL, *c = NULL;
	struct rank below = *rank;
	while ((c = memory_next(s, MEMORY_CONVERSATION, c)) != NULL) {
		if ((kind != 0 && (int)c->kind != kind) ||
		        memory_member(s, now, c->row.conversation_id, user_id) != TACIT_OK)
			continue;
		struct rank r = rank_of(s, now, c);
		if (is_below(r, below) && (best == NULL || is_below(*rank, r))) {
			best = c;
			*rank = r;
		}
	}
	return best;
}

enum tacit_err memory_conversation_list(struct store *store, int64_t user_id, int kind, int64_t now,
        enum tacit_err (*row)(void *ctx, const struct store_conversation *c), void *ctx)
{
	enum tacit_err err = TACIT_OK;
	struct memory *m = memory_of(store);
	struct memory_state *s = memory_look(m);
	struct rank rank = {INT64_MAX, INT64_MAX, INT64_MAX};
	const struct memory_conversation *c;
	memory_time(m, now);
	while ((c = next_by_rank(s, user_id, kind, m->now, &rank)) != NULL) {
		struct store_conversation described = describe(
		        s, m->now, c, memory_participant(s, c->row.conversation_id, user_id));
		TRY(row(ctx, &described));
	}
out:
	memory_state_drop(s);
	return err;
}

enum tacit_err memory_conversation_ids(struct store *store, int64_t user_id, int64_t now,
        enum tacit_err (*row)(void *ctx, int64_t id), void *ctx)
{
	enum tacit_err err = TACIT_OK;
	struct memory *m = memory_of(store);
	struct memory_state *s = memory_look(m);
	const struct memory_conversation *c = NULL;
	memory_time(m, now);
	while ((c = memory_next(s, MEMORY_CONVERSATION, c)) != NULL)
		if (memory_member(s, m->now, c->row.conversation_id, user_id) == TACIT_OK)
			TRY(row(ctx, c->row.conversation_id));
out:
	memory_state_drop(s);
	return err;
}

enum tacit_err memory_conversation_member(
        struct store *store, int64_t id, int64_t user_id, int64_t now, struct store_member *out)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = memory_look(m);
	*out = (struct store_member){0};
	memory_time(m, now);
	TRY(memory_member(s, m->now, id, user_id));
	const struct memory_conversation *c = memory_conversation(s, id);
	out->kind = c->kind;
	out->creator_id = c->creator_id;
	out->message_ttl = c->message_ttl;
	out->ends_when = c->ends_when;
	memcpy(out->username, memory_user(s, user_id)->user.username, sizeof(out->username));
out:
	memory_state_drop(s);
	return err;
}

enum tacit_err memory_participant_list(struct store *store, int64_t id, int64_t user_id,
        enum tacit_err (*row)(void *ctx, const struct store_participant *p), void *ctx)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = memory_look(m);
	const struct memory_participant *p = NULL;
	TRY(memory_member(s, m->now, id, user_id));
	while ((p = memory_next(s, MEMORY_PARTICIPANT, p)) != NULL) {
		if (p->row.conversation_id != id)
			continue;
		const struct store_user *u = &memory_user(s, p->user_id)->user;
		struct store_participant described = {.user_id = p->user_id,
		        .joined_at = p->joined_at,
		        .read_message_id = p->read_message_id,
		        .read_at = p->read_at};
		memcpy(described.username, u->username, sizeof(described.username));
		memcpy(described.public_key, u->public_key, sizeof(described.public_key));
		TRY(row(ctx, &described));
	}
out:
	memory_state_drop(s);
	return err;
}

static unsigned count_participants(const struct memory_state *s, int64_t id)
{
	unsigned count = 0;
	const struct memory_participant *p = NULL;
	while ((p = memory_next(s, MEMORY_PARTICIPANT, p)) != NULL)
		count += p->row.conversation_id == id;
	return count;
}

enum tacit_err memory_participant_add(struct store *store, int64_t id, int64_t user_id,
        int64_t new_user_id, unsigned max_participants, int64_t now)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	memory_time(m, now);
	TRY(memory_enter(m, &s));
	TRY(memory_member(s, m->now, id, user_id));
	TRY(memory_conversation(s, id)->kind != STORE_DIRECT ? TACIT_OK : TACIT_E_CONFLICT);
	bool in = memory_participant(s, id, new_user_id) != NULL;
	TRY(in ? TACIT_E_EXISTS : TACIT_OK);
	TRY(ensure_participant(s, id, new_user_id, now));
	TRY(count_participants(s, id) <= max_participants ? TACIT_OK : TACIT_E_LIMIT);
out:
	return memory_leave(m, s, err);
}

static void delete_files(
        struct memory_state *s, int64_t id, void (*gone)(void *ctx, const char *file_id), void *ctx)
{
	const struct memory_file *f = NULL;
	while ((f = memory_next(s, MEMORY_FILE, f)) != NULL)
		if (f->row.conversation_id == id)
			gone(ctx, f->file.id);
	const struct memory_upload *u = NULL;
	while ((u = memory_next(s, MEMORY_UPLOAD, u)) != NULL)
		if (u->row.conversation_id == id)
			gone(ctx, u->upload.id);
	memory_delete_parts(s, MEMORY_FILE, id);
	memory_delete_parts(s, MEMORY_UPLOAD, id);
}

void memory_delete_conversation(struct memory_state *s, int64_t id)
{
	memory_delete_parts(s, MEMORY_MESSAGE, id);
	memory_delete_parts(s, MEMORY_GROUP, id);
	memory_delete_parts(s, MEMORY_WELCOME, id);
	memory_delete_parts(s, MEMORY_PARTICIPANT, id);
	memory_delete_parts(s, MEMORY_CONVERSATION, id);
}

enum tacit_err memory_participant_remove(struct store *store, int64_t id, int64_t user_id,
        int64_t removed_user_id, void (*gone)(void *ctx, const char *file_id), void *ctx)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	TRY(memory_enter(m, &s));
	TRY(memory_member(s, m->now, id, user_id));
	struct memory_conversation *c = memory_conversation(s, id);
	bool allowed =
	        user_id == removed_user_id || (user_id == c->creator_id && c->kind != STORE_DIRECT);
	TRY(allowed ? TACIT_OK : TACIT_E_CONFLICT);
	struct memory_participant *removed = memory_participant(s, id, removed_user_id);
	TRY(removed != NULL ? TACIT_OK : TACIT_E_NOT_FOUND);
	bool ends = count_participants(s, id) == 1 || c->ends_when == STORE_ANYONE_LEAVES;
	if (c->kind == STORE_SESSION && ends) {
		TRY(memory_close_conversation(s, c, m->now, gone, ctx));
		goto out;
	}
	memory_delete(s, MEMORY_PARTICIPANT, removed);
	memory_forget_member(s, id, removed_user_id);
	if (count_participants(s, id) == 0) {
		delete_files(s, id, gone, ctx);
		memory_delete_conversation(s, id);
	}
out:
	return memory_leave(m, s, err);
}

enum tacit_err memory_close_conversation(struct memory_state *s, struct memory_conversation *c,
        int64_t now, void (*gone)(void *ctx, const char *file_id), void *ctx)
{
	int64_t id = c->row.conversation_id;
	enum tacit_err err;
	struct memory_participant *p = NULL;
	while ((p = memory_next(s, MEMORY_PARTICIPANT, p)) != NULL) {
		if (p->row.conversation_id != id)
			continue;
		TRY(memory_set_text(&p->row, TACIT_STR("")));
		p->has_key = false;
		p->read_message_id = p->read_at = 0;
	}
	delete_files(s, id, gone, ctx);
	memory_delete_parts(s, MEMORY_MESSAGE, id);
	memory_delete_parts(s, MEMORY_GROUP, id);
	memory_delete_parts(s, MEMORY_WELCOME, id);
	TRY(memory_set_text(&c->row, TACIT_STR("")));
	c->closed_at = now;
out:
	return err;
}

enum tacit_err memory_conversation_close(struct store *store, int64_t id, int64_t user_id,
        int64_t now, void (*gone)(void *ctx, const char *file_id), void *ctx)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	memory_time(m, now);
	TRY(memory_enter(m, &s));
	TRY(memory_member(s, m->now, id, user_id));
	struct memory_conversation *c = memory_conversation(s, id);
	TRY(c->kind == STORE_SESSION ? TACIT_OK : TACIT_E_CONFLICT);
	TRY(memory_close_conversation(s, c, m->now, gone, ctx));
out:
	return memory_leave(m, s, err);
}

enum tacit_err memory_conversation_set_message_ttl(
        struct store *store, int64_t id, int64_t user_id, int64_t seconds, int64_t now)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	memory_time(m, now);
	TRY(seconds >= 0 ? TACIT_OK : TACIT_E_USAGE);
	TRY(memory_enter(m, &s));
	TRY(memory_member(s, m->now, id, user_id));
	memory_conversation(s, id)->message_ttl = seconds;
out:
	return memory_leave(m, s, err);
}

enum tacit_err memory_conversation_set_ends_when(struct store *store, int64_t id, int64_t user_id,
        enum store_ends_when ends_when, int64_t now)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	memory_time(m, now);
	TRY(memory_enter(m, &s));
	TRY(memory_member(s, m->now, id, user_id));
	struct memory_conversation *c = memory_conversation(s, id);
	bool allowed = c->kind == STORE_SESSION && c->creator_id == user_id;
	TRY(allowed ? TACIT_OK : TACIT_E_CONFLICT);
	c->ends_when = ends_when;
out:
	return memory_leave(m, s, err);
}

enum tacit_err memory_key_get(
        struct store *store, int64_t conversation_id, int64_t user_id, struct tacit_buf *out)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = memory_look(m);
	TRY(memory_member(s, m->now, conversation_id, user_id));
	const struct memory_participant *p = memory_participant(s, conversation_id, user_id);
	TRY(p->has_key ? TACIT_OK : TACIT_E_NOT_FOUND);
	TRY(tacit_buf_append(out, memory_text(&p->row)));
out:
	memory_state_drop(s);
	return err;
}

enum tacit_err memory_key_put(struct store *store, int64_t conversation_id, int64_t user_id,
        struct tacit_bytes key, int64_t now)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	memory_time(m, now);
	TRY(memory_enter(m, &s));
	TRY(memory_member(s, m->now, conversation_id, user_id));
	struct memory_participant *p = memory_participant(s, conversation_id, user_id);
	TRY(memory_set_text(&p->row, key));
	p->has_key = true;
out:
	return memory_leave(m, s, err);
}
