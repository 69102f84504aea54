/* whoami, users, devices: who is who, and on which machines. */
#include <string.h>
#include <strings.h>

#include "cli/commands.h"
#include "cli/json_out.h"
#include "cli/show.h"

static void on_whoami(void *ctx, const struct tacit_notice *n)
{
	const struct cli *c = ctx;
	show_loud(c, n);
	if (n->kind != TACIT_NOTICE_USER)
		return;
	const char *server = http_server(host_http(c->host));
	if (c->json) {
		json_t *o = json_out_new("user");
		json_out_text(o, "username", n->username);
		json_out_text(o, "email", n->detail);
		json_out_text(o, "server", tacit_cstr(server));
		json_out_text(o, "profile", tacit_cstr(c->profile));
		json_out_print(stdout, o);
		return;
	}
	term_put_text(stdout, n->username, TERM_ONE_LINE, 0);
	if (n->detail.n > 0) {
		printf(" <");
		term_put_text(stdout, n->detail, TERM_ONE_LINE, 0);
		printf(">");
	}
	printf(" on %s\n", server);
}

int cmd_whoami(struct cli *c, const struct args *a)
{
	(void)a;
	const struct tacit_command whoami = {.kind = TACIT_CMD_WHOAMI};
	int status = cli_open(c, CLI_UNLOCKED);
	return status == EXIT_DONE ? cli_run(c, &whoami, on_whoami, c) : status;
}

static void on_user(void *ctx, const struct tacit_notice *n)
{
	const struct cli *c = ctx;
	show_loud(c, n);
	if (n->kind != TACIT_NOTICE_USER)
		return;
	if (c->json) {
		json_out_notice(stdout, n);
		return;
	}
	term_put_text(stdout, n->username, TERM_ONE_LINE, 0);
	if (n->flag)
		printf("  %s\xe2\x9c\x93 verified%s", term_style(stdout, TERM_GREEN),
		        term_style(stdout, TERM_PLAIN));
	putchar('\n');
}

int cmd_users(struct cli *c, const struct args *a)
{
	const struct tacit_command users = {
	        .kind = TACIT_CMD_USERS, .text = tacit_cstr(a->count > 0 ? a->list[0] : "")};
	int status = cli_open(c, CLI_UNLOCKED);
	return status == EXIT_DONE ? cli_run(c, &users, on_user, c) : status;
}

static void on_device(void *ctx, const struct tacit_notice *n)
{
	const struct cli *c = ctx;
	show_loud(c, n);
	if (n->kind != TACIT_NOTICE_DEVICE)
		return;
	if (c->json) {
		json_out_notice(stdout, n);
		return;
	}
	struct term_time t = term_time(n->time, tacit_env_now(host_env(c->host)));
	term_put_text(stdout, n->text, TERM_ONE_LINE, 0);
	printf("  since %s%s\n", t.text, n->flag ? "  (this one)" : "");
}

int cmd_devices(struct cli *c, const struct args *a)
{
	(void)a;
	const struct tacit_command devices = {.kind = TACIT_CMD_DEVICES};
	int status = cli_open(c, CLI_UNLOCKED);
	return status == EXIT_DONE ? cli_run(c, &devices, on_device, c) : status;
}

struct choice {
	const char *prefix;
	char id[2 * TACIT_DEVICE_ID_BYTES + 1];
	size_t matches;
	bool current;
};

static void match_device(void *ctx, const struct tacit_notice *n)
{
	struct choice *choice = ctx;
	size_t length = strlen(choice->prefix);
	if (n->kind != TACIT_NOTICE_DEVICE || n->text.n < length ||
	        n->text.n >= sizeof(choice->id) ||
	        strncasecmp((const char *)n->text.p, choice->prefix, length) != 0)
		return;
	snprintf(choice->id, sizeof(choice->id), "%.*s", (int)n->text.n, (const char *)n->text.p);
	choice->current = n->flag;
	choice->matches++;
}

int cmd_devices_revoke(struct cli *c, const struct args *a)
{
	struct choice choice = {.prefix = a->list[0]};
	const struct tacit_command devices = {.kind = TACIT_CMD_DEVICES};
	int status = cli_open(c, CLI_UNLOCKED);
	if (status == EXIT_DONE)
		status = cli_run(c, &devices, match_device, &choice);
	if (status != EXIT_DONE)
		return status;
	if (choice.matches != 1)
		return cli_fail_text(c, TACIT_E_NOT_FOUND,
		        choice.matches == 0 ? "No device of yours has that id."
		                            : "More than one device begins like that.",
		        "tacit devices lists them.");
	if (choice.current && cli_option(a, "yes") == NULL)
		return cli_fail_text(c, TACIT_E_CONFLICT, "That is this very device.",
		        "With --yes it is revoked all the same; it reads nothing new then.");
	const struct tacit_command revoke = {
	        .kind = TACIT_CMD_REVOKE_DEVICE, .text = tacit_cstr(choice.id)};
	status = cli_run(c, &revoke, NULL, NULL);
	if (status == EXIT_DONE)
		cli_note(c, "Revoked: its login has ended, and nothing is sealed for it any more.");
	return status;
}
