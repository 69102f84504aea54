/* reply, react, edit, delete: what is said about a message. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"

#define LOOKED_AT 500 /* entries, for the newest message */

struct newest {
	bool own;
	uint64_t message;
};

static enum tacit_err look(void *ctx, const struct tacit_notice *n, uint64_t position)
{
	struct newest *newest = ctx;
	(void)position;
	if (n->kind == TACIT_NOTICE_MESSAGE && n->flag == newest->own)
		newest->message = n->message;
	return TACIT_OK;
}

static bool parse(const char *text, uint64_t *out)
{
	char *end = NULL;
	text += text[0] == '#';
	errno = 0;
	*out = strtoull(text, &end, 10);
	return errno == 0 && text[0] >= '0' && text[0] <= '9' && *end == '\0' && *out > 0;
}

int find_message(
        struct cli *c, uint64_t conversation, const char *name, enum whose whose, uint64_t *out)
{
	struct newest newest = {.own = whose == WHOSE_OWN};
	struct host_span end = {conversation, UINT64_MAX, LOOKED_AT};
	if (strcmp(name, "last") != 0 && !parse(name, out))
		return cli_fail_text(c, TACIT_E_USAGE, "That is no message: a number, or last.",
		        "tacit history --ids shows the numbers.");
	if (strcmp(name, "last") != 0)
		return EXIT_DONE;
	enum tacit_err err = host_history(c->host, end, look, &newest);
	if (err != TACIT_OK)
		return cli_fail_host(c, err);
	*out = newest.message;
	return newest.message != 0
	               ? EXIT_DONE
	               : cli_fail_text(c, TACIT_E_NOT_FOUND,
	                         newest.own ? "You have said nothing there lately."
	                                    : "Nobody else has said anything there lately.",
	                         NULL);
}

/* The conversation and the message that the first two arguments name. */
static int open_and_find(struct cli *c, const struct args *a, enum whose whose,
        uint64_t *conversation, uint64_t *message)
{
	int status = cli_open(c, CLI_UNLOCKED);
	if (status != EXIT_DONE)
		return status;
	*conversation = cli_conversation(c, a->list[0]);
	if (*conversation == 0)
		return EXIT_FAILED;
	return find_message(c, *conversation, a->list[1], whose, message);
}

int cmd_reply(struct cli *c, const struct args *a)
{
	uint64_t conversation;
	struct tacit_content content = {.kind = TACIT_CONTENT_TEXT};
	int status = open_and_find(c, a, WHOSE_OTHER, &conversation, &content.reply_to);
	return status != EXIT_DONE
	               ? status
	               : send_about(c, conversation, &content, a->count - 2, a->list + 2);
}

int cmd_edit(struct cli *c, const struct args *a)
{
	uint64_t conversation;
	struct tacit_content content = {.kind = TACIT_CONTENT_EDIT};
	int status = open_and_find(c, a, WHOSE_OWN, &conversation, &content.message);
	return status != EXIT_DONE
	               ? status
	               : send_about(c, conversation, &content, a->count - 2, a->list + 2);
}

int cmd_react(struct cli *c, const struct args *a)
{
	uint64_t conversation;
	struct tacit_content content = {
	        .kind = TACIT_CONTENT_REACTION, .text = tacit_cstr(a->count > 2 ? a->list[2] : "")};
	int status = open_and_find(c, a, WHOSE_OTHER, &conversation, &content.message);
	if (status == EXIT_DONE)
		status = send_reaction_check(c, content.text);
	return status != EXIT_DONE ? status : send_content(c, conversation, NULL, &content);
}

int cmd_delete(struct cli *c, const struct args *a)
{
	uint64_t conversation;
	struct tacit_content content = {.kind = TACIT_CONTENT_DELETE};
	int status = open_and_find(c, a, WHOSE_OWN, &conversation, &content.message);
	return status != EXIT_DONE ? status : send_content(c, conversation, NULL, &content);
}
