#include "client/host.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "client/host_int.h"
#include "client/keyring.h"
#include "crypto/random.h"

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

/* On, unless the person says "off" (tacit(1)). */
static bool wants_telemetry(void)
{
	const char *said = getenv("TACIT_TELEMETRY");
	return said == NULL || strcmp(said, "off") != 0;
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
	tacit_engine_set_telemetry(fresh, wants_telemetry());
	if (h->say != NULL && h->engine != NULL)
		tacit_engine_live_adopt(fresh, h->engine);
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

enum tacit_err host_take_turn(struct host *h)
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
enum tacit_err host_freshen(struct host *h)
{
	enum tacit_err err;
	bool changed;
	TRY(localstore_changed(h->store, &changed));
	h->turns_of_others += changed;
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
	TRY(host_take_turn(h));
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

/* What the first one was given may be gone by now; what it made of it is here. */
static enum tacit_err open_twin(const struct host *h, struct host *twin)
{
	enum tacit_err err;
	struct http_options options = {
	        .server = http_server(h->http),
	        .insecure_http = h->insecure_http,
	        .cancel = h->cancel,
	};
	twin->env = h->env;
	twin->cancel = h->cancel;
	twin->insecure_http = h->insecure_http;
	TRY(tacit_buf_append(&twin->folder, tacit_buf_view(&h->folder)));
	TRY(tacit_buf_terminate(&twin->folder));
	TRY(tacit_buf_append(&twin->ca_file, tacit_buf_view(&h->ca_file)));
	TRY(tacit_buf_terminate(&twin->ca_file));
	options.ca_file = twin->ca_file.n > 0 ? (const char *)twin->ca_file.p : NULL;
	TRY(open_store(twin));
	TRY(http_open(&options, &twin->http));
out:
	return err;
}

enum tacit_err host_twin(struct host *h, struct host **out)
{
	enum tacit_err err;
	bool locked = false;
	*out = NULL;
	struct host *twin = tacit_calloc(1, sizeof(*twin));
	if (twin == NULL)
		return TACIT_E_NOMEM;
	/* Opening the store waits for the profile's turn without an eye on anything: so wait here,
	 * where it can be broken off, until it is free. */
	TRY(host_take_turn(h));
	localstore_unlock(h->store);
	TRY(open_twin(h, twin));
	twin->watch = h->watch;
	TRY(host_take_turn(twin));
	locked = true;
	TRY(build_engine(twin));
	struct tacit_bytes secret = tacit_engine_account_secret(h->engine);
	if (secret.n > 0) {
		TRY(tacit_engine_unlock_with_secret(twin->engine, secret));
		TRY(restore_all(twin, twin->engine));
	}
	twin->watch = NULL;
	*out = twin;
out:
	if (locked)
		localstore_unlock(twin->store);
	if (err != TACIT_OK)
		host_close(twin);
	return err;
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

uint64_t host_turns_of_others(const struct host *h)
{
	return h->turns_of_others;
}

void host_set_problem(struct host *h, const char *text)
{
	snprintf(h->problem, sizeof(h->problem), "%s", text);
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
	TRY(host_take_turn(h));
	TRY(host_freshen(h));
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

/* --- notes and history ----------------------------------------------------------------------- */

enum tacit_err host_note_put(struct host *h, struct tacit_bytes name, struct tacit_bytes value)
{
	enum tacit_err err;
	struct tacit_effects fx = {0};
	TRY(host_take_turn(h));
	TRY(host_freshen(h));
	TRY(tacit_engine_note_put(h->engine, name, value, &fx));
	TRY(host_persist(h, &fx));
out:
	localstore_unlock(h->store);
	tacit_effects_clear(&fx);
	return err;
}

enum tacit_err host_note_get(struct host *h, struct tacit_bytes name, struct tacit_buf *value)
{
	enum tacit_err err;
	TRY(host_take_turn(h));
	TRY(host_freshen(h));
	TRY(tacit_engine_note_get(h->engine, name, value));
out:
	localstore_unlock(h->store);
	return err;
}

enum tacit_err host_note_change(
        struct host *h, struct tacit_bytes name, host_note_changer *change, void *ctx)
{
	enum tacit_err err;
	struct tacit_effects fx = {0};
	struct tacit_buf before = {0}, after = {0};
	TRY(host_take_turn(h));
	TRY(host_freshen(h));
	err = tacit_engine_note_get(h->engine, name, &before);
	TRY(err == TACIT_E_NOT_FOUND ? TACIT_OK : err);
	TRY(change(ctx, tacit_buf_view(&before), &after));
	TRY(tacit_engine_note_put(h->engine, name, tacit_buf_view(&after), &fx));
	TRY(host_persist(h, &fx));
out:
	localstore_unlock(h->store);
	tacit_effects_clear(&fx);
	tacit_buf_clear(&before);
	tacit_buf_clear(&after);
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

enum tacit_err host_entry(struct host *h, uint64_t conversation, uint64_t message,
        struct tacit_notice *n, struct tacit_buf *room)
{
	enum tacit_err err;
	struct tacit_record_id tag;
	struct tacit_buf sealed = {0};
	uint64_t position = tacit_engine_log_position(message);
	*n = (struct tacit_notice){0};
	tacit_engine_log_tag(h->engine, conversation, &tag);
	TRY(localstore_get_log(h->store, &tag, position, &sealed));
	TRY(tacit_engine_log_open(h->engine, &tag, position, tacit_buf_view(&sealed), n, room));
out:
	tacit_buf_clear(&sealed);
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
