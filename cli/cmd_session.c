/* session create|list|close, expire: what ends by itself. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/commands.h"
#include "cli/duration.h"
#include "cli/json_out.h"
#include "cli/show.h"

#define DEFAULT_TTL "1h"

static int refuse_duration(const struct cli *c)
{
	return cli_fail_text(c, TACIT_E_USAGE, "That is not a time.",
	        "A number with s, m, h or d, as 30m or 7d; ten years at most.");
}

/* --- sessions -------------------------------------------------------------------------------- */

static void show_session(const struct cli *c, const struct tacit_notice *n)
{
	if (n->conversation_kind != TACIT_SESSION)
		return;
	if (c->json) {
		json_out_notice(stdout, n);
		return;
	}
	struct term_time end = term_time(n->time, tacit_env_now(host_env(c->host)));
	printf(":%" PRIu64 "  until %s  ", n->conversation, n->time != 0 ? end.text : "closed");
	show_members(n->members);
	putchar('\n');
}

static void on_session(void *ctx, const struct tacit_notice *n)
{
	const struct cli *c = ctx;
	show_loud(c, n);
	if (n->kind == TACIT_NOTICE_CONVERSATION)
		show_session(c, n);
}

int cmd_session_create(struct cli *c, const struct args *a)
{
	const char *ttl = cli_option(a, "ttl");
	struct tacit_command create = {.kind = TACIT_CMD_CREATE_SESSION};
	if (!duration_read(ttl != NULL ? ttl : DEFAULT_TTL, &create.seconds))
		return refuse_duration(c);
	int status = cli_open(c, CLI_UNLOCKED);
	if (status != EXIT_DONE)
		return status;
	struct tacit_bytes *users = tacit_calloc((size_t)a->count, sizeof(*users));
	if (users == NULL)
		return cli_fail(c, TACIT_E_NOMEM, NULL);
	for (int i = 0; i < a->count; i++)
		users[i] = tacit_cstr(a->list[i]);
	create.users = users;
	create.user_count = (size_t)a->count;
	status = cli_run(c, &create, on_session, c);
	tacit_free(users);
	return status;
}

int cmd_session_list(struct cli *c, const struct args *a)
{
	const struct tacit_command refresh = {.kind = TACIT_CMD_CONVERSATIONS};
	int status = cli_open(c, CLI_UNLOCKED);
	(void)a;
	return status == EXIT_DONE ? cli_run(c, &refresh, on_session, c) : status;
}

static void on_end(void *ctx, const struct tacit_notice *n)
{
	const struct cli *c = ctx;
	if (n->kind != TACIT_NOTICE_CLOSED && n->kind != TACIT_NOTICE_EXPIRY)
		show_loud(c, n);
	else if (c->json || !c->quiet)
		show_event(c, n);
}

int cmd_session_close(struct cli *c, const struct args *a)
{
	struct tacit_command close = {.kind = TACIT_CMD_CLOSE_SESSION};
	int status = cli_open(c, CLI_UNLOCKED);
	if (status != EXIT_DONE)
		return status;
	close.conversation = cli_group(c, a->list[0]);
	return close.conversation != 0 ? cli_run(c, &close, on_end, c) : EXIT_FAILED;
}

/* --- expire ---------------------------------------------------------------------------------- */

int cmd_expire(struct cli *c, const struct args *a)
{
	struct tacit_command set = {.kind = TACIT_CMD_SET_EXPIRY};
	if (strcmp(a->list[1], "off") != 0 && !duration_read(a->list[1], &set.seconds))
		return refuse_duration(c);
	int status = cli_open(c, CLI_UNLOCKED);
	if (status != EXIT_DONE)
		return status;
	set.conversation = cli_conversation(c, a->list[0]);
	return set.conversation != 0 ? cli_run(c, &set, on_end, c) : EXIT_FAILED;
}
