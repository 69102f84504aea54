/* chat: the last messages, then those that come, above an input line. Polls once a second. */
#include <stdint.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/line.h"
#include "cli/screen/screen.h"
#include "cli/show.h"

#define SHOWN_AT_FIRST 20
#define POLL_MS 1000
#define MAX_MISSES 5   /* polls without an answer before it is said */
#define REMEMBERED 256 /* messages that were shown */
#define LOOKED_AT 64   /* the end of the history, for what another process of the profile sent */

struct chat {
	struct cli *cli;
	uint64_t conversation;
	struct line *line; /* NULL: not on a terminal */
	bool unread;       /* something incoming was shown since the last mark */
	bool offline_told;
	bool hidden; /* the line is off the screen */
	unsigned misses;
	uint64_t elsewhere;         /* messages in other conversations, not told yet */
	uint64_t shown[REMEMBERED]; /* a ring of message ids */
	size_t shown_count;
	char title[256];
};

/* --- output above the line ------------------------------------------------------------------- */

static void above(struct chat *chat)
{
	if (chat->line != NULL && !chat->hidden)
		line_hide(chat->line);
	chat->hidden = true;
}

static void below(struct chat *chat)
{
	if (chat->line != NULL && chat->hidden)
		line_restore(chat->line);
	chat->hidden = false;
}

static bool was_shown(const struct chat *chat, uint64_t message)
{
	for (size_t i = 0; i < REMEMBERED && i < chat->shown_count; i++)
		if (chat->shown[i] == message)
			return true;
	return false;
}

static void remember(struct chat *chat, const struct tacit_notice *n)
{
	if (n->kind == TACIT_NOTICE_MESSAGE)
		chat->shown[chat->shown_count++ % REMEMBERED] = n->message;
}

static void show(struct chat *chat, const struct tacit_notice *n)
{
	above(chat);
	show_event(chat->cli, n);
	remember(chat, n);
}

static enum tacit_err remember_old(void *ctx, const struct tacit_notice *n, uint64_t position)
{
	(void)position;
	remember(ctx, n);
	return TACIT_OK;
}

static enum tacit_err show_old(void *ctx, const struct tacit_notice *n, uint64_t position)
{
	(void)position;
	show(ctx, n);
	return TACIT_OK;
}

static enum tacit_err show_if_new(void *ctx, const struct tacit_notice *n, uint64_t position)
{
	struct chat *chat = ctx;
	(void)position;
	if (n->kind == TACIT_NOTICE_MESSAGE && !was_shown(chat, n->message))
		show(chat, n);
	return TACIT_OK;
}

/* Messages in the history that no notice has brought here: this chat's own, and what another
 * process of the profile has sent or fetched. */
static enum tacit_err show_rest(struct chat *chat)
{
	struct host_span end = {chat->conversation, UINT64_MAX, LOOKED_AT};
	return host_history(chat->cli->host, end, show_if_new, chat);
}

static void on_notice(void *ctx, const struct tacit_notice *n)
{
	struct chat *chat = ctx;
	bool here = n->conversation == chat->conversation;
	bool incoming = n->kind == TACIT_NOTICE_MESSAGE && !n->flag;
	if (!show_is_event(n))
		return;
	if (!here && !show_is_loud(n)) {
		chat->elsewhere += incoming;
		return;
	}
	if (n->kind != TACIT_NOTICE_MESSAGE || !was_shown(chat, n->message))
		show(chat, n);
	chat->unread |= here && (incoming || n->kind == TACIT_NOTICE_REFUSED);
}

static void say(struct chat *chat, const char *text)
{
	if (chat->cli->json)
		return;
	above(chat);
	printf("%s-- %s --%s\n", term_style(stdout, TERM_DIM), text,
	        term_style(stdout, TERM_PLAIN));
}

/* --- polling --------------------------------------------------------------------------------- */

static void mark_read(struct chat *chat)
{
	const struct tacit_command mark = {
	        .kind = TACIT_CMD_MARK_READ, .conversation = chat->conversation};
	if (!chat->unread)
		return;
	if (host_run(chat->cli->host, &mark, on_notice, chat) == TACIT_OK)
		chat->unread = false;
}

static void tell_elsewhere(struct chat *chat)
{
	char text[80];
	if (chat->elsewhere == 0)
		return;
	snprintf(text, sizeof(text), "%llu new elsewhere: tacit inbox",
	        (unsigned long long)chat->elsewhere);
	say(chat, text);
	chat->elsewhere = 0;
}

/* A server that is away for a moment is no reason to end a chat; being logged out is. */
static bool poll_once(void *ctx)
{
	struct chat *chat = ctx;
	const struct tacit_command sync = {.kind = TACIT_CMD_SYNC};
	enum tacit_err err = host_run(chat->cli->host, &sync, on_notice, chat);
	if (err == TACIT_OK)
		err = show_rest(chat);
	if (err == TACIT_OK) {
		if (chat->offline_told)
			say(chat, "connected again");
		chat->offline_told = false;
		chat->misses = 0;
		mark_read(chat);
		tell_elsewhere(chat);
	} else if (err == TACIT_E_CANCELLED || err == TACIT_E_NOT_LOGGED_IN ||
	           tacit_err_class(err) == TACIT_CLASS_STORE) {
		above(chat);
		if (err != TACIT_E_CANCELLED)
			cli_fail_host(chat->cli, err);
		below(chat);
		return false;
	} else if (++chat->misses >= MAX_MISSES && !chat->offline_told) {
		say(chat, "the server does not answer; trying again and again");
		chat->offline_told = true;
	}
	below(chat);
	return true;
}

/* --- input ----------------------------------------------------------------------------------- */

static const char help_text[] = "  /file PATH     send a file\n"
                                "  /get ID        fetch a file\n"
                                "  /history       show more of what was said\n"
                                "  /quit          leave (so does Ctrl-D)\n"
                                "  //TEXT         send a message that begins with a slash\n";

enum next { GO_ON, LEAVE };

static enum next run_slash(struct chat *chat, const char *text)
{
	const char *space = strchr(text, ' ');
	size_t n = space != NULL ? (size_t)(space - text) : strlen(text);
	const char *rest = space != NULL ? space + 1 : "";
	struct tacit_bytes verb = tacit_bytes(text, n);
	if (tacit_bytes_eq(verb, TACIT_STR("quit")))
		return LEAVE;
	if (tacit_bytes_eq(verb, TACIT_STR("file")) && rest[0] != '\0')
		send_file(chat->cli, chat->conversation, rest);
	else if (tacit_bytes_eq(verb, TACIT_STR("get")) && rest[0] != '\0')
		get_file(chat->cli, rest, NULL);
	else if (tacit_bytes_eq(verb, TACIT_STR("history")))
		show_history(chat->cli, chat->conversation, 100);
	else
		fputs(help_text, stdout);
	return GO_ON;
}

static enum next take_line(struct chat *chat, const char *text)
{
	if (text[0] == '\0')
		return GO_ON;
	if (text[0] == '/' && text[1] != '/')
		return run_slash(chat, text + 1);
	if (text[0] == '/')
		text++;
	if (chat->line != NULL) /* what was typed gives way to how it looks in the history */
		line_erase_last(chat->line);
	send_text(chat->cli, chat->conversation, NULL, tacit_cstr(text));
	chat->hidden = true; /* no line is being edited now */
	if (chat->line != NULL)
		tacit_ignore(show_rest(chat), "the next poll tries again");
	chat->hidden = false;
	return GO_ON;
}

static int talk(struct chat *chat)
{
	enum tacit_err err;
	char prompt[280];
	snprintf(prompt, sizeof(prompt), "%s> ", chat->title);
	const struct line_options options = {
	        .prompt = prompt, .tick = poll_once, .tick_ms = POLL_MS, .ctx = chat};
	err = line_open(&options, &chat->line);
	if (err != TACIT_OK)
		return cli_fail(chat->cli, err, NULL);
	do {
		const char *text = NULL;
		err = line_read(chat->line, &text);
		if (err == TACIT_OK && take_line(chat, text) == LEAVE)
			break;
		if (err == TACIT_OK && cli_cancelled == SIGINT)
			cli_cancelled = 0; /* it ended a transfer, not the chat */
	} while (err == TACIT_OK);
	line_close(chat->line);
	chat->line = NULL;
	return err == TACIT_E_NOMEM ? EXIT_FAILED : EXIT_DONE;
}

/* Not on a terminal: lines of standard input are messages; at the end, what has come meanwhile. */
static int talk_by_pipe(struct chat *chat)
{
	int status = EXIT_DONE;
	while (status == EXIT_DONE && !cli_cancelled) {
		struct tacit_secret line = {0};
		enum tacit_err err = term_read_secret_line(0, &line);
		if (err == TACIT_E_TRUNCATED)
			break;
		if (err != TACIT_OK)
			return cli_fail(chat->cli, err, NULL);
		if (line.n > 0)
			status = send_text(
			        chat->cli, chat->conversation, NULL, tacit_secret_view(&line));
		tacit_secret_free(&line);
	}
	if (status == EXIT_DONE && !poll_once(chat))
		status = EXIT_FAILED;
	return status;
}

/* --- whom ------------------------------------------------------------------------------------ */

struct pick {
	uint64_t conversation, newest;
};

static void pick_newest(void *ctx, const struct tacit_notice *n)
{
	struct pick *p = ctx;
	if (p->conversation == 0 || n->message > p->newest)
		*p = (struct pick){n->conversation, n->message};
}

static void take_title(void *ctx, const struct tacit_notice *n)
{
	struct chat *chat = ctx;
	struct tacit_buf clean = {0};
	if (n->conversation == chat->conversation &&
	        term_clean(n->title, TERM_ONE_LINE, 0, &clean) == TACIT_OK)
		snprintf(chat->title, sizeof(chat->title), "%.*s", (int)clean.n,
		        (const char *)clean.p);
	tacit_buf_clear(&clean);
}

/* Without a name: the conversation in which something was said last. */
static uint64_t choose(struct cli *c, const struct args *a)
{
	struct pick p = {0};
	if (a->count > 0)
		return cli_conversation(c, a->list[0]);
	tacit_engine_each_conversation(host_engine(c->host), pick_newest, &p);
	if (p.conversation == 0)
		cli_fail_text(c, TACIT_E_NOT_FOUND, "There is no conversation yet.",
		        "Name somebody: tacit chat USER");
	return p.conversation;
}

/* On a terminal that can be drawn on. *shown: it was one. */
static int talk_on_screen(struct cli *c, const struct args *a, bool *shown)
{
	uint64_t conversation = 0;
	*shown = false;
	if (cli_option(a, "lines") != NULL || !screen_possible(c))
		return EXIT_DONE;
	if (a->count > 0)
		conversation = cli_conversation(c, a->list[0]);
	if (a->count > 0 && conversation == 0)
		return EXIT_FAILED;
	return screen_run(c, conversation, shown);
}

int cmd_chat(struct cli *c, const struct args *a)
{
	bool shown = false;
	struct chat chat = {.cli = c, .unread = true};
	int status = cli_open(c, CLI_UNLOCKED);
	if (status == EXIT_DONE)
		status = talk_on_screen(c, a, &shown);
	if (shown || status != EXIT_DONE)
		return status;
	status = cli_sync(c);
	if (status != EXIT_DONE)
		return status;
	chat.conversation = choose(c, a);
	if (chat.conversation == 0)
		return EXIT_FAILED;
	tacit_engine_each_conversation(host_engine(c->host), take_title, &chat);
	show_heading(c, chat.conversation);
	struct host_span older = {chat.conversation, UINT64_MAX, LOOKED_AT};
	struct host_span last = {chat.conversation, UINT64_MAX, SHOWN_AT_FIRST};
	enum tacit_err err = host_history(c->host, older, remember_old, &chat);
	if (err == TACIT_OK)
		err = host_history(c->host, last, show_old, &chat);
	if (err != TACIT_OK)
		return cli_fail_host(c, err);
	mark_read(&chat);
	chat.hidden = false;
	if (!term_is_tty(stdin) || !term_is_tty(stdout) || c->json)
		return talk_by_pipe(&chat);
	cli_note(c, "%s(/help for what else can be typed here)%s", term_style(stdout, TERM_DIM),
	        term_style(stdout, TERM_PLAIN));
	return talk(&chat);
}
