/* From the options to an engine that can be used: which profile, which server, whose password. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/show.h"

#define PASSWORD_TRIES 3
#define NO_TERMINAL_HINT "Without a terminal, give it by --password-file FILE (- is stdin)."

/* --- secrets --------------------------------------------------------------------------------- */

static int fail_reading(const struct cli *c, enum tacit_err err, const char *what)
{
	char text[160];
	if (err == TACIT_E_CANCELLED)
		return cli_fail(c, err, NULL);
	snprintf(text, sizeof(text), "The %s cannot be read%s.", what,
	        err == TACIT_E_TRUNCATED   ? ": there is none"
	        : err == TACIT_E_TOO_LARGE ? ": it is too long"
	                                   : "");
	return cli_fail_text(c, err, text, NULL);
}

int cli_secret_file(
        const struct cli *c, const char *path, const char *what, struct tacit_secret *out)
{
	struct stat st;
	if (strcmp(path, "-") == 0) {
		enum tacit_err err = term_read_secret_line(STDIN_FILENO, out);
		return err == TACIT_OK ? EXIT_DONE : fail_reading(c, err, what);
	}
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		char text[160];
		snprintf(text, sizeof(text), "The %s file cannot be opened: %s.", what,
		        strerror(errno));
		return cli_fail_text(c, TACIT_E_IO, text, NULL);
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077) != 0)
		cli_warn("others can read the %s file (chmod 600 it).", what);
	enum tacit_err err = term_read_secret_line(fd, out);
	close(fd);
	return err == TACIT_OK ? EXIT_DONE : fail_reading(c, err, what);
}

int cli_password(struct cli *c, const char *prompt, struct tacit_secret *out)
{
	if (c->password_file != NULL)
		return cli_secret_file(c, c->password_file, "password", out);
	enum tacit_err err = term_ask_secret(prompt, out);
	if (err == TACIT_E_UNSUPPORTED)
		return cli_fail_text(
		        c, err, "There is no terminal to ask for the password.", NO_TERMINAL_HINT);
	return err == TACIT_OK ? EXIT_DONE : cli_fail(c, err, NULL);
}

int cli_code(struct cli *c, const char *prompt, struct tacit_secret *out)
{
	if (c->code_file != NULL)
		return cli_secret_file(c, c->code_file, "code", out);
	if (!term_is_tty(stdin))
		return cli_secret_file(c, "-", "code", out);
	struct tacit_buf line = {0};
	enum tacit_err err = term_ask(prompt, &line); /* good once: it may be seen */
	if (err == TACIT_OK)
		err = tacit_secret_copy(out, tacit_buf_view(&line));
	tacit_buf_clear(&line);
	return err == TACIT_OK ? EXIT_DONE : cli_fail(c, err, NULL);
}

/* --- opening --------------------------------------------------------------------------------- */

static int fail_open(const struct cli *c, enum tacit_err err)
{
	const char *problem;
	switch (err) {
	case TACIT_E_NOT_FOUND:
		return cli_fail_text(c, err, "There is no account in this profile yet.",
		        "Make one with tacit register, or use yours with tacit login.");
	case TACIT_E_BAD_NAME:
		problem =
		        c->server != NULL ? http_server_problem(c->server, c->insecure_http) : NULL;
		if (problem != NULL)
			return cli_fail_text(c, err, problem,
			        "Behind --insecure-http it is allowed all the same: contents stay "
			        "sealed, but who talks to whom, and the login, do not.");
		return cli_fail_text(c, err, "That is not a profile's name.",
		        "Letters, digits, '.', '_' and '-', not beginning with a dot.");
	case TACIT_E_UNSUPPORTED:
		return cli_fail_text(c, err,
		        "The profile was made by another version of tacit, which this one cannot "
		        "read.",
		        "Log in with a new one: tacit --profile NAME login.");
	case TACIT_E_IO:
		return cli_fail_text(c, err,
		        "The profile's folder cannot be used: it must be writable and yours.",
		        NULL);
	default:
		return cli_fail(c, err, NULL);
	}
}

static int open_host(struct cli *c, enum cli_need need)
{
	const struct host_options o = {
	        .profile = c->profile,
	        .server = c->server,
	        .ca_file = c->ca_file,
	        .insecure_http = c->insecure_http,
	        .mode = need == CLI_ANY ? PATHS_CREATE : PATHS_FIND,
	        .cancel = &cli_cancelled,
	};
	enum tacit_err err = host_open(&o, &c->host);
	return err == TACIT_OK ? EXIT_DONE : fail_open(c, err);
}

int cli_unlock_with(struct cli *c, struct tacit_bytes password)
{
	enum tacit_err err = host_unlock(c->host, password);
	if (err != TACIT_OK)
		return cli_fail(c, err, NULL);
	tacit_ignore(host_keep_unlocked(c->host), "no keyring here: the next command asks again");
	return EXIT_DONE;
}

/* A mistyped password is asked for again; a file has one try. */
static int ask_and_unlock(struct cli *c)
{
	char prompt[80];
	struct tacit_bytes name = tacit_engine_username(host_engine(c->host));
	snprintf(prompt, sizeof(prompt), "Password of %.*s: ", (int)name.n, (const char *)name.p);
	for (int tries = 1;; tries++) {
		struct tacit_secret password = {0};
		int status = cli_password(c, prompt, &password);
		if (status != EXIT_DONE)
			return status;
		enum tacit_err err = host_unlock(c->host, tacit_secret_view(&password));
		tacit_secret_free(&password);
		if (err == TACIT_OK)
			break;
		if (err != TACIT_E_BAD_PASSWORD || c->password_file != NULL ||
		        tries == PASSWORD_TRIES)
			return cli_fail(c, err, NULL);
		fprintf(stderr, "%s\n", tacit_err_text(err));
	}
	tacit_ignore(host_keep_unlocked(c->host), "no keyring here: the next command asks again");
	return EXIT_DONE;
}

static int unlock(struct cli *c)
{
	enum tacit_err err = host_unlock_kept(c->host);
	if (err == TACIT_OK)
		return EXIT_DONE;
	return err == TACIT_E_NOT_FOUND ? ask_and_unlock(c) : cli_fail(c, err, NULL);
}

int cli_open(struct cli *c, enum cli_need need)
{
	int status = EXIT_DONE;
	if (c->host == NULL)
		status = open_host(c, need);
	if (status != EXIT_DONE || need == CLI_ANY)
		return status;
	if (!tacit_engine_has_account(host_engine(c->host)))
		return fail_open(c, TACIT_E_NOT_FOUND);
	if (need == CLI_UNLOCKED && tacit_engine_locked(host_engine(c->host)))
		return unlock(c);
	return EXIT_DONE;
}

void cli_close(struct cli *c)
{
	host_close(c->host);
	c->host = NULL;
}

/* --- running --------------------------------------------------------------------------------- */

struct teller {
	const struct cli *cli;
	host_deliver *deliver;
	void *ctx;
};

/* Who listens says what is loud in their own place; with nobody listening it is said here. */
static void tell(void *ctx, const struct tacit_notice *n)
{
	const struct teller *t = ctx;
	if (t->deliver != NULL)
		t->deliver(t->ctx, n);
	else
		show_loud(t->cli, n);
}

int cli_run(struct cli *c, const struct tacit_command *command, host_deliver *deliver, void *ctx)
{
	struct teller t = {c, deliver, ctx};
	enum tacit_err err = host_run(c->host, command, tell, &t);
	return err == TACIT_OK ? EXIT_DONE : cli_fail_host(c, err);
}

int cli_sync(struct cli *c)
{
	const struct tacit_command sync = {.kind = TACIT_CMD_SYNC};
	return cli_run(c, &sync, NULL, NULL);
}
