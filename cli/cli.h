/* cli.h - what the commands share: the options of this run, the host, and how a command looks. */
#ifndef TACIT_CLI_CLI_H
#define TACIT_CLI_CLI_H

#include <signal.h>

#include "cli/term.h"
#include "client/host.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct cli {
	const char *profile, *server, *ca_file;
	const char *password_file, *code_file; /* "-": standard input */
	bool json, quiet, insecure_http;
	bool in_repl;
	bool ids;              /* messages are shown with their numbers */
	struct quotes *quotes; /* what was shown, for what is said about it; may be NULL */
	bool host_lent;        /* to a runner: its engine may not be asked */
	struct host *host;     /* opened when first needed, kept in the REPL */
};

/* Set by SIGINT, SIGTERM and SIGHUP; the REPL clears it for each line. */
extern volatile sig_atomic_t cli_cancelled;

/* --- commands -------------------------------------------------------------------------------- */

struct option {
	const char *name;  /* long, without dashes */
	char letter;       /* 0: none */
	const char *value; /* what --help calls it; NULL: a switch */
	const char *help;
};

/* What the command line said. A switch that was given has the value "". */
#define CLI_MAX_OPTIONS 20 /* of one command */

struct args {
	const struct option *options;
	const char *value[CLI_MAX_OPTIONS]; /* of options, in their order; NULL: not given */
	int count;                          /* positional */
	char **list;
};

struct command {
	const char *name; /* one word, or two: "group create" */
	const char *args; /* for usage: "USER [TEXT]" */
	const char *summary;
	const char *detail;           /* paragraphs of --help; may be NULL */
	const struct option *options; /* ends with a NULL name; NULL: none */
	int min, max;                 /* positional arguments; max -1: any number */
	int (*run)(struct cli *c, const struct args *a);
	const char *completes; /* per argument: u user, g group, n either, f file, k code */
};

extern const struct command cli_commands[];
extern const size_t cli_command_count;
extern const struct option cli_global_options[];

/* The command that the words begin with and how many words name it; NULL: none. */
const struct command *cli_find_command(int count, char **words, int *used);
/* Runs words as a command; the exit status. */
int cli_dispatch(struct cli *c, int count, char **words);
/* The value of a command's own option, or NULL. */
const char *cli_option(const struct args *a, const char *name);

void cli_print_usage(FILE *to);
void cli_print_help(const struct command *command);
void cli_print_commands(void);

/* --- saying ---------------------------------------------------------------------------------- */

/* "tacit: error: ...", on stderr; with --json an object. hint may be NULL. Returns EXIT_FAILED. */
int cli_fail(const struct cli *c, enum tacit_err err, const char *hint);
/* The same in words of our own. detail is from outside: sanitised, appended; may be NULL. */
int cli_fail_text(const struct cli *c, enum tacit_err err, const char *text, const char *hint);
#define CLI_HINT_REMOVED "To go on here, log in as a new device: tacit --profile NAME login"
/* The last host call failed with err: its words, and a hint that fits. Returns EXIT_FAILED. */
int cli_fail_host(const struct cli *c, enum tacit_err err);
TACIT_PRINTF(2, 3)
void cli_note(const struct cli *c, const char *fmt, ...); /* not with --quiet or --json */
TACIT_PRINTF(1, 2) void cli_warn(const char *fmt, ...);
/* "tacit: error: TEXT", usage, and EXIT_USAGE. */
int cli_usage_error(const struct command *command, const char *text);

/* --- session.c: from options to an engine ------------------------------------------------------
 */

enum cli_need {
	CLI_ANY,      /* a host, with or without account; made when missing */
	CLI_ACCOUNT,  /* an account, perhaps locked */
	CLI_UNLOCKED, /* and its keys */
};
/* Opens the host as far as needed; asks for the password when the kernel does not keep the secret.
 * What fails was told. Returns EXIT_DONE or the exit status. */
int cli_open(struct cli *c, enum cli_need need);
void cli_close(struct cli *c);
/* A secret from the first line of a file ("-": standard input). Others being able to read it is
 * worth a word. `what` names it when it fails, which is told. */
int cli_secret_file(
        const struct cli *c, const char *path, const char *what, struct tacit_secret *out);
/* A password by --password-file or the terminal. Told when it fails. */
int cli_password(struct cli *c, const char *prompt, struct tacit_secret *out);
/* A TOTP or recovery code, likewise; by a line of standard input when there is no terminal. */
int cli_code(struct cli *c, const char *prompt, struct tacit_secret *out);
/* Unlocks with this password, telling when it fails. */
int cli_unlock_with(struct cli *c, struct tacit_bytes password);

/* host_run; told when it fails. */
int cli_run(struct cli *c, const struct tacit_command *command, host_deliver *deliver, void *ctx);
/* --- names.c -----------------------------------------------------------------------------------
 */

/* The conversation that NAME means: ":ID", a user (their direct chat is made when needed), or a
 * group. A group never stands in a user's way: when it could be either, the person is asked to say
 * so. 0 and told when there is none. */
uint64_t cli_conversation(struct cli *c, const char *name);
/* A group by name or ":ID". 0 and told when there is none or more than one. */
uint64_t cli_group(struct cli *c, const char *name);

/* The one in which something was said last. 0 and told when there is none. */
uint64_t cli_newest_conversation(struct cli *c);

/* What it is called, clean, as far as it fits; empty when that is not known. */
void cli_title(struct cli *c, uint64_t conversation, char *out, size_t size);

/* Everything new is fetched; warnings are shown, messages are not. */
int cli_sync(struct cli *c);

#endif
