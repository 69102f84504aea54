/* chat, line by line: the last messages, then those that come, above an input line. On a terminal
 * the host is a runner's, so that a server that hangs never delays a key; in a pipe there is nobody
 * to wait, and lines are sent one after the other. */
#include <poll.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/about.h"
#include "cli/commands.h"
#include "cli/line.h"
#include "cli/meanwhile.h"
#include "cli/others.h"
#include "cli/quote.h"
#include "cli/screen/screen.h"
#include "cli/show.h"
#include "client/runner.h"

#define SHOWN_AT_FIRST 20
#define TICK_MS 100
#define REMEMBERED 256 /* messages that were shown */
#define LOOKED_AT 64   /* the end of the history, for what another process of the profile sent */

struct chat {
	struct cli *cli;
	uint64_t conversation;
	struct line *line; /* NULL: not on a terminal */
	bool unread;       /* something incoming was shown since the last mark */
	bool offline_told;
	struct runner *runner; /* NULL: in a pipe */
	uint64_t mark;         /* tickets of the read mark under way, and of who is told that */
	uint64_t telling;      /* we type; 0: none */
	uint64_t rest;         /* ticket of the rest of the history, while `asked` */
	bool asked, lost;
	size_t sending; /* messages that were not acknowledged yet */
	bool kept;      /* the last that failed will go out later */
	struct others others;
	char prompt[360];
	bool hidden;                /* the line is off the screen */
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

static int64_t now(const struct chat *chat)
{
	return tacit_env_now(host_env(chat->cli->host));
}

static void remember(struct chat *chat, const struct tacit_notice *n)
{
	if (n->kind != TACIT_NOTICE_MESSAGE)
		return;
	chat->shown[chat->shown_count++ % REMEMBERED] = n->message;
	others_take(&chat->others, n, now(chat));
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

/* --- what comes ------------------------------------------------------------------------------ */

static const struct tacit_command *marking(const struct chat *chat, struct tacit_command *room)
{
	*room = (struct tacit_command){
	        .kind = TACIT_CMD_MARK_READ, .conversation = chat->conversation};
	return room;
}

static void mark_read(struct chat *chat)
{
	struct tacit_command mark;
	if (chat->unread &&
	        host_run(chat->cli->host, marking(chat, &mark), on_notice, chat) == TACIT_OK)
		chat->unread = false;
}

/* One at a time; what comes meanwhile is marked after it. */
static void post_mark(struct chat *chat)
{
	struct tacit_command mark;
	if (!chat->unread || chat->mark != 0 || chat->offline_told)
		return;
	if (runner_post(chat->runner, marking(chat, &mark), &chat->mark) == TACIT_OK)
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

/* The own messages, and what another process of the profile has sent or fetched. */
static void ask_rest(struct chat *chat)
{
	const struct host_span end = {chat->conversation, UINT64_MAX, LOOKED_AT};
	if (!chat->asked)
		chat->asked = runner_history(chat->runner, end, &chat->rest) == TACIT_OK;
}

/* In the prompt, where it moves nothing. */
static void show_typist(struct chat *chat)
{
	struct tacit_buf clean = {0};
	const char *who = chat->others.typist;
	above(chat);
	snprintf(chat->prompt, sizeof(chat->prompt), "%s> ", chat->title);
	if (who[0] != '\0' && term_clean(tacit_cstr(who), TERM_ONE_LINE, 0, &clean) == TACIT_OK)
		snprintf(chat->prompt, sizeof(chat->prompt), "%s (%.*s types)> ", chat->title,
		        (int)clean.n, (const char *)clean.p);
	tacit_buf_clear(&clean);
	line_prompt(chat->line, chat->prompt);
}

/* One at a time; what is typed meanwhile is told after it. */
static void tell_typing(struct chat *chat)
{
	struct tacit_command tell = {.kind = TACIT_CMD_TYPING, .conversation = chat->conversation};
	if (chat->telling == 0 && !chat->offline_told &&
	        others_to_be_told(&chat->others, line_text(chat->line), now(chat), &tell.flag) &&
	        runner_post(chat->runner, &tell, &chat->telling) != TACIT_OK)
		chat->telling = 0;
}

static void tell_read(struct chat *chat)
{
	if (others_have_read(&chat->others))
		say(chat, chat->others.count == 1 ? "read" : "read by all");
}

static void take_notice(struct chat *chat, const struct tacit_notice *n)
{
	bool here = n->conversation == chat->conversation;
	if (others_take(&chat->others, n, now(chat)))
		show_typist(chat);
	if (n->kind == TACIT_NOTICE_CLOSED && here)
		chat->lost = true;
	if (n->kind == TACIT_NOTICE_FAILED)
		chat->kept = n->flag;
	on_notice(chat, n);
}

static void take_link(struct chat *chat, const struct runner_event *ev)
{
	if (ev->link == RUNNER_OFFLINE && ev->seconds == 0) {
		above(chat);
		cli_fail(chat->cli, ev->err, NULL);
		chat->lost = true;
	} else if (ev->link == RUNNER_OFFLINE && !chat->offline_told) {
		say(chat, "the server does not answer; trying again and again");
		chat->offline_told = true;
	} else if (ev->link == RUNNER_ONLINE || ev->link == RUNNER_ASKING) {
		if (chat->offline_told)
			say(chat, "connected again");
		chat->offline_told = false;
		ask_rest(chat);
	}
}

static void tell_failure(struct chat *chat, const struct runner_event *ev)
{
	struct tacit_buf text = {0};
	const char *hint = chat->kept ? "The message is kept; it goes out when the server can be "
	                                "reached."
	                              : NULL;
	above(chat);
	chat->kept = false;
	if (ev->text.n > 0 && tacit_buf_append(&text, ev->text) == TACIT_OK &&
	        tacit_buf_terminate(&text) == TACIT_OK)
		cli_fail_text(chat->cli, ev->err, (const char *)text.p, hint);
	else
		cli_fail(chat->cli, ev->err, hint);
	tacit_buf_clear(&text);
}

static void take_end(struct chat *chat, const struct runner_event *ev)
{
	if (ev->ticket == chat->rest) {
		chat->asked = false;
		return;
	}
	if (ev->ticket == chat->mark) {
		chat->unread |= ev->err != TACIT_OK;
		chat->mark = 0;
		return;
	}
	if (ev->ticket == chat->telling) {
		chat->telling = 0; /* nobody misses it when it failed */
		return;
	}
	chat->sending -= chat->sending > 0;
	if (ev->err != TACIT_OK && ev->err != TACIT_E_CANCELLED)
		tell_failure(chat, ev);
	else
		ask_rest(chat); /* the message is in its place */
}

static void take_event(struct chat *chat, const struct runner_event *ev)
{
	if (ev->kind == RUNNER_NOTICE)
		take_notice(chat, &ev->notice);
	else if (ev->kind == RUNNER_HISTORY)
		tacit_ignore(show_if_new(chat, &ev->notice, ev->position), "it cannot fail");
	else if (ev->kind == RUNNER_LINK)
		take_link(chat, ev);
	else
		take_end(chat, ev);
}

static void take_events(struct chat *chat)
{
	struct runner_event *ev;
	while ((ev = runner_next(chat->runner)) != NULL) {
		take_event(chat, ev);
		runner_event_free(ev);
	}
	tell_elsewhere(chat);
	tell_read(chat);
	post_mark(chat);
}

static bool on_tick(void *ctx)
{
	struct chat *chat = ctx;
	take_events(chat);
	if (others_tick(&chat->others, now(chat)))
		show_typist(chat);
	tell_typing(chat);
	below(chat);
	return !chat->lost;
}

/* --- input ----------------------------------------------------------------------------------- */

static const char help_text[] = "  /reply [#ID] TEXT   answer a message\n"
                                "  /react [#ID] EMOJI  react to it; without EMOJI: no longer\n"
                                "  /edit [#ID] TEXT    change an own message, for everybody\n"
                                "  /delete [#ID]       take it back, for everybody\n"
                                "                      (without #ID: the newest)\n"
                                "  /file PATH     send a file\n"
                                "  /get ID        fetch a file\n"
                                "  /history       show more of what was said\n"
                                "  /quit          leave (so does Ctrl-D)\n"
                                "  //TEXT         send a message that begins with a slash\n";

enum next { GO_ON, LEAVE };

struct slash {
	struct chat *chat;
	struct tacit_bytes verb;
	const char *rest;
};

/* In the runner's thread, while the screen waits for it. */
static enum tacit_err do_slash(struct runner *r, struct host *h, void *ctx)
{
	const struct slash *s = ctx;
	struct chat *chat = s->chat;
	(void)r, (void)h;
	chat->cli->ids = true;
	if (tacit_bytes_eq(s->verb, TACIT_STR("file")))
		send_file(chat->cli, chat->conversation, s->rest);
	else if (tacit_bytes_eq(s->verb, TACIT_STR("get")))
		get_file(chat->cli, s->rest, NULL);
	else
		show_history(chat->cli, chat->conversation, 100);
	chat->cli->ids = false;
	return TACIT_OK;
}

static void take(void *ctx, const struct runner_event *ev)
{
	take_event(ctx, ev);
}

static void post_content(struct chat *chat, const struct tacit_content *content)
{
	uint64_t ticket;
	const struct tacit_command send = {
	        .kind = TACIT_CMD_SEND, .conversation = chat->conversation, .content = content};
	enum tacit_err err = runner_post(chat->runner, &send, &ticket);
	if (err == TACIT_OK)
		chat->sending++;
	else
		cli_fail(chat->cli, err, NULL);
}

static void post_about(struct chat *chat, const struct about *a)
{
	struct tacit_content content;
	uint64_t message = a->message != 0
	                           ? a->message
	                           : quote_newest(chat->cli->quotes, chat->conversation, a->own);
	const char *problem = about_content(a, message, &content);
	if (problem != NULL)
		cli_fail_text(chat->cli, TACIT_E_USAGE, problem, NULL);
	else
		post_content(chat, &content);
}

static enum next run_slash(struct chat *chat, const char *text)
{
	const char *space = strchr(text, ' ');
	size_t n = space != NULL ? (size_t)(space - text) : strlen(text);
	const char *rest = space != NULL ? space + 1 : "";
	struct tacit_bytes verb = tacit_bytes(text, n);
	if (tacit_bytes_eq(verb, TACIT_STR("quit")))
		return LEAVE;
	struct about about;
	if (about_parse(verb, rest, &about)) {
		post_about(chat, &about);
		return GO_ON;
	}
	bool transfer =
	        tacit_bytes_eq(verb, TACIT_STR("file")) || tacit_bytes_eq(verb, TACIT_STR("get"));
	if ((transfer && rest[0] != '\0') || tacit_bytes_eq(verb, TACIT_STR("history")))
		meanwhile_hold(
		        chat->runner, do_slash, &(struct slash){chat, verb, rest}, take, chat);
	else
		fputs(help_text, stdout);
	return GO_ON;
}

static void post_text(struct chat *chat, struct tacit_bytes text)
{
	const struct tacit_content content = {.kind = TACIT_CONTENT_TEXT, .text = text};
	if (send_check(chat->cli, text) == EXIT_DONE)
		post_content(chat, &content);
}

static enum next take_line(struct chat *chat, const char *text)
{
	if (text[0] == '\0')
		return GO_ON;
	if (text[0] == '/' && text[1] != '/')
		return run_slash(chat, text + 1);
	if (text[0] == '/')
		text++;
	line_erase_last(chat->line); /* it gives way to how it looks in the history */
	post_text(chat, tacit_cstr(text));
	return GO_ON;
}

/* What was typed last goes out before the chat ends, unless somebody is tired of waiting. */
static void send_rest(struct chat *chat)
{
	struct pollfd fd = {.fd = runner_fd(chat->runner), .events = POLLIN};
	chat->hidden = true;
	while (chat->sending > 0 && !cli_cancelled && !chat->lost)
		if (poll(&fd, 1, TICK_MS) > 0)
			take_events(chat);
}

static enum tacit_err read_lines(struct chat *chat)
{
	enum tacit_err err;
	do {
		const char *text = NULL;
		err = line_read(chat->line, &text);
		chat->hidden = true; /* no line is being edited now */
		if (err == TACIT_OK && take_line(chat, text) == LEAVE)
			break;
		chat->hidden = false;
		if (err == TACIT_OK && cli_cancelled == SIGINT)
			cli_cancelled = 0; /* it ended a transfer, not the chat */
	} while (err == TACIT_OK);
	return err;
}

static int talk(struct chat *chat)
{
	enum tacit_err err;
	snprintf(chat->prompt, sizeof(chat->prompt), "%s> ", chat->title);
	const struct line_options options = {
	        .prompt = chat->prompt, .tick = on_tick, .tick_ms = TICK_MS, .ctx = chat};
	err = line_open(&options, &chat->line);
	if (err == TACIT_OK)
		err = runner_start(chat->cli->host, RUNNER_LIVE, &chat->runner);
	if (err != TACIT_OK) {
		line_close(chat->line);
		return cli_fail(chat->cli, err, NULL);
	}
	chat->cli->host_lent = true;
	err = read_lines(chat);
	send_rest(chat);
	runner_stop(chat->runner);
	chat->cli->host_lent = false;
	line_close(chat->line);
	chat->line = NULL;
	return err == TACIT_E_NOMEM ? EXIT_FAILED : EXIT_DONE;
}

/* What has come meanwhile, at the end of a pipe. */
static int show_news(struct chat *chat)
{
	const struct tacit_command sync = {.kind = TACIT_CMD_SYNC};
	enum tacit_err err = host_run(chat->cli->host, &sync, on_notice, chat);
	if (err == TACIT_OK)
		err = show_rest(chat);
	if (err != TACIT_OK)
		return cli_fail_host(chat->cli, err);
	mark_read(chat);
	tell_elsewhere(chat);
	return EXIT_DONE;
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
	return status == EXIT_DONE && !cli_cancelled ? show_news(chat) : status;
}

/* --- whom ------------------------------------------------------------------------------------ */

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

static void meet_others(void *ctx, const struct tacit_notice *n)
{
	others_take(ctx, n, 0);
}

static int talk_in_lines(struct cli *c, const struct args *a)
{
	struct chat chat = {.cli = c, .unread = true};
	int status = cli_sync(c);
	if (status != EXIT_DONE)
		return status;
	chat.conversation =
	        a->count > 0 ? cli_conversation(c, a->list[0]) : cli_newest_conversation(c);
	if (chat.conversation == 0)
		return EXIT_FAILED;
	cli_title(c, chat.conversation, chat.title, sizeof(chat.title));
	show_heading(c, chat.conversation);
	chat.others.conversation = chat.conversation;
	struct tacit_bytes self = tacit_engine_username(host_engine(c->host));
	snprintf(chat.others.self, sizeof(chat.others.self), "%.*s", (int)self.n,
	        (const char *)self.p);
	tacit_engine_each_conversation(host_engine(c->host), meet_others, &chat.others);
	struct host_span older = {chat.conversation, UINT64_MAX, LOOKED_AT};
	struct host_span last = {chat.conversation, UINT64_MAX, SHOWN_AT_FIRST};
	enum tacit_err err = host_history(c->host, older, remember_old, &chat);
	if (err == TACIT_OK)
		err = host_history(c->host, last, show_old, &chat);
	if (err != TACIT_OK)
		return cli_fail_host(c, err);
	mark_read(&chat);
	if (!term_is_tty(stdin) || !term_is_tty(stdout) || c->json)
		return talk_by_pipe(&chat);
	tell_read(&chat);
	chat.hidden = false;
	cli_note(c, "%s(/help for what else can be typed here)%s", term_style(stdout, TERM_DIM),
	        term_style(stdout, TERM_PLAIN));
	return talk(&chat);
}

int cmd_chat(struct cli *c, const struct args *a)
{
	bool shown = false;
	int status = cli_open(c, CLI_UNLOCKED);
	if (status == EXIT_DONE)
		status = talk_on_screen(c, a, &shown);
	if (shown || status != EXIT_DONE)
		return status;
	c->quotes = tacit_calloc(1, sizeof(*c->quotes)); /* without memory: fewer quotes */
	status = talk_in_lines(c, a);
	quotes_free(c->quotes);
	c->quotes = NULL;
	return status;
}
