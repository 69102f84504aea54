/* health.c - GET /, /health and /metrics. */
#include <string.h>

#include "server/api/call.h"
#include "server/api/handlers.h"

#define PROBE_SECONDS 1
#define COUNT_SECONDS 15

static const char page[] =
        "<!doctype html>\n<html lang=\"en\"><head><meta "
        "charset=\"utf-8\"><title>tacit</title></head>\n"
        "<body><h1>tacit</h1>\n"
        "<p>This is a tacit server. It stores and delivers sealed messages and "
        "files; it cannot read "
        "them.</p>\n"
        "<p>It was built without the web client. Use the command line: <code>tacit "
        "register</code>.</p>\n"
        "</body></html>\n";

static bool wants_html(const struct api_call *c)
{
	struct tacit_bytes accept = c->header[API_H_ACCEPT];
	return accept.n > 0 && memmem(accept.p, accept.n, "text/html", 9) != NULL;
}

enum tacit_err api_root(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct api_json w;
	(void)store;
	if (wants_html(c)) {
		TRY(api_answer_bare(c, 200));
		c->answer->content_type = "text/html; charset=utf-8";
		return tacit_buf_append(&c->answer->body, tacit_bytes(page, sizeof(page) - 1));
	}
	TRY(api_answer_json(c, 200, &w));
	api_json_text(&w, "name", TACIT_STR("tacit"));
	api_json_text(&w, "version", TACIT_STR(TACIT_VERSION));
	api_json_text(&w, "status", TACIT_STR("running"));
	api_json_text(&w, "api", TACIT_STR("/api"));
	TRY(api_json_finish(&w));
out:
	return err;
}

enum tacit_err api_web_missing(struct api_call *c, struct store *store)
{
	(void)store;
	return api_refuse(c, API_NOT_FOUND);
}

static enum tacit_err answer_healthy(struct api_call *c)
{
	enum tacit_err err;
	struct api_json w;
	TRY(api_answer_json(c, 200, &w));
	api_json_text(&w, "status", TACIT_STR("healthy"));
	api_json_text(&w, "version", TACIT_STR(TACIT_VERSION));
	api_json_integer(&w, "uptime_seconds", c->now - c->api->started_at);
	api_json_time(&w, "timestamp", c->now);
	TRY(api_json_finish(&w));
out:
	return err;
}

/* READ: the last probe was good, and is fresh; else the WRITE step asks anew. */
enum tacit_err api_health_cached(struct api_call *c, struct store *store)
{
	struct api_health *h = &c->api->health;
	(void)store;
	if (c->now < h->probed_at || c->now - h->probed_at >= PROBE_SECONDS)
		return TACIT_OK;
	return answer_healthy(c);
}

enum tacit_err api_health_probe(struct api_call *c, struct store *store)
{
	c->only_unavailable = true;
	return store->ops->probe(store);
}

/* READ, after the commit: only now is it known that the store can be written. */
enum tacit_err api_health_tell(struct api_call *c, struct store *store)
{
	(void)store;
	c->api->health.probed_at = c->now;
	return answer_healthy(c);
}

/* Counting a large store takes a while: the numbers may be a little old. */
static enum tacit_err refresh_counts(struct api_call *c, struct store *store)
{
	struct api_health *h = &c->api->health;
	int64_t users = 0, conversations = 0, messages = 0, files = 0;
	if (h->counted_at != 0 && c->now - h->counted_at < COUNT_SECONDS)
		return TACIT_OK;
	enum tacit_err err = store->ops->counts(store, &users, &conversations, &messages, &files);
	if (err != TACIT_OK)
		return err;
	h->users = users;
	h->conversations = conversations;
	h->messages = messages;
	h->files = files;
	h->counted_at = c->now;
	return TACIT_OK;
}

static bool may_see_metrics(const struct api_call *c)
{
	enum api_metrics_access access = c->api->settings.metrics_access;
	return access == API_METRICS_OPEN || (access == API_METRICS_LOOPBACK && c->loopback);
}

enum tacit_err api_metrics_read(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct api *a = c->api;
	if (!may_see_metrics(c))
		return api_refuse(c, API_NOT_FOUND);
	TRY(refresh_counts(c, store));
	struct metrics_view view = {
	        .users = a->health.users,
	        .conversations = a->health.conversations,
	        .messages = a->health.messages,
	        .files = a->health.files,
	        .uptime_s = c->now - a->started_at,
	};
	if (a->server != NULL)
		net_server_stats(a->server, &view.net);
	if (a->live != NULL)
		live_stats(a->live, &view.live);
	if (a->relay != NULL)
		relay_stats(a->relay, &view.relay);
	job_pool_stats(a->pool, &view.jobs);
	TRY(api_answer_bare(c, 200));
	c->answer->content_type = "text/plain; version=0.0.4; charset=utf-8";
	TRY(metrics_write(a->metrics, &view, &c->answer->body));
out:
	return err;
}
