/* What must hold, and does it? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

/* --- what is told --------------------------------------------------------------------------- */

static void count_told(struct sim_device *d, size_t said, const struct tacit_notice *n)
{
	struct sim_world *w = d->world;
	struct sim_saying *s = &w->sayings[said];
	w->count.read++;
	if (++s->told[d->index] > 1)
		sim_fault(w, "%s is told \"saying %zu\" twice", d->name, said);
	if (s->conversation != 0 && s->conversation != (json_int_t)n->conversation)
		sim_fault(w, "\"saying %zu\" is in another conversation", said);
	if (s->message != 0 && s->message != (json_int_t)n->message)
		sim_fault(w, "\"saying %zu\" stands in two places", said);
	s->message = (json_int_t)n->message;
	s->conversation = (json_int_t)n->conversation;
}

void sim_acknowledge(struct sim_device *d, size_t said, const struct tacit_notice *n)
{
	struct sim_saying *s = &d->world->sayings[said];
	if (s->kind == TACIT_CONTENT_TEXT)
		count_told(d, said, n);
	else
		s->message = (json_int_t)n->message;
}

static void hear_message(struct sim_device *d, const struct tacit_notice *n)
{
	struct sim_world *w = d->world;
	size_t said = sim_saying_of(w, &n->content);
	const struct sim_saying *s = &w->sayings[said];
	if (said == 0) {
		sim_fault(w, "%s reads what nobody has said", d->name);
		return;
	}
	sim_trace(w, d, "reads \"saying %zu\" of %s, %lld in %lld", said,
	        w->devices[s->device].name, (long long)n->message, (long long)n->conversation);
	count_told(d, said, n);
}

static bool is_of_the_restored(struct sim_device *d, const struct tacit_notice *n)
{
	struct sim_world *w = d->world;
	bool restored = false;
	if (n->kind != TACIT_NOTICE_REFUSED || n->err != TACIT_E_REPLAY)
		return false;
	for (unsigned i = 0; i < SIM_DEVICES; i++)
		restored |= w->devices[i].restored > 0 &&
		            tacit_bytes_eq(
		                    n->username, tacit_cstr(sim_person_name(w->devices[i].person)));
	if (restored && w->replay_count < SIM_REPLAYS)
		w->replays[w->replay_count++] =
		        (struct sim_replay){d->index, (json_int_t)n->message};
	return restored;
}

static bool was_replayed(
        const struct sim_world *w, const struct sim_device *d, const struct sim_saying *s)
{
	for (size_t i = 0; i < w->replay_count; i++)
		if (w->replays[i].device == d->index && w->replays[i].message == s->message)
			return true;
	return false;
}

/* What is said of things as they are; the rest a person should hear only when something was truly
 * lost, or is wrong. */
static bool is_excused(const struct sim_device *d, const struct tacit_notice *n)
{
	if (n->kind == TACIT_NOTICE_REFUSED && n->flag)
		return true; /* an own one that the server does not take: removed */
	if (n->kind == TACIT_NOTICE_WARNING)
		switch (n->err) {
		case TACIT_E_GONE:            /* removed from a conversation */
		case TACIT_E_NOT_FOUND:       /* the same, in the middle of something */
		case TACIT_E_NO_DEVICE:       /* nobody there who could read yet */
		case TACIT_E_NETWORK:         /* a group that was made, or not */
		case TACIT_E_WRONG_RECIPIENT: /* what was said before the device came */
			return true;
		default:
			break;
		}
	return d->restored > 0;
}

void sim_hear(struct sim_device *d, const struct tacit_notice *n)
{
	struct sim_world *w = d->world;
	bool loud = n->kind == TACIT_NOTICE_REFUSED || n->kind == TACIT_NOTICE_MISSING ||
	            n->kind == TACIT_NOTICE_WARNING || n->kind == TACIT_NOTICE_KEY_CHANGED;
	if (n->kind == TACIT_NOTICE_MESSAGE)
		hear_message(d, n);
	sim_hear_change(d, n);
	if (!loud)
		return;
	sim_trace(w, d, "is told, kind %d (%s) in %lld, %lld: %.*s", (int)n->kind,
	        tacit_err_name(n->err), (long long)n->conversation, (long long)n->message,
	        (int)n->text.n, n->text.n > 0 ? (const char *)n->text.p : "");
	if (n->kind == TACIT_NOTICE_REFUSED && n->flag && sim_saying_of(w, &n->content) != 0)
		w->sayings[sim_saying_of(w, &n->content)].fate = SIM_UNSENT;
	bool replayed = is_of_the_restored(d, n); /* noted, also for one that is excused all */
	if (!replayed && !is_excused(d, n))
		sim_fault(w, "%s is told, kind %d (%s) in %lld, %lld: %.*s", d->name, (int)n->kind,
		        tacit_err_name(n->err), (long long)n->conversation, (long long)n->message,
		        (int)n->text.n, n->text.n > 0 ? (const char *)n->text.p : "");
}

/* --- history -------------------------------------------------------------------------------- */

static size_t saying_at(const struct sim_world *w, json_int_t message)
{
	size_t i = w->saying_count;
	while (i > 0 && w->sayings[i].message != message)
		i--;
	return i;
}

#define TAKEN_BACK 0x80 /* by its sender: only that is in the history */

/* How often each saying is in it; to be freed. */
static uint8_t *read_history(struct sim_device *d)
{
	struct sim_world *w = d->world;
	uint8_t *there = calloc(w->saying_count + 1, 1);
	if (there == NULL)
		abort();
	for (size_t i = 0; i < d->store.log.count; i++) {
		const struct sim_row *row = &d->store.log.list[i];
		struct tacit_notice n;
		struct tacit_buf room = {0};
		enum tacit_err err = tacit_engine_log_open(
		        d->engine, &row->id, row->position, tacit_buf_view(&row->data), &n, &room);
		if (err != TACIT_OK)
			sim_fault(w, "%s: its history does not open: %s", d->name,
			        tacit_err_name(err));
		else if (n.kind == TACIT_NOTICE_MESSAGE)
			there[sim_saying_of(w, &n.content)]++;
		else if (n.kind == TACIT_NOTICE_DELETED)
			there[saying_at(w, (json_int_t)n.message)] |= TAKEN_BACK;
		tacit_buf_clear(&room);
	}
	return there;
}

void sim_recall(struct sim_device *d)
{
	struct sim_world *w = d->world;
	uint8_t *there = read_history(d);
	for (size_t i = 1; i <= w->saying_count; i++) {
		uint8_t *told = &w->sayings[i].told[d->index];
		if (there[i] == TAKEN_BACK)
			there[i] = 1;
		if (there[i] < *told && d->restored == 0)
			sim_fault(w, "%s was told \"saying %zu\" and forgets it", d->name, i);
		if (there[i] < *told)
			w->sayings[i].lost |= 1u << d->index;
		*told = there[i];
	}
	free(there);
}

/* --- groups --------------------------------------------------------------------------------- */

static struct sim_epoch *find_epoch(
        const struct sim_world *w, json_int_t conversation, uint64_t number)
{
	for (size_t i = 0; i < w->epoch_count; i++)
		if (w->epochs[i].conversation == conversation && w->epochs[i].number == number)
			return &w->epochs[i];
	return NULL;
}

static bool may_be_out(const struct sim_world *w, json_int_t conversation, unsigned device)
{
	if (w->devices[device].power == SIM_REVOKED)
		return true;
	for (size_t i = 0; i < w->departure_count; i++)
		if (w->departures[i].conversation == conversation &&
		        w->departures[i].person == device / SIM_DEVICES_EACH)
			return true;
	return false;
}

/* Nobody falls out of a group but those who were to. */
static void check_continuity(struct sim_world *w, const struct sim_epoch *e)
{
	const struct sim_epoch *former = find_epoch(w, e->conversation, e->number - 1);
	for (unsigned i = 0; i < SIM_DEVICES && former != NULL; i++)
		if ((former->leaves & ~e->leaves) >> i & 1 && !may_be_out(w, e->conversation, i))
			sim_fault(w, "%s has fallen out of %lld in epoch %llu", w->devices[i].name,
			        (long long)e->conversation, (unsigned long long)e->number);
}

static void note_epoch(struct sim_device *d, json_int_t conversation, const struct sim_look *l)
{
	struct sim_world *w = d->world;
	struct sim_epoch *known = find_epoch(w, conversation, l->epoch);
	if (known != NULL) {
		if (memcmp(known->fingerprint, l->fingerprint, sizeof(l->fingerprint)) != 0 ||
		        known->leaves != l->leaves)
			sim_fault(w, "%s: conversation %lld has split at epoch %llu", d->name,
			        (long long)conversation, (unsigned long long)l->epoch);
		known->present |= 1u << d->index;
		return;
	}
	if (w->epoch_count == w->epoch_cap) {
		w->epoch_cap = 2 * w->epoch_cap + 64;
		w->epochs = realloc(w->epochs, w->epoch_cap * sizeof(*w->epochs));
		if (w->epochs == NULL)
			abort();
	}
	struct sim_epoch *e = &w->epochs[w->epoch_count++];
	*e = (struct sim_epoch){.conversation = conversation,
	        .number = l->epoch,
	        .leaves = l->leaves,
	        .present = 1u << d->index,
	        .strangers = l->strangers};
	memcpy(e->fingerprint, l->fingerprint, sizeof(e->fingerprint));
	sim_trace(w, d, "is the first in epoch %llu of %lld, with %x", (unsigned long long)l->epoch,
	        (long long)conversation, l->leaves);
	check_continuity(w, e);
	if (l->strangers)
		sim_fault(w, "%s: a stranger is in conversation %lld", d->name,
		        (long long)conversation);
}

static bool is_new(struct sim_device *d, json_int_t conversation, uint64_t epoch)
{
	size_t i = 0;
	while (i < d->glance_count && d->glances[i].conversation != conversation)
		i++;
	if (i < d->glance_count && d->glances[i].epoch == epoch)
		return false;
	i = i < SIM_ROOMS ? i : 0;
	d->glances[i] = (struct sim_glance){conversation, epoch};
	d->glance_count += i == d->glance_count;
	return true;
}

void sim_look_at_groups(struct sim_device *d)
{
	size_t i;
	json_t *v;
	struct sim_look l;
	uint64_t epoch;
	json_array_foreach(json_object_get(d->world->server.state, "conversations"), i, v)
	{
		json_int_t id = json_integer_value(json_object_get(v, "id"));
		if (!sim_glance(d, id, &epoch))
			continue;
		sim_note_presence(d, id, epoch);
		if (is_new(d, id, epoch) && sim_look(d, id, &l))
			note_epoch(d, id, &l);
	}
}

static uint64_t mix(uint64_t sum, uint64_t more)
{
	struct sim_random r = {sum ^ more};
	return sim_next(&r);
}

uint64_t sim_state_of_things(const struct sim_world *w)
{
	size_t i;
	json_t *v;
	struct sim_look l;
	uint64_t sum = mix(1, json_array_size(model_messages(&w->server)));
	for (unsigned k = 0; k < SIM_DEVICES; k++) {
		struct sim_device *d = (struct sim_device *)&w->devices[k];
		if (d->power != SIM_ON)
			continue;
		sum = mix(sum, d->store.log.count);
		json_array_foreach(json_object_get(w->server.state, "conversations"), i, v)
		{
			json_int_t id = json_integer_value(json_object_get(v, "id"));
			if (sim_look(d, id, &l))
				sum = mix(sum, l.epoch * 8 + l.pending * 2 + l.outbox);
		}
	}
	return sum;
}

/* --- the verdict ---------------------------------------------------------------------------- */

static const json_t *message_at(const struct sim_world *w, json_int_t id)
{
	size_t i;
	json_t *m;
	json_array_foreach(model_messages(&w->server), i,
	        m) if (json_integer_value(json_object_get(m, "id")) == id) return m;
	return NULL;
}

static void note_epoch_of(const struct sim_world *w, struct sim_saying *s)
{
	const json_t *m = message_at(w, s->message);
	const char *content = json_string_value(json_object_get(m, "content"));
	if (content == NULL || !sim_epoch_of(content, &s->epoch))
		s->epoch = UINT64_MAX;
}

/* The devices for which a message was, and those that must have it; false: it cannot be told. Where
 * the server loses Welcomes, who was let in by one comes later. */
static bool readers(struct sim_world *w, const struct sim_saying *s, uint32_t *out, uint32_t *sure)
{
	const struct sim_epoch *e = find_epoch(w, s->conversation, s->epoch);
	if (e == NULL)
		return false;
	*out = e->leaves;
	*sure = w->count.forgot > 0 ? e->present : e->leaves;
	for (unsigned i = 0; i < SIM_DEVICES; i++)
		/* Its way in may have been lost with a store, or with a participation. */
		if (w->devices[i].restored > 0 || may_be_out(w, s->conversation, i))
			*sure &= e->present | ~(1u << i);
	return true;
}

static bool lost_it(const struct sim_device *d, const struct sim_saying *s)
{
	if (s->lost & 1u << d->index || (d->restored > 0 && s->device == d->index))
		return true;
	return d->restored > 0 && s->message > d->lost_from && s->message <= d->lost_to;
}

static void judge_reader(
        struct sim_world *w, size_t said, struct sim_device *d, enum sim_reading reading)
{
	const struct sim_saying *s = &w->sayings[said];
	bool own = s->device == d->index;
	bool there = d->power == SIM_ON &&
	             model_is_in(&w->server, s->conversation, sim_person_name(d->person));
	if (s->told[d->index] > 0 && reading == SIM_MUST_NOT && !own)
		sim_fault(w, "%s reads \"saying %zu\" (%lld), which was not for it", d->name, said,
		        (long long)s->message);
	if (s->told[d->index] == 0 && reading == SIM_MUST && there && !lost_it(d, s) &&
	        !sim_was_away(w, d, s) && !was_replayed(w, d, s))
		sim_fault(w, "%s has not read \"saying %zu\" of %s (%lld in %lld)", d->name, said,
		        w->devices[s->device].name, (long long)s->message,
		        (long long)s->conversation);
}

static bool is_alone(const json_t *v)
{
	return json_array_size(json_object_get(v, "members")) == 1;
}

/* Whom the others have left keeps what they did not hear: there is nobody to send it to. */
static bool keeps_it_alone(struct sim_world *w, struct sim_device *d)
{
	size_t i;
	json_t *v;
	struct sim_look l;
	json_array_foreach(json_object_get(w->server.state, "conversations"), i, v)
	{
		json_int_t id = json_integer_value(json_object_get(v, "id"));
		if (is_alone(v) && model_is_in(&w->server, id, sim_person_name(d->person)) &&
		        sim_look(d, id, &l) && l.outbox)
			return true;
	}
	return false;
}

enum sim_reading sim_reading_of(
        struct sim_world *w, const struct sim_saying *s, const struct sim_device *d)
{
	uint32_t for_whom = 0, sure = 0;
	if (!readers(w, s, &for_whom, &sure) || lost_it(d, s) || sim_was_away(w, d, s) ||
	        was_replayed(w, d, s))
		return SIM_MAY;
	return (sure >> d->index & 1) != 0       ? SIM_MUST
	       : (for_whom >> d->index & 1) != 0 ? SIM_MAY
	                                         : SIM_MUST_NOT;
}

static void judge_readers(struct sim_world *w, size_t said)
{
	const struct sim_saying *s = &w->sayings[said];
	uint32_t for_whom = 0, sure = 0;
	if (!readers(w, s, &for_whom, &sure)) {
		sim_fault(w, "\"saying %zu\" (%lld) was sealed in an epoch that nobody knows", said,
		        (long long)s->message);
		return;
	}
	for (unsigned i = 0; i < SIM_DEVICES && s->kind == TACIT_CONTENT_TEXT; i++)
		judge_reader(w, said, &w->devices[i],
		        (sure >> i & 1) != 0       ? SIM_MUST
		        : (for_whom >> i & 1) != 0 ? SIM_MAY
		                                   : SIM_MUST_NOT);
}

static void judge_saying(struct sim_world *w, size_t said)
{
	const struct sim_saying *s = &w->sayings[said];
	struct sim_device *by = &w->devices[s->device];
	if (s->message == 0) {
		/* A change that another one has overtaken leaves nothing. */
		if (s->fate == SIM_SENT && by->power == SIM_ON && s->kind == TACIT_CONTENT_TEXT &&
		        !keeps_it_alone(w, by))
			sim_fault(w, "\"saying %zu\" of %s was sent, and nobody has it", said,
			        by->name);
		return;
	}
	w->count.messages++;
	if (s->fate == SIM_UNSENT)
		sim_fault(w, "\"saying %zu\" of %s failed, and was sent (%lld)", said, by->name,
		        (long long)s->message);
	if (model_conversation(&w->server, s->conversation) != NULL)
		judge_readers(w, said);
}

/* The published devices of those who are in. */
static uint32_t devices_in(struct sim_world *w, const json_t *conversation)
{
	uint32_t all = 0;
	size_t i;
	json_t *listed;
	json_int_t id = json_integer_value(json_object_get(conversation, "id"));
	for (unsigned p = 0; p < SIM_PERSONS; p++) {
		const char *name = sim_person_name(p);
		if (!model_is_in(&w->server, id, name))
			continue;
		json_array_foreach(
		        json_object_get(model_user(&w->server, name), "devices"), i, listed)
		{
			const struct sim_device *d = sim_device_by_id(
			        w, json_string_value(json_object_get(listed, "id")));
			if (d != NULL)
				all |= 1u << d->index;
		}
	}
	return all;
}

static void judge_group(struct sim_world *w, const json_t *v)
{
	struct sim_look l;
	json_int_t id = json_integer_value(json_object_get(v, "id"));
	json_int_t epoch =
	        json_integer_value(json_object_get(json_object_get(v, "group"), "epoch"));
	uint32_t in = devices_in(w, v);
	w->count.commits += (unsigned)epoch;
	if (is_alone(v)) /* nothing is said there, so nobody needs to be put out, or let in */
		return;
	for (unsigned i = 0; i < SIM_DEVICES; i++) {
		struct sim_device *d = &w->devices[i];
		if (d->power != SIM_ON || (in >> i & 1) == 0)
			continue;
		if (!sim_look(d, id, &l))
			sim_fault(w, "%s is not in the group of %lld", d->name, (long long)id);
		else if ((json_int_t)l.epoch != epoch)
			sim_fault(w, "%s is at epoch %llu of %lld, the server at %lld", d->name,
			        (unsigned long long)l.epoch, (long long)id, (long long)epoch);
		else if (l.leaves != in)
			sim_fault(w, "%s: in the group of %lld are %x, in the conversation %x",
			        d->name, (long long)id, l.leaves, in);
		else if (l.pending || l.outbox)
			sim_fault(w, "%s: something still waits in %lld", d->name, (long long)id);
	}
}

/* What was refused, or never read, may have been taken back since: then only that is there, and
 * there is nothing to be told. Whether it had to be read is judged by judge_reader. */
static void judge_history(struct sim_world *w, struct sim_device *d)
{
	uint8_t *there = read_history(d);
	for (size_t i = 1; i <= w->saying_count; i++) {
		uint8_t told = w->sayings[i].told[d->index];
		if (there[i] != told && (there[i] != TAKEN_BACK || told > 1))
			sim_fault(w,
			        "%s was told \"saying %zu\" %u times, its history has it %u times",
			        d->name, i, told, there[i] & ~TAKEN_BACK);
	}
	free(there);
}

void sim_judge(struct sim_world *w)
{
	size_t i;
	json_t *v;
	if (w->server.unread > 0 && w->count.restores == 0)
		sim_fault(w, "%llu messages could not be read, by the word of clients",
		        (unsigned long long)w->server.unread);
	json_array_foreach(json_object_get(w->server.state, "conversations"), i, v)
	        judge_group(w, v);
	for (size_t k = 1; k <= w->saying_count; k++)
		note_epoch_of(w, &w->sayings[k]);
	for (size_t k = 1; k <= w->saying_count; k++)
		judge_saying(w, k);
	for (unsigned k = 0; k < SIM_DEVICES; k++)
		if (w->devices[k].power == SIM_ON)
			judge_history(w, &w->devices[k]);
	sim_judge_changes(w);
}
