#include "client/host.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "client/keyring.h"
#include "client/localstore.h"
#include "crypto/random.h"

#define MAX_PROBLEM 800

struct host {
	struct tacit_env env;
	struct tacit_buf folder; /* NUL-terminated */
	struct localstore *store;
	struct http *http;
	struct tacit_engine *engine;
	const volatile sig_atomic_t *cancel;
	const struct http_watch *watch;
	char problem[MAX_PROBLEM];
	struct tacit_buf ca_file; /* as in use; to be remembered with the server */
	bool insecure_http;
	bool stale; /* the engine may be ahead of the store: build it again before the next use */
};

/* One command on its way. */
struct run {
	host_deliver *deliver;
	void *ctx;
	uint64_t op;
	bool ended;
	enum tacit_err outcome;
	struct tacit_effects waiting; /* SENDs, in order */
	size_t next;
};

/* --- building the engine --------------------------------------------------------------------- */

static enum tacit_err restore_record(
        void *ctx, const struct tacit_record_id *id, struct tacit_bytes data)
{
	return tacit_engine_restore(ctx, id, data);
}

static enum tacit_err restore_all(struct host *h, struct tacit_engine *e)
{
	enum tacit_err err = localstore_each_record(h->store, restore_record, e);
	if (err == TACIT_E_BAD_SEAL || err == TACIT_E_MALFORMED)
		err = TACIT_E_STORE_CORRUPT;
	return err;
}

/* From what is stored; unlocked again when the one before was. */
static enum tacit_err build_engine(struct host *h)
{
	enum tacit_err err;
	struct tacit_buf profile = {0};
	struct tacit_engine *fresh = NULL;
	struct tacit_bytes secret = {0};
	if (h->engine != NULL)
		secret = tacit_engine_account_secret(h->engine);
	err = localstore_profile(h->store, &profile);
	if (err == TACIT_E_NOT_FOUND) {
		TRY(tacit_engine_new(&h->env, &fresh));
	} else {
		TRY(err);
		TRY(tacit_engine_open(&h->env, tacit_buf_view(&profile), &fresh));
		if (secret.n > 0) {
			TRY(tacit_engine_unlock_with_secret(fresh, secret));
			TRY(restore_all(h, fresh));
		}
	}
	tacit_engine_free(h->engine);
	h->engine = fresh;
	fresh = NULL;
	h->stale = false;
out:
	tacit_engine_free(fresh);
	tacit_buf_clear(&profile);
	return err;
}

/* A signal that is not for us (a resized window) must not cost the turn. */
static bool wait_on(const struct host *h, enum tacit_err err)
{
	return err == TACIT_E_CANCELLED && (h->cancel == NULL || *h->cancel == 0);
}

static enum tacit_err open_store(struct host *h)
{
	enum tacit_err err;
	do
		err = localstore_open((const char *)h->folder.p, &h->store);
	while (wait_on(h, err));
	return err;
}

/* Between two looks at a lock that another process has. */
#define TURN_MS 20

static enum tacit_err take_turn_watched(struct host *h)
{
	enum tacit_err err;
	for (;;) {
		struct pollfd fds[HTTP_WATCHED];
		err = localstore_try_lock(h->store);
		if (err != TACIT_E_STORE_BUSY)
			return err;
		for (size_t i = 0; i < HTTP_WATCHED; i++)
			fds[i] = (struct pollfd){.fd = h->watch->fds[i], .events = POLLIN};
		poll(fds, HTTP_WATCHED, TURN_MS);
		if (h->watch->turn(h->watch->ctx))
			return TACIT_E_CANCELLED;
	}
}

static enum tacit_err take_turn(struct host *h)
{
	enum tacit_err err;
	if (h->watch != NULL)
		return take_turn_watched(h);
	do
		err = localstore_lock(h->store);
	while (wait_on(h, err));
	return err;
}

/* Under the lock: the engine is what the store says. */
static enum tacit_err freshen(struct host *h)
{
	enum tacit_err err;
	bool changed;
	TRY(localstore_changed(h->store, &changed));
	if (changed || h->stale)
		TRY(build_engine(h));
out:
	if (err != TACIT_OK)
		h->stale = true;
	return err;
}

/* --- life ------------------------------------------------------------------------------------ */

/* A remembered setting into room; left empty when there is none. */
static enum tacit_err remembered(struct host *h, const char *name, struct tacit_buf *out)
{
	enum tacit_err err = localstore_setting(h->store, name, out);
	if (err == TACIT_E_NOT_FOUND)
		return TACIT_OK;
	return err == TACIT_OK ? tacit_buf_terminate(out) : err;
}

/* It is remembered for later runs, which may begin in another folder. */
static enum tacit_err keep_ca_file(struct host *h, const char *path)
{
	char *resolved = realpath(path, NULL);
	const char *kept = resolved != NULL ? resolved : path;
	enum tacit_err err = tacit_buf_append(&h->ca_file, tacit_cstr(kept));
	free(resolved);
	return err;
}

static enum tacit_err open_http(struct host *h, const struct host_options *o)
{
	enum tacit_err err;
	struct tacit_buf server = {0};
	struct tacit_buf ca = {0};
	struct tacit_buf plain = {0};
	struct http_options options = {o->server, o->ca_file, o->insecure_http, o->cancel};
	if (o->server == NULL) {
		TRY(remembered(h, "server", &server));
		TRY(remembered(h, "ca-file", &ca));
		TRY(remembered(h, "insecure-http", &plain));
		options.server = server.n > 0 ? (const char *)server.p : HOST_DEFAULT_SERVER;
		if (options.ca_file == NULL && ca.n > 0)
			options.ca_file = (const char *)ca.p;
		options.insecure_http |= plain.n > 0;
	}
	const char *problem = http_server_problem(options.server, options.insecure_http);
	if (problem != NULL)
		snprintf(h->problem, sizeof(h->problem), "%s", problem);
	TRY(http_open(&options, &h->http));
	h->insecure_http = options.insecure_http;
	if (options.ca_file != NULL)
		TRY(keep_ca_file(h, options.ca_file));
out:
	tacit_buf_clear(&server);
	tacit_buf_clear(&ca);
	tacit_buf_clear(&plain);
	return err;
}

enum tacit_err host_open(const struct host_options *o, struct host **out)
{
	enum tacit_err err;
	bool locked = false;
	*out = NULL;
	struct host *h = tacit_calloc(1, sizeof(*h));
	if (h == NULL)
		return TACIT_E_NOMEM;
	h->env = tacit_system_env();
	h->cancel = o->cancel;
	TRY(tacit_crypto_init());
	TRY(paths_profile(o->profile, o->mode, &h->folder));
	TRY(open_store(h));
	TRY(open_http(h, o));
	TRY(take_turn(h));
	locked = true;
	TRY(build_engine(h));
	*out = h;
out:
	if (locked)
		localstore_unlock(h->store);
	if (err != TACIT_OK)
		host_close(h);
	return err;
}

void host_close(struct host *h)
{
	if (h == NULL)
		return;
	tacit_engine_free(h->engine);
	http_close(h->http);
	localstore_close(h->store);
	tacit_buf_clear(&h->folder);
	tacit_buf_clear(&h->ca_file);
	tacit_free(h);
}

struct tacit_engine *host_engine(const struct host *h)
{
	return h->engine;
}

struct http *host_http(const struct host *h)
{
	return h->http;
}

const struct tacit_env *host_env(const struct host *h)
{
	return &h->env;
}

void host_set_watch(struct host *h, const struct http_watch *w)
{
	h->watch = w;
	http_set_watch(h->http, w);
}

const char *host_problem(const struct host *h)
{
	return h->problem;
}

/* --- unlocking ------------------------------------------------------------------------------- */

static enum tacit_err unlock(struct host *h, struct tacit_bytes password, struct tacit_bytes secret)
{
	enum tacit_err err;
	TRY(take_turn(h));
	TRY(freshen(h));
	if (!tacit_engine_locked(h->engine))
		goto out;
	if (secret.n > 0)
		TRY(tacit_engine_unlock_with_secret(h->engine, secret));
	else
		TRY(tacit_engine_unlock(h->engine, password));
	err = restore_all(h, h->engine);
	h->stale |= err != TACIT_OK;
out:
	localstore_unlock(h->store);
	return err;
}

enum tacit_err host_unlock(struct host *h, struct tacit_bytes password)
{
	return unlock(h, password, tacit_bytes(NULL, 0));
}

enum tacit_err host_unlock_kept(struct host *h)
{
	enum tacit_err err;
	struct tacit_secret secret = {0};
	TRY(keyring_get((const char *)h->folder.p, &secret));
	err = unlock(h, tacit_bytes(NULL, 0), tacit_secret_view(&secret));
	if (err == TACIT_E_BAD_PASSWORD) { /* of an account that lived in this folder before */
		host_forget_secret(h);
		err = TACIT_E_NOT_FOUND;
	}
out:
	tacit_secret_free(&secret);
	return err;
}

enum tacit_err host_keep_unlocked(struct host *h)
{
	struct tacit_bytes secret = tacit_engine_account_secret(h->engine);
	if (secret.n == 0)
		return TACIT_E_USAGE;
	return keyring_put((const char *)h->folder.p, secret);
}

void host_forget_secret(struct host *h)
{
	keyring_forget((const char *)h->folder.p);
}

enum tacit_err host_remember_server(struct host *h)
{
	enum tacit_err err;
	struct tacit_bytes plain = h->insecure_http ? TACIT_STR("yes") : TACIT_STR("");
	TRY(localstore_begin(h->store));
	TRY(localstore_put_setting(h->store, "server", tacit_cstr(http_server(h->http))));
	TRY(localstore_put_setting(h->store, "ca-file", tacit_buf_view(&h->ca_file)));
	TRY(localstore_put_setting(h->store, "insecure-http", plain));
	TRY(localstore_commit(h->store));
out:
	if (err != TACIT_OK)
		localstore_rollback(h->store);
	return err;
}

/* --- effects --------------------------------------------------------------------------------- */

static enum tacit_err persist_one(struct host *h, const struct tacit_effect *fx)
{
	switch (fx->kind) {
	case TACIT_EFFECT_PERSIST:
		return localstore_put_record(h->store, &fx->id, tacit_buf_view(&fx->data));
	case TACIT_EFFECT_PROFILE:
		return localstore_put_profile(h->store, tacit_buf_view(&fx->data));
	case TACIT_EFFECT_LOG:
		return localstore_put_log(
		        h->store, &fx->id, fx->position, tacit_buf_view(&fx->data));
	default:
		return TACIT_OK;
	}
}

static bool persists(const struct tacit_effects *fx)
{
	for (size_t i = 0; i < fx->count; i++) {
		enum tacit_effect_kind kind = fx->list[i].kind;
		if (kind == TACIT_EFFECT_PERSIST || kind == TACIT_EFFECT_PROFILE ||
		        kind == TACIT_EFFECT_LOG)
			return true;
	}
	return false;
}

/* All of a step or nothing of it. */
static enum tacit_err persist(struct host *h, const struct tacit_effects *fx)
{
	enum tacit_err err = TACIT_OK;
	if (!persists(fx))
		return TACIT_OK;
	TRY(localstore_begin(h->store));
	for (size_t i = 0; i < fx->count; i++)
		TRY(persist_one(h, &fx->list[i]));
	TRY(localstore_commit(h->store));
out:
	if (err != TACIT_OK) {
		localstore_rollback(h->store);
		h->stale = true;
	}
	return err;
}

/* The effect's bytes change hands. */
static enum tacit_err queue_send(struct run *r, struct tacit_effect *fx)
{
	if (r->waiting.count == r->waiting.cap) {
		size_t cap = r->waiting.cap == 0 ? 4 : 2 * r->waiting.cap;
		struct tacit_effect *list = tacit_realloc(r->waiting.list, cap * sizeof(*list));
		if (list == NULL)
			return TACIT_E_NOMEM;
		r->waiting.list = list;
		r->waiting.cap = cap;
	}
	r->waiting.list[r->waiting.count++] = *fx;
	*fx = (struct tacit_effect){.kind = TACIT_EFFECT_COOKIE};
	return TACIT_OK;
}

static void hand_over(struct host *h, struct run *r, const struct tacit_notice *n)
{
	bool ours = n->op == r->op;
	if (n->kind == TACIT_NOTICE_DONE && ours) {
		r->ended = true;
		r->outcome = TACIT_OK;
	} else if (n->kind == TACIT_NOTICE_FAILED && ours) {
		r->ended = true;
		r->outcome = n->err != TACIT_OK ? n->err : TACIT_E_REFUSED;
		if (n->text.n > 0)
			snprintf(h->problem, sizeof(h->problem), "%.*s", (int)n->text.n,
			        (const char *)n->text.p);
		if (n->err == TACIT_E_NETWORK && http_problem(h->http)[0] != '\0')
			snprintf(h->problem, sizeof(h->problem), "%s", http_problem(h->http));
	}
	if (r->deliver != NULL)
		r->deliver(r->ctx, n);
}

static enum tacit_err carry_out(struct host *h, struct run *r, struct tacit_effects *fx)
{
	enum tacit_err err;
	TRY(persist(h, fx));
	for (size_t i = 0; i < fx->count; i++) {
		if (fx->list[i].kind == TACIT_EFFECT_DELIVER)
			hand_over(h, r, &fx->list[i].notice);
		else if (fx->list[i].kind == TACIT_EFFECT_SEND)
			TRY(queue_send(r, &fx->list[i]));
	}
out:
	tacit_effects_clear(fx);
	return err;
}

static bool cancelled(const struct host *h)
{
	if (h->watch != NULL)
		return h->watch->turn(h->watch->ctx);
	return h->cancel != NULL && *h->cancel != 0;
}

/* --- commands -------------------------------------------------------------------------------- */

static const char *method_name(enum tacit_http_method m)
{
	static const char *const names[] = {"GET", "POST", "PUT", "DELETE"};
	return names[m];
}

/* Sends one request and gives the engine the answer, or word that none came. */
static enum tacit_err send_one(struct host *h, struct run *r, const struct tacit_effect *send)
{
	enum tacit_err err;
	struct tacit_effects fx = {0};
	struct http_answer answer = {0};
	struct http_request request = {
	        .method = method_name(send->method),
	        .path = (const char *)send->path.p,
	        .cookie = tacit_engine_cookie(h->engine),
	        .content_type = send->data.n > 0 ? "application/json" : NULL,
	        .body = tacit_buf_view(&send->data),
	};
	err = http_perform(h->http, &request, &answer);
	if (err == TACIT_E_NETWORK)
		http_answer_clear(&answer);
	else
		TRY(err);
	const struct tacit_http_answer given = {
	        .status = answer.status,
	        .body = tacit_buf_view(&answer.body),
	        .cookie = tacit_buf_view(&answer.cookie),
	        .cookie_name = tacit_cstr(answer.cookie_name),
	};
	TRY(tacit_engine_answer(h->engine, send->request, &given, &fx));
	TRY(carry_out(h, r, &fx));
out:
	tacit_effects_clear(&fx);
	http_answer_clear(&answer);
	return err;
}

enum tacit_err host_run(
        struct host *h, const struct tacit_command *c, host_deliver *deliver, void *ctx)
{
	enum tacit_err err;
	struct tacit_effects fx = {0};
	struct run r = {.deliver = deliver, .ctx = ctx};
	h->problem[0] = '\0';
	TRY(take_turn(h));
	TRY(freshen(h));
	TRY(tacit_engine_command(h->engine, c, &r.op, &fx));
	h->stale = true; /* until the command has come to its end */
	TRY(carry_out(h, &r, &fx));
	while (r.next < r.waiting.count) {
		if (cancelled(h))
			TRY(TACIT_E_CANCELLED);
		struct tacit_effect send = r.waiting.list[r.next++];
		TRY(send_one(h, &r, &send));
	}
	TACIT_ASSERT(r.ended);
	h->stale = false;
	err = r.outcome;
out:
	localstore_unlock(h->store);
	tacit_effects_clear(&fx);
	tacit_effects_clear(&r.waiting);
	return err;
}

/* --- notes and history ----------------------------------------------------------------------- */

enum tacit_err host_note_put(struct host *h, struct tacit_bytes name, struct tacit_bytes value)
{
	enum tacit_err err;
	struct tacit_effects fx = {0};
	TRY(take_turn(h));
	TRY(freshen(h));
	TRY(tacit_engine_note_put(h->engine, name, value, &fx));
	TRY(persist(h, &fx));
out:
	localstore_unlock(h->store);
	tacit_effects_clear(&fx);
	return err;
}

enum tacit_err host_note_get(struct host *h, struct tacit_bytes name, struct tacit_buf *value)
{
	enum tacit_err err;
	TRY(take_turn(h));
	TRY(freshen(h));
	TRY(tacit_engine_note_get(h->engine, name, value));
out:
	localstore_unlock(h->store);
	return err;
}

struct walk {
	struct host *host;
	struct tacit_record_id tag;
	enum tacit_err (*each)(void *ctx, const struct tacit_notice *n, uint64_t position);
	void *ctx;
};

static enum tacit_err open_entry(void *ctx, uint64_t position, struct tacit_bytes data)
{
	const struct walk *w = ctx;
	enum tacit_err err;
	struct tacit_notice notice = {0};
	struct tacit_buf room = {0};
	TRY(tacit_engine_log_open(w->host->engine, &w->tag, position, data, &notice, &room));
	TRY(w->each(w->ctx, &notice, position));
out:
	tacit_content_wipe(&notice.content);
	tacit_buf_clear(&room);
	return err;
}

enum tacit_err host_history(struct host *h, struct host_span span,
        enum tacit_err (*each)(void *ctx, const struct tacit_notice *n, uint64_t position),
        void *ctx)
{
	struct walk w = {.host = h, .each = each, .ctx = ctx};
	struct localstore_span entries = {.before = span.before, .limit = span.limit};
	tacit_engine_log_tag(h->engine, span.conversation, &entries.tag);
	w.tag = entries.tag;
	return localstore_each_log(h->store, &entries, open_entry, &w);
}
