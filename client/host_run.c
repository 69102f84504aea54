/* Steps of the engine: effects carried out in their order, requests sent, answers given back. */
#include <stdio.h>

#include "base/alloc.h"
#include "client/host_int.h"

/* --- effects --------------------------------------------------------------------------------- */

static enum tacit_err persist_one(struct host *h, const struct tacit_effect *fx)
{
	switch (fx->kind) {
	case TACIT_EFFECT_PERSIST:
		return localstore_put_record(h->store, &fx->id, tacit_buf_view(&fx->data));
	case TACIT_EFFECT_PROFILE:
		return localstore_put_profile(h->store, tacit_buf_view(&fx->data));
	case TACIT_EFFECT_LOG:
		return localstore_put_log(
		        h->store, &fx->id, fx->position, tacit_buf_view(&fx->data));
	case TACIT_EFFECT_PURGE:
		return localstore_purge_log(h->store, &fx->id, fx->position, fx->until);
	default:
		return TACIT_OK;
	}
}

static bool persists(const struct tacit_effects *fx)
{
	for (size_t i = 0; i < fx->count; i++) {
		enum tacit_effect_kind kind = fx->list[i].kind;
		if (kind == TACIT_EFFECT_PERSIST || kind == TACIT_EFFECT_PROFILE ||
		        kind == TACIT_EFFECT_LOG || kind == TACIT_EFFECT_PURGE)
			return true;
	}
	return false;
}

enum tacit_err host_persist(struct host *h, const struct tacit_effects *fx)
{
	enum tacit_err err = TACIT_OK;
	if (!persists(fx))
		return TACIT_OK;
	TRY(localstore_begin(h->store));
	for (size_t i = 0; i < fx->count; i++)
		TRY(persist_one(h, &fx->list[i]));
	TRY(localstore_commit(h->store));
out:
	if (err != TACIT_OK) {
		localstore_rollback(h->store);
		h->stale = true;
	}
	return err;
}

/* The effect's bytes change hands. */
static enum tacit_err queue_send(struct run *r, struct tacit_effect *fx)
{
	if (r->waiting.count == r->waiting.cap) {
		size_t cap = r->waiting.cap == 0 ? 4 : 2 * r->waiting.cap;
		struct tacit_effect *list = tacit_realloc(r->waiting.list, cap * sizeof(*list));
		if (list == NULL)
			return TACIT_E_NOMEM;
		r->waiting.list = list;
		r->waiting.cap = cap;
	}
	r->waiting.list[r->waiting.count++] = *fx;
	*fx = (struct tacit_effect){.kind = TACIT_EFFECT_COOKIE};
	return TACIT_OK;
}

static void hand_over(struct host *h, struct run *r, const struct tacit_notice *n)
{
	bool ours = n->op == r->op;
	if (n->kind == TACIT_NOTICE_DONE && ours) {
		r->ended = true;
		r->outcome = TACIT_OK;
	} else if (n->kind == TACIT_NOTICE_FAILED && ours) {
		r->ended = true;
		r->outcome = n->err != TACIT_OK ? n->err : TACIT_E_REFUSED;
		if (n->text.n > 0)
			snprintf(h->problem, sizeof(h->problem), "%.*s", (int)n->text.n,
			        (const char *)n->text.p);
		if (n->err == TACIT_E_NETWORK && http_problem(h->http)[0] != '\0')
			snprintf(h->problem, sizeof(h->problem), "%s", http_problem(h->http));
	}
	if (r->deliver != NULL)
		r->deliver(r->ctx, n);
}

static enum tacit_err carry_out(struct host *h, struct run *r, struct tacit_effects *fx);

static enum tacit_err recall(struct host *h, struct run *r, const struct tacit_effect *asked)
{
	enum tacit_err err;
	struct tacit_buf entry = {0};
	struct tacit_effects fx = {0};
	err = localstore_get_log(h->store, &asked->id, asked->position, &entry);
	if (err != TACIT_E_NOT_FOUND)
		TRY(err);
	TRY(tacit_engine_recalled(h->engine, asked->request, tacit_buf_view(&entry), &fx));
	TRY(carry_out(h, r, &fx));
out:
	tacit_buf_clear(&entry);
	tacit_effects_clear(&fx);
	return err;
}

static enum tacit_err carry_out(struct host *h, struct run *r, struct tacit_effects *fx)
{
	enum tacit_err err;
	TRY(host_persist(h, fx));
	for (size_t i = 0; i < fx->count; i++) {
		if (fx->list[i].kind == TACIT_EFFECT_DELIVER)
			hand_over(h, r, &fx->list[i].notice);
		else if (fx->list[i].kind == TACIT_EFFECT_LIVE && h->say != NULL)
			h->say(h->say_ctx, (const char *)fx->list[i].path.p,
			        tacit_buf_view(&fx->list[i].data));
		else if (fx->list[i].kind == TACIT_EFFECT_SEND)
			TRY(queue_send(r, &fx->list[i]));
		else if (fx->list[i].kind == TACIT_EFFECT_RECALL)
			TRY(recall(h, r, &fx->list[i]));
	}
out:
	tacit_effects_clear(fx);
	return err;
}

static bool cancelled(const struct host *h)
{
	if (h->watch != NULL)
		return h->watch->turn(h->watch->ctx);
	return h->cancel != NULL && *h->cancel != 0;
}

/* --- commands -------------------------------------------------------------------------------- */

static const char *method_name(enum tacit_http_method m)
{
	static const char *const names[] = {"GET", "POST", "PUT", "DELETE"};
	return names[m];
}

/* Sends one request and gives the engine the answer, or word that none came. */
static enum tacit_err send_one(struct host *h, struct run *r, const struct tacit_effect *send)
{
	enum tacit_err err;
	struct tacit_effects fx = {0};
	struct http_answer answer = {0};
	struct http_request request = {
	        .method = method_name(send->method),
	        .path = (const char *)send->path.p,
	        .cookie = tacit_engine_cookie(h->engine),
	        .content_type = send->data.n > 0 ? "application/json" : NULL,
	        .body = tacit_buf_view(&send->data),
	};
	err = http_perform(h->http, &request, &answer);
	if (err == TACIT_E_NETWORK)
		http_answer_clear(&answer);
	else
		TRY(err);
	const struct tacit_http_answer given = {
	        .status = answer.status,
	        .body = tacit_buf_view(&answer.body),
	        .cookie = tacit_buf_view(&answer.cookie),
	        .cookie_name = tacit_cstr(answer.cookie_name),
	};
	TRY(tacit_engine_answer(h->engine, send->request, &given, &fx));
	TRY(carry_out(h, r, &fx));
out:
	tacit_effects_clear(&fx);
	http_answer_clear(&answer);
	return err;
}

/* Until nothing waits for an answer any more. */
static enum tacit_err send_all(struct host *h, struct run *r)
{
	enum tacit_err err = TACIT_OK;
	while (r->next < r->waiting.count) {
		if (cancelled(h))
			TRY(TACIT_E_CANCELLED);
		struct tacit_effect send = r->waiting.list[r->next++];
		TRY(send_one(h, r, &send));
	}
out:
	return err;
}

static enum tacit_err tick(struct host *h, struct run *r)
{
	enum tacit_err err;
	struct tacit_effects fx = {0};
	if (tacit_engine_due(h->engine) > tacit_env_now(&h->env))
		return TACIT_OK;
	TRY(tacit_engine_tick(h->engine, &fx));
	TRY(carry_out(h, r, &fx));
out:
	tacit_effects_clear(&fx);
	h->stale |= err != TACIT_OK;
	return err;
}

enum tacit_err host_run(
        struct host *h, const struct tacit_command *c, host_deliver *deliver, void *ctx)
{
	enum tacit_err err;
	struct tacit_effects fx = {0};
	struct run r = {.deliver = deliver, .ctx = ctx};
	h->problem[0] = '\0';
	TRY(host_take_turn(h));
	TRY(host_freshen(h));
	TRY(tick(h, &r));
	TRY(tacit_engine_command(h->engine, c, &r.op, &fx));
	h->stale = true; /* until the command has come to its end */
	TRY(carry_out(h, &r, &fx));
	TRY(send_all(h, &r));
	TACIT_ASSERT(r.ended);
	h->stale = false;
	err = r.outcome;
out:
	localstore_unlock(h->store);
	tacit_effects_clear(&fx);
	tacit_effects_clear(&r.waiting);
	return err;
}

/* --- live ------------------------------------------------------------------------------------ */

enum live_what { LIVE_UP, LIVE_EVENT, LIVE_TICK };

struct live_step {
	enum live_what what;
	struct tacit_bytes name, body;
};

static enum tacit_err take_step(
        struct host *h, const struct live_step *step, struct tacit_effects *fx)
{
	enum tacit_err err = TACIT_OK;
	if (step->what == LIVE_UP)
		err = tacit_engine_live_up(h->engine, fx);
	if (step->what == LIVE_EVENT)
		err = tacit_engine_live_event(h->engine, step->name, step->body, fx);
	/* A server's nonsense is not ours to fail of; what is missing will be fetched. */
	return tacit_err_class(err) == TACIT_CLASS_SYSTEM ? err : TACIT_OK;
}

static enum tacit_err run_step(
        struct host *h, const struct live_step *step, host_deliver *deliver, void *ctx)
{
	enum tacit_err err;
	struct tacit_effects fx = {0};
	struct run r = {.deliver = deliver, .ctx = ctx};
	h->problem[0] = '\0';
	TRY(host_take_turn(h));
	TRY(host_freshen(h));
	if (step->what != LIVE_TICK && !tacit_engine_logged_in(h->engine))
		TRY(TACIT_E_NOT_LOGGED_IN); /* by another process */
	TRY(tick(h, &r));
	h->stale = true;
	TRY(take_step(h, step, &fx));
	TRY(carry_out(h, &r, &fx));
	TRY(send_all(h, &r));
	h->stale = false;
out:
	localstore_unlock(h->store);
	tacit_effects_clear(&fx);
	tacit_effects_clear(&r.waiting);
	return err;
}

enum tacit_err host_live_up(struct host *h, host_say *say, host_deliver *deliver, void *ctx)
{
	h->say = say;
	h->say_ctx = ctx;
	enum tacit_err err = run_step(h, &(struct live_step){.what = LIVE_UP}, deliver, ctx);
	if (err != TACIT_OK)
		host_live_down(h);
	return err;
}

void host_live_down(struct host *h)
{
	h->say = NULL;
	tacit_engine_live_down(h->engine);
}

enum tacit_err host_live_event(struct host *h, struct tacit_bytes name, struct tacit_bytes body,
        host_deliver *deliver, void *ctx)
{
	return run_step(h, &(struct live_step){LIVE_EVENT, name, body}, deliver, ctx);
}

enum tacit_err host_tick(struct host *h, host_deliver *deliver, void *ctx)
{
	if (host_due(h) > tacit_env_now(&h->env))
		return TACIT_OK;
	return run_step(h, &(struct live_step){.what = LIVE_TICK}, deliver, ctx);
}

int64_t host_due(const struct host *h)
{
	return tacit_engine_due(h->engine);
}
