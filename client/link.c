/* The connection of a runner.
 *
 *   OFFLINE --due--> CONNECTING --talk is open--> ONLINE --lost--> (at once, then ever later) ...
 *                        |--no live events there--> ASKING, and now and then the other way again
 *
 * What was missed is asked for when the talk opens. While it cannot be opened, but the server
 * answers requests, the server is asked every few seconds. */
#include <errno.h>
#include <limits.h>

#include "base/alloc.h"
#include "client/monotonic.h"
#include "client/runner_int.h"
#include "client/talk.h"
#include "client/told.h"
#include "client/wire.h"
#include "crypto/random.h"

#define ASK_MS 2000
#define FIRST_RETRY_MS 500
#define LAST_RETRY_MS 30000
#define STABLE_MS 20000      /* a connection of that age begins the pauses anew */
#define UNSENT_MS 50         /* between tries to send what the network did not take */
#define AT_ONCE (256 * 1024) /* bytes read in one turn, so that commands get theirs */

struct link {
	struct runner *runner;
	struct host *host;
	struct told *told_messages;
	struct wire *wire; /* both or none */
	struct talk *talk;
	bool more; /* the last turn did not read all that is there */
	bool up;   /* the engine knows */
	int64_t up_since;
	enum runner_link told;
	bool told_any;
	bool ended;       /* nothing more is due: logged out */
	int64_t due;      /* of the next try, on the monotonic clock, milliseconds */
	int64_t ask_due;  /* INT64_MAX: asking is of no use */
	int64_t retry_ms; /* the next pause */
	enum tacit_err tell_err;
};

enum tacit_err link_new(struct runner *r, struct host *h, struct link **out)
{
	*out = NULL;
	struct link *l = tacit_calloc(1, sizeof(*l));
	if (l == NULL)
		return TACIT_E_NOMEM;
	enum tacit_err err = told_new(h, &l->told_messages);
	if (err != TACIT_OK) {
		tacit_free(l);
		return err;
	}
	*out = l;
	l->runner = r;
	l->host = h;
	l->retry_ms = FIRST_RETRY_MS;
	l->ask_due = INT64_MAX;
	return TACIT_OK;
}

static void flush(struct link *l)
{
	struct tacit_bytes rest = talk_output(l->talk);
	while (rest.n > 0) {
		size_t n;
		if (wire_write(l->wire, rest, &n) != TACIT_OK) {
			talk_hung_up(l->talk);
			return;
		}
		if (n == 0)
			return;
		talk_sent(l->talk, n);
		rest = talk_output(l->talk);
	}
}

static void hang_up(struct link *l)
{
	if (l->up)
		host_live_down(l->host);
	l->up = false;
	wire_close(l->wire);
	talk_free(l->talk);
	l->wire = NULL;
	l->talk = NULL;
}

void link_free(struct link *l)
{
	if (l == NULL)
		return;
	if (l->talk != NULL) {
		talk_bye(l->talk);
		flush(l);
	}
	hang_up(l);
	told_free(l->told_messages);
	tacit_free(l);
}

/* --- telling --------------------------------------------------------------------------------- */

static enum tacit_err tell_state(
        struct link *l, enum runner_link state, enum tacit_err err, int64_t wait_ms)
{
	const char *why = state == RUNNER_OFFLINE ? host_problem(l->host) : "";
	const struct runner_event ev = {
	        .kind = RUNNER_LINK,
	        .link = state,
	        .err = err,
	        .seconds = wait_ms > 0 ? (unsigned)((wait_ms + 999) / 1000) : 0,
	};
	if (l->told_any && l->told == state && state != RUNNER_OFFLINE)
		return TACIT_OK;
	l->told = state;
	l->told_any = true;
	return runner_tell_event(l->runner, &ev, tacit_cstr(why));
}

static void on_notice(void *ctx, const struct tacit_notice *n)
{
	struct link *l = ctx;
	told_notice(l->told_messages, n);
	if (n->kind == TACIT_NOTICE_DONE || n->kind == TACIT_NOTICE_FAILED)
		return;
	if (l->tell_err == TACIT_OK)
		l->tell_err = runner_tell_notice(l->runner, 0, n);
}

/* The engine speaks. Without memory for it, what is lost may be lost; a join is not, so the
 * connection is begun anew. */
static void on_say(void *ctx, const char *name, struct tacit_bytes body)
{
	struct link *l = ctx;
	if (l->talk != NULL && talk_say(l->talk, name, body) != TACIT_OK)
		talk_hung_up(l->talk);
}

/* --- going and coming ------------------------------------------------------------------------ */

/* Half of it for certain and half by chance, so that those who lost the same server do not come
 * back to it all at once. */
static int64_t next_pause(struct link *l)
{
	uint32_t chance;
	int64_t ms = l->retry_ms;
	tacit_env_random(host_env(l->host), &chance, sizeof(chance));
	l->retry_ms = 2 * ms > LAST_RETRY_MS ? LAST_RETRY_MS : 2 * ms;
	return ms / 2 + (int64_t)(chance % (uint32_t)(ms / 2 + 1));
}

static bool is_final(enum tacit_err err)
{
	return err == TACIT_E_CANCELLED || err == TACIT_E_NOMEM ||
	       tacit_err_class(err) == TACIT_CLASS_STORE;
}

static enum tacit_err log_out(struct link *l)
{
	hang_up(l);
	l->ended = true;
	return tell_state(l, RUNNER_OFFLINE, TACIT_E_NOT_LOGGED_IN, 0);
}

/* A SYNC, as without a live connection. */
static enum tacit_err ask(struct link *l)
{
	const struct tacit_command sync = {.kind = TACIT_CMD_SYNC};
	enum tacit_err err = host_run(l->host, &sync, on_notice, l);
	l->ask_due = monotonic_ms() + ASK_MS;
	if (err == TACIT_OK)
		return tell_state(l, RUNNER_ASKING, TACIT_OK, 0);
	if (is_final(err))
		return err;
	if (err == TACIT_E_NOT_LOGGED_IN)
		return log_out(l);
	l->ask_due = INT64_MAX;
	return tell_state(l, RUNNER_OFFLINE, err, l->due - monotonic_ms());
}

/* The talk has ended, or never began. */
static enum tacit_err lose(struct link *l, enum tacit_err why)
{
	int64_t now = monotonic_ms();
	bool was_stable = l->up && now - l->up_since >= STABLE_MS;
	bool was_up = l->up;
	hang_up(l);
	if (why == TACIT_E_NOMEM || why == TACIT_E_CANCELLED)
		return why;
	if (was_stable)
		l->retry_ms = FIRST_RETRY_MS;
	int64_t pause = next_pause(l);
	l->due = now + pause;
	l->ask_due = INT64_MAX;
	/* Whether the session is over, or there is only no way for live events, a request tells. */
	if (!was_up && why != TACIT_E_NETWORK)
		return ask(l);
	return tell_state(l, RUNNER_OFFLINE, why, pause);
}

static enum tacit_err dial(struct link *l)
{
	enum tacit_err err;
	const struct tacit_engine *e = host_engine(l->host);
	if (!tacit_engine_logged_in(e))
		return log_out(l);
	if (!l->told_any || l->told == RUNNER_OFFLINE)
		TRY(tell_state(l, RUNNER_CONNECTING, TACIT_OK, 0));
	TRY(wire_open(host_http(l->host), &l->wire));
	const struct talk_options o = {
	        .env = host_env(l->host),
	        .server = http_server(host_http(l->host)),
	        .cookie = tacit_engine_cookie(e),
	        .now = monotonic_ms(),
	};
	TRY(talk_begin(&o, &l->talk));
	flush(l);
out:
	if (err == TACIT_E_NETWORK) {
		host_set_problem(l->host, http_problem(host_http(l->host)));
		return lose(l, err);
	}
	if (err != TACIT_OK)
		hang_up(l);
	return err;
}

void link_pump(struct link *l)
{
	uint8_t room[16384];
	size_t total = 0;
	if (l->talk == NULL)
		return;
	while (talk_state(l->talk) != TALK_ENDED && total < AT_ONCE) {
		size_t n;
		enum tacit_err err = wire_read(l->wire, room, sizeof(room), &n);
		if (err != TACIT_OK)
			talk_hung_up(l->talk);
		if (err != TACIT_OK || n == 0)
			break;
		total += n;
		talk_input(l->talk, tacit_bytes(room, n), monotonic_ms());
	}
	l->more = total >= AT_ONCE;
	talk_clock(l->talk, monotonic_ms());
	flush(l);
}

static enum tacit_err come_up(struct link *l)
{
	enum tacit_err err;
	l->up = true;
	l->up_since = monotonic_ms();
	l->ask_due = INT64_MAX;
	TRY(host_live_up(l->host, on_say, on_notice, l));
	TRY(tell_state(l, RUNNER_ONLINE, TACIT_OK, 0));
out:
	return err;
}

static enum tacit_err take_events(struct link *l)
{
	enum tacit_err err = TACIT_OK;
	struct talk_event *ev;
	while (err == TACIT_OK && (ev = talk_next(l->talk)) != NULL) {
		err = host_live_event(l->host, tacit_buf_view(&ev->name), tacit_buf_view(&ev->body),
		        on_notice, l);
		talk_event_free(ev);
	}
	return err;
}

static enum tacit_err converse(struct link *l)
{
	enum tacit_err err = TACIT_OK;
	link_pump(l);
	if (!l->up && talk_state(l->talk) == TALK_OPEN)
		TRY(come_up(l));
	if (l->up)
		TRY(take_events(l));
	flush(l);
	if (talk_state(l->talk) == TALK_ENDED) {
		host_set_problem(l->host, "");
		err = lose(l, talk_problem(l->talk));
	}
out:
	return err == TACIT_E_NOT_LOGGED_IN ? log_out(l) : err;
}

static enum tacit_err turn(struct link *l)
{
	enum tacit_err err;
	TRY(host_tick(l->host, on_notice, l));
	if (l->ended)
		return TACIT_OK;
	if (l->talk == NULL && monotonic_ms() >= l->due)
		TRY(dial(l));
	if (l->talk != NULL)
		TRY(converse(l));
	if (l->talk == NULL && !l->ended && monotonic_ms() >= l->ask_due)
		TRY(ask(l));
	TRY(told_catch_up(l->told_messages, on_notice, l));
out:
	return err;
}

enum tacit_err link_turn(struct link *l)
{
	l->tell_err = TACIT_OK;
	enum tacit_err err = turn(l);
	return err != TACIT_OK ? err : l->tell_err;
}

/* --- waiting --------------------------------------------------------------------------------- */

int link_wait_ms(const struct link *l)
{
	int64_t now = monotonic_ms(), next = INT64_MAX;
	int64_t clock = host_due(l->host);
	if (!l->ended && l->talk == NULL)
		next = l->due < l->ask_due ? l->due : l->ask_due;
	if (l->talk != NULL) {
		next = l->more ? now : talk_due(l->talk);
		if (talk_output(l->talk).n > 0 && now + UNSENT_MS < next)
			next = now + UNSENT_MS;
	}
	if (clock != INT64_MAX) {
		int64_t wait = (clock - tacit_env_now(host_env(l->host))) * 1000;
		wait = wait < 0 ? 0 : wait > INT_MAX ? INT_MAX : wait;
		next = now + wait < next ? now + wait : next;
	}
	if (next == INT64_MAX)
		return -1;
	return next <= now ? 0 : next - now > INT_MAX ? INT_MAX : (int)(next - now);
}

int link_fd(const struct link *l)
{
	return l->wire != NULL ? wire_fd(l->wire) : -1;
}

void link_told(struct link *l, const struct tacit_notice *n)
{
	told_notice(l->told_messages, n);
}

/* A command that found the server means that we will, too. */
void link_heard(struct link *l, enum tacit_err outcome)
{
	if (outcome != TACIT_OK || l->talk != NULL)
		return;
	if (l->ended || (l->told_any && l->told == RUNNER_OFFLINE)) {
		l->ended = false;
		l->due = 0;
		l->retry_ms = FIRST_RETRY_MS;
	}
}
