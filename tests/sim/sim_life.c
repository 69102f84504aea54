/* What people do, drawn from the seed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

/* --- what a device knows -------------------------------------------------------------------- */

struct known {
	struct sim_world *world;
	json_int_t groups[16], any[16];
	size_t group_count, any_count;
};

static void note_conversation(void *ctx, const struct tacit_notice *n)
{
	struct known *k = ctx;
	bool group = n->conversation_kind == TACIT_GROUP;
	if (k->any_count < TACIT_COUNT(k->any))
		k->any[k->any_count++] = (json_int_t)n->conversation;
	if (group && k->group_count < TACIT_COUNT(k->groups))
		k->groups[k->group_count++] = (json_int_t)n->conversation;
}

static struct known look_around(struct sim_device *d)
{
	struct known k = {.world = d->world};
	tacit_engine_each_conversation(d->engine, note_conversation, &k);
	return k;
}

static json_int_t draw_of(struct sim_world *w, const json_int_t *list, size_t count)
{
	return count > 0 ? list[sim_below(&w->random, count)] : 0;
}

/* --- doing ---------------------------------------------------------------------------------- */

void sim_sync(struct sim_device *d)
{
	sim_trace(d->world, d, "SYNC");
	sim_device_command(d, &(struct tacit_command){.kind = TACIT_CMD_SYNC}, 0);
}

static size_t new_saying(struct sim_device *d, json_int_t conversation, size_t about)
{
	struct sim_world *w = d->world;
	if (w->saying_count + 1 >= w->saying_cap) {
		w->saying_cap = 2 * w->saying_cap + 64;
		w->sayings = realloc(w->sayings, w->saying_cap * sizeof(*w->sayings));
		if (w->sayings == NULL)
			abort();
	}
	w->sayings[++w->saying_count] = (struct sim_saying){.device = d->index,
	        .kind = TACIT_CONTENT_TEXT,
	        .conversation = conversation,
	        .about = about};
	return w->saying_count;
}

static void say(struct sim_device *d, json_int_t conversation, const char *to)
{
	char text[32];
	size_t said = new_saying(d, conversation, 0);
	snprintf(text, sizeof(text), "saying %zu", said);
	const struct tacit_content content = {.kind = TACIT_CONTENT_TEXT, .text = tacit_cstr(text)};
	sim_trace(d->world, d, "SEND \"%s\" to %lld%s", text, (long long)conversation, to);
	if (!sim_device_command(d,
	            &(struct tacit_command){.kind = TACIT_CMD_SEND,
	                    .conversation = (uint64_t)conversation,
	                    .username = tacit_cstr(to),
	                    .content = &content},
	            said))
		d->world->sayings[said].fate = SIM_UNSENT;
}

/* The newest are the likeliest. */
static size_t draw_saying(struct sim_device *d)
{
	struct sim_world *w = d->world;
	size_t back = 1 + sim_below(&w->random, 4);
	for (size_t i = w->saying_count; i > 0; i--) {
		const struct sim_saying *s = &w->sayings[i];
		if (s->kind == TACIT_CONTENT_TEXT && s->told[d->index] > 0 && s->message != 0 &&
		        model_is_in(&w->server, s->conversation, sim_person_name(d->person)) &&
		        --back == 0)
			return i;
	}
	return 0;
}

/* Who deletes twice could not be told from who does it once. */
static bool is_deleted(const struct sim_world *w, size_t about)
{
	for (size_t i = about + 1; i <= w->saying_count; i++)
		if (w->sayings[i].about == about && w->sayings[i].kind == TACIT_CONTENT_DELETE)
			return true;
	return false;
}

bool sim_change(struct sim_device *d)
{
	struct sim_world *w = d->world;
	char text[48] = "";
	size_t about = draw_saying(d);
	if (about == 0)
		return false;
	json_int_t conversation = w->sayings[about].conversation;
	bool own = w->sayings[about].device / SIM_DEVICES_EACH == d->person;
	uint64_t what = sim_below(&w->random, 10);
	size_t said = new_saying(d, conversation, about);
	struct sim_saying *s = &w->sayings[said];
	s->kind = !own || what < 4                   ? TACIT_CONTENT_REACTION
	          : what < 8 || is_deleted(w, about) ? TACIT_CONTENT_EDIT
	                                             : TACIT_CONTENT_DELETE;
	s->empty = s->kind == TACIT_CONTENT_REACTION && what % 4 == 3;
	if (s->kind == TACIT_CONTENT_EDIT)
		snprintf(text, sizeof(text), "saying %zu edit %zu", about, said);
	else if (s->kind == TACIT_CONTENT_REACTION && !s->empty)
		snprintf(text, sizeof(text), "r%zu", said);
	const struct tacit_content content = {.kind = s->kind,
	        .message = (uint64_t)w->sayings[about].message,
	        .text = tacit_cstr(text)};
	sim_trace(w, d, "SEND change %zu, kind %d, of saying %zu in %lld", said, (int)s->kind,
	        about, (long long)conversation);
	w->count.changes++;
	if (!sim_device_command(d,
	            &(struct tacit_command){.kind = TACIT_CMD_SEND,
	                    .conversation = (uint64_t)conversation,
	                    .content = &content},
	            said))
		w->sayings[said].fate = SIM_UNSENT;
	return true;
}

void sim_say(struct sim_device *d, json_int_t conversation)
{
	say(d, conversation, "");
}

static unsigned draw_other(struct sim_device *d)
{
	struct sim_world *w = d->world;
	unsigned other = (unsigned)sim_below(&w->random, w->persons - 1);
	return other + (other >= d->person);
}

static void create_group(struct sim_device *d)
{
	struct tacit_bytes users[SIM_PERSONS];
	size_t count = 0;
	for (unsigned p = 0; p < d->world->persons; p++)
		if (p != d->person && (count == 0 || sim_chance(&d->world->random, 8000)))
			users[count++] = tacit_cstr(sim_person_name(p));
	sim_trace(d->world, d, "CREATE_GROUP of %zu", count + 1);
	sim_device_command(d,
	        &(struct tacit_command){.kind = TACIT_CMD_CREATE_GROUP,
	                .text = TACIT_STR("a group"),
	                .users = users,
	                .user_count = count},
	        0);
}

static void add(struct sim_device *d, json_int_t group)
{
	struct tacit_bytes user = tacit_cstr(sim_person_name(draw_other(d)));
	if (group == 0 || model_is_in(&d->world->server, group, (const char *)user.p))
		return;
	sim_trace(d->world, d, "ADD %s to %lld", (const char *)user.p, (long long)group);
	sim_device_command(d,
	        &(struct tacit_command){.kind = TACIT_CMD_ADD,
	                .conversation = (uint64_t)group,
	                .users = &user,
	                .user_count = 1},
	        0);
}

static void take_out(struct sim_device *d, json_int_t group, unsigned person)
{
	const char *name = sim_person_name(person);
	const json_t *v = model_conversation(&d->world->server, group);
	if (json_array_size(json_object_get(v, "members")) < 3)
		return;
	sim_trace(d->world, d, "REMOVE %s from %lld", name, (long long)group);
	if (person == d->person)
		sim_note_leaving(d, group);
	sim_device_command(d,
	        &(struct tacit_command){.kind = TACIT_CMD_REMOVE,
	                .conversation = (uint64_t)group,
	                .username = tacit_cstr(name)},
	        0);
}

/* The device of the same person that is there, or not; NULL: none. */
static struct sim_device *sibling(struct sim_device *d, enum sim_power power)
{
	struct sim_device *first = &d->world->devices[d->person * SIM_DEVICES_EACH];
	for (unsigned i = 0; i < SIM_DEVICES_EACH; i++)
		if (&first[i] != d && first[i].power == power)
			return &first[i];
	return NULL;
}

static void revoke(struct sim_device *d, struct sim_device *lost)
{
	sim_trace(d->world, d, "REVOKE %s", lost->name);
	lost->power = SIM_REVOKED;
	sim_live_down(lost);
	sim_device_command(d,
	        &(struct tacit_command){
	                .kind = TACIT_CMD_REVOKE_DEVICE, .text = tacit_cstr(lost->id)},
	        0);
}

void sim_revoke_lost(struct sim_device *d)
{
	const json_t *listed = json_object_get(
	        model_user(&d->world->server, sim_person_name(d->person)), "devices");
	const struct sim_device *other = sibling(d, SIM_ON);
	if (other != NULL && other < d)
		return; /* one of them is enough */
	size_t i;
	json_t *one;
	json_array_foreach(listed, i, one)
	{
		struct sim_device *lost =
		        sim_device_by_id(d->world, json_string_value(json_object_get(one, "id")));
		if (lost != NULL && lost->power == SIM_REVOKED)
			revoke(d, lost);
	}
}

json_int_t sim_newest(const struct sim_world *w)
{
	return json_integer_value(
	        json_object_get(json_object_get(w->server.state, "next"), "message"));
}

static void back_up(struct sim_device *d)
{
	sim_trace(d->world, d, "is backed up");
	sim_store_copy(&d->backup.store, &d->store);
	d->backup.there = true;
	d->backup.taken_at = d->world->time;
	d->backup.newest = sim_newest(d->world);
}

static void put_back(struct sim_device *d)
{
	struct sim_world *w = d->world;
	sim_trace(w, d, "is restored from a backup of %.3f", (double)d->backup.taken_at / 1000);
	w->count.restores++;
	d->restored++;
	if (d->lost_from == 0 || d->lost_from > d->backup.newest)
		d->lost_from = d->backup.newest;
	d->lost_to = sim_newest(w);
	sim_store_copy(&d->store, &d->backup.store);
	for (size_t i = 1; i <= w->saying_count; i++) {
		struct sim_saying *s = &w->sayings[i];
		s->heard &= ~(1u << d->index);
		/* What was kept for sending may be gone with the store. */
		if (s->device == d->index && s->message == 0)
			s->fate = SIM_UNKNOWN;
	}
	for (size_t i = 0; i < w->epoch_count; i++)
		w->epochs[i].present &= ~(1u << d->index);
	sim_device_boot(d);
}

/* A server that was put back from a backup without them, say. */
static void forget(struct sim_world *w)
{
	bool welcomes = sim_chance(&w->random, 5000);
	sim_trace(w, NULL, "the server loses its %s", welcomes ? "Welcomes" : "key packages");
	w->count.forgot++;
	if (welcomes)
		model_forget_welcomes(&w->server);
	else
		model_forget_key_packages(&w->server);
}

static void mishap(struct sim_device *d)
{
	struct sim_world *w = d->world;
	if (sim_chance(&w->random, w->weather.forget))
		forget(w);
	if (sim_chance(&w->random, w->weather.crash))
		d->until_crash = (int)sim_below(&w->random, 40);
	if (sim_chance(&w->random, w->weather.backup))
		back_up(d);
	if (d->backup.there && sim_chance(&w->random, w->weather.restore))
		put_back(d);
	if (d->power == SIM_ON && sim_chance(&w->random, w->weather.live)) {
		if (d->live.up)
			sim_live_down(d);
		else
			sim_live_up(d);
	}
}

static void change_people(struct sim_device *d)
{
	struct sim_world *w = d->world;
	struct known k = look_around(d);
	json_int_t group = draw_of(w, k.groups, k.group_count);
	struct sim_device *other;
	switch (sim_below(&w->random, 7)) {
	case 0:
	case 1:
		add(d, group);
		break;
	case 2:
		take_out(d, group, draw_other(d));
		break;
	case 3:
		take_out(d, group, d->person);
		break;
	case 4:
	case 5:
		other = sibling(d, SIM_ABSENT);
		if (other != NULL)
			sim_later(w, 1, SIM_BOOT, other->index);
		break;
	default:
		other = sibling(d, SIM_ON);
		if (other != NULL && other->id[0] != 0)
			revoke(d, other);
	}
}

void sim_turn(struct sim_device *d)
{
	struct sim_world *w = d->world;
	mishap(d);
	if (d->power == SIM_ON)
		sim_device_step(d, SIM_TICK, NULL);
	if (d->power != SIM_ON || d->command_count > 1)
		return;
	struct known k = look_around(d);
	uint64_t what = sim_below(&w->random, 100);
	if (k.group_count == 0 && d->person == 0 && d->command_count == 0 && what < 60)
		create_group(d);
	else if (what < 40)
		sim_sync(d);
	else if (what < 78 && k.any_count > 0) {
		if (what < 60 || !sim_change(d))
			sim_say(d, draw_of(w, k.any, k.any_count));
	} else if (what < 84)
		say(d, 0, sim_person_name(draw_other(d)));
	else if (what < 86 && d->command_count == 0)
		create_group(d);
	else
		change_people(d);
}
