#include "server/api/live_call.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

#define MAX_HELD_BYTES                                                                             \
	((size_t)64 * 1024 * 1024) /* of all events under way, and all HTTP calls                  \
	                            */

static void free_call(struct live_call *c)
{
	atomic_fetch_sub_explicit(&c->api->held, c->held, memory_order_relaxed);
	tacit_buf_clear(&c->content);
	tacit_buf_clear(&c->extra);
	tacit_buf_clear(&c->answer);
	live_outbox_clear(&c->outbox);
	tacit_free(c);
}

enum tacit_err live_refuse_call(struct live_call *c, enum api_problem p)
{
	c->problem = p;
	return TACIT_E_REFUSED;
}

static enum tacit_err refuse_field(struct live_call *c, enum tacit_err err, const char *name)
{
	if (err != TACIT_E_MALFORMED && err != TACIT_E_TOO_LARGE)
		return err;
	bool form = err == TACIT_E_MALFORMED;
	(void)snprintf(c->detail, sizeof(c->detail),
	        form ? "\"%s\" is missing or of the wrong type."
	             : "\"%s\" has a value that is not allowed.",
	        name);
	return live_refuse_call(c, form ? API_INVALID_FIELD : API_INVALID_VALUE);
}

enum tacit_err live_text(struct live_call *c, const struct api_object *body, const char *name,
        enum tacit_presence presence, size_t max, struct tacit_bytes *out)
{
	*out = tacit_bytes(NULL, 0);
	return refuse_field(c, api_object_text(body, name, presence, max, out), name);
}

bool live_flag(const struct api_object *body, const char *name)
{
	if (body->flat != NULL)
		return tacit_flat_find(body->flat, name) == NULL; /* true is never flat */
	const json_t *value = json_object_get(body->tree, name);
	return value == NULL || json_is_true(value);
}

enum tacit_err live_integer(struct live_call *c, const struct api_object *body, const char *name,
        enum tacit_presence presence, int64_t min, int64_t *out)
{
	return refuse_field(c, api_object_integer(body, name, presence, min, out), name);
}

/* --- answers -------------------------------------------------------------------------------- */

struct trouble {
	enum api_problem problem;
	const char *detail, *event;
	int64_t room, now;
	unsigned retry_after;
	struct tacit_bytes client_id;
};

/* The error object of contract 1, and what it is about. */
static enum tacit_err write_trouble(const struct trouble *t, struct tacit_buf *out)
{
	enum tacit_err err;
	TRY(api_problem_write(t->problem, t->detail, t->now, out));
	out->n--; /* the object is open again */
	struct api_json w = {out, TACIT_OK};
	if (t->event != NULL)
		api_json_text(&w, "event", tacit_cstr(t->event));
	if (t->room != 0)
		api_json_integer(&w, "room_id", t->room);
	if (t->client_id.n > 0)
		api_json_text(&w, "client_id", t->client_id);
	if (t->retry_after > 0)
		api_json_integer(&w, "retry_after", t->retry_after);
	TRY(api_json_finish(&w));
out:
	return err;
}

static void send_trouble(struct live_handle s, int64_t ack, const struct trouble *t)
{
	enum tacit_err err;
	struct tacit_buf text = {0};
	static const char before[] = "\"error\",";
	struct live_frame *f = NULL;
	TRY(tacit_buf_append(&text, tacit_bytes(before, sizeof(before) - 1)));
	TRY(write_trouble(t, &text));
	f = live_frame_new(tacit_buf_view(&text), 0);
	TRY(f != NULL ? TACIT_OK : TACIT_E_NOMEM);
	live_emit(s, f);
	live_ack(s, ack, tacit_bytes_part(tacit_buf_view(&text), sizeof(before) - 1, SIZE_MAX));
out:
	if (err != TACIT_OK) /* else a gap would go unnoticed */
		live_disconnect(s);
	live_frame_drop(f);
	tacit_buf_clear(&text);
}

void live_tell_problem(
        struct api *a, struct live_handle s, enum api_problem p, const char *event, int64_t room)
{
	const struct trouble t = {
	        .problem = p, .event = event, .room = room, .now = tacit_env_now(&a->settings.env)};
	send_trouble(s, -1, &t);
}

static void answer(struct live_call *c)
{
	if (c->problem == API_FINE) {
		live_ack(c->socket, c->ack,
		        c->answer.n > 0 ? tacit_buf_view(&c->answer) : TACIT_STR("{}"));
		return;
	}
	const struct trouble t = {.problem = c->problem,
	        .detail = c->detail[0] != '\0' ? c->detail : NULL,
	        .event = c->command->name,
	        .room = c->room,
	        .now = c->now,
	        .retry_after = c->retry_after,
	        .client_id = c->client_id};
	send_trouble(c->socket, c->ack, &t);
}

/* --- the way ------------------------------------------------------------------------------- */

static enum tacit_err run_call(struct job *j, void *context)
{
	struct live_call *c = (struct live_call *)j;
	struct store *store = context;
	store->ops->advance(store, steady_now(c->api->settings.steady));
	return c->command->run(c, store);
}

/* The acknowledgement goes before what is told to all: the sender knows its message by then. */
static void end_call(struct job *j, enum tacit_err err)
{
	struct live_call *c = (struct live_call *)j;
	if (err != TACIT_OK && (c->problem == API_FINE || err != TACIT_E_REFUSED))
		c->problem = api_problem_of(err);
	if (c->problem != API_FINE && c->begun && c->command->failed != NULL)
		c->command->failed(c);
	answer(c);
	if (c->problem == API_FINE)
		api_outbox_send(c->api, &c->outbox);
	free_call(c);
}

static enum tacit_err begin(struct live_call *c, const struct live_event *e)
{
	struct api *a = c->api;
	const struct api_object body = {.tree = json_array_get(e->args, 0), .flat = e->flat};
	if (c->command->name == NULL)
		return live_refuse_call(c, API_UNKNOWN_EVENT);
	if (body.flat == NULL && !json_is_object(body.tree))
		return live_refuse_call(c, API_INVALID_JSON);
	if (c->command->changes && a->settings.require_signed)
		return live_refuse_call(c, API_SIGNATURE_REQUIRED);
	if (!api_limiter_take(a->by_account, (uint64_t)c->who.user_id, c->command->cost,
	            api_monotonic_ms(), &c->retry_after))
		return live_refuse_call(c, API_RATE_LIMITED);
	c->begun = true;
	return c->command->begin(c, &body);
}

/* What it keeps of the client's bytes counts, for all calls together. */
static bool hold(struct live_call *c)
{
	c->held = sizeof(*c) + c->content.cap + c->extra.cap;
	return atomic_fetch_add_explicit(&c->api->held, c->held, memory_order_relaxed) <=
	       MAX_HELD_BYTES;
}

static const struct live_command *find(const char *name)
{
	const struct live_command *c = live_commands;
	while (c->name != NULL && strcmp(c->name, name) != 0)
		c++;
	return c;
}

void live_call_start(struct api *a, struct live_handle s, const struct live_identity *who,
        const struct live_event *e)
{
	struct live_call *c = tacit_calloc(1, sizeof(*c));
	if (c == NULL) {
		live_tell_problem(a, s, API_UNAVAILABLE, NULL, 0);
		return;
	}
	c->api = a;
	c->command = find(e->name);
	c->socket = s;
	c->who = *who;
	c->ack = e->ack;
	c->now = tacit_env_now(&a->settings.env);
	c->job = (struct job){.run = run_call, .done = end_call, .single = c->command->single};
	enum tacit_err err = begin(c, e);
	if (err == TACIT_OK && c->command->where != LIVE_HERE) {
		enum job_lane lane = c->command->where == LIVE_WRITE ? JOB_WRITE : JOB_READ;
		if (hold(c) && job_submit(a->pool, lane, &c->job))
			return;
		err = live_refuse_call(c, API_UNAVAILABLE);
	}
	end_call(&c->job, err);
}
