/* listen: what happens, as it happens, for scripts. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/json_out.h"
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

static void print_notice(const struct cli *c, const struct tacit_notice *n)
{
	bool quiet = n->kind == TACIT_NOTICE_READ || n->kind == TACIT_NOTICE_TYPING ||
	             n->kind == TACIT_NOTICE_PRESENCE;
	if (c->json)
		json_out_notice(stdout, n);
	else if (quiet)
		print_quiet(n);
	else
		show_event(c, n);
}

/* A connection that ended for good ends the listening: *status. */
static bool print_event(const struct cli *c, const struct runner_event *ev, int *status)
{
	if (ev->kind == RUNNER_NOTICE)
		print_notice(c, &ev->notice);
	if (ev->kind != RUNNER_LINK)
		return true;
	if (c->json)
		print_link_json(ev);
	else
		print_link(ev);
	bool ended = ev->link == RUNNER_OFFLINE && ev->seconds == 0;
	if (ended)
		*status = cli_fail(c, ev->err, NULL);
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

static bool drain(const struct cli *c, struct runner *r, int *status)
{
	bool go_on = true;
	struct runner_event *ev;
	while (go_on && (ev = runner_next(r)) != NULL) {
		go_on = print_event(c, ev, status);
		runner_event_free(ev);
	}
	return is_read() && go_on;
}

static int listen_to(const struct cli *c, struct runner *r, bool until_eof)
{
	int status = EXIT_DONE;
	struct pollfd fds[WATCHED] = {
	        [EVENTS] = {.fd = runner_fd(r), .events = POLLIN},
	        [READER] = {.fd = STDOUT_FILENO}, /* POLLERR: a pipe that nobody reads */
	        [INPUT] = {.fd = until_eof ? STDIN_FILENO : -1, .events = POLLIN},
	};
	while (!cli_cancelled) {
		int n = poll(fds, WATCHED, SIGNAL_MS);
		if (n < 0 && errno != EINTR)
			return cli_fail(c, TACIT_E_IO, NULL);
		if (n <= 0)
			continue;
		if ((fds[READER].revents & (POLLERR | POLLHUP)) != 0)
			break;
		if (fds[EVENTS].revents != 0 && !drain(c, r, &status))
			break;
		if (fds[INPUT].revents != 0 && input_ended())
			break;
	}
	return status;
}

int cmd_listen(struct cli *c, const struct args *a)
{
	struct runner *r;
	int status = cli_open(c, CLI_UNLOCKED);
	if (status != EXIT_DONE)
		return status;
	enum tacit_err err = runner_start(c->host, RUNNER_LIVE, &r);
	if (err != TACIT_OK)
		return cli_fail(c, err, NULL);
	c->host_lent = true;
	status = listen_to(c, r, cli_option(a, "until-eof") != NULL);
	runner_stop(r);
	c->host_lent = false;
	is_read();
	return status;
}
