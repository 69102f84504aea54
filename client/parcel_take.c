/* parcel_take.c - the receiving end. What comes goes to one of three places: a sink on the disk, a
 * descriptor, or, for a text, memory. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "client/parcel_contact.h"
#include "client/parcel_kept.h"
#include "client/parcel_sink.h"
#include "crypto/encoding.h"
#include "crypto/secret.h"

#define TELL_S 10 /* for the sender to hear that all has come */

struct taker {
	struct parcel_run run;
	const struct parcel_target *target;
	const struct tacit_parcel_offer *offer; /* NULL: none was accepted yet */
	struct tacit_parcel_offer kept_offer;   /* of an earlier process */
	struct parcel_sink *sink;               /* NULL: to the descriptor, or to text */
	struct tacit_buf text;
	uint64_t shown; /* bytes that went to the descriptor */
	bool all_there, told;
	uint8_t *room;
};

static void show(const struct taker *t)
{
	const struct parcel_options *o = t->run.o;
	if (o->ui->progress != NULL && t->offer->kind != TACIT_PARCEL_TEXT)
		o->ui->progress(o->ctx, tacit_parcel_done(t->run.parcel), t->offer->total);
}

static enum tacit_err sink_error(struct taker *t, enum tacit_err err)
{
	if (err != TACIT_OK && t->sink != NULL)
		parcel_run_problem(&t->run, parcel_sink_problem(t->sink));
	return err;
}

static bool to_text(const struct taker *t)
{
	return t->offer->kind == TACIT_PARCEL_TEXT;
}

/* --- an earlier process ---------------------------------------------------------------------- */

static enum tacit_err open_journal(struct taker *t)
{
	char code[TACIT_PARCEL_CODE_ROOM];
	tacit_parcel_code_text(&t->run.code, code);
	enum tacit_err err = parcel_kept_open(&t->run, "take", tacit_cstr(code));
	tacit_wipe(code, sizeof(code));
	if (err == TACIT_E_CONFLICT)
		parcel_run_problem(&t->run, "Another tacit is receiving this right now.");
	return err;
}

static enum tacit_err look_back(struct taker *t)
{
	enum tacit_err err;
	bool found;
	TRY(open_journal(t));
	TRY(parcel_kept_load(&t->run, &found));
	if (found)
		parcel_run_adopt(&t->run);
out:
	return err;
}

/* --- where it goes --------------------------------------------------------------------------- */

static enum tacit_err open_sink(struct taker *t)
{
	struct parcel_place p = {.folder = (const char *)t->run.note.folder.p};
	uint8_t id[TACIT_PARCEL_RESUME_BYTES];
	tacit_channel_resume_id(t->run.note.root, id);
	tacit_hex(tacit_bytes(id, PARCEL_SINK_ID / 2), p.id);
	return sink_error(t, parcel_sink_open(&p, t->offer, &t->sink));
}

static enum tacit_err remember_folder(struct taker *t)
{
	enum tacit_err err = TACIT_OK;
	char *resolved = NULL;
	if (t->run.note.folder.n > 0)
		return TACIT_OK;
	resolved = realpath(t->target->folder, NULL);
	if (resolved == NULL) {
		parcel_run_problem(&t->run, "The folder cannot be opened.");
		return TACIT_E_IO;
	}
	TRY(tacit_buf_append(&t->run.note.folder, tacit_cstr(resolved)));
	TRY(tacit_buf_terminate(&t->run.note.folder));
out:
	free(resolved);
	return err;
}

static enum tacit_err read_kept(void *ctx, uint64_t at, size_t most, size_t *n)
{
	struct taker *t = ctx;
	return sink_error(t, parcel_sink_read(t->sink, at, t->room, most, n));
}

static enum tacit_err hash_kept(struct taker *t)
{
	const struct parcel_kept_bytes kept = {read_kept, t, t->room, parcel_sink_kept(t->sink)};
	return parcel_kept_hash(&t->run, &kept);
}

/* --- what was offered ------------------------------------------------------------------------ */

static enum tacit_err ask(struct taker *t, const struct tacit_parcel_offer *offer)
{
	enum tacit_err err;
	bool accepted = false;
	if (t->target->folder == NULL && offer->kind != TACIT_PARCEL_TEXT &&
	        offer->kind != TACIT_PARCEL_FILE) {
		parcel_run_problem(&t->run, "Several files cannot go to standard output.");
		TRY(TACIT_E_UNSUPPORTED);
	}
	TRY(t->run.o->ui->offered(t->run.o->ctx, offer, &accepted));
	if (!accepted) {
		tacit_ignore(
		        tacit_parcel_decline(t->run.parcel), "it sees the connection end, too");
		parcel_run_problem(&t->run, "Declined.");
		TRY(TACIT_E_REFUSED);
	}
out:
	return err;
}

/* To the disk: the journal first, so that what lies there can be found again. */
static enum tacit_err prepare_sink(struct taker *t)
{
	enum tacit_err err;
	TRY(remember_folder(t));
	TRY(open_sink(t));
	if (t->run.journal.lock < 0)
		TRY(open_journal(t));
	tacit_parcel_offer_sha256(t->run.parcel, t->run.note.offer_sha256);
	TRY(parcel_run_remember(&t->run));
	tacit_parcel_reads_back(t->run.parcel);
out:
	return err;
}

static enum tacit_err on_offer(struct taker *t, const struct tacit_parcel_offer *offer)
{
	enum tacit_err err = TACIT_OK;
	if (t->offer == NULL) {
		if (t->run.note.code.n == 0)
			TRY(ask(t, offer));
		t->offer = offer;
		if (!to_text(t) && t->target->folder != NULL)
			TRY(prepare_sink(t));
	}
	if (t->sink != NULL)
		TRY(hash_kept(t));
	TRY(tacit_parcel_answer(t->run.parcel));
out:
	return err;
}

/* --- bytes ----------------------------------------------------------------------------------- */

static enum tacit_err on_start(struct taker *t, uint64_t offset)
{
	if (t->all_there && offset != t->offer->total) {
		parcel_run_problem(&t->run, "What is sent has changed meanwhile.");
		return TACIT_E_CONFLICT;
	}
	t->run.result->resumed_from = offset;
	if (to_text(t)) {
		t->text.n = (size_t)offset < t->text.n ? (size_t)offset : t->text.n;
		return TACIT_OK;
	}
	if (t->sink != NULL)
		return sink_error(t, parcel_sink_cut(t->sink, offset));
	if (offset == t->shown)
		return TACIT_OK;
	parcel_run_problem(&t->run, "What is sent has changed meanwhile.");
	return TACIT_E_CONFLICT;
}

static enum tacit_err write_out(struct taker *t, struct tacit_bytes bytes)
{
	while (bytes.n > 0) {
		ssize_t n = write(t->target->fd, bytes.p, bytes.n);
		if (n < 0 && errno == EINTR && t->run.o->cancel != NULL && *t->run.o->cancel != 0)
			return TACIT_E_CANCELLED;
		if (n < 0 && errno != EINTR) {
			parcel_run_problem(&t->run, "Standard output cannot be written.");
			return TACIT_E_IO;
		}
		size_t put = n > 0 ? (size_t)n : 0;
		t->shown += put;
		bytes = tacit_bytes_part(bytes, put, bytes.n);
	}
	return TACIT_OK;
}

static enum tacit_err on_data(struct taker *t, const struct tacit_parcel_event *ev)
{
	enum tacit_err err;
	if (to_text(t))
		err = tacit_buf_append(&t->text, ev->bytes);
	else if (t->sink != NULL)
		err = sink_error(t, parcel_sink_write(t->sink, ev->offset, ev->bytes));
	else
		err = write_out(t, ev->bytes);
	show(t);
	return err;
}

/* --- the end --------------------------------------------------------------------------------- */

static void on_saved(void *ctx, const char *path, bool renamed)
{
	const struct taker *t = ctx;
	if (t->run.o->ui->saved != NULL)
		t->run.o->ui->saved(t->run.o->ctx, path, renamed);
}

static enum tacit_err publish(struct taker *t)
{
	enum tacit_err err;
	TRY(sink_error(t, parcel_sink_publish(t->sink, on_saved, t)));
	parcel_journal_forget(&t->run.journal);
out:
	return err;
}

/* Durable and noted before the receipt leaves. Named when the sender has heard of it, or does not
 * come to hear it: till then the same files can be hashed for another connection. */
static enum tacit_err on_end(struct taker *t)
{
	enum tacit_err err = TACIT_OK;
	if (t->sink != NULL && !t->all_there) {
		TRY(sink_error(t, parcel_sink_settle(t->sink)));
		t->run.note.settled = true;
		t->run.note.offer.n = 0;
		TRY(tacit_parcel_offer_encode(t->offer, &t->run.note.offer));
		TRY(parcel_run_remember(&t->run));
	}
	if (to_text(t) && !t->all_there) /* kept nowhere else */
		TRY(t->run.o->ui->text(t->run.o->ctx, tacit_buf_view(&t->text)));
	err = tacit_parcel_receipt(t->run.parcel);
	if (err != TACIT_OK && err != TACIT_E_NETWORK)
		return err;
	t->run.patience_s = TELL_S;
	t->all_there = true;
out:
	return err;
}

/* What came before a change may be a mixture with what came after it: nothing of it is kept. */
static enum tacit_err on_stopped(struct taker *t, uint64_t why)
{
	if (why != TACIT_PARCEL_CHANGED || t->all_there) {
		parcel_run_problem(&t->run, "The other one gave up.");
		return TACIT_E_GONE;
	}
	parcel_run_problem(&t->run, "A file has changed at the other end while it was sent: it has "
	                            "to be sent anew.");
	parcel_journal_forget(&t->run.journal);
	if (t->sink != NULL)
		parcel_sink_discard(t->sink);
	parcel_sink_close(t->sink);
	t->sink = NULL;
	return TACIT_E_CONFLICT;
}

static enum tacit_err react(struct taker *t, const struct tacit_parcel_event *ev)
{
	switch (ev->kind) {
	case TACIT_PARCEL_OFFERED:
		return on_offer(t, ev->offer);
	case TACIT_PARCEL_STARTED:
		return on_start(t, ev->offset);
	case TACIT_PARCEL_DATA:
		return on_data(t, ev);
	case TACIT_PARCEL_ENDED:
		return on_end(t);
	case TACIT_PARCEL_DONE:
		t->told = true;
		return TACIT_OK;
	case TACIT_PARCEL_STOPPED:
		return on_stopped(t, ev->offset);
	default:
		return TACIT_OK;
	}
}

static enum tacit_err converse(struct taker *t)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_parcel_event ev;
	while (!t->told) {
		err = parcel_run_next(&t->run, t->all_there ? TELL_S * 1000 : RELAY_FOR_EVER, &ev);
		if (err == TACIT_OK && ev.kind == TACIT_PARCEL_NOTHING)
			break; /* it does not say that it has heard */
		if (err == TACIT_OK)
			err = parcel_run_sent(&t->run, react(t, &ev));
		if (err != TACIT_OK)
			break;
	}
	if (!t->all_there)
		return err;
	return t->sink != NULL ? publish(t) : TACIT_OK;
}

/* An earlier process had all of it and was killed before it could name it. */
static enum tacit_err finish_earlier(struct taker *t)
{
	enum tacit_err err;
	struct tacit_bytes offer = tacit_buf_view(&t->run.note.offer);
	TRY(tacit_parcel_offer_decode(offer, &t->kept_offer));
	t->offer = &t->kept_offer;
	TRY(open_sink(t));
	TRY(publish(t));
	t->run.result->bytes = t->offer->total;
out:
	return err;
}

static enum tacit_err receive(struct taker *t)
{
	enum tacit_err err = TACIT_OK;
	if (t->run.o->code != NULL && t->target->folder != NULL)
		TRY(look_back(t));
	if (t->run.note.settled) {
		TRY(finish_earlier(t));
		goto out;
	}
	TRY(parcel_run_begin(&t->run));
	TRY(converse(t));
	t->run.result->bytes = tacit_parcel_done(t->run.parcel);
	parcel_contact_exchange(&t->run);
out:
	return err;
}

enum tacit_err parcel_take(const struct parcel_options *o, const struct parcel_target *target,
        struct parcel_result *out)
{
	enum tacit_err err;
	struct taker t = {.target = target, .room = tacit_alloc(TACIT_PARCEL_RECORD_BYTES)};
	TRY(parcel_run_init(&t.run, o, TACIT_PARCEL_RECEIVER, out));
	TRY(t.room != NULL ? TACIT_OK : TACIT_E_NOMEM);
	TRY(receive(&t));
out:
	parcel_run_stop(&t.run, err);
	out->confirmed = t.told;
	out->kept = err != TACIT_OK && t.sink != NULL && t.run.journal.lock >= 0;
	parcel_sink_close(t.sink);
	parcel_run_clear(&t.run);
	tacit_parcel_offer_clear(&t.kept_offer);
	tacit_buf_clear(&t.text);
	tacit_free(t.room);
	return err;
}
