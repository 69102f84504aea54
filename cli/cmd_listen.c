/* listen: what happens, as it happens, for scripts. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cli/commands.h"
#include "cli/json_out.h"
#include "cli/quote.h"
#include "cli/show.h"
#include "client/runner.h"

#define SIGNAL_MS 500 /* a signal between a look at its flag and the wait is noticed after this */

enum { EVENTS, READER, INPUT, WATCHED };

/* --- one event ------------------------------------------------------------------------------- */

static void print_link_json(const struct runner_event *ev)
{
	static const char *const types[] = {
	        [RUNNER_CONNECTING] = "connecting",
	        [RUNNER_ONLINE] = "online",
	        [RUNNER_ASKING] = "online",
	        [RUNNER_OFFLINE] = "offline",
	};
	json_t *o = json_out_new(types[ev->link]);
	if (ev->link == RUNNER_ONLINE || ev->link == RUNNER_ASKING)
		json_out_bool(o, "live", ev->link == RUNNER_ONLINE);
	if (ev->link == RUNNER_OFFLINE) {
		json_out_text(o, "code", tacit_cstr(tacit_err_name(ev->err)));
		if (ev->text.n > 0)
			json_out_text(o, "sentence", ev->text);
		if (ev->seconds > 0)
			json_out_number(o, "retry_in", ev->seconds);
	}
	json_out_print(stdout, o);
}

static void print_link(const struct runner_event *ev)
{
	static const char *const words[] = {
	        [RUNNER_CONNECTING] = "connecting",
	        [RUNNER_ONLINE] = "online",
	        [RUNNER_ASKING] = "online; nothing comes live here, the server is asked",
	        [RUNNER_OFFLINE] = "offline",
	};
	printf("-- %s", words[ev->link]);
	if (ev->link == RUNNER_OFFLINE) {
		fputs(": ", stdout);
		term_put_text(stdout,
		        ev->text.n > 0 ? ev->text : tacit_cstr(tacit_err_text(ev->err)),
		        TERM_ONE_LINE, 0);
	}
	puts(" --");
}

static void print_quiet(const struct tacit_notice *n)
{
	const char *what = n->kind == TACIT_NOTICE_READ     ? "has read"
	                   : n->kind == TACIT_NOTICE_TYPING ? n->flag ? "types" : "types no more"
	                   : n->flag                        ? "is there"
	                                                    : "is away";
	fputs("-- ", stdout);
	term_put_text(stdout, n->username, TERM_ONE_LINE, 0);
	printf(" %s --\n", what);
}

/* --- where ----------------------------------------------------------------------------------- */

struct place {
	uint64_t conversation;
	enum tacit_conversation_kind kind;
	struct tacit_buf title; /* clean */
};

/* As it was told last; of whom nothing was told is not there. */
struct presence {
	struct tacit_buf name;
	bool there, away;
};

struct listener {
	const struct cli *cli;
	struct runner *runner;
	struct place *places;
	size_t count;
	struct presence *presences; /* since the connection was made */
	size_t presence_count;
	uint64_t here;  /* where the last event was */
	uint64_t asked; /* for the list: for the sake of that conversation */
	int status;
};

static void clear_places(struct listener *l)
{
	for (size_t i = 0; i < l->count; i++)
		tacit_buf_clear(&l->places[i].title);
	tacit_free(l->places);
}

static struct place *place_of(struct listener *l, uint64_t conversation)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->places[i].conversation == conversation)
			return &l->places[i];
	return NULL;
}

static void forget_presences(struct listener *l)
{
	for (size_t i = 0; i < l->presence_count; i++)
		tacit_buf_clear(&l->presences[i].name);
	tacit_free(l->presences);
	l->presences = NULL;
	l->presence_count = 0;
}

static struct presence *presence_of(struct listener *l, struct tacit_bytes name)
{
	for (size_t i = 0; i < l->presence_count; i++)
		if (tacit_bytes_eq(tacit_buf_view(&l->presences[i].name), name))
			return &l->presences[i];
	struct presence *grown =
	        tacit_realloc(l->presences, (l->presence_count + 1) * sizeof(*grown));
	if (grown == NULL)
		return NULL;
	l->presences = grown;
	grown[l->presence_count] = (struct presence){0};
	if (tacit_buf_append(&grown[l->presence_count].name, name) != TACIT_OK)
		return NULL;
	return &grown[l->presence_count++];
}

/* The server tells it in each conversation of both. Without memory it is told again. */
static bool is_told_already(struct listener *l, const struct tacit_notice *n)
{
	bool away = tacit_bytes_eq(n->text, TACIT_STR("away"));
	struct presence *p = presence_of(l, n->username);
	if (p == NULL)
		return false;
	bool same = p->there == n->flag && p->away == away;
	p->there = n->flag;
	p->away = away;
	return same;
}

/* Without memory it goes by its number. */
static void learn_place(struct listener *l, const struct tacit_notice *n)
{
	struct place *p = place_of(l, n->conversation);
	if (p == NULL) {
		struct place *grown = tacit_realloc(l->places, (l->count + 1) * sizeof(*grown));
		if (grown == NULL)
			return;
		l->places = grown;
		p = &grown[l->count++];
		*p = (struct place){.conversation = n->conversation};
	}
	p->kind = n->conversation_kind;
	tacit_buf_clear(&p->title);
	if (term_clean(n->title, TERM_ONE_LINE, 0, &p->title) != TACIT_OK)
		tacit_buf_clear(&p->title);
}

/* A person reads events of all conversations in one stream. */
static void print_place(struct listener *l, uint64_t conversation)
{
	uint64_t ticket;
	const struct place *p = place_of(l, conversation);
	if (conversation == 0 || conversation == l->here)
		return;
	l->here = conversation;
	if (p == NULL && l->asked != conversation) {
		l->asked = conversation; /* for the next time */
		tacit_ignore(runner_conversations(l->runner, &ticket), "then the number names it");
	}
	printf("%s", term_style(stdout, TERM_BOLD));
	if (p != NULL && p->title.n > 0)
		printf("%s%.*s", p->kind == TACIT_DIRECT ? "with " : "in ", (int)p->title.n,
		        (const char *)p->title.p);
	else
		printf("in :%" PRIu64, conversation);
	printf("%s\n", term_style(stdout, TERM_PLAIN));
}

/* --- telling --------------------------------------------------------------------------------- */

/* Somebody has taken this account in: nothing may be said there for long, and a session passes. */
static void print_newcomer(const struct listener *l, const struct tacit_notice *n)
{
	const char *kind = n->conversation_kind == TACIT_ROOM      ? "room "
	                   : n->conversation_kind == TACIT_SESSION ? "session that destroys itself"
	                                                           : "group ";
	printf("-- You are in the %s", kind);
	term_put_text(stdout, n->title, TERM_ONE_LINE, 0);
	if (n->conversation_kind == TACIT_SESSION && n->time != 0)
		printf(" at %s", term_time(n->time, tacit_env_now(host_env(l->cli->host))).text);
	printf(": ");
	show_members(n->members);
	printf(" --\n");
}

static void print_notice(struct listener *l, const struct tacit_notice *n, bool of_its_own_accord)
{
	const struct cli *c = l->cli;
	bool quiet = n->kind == TACIT_NOTICE_READ || n->kind == TACIT_NOTICE_TYPING ||
	             n->kind == TACIT_NOTICE_PRESENCE;
	if (n->kind == TACIT_NOTICE_PRESENCE && is_told_already(l, n))
		return;
	if (c->json) {
		json_out_notice(stdout, n);
		return;
	}
	if (n->kind == TACIT_NOTICE_CONVERSATION) {
		bool newcomer = place_of(l, n->conversation) == NULL && of_its_own_accord;
		learn_place(l, n);
		if (newcomer && n->conversation_kind != TACIT_DIRECT)
			print_newcomer(l, n);
	}
	if (quiet || show_is_event(n))
		print_place(l, n->conversation);
	if (quiet)
		print_quiet(n);
	else
		show_event(c, n);
}

/* A connection that ended for good ends the listening. */
static bool print_event(struct listener *l, const struct runner_event *ev)
{
	const struct cli *c = l->cli;
	if (ev->kind == RUNNER_NOTICE)
		print_notice(l, &ev->notice, ev->ticket == 0);
	if (ev->kind != RUNNER_LINK)
		return true;
	forget_presences(l);
	if (c->json)
		print_link_json(ev);
	else
		print_link(ev);
	bool ended = ev->link == RUNNER_OFFLINE && ev->seconds == 0;
	if (ended)
		l->status = cli_fail(c, ev->err, NULL);
	return !ended;
}

/* --- waiting --------------------------------------------------------------------------------- */

/* False: the other end of stdout has gone, and nobody is left to be told. */
static bool is_read(void)
{
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return true;
	clearerr(stdout);
	if (freopen("/dev/null", "w", stdout) == NULL)
		clearerr(stdout);
	return false;
}

static bool input_ended(void)
{
	char dropped[512];
	ssize_t n = read(STDIN_FILENO, dropped, sizeof(dropped));
	return n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
}

static bool drain(struct listener *l)
{
	bool go_on = true;
	struct runner_event *ev;
	while (go_on && (ev = runner_next(l->runner)) != NULL) {
		go_on = print_event(l, ev);
		runner_event_free(ev);
	}
	return is_read() && go_on;
}

static int listen_to(struct listener *l, bool until_eof)
{
	struct pollfd fds[WATCHED] = {
	        [EVENTS] = {.fd = runner_fd(l->runner), .events = POLLIN},
	        [READER] = {.fd = STDOUT_FILENO}, /* POLLERR: a pipe that nobody reads */
	        [INPUT] = {.fd = until_eof ? STDIN_FILENO : -1, .events = POLLIN},
	};
	while (!cli_cancelled) {
		int n = poll(fds, WATCHED, SIGNAL_MS);
		if (n < 0 && errno != EINTR)
			return cli_fail(l->cli, TACIT_E_IO, NULL);
		if (n <= 0)
			continue;
		if ((fds[READER].revents & (POLLERR | POLLHUP)) != 0)
			break;
		if (fds[EVENTS].revents != 0 && !drain(l))
			break;
		if (fds[INPUT].revents != 0 && input_ended())
			break;
	}
	return l->status;
}

int cmd_listen(struct cli *c, const struct args *a)
{
	uint64_t ticket;
	struct listener l = {.cli = c, .status = EXIT_DONE};
	int status = cli_open(c, CLI_UNLOCKED);
	if (status != EXIT_DONE)
		return status;
	enum tacit_err err = runner_start(c->host, RUNNER_LIVE, &l.runner);
	if (err != TACIT_OK)
		return cli_fail(c, err, NULL);
	c->host_lent = true;
	c->quotes = tacit_calloc(1, sizeof(*c->quotes)); /* without memory: fewer quotes */
	if (!c->json)
		tacit_ignore(runner_conversations(l.runner, &ticket), "then numbers name them");
	status = listen_to(&l, cli_option(a, "until-eof") != NULL);
	runner_stop(l.runner);
	clear_places(&l);
	forget_presences(&l);
	c->host_lent = false;
	quotes_free(c->quotes);
	c->quotes = NULL;
	is_read();
	return status;
}
