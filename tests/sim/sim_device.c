/* The host of one engine, in the manner of client/host_run.c: what is to be kept is written at
 * once or not at all, and the machine may stop after any effect. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

static bool fails_now(struct sim_device *d)
{
	return d->until_crash >= 0 && d->until_crash-- == 0;
}

void sim_device_crash(struct sim_device *d)
{
	struct sim_world *w = d->world;
	sim_trace(w, d, "falls over");
	w->count.crashes++;
	tacit_engine_free(d->engine);
	d->engine = NULL;
	sim_live_down(d);
	d->life++;
	d->power = SIM_OFF;
	d->until_crash = -1;
	d->command_count = 0; /* what was said stays UNKNOWN */
	sim_later(w, 1 + sim_below(&w->random, 20000), SIM_BOOT, d->index);
}

void sim_device_boot(struct sim_device *d)
{
	enum tacit_err err;
	tacit_engine_free(d->engine);
	d->engine = NULL;
	sim_live_down(d);
	d->power = SIM_ON;
	d->life++;
	d->command_count = 0;
	d->glance_count = 0;
	TRY(tacit_engine_open(&d->env, tacit_buf_view(&d->store.profile), &d->engine));
	tacit_engine_set_telemetry(d->engine, true);
	TRY(tacit_engine_unlock_with_secret(d->engine, tacit_buf_view(&d->store.secret)));
	for (size_t i = d->store.records.count; i > 0; i--) {
		const struct sim_row *row = &d->store.records.list[i - 1];
		TRY(tacit_engine_restore(d->engine, &row->id, tacit_buf_view(&row->data)));
	}
	sim_note_id(d);
	sim_recall(d);
	sim_trace(d->world, d, "boots");
out:
	if (err != TACIT_OK) {
		sim_fault(d->world, "%s does not come back: %s", d->name, tacit_err_name(err));
		tacit_engine_free(d->engine);
		d->engine = NULL;
		d->power = SIM_REVOKED;
	}
}

static void settle(struct sim_device *d, const struct sim_command *c, const struct tacit_notice *n)
{
	struct sim_world *w = d->world;
	bool done = n->kind == TACIT_NOTICE_DONE;
	sim_trace(w, d, "%s %u: %s%s %.*s", done ? "DONE" : "FAILED", (unsigned)c->kind,
	        tacit_err_name(n->err), n->flag ? " (kept)" : "", (int)n->text.n,
	        n->text.n > 0 ? (const char *)n->text.p : "");
	/* Removed before the answer was heard: nobody knows. */
	if (c->said > 0)
		w->sayings[c->said].fate = done || n->flag               ? SIM_SENT
		                           : n->err == TACIT_E_NOT_FOUND ? SIM_UNKNOWN
		                                                         : SIM_UNSENT;
	if (c->said > 0 && done)
		sim_acknowledge(d, c->said, n);
	/* What it is about may have been deleted on the way. */
	if (w->resting && !done && (c->said == 0 || w->sayings[c->said].about == 0))
		sim_fault(w, "%s: at rest a command (%u) fails: %s, %.*s", d->name,
		        (unsigned)c->kind, tacit_err_name(n->err), (int)n->text.n,
		        n->text.n > 0 ? (const char *)n->text.p : "");
}

static void hear(struct sim_device *d, const struct tacit_notice *n)
{
	bool ends = n->kind == TACIT_NOTICE_DONE || n->kind == TACIT_NOTICE_FAILED;
	if (!ends) {
		sim_hear(d, n);
		return;
	}
	for (size_t i = 0; i < d->command_count; i++) {
		if (d->commands[i].op != n->op)
			continue;
		settle(d, &d->commands[i], n);
		d->commands[i] = d->commands[--d->command_count];
		return;
	}
	sim_fault(d->world, "%s: an operation ends that nobody waits for", d->name);
}

static int rank(enum tacit_effect_kind kind)
{
	return kind == TACIT_EFFECT_SEND || kind == TACIT_EFFECT_DELIVER ||
	                       kind == TACIT_EFFECT_LIVE || kind == TACIT_EFFECT_RECALL
	               ? 1
	               : 0;
}

static void check_step(struct sim_device *d, enum tacit_err err, const char *what)
{
	if (err != TACIT_OK)
		sim_fault(d->world, "%s: %s: %s", d->name, what, tacit_err_name(err));
}

static void recall(struct sim_device *d, const struct tacit_effect *asked);

static void carry_out(struct sim_device *d, struct tacit_effects *fx)
{
	bool falls = fails_now(d);
	for (size_t i = 0; i < fx->count && !falls; i++) {
		if (i > 0 && rank(fx->list[i - 1].kind) > rank(fx->list[i].kind))
			sim_fault(d->world, "%s: something is persisted too late", d->name);
		sim_store_keep(&d->store, &fx->list[i]);
	}
	if (!falls)
		sim_look_at_groups(d);
	for (size_t i = 0; i < fx->count && !falls; i++) {
		const struct tacit_effect *one = &fx->list[i];
		if (rank(one->kind) == 0)
			continue;
		falls = fails_now(d);
		if (!falls && one->kind == TACIT_EFFECT_DELIVER)
			hear(d, &one->notice);
		if (!falls && one->kind == TACIT_EFFECT_SEND)
			sim_send(d, one);
		if (!falls && one->kind == TACIT_EFFECT_LIVE)
			sim_live_say(d, one);
		if (!falls && one->kind == TACIT_EFFECT_RECALL)
			recall(d, one);
		falls |= d->power != SIM_ON; /* within */
	}
	tacit_effects_clear(fx);
	if (d->power == SIM_ON && (falls || fails_now(d)))
		sim_device_crash(d);
}

static void recall(struct sim_device *d, const struct tacit_effect *asked)
{
	struct tacit_effects fx = {0};
	enum tacit_err err = tacit_engine_recalled(d->engine, asked->request,
	        sim_store_entry(&d->store, &asked->id, asked->position), &fx);
	check_step(d, err, "an entry of the history");
	if (err == TACIT_OK)
		carry_out(d, &fx);
}

bool sim_device_command(struct sim_device *d, const struct tacit_command *c, size_t said)
{
	struct tacit_effects fx = {0};
	uint64_t op;
	if (d->command_count == TACIT_COUNT(d->commands))
		return false;
	enum tacit_err err = tacit_engine_command(d->engine, c, &op, &fx);
	check_step(d, err, "a command");
	if (err == TACIT_OK) {
		d->commands[d->command_count++] = (struct sim_command){op, c->kind, said};
		carry_out(d, &fx);
	}
	return err == TACIT_OK;
}

void sim_device_answer(struct sim_device *d, uint64_t request, const struct tacit_http_answer *a)
{
	struct tacit_effects fx = {0};
	enum tacit_err err = tacit_engine_answer(d->engine, request, a, &fx);
	check_step(d, err, "an answer");
	if (err == TACIT_OK)
		carry_out(d, &fx);
}

void sim_device_step(struct sim_device *d, enum sim_step what, const struct sim_event *e)
{
	struct tacit_effects fx = {0};
	enum tacit_err err = TACIT_OK;
	if (what == SIM_LIVE_UP)
		err = tacit_engine_live_up(d->engine, &fx);
	else if (what == SIM_LIVE_EVENT)
		err = tacit_engine_live_event(d->engine, tacit_cstr((const char *)e->path.p),
		        tacit_buf_view(&e->body), &fx);
	else if (tacit_engine_due(d->engine) <= tacit_env_now(&d->env))
		err = tacit_engine_tick(d->engine, &fx);
	check_step(d, err, "a live step");
	if (err == TACIT_OK)
		carry_out(d, &fx);
}

void sim_device_clear(struct sim_device *d)
{
	tacit_engine_free(d->engine);
	sim_store_clear(&d->store);
	sim_store_clear(&d->backup.store);
	*d = (struct sim_device){0};
}
