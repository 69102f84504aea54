#define _GNU_SOURCE /* pipe2 */
#include "cli/parcel_turns.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/json_out.h"
#include "crypto/random.h"
#include "crypto/secret.h"

#define MET '!'

struct turns {
	const struct parcel_crowd *crowd;
	struct parcel_turn turn;
	struct tacit_parcel_code code;
	/* By number, of an earlier process; beyond these nothing is remembered. */
	enum parcel_turn_state states[PARCEL_TURNS_MOST];
	unsigned done, begun, failed; /* done: by an earlier process */
};

static void tell(int fd, const char *text, size_t n)
{
	while (n > 0) {
		ssize_t put = write(fd, text, n);
		if (put < 0 && errno != EINTR)
			return; /* nobody lets others in any more */
		text += put > 0 ? put : 0;
		n -= put > 0 ? (size_t)put : 0;
	}
}

void parcel_turns_tell_code(int fd, const char *code)
{
	tell(fd, code, strlen(code));
	tell(fd, "\n", 1);
}

void parcel_turns_tell_met(int fd)
{
	const char met = MET;
	tell(fd, &met, 1);
}

/* A line with the code, then MET. False: it ended before. */
static bool hear(int fd, struct turns *t)
{
	char text[TACIT_PARCEL_CODE_ROOM], c;
	size_t n = 0;
	bool met = false;
	for (;;) {
		ssize_t got = read(fd, &c, 1);
		if (got < 0 && errno == EINTR && cli_cancelled == 0)
			continue;
		if (got <= 0 || c == MET) {
			met = got == 1;
			break;
		}
		if (c != '\n' && n < sizeof(text))
			text[n++] = c;
	}
	if (met && t->turn.again == NULL) {
		met = tacit_parcel_code_parse(tacit_bytes((const uint8_t *)text, n), &t->code) ==
		      TACIT_OK;
		t->turn.again = &t->code;
	}
	tacit_wipe(text, sizeof(text));
	return met;
}

static void count_end(struct turns *t, int status)
{
	t->failed += !WIFEXITED(status) || WEXITSTATUS(status) != EXIT_DONE;
}

/* A process of its own, which does not outlive this one: its receiver waits for the next. *fd:
 * where it tells. */
static pid_t start(struct turns *t, int *fd)
{
	int fds[2];
	pid_t parent = getpid();
	if (pipe2(fds, O_CLOEXEC) != 0)
		return -1;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		close(fds[0]);
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
			_exit(EXIT_FAILED);
		int status = t->crowd->run(t->crowd->ctx, &t->turn, fds[1]);
		fflush(NULL);
		_exit(status);
	}
	close(fds[1]);
	*fd = fds[0];
	t->begun += pid > 0;
	return pid;
}

static bool begin(struct turns *t)
{
	int fd = -1;
	bool met = start(t, &fd) > 0 && hear(fd, t);
	if (fd >= 0)
		close(fd);
	return met;
}

/* What the client's calls about one receiver take. */
static struct parcel_options options_of(const struct turns *t)
{
	struct parcel_options o = *t->crowd->options;
	o.turn = &t->turn;
	return o;
}

static enum parcel_turn_state look(struct turns *t, unsigned number)
{
	t->turn.number = number;
	const struct parcel_options o = options_of(t);
	return t->crowd->memory == PARCEL_RESUMABLE ? parcel_turn_look(&o, t->crowd->source)
	                                            : PARCEL_TURN_NEW;
}

static void forget(struct turns *t, unsigned number)
{
	t->turn.number = number;
	const struct parcel_options o = options_of(t);
	if (t->crowd->memory == PARCEL_RESUMABLE)
		parcel_turn_forget(&o, t->crowd->source);
}

static void tell_resuming(const struct turns *t, unsigned begun)
{
	const struct parcel_crowd *c = t->crowd;
	if (c->cli->json) {
		json_t *o = json_out_new("receivers");
		json_out_number(o, "done", t->done);
		json_out_number(o, "begun", begun);
		json_out_print(c->out, o);
	} else if (!c->cli->quiet) {
		fprintf(stderr, "From before, %u %s all of it and %u a part; --new begins anew.\n",
		        t->done, t->done == 1 ? "has" : "have", begun);
	}
}

static void go_on(struct turns *t, unsigned most)
{
	unsigned begun = 0;
	for (unsigned i = 0; i < most; i++) {
		t->states[i] = look(t, i);
		t->done += t->states[i] == PARCEL_TURN_DONE;
		begun += t->states[i] == PARCEL_TURN_BEGUN;
	}
	if (t->done + begun > 0)
		tell_resuming(t, begun);
	for (unsigned i = 0; i < most; i++) {
		int fd = -1;
		t->turn.number = i;
		if (t->states[i] == PARCEL_TURN_BEGUN && start(t, &fd) > 0)
			close(fd); /* nobody is let in by it */
	}
}

/* The next that nobody has. */
static unsigned next_number(const struct turns *t, unsigned from)
{
	while (from < PARCEL_TURNS_MOST && t->states[from] != PARCEL_TURN_NEW)
		from++;
	return from;
}

static void let_in(struct turns *t, unsigned count)
{
	int status;
	unsigned number = next_number(t, 0);
	while ((count == 0 || t->done + t->begun < count) && cli_cancelled == 0) {
		t->turn.number = number;
		if (!begin(t))
			break;
		number = next_number(t, number + 1);
		while (waitpid(-1, &status, WNOHANG) > 0)
			count_end(t, status);
	}
}

static void wait_for_all(struct turns *t)
{
	int status;
	for (;;) {
		pid_t pid = waitpid(-1, &status, 0);
		if (pid > 0)
			count_end(t, status);
		else if (errno != EINTR)
			break;
	}
}

int parcel_turns(unsigned count, const struct parcel_crowd *crowd)
{
	struct turns t = {.crowd = crowd, .turn = {.counted = count > 0}};
	struct tacit_env env = tacit_system_env();
	tacit_env_random(&env, t.turn.ticket, sizeof(t.turn.ticket));
	go_on(&t, count > 0 ? count : PARCEL_TURNS_MOST);
	let_in(&t, count);
	wait_for_all(&t);
	for (unsigned i = 0; t.failed == 0 && t.done + t.begun == count && i < count; i++)
		forget(&t, i);
	int end = t.failed == 0 ? EXIT_DONE : EXIT_FAILED;
	tacit_wipe(&t, sizeof(t));
	return end;
}
