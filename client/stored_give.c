/* stored_give.c - the sending end of what a server keeps.
 *
 * The server counts whole parts only: the head, then each segment. A part whose fate is not known
 * is asked for, and when it has not come, it is sealed anew, with another salt and so another key.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "client/parcel_journal.h"
#include "client/stored.h"
#include "client/stored_call.h"
#include "crypto/encoding.h"
#include "crypto/secret.h"

#define WRONG_OFFSET 409 /* what was lost on its way has come after all */

struct giver {
	const struct parcel_options *o;
	struct parcel_source *source;
	const struct stored_terms *terms;
	struct stored_result *result;
	struct stored_note note;
	struct tacit_stored_keys keys;
	struct parcel_journal lock;
	struct stored_patience patience;
	struct http_answer answer;
	struct tacit_hasher *hasher;
	struct tacit_buf head, sealed;
	uint64_t total, head_bytes;
	int64_t offset; /* as the server counts */
	bool found, ready;
	uint8_t *plain; /* a segment */
};

static enum tacit_err problem(struct giver *g, const char *text, enum tacit_err err)
{
	snprintf(g->result->problem, sizeof(g->result->problem), "%s", text);
	return err;
}

static enum tacit_err ask(struct giver *g, const struct stored_call *c)
{
	enum tacit_err err = stored_perform(g->o->http, c, &g->answer);
	if (err != TACIT_OK)
		snprintf(g->result->problem, sizeof(g->result->problem), "%s",
		        http_problem(g->o->http));
	return err;
}

/* --- what was begun before ------------------------------------------------------------------- */

static void fingerprint(const struct giver *g, uint8_t out[TACIT_SHA256_BYTES])
{
	const struct tacit_bytes parts[] = {TACIT_STR("store "),
	        tacit_cstr(http_server(g->o->http)), TACIT_STR("\n"),
	        parcel_source_offer(g->source)};
	tacit_ignore(tacit_hash_parts(TACIT_SHA256, parts, TACIT_COUNT(parts), out),
	        "SHA-256 is always there");
}

static enum tacit_err take_lock(struct giver *g)
{
	enum tacit_err err;
	struct tacit_buf key = {0};
	char hex[2 * TACIT_SHA256_BYTES + 1];
	tacit_hex(tacit_bytes(g->note.source, sizeof(g->note.source)), hex);
	TRY(tacit_buf_printf(&key, "store %s", hex));
	err = parcel_journal_open(tacit_buf_view(&key), &g->lock);
	if (err == TACIT_E_CONFLICT)
		err = problem(g, "Another tacit is sending this right now.", err);
out:
	tacit_buf_clear(&key);
	return err;
}

/* On other terms it is another: a link would be good more often, or longer, than was asked for. */
static bool is_same(void *ctx, const struct stored_note *n)
{
	struct giver *g = ctx;
	g->found = !n->ready && memcmp(n->source, g->note.source, sizeof(n->source)) == 0 &&
	           n->downloads == g->terms->downloads &&
	           n->expires_at - n->created_at == g->terms->lifetime_s;
	if (g->found)
		g->note = *n;
	return !g->found;
}

static enum tacit_err read_offset(struct giver *g)
{
	enum tacit_err err;
	json_t *body = NULL;
	struct tacit_bytes state = {0};
	TRY(tacit_json_parse(tacit_buf_view(&g->answer.body), &body));
	TRY(tacit_json_text(body, "state", TACIT_REQUIRED, 16, &state));
	int64_t head;
	TRY(tacit_json_integer(body, "head_size", TACIT_REQUIRED, 1, TACIT_STORED_MAX_HEAD, &head));
	TRY(tacit_json_integer(body, "offset", TACIT_REQUIRED, 0, TACIT_MAX_INTEGER, &g->offset));
	g->head_bytes = (uint64_t)head;
	g->ready = tacit_bytes_eq(state, TACIT_STR("ready"));
	if (!g->ready && !tacit_bytes_eq(state, TACIT_STR("coming")))
		err = TACIT_E_GONE;
out:
	json_decref(body);
	return err;
}

/* Where the upload stands; waits for a server that is away. That it tells does not mean that it
 * takes: patience ends all the same. */
static enum tacit_err ask_offset(struct giver *g)
{
	enum tacit_err err;
	const struct stored_call c = {
	        .method = "GET", .id = g->note.id, .token = g->note.owner, .offset = -1};
	while ((err = ask(g, &c)) != TACIT_OK)
		if ((err = stored_wait(&g->patience, err, g->answer.status)) != TACIT_OK)
			return err;
	return read_offset(g);
}

/* Leaves g->found when there is one that can be gone on with. */
static enum tacit_err look_back(struct giver *g)
{
	enum tacit_err err;
	uint8_t source[TACIT_SHA256_BYTES];
	memcpy(source, g->note.source, sizeof(source));
	TRY(stored_note_each(is_same, g));
	if (!g->found)
		goto out;
	if (!g->o->fresh)
		err = ask_offset(g);
	if (g->o->fresh || err == TACIT_E_NOT_FOUND || err == TACIT_E_GONE) {
		stored_note_forget(&g->note);
		tacit_wipe(&g->note, sizeof(g->note));
		memcpy(g->note.source, source, sizeof(source));
		g->result->problem[0] = '\0';
		g->found = false;
		err = TACIT_OK;
	}
	TRY(err);
	stored_recovered(&g->patience);
	TRY(tacit_stored_keys(g->note.secret, &g->keys));
	if (g->found && g->o->ui->state != NULL)
		g->o->ui->state(g->o->ctx, PARCEL_RESUMING);
out:
	return err;
}

/* --- beginning ------------------------------------------------------------------------------- */

static enum tacit_err set_hash(
        json_t *o, const char *name, const uint8_t token[TACIT_STORED_TOKEN_BYTES])
{
	uint8_t digest[TACIT_SHA256_BYTES];
	char hex[2 * TACIT_SHA256_BYTES + 1];
	tacit_sha256(tacit_bytes(token, TACIT_STORED_TOKEN_BYTES), digest);
	tacit_hex(tacit_bytes(digest, sizeof(digest)), hex);
	return tacit_json_set_text(o, name, tacit_cstr(hex));
}

static enum tacit_err make_form(struct giver *g, json_t **out)
{
	enum tacit_err err;
	uint64_t count = tacit_stored_segments(g->total);
	uint64_t size = tacit_stored_segment_at(g->head_bytes, g->total, count);
	json_t *o = *out = json_object();
	TRY(o != NULL ? TACIT_OK : TACIT_E_NOMEM);
	TRY(size <= TACIT_MAX_INTEGER ? TACIT_OK : TACIT_E_TOO_LARGE);
	if (json_object_set_new(o, "size", json_integer((json_int_t)size)) != 0 ||
	        json_object_set_new(o, "head_size", json_integer((json_int_t)g->head_bytes)) != 0 ||
	        json_object_set_new(o, "downloads", json_integer(g->terms->downloads)) != 0 ||
	        json_object_set_new(o, "lifetime", json_integer(g->terms->lifetime_s)) != 0)
		TRY(TACIT_E_NOMEM);
	TRY(set_hash(o, "access", g->keys.access));
	TRY(set_hash(o, "owner", g->note.owner));
out:
	return err;
}

static enum tacit_err read_id(struct giver *g)
{
	enum tacit_err err;
	json_t *body = NULL;
	struct tacit_bytes id = {0};
	uint8_t raw[TACIT_STORED_ID_CHARS / 2];
	TRY(tacit_json_parse(tacit_buf_view(&g->answer.body), &body));
	TRY(tacit_json_text(body, "id", TACIT_REQUIRED, TACIT_STORED_ID_CHARS, &id));
	TRY(tacit_unhex(id, raw, sizeof(raw)));
	tacit_hex(tacit_bytes(raw, sizeof(raw)), g->note.id);
out:
	json_decref(body);
	return err;
}

static enum tacit_err seal_head(struct giver *g)
{
	g->head.n = 0;
	return tacit_stored_head_seal(
	        &g->keys, parcel_source_offer(g->source), g->o->env, &g->head);
}

static enum tacit_err begin(struct giver *g)
{
	enum tacit_err err;
	json_t *form = NULL;
	struct stored_note *n = &g->note;
	g->o->env->random(g->o->env->ctx, n->secret, sizeof(n->secret));
	g->o->env->random(g->o->env->ctx, n->owner, sizeof(n->owner));
	TRY(tacit_stored_keys(n->secret, &g->keys));
	TRY(seal_head(g));
	g->head_bytes = g->head.n;
	TRY(make_form(g, &form));
	const struct stored_call c = {.method = "POST", .json = form, .offset = -1};
	err = ask(g, &c);
	if (err == TACIT_E_NOT_FOUND)
		err = problem(g, "That server keeps nothing: it is older than this.",
		        TACIT_E_UNSUPPORTED);
	TRY(err);
	TRY(read_id(g));
	memcpy(n->receipt, g->keys.receipt, sizeof(n->receipt));
	snprintf(n->server, sizeof(n->server), "%s", http_server(g->o->http));
	snprintf(n->label, sizeof(n->label), "%s", g->terms->label);
	n->created_at = tacit_env_now(g->o->env);
	n->expires_at = n->created_at + g->terms->lifetime_s;
	n->downloads = g->terms->downloads;
	n->bytes = g->total;
	TRY(stored_note_save(n));
out:
	json_decref(form);
	return err;
}

/* --- bytes ----------------------------------------------------------------------------------- */

/* The next n bytes of the content, hashed, and behind its end the hash. */
static enum tacit_err read_plain(struct giver *g, uint64_t from, size_t n)
{
	enum tacit_err err = TACIT_OK;
	uint64_t left = from < g->total ? g->total - from : 0;
	size_t want = left < n ? (size_t)left : n, done = 0;
	uint8_t digest[TACIT_SHA256_BYTES];
	while (done < want) {
		size_t got;
		TRY(parcel_source_read(g->source, g->plain + done, want - done, &got));
		TRY(got > 0 ? TACIT_OK : TACIT_E_CONFLICT);
		done += got;
	}
	TRY(tacit_hasher_update(g->hasher, tacit_bytes(g->plain, done)));
	if (done < n) { /* the tail, or its rest when a segment ended within it */
		TRY(tacit_hasher_peek(g->hasher, digest));
		size_t skip = from > g->total ? (size_t)(from - g->total) : 0;
		memcpy(g->plain + done, digest + skip, n - done);
	}
out:
	return err == TACIT_E_CONFLICT ? problem(g, "A file has changed while it was sent.", err)
	                               : err;
}

/* The server answers the last part when it is ready, and counts it before. */
static bool is_all(const struct giver *g)
{
	uint64_t count = tacit_stored_segments(g->total);
	return (uint64_t)g->offset == tacit_stored_segment_at(g->head_bytes, g->total, count);
}

/* OK: it can be gone on from where the server stands now. */
static enum tacit_err after_failure(struct giver *g, enum tacit_err failed)
{
	enum tacit_err err;
	const int64_t before = g->offset;
	const bool ready = g->ready,
	           moved = failed == TACIT_E_CONFLICT && g->answer.status == WRONG_OFFSET;
	if (!moved)
		TRY(stored_wait(&g->patience, failed, g->answer.status));
	TRY(ask_offset(g));
	TRY(moved && g->offset == before && g->ready == ready ? failed : TACIT_OK);
	g->result->problem[0] = '\0';
out:
	return err;
}

/* Sends it until the server counts it. seal makes it anew for each attempt. */
static enum tacit_err send_part(struct giver *g,
        enum tacit_err (*seal)(struct giver *g, uint64_t i), uint64_t i, struct tacit_buf *part)
{
	enum tacit_err err;
	const int64_t before = g->offset;
	for (;;) {
		TRY(seal(g, i));
		const struct stored_call c = {.method = "PATCH",
		        .id = g->note.id,
		        .token = g->note.owner,
		        .part = tacit_buf_view(part),
		        .offset = before};
		err = ask(g, &c);
		if (err == TACIT_OK) {
			g->offset = before + (int64_t)part->n;
			g->ready = is_all(g);
			break;
		}
		TRY(after_failure(g, err));
		if (g->offset == before + (int64_t)part->n)
			break;
		TRY(g->offset == before ? TACIT_OK : TACIT_E_MALFORMED);
	}
	stored_recovered(&g->patience);
out:
	return err;
}

static enum tacit_err seal_head_again(struct giver *g, uint64_t i)
{
	(void)i;
	return seal_head(g);
}

static enum tacit_err seal_segment(struct giver *g, uint64_t i)
{
	const struct tacit_stored_place place = {g->total, i};
	g->sealed.n = 0;
	return tacit_stored_segment_seal(&g->keys, place,
	        tacit_bytes(g->plain, tacit_stored_segment_plain(g->total, i)), g->o->env,
	        &g->sealed);
}

static void show(const struct giver *g, uint64_t segments)
{
	uint64_t done = segments * TACIT_STORED_SEGMENT_BYTES;
	if (g->o->ui->progress != NULL)
		g->o->ui->progress(g->o->ctx, done < g->total ? done : g->total, g->total);
}

/* Which segment comes next, by what the server has. */
static enum tacit_err find_segment(struct giver *g, uint64_t *i)
{
	uint64_t count = tacit_stored_segments(g->total);
	for (*i = 0; *i <= count; (*i)++)
		if ((uint64_t)g->offset == tacit_stored_segment_at(g->head_bytes, g->total, *i))
			return TACIT_OK;
	return TACIT_E_MALFORMED;
}

/* All has come, and the server ended, or the connection, before it said so. */
static enum tacit_err make_ready(struct giver *g)
{
	enum tacit_err err = TACIT_OK;
	const struct stored_call c = {
	        .method = "PATCH", .id = g->note.id, .token = g->note.owner, .offset = g->offset};
	while (!g->ready) {
		err = ask(g, &c);
		g->ready = err == TACIT_OK;
		if (!g->ready)
			TRY(after_failure(g, err));
	}
	stored_recovered(&g->patience);
out:
	return err;
}

static enum tacit_err send_all(struct giver *g)
{
	enum tacit_err err = TACIT_OK;
	uint64_t count = tacit_stored_segments(g->total), next;
	if (g->offset == 0)
		TRY(send_part(g, seal_head_again, 0, &g->head));
	TRY(find_segment(g, &next));
	parcel_source_seek(g->source, 0);
	for (uint64_t i = 0; i < count && !g->ready; i++) {
		if (stored_cancelled(g->o))
			TRY(TACIT_E_CANCELLED);
		TRY(read_plain(g, i * TACIT_STORED_SEGMENT_BYTES,
		        tacit_stored_segment_plain(g->total, i)));
		if (i >= next)
			TRY(send_part(g, seal_segment, i, &g->sealed));
		else
			g->result->resumed_from = (i + 1) * TACIT_STORED_SEGMENT_BYTES;
		show(g, i + 1);
	}
	TRY(make_ready(g));
out:
	return err;
}

static enum tacit_err finish(struct giver *g)
{
	struct stored_note *n = &g->note;
	memcpy(g->result->link.id, n->id, sizeof(n->id));
	memcpy(g->result->link.secret, n->secret, sizeof(n->secret));
	n->expires_at += tacit_env_now(g->o->env) - n->created_at;
	n->ready = true;
	tacit_wipe(n->secret, sizeof(n->secret));
	g->result->bytes = g->total;
	g->result->expires_at = n->expires_at;
	return stored_note_save(n);
}

static enum tacit_err give(struct giver *g)
{
	enum tacit_err err;
	fingerprint(g, g->note.source);
	TRY(take_lock(g));
	TRY(look_back(g));
	if (!g->found)
		TRY(begin(g));
	TRY(send_all(g));
	TRY(finish(g));
out:
	return err;
}

enum tacit_err stored_give(const struct parcel_options *o, struct parcel_source *source,
        const struct stored_terms *terms, struct stored_result *out)
{
	enum tacit_err err;
	struct giver g = {.o = o,
	        .source = source,
	        .terms = terms,
	        .result = out,
	        .lock = {.lock = -1},
	        .patience = {.o = o},
	        .total = parcel_source_decoded(source)->total,
	        .plain = tacit_alloc(TACIT_STORED_SEGMENT_BYTES)};
	*out = (struct stored_result){0};
	TRY(g.plain != NULL ? TACIT_OK : TACIT_E_NOMEM);
	TRY(tacit_hasher_new(TACIT_SHA256, &g.hasher));
	TRY(give(&g));
out:
	out->kept = err != TACIT_OK && g.note.id[0] != '\0' && !g.note.ready;
	parcel_journal_close(&g.lock);
	http_answer_clear(&g.answer);
	tacit_hasher_free(g.hasher);
	tacit_buf_clear(&g.head);
	tacit_buf_clear(&g.sealed);
	if (g.plain != NULL)
		tacit_wipe(g.plain, TACIT_STORED_SEGMENT_BYTES);
	tacit_free(g.plain);
	tacit_wipe(&g.note, sizeof(g.note));
	tacit_wipe(&g.keys, sizeof(g.keys));
	return err;
}
