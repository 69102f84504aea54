/* Live connections: what is said on one comes in its order, until it breaks. */
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"
#include "wire/json.h"

#define PAGE 10 /* messages in a room_history */

static uint64_t in_order(struct sim_world *w, uint64_t *last)
{
	uint64_t time = w->time + 1 + sim_below(&w->random, 2 * w->weather.delay);
	*last = time > *last ? time : *last + 1;
	return *last;
}

static void post(struct sim_device *d, enum sim_event_kind kind, uint64_t *last, const char *name,
        const json_t *body)
{
	struct sim_event e = {.time = in_order(d->world, last),
	        .kind = kind,
	        .device = d->index,
	        .life = d->live.number};
	if (tacit_buf_append(&e.path, tacit_bytes(name, strlen(name) + 1)) != TACIT_OK ||
	        tacit_json_write(body, &e.body) != TACIT_OK)
		abort();
	sim_push(d->world, &e);
}

static bool is_joined(const struct sim_device *d, json_int_t room)
{
	for (size_t i = 0; i < d->live.room_count; i++)
		if (d->live.rooms[i] == room)
			return true;
	return false;
}

static void leave_room(struct sim_device *d, json_int_t room)
{
	for (size_t i = d->live.room_count; i > 0; i--)
		if (d->live.rooms[i - 1] == room)
			d->live.rooms[i - 1] = d->live.rooms[--d->live.room_count];
}

/* --- the client's end ----------------------------------------------------------------------- */

void sim_live_up(struct sim_device *d)
{
	static unsigned numbers;
	d->live = (struct sim_live){.up = true, .number = ++numbers};
	sim_trace(d->world, d, "goes live");
	sim_device_step(d, SIM_LIVE_UP, NULL);
}

void sim_live_down(struct sim_device *d)
{
	if (!d->live.up)
		return;
	sim_trace(d->world, d, "is live no more");
	d->live = (struct sim_live){0};
	if (d->engine != NULL)
		tacit_engine_live_down(d->engine);
}

void sim_live_say(struct sim_device *d, const struct tacit_effect *fx)
{
	json_t *body = NULL;
	if (!d->live.up)
		return;
	if (tacit_json_parse(tacit_buf_view(&fx->data), &body) != TACIT_OK)
		abort();
	post(d, SIM_SAID, &d->live.last_said, (const char *)fx->path.p, body);
	json_decref(body);
}

/* --- the server's end ----------------------------------------------------------------------- */

static void join(struct sim_world *w, struct sim_device *d, json_int_t room, json_int_t after)
{
	json_t *list = json_array(), *m;
	size_t i;
	bool more = false;
	if (!model_is_in(&w->server, room, sim_person_name(d->person))) {
		json_t *refusal = json_pack("{s:s,s:s,s:I}", "code", "NOT_FOUND", "event",
		        "join_room", "room_id", room);
		post(d, SIM_TOLD, &d->live.last_told, "error", refusal);
		json_decref(refusal);
		json_decref(list);
		return;
	}
	json_array_foreach(model_messages(&w->server), i, m)
	{
		if (json_integer_value(json_object_get(m, "conversation_id")) != room ||
		        json_integer_value(json_object_get(m, "id")) <= after)
			continue;
		more = json_array_size(list) == PAGE;
		if (more)
			break;
		json_array_append_new(list, model_live_form(m));
	}
	leave_room(d, room);
	if (!more && d->live.room_count < SIM_ROOMS)
		d->live.rooms[d->live.room_count++] = room;
	json_t *body = json_pack("{s:I,s:o,s:b,s:b}", "room_id", room, "messages", list, "more",
	        (int)more, "joined", (int)!more);
	post(d, SIM_TOLD, &d->live.last_told, "room_history", body);
	json_decref(body);
}

void sim_live_heard_by_server(struct sim_world *w, struct sim_event *e)
{
	struct sim_device *d = &w->devices[e->device];
	json_t *body = NULL;
	if (!d->live.up || d->live.number != e->life)
		return;
	if (tacit_json_parse(tacit_buf_view(&e->body), &body) != TACIT_OK)
		abort();
	if (strcmp((const char *)e->path.p, "join_room") == 0)
		join(w, d, json_integer_value(json_object_get(body, "room_id")),
		        json_integer_value(json_object_get(body, "after")));
	json_decref(body);
}

static bool is_named(const json_t *body, const char *username)
{
	size_t i;
	json_t *u;
	json_array_foreach(json_object_get(body, "users"), i,
	        u) if (strcmp(json_string_value(json_object_get(u, "username")), username) ==
	               0) return true;
	return false;
}

void sim_live_tell(void *ctx, json_int_t conversation, const char *event, const json_t *body)
{
	struct sim_world *w = ctx;
	if (strcmp(event, "participants") == 0)
		sim_note_change(w, conversation, body);
	for (unsigned i = 0; i < SIM_DEVICES; i++) {
		struct sim_device *d = &w->devices[i];
		const char *name = sim_person_name(d->person);
		if (!d->live.up)
			continue;
		if (!model_is_in(&w->server, conversation, name))
			leave_room(d, conversation);
		if (is_joined(d, conversation) || is_named(body, name))
			post(d, SIM_TOLD, &d->live.last_told, event, body);
	}
}

void sim_live_told(struct sim_world *w, struct sim_event *e)
{
	struct sim_device *d = &w->devices[e->device];
	if (d->live.up && d->live.number == e->life && d->power == SIM_ON)
		sim_device_step(d, SIM_LIVE_EVENT, e);
}
