/* conversations.c - who talks with whom: taking in the server's descriptions, and catching its
 * lies.
 *
 * The server keeps the list of members, so it could slip someone in. What can be held is held: a
 * direct chat has two people, for ever; the kind never changes; everyone new is announced. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/changes_int.h"
#include "wire/names.h"

struct tacit_conversation *tacit_conversation_find(const struct tacit_engine *e, uint64_t id)
{
	for (struct tacit_conversation *c = e->conversations; c != NULL; c = c->next)
		if (c->id == id)
			return c;
	return NULL;
}

enum tacit_err tacit_conversation_get(
        struct tacit_engine *e, uint64_t id, struct tacit_conversation **out)
{
	*out = tacit_conversation_find(e, id);
	if (*out != NULL)
		return TACIT_OK;
	if (e->conversation_count >= MAX_CONVERSATIONS)
		return TACIT_E_LIMIT;
	struct tacit_conversation *c = tacit_calloc(1, sizeof(*c));
	if (c == NULL)
		return TACIT_E_NOMEM;
	c->id = id;
	struct tacit_conversation **at = &e->conversations;
	while (*at != NULL && (*at)->id < id)
		at = &(*at)->next;
	c->next = *at;
	*at = c;
	e->conversation_count++;
	*out = c;
	return TACIT_OK;
}

void tacit_conversation_free(struct tacit_conversation *c)
{
	if (c == NULL)
		return;
	tacit_group_destroy(c->group);
	tacit_buf_clear(&c->stored_state);
	tacit_buf_clear(&c->stored_tree);
	tacit_pending_free(c->pending);
	tacit_receipts_free(c);
	tacit_changes_free(c);
	tacit_buf_clear(&c->name);
	tacit_buf_clear(&c->title);
	tacit_free(c->members);
	tacit_free(c->life.spans);
	tacit_free(c);
}

struct tacit_member *tacit_conversation_member(
        const struct tacit_conversation *c, struct tacit_bytes username)
{
	for (size_t i = 0; i < c->member_count; i++)
		if (tacit_name_same(tacit_name_view(&c->members[i].name), username))
			return &c->members[i];
	return NULL;
}

struct tacit_conversation *tacit_conversation_direct(
        const struct tacit_engine *e, struct tacit_bytes username)
{
	for (struct tacit_conversation *c = e->conversations; c != NULL; c = c->next) {
		const struct tacit_member *m = tacit_conversation_member(c, username);
		if (c->known && c->in && c->kind == TACIT_DIRECT && m != NULL && m->in &&
		        !tacit_contact_is_self(e, username))
			return c;
	}
	return NULL;
}

struct tacit_bytes tacit_conversation_title(
        const struct tacit_engine *e, const struct tacit_conversation *c)
{
	if (c->kind != TACIT_DIRECT)
		return tacit_buf_view(c->name.n > 0 ? &c->name : &c->title);
	for (size_t i = 0; i < c->member_count; i++)
		if (!tacit_contact_is_self(e, tacit_name_view(&c->members[i].name)))
			return tacit_name_view(&c->members[i].name);
	return tacit_bytes(NULL, 0);
}

/* --- members ------------------------------------------------------------------------------------
 */

static enum tacit_err append_member(struct tacit_conversation *c, const struct tacit_name *name)
{
	if (c->member_count >= MAX_MEMBERS_EVER)
		return TACIT_E_LIMIT;
	struct tacit_member *members =
	        tacit_realloc(c->members, (c->member_count + 1) * sizeof(*members));
	if (members == NULL)
		return TACIT_E_NOMEM;
	c->members = members;
	members[c->member_count++] = (struct tacit_member){.name = *name, .in = true};
	return TACIT_OK;
}

static bool asked_for(const struct tacit_op *op, struct tacit_bytes name)
{
	for (size_t i = 0; i < op->user_count; i++)
		if (tacit_name_same(tacit_name_view(&op->users[i]), name))
			return true;
	return op->kind == TACIT_CMD_REMOVE && tacit_name_same(tacit_buf_view(&op->username), name);
}

static enum tacit_err announce(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, const struct tacit_member *m)
{
	enum tacit_err err;
	struct tacit_buf text = {0};
	struct tacit_bytes title = tacit_conversation_title(e, c);
	bool self = tacit_contact_is_self(e, tacit_name_view(&m->name));
	TRY(tacit_buf_printf(&text, "%s %s%s the conversation%s%.*s%s", self ? "You" : m->name.c,
	        self ? "are " : "is ", m->in ? "now in" : "no longer in", title.n > 0 ? " \"" : "",
	        (int)title.n, title.n > 0 ? (const char *)title.p : "", title.n > 0 ? "\"." : "."));
	TRY(tacit_log_event(e, op, c,
	        &(struct tacit_notice){
	                .kind = TACIT_NOTICE_MEMBER,
	                .username = tacit_name_view(&m->name),
	                .conversation = c->id,
	                .message = c->seen,
	                .text = tacit_buf_view(&text),
	                .flag = m->in,
	                .time = tacit_env_now(&e->env),
	        }));
out:
	tacit_buf_clear(&text);
	return err;
}

static enum tacit_err join_member(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, const struct tacit_name *name, bool first_sight)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_member *m = tacit_conversation_member(c, tacit_name_view(name));
	if (m != NULL && m->in)
		return TACIT_OK;
	if (m != NULL)
		m->in = true;
	else
		TRY(append_member(c, name));
	c->dirty = e->changed = true;
	m = tacit_conversation_member(c, tacit_name_view(name));
	bool self = tacit_contact_is_self(e, tacit_name_view(name));
	bool expected = asked_for(op, tacit_name_view(name)) ||
	                (self && (first_sight || c->kind == TACIT_DIRECT));
	/* Who comes with a group that was made right now, and was not named, is news too. */
	if (!expected && (!first_sight || op->kind == TACIT_CMD_CREATE_GROUP)) {
		m->announced = self ? 0 : op->id;
		TRY(announce(e, op, c, m));
	}
out:
	return err;
}

static enum tacit_err leave_member(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, struct tacit_member *m)
{
	m->in = false;
	c->dirty = e->changed = true;
	return asked_for(op, tacit_name_view(&m->name)) ? TACIT_OK : announce(e, op, c, m);
}

enum tacit_err tacit_conversation_add_former(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, const struct tacit_name *name)
{
	enum tacit_err err;
	if (tacit_conversation_member(c, tacit_name_view(name)) != NULL)
		return TACIT_OK;
	TRY(append_member(c, name));
	TRY(leave_member(e, op, c, &c->members[c->member_count - 1]));
out:
	return err;
}

void tacit_conversation_put_out(struct tacit_engine *e, struct tacit_conversation *c)
{
	struct tacit_member *self = tacit_conversation_member(c, tacit_buf_view(&e->username));
	if (self != NULL)
		self->in = false;
	c->in = false;
	c->dirty = e->changed = true;
}

/* A direct chat is between the same two people for ever. */
static enum tacit_err check_direct(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, const struct tacit_person *people, size_t count)
{
	size_t strangers = 0;
	for (size_t i = 0; i < count; i++) {
		struct tacit_bytes name = tacit_name_view(&people[i].name);
		if (!tacit_contact_is_self(e, name) && c->member_count > 0 &&
		        tacit_conversation_member(c, name) == NULL)
			strangers++;
	}
	if (count <= 2 && strangers == 0 && (c->member_count > 0 || count == 2))
		return TACIT_OK;
	enum tacit_err err = tacit_op_warn(e, op, NULL, TACIT_E_REFUSED,
	        "The server shows other people than before in a chat between two. It is refused.");
	return err != TACIT_OK ? err : TACIT_E_REFUSED;
}

static enum tacit_err observe_people(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, const struct tacit_person *people, size_t count)
{
	enum tacit_err err = TACIT_OK;
	bool first_sight = !c->known;
	for (size_t i = 0; i < count; i++) {
		err = tacit_contact_observe(e, op, &people[i]);
		/* With a changed key: still a member, but nobody seals until it is accepted.
		 * One whom the directory contradicts is not taken in. */
		if (err == TACIT_E_REFUSED)
			continue;
		if (err != TACIT_OK && err != TACIT_E_KEY_CHANGED)
			return err;
		TRY(join_member(e, op, c, &people[i].name, first_sight));
	}
	for (size_t i = 0; i < c->member_count; i++) {
		bool there = false;
		for (size_t k = 0; k < count && !there; k++)
			there = tacit_name_same(tacit_name_view(&people[k].name),
			        tacit_name_view(&c->members[i].name));
		if (!there && c->members[i].in)
			TRY(leave_member(e, op, c, &c->members[i]));
	}
	err = TACIT_OK;
out:
	return err;
}

enum tacit_err tacit_conversation_read(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, struct tacit_bytes username, uint64_t message)
{
	struct tacit_member *m = tacit_conversation_member(c, username);
	if (m == NULL || message <= m->read)
		return TACIT_OK;
	m->read = message;
	c->dirty = e->changed = true;
	if (tacit_contact_is_self(e, username))
		return TACIT_OK;
	return tacit_op_tell(e, op,
	        &(struct tacit_notice){
	                .kind = TACIT_NOTICE_READ,
	                .username = username,
	                .conversation = c->id,
	                .message = message,
	        });
}

static enum tacit_err absorb_marks(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, const json_t *participants)
{
	enum tacit_err err = TACIT_OK;
	size_t i;
	json_t *item;
	json_array_foreach(participants, i, item)
	{
		int64_t read = 0;
		struct tacit_bytes name, joined;
		TRY(tacit_json_integer(
		        item, "read_message_id", TACIT_OPTIONAL, 0, TACIT_MAX_INTEGER, &read));
		TRY(tacit_json_text(item, "username", TACIT_REQUIRED, TACIT_MAX_USERNAME, &name));
		TRY(tacit_json_text(item, "joined_at", TACIT_OPTIONAL, 64, &joined));
		TRY(tacit_conversation_read(e, op, c, name, (uint64_t)read));
		struct tacit_member *m = tacit_conversation_member(c, name);
		if (m != NULL)
			m->joined = tacit_answer_time(joined);
	}
out:
	return err;
}

enum tacit_err tacit_conversation_absorb_members(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, const json_t *participants)
{
	enum tacit_err err = TACIT_OK;
	size_t count = json_array_size(participants);
	struct tacit_person *people = NULL;
	if (!json_is_array(participants) || count > TACIT_MAX_PARTICIPANTS)
		return TACIT_E_MALFORMED;
	people = tacit_calloc(count + 1, sizeof(*people));
	if (people == NULL)
		return TACIT_E_NOMEM;
	for (size_t i = 0; i < count; i++)
		TRY(tacit_answer_person(json_array_get(participants, i), "user_id", &people[i]));
	if (c->kind == TACIT_DIRECT)
		TRY(check_direct(e, op, c, people, count));
	TRY(observe_people(e, op, c, people, count));
	TRY(absorb_marks(e, op, c, participants));
out:
	tacit_free(people);
	return err;
}

/* --- the description as a whole
 * ------------------------------------------------------------------- */

struct description {
	uint64_t id, last, unread, ttl;
	int64_t closes_at;
	enum tacit_conversation_kind kind;
	struct tacit_bytes title;
	const json_t *participants;
};

static enum tacit_err read_description(const json_t *object, struct description *out)
{
	static const char *const kinds[] = {NULL, "direct", "group", "room", "session"};
	enum tacit_err err;
	struct tacit_bytes kind;
	struct tacit_bytes closes;
	int64_t last = 0, unread = 0, ttl = 0;
	*out = (struct description){0};
	TRY(tacit_answer_id(object, "id", &out->id));
	TRY(tacit_json_text(object, "kind", TACIT_REQUIRED, 16, &kind));
	TRY(tacit_json_text(
	        object, "name", TACIT_OPTIONAL, 4 * TACIT_MAX_CONVERSATION_NAME, &out->title));
	TRY(tacit_json_integer(
	        object, "last_message_id", TACIT_OPTIONAL, 0, TACIT_MAX_INTEGER, &last));
	TRY(tacit_json_integer(object, "unread", TACIT_OPTIONAL, 0, TACIT_MAX_INTEGER, &unread));
	TRY(tacit_answer_list(object, "participants", TACIT_MAX_PARTICIPANTS, &out->participants));
	TRY(tacit_json_integer(
	        object, "message_ttl_seconds", TACIT_OPTIONAL, 0, TACIT_MAX_INTEGER, &ttl));
	TRY(tacit_json_text(object, "expires_at", TACIT_OPTIONAL, 64, &closes));
	out->ttl = (uint64_t)ttl;
	out->closes_at = tacit_answer_time(closes);
	out->last = (uint64_t)last;
	out->unread = (uint64_t)unread;
	for (int i = TACIT_DIRECT; i <= TACIT_SESSION; i++)
		if (tacit_bytes_eq(kind, tacit_cstr(kinds[i])))
			out->kind = (enum tacit_conversation_kind)i;
	if (out->kind == 0)
		err = TACIT_E_UNSUPPORTED;
out:
	return err;
}

/* What was asked before the newest message came may have been answered before it came, too. */
static enum tacit_err check_rollback(
        struct tacit_engine *e, const struct tacit_op *op, struct tacit_conversation *c)
{
	uint64_t known = c->seen > c->own_last ? c->seen : c->own_last;
	if (c->last >= known || op->asked <= c->moved_at || tacit_lifetime_ends(c, known))
		return TACIT_OK;
	return tacit_op_warn(e, op, c, TACIT_E_ORDER_CHANGED,
	        "The server has gone back in time: it knows messages up to %" PRIu64
	        " here, but %" PRIu64 " was there before.",
	        c->last, known);
}

/* A conversation comes into being here only when its description is acceptable. */
static enum tacit_err absorb(struct tacit_engine *e, const struct tacit_op *op,
        const struct description *d, struct tacit_conversation **out)
{
	enum tacit_err err;
	struct tacit_conversation *c;
	TRY(tacit_conversation_get(e, d->id, &c));
	if (c->closed) {
		err = TACIT_E_REFUSED;
		goto out;
	}
	if (c->known && c->kind != d->kind) {
		TRY(tacit_op_warn(e, op, c, TACIT_E_REFUSED,
		        "The server has made another kind of conversation out of this one. "
		        "It is refused."));
		err = TACIT_E_REFUSED;
		goto out;
	}
	c->kind = d->kind;
	TRY(tacit_conversation_absorb_members(e, op, c, d->participants));
	if (!c->known || !tacit_bytes_eq(tacit_buf_view(&c->title), d->title)) {
		c->title.n = 0;
		TRY(tacit_buf_append(&c->title, d->title));
		c->dirty = true;
	}
	const struct tacit_member *self =
	        tacit_conversation_member(c, tacit_buf_view(&e->username));
	bool in = self != NULL && self->in;
	if (!c->known || c->in != in || c->last != d->last || c->unread != d->unread)
		c->dirty = true;
	c->known = true;
	c->in = in;
	c->last = d->last;
	c->unread = d->unread;
	e->changed |= c->dirty;
	TRY(tacit_lifetime_set(e, op, c, d->ttl, d->closes_at));
	TRY(check_rollback(e, op, c));
	*out = c;
out:
	return err;
}

enum tacit_err tacit_conversation_absorb(struct tacit_engine *e, const struct tacit_op *op,
        const json_t *object, struct tacit_conversation **out)
{
	struct description d;
	*out = NULL;
	enum tacit_err err = read_description(object, &d);
	if (err == TACIT_E_UNSUPPORTED)
		return TACIT_OK;
	if (err == TACIT_OK)
		err = absorb(e, op, &d, out);
	return err == TACIT_E_REFUSED ? TACIT_OK : err;
}

/* --- telling
 * ---------------------------------------------------------------------------------------- */

static uint64_t mark(const struct tacit_engine *e, const struct tacit_member *m)
{
	return tacit_contact_is_self(e, tacit_name_view(&m->name)) ? 0 : m->read;
}

enum tacit_err tacit_conversation_describe(const struct tacit_engine *e,
        const struct tacit_conversation *c, struct tacit_buf *members, struct tacit_notice *out)
{
	enum tacit_err err = TACIT_OK;
	*out = (struct tacit_notice){0};
	for (size_t i = 0; i < c->member_count; i++)
		if (c->members[i].in)
			TRY(tacit_buf_printf(
			        members, "%s%s", members->n > 0 ? "\n" : "", c->members[i].name.c));
	size_t names = members->n;
	for (size_t i = 0; i < c->member_count; i++)
		if (c->members[i].in)
			TRY(tacit_buf_printf(members, "%s%" PRIu64, members->n > names ? "\n" : "",
			        mark(e, &c->members[i])));
	*out = (struct tacit_notice){
	        .kind = TACIT_NOTICE_CONVERSATION,
	        .conversation = c->id,
	        .conversation_kind = c->kind,
	        .message = c->last,
	        .title = tacit_conversation_title(e, c),
	        .members = tacit_bytes_part(tacit_buf_view(members), 0, names),
	        .detail = tacit_bytes_part(tacit_buf_view(members), names, members->n - names),
	        .count = tacit_unread(e, c),
	        .seconds = c->life.ttl,
	        .time = c->life.closes_at,
	};
	if (c->kind == TACIT_DIRECT) {
		const struct tacit_contact *other = tacit_contact_find(e, out->title);
		out->username = out->title;
		out->flag = other != NULL && other->verified && !other->changed;
	}
out:
	return err;
}

enum tacit_err tacit_conversation_tell(
        struct tacit_engine *e, const struct tacit_op *op, const struct tacit_conversation *c)
{
	enum tacit_err err;
	struct tacit_notice n;
	struct tacit_buf members = {0};
	TRY(tacit_conversation_describe(e, c, &members, &n));
	TRY(tacit_op_tell(e, op, &n));
out:
	tacit_buf_clear(&members);
	return err;
}

void tacit_engine_each_conversation(const struct tacit_engine *e,
        void (*each)(void *ctx, const struct tacit_notice *n), void *ctx)
{
	for (const struct tacit_conversation *c = e->conversations; c != NULL; c = c->next) {
		struct tacit_notice n;
		struct tacit_buf members = {0};
		if (c->known && c->in &&
		        tacit_conversation_describe(e, c, &members, &n) == TACIT_OK)
			each(ctx, &n);
		tacit_buf_clear(&members);
	}
}

uint64_t tacit_engine_find_conversation(const struct tacit_engine *e, struct tacit_bytes name)
{
	uint64_t found = 0;
	for (const struct tacit_conversation *c = e->conversations; c != NULL; c = c->next) {
		if (!c->known || !c->in)
			continue;
		struct tacit_bytes title = tacit_conversation_title(e, c);
		bool same = c->kind == TACIT_DIRECT ? tacit_name_same(title, name)
		                                    : tacit_bytes_eq(title, name);
		if (same && found != 0)
			return 0;
		if (same)
			found = c->id;
	}
	return found;
}
