#include "server/api/call.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "crypto/encoding.h"
#include "server/api/auth.h"
#include "server/api/base64.h"
#include "server/api/reply.h"

/* Of all calls under way together: their bodies come before their right to be here is known. */
#define MAX_HELD_BYTES ((size_t)64 * 1024 * 1024)

/* A call's time is taken before it waits for its turn: so much later it may spend its signature. */
#define QUEUED_S 60

#define NAME(text)                                                                                 \
	{                                                                                          \
		(const uint8_t *)(text), sizeof(text) - 1                                          \
	}
static const struct tacit_bytes header_names[API_HEADER_COUNT] = {
        [API_H_AUTHORIZATION] = NAME("authorization"),
        [API_H_HOST] = NAME("host"),
        [API_H_ORIGIN] = NAME("origin"),
        [API_H_FETCH_SITE] = NAME("sec-fetch-site"),
        [API_H_CSRF] = NAME("x-csrf-token"),
        [API_H_CONTENT_TYPE] = NAME("content-type"),
        [API_H_ACCEPT] = NAME("accept"),
        [API_H_RANGE] = NAME("range"),
        [API_H_IF_RANGE] = NAME("if-range"),
        [API_H_IF_NONE_MATCH] = NAME("if-none-match"),
        [API_H_TUS_RESUMABLE] = NAME("tus-resumable"),
        [API_H_UPLOAD_LENGTH] = NAME("upload-length"),
        [API_H_UPLOAD_DEFER_LENGTH] = NAME("upload-defer-length"),
        [API_H_UPLOAD_OFFSET] = NAME("upload-offset"),
        [API_H_UPLOAD_METADATA] = NAME("upload-metadata"),
        [API_H_UPLOAD_CHECKSUM] = NAME("upload-checksum"),
};

static bool name_is(struct tacit_bytes name, struct tacit_bytes want)
{
	return want.n == name.n &&
	       strncasecmp((const char *)name.p, (const char *)want.p, name.n) == 0;
}

/* Views into the request; api_call_new moves them into the call. The first of a name counts. */
static void find_headers(const struct http_request *r, struct tacit_bytes out[API_HEADER_COUNT])
{
	for (size_t i = 0; i < r->header_count; i++)
		for (int k = API_H_AUTHORIZATION; k < API_HEADER_COUNT; k++)
			if (out[k].p == NULL && name_is(r->headers[i].name, header_names[k])) {
				out[k] = r->headers[i].value;
				break;
			}
	out[API_H_SESSION] = http_cookie(r, "tacit_session");
	out[API_H_PENDING] = http_cookie(r, "tacit_pending");
}

/* Was it passed on by somebody? Then loopback is only where he sits. */
static bool is_forwarded(const struct http_request *r)
{
	return http_header(r, "x-forwarded-for").p != NULL || http_header(r, "forwarded").p != NULL;
}

static bool is_loopback(const struct sockaddr_storage *peer)
{
	if (peer->ss_family == AF_INET)
		return (api_address_key(peer) & 0xff) == 127; /* network order, low byte first */
	struct sockaddr_in6 v6;
	memcpy(&v6, peer, sizeof(v6));
	return peer->ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
}

static struct tacit_bytes move_in(uint8_t **room, struct tacit_bytes from)
{
	if (from.p == NULL)
		return from;
	struct tacit_bytes moved = tacit_bytes(*room, from.n);
	if (from.n > 0)
		memcpy(*room, from.p, from.n);
	*room += from.n;
	return moved;
}

struct api_call *api_call_new(struct api *a, const struct api_route *route, struct http_handle h,
        const struct http_request *r, enum api_copy copy)
{
	struct tacit_bytes found[API_HEADER_COUNT] = {0};
	find_headers(r, found);
	static const struct tacit_bytes before = NAME(API_OBJECT_BEFORE),
	                                after = NAME(API_OBJECT_AFTER);
	size_t room = r->query.n + (copy == API_COPY_BODY ? before.n + r->body.n + after.n : 0);
	for (size_t i = 0; i < API_HEADER_COUNT; i++)
		room += found[i].n;

	struct api_call *c = NULL;
	if (atomic_fetch_add_explicit(&a->held, room, memory_order_relaxed) <= MAX_HELD_BYTES)
		c = tacit_alloc(sizeof(*c) + room);
	if (c == NULL) {
		atomic_fetch_sub_explicit(&a->held, room, memory_order_relaxed);
		return NULL;
	}
	*c = (struct api_call){.api = a, .route = route, .handle = h, .method = r->method};
	c->held = room;
	c->tls = r->tls;
	c->loopback = is_loopback(&r->peer) && !is_forwarded(r);
	c->address_key = api_address_key(&r->peer);
	c->now = tacit_env_now(&a->settings.env);
	c->steady = steady_now(a->settings.steady);
	c->content_length = r->content_length;
	uint8_t *at = c->storage;
	for (size_t i = 0; i < API_HEADER_COUNT; i++)
		c->header[i] = move_in(&at, found[i]);
	c->query = move_in(&at, r->query);
	if (copy == API_COPY_BODY) {
		(void)move_in(&at, before);
		c->body = move_in(&at, r->body);
		(void)move_in(&at, after);
	}
	if (!api_path_match(route->pattern, r->path, &c->path))
		c->path = (struct api_path){0};
	return c;
}

void api_call_release(struct api_call *c)
{
	if (c->work_free != NULL)
		c->work_free(c->api, c->work);
	c->work = NULL;
	c->work_free = NULL;
}

void api_call_free(struct api_call *c)
{
	if (c == NULL)
		return;
	api_call_release(c);
	atomic_fetch_sub_explicit(&c->api->held, c->held, memory_order_relaxed);
	json_decref(c->json);
	tacit_signed_request_clear(&c->signed_request);
	http_response_free(c->answer);
	tacit_buf_clear(&c->piece);
	tacit_buf_clear(&c->gone_files);
	live_outbox_clear(&c->outbox);
	for (int i = API_H_SESSION; i <= API_H_AUTHORIZATION; i++)
		if (c->header[i].p != NULL)
			tacit_wipe((uint8_t *)(uintptr_t)c->header[i].p, c->header[i].n);
	tacit_free(c);
}

static enum tacit_err spend_signature(struct api_call *c, struct store *store)
{
	uint8_t hash[TACIT_SHA256_BYTES];
	tacit_sha256(tacit_bytes(c->signed_request.signature.b, TACIT_SIGNATURE_BYTES), hash);
	int64_t until =
	        c->signed_request.timestamp + c->api->settings.signature_window_s + QUEUED_S;
	enum tacit_err err = store->ops->signature_remember(store, c->who.user_id, hash, until);
	return err == TACIT_E_EXISTS ? api_refuse(c, API_REPLAYED) : err;
}

/* Is there another step for this lane to take in this very job? */
static bool step_here(const struct api_call *c)
{
	const struct api_step *s = &c->steps[c->step];
	return !c->enough && s->run != NULL && s->lane == c->lane && c->problem == API_FINE &&
	       c->answer == NULL;
}

static void find_session(struct job *j, void *context)
{
	struct api_call *c = (struct api_call *)j;
	struct store *store = context;
	store->ops->advance(store, c->steady);
	api_find_session(c, store);
}

static enum tacit_err run_steps(struct job *j, void *context)
{
	enum tacit_err err;
	struct api_call *c = (struct api_call *)j;
	struct store *store = c->lane == JOB_READ || c->lane == JOB_WRITE ? context : NULL;
	if (store != NULL)
		store->ops->advance(store, steady_now(c->api->settings.steady));
	if (!c->authenticated)
		TRY(api_authenticate(c, store));
	if (c->lane == JOB_WRITE && c->verified && !c->spent)
		TRY(spend_signature(c, store));
	err = TACIT_OK;
	while (step_here(c)) {
		c->again = false;
		TRY(c->steps[c->step].run(c, store));
		if (c->again)
			break;
		c->step++;
	}
out:
	return err;
}

static void submit(struct api_call *c, enum job_lane lane);

/* A refusal that is not the server's own failure spends the signature as success does. */
static bool must_spend(const struct api_call *c)
{
	return c->verified && !c->spent && api_problem_status(c->problem) < 500 &&
	       c->problem != API_RATE_LIMITED;
}

static void after_steps(struct job *j, enum tacit_err err)
{
	struct api_call *c = (struct api_call *)j;
	c->authenticated = true;
	if (err != TACIT_OK && (c->problem == API_FINE || err != TACIT_E_REFUSED))
		c->problem = c->only_unavailable ? API_UNAVAILABLE : api_problem_of(err);
	if (err != TACIT_OK) {
		http_response_free(c->answer);
		c->answer = NULL;
		tacit_buf_clear(&c->gone_files);
		live_outbox_clear(&c->outbox);
	}
	if (c->lane == JOB_WRITE)
		api_outbox_send(c->api, &c->outbox);
	if (c->lane == JOB_WRITE && (err == TACIT_OK || c->problem == API_REPLAYED))
		c->spent = true;
	bool unfinished = c->problem == API_FINE && c->answer == NULL && !c->enough;
	if (unfinished && c->steps[c->step].run != NULL) {
		submit(c, c->steps[c->step].lane);
		return;
	}
	if (must_spend(c)) {
		submit(c, JOB_WRITE);
		return;
	}
	if (c->gone_files.n > 0)
		api_delete_blobs(c->api, &c->gone_files);
	c->then(c);
}

/* In the WRITE lane: is there one change at most, with nothing to fail behind it? */
static bool is_single(const struct api_call *c)
{
	bool spends = c->verified && !c->spent;
	return step_here(c) ? !spends && c->route->single : spends;
}

static void submit(struct api_call *c, enum job_lane lane)
{
	c->lane = lane;
	c->job.prepare = lane == JOB_READ && !c->authenticated ? find_session : NULL;
	c->job.single = lane == JOB_WRITE && is_single(c);
	if (job_submit(c->api->pool, lane, &c->job))
		return;
	http_response_free(c->answer);
	c->answer = NULL;
	c->problem = API_UNAVAILABLE;
	c->then(c);
}

void api_call_run(
        struct api_call *c, const struct api_step *steps, void (*then)(struct api_call *c))
{
	c->job.run = run_steps;
	c->job.done = after_steps;
	c->steps = steps;
	c->step = 0;
	c->enough = false;
	c->then = then;
	if (!c->authenticated)
		submit(c, JOB_READ);
	else if (steps[0].run != NULL)
		submit(c, steps[0].lane);
	else
		then(c);
}

void api_call_reply(struct api_call *c)
{
	struct http_response *r = c->answer;
	c->answer = NULL;
	if (c->problem != API_FINE || r == NULL) {
		http_response_free(r);
		if (c->problem == API_FINE)
			c->problem = API_INTERNAL;
		r = api_problem_response(c->api, c->problem,
		        c->detail[0] != '\0' ? c->detail : NULL, c->retry_after);
	}
	if (r != NULL && c->problem != API_FINE)
		api_problem_headers(r, c->problem, c->route->pattern);
	if (r == NULL) /* out of memory: say at least that */
		r = http_response_new(503);
	/* Who has the answer may come back at once, on another loop: what the call holds is free by
	 * then. */
	api_call_release(c);
	if (r != NULL && c->route->body == API_STREAM && c->problem != API_FINE)
		r->close = true;
	http_reply(c->handle, r);
}

enum tacit_err api_refuse(struct api_call *c, enum api_problem p)
{
	c->problem = p;
	return TACIT_E_REFUSED;
}

enum tacit_err api_refuse_and_keep(struct api_call *c, enum api_problem p)
{
	c->problem = p;
	return TACIT_OK;
}

enum tacit_err api_refuse_member(struct api_call *c, enum api_problem p, const char *member)
{
	(void)snprintf(c->detail, sizeof(c->detail),
	        p == API_INVALID_FIELD ? "\"%s\" is missing or of the wrong type."
	                               : "\"%s\" has a value that is not allowed.",
	        member);
	return api_refuse(c, p);
}

enum tacit_err api_text(struct api_call *c, const char *name, enum tacit_presence presence,
        size_t max, struct tacit_bytes *out)
{
	*out = tacit_bytes(NULL, 0);
	enum tacit_err err = api_object_text(&c->data, name, presence, max, out);
	if (err == TACIT_E_MALFORMED)
		return api_refuse_member(c, API_INVALID_FIELD, name);
	return err == TACIT_E_TOO_LARGE ? api_refuse_member(c, API_INVALID_VALUE, name) : err;
}

enum tacit_err api_integer(struct api_call *c, const char *name, enum tacit_presence presence,
        int64_t min, int64_t *out)
{
	enum tacit_err err = api_object_integer(&c->data, name, presence, min, out);
	return err == TACIT_E_MALFORMED ? api_refuse_member(c, API_INVALID_FIELD, name) : err;
}

static enum tacit_err read_safely(struct tacit_bytes text, struct tacit_buf *out)
{
	return tacit_unbase64(TACIT_BASE64, text, out);
}

static enum tacit_err read_base64(struct api_call *c, const char *name, size_t max,
        enum tacit_err (*read)(struct tacit_bytes text, struct tacit_buf *out),
        struct tacit_buf *out)
{
	enum tacit_err err;
	struct tacit_bytes text;
	TRY(api_text(c, name, TACIT_REQUIRED, (max + 2) / 3 * 4, &text));
	err = read(text, out);
	if (err == TACIT_E_MALFORMED || (err == TACIT_OK && (out->n > max || out->n == 0)))
		err = api_refuse_member(c, API_INVALID_VALUE, name);
out:
	return err;
}

enum tacit_err api_base64(struct api_call *c, const char *name, size_t max, struct tacit_buf *out)
{
	return read_base64(c, name, max, read_safely, out);
}

enum tacit_err api_base64_open(
        struct api_call *c, const char *name, size_t max, struct tacit_buf *out)
{
	return read_base64(c, name, max, api_base64_read, out);
}

enum tacit_err api_query_text(struct api_call *c, const char *name, char *out, size_t room)
{
	struct http_request r = {.query = c->query};
	return http_query(&r, name, out, room);
}

enum tacit_err api_query_integer(
        struct api_call *c, const char *name, int64_t min, int64_t max, int64_t *out)
{
	char text[24];
	int64_t value = 0;
	enum tacit_err err = api_query_text(c, name, text, sizeof(text));
	if (err == TACIT_E_NOT_FOUND)
		return TACIT_OK;
	size_t n = err == TACIT_OK ? strlen(text) : 0;
	bool digits = n > 0 && n <= 16 && strspn(text, "0123456789") == n;
	for (size_t i = 0; digits && i < n; i++)
		value = value * 10 + (text[i] - '0');
	if (!digits || value < min || value > max) {
		(void)snprintf(c->detail, sizeof(c->detail),
		        "The parameter \"%s\" must be a number between %lld and %lld.", name,
		        (long long)min, (long long)max);
		return api_refuse(c, API_INVALID_QUERY);
	}
	*out = value;
	return TACIT_OK;
}

enum tacit_err api_answer_bare(struct api_call *c, int status)
{
	http_response_free(c->answer);
	c->answer = http_response_new(status);
	return c->answer != NULL ? TACIT_OK : TACIT_E_NOMEM;
}

enum tacit_err api_answer_json(struct api_call *c, int status, struct api_json *w)
{
	enum tacit_err err;
	*w = (struct api_json){NULL, TACIT_E_NOMEM};
	TRY(api_answer_bare(c, status));
	c->answer->content_type = "application/json";
	c->answer->no_store = true;
	*w = api_json_begin(&c->answer->body);
	err = w->err;
out:
	return err;
}

enum tacit_err api_answer_empty(struct api_call *c, int status)
{
	enum tacit_err err;
	struct api_json w;
	TRY(api_answer_json(c, status, &w));
	err = api_json_finish(&w);
out:
	return err;
}

void api_outbox_send(struct api *a, struct live_outbox *o)
{
	if (o->recheck)
		atomic_store_explicit(&a->recheck, true, memory_order_relaxed);
	live_outbox_send(o, a->live);
}

struct live_person api_caller(const struct api_call *c)
{
	struct live_person p = {.user_id = c->who.user_id};
	memcpy(p.username, c->who.username, sizeof(p.username));
	return p;
}

void api_collect_gone(void *ctx, const char *file_id)
{
	struct api_call *c = ctx;
	tacit_ignore(
	        tacit_buf_append(&c->gone_files, tacit_bytes(file_id, STORE_FILE_ID_CHARS + 1)),
	        "an orphan that the next start finds");
}
