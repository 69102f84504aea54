/* A world from its seed to its verdict. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

#define MAX_EVENTS 200000 /* of one run: more is a storm */
#define PAUSE 172800000   /* ms, before the rest: what is done now and then is done */
#define MAX_ROUNDS 40     /* of everybody syncing, until nothing changes */

/* --- telling -------------------------------------------------------------------------------- */

void sim_trace(struct sim_world *w, const struct sim_device *d, const char *fmt, ...)
{
	char line[400];
	va_list args;
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	for (const char *c = line; *c != 0; c++) /* FNV-1a */
		w->digest = (w->digest ^ (uint8_t)*c) * 0x100000001b3u;
	w->digest = (w->digest ^ w->time) * 0x100000001b3u;
	if (w->options.trace)
		printf("# %9.3f %-7s %s\n", (double)w->time / 1000, d != NULL ? d->name : "", line);
}

void sim_fault(struct sim_world *w, const char *fmt, ...)
{
	char line[400];
	va_list args;
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (w->faults++ < 12)
		printf("# seed %llu, at %.3f: %s\n", (unsigned long long)w->options.seed,
		        (double)w->time / 1000, line);
}

/* --- beginning and end ---------------------------------------------------------------------- */

static int64_t now(void *ctx)
{
	const struct sim_device *d = ctx;
	return SIM_EPOCH + (int64_t)(d->world->time / 1000);
}

static void fill(void *ctx, uint8_t *out, size_t n)
{
	struct sim_device *d = ctx;
	sim_fill(&d->random, out, n);
}

static unsigned one_of(struct sim_world *w, unsigned a, unsigned b, unsigned c)
{
	const unsigned choice[] = {a, b, c};
	return choice[sim_below(&w->random, 3)];
}

static void draw_weather(struct sim_world *w)
{
	w->weather = (struct sim_weather){
	        .lose_request = one_of(w, 0, 100, 800),
	        .lose_answer = one_of(w, 0, 100, 800),
	        .twice = one_of(w, 0, 100, 1000),
	        .slow = one_of(w, 0, 50, 300),
	        .crash = one_of(w, 0, 300, 1500),
	        .backup = one_of(w, 0, 0, 600),
	        .restore = one_of(w, 0, 200, 500),
	        .live = one_of(w, 0, 0, 1500),
	        .forget = one_of(w, 0, 0, 300),
	        .delay = one_of(w, 20, 300, 1500),
	};
	if (w->options.calm)
		w->weather = (struct sim_weather){.delay = 20};
}

static void enter(struct sim_world *w, unsigned index)
{
	struct sim_device *d = &w->devices[index];
	d->world = w;
	d->index = index;
	d->person = index / SIM_DEVICES_EACH;
	d->random.state = w->options.seed * SIM_DEVICES + index;
	d->env = (struct tacit_env){now, fill, d};
	d->until_crash = -1;
	snprintf(d->name, sizeof(d->name), "%s.%u", sim_person_name(d->person),
	        index % SIM_DEVICES_EACH);
}

void sim_world_init(struct sim_world *w, const struct sim_options *o)
{
	*w = (struct sim_world){.options = *o, .random = {o->seed}, .turns = o->steps};
	model_server_init(&w->server);
	w->server.tell = sim_live_tell;
	w->server.ctx = w;
	sim_cast_enter(w);
	draw_weather(w);
	w->persons = 2 + (unsigned)sim_below(&w->random, SIM_PERSONS - 1);
	for (unsigned i = 0; i < SIM_DEVICES; i++)
		enter(w, i);
	for (unsigned p = 0; p < w->persons; p++) {
		unsigned count = 1 + (unsigned)sim_below(&w->random, 2);
		for (unsigned i = 0; i < count; i++) {
			if (sim_chance(&w->random, 8000))
				sim_cast_publish(w, p * SIM_DEVICES_EACH + i);
			sim_later(w, 1 + sim_below(&w->random, 3000), SIM_BOOT,
			        p * SIM_DEVICES_EACH + i);
		}
	}
}

void sim_world_clear(struct sim_world *w)
{
	struct sim_event e;
	while (sim_next_event(w, &e))
		sim_event_clear(&e);
	free(w->events.list);
	for (unsigned i = 0; i < SIM_DEVICES; i++)
		sim_device_clear(&w->devices[i]);
	model_server_clear(&w->server);
	free(w->sayings);
	free(w->epochs);
	free(w->departures);
	free(w->absences);
}

struct sim_device *sim_device_by_id(struct sim_world *w, const char *hex)
{
	for (unsigned i = 0; i < SIM_DEVICES; i++)
		if (strcmp(w->devices[i].id, hex) == 0)
			return &w->devices[i];
	return NULL;
}

/* --- time passes ---------------------------------------------------------------------------- */

static void boot(struct sim_world *w, struct sim_device *d)
{
	if (d->power == SIM_REVOKED || d->power == SIM_ON)
		return;
	bool first = d->power == SIM_ABSENT;
	sim_device_boot(d);
	if (first)
		sim_later(w, 1 + sim_below(&w->random, 3000), SIM_TURN, d->index);
}

static void hear_answer(struct sim_device *d, const struct sim_event *e)
{
	const struct tacit_http_answer a = {.status = e->answer.status,
	        .body = tacit_buf_view(&e->answer.body),
	        .cookie = tacit_cstr(e->answer.cookie),
	        .cookie_name = tacit_cstr(e->answer.cookie_name)};
	if (d->power == SIM_ON && d->life == e->life)
		sim_device_answer(d, e->request, &a);
}

static void happen(struct sim_world *w, struct sim_event *e)
{
	struct sim_device *d = &w->devices[e->device];
	switch (e->kind) {
	case SIM_REQUEST:
		sim_arrive(w, e);
		break;
	case SIM_ANSWER:
		hear_answer(d, e);
		break;
	case SIM_SAID:
		sim_live_heard_by_server(w, e);
		break;
	case SIM_TOLD:
		sim_live_told(w, e);
		break;
	case SIM_BOOT:
		boot(w, d);
		break;
	case SIM_TURN:
		if (w->resting || w->turns == 0)
			break;
		if (d->power == SIM_ON) {
			w->turns--;
			sim_turn(d);
		}
		if (d->power != SIM_REVOKED)
			sim_later(w, 1 + sim_below(&w->random, 6000), SIM_TURN, e->device);
	}
	sim_event_clear(e);
}

static bool pass_time(struct sim_world *w)
{
	struct sim_event e;
	for (unsigned i = 0; sim_next_event(w, &e); i++) {
		w->time = e.time;
		happen(w, &e);
		if (i == MAX_EVENTS || w->faults > 20) {
			sim_fault(w, "it does not end");
			return false;
		}
	}
	return true;
}

/* --- rest ----------------------------------------------------------------------------------- */

static void check_hanging(struct sim_world *w)
{
	for (unsigned i = 0; i < SIM_DEVICES; i++) {
		struct sim_device *d = &w->devices[i];
		if (d->power == SIM_ON && d->command_count > 0)
			sim_fault(
			        w, "%s: command %u hangs", d->name, (unsigned)d->commands[0].kind);
		d->command_count = 0;
	}
}

static void everybody_syncs(struct sim_world *w)
{
	for (unsigned i = 0; i < SIM_DEVICES; i++)
		if (w->devices[i].power == SIM_ON) {
			sim_device_step(&w->devices[i], SIM_TICK, NULL);
			sim_revoke_lost(&w->devices[i]);
			sim_sync(&w->devices[i]);
		}
	if (pass_time(w))
		check_hanging(w);
}

static void come_to_rest(struct sim_world *w)
{
	uint64_t before = 0;
	unsigned same = 0;
	for (unsigned round = 0; same < 2; round++) {
		everybody_syncs(w);
		uint64_t after = sim_state_of_things(w);
		same = after == before ? same + 1 : 0;
		before = after;
		if (round == MAX_ROUNDS) {
			sim_fault(w, "it does not come to rest");
			return;
		}
		if (w->faults > 12)
			return;
	}
}

/* Everybody says a last word everywhere, but to themselves: it must be understood. */
static void last_words(struct sim_world *w)
{
	size_t i;
	json_t *v;
	for (unsigned k = 0; k < SIM_DEVICES; k++) {
		struct sim_device *d = &w->devices[k];
		if (d->power != SIM_ON)
			continue;
		json_array_foreach(json_object_get(w->server.state, "conversations"), i, v)
		{
			json_int_t id = json_integer_value(json_object_get(v, "id"));
			if (json_array_size(json_object_get(v, "members")) > 1 &&
			        model_is_in(&w->server, id, sim_person_name(d->person)))
				sim_say(d, id);
		}
		if (pass_time(w))
			check_hanging(w);
	}
}

/* All at once, so that they meet on the way. */
static void last_changes(struct sim_world *w)
{
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned k = 0; k < SIM_DEVICES; k++)
			for (unsigned i = 0; i < 3 && w->devices[k].power == SIM_ON; i++)
				sim_change(&w->devices[k]);
		if (pass_time(w))
			check_hanging(w);
	}
}

bool sim_run(struct sim_world *w)
{
	if (pass_time(w)) {
		w->resting = true;
		w->weather = (struct sim_weather){.delay = 20};
		for (unsigned i = 0; i < SIM_DEVICES; i++) {
			w->devices[i].until_crash = -1;
			if (w->devices[i].power == SIM_OFF)
				sim_device_boot(&w->devices[i]);
		}
		sim_trace(w, NULL, "--- rest");
		w->time += PAUSE;
		come_to_rest(w);
	}
	if (w->faults == 0) {
		sim_trace(w, NULL, "--- last words");
		last_words(w);
		come_to_rest(w);
	}
	if (w->faults == 0) {
		sim_trace(w, NULL, "--- last changes");
		last_changes(w);
		come_to_rest(w);
	}
	if (w->faults == 0)
		sim_judge(w);
	return w->faults == 0;
}
