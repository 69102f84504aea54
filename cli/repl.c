#include <histedit.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/commands.h"
#include "cli/complete.h"
#include "cli/line.h"

#define MAX_WORDS 64

static volatile bool quitting;

int cmd_quit(struct cli *c, const struct args *a)
{
	(void)c, (void)a;
	quitting = true;
	return EXIT_DONE;
}

static void complete(void *ctx, const char *before, size_t *word, struct tacit_buf *candidates)
{
	complete_line(ctx, before, word, candidates);
}

/* Words as a shell would see them: spaces part, quotes and backslashes hold together. */
static void run_line(struct cli *c, const char *text)
{
	int count = 0;
	const char **found = NULL;
	char *words[MAX_WORDS];
	Tokenizer *t = tok_init(NULL);
	if (t == NULL)
		return;
	int rc = tok_str(t, text, &count, &found);
	if (rc != 0 || count > MAX_WORDS) {
		cli_usage_error(NULL, rc != 0 ? "A quote is not closed." : "Too many words.");
	} else if (count > 0) {
		for (int i = 0; i < count; i++)
			words[i] = (char *)found[i];
		cli_dispatch(c, count, words);
	}
	tok_end(t);
}

static void name_prompt(const struct cli *c, char *prompt, size_t size)
{
	struct tacit_bytes name = {0};
	if (c->host != NULL)
		name = tacit_engine_username(host_engine(c->host));
	if (name.n > 0)
		snprintf(prompt, size, "%.*s> ", (int)name.n, (const char *)name.p);
	else
		snprintf(prompt, size, "tacit> ");
}

/* The profile is unlocked once, at the beginning; without an account the prompt comes all the same:
 * register and login are commands like the others. */
static void begin(struct cli *c)
{
	const struct host_options probe = {.profile = c->profile,
	        .server = c->server,
	        .mode = PATHS_FIND,
	        .ca_file = c->ca_file,
	        .insecure_http = c->insecure_http,
	        .cancel = &cli_cancelled};
	enum tacit_err err = host_open(&probe, &c->host);
	if (err == TACIT_OK && !tacit_engine_has_account(host_engine(c->host)))
		err = TACIT_E_NOT_FOUND;
	if (err == TACIT_E_NOT_FOUND) {
		cli_close(c);
		cli_note(c, "Welcome. Type register to make an account, or login to use yours.");
	} else if (err == TACIT_OK) {
		cli_open(c, CLI_UNLOCKED);
	}
	cli_note(c, "Type help for the commands, quit to leave.");
}

int repl_run(struct cli *c)
{
	char prompt[64] = "tacit> ";
	struct line *line = NULL;
	const struct line_options options = {.prompt = prompt, .complete = complete, .ctx = c};
	c->in_repl = true;
	begin(c);
	enum tacit_err err = line_open(&options, &line);
	if (err != TACIT_OK)
		return cli_fail(c, err, NULL);
	while (!quitting) {
		const char *text = NULL;
		cli_cancelled = 0;
		name_prompt(c, prompt, sizeof(prompt));
		err = line_read(line, &text);
		if (err == TACIT_E_CANCELLED && cli_cancelled == SIGINT)
			continue;
		if (err != TACIT_OK)
			break;
		run_line(c, text);
	}
	line_close(line);
	cli_close(c);
	return err == TACIT_OK || err == TACIT_E_TRUNCATED ? EXIT_DONE : EXIT_FAILED;
}
