#include "twins_say.h"

#include <inttypes.h>

int64_t id_of(const struct twin *t, int64_t number)
{
	if (number <= 0)
		return 0;
	return (size_t)number <= t->messages.count ? t->messages.id[number - 1] : 1000000;
}

int64_t number_of(const struct twin *t, int64_t id)
{
	for (size_t i = 0; i < t->messages.count; i++)
		if (t->messages.id[i] == id)
			return (int64_t)i + 1;
	return id == 0 ? 0 : -1;
}

void say_bytes(struct twin *t, struct tacit_bytes b)
{
	SAY(t, "[%.*s] ", (int)b.n, b.n > 0 ? (const char *)b.p : "");
}

enum tacit_err on_user(void *ctx, const struct store_user *u)
{
	SAY((struct twin *)ctx, "%" PRId64 " %s %s %d%d %" PRId64 " %" PRId64 ", ", u->id,
	        u->username, u->email, u->admin, u->disabled, u->quota_bytes, u->totp_last_step);
	return TACIT_OK;
}

enum tacit_err on_device(void *ctx, int64_t user_id, const struct tacit_device *d)
{
	SAY((struct twin *)ctx, "%" PRId64 " %d %" PRId64 ", ", user_id, d->id.b[0], d->created_at);
	return TACIT_OK;
}

enum tacit_err on_conversation(void *ctx, const struct store_conversation *c)
{
	SAY((struct twin *)ctx,
	        "%" PRId64 " %d by %" PRId64 " %" PRId64 " %" PRId64 " last %" PRId64
	        " unread %" PRId64 " ttl %" PRId64 " ends %d",
	        c->id, (int)c->kind, c->creator_id, c->created_at, c->expires_at,
	        number_of(ctx, c->last_message_id), c->unread, c->message_ttl, (int)c->ends_when);
	say_bytes(ctx, c->name);
	return TACIT_OK;
}

enum tacit_err on_participant(void *ctx, const struct store_participant *p)
{
	SAY((struct twin *)ctx, "%" PRId64 " %s %s %" PRId64 " read %" PRId64 " %" PRId64 ", ",
	        p->user_id, p->username, (const char *)p->public_key, p->joined_at,
	        number_of(ctx, p->read_message_id), p->read_at);
	return TACIT_OK;
}

enum tacit_err on_message(void *ctx, const struct store_message *m)
{
	SAY((struct twin *)ctx, "%" PRId64 " %" PRId64 " %" PRId64 " %s %" PRId64 " ",
	        number_of(ctx, m->id), m->conversation_id, m->user_id, m->username, m->created_at);
	SAY((struct twin *)ctx, "until %" PRId64 " ", m->expires_at);
	say_bytes(ctx, m->content);
	say_bytes(ctx, m->extra);
	say_bytes(ctx, m->client_id);
	return TACIT_OK;
}

enum tacit_err on_upload(void *ctx, const struct store_upload *u)
{
	SAY((struct twin *)ctx,
	        "%s %" PRId64 " %" PRId64 " %" PRId64 " of %" PRId64 " %" PRId64 " %" PRId64, u->id,
	        u->owner_id, u->conversation_id, u->offset, u->length, u->created_at,
	        u->expires_at);
	say_bytes(ctx, u->metadata);
	return TACIT_OK;
}

/* In whatever order: store.h promises none. */
void say_gone(struct twin *t, const struct gone *g)
{
	for (char digit = 'a'; digit <= 'f'; digit++) {
		struct store_file f = a_file(digit, 0, 0, 0);
		if (is_gone(g, f.id))
			SAY(t, "gone %c, ", digit);
	}
	SAY(t, "%zu gone ", g->count);
}

void say_session(struct twin *t, const struct store_session *s)
{
	SAY(t, "%" PRId64 " %" PRId64 " %s %" PRId64 " %d%d ", s->id, s->user_id, s->username,
	        s->expires_at, s->admin, s->disabled);
}
