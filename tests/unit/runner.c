/* A host in its own thread: nothing that it waits for keeps the screen. */
#include "client/runner.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/localstore.h"
#include "crypto/secret.h"
#include "support/tap.h"

#define PATIENCE_MS 60000

static char folder[64], server[64];
static int silent = -1; /* takes connections, and never says a word */
static struct host *host;
static struct runner *runner;

static void begin(enum runner_mode mode)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(at);
	snprintf(folder, sizeof(folder), "/tmp/tacit-runner-XXXXXX");
	TACIT_ASSERT(mkdtemp(folder) != NULL);
	TACIT_ASSERT(setenv("XDG_DATA_HOME", folder, 1) == 0);
	silent = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	TACIT_ASSERT(bind(silent, (struct sockaddr *)&at, n) == 0 && listen(silent, 8) == 0);
	TACIT_ASSERT(getsockname(silent, (struct sockaddr *)&at, &n) == 0);
	snprintf(server, sizeof(server), "http://127.0.0.1:%u", ntohs(at.sin_port));
	const struct host_options o = {
	        .profile = "default", .server = server, .mode = PATHS_CREATE};
	CHECK_OK(host_open(&o, &host));
	CHECK_OK(runner_start(host, mode, &runner));
}

static void end(void)
{
	char command[100];
	runner_stop(runner);
	host_close(host);
	close(silent);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	CHECK_INT(system(command), 0);
}

static struct runner_event *next(void)
{
	struct pollfd fd = {.fd = runner_fd(runner), .events = POLLIN};
	struct runner_event *ev = runner_next(runner);
	if (ev == NULL && poll(&fd, 1, PATIENCE_MS) == 1)
		ev = runner_next(runner);
	TACIT_ASSERT(ev != NULL);
	return ev;
}

/* How the ticket ended; what comes before is counted. */
static enum tacit_err wait_end(uint64_t ticket, size_t *others)
{
	size_t count = 0;
	for (;;) {
		struct runner_event *ev = next();
		bool ended = ev->kind == RUNNER_ENDED && ev->ticket == ticket;
		enum tacit_err err = ev->err;
		count += !ended;
		runner_event_free(ev);
		if (!ended)
			continue;
		if (others != NULL)
			*others = count;
		return err;
	}
}

static enum tacit_err add_one(struct runner *r, struct host *h, void *ctx)
{
	int *n = ctx;
	(void)h;
	++*n;
	return runner_tell(r, &(struct tacit_notice){.kind = TACIT_NOTICE_WARNING,
	                              .text = TACIT_STR("told"),
	                              .count = (uint64_t)*n});
}

static void everything_in_order(void)
{
	uint64_t tickets[20], ended = 0;
	int n = 0;
	begin(RUNNER_QUIET);
	CHECK(runner_next(runner) == NULL);
	for (size_t i = 0; i < TACIT_COUNT(tickets); i++)
		CHECK_OK(runner_job(runner, add_one, &n, &tickets[i]));
	while (ended < TACIT_COUNT(tickets)) {
		struct runner_event *ev = next();
		CHECK_INT(ev->ticket, tickets[ended]);
		if (ev->kind == RUNNER_NOTICE) {
			CHECK_INT(ev->notice.count, ended + 1);
			CHECK_BYTES(ev->notice.text, TACIT_STR("told"));
		} else {
			CHECK_OK(ev->err);
			ended++;
		}
		runner_event_free(ev);
	}
	uint64_t ticket;
	CHECK_OK(runner_post(runner, &(struct tacit_command){.kind = TACIT_CMD_SYNC}, &ticket));
	CHECK_ERR(wait_end(ticket, NULL), TACIT_E_NOT_LOGGED_IN);
	CHECK_ERR(runner_post(runner,
	                  &(struct tacit_command){
	                          .kind = TACIT_CMD_LOGIN, .password = TACIT_STR("x")},
	                  &ticket),
	        TACIT_E_USAGE);
	size_t others;
	CHECK_OK(runner_conversations(runner, &ticket));
	CHECK_OK(wait_end(ticket, &others));
	CHECK_OK(runner_history(runner, (struct host_span){1, UINT64_MAX, 50}, &ticket));
	CHECK_OK(wait_end(ticket, &others));
	CHECK_INT(others, 0);
	end();
}

static enum tacit_err tell_many(struct runner *r, struct host *h, void *ctx)
{
	enum tacit_err err = TACIT_OK;
	(void)h;
	for (size_t i = 0; i < *(size_t *)ctx && err == TACIT_OK; i++)
		err = runner_tell(r, &(struct tacit_notice){.count = i});
	return err;
}

/* A full queue makes the runner wait, and loses nothing; stopping ends the waiting. */
static void a_slow_screen(void)
{
	size_t many = 2 * RUNNER_MAX_EVENTS + 7, others;
	uint64_t ticket;
	begin(RUNNER_QUIET);
	CHECK_OK(runner_job(runner, tell_many, &many, &ticket));
	CHECK_OK(wait_end(ticket, &others));
	CHECK_INT(others, many);
	CHECK_OK(runner_job(runner, tell_many, &many, &ticket));
	end();
}

/* A registration at a server that never answers: the longest wait there is. */
static enum tacit_err hang(struct runner *r, struct host *h, void *ctx)
{
	const struct tacit_command c = {
	        .kind = TACIT_CMD_REGISTER,
	        .username = TACIT_STR("alice"),
	        .email = TACIT_STR("alice@example.org"),
	        .password = TACIT_STR("correct horse 1!"),
	};
	(void)r, (void)ctx;
	return host_run(h, &c, NULL, NULL);
}

static int accept_one(void)
{
	struct pollfd fd = {.fd = silent, .events = POLLIN};
	CHECK_INT(poll(&fd, 1, PATIENCE_MS), 1);
	return accept(silent, NULL, NULL);
}

static void a_hanging_server_is_left(void)
{
	uint64_t first, second, third;
	int n = 0;
	begin(RUNNER_QUIET);
	CHECK_OK(runner_job(runner, hang, NULL, &first));
	CHECK_OK(runner_job(runner, add_one, &n, &second));
	CHECK_OK(runner_job(runner, add_one, &n, &third));
	int peer = accept_one();
	runner_cancel(runner, second); /* waits still */
	CHECK_ERR(wait_end(second, NULL), TACIT_E_CANCELLED);
	CHECK_INT(n, 0);
	runner_cancel(runner, first); /* is under way */
	CHECK_ERR(wait_end(first, NULL), TACIT_E_CANCELLED);
	CHECK_OK(wait_end(third, NULL));
	CHECK_INT(n, 1);
	runner_cancel(runner, first); /* has ended: nothing happens */
	runner_cancel(runner, 12345);
	close(peer);
	CHECK_OK(runner_job(runner, hang, NULL, &first));
	peer = accept_one();
	end(); /* in the middle of it */
	close(peer);
}

struct slow {
	atomic_bool go;
	struct host *where;
};

static enum tacit_err wait_to_go(struct runner *r, struct host *h, void *ctx)
{
	struct slow *s = ctx;
	s->where = h;
	while (!atomic_load(&s->go)) {
		if (runner_cancelled(r))
			return TACIT_E_CANCELLED;
		poll(NULL, 0, 1);
	}
	return add_one(r, h, &(int){0});
}

static void what_is_slow_goes_aside(void)
{
	struct slow first = {0}, second = {0}, third = {0};
	uint64_t a, b, c, quick;
	int n = 0;
	size_t others;
	begin(RUNNER_QUIET);
	CHECK_OK(runner_side_job(runner, wait_to_go, &first, &a));
	CHECK_OK(runner_side_job(runner, wait_to_go, &second, &b));
	CHECK_OK(runner_side_job(runner, wait_to_go, &third, &c));
	CHECK_OK(runner_job(runner, add_one, &n, &quick)); /* does not wait for them */
	CHECK_OK(wait_end(quick, NULL));
	CHECK_INT(n, 1);
	runner_cancel(runner, c);
	CHECK_ERR(wait_end(c, NULL), TACIT_E_CANCELLED);
	atomic_store(&first.go, true);
	CHECK_OK(wait_end(a, &others));
	CHECK_INT(others, 1); /* what it told came through the one queue */
	CHECK(first.where != NULL && first.where != host);
	runner_cancel(runner, b);
	CHECK_ERR(wait_end(b, NULL), TACIT_E_CANCELLED);
	CHECK(third.where == NULL);
	CHECK_OK(runner_side_job(runner, wait_to_go, &second, &b));
	CHECK_OK(runner_job(runner, add_one, &n, &quick));
	CHECK_OK(wait_end(quick, NULL));
	end(); /* in the middle of it */
}

static void what_is_here_does_not_wait(void)
{
	uint64_t slow, page, list;
	begin(RUNNER_QUIET);
	CHECK_OK(runner_job(runner, hang, NULL, &slow));
	int peer = accept_one();
	CHECK_OK(runner_history(runner, (struct host_span){1, UINT64_MAX, 50}, &page));
	CHECK_OK(wait_end(page, NULL));
	CHECK_OK(runner_conversations(runner, &list));
	CHECK_OK(wait_end(list, NULL));
	runner_cancel(runner, slow); /* it is still the one under way */
	CHECK_ERR(wait_end(slow, NULL), TACIT_E_CANCELLED);
	close(peer);
	end();
}

static void anothers_turn_is_waited_for(void)
{
	struct localstore *other;
	char path[160];
	uint64_t ticket;
	begin(RUNNER_QUIET);
	snprintf(path, sizeof(path), "%s/tacit/profiles/default", folder);
	CHECK_OK(localstore_open(path, &other));
	CHECK_OK(localstore_lock(other));
	const struct tacit_command sync = {.kind = TACIT_CMD_SYNC};
	CHECK_OK(runner_post(runner, &sync, &ticket));
	runner_cancel(runner, ticket);
	CHECK_ERR(wait_end(ticket, NULL), TACIT_E_CANCELLED);
	CHECK_OK(runner_post(runner, &sync, &ticket));
	localstore_unlock(other);
	CHECK_ERR(wait_end(ticket, NULL), TACIT_E_NOT_LOGGED_IN);
	localstore_close(other);
	end();
}

static void too_much_is_refused(void)
{
	uint64_t first, ticket;
	int n = 0, posted = 0;
	begin(RUNNER_QUIET);
	CHECK_OK(runner_job(runner, hang, NULL, &first));
	int peer = accept_one();
	enum tacit_err err;
	while ((err = runner_job(runner, add_one, &n, &ticket)) == TACIT_OK)
		posted++;
	CHECK_ERR(err, TACIT_E_LIMIT);
	CHECK_INT(posted, RUNNER_MAX_POSTED);
	CHECK_INT(ticket, 0);
	end();
	CHECK_INT(n, 0);
	close(peer);
}

static void without_a_login_nothing_is_tried(void)
{
	begin(RUNNER_LIVE);
	for (;;) {
		struct runner_event *ev = next();
		bool off = ev->kind == RUNNER_LINK && ev->link == RUNNER_OFFLINE;
		if (off) {
			CHECK_ERR(ev->err, TACIT_E_NOT_LOGGED_IN);
			CHECK_INT(ev->seconds, 0);
		}
		runner_event_free(ev);
		if (off)
			break;
	}
	end();
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"everything in order", everything_in_order},
	        {"a slow screen", a_slow_screen},
	        {"a hanging server is left", a_hanging_server_is_left},
	        {"what is slow goes aside", what_is_slow_goes_aside},
	        {"what is here does not wait", what_is_here_does_not_wait},
	        {"another's turn is waited for", anothers_turn_is_waited_for},
	        {"too much is refused", too_much_is_refused},
	        {"without a login nothing is tried", without_a_login_nothing_is_tried},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
