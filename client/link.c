/* The connection of a runner: asks now and then, and the longer nobody answers the less often. */
#include <limits.h>
#include <time.h>

#include "base/alloc.h"
#include "client/runner_int.h"
#include "crypto/random.h"

#define ASK_MS 1000
#define FIRST_RETRY_MS 1000
#define LAST_RETRY_MS 60000

struct link {
	struct runner *runner;
	struct host *host;
	enum runner_link told;
	bool told_any;
	bool ended;       /* nothing more is due: logged out */
	int64_t due;      /* on the monotonic clock, milliseconds */
	int64_t retry_ms; /* the next pause */
	enum tacit_err tell_err;
};

static int64_t monotonic_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

enum tacit_err link_new(struct runner *r, struct host *h, struct link **out)
{
	struct link *l = tacit_calloc(1, sizeof(*l));
	*out = l;
	if (l == NULL)
		return TACIT_E_NOMEM;
	l->runner = r;
	l->host = h;
	l->retry_ms = FIRST_RETRY_MS;
	return TACIT_OK;
}

void link_free(struct link *l)
{
	tacit_free(l);
}

static enum tacit_err tell_state(
        struct link *l, enum runner_link state, enum tacit_err err, int64_t wait_ms)
{
	const char *why = state == RUNNER_OFFLINE ? host_problem(l->host) : "";
	const struct runner_event ev = {
	        .kind = RUNNER_LINK,
	        .link = state,
	        .err = err,
	        .seconds = (unsigned)((wait_ms + 999) / 1000),
	};
	if (l->told_any && l->told == state && state != RUNNER_OFFLINE)
		return TACIT_OK;
	l->told = state;
	l->told_any = true;
	return runner_tell_event(l->runner, &ev, tacit_cstr(why));
}

/* Half of it for certain and half by chance, so that those who lost the same server do not come
 * back to it all at once. */
static int64_t jittered(const struct link *l, int64_t ms)
{
	uint32_t chance;
	tacit_env_random(host_env(l->host), &chance, sizeof(chance));
	return ms / 2 + (int64_t)(chance % (uint32_t)(ms / 2 + 1));
}

static void on_notice(void *ctx, const struct tacit_notice *n)
{
	struct link *l = ctx;
	if (n->kind == TACIT_NOTICE_DONE || n->kind == TACIT_NOTICE_FAILED)
		return;
	if (l->tell_err == TACIT_OK)
		l->tell_err = runner_tell_notice(l->runner, 0, n);
}

static enum tacit_err go_offline(struct link *l, enum tacit_err why)
{
	int64_t wait = jittered(l, l->retry_ms);
	l->retry_ms = l->retry_ms * 2 > LAST_RETRY_MS ? LAST_RETRY_MS : l->retry_ms * 2;
	l->due = monotonic_ms() + wait;
	return tell_state(l, RUNNER_OFFLINE, why, wait);
}

static enum tacit_err ask(struct link *l)
{
	const struct tacit_command sync = {.kind = TACIT_CMD_SYNC};
	l->tell_err = TACIT_OK;
	enum tacit_err err = host_run(l->host, &sync, on_notice, l);
	if (l->tell_err != TACIT_OK)
		return l->tell_err;
	if (err == TACIT_OK) {
		l->retry_ms = FIRST_RETRY_MS;
		l->due = monotonic_ms() + ASK_MS;
		return tell_state(l, RUNNER_ASKING, TACIT_OK, 0);
	}
	if (err == TACIT_E_CANCELLED || err == TACIT_E_NOMEM ||
	        tacit_err_class(err) == TACIT_CLASS_STORE)
		return err;
	if (err == TACIT_E_NOT_LOGGED_IN) {
		l->ended = true;
		return tell_state(l, RUNNER_OFFLINE, err, 0);
	}
	return go_offline(l, err);
}

enum tacit_err link_turn(struct link *l)
{
	if (l->ended || monotonic_ms() < l->due)
		return TACIT_OK;
	if (!l->told_any) {
		enum tacit_err err = tell_state(l, RUNNER_CONNECTING, TACIT_OK, 0);
		if (err != TACIT_OK)
			return err;
	}
	return ask(l);
}

int link_wait_ms(const struct link *l)
{
	int64_t wait = l->due - monotonic_ms();
	if (l->ended)
		return -1;
	if (wait < 0)
		return 0;
	return wait > INT_MAX ? INT_MAX : (int)wait;
}

int link_fd(const struct link *l)
{
	(void)l;
	return -1;
}

void link_pump(struct link *l)
{
	(void)l;
}

/* A command that found the server means that asking will, too. */
void link_heard(struct link *l, enum tacit_err outcome)
{
	if (l->told_any && l->told == RUNNER_OFFLINE && !l->ended && outcome == TACIT_OK)
		l->due = 0;
}
