/* group and room: rooms are groups whose name the server knows. */
#include <inttypes.h>

#include "base/alloc.h"
#include "cli/commands.h"
#include "cli/json_out.h"
#include "cli/show.h"

/* ":12  Climbing  alice, bob, carol" */
static void show_group(const struct cli *c, const struct tacit_notice *n)
{
	if (c->json) {
		json_out_notice(stdout, n);
		return;
	}
	printf("%s:%" PRIu64 "%s  %s", term_style(stdout, TERM_DIM), n->conversation,
	        term_style(stdout, TERM_PLAIN), term_style(stdout, TERM_BOLD));
	term_put_text(stdout, n->title, TERM_ONE_LINE, 0);
	printf("%s  ", term_style(stdout, TERM_PLAIN));
	show_members(n->members);
	if (n->count > 0)
		printf("  %s%" PRIu64 " unread%s", term_style(stdout, TERM_CYAN), n->count,
		        term_style(stdout, TERM_PLAIN));
	putchar('\n');
}

static void on_group(void *ctx, const struct tacit_notice *n)
{
	const struct cli *c = ctx;
	show_loud(c, n);
	if (n->kind == TACIT_NOTICE_CONVERSATION && n->conversation_kind != TACIT_DIRECT)
		show_group(c, n);
}

static struct tacit_bytes *views(int count, char **words)
{
	struct tacit_bytes *list = tacit_calloc((size_t)count + 1, sizeof(*list));
	for (int i = 0; list != NULL && i < count; i++)
		list[i] = tacit_cstr(words[i]);
	return list;
}

/* Runs a command about a list of users. */
static int run_with_users(struct cli *c, struct tacit_command *command, int count, char **words,
        host_deliver *deliver)
{
	struct tacit_bytes *users = views(count, words);
	if (users == NULL)
		return cli_fail(c, TACIT_E_NOMEM, NULL);
	command->users = users;
	command->user_count = (size_t)count;
	int status = cli_run(c, command, deliver, c);
	tacit_free(users);
	return status;
}

static int create(struct cli *c, const struct args *a, enum tacit_command_kind kind)
{
	struct tacit_command command = {.kind = kind, .text = tacit_cstr(a->list[0])};
	int status = cli_open(c, CLI_UNLOCKED);
	if (status != EXIT_DONE)
		return status;
	return run_with_users(c, &command, a->count - 1, a->list + 1, on_group);
}

int cmd_group_create(struct cli *c, const struct args *a)
{
	return create(c, a, TACIT_CMD_CREATE_GROUP);
}

int cmd_room_create(struct cli *c, const struct args *a)
{
	bool yes = cli_option(a, "yes") != NULL;
	if (!yes) {
		enum tacit_err err = term_confirm(
		        "The server can read the name of a room, not what is said there. "
		        "Make it? Type yes or no: ",
		        &yes);
		if (err == TACIT_E_UNSUPPORTED)
			return cli_fail_text(c, err, "There is no terminal to ask on.",
			        "The server can read the name of a room: with --yes it is made "
			        "without asking.");
		if (err != TACIT_OK)
			return cli_fail(c, err, NULL);
	}
	return yes ? create(c, a, TACIT_CMD_CREATE_ROOM)
	           : cli_fail_text(c, TACIT_E_CANCELLED, "The room was not made.", NULL);
}

static void on_room(void *ctx, const struct tacit_notice *n)
{
	if (n->kind != TACIT_NOTICE_CONVERSATION || n->conversation_kind == TACIT_ROOM)
		on_group(ctx, n);
}

static int list(struct cli *c, host_deliver *deliver)
{
	const struct tacit_command command = {.kind = TACIT_CMD_CONVERSATIONS};
	int status = cli_open(c, CLI_UNLOCKED);
	if (status == EXIT_DONE)
		status = cli_sync(c); /* names come with the messages */
	return status == EXIT_DONE ? cli_run(c, &command, deliver, c) : status;
}

int cmd_room_list(struct cli *c, const struct args *a)
{
	(void)a;
	return list(c, on_room);
}

int cmd_group_list(struct cli *c, const struct args *a)
{
	(void)a;
	return list(c, on_group);
}

/* Opens, and finds the group that list[0] names. 0: status says why not. */
static uint64_t open_group(struct cli *c, const struct args *a, int *status)
{
	*status = cli_open(c, CLI_UNLOCKED);
	if (*status != EXIT_DONE)
		return 0;
	uint64_t group = cli_group(c, a->list[0]);
	*status = group != 0 ? EXIT_DONE : EXIT_FAILED;
	return group;
}

struct one {
	const struct cli *cli;
	uint64_t conversation;
};

static void on_one(void *ctx, const struct tacit_notice *n)
{
	const struct one *o = ctx;
	if (n->conversation == o->conversation)
		show_group(o->cli, n);
}

int cmd_group_show(struct cli *c, const struct args *a)
{
	int status;
	const struct tacit_command refresh = {.kind = TACIT_CMD_CONVERSATIONS};
	struct one o = {c, open_group(c, a, &status)};
	if (o.conversation != 0)
		status = cli_run(c, &refresh, NULL, NULL);
	if (status == EXIT_DONE)
		tacit_engine_each_conversation(host_engine(c->host), on_one, &o);
	return status;
}

int cmd_group_add(struct cli *c, const struct args *a)
{
	int status;
	struct tacit_command add = {
	        .kind = TACIT_CMD_ADD, .conversation = open_group(c, a, &status)};
	if (add.conversation == 0)
		return status;
	return run_with_users(c, &add, a->count - 1, a->list + 1, NULL);
}

int cmd_group_remove(struct cli *c, const struct args *a)
{
	int status;
	const struct tacit_command remove = {
	        .kind = TACIT_CMD_REMOVE,
	        .conversation = open_group(c, a, &status),
	        .username = tacit_cstr(a->list[1]),
	};
	return remove.conversation != 0 ? cli_run(c, &remove, NULL, NULL) : status;
}

int cmd_group_leave(struct cli *c, const struct args *a)
{
	int status;
	struct tacit_command leave = {
	        .kind = TACIT_CMD_REMOVE, .conversation = open_group(c, a, &status)};
	if (leave.conversation == 0)
		return status;
	leave.username = tacit_engine_username(host_engine(c->host));
	return cli_run(c, &leave, NULL, NULL);
}

int cmd_group_send(struct cli *c, const struct args *a)
{
	int status;
	uint64_t group = open_group(c, a, &status);
	if (group == 0)
		return status;
	return send_words(c, group, NULL, a->count - 1, a->list + 1);
}
