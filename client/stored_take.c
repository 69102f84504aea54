/* stored_take.c - the receiving end of what a server keeps: claim, read the head, ask the person,
 * fetch and open segment by segment, make it durable, commit with a receipt, give it its names. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "client/parcel_journal.h"
#include "client/parcel_sink.h"
#include "client/stored.h"
#include "client/stored_call.h"
#include "crypto/encoding.h"
#include "crypto/secret.h"

#define COMMIT_PATIENCE_S 60 /* the files are here: who sent them is told, or not */

struct taker {
	const struct parcel_options *o;
	const struct tacit_stored_link *link;
	const struct parcel_target *target;
	struct parcel_result *result;
	struct tacit_stored_keys keys;
	uint8_t claim[TACIT_SHA256_BYTES]; /* hash of the token, which is note.root */
	struct parcel_journal journal;
	struct parcel_note note;
	struct stored_patience patience;
	struct http_answer answer;
	struct tacit_parcel_offer offer;
	struct parcel_sink *sink; /* NULL: to the descriptor, or to text */
	struct tacit_hasher *hasher;
	struct tacit_buf text, plain;
	uint64_t head_bytes, bytes;
	uint8_t tail[TACIT_STORED_TAIL_BYTES];
};

static enum tacit_err problem(struct taker *t, const char *text, enum tacit_err err)
{
	snprintf(t->result->problem, sizeof(t->result->problem), "%s", text);
	return err;
}

static enum tacit_err sink_error(struct taker *t, enum tacit_err err)
{
	return err != TACIT_OK ? problem(t, parcel_sink_problem(t->sink), err) : err;
}

static enum tacit_err ask(struct taker *t, const struct stored_call *c)
{
	enum tacit_err err;
	while ((err = stored_perform(t->o->http, c, &t->answer)) != TACIT_OK) {
		enum tacit_err waited = stored_wait(&t->patience, err, t->answer.status);
		if (waited != TACIT_OK)
			return waited == TACIT_E_CANCELLED
			               ? waited
			               : problem(t, http_problem(t->o->http), err);
	}
	stored_recovered(&t->patience);
	return err;
}

static bool to_text(const struct taker *t)
{
	return t->offer.kind == TACIT_PARCEL_TEXT;
}

/* --- the claim ------------------------------------------------------------------------------- */

static enum tacit_err open_journal(struct taker *t)
{
	enum tacit_err err;
	struct tacit_buf key = {0};
	TRY(tacit_buf_printf(&key, "stored take %s %s", http_server(t->o->http), t->link->id));
	err = parcel_journal_open(tacit_buf_view(&key), &t->journal);
	if (err == TACIT_E_CONFLICT)
		err = problem(t, "Another tacit is receiving this right now.", err);
	if (err == TACIT_E_IO || err == TACIT_E_TOO_LARGE) /* it cannot go on later */
		err = TACIT_OK;
	TRY(err);
	if (t->o->fresh)
		parcel_journal_forget(&t->journal);
	err = parcel_journal_load(&t->journal, tacit_env_now(t->o->env), &t->note);
	if (err == TACIT_E_NOT_FOUND || err == TACIT_E_IO)
		err = TACIT_OK;
	else if (err == TACIT_OK && t->o->ui->state != NULL)
		t->o->ui->state(t->o->ctx, PARCEL_RESUMING);
out:
	tacit_buf_clear(&key);
	return err;
}

static enum tacit_err remember_folder(struct taker *t)
{
	enum tacit_err err = TACIT_OK;
	char *resolved = realpath(t->target->folder, NULL);
	if (resolved == NULL)
		return problem(t, "The folder cannot be opened.", TACIT_E_IO);
	TRY(tacit_buf_append(&t->note.folder, tacit_cstr(resolved)));
	TRY(tacit_buf_terminate(&t->note.folder));
out:
	free(resolved);
	return err;
}

/* A fresh token; kept before the server hears of it, so that no place is lost with this process. */
static enum tacit_err draw_claim(struct taker *t)
{
	enum tacit_err err = TACIT_OK;
	if (t->note.code.n == 0) {
		t->o->env->random(t->o->env->ctx, t->note.root, sizeof(t->note.root));
		TRY(tacit_buf_append(&t->note.code, TACIT_STR("stored")));
		if (t->target->folder != NULL) {
			TRY(remember_folder(t));
			TRY(parcel_journal_save(&t->journal, &t->note));
		}
	}
	tacit_sha256(tacit_bytes(t->note.root, sizeof(t->note.root)), t->claim);
out:
	return err;
}

static enum tacit_err read_sizes(struct taker *t)
{
	enum tacit_err err;
	json_t *body = NULL;
	int64_t head, size;
	TRY(tacit_json_parse(tacit_buf_view(&t->answer.body), &body));
	TRY(tacit_json_integer(body, "head_size", TACIT_REQUIRED, 1, TACIT_STORED_MAX_HEAD, &head));
	TRY(tacit_json_integer(body, "size", TACIT_REQUIRED, 1, TACIT_MAX_INTEGER, &size));
	t->head_bytes = (uint64_t)head;
	t->bytes = (uint64_t)size;
out:
	json_decref(body);
	return err;
}

static enum tacit_err open_sink(struct taker *t)
{
	struct parcel_place p = {.folder = (const char *)t->note.folder.p};
	memcpy(p.id, t->link->id, PARCEL_SINK_ID);
	enum tacit_err err = parcel_sink_open(&p, &t->offer, &t->sink);
	return t->sink != NULL ? sink_error(t, err) : err;
}

/* It has ended meanwhile: what an earlier process left of it is of no use any more. */
static void forget(struct taker *t)
{
	if (t->note.offer.n > 0 &&
	        tacit_parcel_offer_decode(tacit_buf_view(&t->note.offer), &t->offer) == TACIT_OK &&
	        open_sink(t) == TACIT_OK)
		parcel_sink_discard(t->sink);
	parcel_sink_close(t->sink);
	t->sink = NULL;
	parcel_journal_forget(&t->journal);
}

static enum tacit_err claim(struct taker *t)
{
	enum tacit_err err;
	char hex[2 * TACIT_SHA256_BYTES + 1];
	json_t *form = json_object();
	tacit_hex(tacit_bytes(t->claim, sizeof(t->claim)), hex);
	TRY(form != NULL ? TACIT_OK : TACIT_E_NOMEM);
	TRY(tacit_json_set_text(form, "claim", tacit_cstr(hex)));
	const struct stored_call c = {.method = "POST",
	        .id = t->link->id,
	        .rest = "/claims",
	        .token = t->keys.access,
	        .json = form,
	        .offset = -1};
	err = ask(t, &c);
	if (err == TACIT_E_NOT_FOUND || err == TACIT_E_GONE)
		forget(t);
	if (err == TACIT_E_NOT_FOUND)
		err = problem(t, "There is nothing under that link.", err);
	else if (err == TACIT_E_GONE)
		err = problem(t,
		        "It is not there any more: it was received as often as it might be, "
		        "its time is over, or it was taken back.",
		        err);
	TRY(err);
	TRY(read_sizes(t));
out:
	json_decref(form);
	return err;
}

static void release(struct taker *t)
{
	const struct stored_call c = {.method = "DELETE",
	        .id = t->link->id,
	        .rest = "/claims",
	        .token = t->note.root,
	        .offset = -1};
	parcel_journal_forget(&t->journal);
	tacit_ignore(stored_perform(t->o->http, &c, &t->answer), "it lapses by itself");
}

/* --- the head -------------------------------------------------------------------------------- */

static enum tacit_err fetch(struct taker *t, uint64_t from, uint64_t bytes)
{
	enum tacit_err err;
	const struct stored_call c = {.method = "GET",
	        .id = t->link->id,
	        .rest = "/content",
	        .token = t->note.root,
	        .offset = -1,
	        .from = from,
	        .bytes = bytes};
	TRY(ask(t, &c));
	TRY(t->answer.status == 206 && t->answer.body.n == bytes ? TACIT_OK : TACIT_E_TRUNCATED);
out:
	return err;
}

static enum tacit_err accept_offer(struct taker *t, const uint8_t digest[TACIT_SHA256_BYTES])
{
	enum tacit_err err = TACIT_OK;
	bool accepted = false;
	if (memcmp(t->note.offer_sha256, digest, TACIT_SHA256_BYTES) ==
	        0) /* by an earlier process */
		return TACIT_OK;
	if (t->target->folder == NULL && t->offer.kind != TACIT_PARCEL_TEXT &&
	        t->offer.kind != TACIT_PARCEL_FILE)
		TRY(problem(t, "Several files cannot go to standard output.", TACIT_E_UNSUPPORTED));
	TRY(t->o->ui->offered(t->o->ctx, &t->offer, &accepted));
	TRY(accepted ? TACIT_OK : problem(t, "Declined.", TACIT_E_REFUSED));
	memcpy(t->note.offer_sha256, digest, TACIT_SHA256_BYTES);
out:
	if (err != TACIT_OK)
		release(t);
	return err;
}

/* The server says how large it is, and so does the offer, which it has not made. */
static enum tacit_err check_size(const struct taker *t)
{
	uint64_t total = t->offer.total;
	if (total > TACIT_MAX_INTEGER)
		return TACIT_E_TOO_LARGE;
	uint64_t want = tacit_stored_segment_at(t->head_bytes, total, tacit_stored_segments(total));
	return want == t->bytes ? TACIT_OK : TACIT_E_MALFORMED;
}

static enum tacit_err read_head(struct taker *t)
{
	enum tacit_err err;
	uint8_t digest[TACIT_SHA256_BYTES];
	t->note.offer.n = 0;
	TRY(fetch(t, 0, t->head_bytes));
	TRY(tacit_stored_head_open(&t->keys, tacit_buf_view(&t->answer.body), &t->note.offer));
	TRY(tacit_parcel_offer_decode(tacit_buf_view(&t->note.offer), &t->offer));
	TRY(check_size(t));
	tacit_sha256(tacit_buf_view(&t->note.offer), digest);
	TRY(accept_offer(t, digest));
	if (t->target->folder != NULL && !to_text(t))
		TRY(parcel_journal_save(&t->journal, &t->note));
out:
	return err;
}

/* --- content --------------------------------------------------------------------------------- */

/* Whole segments of what an earlier process left; they go into the hash, which tells in the end
 * whether they are right. */
static enum tacit_err hash_kept(struct taker *t, uint64_t *next)
{
	enum tacit_err err = TACIT_OK;
	uint64_t at = 0;
	*next = parcel_sink_kept(t->sink) / TACIT_STORED_SEGMENT_BYTES;
	uint64_t keep = *next * TACIT_STORED_SEGMENT_BYTES;
	TRY(tacit_buf_reserve(&t->plain, TACIT_STORED_SEGMENT_BYTES));
	TRY(sink_error(t, parcel_sink_cut(t->sink, keep)));
	while (at < keep) {
		size_t n;
		uint64_t left = keep - at;
		size_t most = left < TACIT_STORED_SEGMENT_BYTES ? (size_t)left
		                                                : TACIT_STORED_SEGMENT_BYTES;
		TRY(sink_error(t, parcel_sink_read(t->sink, at, t->plain.p, most, &n)));
		TRY(tacit_hasher_update(t->hasher, tacit_bytes(t->plain.p, n)));
		at += n;
		TRY(stored_cancelled(t->o) ? TACIT_E_CANCELLED : TACIT_OK);
	}
	t->result->resumed_from = keep;
out:
	return err;
}

static enum tacit_err write_out(struct taker *t, struct tacit_bytes bytes)
{
	while (bytes.n > 0) {
		ssize_t n = write(t->target->fd, bytes.p, bytes.n);
		if (n < 0 && errno == EINTR && stored_cancelled(t->o))
			return TACIT_E_CANCELLED;
		if (n < 0 && errno != EINTR)
			return problem(t, "Standard output cannot be written.", TACIT_E_IO);
		bytes = tacit_bytes_part(bytes, n > 0 ? (size_t)n : 0, bytes.n);
	}
	return TACIT_OK;
}

static enum tacit_err put(struct taker *t, uint64_t at, struct tacit_bytes bytes)
{
	enum tacit_err err;
	TRY(tacit_hasher_update(t->hasher, bytes));
	if (to_text(t))
		err = tacit_buf_append(&t->text, bytes);
	else if (t->sink != NULL)
		err = sink_error(t, parcel_sink_write(t->sink, at, bytes));
	else
		err = write_out(t, bytes);
out:
	return err;
}

static enum tacit_err take_segment(struct taker *t, uint64_t i)
{
	enum tacit_err err;
	const uint64_t total = t->offer.total, at = i * TACIT_STORED_SEGMENT_BYTES;
	const struct tacit_stored_place place = {total, i};
	TRY(fetch(t, tacit_stored_segment_at(t->head_bytes, total, i),
	        tacit_stored_segment_sealed(total, i)));
	t->plain.n = 0;
	TRY(tacit_stored_segment_open(&t->keys, place, tacit_buf_view(&t->answer.body), &t->plain));
	uint64_t left = at < total ? total - at : 0;
	size_t content = left < t->plain.n ? (size_t)left : t->plain.n;
	TRY(put(t, at, tacit_bytes(t->plain.p, content)));
	if (content < t->plain.n) {
		size_t skip = at > total ? (size_t)(at - total) : 0;
		memcpy(t->tail + skip, t->plain.p + content, t->plain.n - content);
	}
	if (t->o->ui->progress != NULL && !to_text(t))
		t->o->ui->progress(t->o->ctx, at + content < total ? at + content : total, total);
out:
	return err;
}

static enum tacit_err take_from(struct taker *t, uint64_t next)
{
	enum tacit_err err = TACIT_OK;
	uint8_t digest[TACIT_SHA256_BYTES];
	for (uint64_t i = next; i < tacit_stored_segments(t->offer.total); i++) {
		TRY(stored_cancelled(t->o) ? TACIT_E_CANCELLED : TACIT_OK);
		TRY(take_segment(t, i));
	}
	TRY(tacit_hasher_peek(t->hasher, digest));
	if (!tacit_ct_eq(
	            tacit_bytes(digest, sizeof(digest)), tacit_bytes(t->tail, sizeof(t->tail))))
		err = TACIT_E_BAD_SEAL;
out:
	return err;
}

static enum tacit_err take_content(struct taker *t)
{
	enum tacit_err err;
	uint64_t next = 0;
	TRY(tacit_hasher_new(TACIT_SHA256, &t->hasher));
	if (t->target->folder != NULL && !to_text(t)) {
		TRY(open_sink(t));
		TRY(hash_kept(t, &next));
	}
	err = take_from(t, next);
	if (err != TACIT_E_BAD_SEAL || next == 0)
		goto out;
	/* What an earlier process left may not be what it wrote: its machine may have crashed. */
	tacit_hasher_free(t->hasher);
	t->hasher = NULL;
	t->result->resumed_from = 0;
	TRY(tacit_hasher_new(TACIT_SHA256, &t->hasher));
	TRY(sink_error(t, parcel_sink_cut(t->sink, 0)));
	err = take_from(t, 0);
out:
	return err;
}

/* --- the end --------------------------------------------------------------------------------- */

static enum tacit_err commit(struct taker *t)
{
	enum tacit_err err;
	uint8_t receipt[TACIT_STORED_RECEIPT_BYTES];
	char hex[2 * TACIT_STORED_RECEIPT_BYTES + 1];
	struct parcel_options brief = *t->o;
	const struct tacit_stored_download d = {t->link->id, t->claim};
	json_t *form = json_object();
	brief.patience_s = COMMIT_PATIENCE_S;
	t->patience.o = &brief;
	tacit_stored_receipt_make(t->keys.receipt, d, tacit_env_now(t->o->env), receipt);
	tacit_hex(tacit_bytes(receipt, sizeof(receipt)), hex);
	TRY(form != NULL ? TACIT_OK : TACIT_E_NOMEM);
	TRY(tacit_json_set_text(form, "receipt", tacit_cstr(hex)));
	const struct stored_call c = {.method = "POST",
	        .id = t->link->id,
	        .rest = "/commit",
	        .token = t->note.root,
	        .json = form,
	        .offset = -1};
	TRY(ask(t, &c));
	t->result->confirmed = true;
out:
	t->patience.o = t->o;
	json_decref(form);
	return err;
}

static void on_saved(void *ctx, const char *path, bool renamed)
{
	const struct taker *t = ctx;
	if (t->o->ui->saved != NULL)
		t->o->ui->saved(t->o->ctx, path, renamed);
}

/* Durable and noted before the receipt leaves; named after it, and also without it. */
static enum tacit_err finish(struct taker *t)
{
	enum tacit_err err = TACIT_OK;
	t->result->bytes = t->offer.total;
	if (t->sink != NULL && !t->note.settled) {
		TRY(sink_error(t, parcel_sink_settle(t->sink)));
		t->note.settled = true;
		TRY(parcel_journal_save(&t->journal, &t->note));
	}
	if (to_text(t)) /* kept nowhere else: the server deletes it when it hears of it */
		TRY(t->o->ui->text(t->o->ctx, tacit_buf_view(&t->text)));
	tacit_ignore(commit(t), "the files are here, and result says that the sender is not told");
	t->result->problem[0] = '\0';
	if (t->sink != NULL)
		TRY(sink_error(t, parcel_sink_publish(t->sink, on_saved, t)));
	parcel_journal_forget(&t->journal);
out:
	return err;
}

/* An earlier process had all of it and was killed before it could name it. */
static enum tacit_err finish_earlier(struct taker *t)
{
	enum tacit_err err;
	tacit_sha256(tacit_bytes(t->note.root, sizeof(t->note.root)), t->claim);
	TRY(tacit_parcel_offer_decode(tacit_buf_view(&t->note.offer), &t->offer));
	TRY(open_sink(t));
	TRY(finish(t));
out:
	return err;
}

static enum tacit_err take(struct taker *t)
{
	enum tacit_err err;
	TRY(tacit_stored_keys(t->link->secret, &t->keys));
	if (t->target->folder != NULL)
		TRY(open_journal(t));
	if (t->note.settled) {
		TRY(finish_earlier(t));
		goto out;
	}
	TRY(draw_claim(t));
	TRY(claim(t));
	TRY(read_head(t));
	TRY(take_content(t));
	TRY(finish(t));
out:
	return err;
}

enum tacit_err stored_take(const struct parcel_options *o, const struct tacit_stored_link *link,
        const struct parcel_target *target, struct parcel_result *out)
{
	struct taker t = {.o = o,
	        .link = link,
	        .target = target,
	        .result = out,
	        .journal = {.lock = -1},
	        .patience = {.o = o}};
	*out = (struct parcel_result){0};
	enum tacit_err err = take(&t);
	out->kept = err != TACIT_OK && t.sink != NULL && t.journal.lock >= 0;
	parcel_sink_close(t.sink);
	parcel_journal_close(&t.journal);
	parcel_note_clear(&t.note);
	tacit_parcel_offer_clear(&t.offer);
	http_answer_clear(&t.answer);
	tacit_hasher_free(t.hasher);
	tacit_buf_clear(&t.text);
	tacit_buf_clear(&t.plain);
	tacit_wipe(&t.keys, sizeof(t.keys));
	return err;
}
