/* Requests and answers under way. The heap is ordered by time, then by when an event was made. */
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

#define PATIENCE 30000 /* ms, until a client takes it that no answer comes */

static bool before(const struct sim_event *a, const struct sim_event *b)
{
	return a->time != b->time ? a->time < b->time : a->order < b->order;
}

void sim_push(struct sim_world *w, struct sim_event *e)
{
	struct sim_events *q = &w->events;
	if (q->count == q->cap) {
		q->cap = 2 * q->cap + 64;
		q->list = realloc(q->list, q->cap * sizeof(*q->list));
		if (q->list == NULL)
			abort();
	}
	e->order = q->next_order++;
	size_t i = q->count++;
	for (; i > 0 && before(e, &q->list[(i - 1) / 2]); i = (i - 1) / 2)
		q->list[i] = q->list[(i - 1) / 2];
	q->list[i] = *e;
}

bool sim_next_event(struct sim_world *w, struct sim_event *out)
{
	struct sim_events *q = &w->events;
	if (q->count == 0)
		return false;
	*out = q->list[0];
	struct sim_event last = q->list[--q->count];
	size_t i = 0;
	for (;;) {
		size_t child = 2 * i + 1;
		if (child + 1 < q->count && before(&q->list[child + 1], &q->list[child]))
			child++;
		if (child >= q->count || !before(&q->list[child], &last))
			break;
		q->list[i] = q->list[child];
		i = child;
	}
	if (q->count > 0)
		q->list[i] = last;
	return true;
}

void sim_event_clear(struct sim_event *e)
{
	tacit_buf_clear(&e->path);
	tacit_buf_clear(&e->body);
	tacit_buf_clear(&e->cookie);
	model_answer_clear(&e->answer);
}

void sim_later(struct sim_world *w, uint64_t in, enum sim_event_kind kind, unsigned device)
{
	struct sim_event e = {.time = w->time + in, .kind = kind, .device = device};
	sim_push(w, &e);
}

static void copy(struct tacit_buf *to, struct tacit_bytes from)
{
	if (tacit_buf_append(to, from) != TACIT_OK)
		abort();
}

static uint64_t travel(struct sim_world *w)
{
	uint64_t ms = 1 + sim_below(&w->random, 2 * w->weather.delay);
	if (sim_chance(&w->random, w->weather.slow))
		ms += sim_below(&w->random, 2 * PATIENCE);
	return ms;
}

/* No answer: the client hears so when its patience is over. */
static void give_up(struct sim_world *w, const struct sim_event *request)
{
	struct sim_event e = {.time = w->time + PATIENCE,
	        .kind = SIM_ANSWER,
	        .device = request->device,
	        .life = request->life,
	        .request = request->request};
	sim_push(w, &e);
}

static void post(struct sim_device *d, const struct tacit_effect *send, const struct sim_event *how)
{
	struct sim_event e = *how;
	e.kind = SIM_REQUEST;
	e.device = d->index;
	e.life = d->life;
	e.request = send->request;
	e.method = send->method;
	copy(&e.path, tacit_cstr((const char *)send->path.p));
	copy(&e.path, tacit_bytes("", 1));
	copy(&e.body, tacit_buf_view(&send->data));
	copy(&e.cookie, tacit_engine_cookie(d->engine));
	sim_push(d->world, &e);
}

void sim_send(struct sim_device *d, const struct tacit_effect *send)
{
	static const char *const methods[] = {"GET", "POST", "PUT", "DELETE"};
	struct sim_world *w = d->world;
	struct sim_event e = {.time = w->time + travel(w), .request = send->request};
	bool lost = sim_chance(&w->random, w->weather.lose_request);
	bool twice = sim_chance(&w->random, w->weather.twice);
	e.unheard = sim_chance(&w->random, w->weather.lose_answer);
	/* Later than the client's patience: it arrives all the same. */
	bool late = e.time > w->time + PATIENCE;
	const struct sim_event gone = {
	        .device = d->index, .life = d->life, .request = send->request};
	sim_trace(w, d, "%s %s%s%s%s%s", methods[send->method], (const char *)send->path.p,
	        lost ? " LOST" : "", late ? " LATE" : "", e.unheard ? " UNHEARD" : "",
	        twice ? " TWICE" : "");
	w->count.lost += lost || late || e.unheard;
	if (lost || late || e.unheard)
		give_up(w, &gone);
	e.unheard |= late;
	if (!lost)
		post(d, send, &e);
	if (twice && !lost) { /* what comes first is heard: a copy's signature is used already */
		e.time += travel(w);
		e.copy = e.unheard = true;
		post(d, send, &e);
	}
}

void sim_arrive(struct sim_world *w, struct sim_event *e)
{
	const struct model_request r = {.method = e->method,
	        .path = (const char *)e->path.p,
	        .cookie = tacit_buf_view(&e->cookie),
	        .body = tacit_buf_view(&e->body)};
	w->server.now = SIM_EPOCH + (int64_t)(w->time / 1000);
	struct sim_event answer = {.kind = SIM_ANSWER,
	        .device = e->device,
	        .life = e->life,
	        .request = e->request,
	        .time = w->time + travel(w)};
	/* Within the patience of who waits, or nobody would wait any more. */
	if (answer.time > w->time + PATIENCE / 4)
		answer.time = w->time + PATIENCE / 4;
	model_server_answer(&w->server, &r, &answer.answer);
	sim_trace(w, &w->devices[e->device], "  at the server: %s -> %d%s", (const char *)e->path.p,
	        answer.answer.status, e->copy ? " (copy)" : "");
	if (e->unheard)
		sim_event_clear(&answer);
	else
		sim_push(w, &answer);
}
