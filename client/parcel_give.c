#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "client/parcel_contact.h"
#include "client/parcel_kept.h"

struct giver {
	struct parcel_run run;
	struct parcel_source *source;
	bool sending;
	uint8_t *room; /* of a record */
};

static void show(const struct giver *g)
{
	const struct parcel_options *o = g->run.o;
	if (o->ui->progress != NULL)
		o->ui->progress(o->ctx, tacit_parcel_done(g->run.parcel),
		        parcel_source_decoded(g->source)->total);
}

/* --- an earlier process ---------------------------------------------------------------------- */

static enum tacit_err look_back(struct giver *g)
{
	enum tacit_err err;
	bool found;
	char text[TACIT_PARCEL_CODE_ROOM] = "";
	struct parcel_run *r = &g->run;
	err = parcel_kept_open(r, "give", parcel_source_offer(g->source));
	/* The same is being sent by another process: this one just cannot go on later. */
	TRY(err == TACIT_E_CONFLICT ? TACIT_OK : err);
	TRY(parcel_kept_load(r, &found));
	if (!found)
		goto out;
	if (r->o->code != NULL)
		tacit_parcel_code_text(r->o->code, text);
	if (text[0] != '\0' && !tacit_bytes_eq(tacit_cstr(text), tacit_buf_view(&r->note.code))) {
		parcel_note_clear(&r->note);
		goto out;
	}
	parcel_run_adopt(r);
	if (r->o->ui->code != NULL)
		r->o->ui->code(r->o->ctx, (const char *)r->note.code.p);
out:
	return err;
}

/* --- events ---------------------------------------------------------------------------------- */

static enum tacit_err read_error(struct giver *g, enum tacit_err err)
{
	char text[sizeof(g->run.result->problem)];
	const char *name = parcel_source_changed(g->source);
	if (err == TACIT_E_CONFLICT && name != NULL) {
		snprintf(text, sizeof(text),
		        "%.300s has changed since it was offered: send it anew.", name);
		parcel_run_problem(&g->run, text);
		/* Nothing goes on from what was a mixture. */
		g->run.why = TACIT_PARCEL_CHANGED;
		parcel_journal_forget(&g->run.journal);
	}
	if (err == TACIT_E_IO)
		parcel_run_problem(&g->run, "A file cannot be read.");
	return err;
}

static enum tacit_err read_kept(void *ctx, uint64_t at, size_t most, size_t *n)
{
	struct giver *g = ctx;
	parcel_source_seek(g->source, at);
	return read_error(g, parcel_source_read(g->source, g->room, most, n));
}

static enum tacit_err on_answer(struct giver *g, uint64_t offset)
{
	enum tacit_err err;
	uint64_t from;
	tacit_sha256(parcel_source_offer(g->source), g->run.note.offer_sha256);
	TRY(parcel_run_remember(&g->run));
	const struct parcel_kept_bytes kept = {read_kept, g, g->room, offset};
	TRY(parcel_kept_hash(&g->run, &kept));
	TRY(tacit_parcel_begin(g->run.parcel, &from));
	parcel_source_seek(g->source, from);
	g->run.result->resumed_from = from;
	g->sending = true;
	show(g);
out:
	return err;
}

static enum tacit_err give_some(struct giver *g)
{
	enum tacit_err err;
	size_t n;
	uint8_t *place = tacit_parcel_data_place(g->run.parcel);
	TRY(read_error(g, parcel_source_read(g->source, place, TACIT_PARCEL_RECORD_BYTES, &n)));
	if (n == 0) {
		g->sending = false;
		TRY(tacit_parcel_end(g->run.parcel));
		goto out;
	}
	TRY(tacit_parcel_data(g->run.parcel, tacit_bytes(place, n)));
	show(g);
out:
	return err;
}

static enum tacit_err react(struct giver *g, const struct tacit_parcel_event *ev)
{
	switch (ev->kind) {
	case TACIT_PARCEL_OPEN:
		g->sending = false;
		return tacit_parcel_offer(g->run.parcel, parcel_source_offer(g->source));
	case TACIT_PARCEL_ANSWERED:
		return on_answer(g, ev->offset);
	case TACIT_PARCEL_DECLINED:
		parcel_journal_forget(&g->run.journal);
		parcel_run_problem(&g->run, "The other one declined.");
		return TACIT_E_REFUSED;
	case TACIT_PARCEL_STOPPED:
		parcel_run_problem(&g->run, "The other one gave up.");
		return TACIT_E_GONE;
	default:
		return TACIT_OK;
	}
}

static enum tacit_err converse(struct giver *g)
{
	enum tacit_err err;
	struct tacit_parcel_event ev;
	do {
		TRY(parcel_run_next(
		        &g->run, g->sending && !g->run.was_lost ? 0 : RELAY_FOR_EVER, &ev));
		if (ev.kind != TACIT_PARCEL_NOTHING)
			err = react(g, &ev);
		else if (g->sending && !g->run.was_lost)
			err = give_some(g);
		if (err == TACIT_E_NETWORK)
			g->sending = false;
		TRY(parcel_run_sent(&g->run, err));
	} while (ev.kind != TACIT_PARCEL_RECEIVED);
out:
	return err;
}

static enum tacit_err settle(struct giver *g)
{
	if (g->run.o->turn != NULL && g->run.o->turn->counted) {
		g->run.note.settled = true;
		return parcel_run_remember(&g->run);
	}
	parcel_journal_forget(&g->run.journal);
	return TACIT_OK;
}

enum tacit_err parcel_give(const struct parcel_options *o, struct parcel_source *source,
        enum parcel_memory memory, struct parcel_result *out)
{
	enum tacit_err err;
	struct giver g = {.source = source, .room = tacit_alloc(TACIT_PARCEL_RECORD_BYTES)};
	TRY(parcel_run_init(&g.run, o, TACIT_PARCEL_SENDER, out));
	TRY(g.room != NULL ? TACIT_OK : TACIT_E_NOMEM);
	if (memory == PARCEL_RESUMABLE)
		TRY(look_back(&g));
	TRY(parcel_run_begin(&g.run));
	TRY(converse(&g));
	TRY(settle(&g));
	out->confirmed = true;
	parcel_contact_exchange(&g.run);
out:
	parcel_run_stop(&g.run, err);
	out->bytes = g.run.parcel != NULL ? tacit_parcel_done(g.run.parcel) : 0;
	out->kept = err != TACIT_OK && err != TACIT_E_REFUSED && g.run.journal.lock >= 0 &&
	            g.run.note.code.n > 0 && g.run.why == TACIT_PARCEL_GAVE_UP;
	parcel_run_clear(&g.run);
	tacit_free(g.room);
	return err;
}
