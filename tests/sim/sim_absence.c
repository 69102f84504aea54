/* Who was away, from where and how long: what was said meanwhile need not be read. */
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

static void add_departure(struct sim_world *w, json_int_t conversation, unsigned person)
{
	if (w->departure_count == w->departure_cap) {
		w->departure_cap = 2 * w->departure_cap + 16;
		w->departures = realloc(w->departures, w->departure_cap * sizeof(*w->departures));
		if (w->departures == NULL)
			abort();
	}
	w->departures[w->departure_count++] = (struct sim_departure){conversation, person};
}

static struct sim_absence *add_absence(
        struct sim_world *w, unsigned device, json_int_t conversation)
{
	if (w->absence_count == w->absence_cap) {
		w->absence_cap = 2 * w->absence_cap + 16;
		w->absences = realloc(w->absences, w->absence_cap * sizeof(*w->absences));
		if (w->absences == NULL)
			abort();
	}
	struct sim_absence *a = &w->absences[w->absence_count++];
	*a = (struct sim_absence){.conversation = conversation, .device = device};
	return a;
}

static struct sim_absence *find_absence(
        struct sim_world *w, unsigned device, json_int_t conversation)
{
	for (size_t i = 0; i < w->absence_count; i++) {
		struct sim_absence *a = &w->absences[i];
		if (a->device == device && a->conversation == conversation && a->until == 0)
			return a;
	}
	return NULL;
}

static void note_change_of(
        struct sim_world *w, json_int_t conversation, unsigned person, bool added)
{
	if (!added)
		add_departure(w, conversation, person);
	for (unsigned i = 0; i < SIM_DEVICES_EACH; i++) {
		unsigned device = person * SIM_DEVICES_EACH + i;
		struct sim_absence *a = find_absence(w, device, conversation);
		if (a == NULL && !added) {
			a = add_absence(w, device, conversation);
			a->put_out = true;
			a->since = sim_newest(w);
		} else if (a != NULL)
			a->back = added ? sim_newest(w) : 0;
	}
}

void sim_note_change(struct sim_world *w, json_int_t conversation, const json_t *body)
{
	size_t i;
	json_t *u;
	const char *change = json_string_value(json_object_get(body, "change"));
	if (change == NULL)
		return;
	json_array_foreach(json_object_get(body, "users"), i, u)
	{
		const char *name = json_string_value(json_object_get(u, "username"));
		unsigned person = 0;
		while (strcmp(sim_person_name(person), name) != 0)
			person++;
		note_change_of(w, conversation, person, strcmp(change, "added") == 0);
	}
}

void sim_note_leaving(struct sim_device *d, json_int_t conversation)
{
	add_absence(d->world, d->index, conversation);
}

/* The device is in the group: again, or all the time, if the leaving came to nothing. */
void sim_note_presence(struct sim_device *d, json_int_t conversation, uint64_t epoch)
{
	struct sim_world *w = d->world;
	json_int_t joined = sim_joined(d, conversation);
	for (size_t i = 0; i < w->absence_count; i++) {
		struct sim_absence *a = &w->absences[i];
		if (a->device != d->index || a->conversation != conversation || a->until != 0)
			continue;
		if (a->put_out ? joined <= a->since : d->command_count > 0)
			continue;
		a->until = a->put_out ? joined : sim_newest(w);
		a->epoch = epoch;
	}
}

/* Who is out, and was not let in again, cannot ask for what came before it was put out, either: the
 * server shows it nothing of that conversation. */
static bool covers(const struct sim_absence *a, const struct sim_saying *s)
{
	if (a->until == 0)
		return !a->put_out || a->back == 0 || s->message <= a->back;
	return s->message <= a->until || s->epoch < a->epoch;
}

bool sim_was_away(const struct sim_world *w, const struct sim_device *d, const struct sim_saying *s)
{
	for (size_t i = 0; i < w->absence_count; i++) {
		const struct sim_absence *a = &w->absences[i];
		if (a->device == d->index && a->conversation == s->conversation && covers(a, s))
			return true;
	}
	return false;
}
