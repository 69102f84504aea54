/* Edits, deletions and reactions: what each device should make of what it has heard. */
#include <stdio.h>
#include <string.h>

#include "sim/sim.h"

/* --- which it is ---------------------------------------------------------------------------- */

static size_t known(const struct sim_world *w, size_t said)
{
	return said <= w->saying_count ? said : 0;
}

static size_t deletion_of(const struct sim_world *w, json_int_t message)
{
	for (size_t i = 1; i <= w->saying_count; i++)
		if (w->sayings[i].kind == TACIT_CONTENT_DELETE &&
		        w->sayings[w->sayings[i].about].message == message)
			return i;
	return 0;
}

size_t sim_saying_of(const struct sim_world *w, const struct tacit_content *content)
{
	char text[48];
	size_t said = 0, edit = 0;
	snprintf(text, sizeof(text), "%.*s", (int)content->text.n,
	        content->text.n > 0 ? (const char *)content->text.p : "");
	switch (content->kind) {
	case TACIT_CONTENT_REACTION:
		return sscanf(text, "r%zu", &said) == 1 ? known(w, said) : 0;
	case TACIT_CONTENT_DELETE:
		return deletion_of(w, (json_int_t)content->message);
	case TACIT_CONTENT_EDIT:
		return sscanf(text, "saying %zu edit %zu", &said, &edit) == 2 ? known(w, edit) : 0;
	default:
		return sscanf(text, "saying %zu", &said) == 1 ? known(w, said) : 0;
	}
}

void sim_hear_change(struct sim_device *d, const struct tacit_notice *n)
{
	struct sim_world *w = d->world;
	struct tacit_content content = n->content;
	if (n->kind != TACIT_NOTICE_EDITED && n->kind != TACIT_NOTICE_DELETED &&
	        n->kind != TACIT_NOTICE_REACTION)
		return;
	content.kind = n->kind == TACIT_NOTICE_EDITED    ? TACIT_CONTENT_EDIT
	               : n->kind == TACIT_NOTICE_DELETED ? TACIT_CONTENT_DELETE
	                                                 : TACIT_CONTENT_REACTION;
	content.message = n->message;
	if (n->kind == TACIT_NOTICE_REACTION)
		content.text = n->text;
	size_t said = sim_saying_of(w, &content);
	sim_trace(w, d, "hears change %zu, kind %d, of %lld, by %lld", said, (int)content.kind,
	        (long long)n->message, (long long)n->count);
	if (said != 0) {
		w->sayings[said].message = (json_int_t)n->count;
		w->sayings[said].heard |= 1u << d->index;
	} else if (n->kind != TACIT_NOTICE_REACTION || n->text.n > 0)
		sim_fault(w, "%s hears of a change that nobody has made", d->name);
}

/* --- what should be there ------------------------------------------------------------------- */

/* What one device should have of one saying. */
struct outcome {
	bool unsure; /* something may have been heard, or not */
	bool deleted;
	json_int_t edit;                 /* the message by which it has its text */
	size_t edited;                   /* its saying */
	size_t reaction[SIM_PERSONS];    /* saying; 0: none */
	json_int_t reacted[SIM_PERSONS]; /* message */
};

static void fold(struct sim_world *w, const struct sim_device *d, size_t said, struct outcome *o)
{
	const struct sim_saying *s = &w->sayings[said];
	unsigned person = s->device / SIM_DEVICES_EACH;
	if (s->message == 0) {
		o->unsure |= s->fate != SIM_UNSENT;
		return;
	}
	/* What it was told, it must have, wherever it was. */
	enum sim_reading reading =
	        (s->heard >> d->index & 1) != 0 ? SIM_MUST : sim_reading_of(w, s, d);
	o->unsure |= reading == SIM_MAY;
	if (reading != SIM_MUST)
		return;
	if (s->kind == TACIT_CONTENT_DELETE)
		o->deleted = true;
	if (s->kind == TACIT_CONTENT_EDIT && s->message > o->edit) {
		o->edit = s->message;
		o->edited = said;
	}
	if (s->kind == TACIT_CONTENT_REACTION && s->message > o->reacted[person]) {
		o->reacted[person] = s->message;
		o->reaction[person] = s->empty ? 0 : said;
	}
}

static struct outcome expect(struct sim_world *w, const struct sim_device *d, size_t said)
{
	struct outcome o = {0};
	for (size_t i = said + 1; i <= w->saying_count; i++)
		if (w->sayings[i].about == said)
			fold(w, d, i, &o);
	return o;
}

static void write_reactions(const struct outcome *o, char *out, size_t size)
{
	json_int_t after = 0;
	size_t n = 0;
	for (;;) {
		unsigned next = SIM_PERSONS;
		for (unsigned p = 0; p < SIM_PERSONS; p++)
			if (o->reacted[p] > after &&
			        (next == SIM_PERSONS || o->reacted[p] < o->reacted[next]))
				next = p;
		if (next == SIM_PERSONS)
			return;
		after = o->reacted[next];
		if (o->reaction[next] != 0 && n < size)
			n += (size_t)snprintf(out + n, size - n, "%s%s r%zu", n > 0 ? "\n" : "",
			        sim_person_name(next), o->reaction[next]);
	}
}

static bool same(struct tacit_bytes a, const char *b)
{
	return tacit_bytes_eq(a, tacit_cstr(b));
}

/* What may have been heard beside it can only be later, or a deletion. */
static void compare_least(
        struct sim_device *d, size_t said, const struct tacit_notice *n, const struct outcome *want)
{
	bool deleted = n->kind == TACIT_NOTICE_DELETED;
	if (want->deleted && !deleted)
		sim_fault(d->world, "%s: \"saying %zu\" is not deleted", d->name, said);
	else if (!deleted && (json_int_t)n->count < want->edit)
		sim_fault(d->world, "%s has \"saying %zu\" by %lld, and not by %lld or later",
		        d->name, said, (long long)n->count, (long long)want->edit);
}

static void compare(struct sim_device *d, size_t said, const struct tacit_notice *n)
{
	struct sim_world *w = d->world;
	char text[64], reactions[256] = "";
	struct outcome want = expect(w, d, said);
	if (want.unsure) {
		compare_least(d, said, n, &want);
		return;
	}
	w->count.folded++;
	if (want.deleted != (n->kind == TACIT_NOTICE_DELETED)) {
		sim_fault(w, "%s: \"saying %zu\" is %sdeleted", d->name, said,
		        want.deleted ? "not " : "");
		return;
	}
	if (want.deleted)
		return;
	if (want.edited != 0)
		snprintf(text, sizeof(text), "saying %zu edit %zu", said, want.edited);
	else
		snprintf(text, sizeof(text), "saying %zu", said);
	write_reactions(&want, reactions, sizeof(reactions));
	if (!same(n->content.text, text) || (json_int_t)n->count != want.edit)
		sim_fault(w, "%s has \"%.*s\" by %lld, and not \"%s\" by %lld", d->name,
		        (int)n->content.text.n, (const char *)n->content.text.p,
		        (long long)n->count, text, (long long)want.edit);
	if (!same(n->detail, reactions))
		sim_fault(w, "%s has of \"saying %zu\" the reactions \"%.*s\", and not \"%s\"",
		        d->name, said, (int)n->detail.n,
		        n->detail.n > 0 ? (const char *)n->detail.p : "", reactions);
}

/* A backup that was put back has forgotten what the sayings of its device were. */
static void judge_device(struct sim_device *d)
{
	struct sim_world *w = d->world;
	for (size_t i = 0; i < d->store.log.count; i++) {
		const struct sim_row *row = &d->store.log.list[i];
		struct tacit_notice n;
		struct tacit_buf room = {0};
		size_t said = 0;
		if (tacit_engine_log_open(d->engine, &row->id, row->position,
		            tacit_buf_view(&row->data), &n, &room) != TACIT_OK)
			continue; /* told already */
		for (size_t k = 1; k <= w->saying_count && n.message != 0; k++)
			if (w->sayings[k].message == (json_int_t)n.message &&
			        w->sayings[k].kind == TACIT_CONTENT_TEXT)
				said = k;
		if (said != 0 && (n.kind == TACIT_NOTICE_MESSAGE || n.kind == TACIT_NOTICE_DELETED))
			compare(d, said, &n);
		tacit_buf_clear(&room);
	}
}

void sim_judge_changes(struct sim_world *w)
{
	for (unsigned k = 0; k < SIM_DEVICES; k++)
		if (w->devices[k].power == SIM_ON)
			judge_device(&w->devices[k]);
}
