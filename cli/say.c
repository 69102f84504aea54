#include <stdarg.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/json_out.h"

/* The words for an error on this side of the network, where err.def's are too general. */
static const char *hint_for(enum tacit_err err)
{
	switch (err) {
	case TACIT_E_NOT_LOGGED_IN:
		return "Log in again: tacit login";
	case TACIT_E_NETWORK:
		return "Is the server running, and is --server right?";
	case TACIT_E_KEY_CHANGED:
		return "Compare the safety number with tacit verify, then tacit accept-key.";
	case TACIT_E_NO_DEVICE:
		return "They have to log in once with tacit before messages can be sealed for "
		       "them.";
	case TACIT_E_STORE_CORRUPT:
		return "Move the profile's folder away and log in again; the server keeps what "
		       "is not read yet.";
	case TACIT_E_STORE_BUSY:
		return "Another tacit is working on this profile. Try again in a moment.";
	case TACIT_E_LIMIT:
		return "Wait a little, then try again.";
	default:
		return NULL;
	}
}

static void say_json(enum tacit_err err, const char *text, const char *hint)
{
	json_t *o = json_out_new("error");
	json_out_text(o, "code", tacit_cstr(tacit_err_name(err)));
	json_out_text(o, "error", tacit_cstr(text));
	if (hint != NULL)
		json_out_text(o, "hint", tacit_cstr(hint));
	json_out_print(stderr, o);
}

int cli_fail_text(const struct cli *c, enum tacit_err err, const char *text, const char *hint)
{
	if (c->json) {
		say_json(err, text, hint);
		return EXIT_FAILED;
	}
	if (err == TACIT_E_CANCELLED && cli_cancelled) { /* the person knows */
		fprintf(stderr, "tacit: cancelled\n");
	} else {
		fprintf(stderr, "tacit: %serror:%s ", term_style(stderr, TERM_RED),
		        term_style(stderr, TERM_PLAIN));
		term_put_text(stderr, tacit_cstr(text), TERM_ONE_LINE, 0);
		fputc('\n', stderr);
	}
	if (hint != NULL)
		fprintf(stderr, "tacit: hint: %s\n", hint);
	return EXIT_FAILED;
}

int cli_fail(const struct cli *c, enum tacit_err err, const char *hint)
{
	return cli_fail_text(c, err, tacit_err_text(err), hint != NULL ? hint : hint_for(err));
}

int cli_fail_host(const struct cli *c, enum tacit_err err)
{
	const char *problem = c->host != NULL ? host_problem(c->host) : "";
	if (err == TACIT_E_NETWORK && c->host != NULL && http_untrusted(host_http(c->host)))
		return cli_fail_text(c, err, problem,
		        "A certificate authority of your own is trusted with --ca-file FILE.");
	/* Of somebody else the engine says what err.def does. */
	if (err == TACIT_E_NO_DEVICE && problem[0] != '\0' &&
	        strcmp(problem, tacit_err_text(err)) != 0)
		return cli_fail_text(c, err, problem, CLI_HINT_REMOVED);
	return cli_fail_text(
	        c, err, problem[0] != '\0' ? problem : tacit_err_text(err), hint_for(err));
}

void cli_note(const struct cli *c, const char *fmt, ...)
{
	va_list args;
	if (c->quiet || c->json)
		return;
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

void cli_warn(const char *fmt, ...)
{
	va_list args;
	fprintf(stderr, "tacit: %swarning:%s ", term_style(stderr, TERM_RED),
	        term_style(stderr, TERM_PLAIN));
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

int cli_usage_error(const struct command *command, const char *text)
{
	fprintf(stderr, "tacit: %serror:%s ", term_style(stderr, TERM_RED),
	        term_style(stderr, TERM_PLAIN));
	term_put_text(stderr, tacit_cstr(text), TERM_ONE_LINE, 0);
	fputc('\n', stderr);
	if (command != NULL)
		fprintf(stderr, "usage: tacit %s%s%s\n", command->name,
		        command->args[0] != '\0' ? " " : "", command->args);
	else
		fprintf(stderr, "tacit: hint: tacit --help lists the commands.\n");
	return EXIT_USAGE;
}
