/* agent: a plain API on loopback for the user's own programs. */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "cli/commands.h"
#include "cli/json_out.h"

static void on_ready(void *ctx, const struct agent_ready *r)
{
	const struct cli *c = ctx;
	if (c->json) {
		json_t *o = json_out_new("listening");
		json_out_text(o, "url", tacit_cstr(r->url));
		if (r->token_file != NULL)
			json_out_text(o, "token_file", tacit_cstr(r->token_file));
		json_out_print(stdout, o);
		return;
	}
	cli_note(c, "The agent listens on %s", r->url);
	if (r->token_file != NULL)
		cli_note(c, "Programs show the token in %s", r->token_file);
	else
		cli_note(c, "Any program of this machine may use it: --no-token");
	fflush(stdout);
}

static int fail(const struct cli *c, enum tacit_err err, const char *problem)
{
	return problem[0] != '\0' ? cli_fail_text(c, err, problem, NULL) : cli_fail(c, err, NULL);
}

static int install(const struct cli *c, const struct agent_options *o)
{
	char program[PATH_MAX], said[AGENT_PROBLEM_ROOM] = "";
	bool enabled;
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);
	if (n < 0)
		return cli_fail(c, TACIT_E_IO, NULL);
	program[n] = '\0';
	enum tacit_err err = agent_install(o, program, said, &enabled);
	if (err != TACIT_OK)
		return fail(c, err, said);
	if (c->json) {
		json_t *out = json_out_new("installed");
		json_out_text(out, "unit", tacit_cstr(said));
		json_out_bool(out, "enabled", enabled);
		json_out_print(stdout, out);
	}
	cli_note(c, "Wrote %s", said);
	cli_note(c, enabled ? "It runs, and will after each login."
	                    : "systemctl has not taken it; start it with: systemctl --user enable "
	                      "--now tacit-agent");
	return EXIT_DONE;
}

int cmd_agent(struct cli *c, const struct args *a)
{
	char problem[AGENT_PROBLEM_ROOM] = "";
	const struct agent_options o = {
	        .listen = cli_option(a, "listen"),
	        .server = c->server,
	        .ca_file = c->ca_file,
	        .insecure_http = c->insecure_http,
	        .access =
	                cli_option(a, "no-token") != NULL ? AGENT_WITHOUT_TOKEN : AGENT_WITH_TOKEN,
	        .cancel = &cli_cancelled,
	        .ready = on_ready,
	        .ctx = c,
	};
	if (cli_option(a, "install") != NULL)
		return install(c, &o);
	enum tacit_err err = agent_run(&o, problem);
	return err == TACIT_OK ? EXIT_DONE : fail(c, err, problem);
}
