#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"
#include "cli/commands.h"
#include "cli/json_out.h"
#include "cli/show.h"
#include "wire/names.h"

struct sent {
	const struct cli *cli;
	uint64_t conversation, message;
	int64_t time;
	bool kept;
};

static void on_notice(void *ctx, const struct tacit_notice *n)
{
	struct sent *s = ctx;
	show_loud(s->cli, n);
	if (n->kind == TACIT_NOTICE_DONE) {
		s->conversation = n->conversation;
		s->message = n->message;
		s->time = n->time;
	}
	if (n->kind == TACIT_NOTICE_FAILED)
		s->kept = n->flag;
	if (n->kind == TACIT_NOTICE_REFUSED && n->flag && !s->cli->json)
		cli_warn("an earlier message that had waited here was refused by the server.");
}

int send_content(
        struct cli *c, uint64_t conversation, const char *user, const struct tacit_content *content)
{
	struct sent s = {.cli = c};
	const struct tacit_command command = {
	        .kind = TACIT_CMD_SEND,
	        .conversation = conversation,
	        .username = conversation == 0 ? tacit_cstr(user) : tacit_bytes(NULL, 0),
	        .content = content,
	};
	enum tacit_err err = host_run(c->host, &command, on_notice, &s);
	if (err != TACIT_OK && s.kept)
		return cli_fail_text(c, err, host_problem(c->host),
		        "The message is kept; it goes out when the server can be reached, with the "
		        "next one or the next inbox.");
	if (err != TACIT_OK)
		return cli_fail_host(c, err);
	if (c->json) {
		json_t *o = json_out_new("sent");
		json_out_number(o, "conversation", s.conversation);
		json_out_number(o, "id", s.message);
		json_out_time(o, "time", s.time);
		json_out_print(stdout, o);
	}
	return EXIT_DONE;
}

int send_check(const struct cli *c, struct tacit_bytes text)
{
	if (text.n == 0)
		return cli_fail_text(c, TACIT_E_USAGE, "There is nothing to send.", NULL);
	if (text.n > TACIT_MAX_TEXT)
		return cli_fail_text(c, TACIT_E_TOO_LARGE,
		        "A message holds at most 64 KiB of text.", "Send it as a file.");
	if (!tacit_utf8_valid(text) || memchr(text.p, 0, text.n) != NULL)
		return cli_fail_text(
		        c, TACIT_E_MALFORMED, "That is not text in UTF-8.", "Send it as a file.");
	return EXIT_DONE;
}

int send_text(struct cli *c, uint64_t conversation, const char *user, struct tacit_bytes text)
{
	int status = send_check(c, text);
	if (status != EXIT_DONE)
		return status;
	const struct tacit_content content = {
	        .kind = TACIT_CONTENT_TEXT,
	        .sent_at = tacit_env_now(host_env(c->host)),
	        .text = text,
	};
	return send_content(c, conversation, user, &content);
}

/* All of standard input, one byte more than allowed at most. */
static enum tacit_err read_input(struct tacit_buf *out)
{
	enum tacit_err err = TACIT_OK;
	while (out->n <= TACIT_MAX_TEXT) {
		TRY(tacit_buf_reserve(out, 4096));
		ssize_t got = read(STDIN_FILENO, out->p + out->n, 4096);
		if (got == 0)
			break;
		if (got < 0 && (errno != EINTR || cli_cancelled))
			TRY(errno == EINTR ? TACIT_E_CANCELLED : TACIT_E_IO);
		out->n += got > 0 ? (size_t)got : 0;
	}
	if (out->n > 0 && out->p[out->n - 1] == '\n')
		out->n--;
out:
	return err;
}

static enum tacit_err take_words(struct cli *c, int count, char **words, struct tacit_buf *text)
{
	enum tacit_err err = TACIT_OK;
	bool from_input = count == 0 || (count == 1 && strcmp(words[0], "-") == 0);
	if (from_input && term_is_tty(stdin))
		cli_note(c, "Type the message; Ctrl-D on an empty line sends it.");
	if (from_input)
		TRY(read_input(text));
	for (int i = 0; i < count && !from_input; i++)
		TRY(tacit_buf_printf(text, "%s%s", i > 0 ? " " : "", words[i]));
out:
	return err;
}

int send_words(struct cli *c, uint64_t conversation, const char *user, int count, char **words)
{
	struct tacit_buf text = {0};
	enum tacit_err err = take_words(c, count, words, &text);
	int status = err != TACIT_OK ? cli_fail(c, err, NULL)
	                             : send_text(c, conversation, user, tacit_buf_view(&text));
	tacit_buf_clear(&text);
	return status;
}

int send_about(struct cli *c, uint64_t conversation, const struct tacit_content *content, int count,
        char **words)
{
	struct tacit_buf text = {0};
	struct tacit_content whole = *content;
	enum tacit_err err = take_words(c, count, words, &text);
	int status =
	        err != TACIT_OK ? cli_fail(c, err, NULL) : send_check(c, tacit_buf_view(&text));
	whole.text = tacit_buf_view(&text);
	if (status == EXIT_DONE)
		status = send_content(c, conversation, NULL, &whole);
	tacit_buf_clear(&text);
	return status;
}

int send_reaction_check(const struct cli *c, struct tacit_bytes text)
{
	const struct tacit_content reaction = {
	        .kind = TACIT_CONTENT_REACTION, .message = 1, .text = text};
	struct tacit_buf encoded = {0};
	enum tacit_err err = tacit_content_encode(&reaction, &encoded);
	tacit_buf_clear(&encoded);
	if (err == TACIT_E_USAGE)
		return cli_fail_text(c, TACIT_E_USAGE,
		        "A reaction is one emoji, or a short word without spaces.", NULL);
	return err == TACIT_OK ? EXIT_DONE : cli_fail(c, err, NULL);
}

int cmd_send(struct cli *c, const struct args *a)
{
	uint64_t conversation = 0;
	int status = cli_open(c, CLI_UNLOCKED);
	if (status != EXIT_DONE)
		return status;
	/* What cannot be a person is a conversation. */
	if (!tacit_username_valid(tacit_cstr(a->list[0]))) {
		conversation = cli_conversation(c, a->list[0]);
		if (conversation == 0)
			return EXIT_FAILED;
	}
	return send_words(c, conversation, a->list[0], a->count - 1, a->list + 1);
}
