/* outbox list|drop: own messages that the server has not taken yet. */
#include <inttypes.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/json_out.h"
#include "cli/show.h"

#define SHORT_ID 8 /* enough to name one; any beginning that is unique does */

static void put_where(const struct tacit_notice *n)
{
	fputs("to ", stdout);
	if (n->title.n > 0)
		term_put_text(stdout, n->title, TERM_ONE_LINE, 0);
	else
		printf(":%" PRIu64, n->conversation);
}

static void show_outgoing(const struct cli *c, const struct tacit_notice *n)
{
	bool file = n->content.kind == TACIT_CONTENT_FILE;
	if (c->json) {
		json_out_notice(stdout, n);
		return;
	}
	struct term_time when = term_time(n->time, tacit_env_now(host_env(c->host)));
	printf("%.*s  %s  ", SHORT_ID, (const char *)n->text.p, when.text);
	put_where(n);
	static const char *const what[] = {[TACIT_CONTENT_FILE] = "file ",
	        [TACIT_CONTENT_REACTION] = "reaction ",
	        [TACIT_CONTENT_EDIT] = "edit ",
	        [TACIT_CONTENT_DELETE] = "deletion"};
	bool named = (size_t)n->content.kind < TACIT_COUNT(what) && what[n->content.kind] != NULL;
	printf("  %s", named ? what[n->content.kind] : "");
	term_put_text(stdout, file ? n->content.file.name : n->content.text, TERM_ONE_LINE, 0);
	printf("%s\n", n->flag ? "  (may have arrived already)" : "");
}

struct listing {
	const struct cli *cli;
	size_t count;
};

static void on_outgoing(void *ctx, const struct tacit_notice *n)
{
	struct listing *l = ctx;
	l->count++;
	show_outgoing(l->cli, n);
}

int cmd_outbox_list(struct cli *c, const struct args *a)
{
	struct listing l = {.cli = c};
	int status = cli_open(c, CLI_UNLOCKED);
	(void)a;
	if (status != EXIT_DONE)
		return status;
	enum tacit_err err = tacit_engine_each_outgoing(host_engine(c->host), on_outgoing, &l);
	if (err != TACIT_OK)
		return cli_fail(c, err, NULL);
	if (l.count == 0)
		cli_note(c, "Nothing waits to be sent.");
	return EXIT_DONE;
}

struct search {
	const char *prefix;
	char id[64];
	size_t matches;
};

static void match(void *ctx, const struct tacit_notice *n)
{
	struct search *s = ctx;
	size_t length = strlen(s->prefix);
	if (length > n->text.n || memcmp(n->text.p, s->prefix, length) != 0)
		return;
	s->matches++;
	snprintf(s->id, sizeof(s->id), "%.*s", (int)n->text.n, (const char *)n->text.p);
}

static void on_dropped(void *ctx, const struct tacit_notice *n)
{
	const struct cli *c = ctx;
	show_loud(c, n);
	if (n->kind != TACIT_NOTICE_DONE)
		return;
	if (n->flag)
		cli_note(c, "Dropped. It may have left before: then the others have it; else they "
		            "are told that one message of yours never came.");
	else
		cli_note(c, "Dropped; it was not sent to anybody.");
}

int cmd_outbox_drop(struct cli *c, const struct args *a)
{
	struct search s = {.prefix = a->list[0]};
	int status = cli_open(c, CLI_UNLOCKED);
	if (status != EXIT_DONE)
		return status;
	enum tacit_err err = tacit_engine_each_outgoing(host_engine(c->host), match, &s);
	if (err != TACIT_OK)
		return cli_fail(c, err, NULL);
	if (s.matches != 1)
		return cli_fail_text(c, TACIT_E_NOT_FOUND,
		        s.matches == 0 ? "No message that waits has that id."
		                       : "More than one id begins like that.",
		        "tacit outbox list shows them.");
	const struct tacit_command drop = {.kind = TACIT_CMD_DROP, .text = tacit_cstr(s.id)};
	return cli_run(c, &drop, on_dropped, c);
}
