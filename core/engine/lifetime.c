/* lifetime.c - what ends by itself: messages after a time, sessions as a whole.
 *
 * The history is opaque to the engine, so it remembers which ids expire when, in spans: messages
 * whose ends are close together share one, and go together, at most a 64th of their time late.
 * Only sessions are destroyed at the server's word: it could else wipe anything. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/changes_int.h"

#define SPANS 64 /* over the time that a message lives */
#define DAY 86400

/* A message that stays, amid those that go: whatever the order in which they came here. */
static void spare(struct tacit_lifetime *l, uint64_t id)
{
	for (size_t i = 0; i < l->count; i++) {
		struct tacit_span *span = &l->spans[i];
		if (id < span->from || id > span->last)
			continue;
		l->dirty = true;
		if (span->from < id && id < span->last && l->count < MAX_SPANS)
			l->spans[l->count++] =
			        (struct tacit_span){id + 1, span->last, span->expires};
		if (span->from < id)
			span->last = id - 1;
		else
			span->from = id + 1;
	}
	l->dirty |= l->count > 0 && !l->sealed;
	l->sealed = true;
}

enum tacit_err tacit_lifetime_logged(
        struct tacit_engine *e, struct tacit_conversation *c, uint64_t id, int64_t expires)
{
	struct tacit_lifetime *l = &c->life;
	if (expires == 0) {
		spare(l, id);
		return TACIT_OK;
	}
	if (l->spans == NULL)
		l->spans = tacit_calloc(MAX_SPANS, sizeof(*l->spans));
	if (l->spans == NULL)
		return TACIT_E_NOMEM;
	int64_t now = tacit_env_now(&e->env);
	int64_t room = expires > now ? (expires - now) / SPANS : 0;
	struct tacit_span *last = l->count > 0 ? &l->spans[l->count - 1] : NULL;
	bool fits = last != NULL && !l->sealed && expires <= last->expires &&
	            last->expires - expires <= room;
	l->dirty = e->changed = true;
	if (fits || l->count == MAX_SPANS) {
		last->from = id < last->from ? id : last->from;
		last->last = id > last->last ? id : last->last;
		last->expires = expires > last->expires ? expires : last->expires;
		return TACIT_OK;
	}
	l->spans[l->count++] = (struct tacit_span){id, id, expires + room};
	l->sealed = false;
	return TACIT_OK;
}

/* Its clock and ours are not the same, and ours lags: any message that is to end may have. */
bool tacit_lifetime_ends(const struct tacit_conversation *c, uint64_t message)
{
	if (message <= c->life.ended)
		return true;
	for (size_t i = 0; i < c->life.count; i++)
		if (message >= c->life.spans[i].from && message <= c->life.spans[i].last)
			return true;
	return false;
}

static enum tacit_err duration(uint64_t seconds, struct tacit_buf *out)
{
	static const struct {
		uint64_t seconds;
		const char *name;
	} units[] = {{DAY, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
	for (size_t i = 0;; i++) {
		uint64_t n = seconds / units[i].seconds;
		if (seconds % units[i].seconds == 0 && n > 0)
			return tacit_buf_printf(
			        out, "%" PRIu64 " %s%s", n, units[i].name, n == 1 ? "" : "s");
	}
}

static enum tacit_err tell_setting(
        struct tacit_engine *e, const struct tacit_op *op, struct tacit_conversation *c)
{
	enum tacit_err err;
	struct tacit_buf text = {0};
	struct tacit_bytes by = {0};
	if (op->kind == TACIT_CMD_SET_EXPIRY)
		by = tacit_buf_view(&e->username);
	else if (c->life.by_seconds == c->life.ttl)
		by = tacit_name_view(&c->life.by);
	if (tacit_contact_is_self(e, by))
		TRY(tacit_buf_printf(&text, "By your setting: "));
	else if (by.n > 0)
		TRY(tacit_buf_printf(
		        &text, "By the setting of %.*s: ", (int)by.n, (const char *)by.p));
	if (c->life.ttl == 0) {
		TRY(tacit_buf_printf(&text, "Messages are kept here from now on."));
	} else {
		TRY(tacit_buf_printf(&text, "Messages that are sent here disappear after "));
		TRY(duration(c->life.ttl, &text));
		TRY(tacit_buf_printf(&text, "."));
	}
	TRY(tacit_log_event(e, op, c,
	        &(struct tacit_notice){
	                .kind = TACIT_NOTICE_EXPIRY,
	                .conversation = c->id,
	                .message = c->seen,
	                .username = by,
	                .count = c->life.ttl,
	                .text = tacit_buf_view(&text),
	                .time = tacit_env_now(&e->env),
	        }));
out:
	tacit_buf_clear(&text);
	return err;
}

enum tacit_err tacit_lifetime_set(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, uint64_t ttl, int64_t closes_at)
{
	struct tacit_lifetime *l = &c->life;
	if (c->kind == TACIT_SESSION && closes_at != l->closes_at) {
		l->closes_at = closes_at;
		l->dirty = e->changed = true;
	}
	if (ttl == l->ttl)
		return TACIT_OK;
	l->ttl = ttl;
	l->sealed = true;
	l->dirty = e->changed = true;
	return tell_setting(e, op, c);
}

int64_t tacit_lifetime_due(const struct tacit_conversation *c)
{
	int64_t due = INT64_MAX;
	if (c->closed)
		return due;
	if (c->known && c->kind == TACIT_SESSION && c->life.closes_at > 0)
		due = c->life.closes_at;
	for (size_t i = 0; i < c->life.count; i++)
		if (c->life.spans[i].expires < due)
			due = c->life.spans[i].expires;
	return due;
}

/* --- what is over ------------------------------------------------------------------------------
 */

static enum tacit_err end_span(
        struct tacit_engine *e, struct tacit_conversation *c, const struct tacit_span *span)
{
	const struct tacit_op nobody = {.own_accord = true};
	enum tacit_err err;
	if (span->from > span->last)
		return TACIT_OK;
	TRY(tacit_sent_drop(e, c, span->from, span->last));
	tacit_lost_drop(e, c, span->from, span->last);
	TRY(tacit_changes_drop(e, c, span->from, span->last));
	TRY(tacit_log_purge(
	        e, c, span->from * EVENT_SLOTS, span->last * EVENT_SLOTS + EVENT_SLOTS - 1));
	TRY(tacit_op_tell(e, &nobody,
	        &(struct tacit_notice){
	                .kind = TACIT_NOTICE_EXPIRED,
	                .conversation = c->id,
	                .message = span->from,
	                .count = span->last,
	        }));
out:
	return err;
}

enum tacit_err tacit_lifetime_end(struct tacit_engine *e, struct tacit_conversation *c)
{
	enum tacit_err err = TACIT_OK;
	const struct tacit_op nobody = {.own_accord = true};
	int64_t now = tacit_env_now(&e->env);
	struct tacit_lifetime *l = &c->life;
	size_t kept = 0;
	if (tacit_lifetime_due(c) > now)
		return TACIT_OK;
	if (c->kind == TACIT_SESSION && l->closes_at > 0 && l->closes_at <= now)
		return tacit_conversation_close(e, &nobody, c);
	l->dirty = e->changed = true;
	for (size_t i = 0; i < l->count; i++) {
		if (l->spans[i].expires > now) {
			l->spans[kept++] = l->spans[i];
			continue;
		}
		TRY(end_span(e, c, &l->spans[i]));
		l->ended = l->spans[i].last > l->ended ? l->spans[i].last : l->ended;
	}
	l->sealed = true;
	l->count = kept;
out:
	return err;
}

enum tacit_err tacit_conversation_close(
        struct tacit_engine *e, const struct tacit_op *op, struct tacit_conversation *c)
{
	enum tacit_err err;
	struct tacit_buf text = {0};
	struct tacit_bytes title = tacit_conversation_title(e, c);
	if (c->closed)
		return TACIT_OK;
	e->changed = true;
	TRY(tacit_buf_printf(&text, "The session%s%.*s%s is over. Nothing of it is kept here.",
	        title.n > 0 ? " \"" : "", (int)title.n, title.n > 0 ? (const char *)title.p : "",
	        title.n > 0 ? "\"" : ""));
	TRY(tacit_sent_drop(e, c, 0, UINT64_MAX));
	TRY(tacit_changes_drop(e, c, 0, UINT64_MAX));
	TRY(tacit_records_drop_conversation(e, c->id));
	TRY(tacit_notes_drop(e, c->id));
	TRY(tacit_outbox_drop(e, c->id));
	TRY(tacit_log_purge(e, c, 0, INT64_MAX));
	TRY(tacit_op_tell(e, op,
	        &(struct tacit_notice){
	                .kind = TACIT_NOTICE_CLOSED,
	                .conversation = c->id,
	                .conversation_kind = c->kind,
	                .title = title,
	                .text = tacit_buf_view(&text),
	                .time = tacit_env_now(&e->env),
	        }));
	c->closed = true;
	c->in = c->known = false;
out:
	tacit_buf_clear(&text);
	return err;
}

enum tacit_err tacit_engine_tick(struct tacit_engine *e, struct tacit_effects *fx)
{
	enum tacit_err err = TACIT_OK;
	if (e->broken)
		return TACIT_E_NOMEM;
	for (struct tacit_conversation *c = e->conversations; c != NULL && e->unlocked; c = c->next)
		TRY(tacit_lifetime_end(e, c));
out:
	return tacit_engine_finish(e, err, fx);
}
