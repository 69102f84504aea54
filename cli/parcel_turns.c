#define _GNU_SOURCE /* pipe2 */
#include "cli/parcel_turns.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/random.h"
#include "crypto/secret.h"

#define MET '!'

struct turns {
	struct parcel_turn turn;
	struct tacit_parcel_code code;
	unsigned begun, failed;
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

static bool begin(struct turns *t, parcel_turn_run *run, void *ctx)
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) != 0)
		return false;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		close(fds[0]);
		int status = run(ctx, &t->turn, fds[1]);
		fflush(NULL);
		_exit(status);
	}
	close(fds[1]);
	bool met = pid > 0 && hear(fds[0], t);
	close(fds[0]);
	t->begun += pid > 0;
	return met;
}

int parcel_turns(unsigned count, parcel_turn_run *run, void *ctx)
{
	struct turns t = {.turn = {.again = NULL}};
	int status;
	struct tacit_env env = tacit_system_env();
	tacit_env_random(&env, t.turn.ticket, sizeof(t.turn.ticket));
	while ((count == 0 || t.begun < count) && cli_cancelled == 0 && begin(&t, run, ctx))
		while (waitpid(-1, &status, WNOHANG) > 0)
			count_end(&t, status);
	for (;;) {
		pid_t pid = waitpid(-1, &status, 0);
		if (pid > 0)
			count_end(&t, status);
		else if (errno != EINTR)
			break;
	}
	tacit_wipe(&t, sizeof(t.turn) + sizeof(t.code));
	return t.failed == 0 ? EXIT_DONE : EXIT_FAILED;
}
