#include "server/api/live_app.h"

#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "server/api/auth.h"
#include "server/api/call.h"
#include "server/api/live_call.h"

#define UNTOLD_AT_A_TIME 64
#define SESSION_COST 2 /* of the address's allowance */

/* --- presence ------------------------------------------------------------------------------- */

static enum tacit_err add_room(void *ctx, int64_t id)
{
	return tacit_buf_append(ctx, tacit_bytes(&id, sizeof(id)));
}

enum tacit_err live_announce(struct api *a, struct store *store, int64_t user_id, int64_t now)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_buf rooms = {0};
	if (!a->settings.presence)
		return TACIT_OK;
	TRY(store->ops->conversation_ids(store, user_id, now, add_room, &rooms));
	if (!live_people_announce(a->people, a->live, user_id,
	            (const int64_t *)(const void *)rooms.p, rooms.n / sizeof(int64_t)))
		err = TACIT_E_NOMEM;
out:
	tacit_buf_clear(&rooms);
	return err;
}

struct announcement {
	struct job job;
	struct api *api;
	int64_t user_id;
};

static enum tacit_err run_announcement(struct job *j, void *context)
{
	struct announcement *n = (struct announcement *)j;
	return live_announce(n->api, context, n->user_id, tacit_env_now(&n->api->settings.env));
}

static void mark_untold(struct api *a)
{
	atomic_store_explicit(&a->untold, true, memory_order_relaxed);
}

static void end_announcement(struct job *j, enum tacit_err err)
{
	struct announcement *n = (struct announcement *)j;
	if (err != TACIT_OK)
		mark_untold(n->api);
	tacit_free(n);
}

void live_announce_later(struct api *a, int64_t user_id)
{
	struct announcement *n = tacit_calloc(1, sizeof(*n));
	if (n != NULL) {
		n->job = (struct job){.run = run_announcement, .done = end_announcement};
		n->api = a;
		n->user_id = user_id;
		if (job_submit(a->pool, JOB_READ, &n->job))
			return;
	}
	tacit_free(n);
	mark_untold(a);
}

static enum tacit_err announce_untold(struct api *a, struct store *store, int64_t now)
{
	enum tacit_err err;
	struct tacit_buf ids = {0};
	TRY(live_people_untold(a->people, UNTOLD_AT_A_TIME, &ids));
	if (ids.n == UNTOLD_AT_A_TIME * sizeof(int64_t))
		mark_untold(a);
	for (size_t i = 0; i < ids.n; i += sizeof(int64_t)) {
		int64_t id;
		memcpy(&id, ids.p + i, sizeof(id));
		TRY(live_announce(a, store, id, now));
	}
out:
	tacit_buf_clear(&ids);
	if (err != TACIT_OK)
		mark_untold(a);
	return err;
}

void api_tell_ended(struct api *a, const struct api_ended *list, size_t count)
{
	enum tacit_err err = TACIT_OK;
	struct live_outbox o = {0};
	struct tacit_buf members = {0};
	for (size_t i = 0; i < count; i++) {
		int64_t id = list[i].conversation_id;
		TRY(tacit_buf_append(&members, tacit_bytes(&list[i].user_id, sizeof(int64_t))));
		if (i + 1 < count && list[i + 1].conversation_id == id)
			continue;
		TRY(live_tell_closed(&o, id, "expired", (const int64_t *)(const void *)members.p,
		        members.n / sizeof(int64_t)));
		members.n = 0;
	}
out:
	tacit_buf_clear(&members);
	if (err != TACIT_OK)
		live_give_up(a->live);
	live_outbox_send(&o, a->live);
}

/* --- logins --------------------------------------------------------------------------------- */

static enum tacit_err look_at_login(
        struct api *a, struct store *store, const struct live_identity *who, int64_t now)
{
	struct store_session s = {0};
	enum tacit_err err = store->ops->session_by_id(store, who->session_id, now, &s);
	if (err != TACIT_OK && err != TACIT_E_NOT_FOUND)
		return err;
	if (err == TACIT_E_NOT_FOUND || s.disabled || s.user_id != who->user_id)
		live_end(a->live, who->user_id, who->session_id);
	else
		live_people_extend(a->people, who->user_id, who->session_id, s.expires_at);
	return TACIT_OK;
}

/* Has another process, the operator's commands, ended logins? */
static enum tacit_err logins_changed(struct api *a, struct store *store, bool *changed)
{
	struct tacit_buf mark = {0};
	int64_t value = 0;
	enum tacit_err err = store->ops->meta_get(store, API_LOGINS_MARK, &mark);
	if (err == TACIT_OK && mark.n == sizeof(value))
		memcpy(&value, mark.p, sizeof(value));
	*changed = value != a->logins_mark;
	a->logins_mark = value;
	tacit_buf_clear(&mark);
	return err == TACIT_E_NOT_FOUND ? TACIT_OK : err;
}

enum tacit_err live_look_after(struct api *a, struct store *store, int64_t now)
{
	enum tacit_err err;
	bool all = false;
	struct tacit_buf logins = {0};
	TRY(logins_changed(a, store, &all));
	if (atomic_exchange_explicit(&a->recheck, false, memory_order_relaxed))
		all = true;
	TRY(live_people_logins(a->people, all ? INT64_MAX : now, &logins));
	for (size_t i = 0; i < logins.n; i += sizeof(struct live_identity)) {
		struct live_identity who;
		memcpy(&who, logins.p + i, sizeof(who));
		TRY(look_at_login(a, store, &who, now));
	}
	if (atomic_exchange_explicit(&a->untold, false, memory_order_relaxed))
		TRY(announce_untold(a, store, now));
out:
	if (err != TACIT_OK && all)
		atomic_store_explicit(&a->recheck, true, memory_order_relaxed);
	tacit_buf_clear(&logins);
	return err;
}

/* --- the application ------------------------------------------------------------------------- */

static void on_event(void *ctx, struct live_handle s, const struct live_identity *who,
        const struct live_event *e)
{
	live_call_start(ctx, s, who, e);
}

static void on_fell_behind(void *ctx, struct live_handle s, const struct live_identity *who,
        const int64_t *rooms, size_t room_count)
{
	(void)who;
	for (size_t i = 0; i < room_count; i++)
		live_tell_problem(ctx, s, API_FELL_BEHIND, NULL, rooms[i]);
}

struct live_app api_live_app(struct api *a)
{
	return (struct live_app){.ctx = a,
	        .connect = live_app_connect,
	        .event = on_event,
	        .gone = live_app_gone,
	        .fell_behind = on_fell_behind};
}

static bool origin_listed(void *ctx, struct tacit_bytes origin)
{
	return api_origin_listed(ctx, origin);
}

static bool admit(void *ctx, const struct http_request *r, unsigned *retry_after)
{
	struct api *a = ctx;
	return api_limiter_take(a->by_address, api_address_key(&r->peer), SESSION_COST,
	        api_monotonic_ms(), retry_after);
}

struct live_http api_live_http(void)
{
	return (struct live_http){.origin_listed = origin_listed, .admit = admit};
}

void api_set_live(struct api *a, struct live *live)
{
	a->live = live;
}
