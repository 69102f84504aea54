/* api.c - the application as net/ sees it, and its beginning and end. */
#include "server/api/api.h"

#include <string.h>

#include "base/alloc.h"
#include "server/api/call.h"
#include "server/api/live_people.h"
#include "server/api/multipart.h"
#include "server/api/reply.h"
#include "server/api/stream.h"
#include "server/api/totp.h"
#include "server/api/web_app.h"
#include "server/log.h"

#define LIMITER_SETS 4096

/* Burst: what a person's client does at a start. */
static struct api_limit per_second(unsigned rate)
{
	return (struct api_limit){rate * 60, rate * 5};
}

static struct metrics_label label_of(size_t index)
{
	const struct api_route *r = &api_routes[index];
	return (struct metrics_label){api_method_name(r->method), r->pattern};
}

enum tacit_err api_new(const struct api_settings *s, struct blob_store *blobs, struct api **out)
{
	enum tacit_err err;
	const struct api_limit login = {s->rate_login, s->rate_login * 2};
	*out = NULL;
	struct api *a = tacit_calloc(1, sizeof(*a));
	if (a == NULL)
		return TACIT_E_NOMEM;
	a->settings = *s;
	a->settings.secret = tacit_bytes(NULL, 0);
	a->blobs = blobs;
	a->started_at = tacit_env_now(&s->env);
	TRY(api_totp_init());
	TRY(api_server_keys_init(&a->keys, s->secret));
	TRY(api_limiter_new(per_second(s->rate_address), LIMITER_SETS, &s->env, &a->by_address));
	TRY(api_limiter_new(per_second(s->rate_account), LIMITER_SETS, &s->env, &a->by_account));
	TRY(api_limiter_new(login, LIMITER_SETS, &s->env, &a->login_by_address));
	TRY(api_limiter_new(login, LIMITER_SETS, &s->env, &a->login_by_name));
	TRY(api_limiter_new((struct api_limit){s->rate_login > 0, s->rate_login}, LIMITER_SETS,
	        &s->env, &a->codes));
	TRY(api_limiter_new(
	        (struct api_limit){s->parcel_rate_mib, s->parcel_rate_mib * API_PARCEL_BURST},
	        LIMITER_SETS, &s->env, &a->parcels_by_address));
	a->claims = api_claims_new();
	a->metrics = metrics_new(api_route_count, label_of);
	a->people = live_people_new();
	err = a->claims != NULL && a->metrics != NULL && a->people != NULL ? TACIT_OK
	                                                                   : TACIT_E_NOMEM;
out:
	if (err != TACIT_OK)
		api_free(a);
	else
		*out = a;
	return err;
}

void api_free(struct api *a)
{
	if (a == NULL)
		return;
	api_server_keys_clear(&a->keys);
	api_limiter_free(a->by_address);
	api_limiter_free(a->by_account);
	api_limiter_free(a->login_by_address);
	api_limiter_free(a->login_by_name);
	api_limiter_free(a->codes);
	api_limiter_free(a->parcels_by_address);
	api_claims_free(a->claims);
	live_people_free(a->people);
	metrics_free(a->metrics);
	tacit_free(a);
}

void api_set_pool(struct api *a, struct job_pool *pool)
{
	a->pool = pool;
}

void api_set_mailer(struct api *a, struct mailer *m)
{
	a->mailer = m;
}

void api_set_server(struct api *a, const struct net_server *server)
{
	a->server = server;
}

bool api_file_in_use(struct api *a, const char *id)
{
	return api_claim_held(a->claims, id);
}

static void answer(struct http_plan *plan, struct http_response *r)
{
	plan->kind = HTTP_ANSWER;
	plan->answer = r;
}

static bool within_limits(struct api *a, const struct http_request *r,
        const struct api_route *route, unsigned *retry_after)
{
	uint64_t key = api_address_key(&r->peer), now = api_monotonic_ms();
	unsigned cost = route != NULL ? route->cost : 1;
	if (!api_limiter_take(a->by_address, key, cost, now, retry_after))
		return false;
	return route == NULL || route->guard == API_ORDINARY ||
	       api_limiter_take(a->login_by_address, key, 1, now, retry_after);
}

/* Nothing is done here: whatever can be done is elsewhere, or by other methods. */
static struct http_response *other_ways(const struct api *a, const struct http_request *r)
{
	unsigned allowed = api_route_methods(r->path);
	if (allowed == 0)
		return api_problem_response(a, API_NOT_FOUND, NULL, 0);
	return r->method == HTTP_OPTIONS ? api_options_response(a, r, allowed)
	                                 : api_method_response(a, allowed);
}

static bool is_preflight(const struct http_request *r)
{
	return r->method == HTTP_OPTIONS &&
	       http_header(r, "access-control-request-method").p != NULL;
}

static void plan_request(void *ctx, const struct http_request *r, struct http_plan *plan)
{
	struct api *a = ctx;
	unsigned retry_after = 0;
	const struct api_route *route = api_route_find(r->method, r->path);
	plan->route = (void *)(uintptr_t)route;
	if (!within_limits(a, r, route, &retry_after)) {
		answer(plan, api_problem_response(a, API_RATE_LIMITED, NULL, retry_after));
	} else if (route == NULL || is_preflight(r)) {
		answer(plan, other_ways(a, r));
	} else if (route->web && api_web_plan(a, r, plan)) {
		return;
	} else if (route->body == API_STREAM) {
		plan->kind = HTTP_STREAM;
		plan->body_limit = (uint64_t)a->settings.max_file_bytes + API_MULTIPART_FRAMING;
	} else {
		plan->kind = HTTP_BUFFER;
		plan->body_limit = route->body_limit;
	}
}

static void answer_and_free(struct api_call *c)
{
	api_call_reply(c);
	api_call_free(c);
}

static void handle_request(
        void *ctx, struct http_handle h, const struct http_request *r, void *route)
{
	struct api *a = ctx;
	struct api_call *c = api_call_new(a, route, h, r, API_COPY_BODY);
	if (c == NULL) {
		http_reply(h, api_problem_response(a, API_UNAVAILABLE, NULL, 1));
		return;
	}
	api_call_run(c, c->route->steps, answer_and_free);
}

static void finished(void *ctx, const struct http_request *r, void *route, int status,
        uint64_t bytes_out, uint64_t microseconds)
{
	struct api *a = ctx;
	const struct api_route *matched = route;
	size_t index = matched != NULL ? (size_t)(matched - api_routes) : api_route_count;
	metrics_request(a->metrics, index, status);
	/* What went well without a route is a poll of the live side: it took as long as nothing
	 * happened. */
	if (matched != NULL || status != 200)
		metrics_time(a->metrics, microseconds);
	log_access(&(struct log_request){
	        .method = r != NULL ? api_method_name(r->method) : "-",
	        .route = matched != NULL ? matched->pattern : "-",
	        .status = status,
	        .bytes = bytes_out,
	        .microseconds = microseconds,
	        .peer = r != NULL ? &r->peer : NULL,
	});
}

struct http_app api_http_app(struct api *a)
{
	return (struct http_app){
	        .ctx = a,
	        .plan = plan_request,
	        .handle = handle_request,
	        .stream_begin = api_stream_begin,
	        .stream_data = api_stream_data,
	        .stream_end = api_stream_end,
	        .common_headers = api_common_headers,
	        .error_body = api_error_body,
	        .finished = finished,
	};
}

enum tacit_err api_print_routes(struct tacit_buf *out)
{
	enum tacit_err err = TACIT_OK;
	for (size_t i = 0; i < api_route_count; i++)
		TRY(tacit_buf_printf(out, "%s %s\n", api_method_name(api_routes[i].method),
		        api_routes[i].pattern));
out:
	return err;
}
