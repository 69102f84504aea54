/* relay.c - the HTTP side: which request is for the relay, and the way of its connection to the
 * home loop. */
#include "server/relay/relay.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "crypto/encoding.h"
#include "server/net/letter.h"
#include "server/net/over.h"
#include "server/relay/desk.h"

#define NO_LOOP UINT32_MAX

struct relay {
	struct http_over over; /* first */
	struct relay_settings settings;
	struct relay_app app;
	struct desk_counters counters;
	_Atomic uint32_t home;
	struct desk *desk; /* the home loop's */
};

/* --- a request, read ------------------------------------------------------------------------- */

static bool header_is(const struct http_request *r, const char *name, const char *value)
{
	struct tacit_bytes got = http_header(r, name);
	return got.n == strlen(value) && strncasecmp((const char *)got.p, value, got.n) == 0;
}

static bool mentions(struct tacit_bytes list, const char *word)
{
	size_t n = strlen(word);
	for (size_t i = 0; i + n <= list.n; i++)
		if (strncasecmp((const char *)list.p + i, word, n) == 0)
			return true;
	return false;
}

static bool read_nameplate(const char *text, uint32_t *out)
{
	char *end;
	if (text[0] < '1' || text[0] > '9' || strlen(text) > 9)
		return false;
	*out = (uint32_t)strtoul(text, &end, 10);
	return *end == '\0';
}

/* ?open=1, with ticket=HEX to come again with nameplate=N&ticket=HEX. */
static enum relay_want read_open(const struct http_request *r, struct arrival *a)
{
	char ticket[2 * RELAY_TICKET_BYTES + 1], number[16];
	bool again = http_query(r, "nameplate", number, sizeof(number)) != TACIT_E_NOT_FOUND;
	enum tacit_err err = http_query(r, "ticket", ticket, sizeof(ticket));
	if (err == TACIT_E_NOT_FOUND)
		return again ? RELAY_NONSENSE : RELAY_OPEN;
	if (err != TACIT_OK || tacit_unhex(tacit_cstr(ticket), a->nameplate.ticket,
	                               sizeof(a->nameplate.ticket)) != TACIT_OK)
		return RELAY_NONSENSE;
	return !again || read_nameplate(number, &a->nameplate.number) ? RELAY_OPEN : RELAY_NONSENSE;
}

static enum relay_want read_resumed(
        const struct http_request *r, struct arrival *a, enum relay_want want)
{
	char text[2 * TACIT_RELAY_ID_BYTES + 1], role[16];
	if (http_query(r, "resume", text, sizeof(text)) != TACIT_OK ||
	        tacit_unhex(tacit_cstr(text), a->id, sizeof(a->id)) != TACIT_OK ||
	        http_query(r, "role", role, sizeof(role)) != TACIT_OK)
		return RELAY_NONSENSE;
	a->role = strcmp(role, "receiver") == 0;
	return a->role == 1 || strcmp(role, "sender") == 0 ? want : RELAY_NONSENSE;
}

/* ?open=1, ?claim=N, or ?resume=ID&role=sender|receiver; of DELETE only the last. */
static enum relay_want read_request(const struct http_request *r, struct arrival *a)
{
	char text[16];
	*a = (struct arrival){0};
	if (r->method == HTTP_DELETE)
		return read_resumed(r, a, RELAY_LEAVE);
	if (r->method != HTTP_GET || !header_is(r, "upgrade", "websocket") ||
	        !mentions(http_header(r, "connection"), "upgrade") ||
	        !header_is(r, "sec-websocket-version", "13"))
		return RELAY_NONSENSE;
	if (http_query(r, "open", text, sizeof(text)) == TACIT_OK)
		return read_open(r, a);
	if (http_query(r, "claim", text, sizeof(text)) == TACIT_OK)
		return read_nameplate(text, &a->nameplate.number) ? RELAY_CLAIM : RELAY_NONSENSE;
	return read_resumed(r, a, RELAY_REJOIN);
}

/* --- the hand-over --------------------------------------------------------------------------- */

struct opening {
	struct relay *relay;
	struct arrival arrival;
};

static void take(void *ctx, struct net_line *line)
{
	struct opening *o = ctx;
	if (line != NULL)
		desk_arrive(o->relay->desk, &o->arrival, line);
	tacit_free(o);
}

static struct http_response *switch_protocols(
        struct relay *relay, const struct arrival *a, const char *accept)
{
	enum tacit_err err;
	struct http_response *r = http_response_new(101);
	struct opening *o = tacit_alloc(sizeof(*o));
	TRY(r != NULL && o != NULL ? TACIT_OK : TACIT_E_NOMEM);
	TRY(http_response_header(r, "Upgrade", "websocket"));
	TRY(http_response_header(r, "Connection", "Upgrade"));
	TRY(http_response_header(r, "Sec-WebSocket-Accept", accept));
	*o = (struct opening){relay, *a};
	r->taker = (struct http_taker){.take = take,
	        .ctx = o,
	        .loop = atomic_load_explicit(&relay->home, memory_order_acquire)};
	return r;
out:
	tacit_free(o);
	http_response_free(r);
	return NULL;
}

struct leaving {
	struct net_letter letter; /* first */
	struct relay *relay;
	struct arrival arrival;
};

static void let_leave(struct net_letter *letter, bool lost)
{
	struct leaving *l = (struct leaving *)letter;
	if (!lost)
		desk_leave(l->relay->desk, l->arrival.role, l->arrival.id);
	tacit_free(l);
}

/* Who asks is answered the same whether or not there is such an end. */
static struct http_response *send_off(struct relay *relay, const struct arrival *a)
{
	struct leaving *l = tacit_alloc(sizeof(*l));
	if (l == NULL)
		return NULL;
	*l = (struct leaving){{.open = let_leave}, relay, *a};
	net_post(atomic_load_explicit(&relay->home, memory_order_acquire), &l->letter);
	return http_response_new(204);
}

static struct http_response *answer(struct relay *relay, const struct http_request *r)
{
	struct arrival a;
	char accept[TACIT_WS_ACCEPT_CHARS + 1];
	enum relay_want want = read_request(r, &a);
	if (want != RELAY_NONSENSE && want != RELAY_LEAVE &&
	        tacit_ws_accept(http_header(r, "sec-websocket-key"), accept) != TACIT_OK)
		want = RELAY_NONSENSE;
	struct http_response *no = relay->app.refuse(relay->app.ctx, r, want);
	if (no != NULL || want == RELAY_NONSENSE)
		return no;
	if (atomic_load_explicit(&relay->home, memory_order_acquire) == NO_LOOP)
		return http_response_new(503);
	a.want = want;
	a.address = relay->app.address(relay->app.ctx, r);
	return want == RELAY_LEAVE ? send_off(relay, &a) : switch_protocols(relay, &a, accept);
}

/* --- http_app -------------------------------------------------------------------------------- */

static bool plan(void *ctx, const struct http_request *r, struct http_plan *plan)
{
	(void)ctx;
	if (!tacit_bytes_eq(r->path, TACIT_STR(TACIT_RELAY_PATH)))
		return false;
	plan->kind = HTTP_BUFFER;
	plan->body_limit = 0;
	return true;
}

static void handle(void *ctx, struct http_handle from, const struct http_request *r)
{
	struct http_response *a = answer(ctx, r);
	http_reply(from, a != NULL ? a : http_response_new(503));
}

/* The first loop becomes the home. */
static void loop_began(void *ctx, uint32_t loop)
{
	struct relay *relay = ctx;
	uint32_t none = NO_LOOP;
	http_over_loop_began(relay, loop);
	(void)atomic_compare_exchange_strong(&relay->home, &none, loop);
}

static bool at_home(const struct relay *relay, uint32_t loop)
{
	return atomic_load_explicit(&relay->home, memory_order_acquire) == loop;
}

static void turn_over(void *ctx, uint32_t loop)
{
	struct relay *relay = ctx;
	if (at_home(relay, loop))
		desk_turn_over(relay->desk);
	http_over_turn_over(relay, loop);
}

static void loop_stops(void *ctx, uint32_t loop)
{
	struct relay *relay = ctx;
	if (at_home(relay, loop))
		desk_stop(relay->desk);
	http_over_loop_stops(relay, loop);
}

static void loop_ended(void *ctx, uint32_t loop)
{
	struct relay *relay = ctx;
	if (at_home(relay, loop)) {
		desk_stop(relay->desk);
		desk_turn_over(relay->desk);
	}
	http_over_loop_ended(relay, loop);
}

struct http_app relay_http_app(struct relay *r, const struct http_app *under)
{
	r->over.plan = plan;
	r->over.handle = handle;
	struct http_app app = http_over_app(&r->over, under);
	app.loop_began = loop_began;
	app.turn_over = turn_over;
	app.loop_stops = loop_stops;
	app.loop_ended = loop_ended;
	return app;
}

/* --- life ------------------------------------------------------------------------------------ */

static void fill_defaults(struct relay_settings *s)
{
	s->max_ends = s->max_ends > 0 ? s->max_ends : 4096;
	s->max_waiting = s->max_waiting > 0 ? s->max_waiting : 16;
	s->wait_s = s->wait_s > 0 ? s->wait_s : 3600;
	s->rejoin_s = s->rejoin_s > 0 ? s->rejoin_s : 1800;
	s->ping_s = s->ping_s > 0 ? s->ping_s : 20;
	s->cut_s = s->cut_s > 0 ? s->cut_s : 30;
	s->silence_s = s->silence_s > 0 ? s->silence_s : 600;
	s->high_water = s->high_water > 0 ? s->high_water : (size_t)1024 * 1024;
	s->low_water = s->low_water > 0 ? s->low_water : (size_t)256 * 1024;
}

enum tacit_err relay_new(
        const struct relay_settings *s, const struct relay_app *app, struct relay **out)
{
	*out = NULL;
	struct relay *r = tacit_calloc(1, sizeof(*r));
	if (r == NULL)
		return TACIT_E_NOMEM;
	r->settings = *s;
	r->app = *app;
	fill_defaults(&r->settings);
	atomic_init(&r->home, NO_LOOP);
	enum tacit_err err = desk_new(&r->settings, &r->counters, &r->desk);
	if (err == TACIT_OK)
		*out = r;
	else
		relay_free(r);
	return err;
}

void relay_free(struct relay *r)
{
	if (r == NULL)
		return;
	desk_free(r->desk);
	tacit_free(r);
}

static uint64_t load(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void relay_stats(const struct relay *r, struct relay_stats *out)
{
	const struct desk_counters *c = &r->counters;
	*out = (struct relay_stats){load(&c->ends), load(&c->waiting), load(&c->pairs),
	        load(&c->wrong), load(&c->bytes)};
}
