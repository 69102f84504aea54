/* tacit, the command line: the table below is dispatch, help, and what completions and manuals are
 * tested against. */
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "e2e/parcel/code.h"

/* --- the table ------------------------------------------------------------------------------- */

static const struct option register_options[] = {
        {"username", 'u', "NAME", "the name that others will see"},
        {"email", 'e', "ADDRESS", "shown to nobody but you; part of the login"},
        {"invitation-file", 'i', "FILE", "where the server asks for an invitation (- is stdin)"},
        {NULL, 0, NULL, NULL},
};
static const struct option login_options[] = {
        {"username", 'u', "NAME", "on a device that does not know it yet"},
        {"email", 'e', "ADDRESS", "on a device that does not know it yet"},
        {"code", 'c', "CODE", "by tacit link on another device of yours (-: asks for it)"},
        {NULL, 0, NULL, NULL},
};
static const struct option link_options[] = {
        {"digits", 'd', NULL, "make a code of digits, for a number pad"},
        {"qr", 0, NULL, "draw the code as a QR code, too, when it goes to no terminal"},
        {"yes", 'y', NULL, "link whoever has the code without asking"},
        {NULL, 0, NULL, NULL},
};
static const struct option chat_options[] = {
        {"lines", 0, NULL, "line by line, one conversation: no full screen"},
        {NULL, 0, NULL, NULL},
};
static const struct option listen_options[] = {
        {"until-eof", 0, NULL, "end when standard input ends"},
        {NULL, 0, NULL, NULL},
};
static const struct option session_options[] = {
        {"ttl", 't', "TIME", "how long: 90s, 30m, 1h, 7d (default: 1h)"},
        {NULL, 0, NULL, NULL},
};
static const struct option inbox_options[] = {
        {"peek", 0, NULL, "leave the messages unread"},
        {"ids", 'i', NULL, "show the numbers of messages"},
        {NULL, 0, NULL, NULL},
};
static const struct option history_options[] = {
        {"number", 'n', "N", "show the last N (default: 50)"},
        {"ids", 'i', NULL, "show the numbers of messages"},
        {NULL, 0, NULL, NULL},
};
static const struct option get_options[] = {
        {"output", 'o', "PATH", "a folder, or a new name"},
        {NULL, 0, NULL, NULL},
};
static const struct option verify_options[] = {
        {"compare", 'c', "NUMBER", "their number, as it came by another way"},
        {NULL, 0, NULL, NULL},
};
static const struct option send_file_options[] = {
        {"text", 't', NULL, "what follows is a text, not a path (alone: standard input)"},
        {"code", 'c', "CODE", "the code that the receiver has made"},
        {"digits", 'd', NULL, "make a code of digits, for a number pad"},
        {"qr", 0, NULL, "draw the code as a QR code, too"},
        {"name", 0, "NAME", "what standard input is called (default: stdin)"},
        {"receivers", 0, "N", "one code for so many receivers (0: for whoever comes)"},
        {"store", 0, NULL, "leave it at the server, for whoever has the link"},
        {"expires", 0, "TIME", "how long it stays there (default: 24h)"},
        {"downloads", 0, "N", "how often it may be fetched (default: 1)"},
        {"stored", 0, NULL, "list what you have left, and who has it"},
        {"revoke", 0, "ID", "take one back"},
        {"new", 0, NULL, "do not go on with an interrupted transfer"},
        {"keep-contact", 0, NULL, "keep each other as contacts, if the other one wants to, too"},
        {"yes", 'y', NULL, "keep the contact without asking"},
        {"wait", 0, "TIME", "how long a lost connection is waited for (default: 30m)"},
        {"relay-only", 0, NULL, "never directly: the other one learns no address of yours"},
        {"lan", 0, NULL, "no server: find each other on this network"},
        {"direct", 0, "ADDR[:PORT]", "no server: call the other one, who listens there"},
        {"listen", 0, "[ADDR:]PORT", "no server: let the other one call (0: any port)"},
        {NULL, 0, NULL, NULL},
};
static const struct option receive_options[] = {
        {"link", 0, "FILE", "read the link from FILE (-: standard input)"},
        {"out", 'o', "DIR", "the folder to receive into (default: this one)"},
        {"yes", 'y', NULL, "do not ask"},
        {"digits", 'd', NULL, "make a code of digits, for a number pad"},
        {"qr", 0, NULL, "draw the code as a QR code, too"},
        {"keep-contact", 0, NULL, "keep each other as contacts, if the other one wants to, too"},
        {"new", 0, NULL, "do not go on with an interrupted transfer"},
        {"wait", 0, "TIME", "how long a lost connection is waited for (default: 30m)"},
        {"relay-only", 0, NULL, "never directly: the other one learns no address of yours"},
        {"lan", 0, NULL, "no server: find each other on this network"},
        {"direct", 0, "ADDR[:PORT]", "no server: call the other one, who listens there"},
        {"listen", 0, "[ADDR:]PORT", "no server: let the other one call (0: any port)"},
        {NULL, 0, NULL, NULL},
};
static const struct option agent_options[] = {
        {"listen", 'l', "ADDR:PORT", "where on loopback to listen (default: 127.0.0.1:8080)"},
        {"no-token", 0, NULL, "let any program of this machine in, without the token"},
        {"install", 0, NULL, "write a systemd user unit that runs the agent, and enable it"},
        {NULL, 0, NULL, NULL},
};
static const struct option yes_options[] = {
        {"yes", 'y', NULL, "do not ask"},
        {NULL, 0, NULL, NULL},
};

const struct command cli_commands[] = {
        {"register", "[USERNAME]", "make an account",
                "Asks for what is not given: username, e-mail, password (twice), and a code from "
                "an\n"
                "authenticator app after its QR code was shown. The recovery codes at the end are\n"
                "shown once. In scripts, with --json: the first line carries the otpauth URI; then "
                "a\n"
                "code is read from standard input or --code-file.",
                register_options, 0, 1, cmd_register, NULL},
        {"login", "[USERNAME]", "log in, or use an account on a new device",
                "A device without the account asks for username and e-mail as well, and reads what "
                "is\n"
                "sent from then on. With --code another device of yours has vouched for this "
                "one, and\n"
                "nothing else is asked.",
                login_options, 0, 1, cmd_login, NULL},
        {"link", "", "link a new device of yours by a code",
                "Asks for your password and a TOTP or recovery code, then shows a code, good for "
                "four\n"
                "minutes and one try: tacit login --code with it on the new device logs in there, "
                "once\n"
                "you have said yes here.",
                link_options, 0, 0, cmd_link, NULL},
        {"logout", "", "end the session on the server", NULL, NULL, 0, 0, cmd_logout, NULL},
        {"lock", "", "forget the keys until the password is given again", NULL, NULL, 0, 0,
                cmd_lock, NULL},
        {"unlock", "", "keep the keys in the kernel for twelve hours", NULL, NULL, 0, 0, cmd_unlock,
                NULL},
        {"whoami", "", "show the account of this profile", NULL, NULL, 0, 0, cmd_whoami, NULL},
        {"users", "[PREFIX]", "search the server's directory", NULL, NULL, 0, 1, cmd_users, "u"},
        {"send", "USER [TEXT...]", "send a message",
                "Without TEXT, or when it is -, the message is read from standard input. A number\n"
                "with a colon, as :12, or a name that no person can have, as \"Tea club\", is a\n"
                "conversation; others are written to by \"tacit group send\".",
                NULL, 1, -1, cmd_send, "u"},
        {"reply", "NAME MESSAGE [TEXT...]", "answer a message",
                "NAME is a user, a group, or a number as :12. MESSAGE is the number of a message, "
                "as\n"
                "history --ids shows it, or last: the newest of somebody else. Without TEXT, or "
                "when it\n"
                "is -, it is read from standard input.",
                NULL, 2, -1, cmd_reply, "n"},
        {"react", "NAME MESSAGE [EMOJI]", "react to a message",
                "MESSAGE is a number, or last: the newest of somebody else. A reaction is one "
                "emoji, or a\n"
                "short word; it takes the place of an earlier one. Without it, that one is taken "
                "back.",
                NULL, 2, 3, cmd_react, "n"},
        {"edit", "NAME MESSAGE [TEXT...]", "change an own message, for everybody",
                "MESSAGE is a number, or last: your newest. What it said before is gone from every "
                "device\n"
                "that hears of it.",
                NULL, 2, -1, cmd_edit, "n"},
        {"delete", "NAME MESSAGE", "take an own message back, for everybody",
                "MESSAGE is a number, or last: your newest. Who has read it may remember it, or "
                "have\n"
                "kept it otherwise.",
                NULL, 2, 2, cmd_delete, "n"},
        {"inbox", "", "show unread messages and mark them read", NULL, inbox_options, 0, 0,
                cmd_inbox, NULL},
        {"chat", "[NAME]", "talk: messages appear as they come",
                "NAME is a user, a group, or a number as :12; without it, the last conversation.\n"
                "On a terminal all conversations are on one screen, and /help says what can be "
                "typed.",
                chat_options, 0, 1, cmd_chat, "n"},
        {"listen", "", "print what happens, as it happens",
                "One line for each event, with --json one object: messages, read marks, who types "
                "or\n"
                "comes, members, warnings, and how the connection is. Ends with Ctrl-C, or when\n"
                "nobody reads any more.",
                listen_options, 0, 0, cmd_listen, NULL},
        {"history", "[NAME]", "show old messages, without asking the server", NULL, history_options,
                0, 1, cmd_history, "n"},
        {"group create", "NAME [USER...]", "make a group", NULL, NULL, 1, -1, cmd_group_create,
                "-u"},
        {"group list", "", "list your groups", NULL, NULL, 0, 0, cmd_group_list, NULL},
        {"group show", "GROUP", "show who is in a group", NULL, NULL, 1, 1, cmd_group_show, "g"},
        {"group add", "GROUP USER...", "take somebody into a group", NULL, NULL, 2, -1,
                cmd_group_add, "gu"},
        {"group remove", "GROUP USER", "remove somebody from a group", NULL, NULL, 2, 2,
                cmd_group_remove, "gu"},
        {"group leave", "GROUP", "leave a group", NULL, NULL, 1, 1, cmd_group_leave, "g"},
        {"group send", "GROUP [TEXT...]", "send a message to a group",
                "Without TEXT, or when it is -, the message is read from standard input.", NULL, 1,
                -1, cmd_group_send, "g"},
        {"room create", "NAME [USER...]", "make a room: a group whose name the server knows",
                "The server can read the name of a room, and nothing that is said there; it asks "
                "before.\n"
                "Who is in it is found by nobody else, and only members take others in.",
                yes_options, 1, -1, cmd_room_create, "-u"},
        {"room list", "", "list your rooms", NULL, NULL, 0, 0, cmd_room_list, NULL},
        {"room show", "ROOM", "show who is in a room", NULL, NULL, 1, 1, cmd_group_show, "g"},
        {"room add", "ROOM USER...", "take somebody into a room", NULL, NULL, 2, -1, cmd_group_add,
                "gu"},
        {"room remove", "ROOM USER", "remove somebody from a room", NULL, NULL, 2, 2,
                cmd_group_remove, "gu"},
        {"room leave", "ROOM", "leave a room", NULL, NULL, 1, 1, cmd_group_leave, "g"},
        {"room send", "ROOM [TEXT...]", "send a message to a room",
                "Without TEXT, or when it is -, the message is read from standard input.", NULL, 1,
                -1, cmd_group_send, "g"},
        {"session create", "USER...", "make a conversation that destroys itself",
                "When its time is up, or somebody closes it, its messages and files are gone from "
                "the\n"
                "server and from every device.",
                session_options, 1, -1, cmd_session_create, "u"},
        {"session list", "", "list your sessions", NULL, NULL, 0, 0, cmd_session_list, NULL},
        {"session close", "NAME", "destroy a session now", NULL, NULL, 1, 1, cmd_session_close,
                "g"},
        {"outbox list", "", "list your messages that wait to be sent",
                "They are sealed and sent, in order, as soon as the server can be reached.", NULL,
                0, 0, cmd_outbox_list, NULL},
        {"outbox drop", "ID", "do not send a message that waits",
                "ID is the beginning of its id, as the list shows it. One that has left before "
                "may\n"
                "have arrived all the same.",
                NULL, 1, 1, cmd_outbox_drop, NULL},
        {"expire", "NAME TIME", "make messages disappear after a time",
                "TIME is a number with s, m, h or d, or off. It holds for everybody in the\n"
                "conversation, and for messages that are sent from then on.",
                NULL, 2, 2, cmd_expire, "n"},
        {"file send", "NAME PATH...", "send files to a user or a group",
                "An interrupted upload goes on when the same command is given again.", NULL, 2, -1,
                cmd_file_send, "nf"},
        {"file get", "ID", "fetch a file that was announced",
                "ID is the beginning of a file's id, as messages show it. An interrupted download\n"
                "goes on when the same command is given again. Nothing is ever overwritten.",
                get_options, 1, 1, cmd_file_get, NULL},
        {"send-file", "PATH...", "send files to another device, without an account",
                "Makes a code as 7-amber-falcon; tacit receive with it on the other device fetches "
                "what\n"
                "is sent: files, folders, standard input (-), or with --text a text. An "
                "interrupted\n"
                "transfer goes on when both commands are given again.",
                send_file_options, 0, -1, cmd_send_file, "f"},
        {"receive", "[CODE] [-]", "receive what another device sends, without an account",
                "Without a code it makes one, for tacit send-file --code on the other device. "
                "Says what\n"
                "it is and how large, and asks, before anything is written. With - a file goes "
                "to\n"
                "standard output. Nothing is ever overwritten.",
                receive_options, 0, 2, cmd_receive, "k"},
        {"agent", "", "serve a plain API on loopback for your own programs",
                "Holds the keys of those who log in, encrypts and decrypts for programs of this\n"
                "machine that speak HTTP and JSON: messages, and transfers without an account. "
                "Ends\n"
                "with Ctrl-C.",
                agent_options, 0, 0, cmd_agent, NULL},
        {"verify", "USER", "compare the safety number with somebody", NULL, verify_options, 1, 1,
                cmd_verify, "u"},
        {"accept-key", "USER", "trust somebody's changed key", NULL, yes_options, 1, 1,
                cmd_accept_key, "u"},
        {"devices", "", "list your devices", NULL, NULL, 0, 0, cmd_devices, NULL},
        {"devices revoke", "ID", "cut off a device that was lost", NULL, yes_options, 1, 1,
                cmd_devices_revoke, NULL},
        {"quit", "", "leave the prompt", NULL, NULL, 0, 0, cmd_quit, NULL},
};
const size_t cli_command_count = TACIT_COUNT(cli_commands);

/* --- dispatch -------------------------------------------------------------------------------- */

/* Two words are tried before one: "devices revoke" is not "devices" with an argument. */
const struct command *cli_find_command(int count, char **words, int *used)
{
	const struct command *one = NULL;
	for (size_t i = 0; i < cli_command_count && count > 0; i++) {
		const char *name = cli_commands[i].name;
		size_t n = strlen(words[0]);
		if (strncmp(name, words[0], n) != 0)
			continue;
		if (name[n] == '\0')
			one = &cli_commands[i];
		if (name[n] == ' ' && count > 1 && strcmp(name + n + 1, words[1]) == 0) {
			*used = 2;
			return &cli_commands[i];
		}
	}
	*used = one != NULL ? 1 : 0;
	return one;
}

static bool is_first_word(const char *word)
{
	size_t n = strlen(word);
	for (size_t i = 0; i < cli_command_count; i++)
		if (strncmp(cli_commands[i].name, word, n) == 0 && cli_commands[i].name[n] == ' ')
			return true;
	return false;
}

/* "tacit group", "tacit group --help": its commands. */
static void print_family(FILE *to, const char *word)
{
	size_t n = strlen(word);
	fprintf(to, "usage:\n");
	for (size_t i = 0; i < cli_command_count; i++) {
		const struct command *c = &cli_commands[i];
		if (strncmp(c->name, word, n) == 0 && (c->name[n] == ' ' || c->name[n] == '\0'))
			fprintf(to, "  tacit %s %s\n      %s\n", c->name, c->args, c->summary);
	}
}

static int unknown(int count, char **words)
{
	char text[160];
	if (is_first_word(words[0])) {
		print_family(stderr, words[0]);
		return EXIT_USAGE;
	}
	snprintf(text, sizeof(text), "There is no command %s%s%s.", words[0], count > 1 ? " " : "",
	        count > 1 ? words[1] : "");
	return cli_usage_error(NULL, text);
}

static int run_command(struct cli *c, struct words *w)
{
	int used = 0;
	struct args args;
	const struct command *command = cli_find_command(w->count, w->list, &used);
	if (command == NULL)
		return unknown(w->count, w->list);
	w->count -= used;
	w->list += used;
	if (!options_parse(command, w, &args))
		return cli_usage_error(command, w->problem);
	return command->run(c, &args);
}

static int print_help(int count, char **words)
{
	int used = 0;
	const struct command *command = cli_find_command(count, words, &used);
	if (count > 0 && command == NULL && !is_first_word(words[0]))
		return unknown(count, words);
	if (count == 1 && is_first_word(words[0]))
		print_family(stdout, words[0]);
	else
		cli_print_help(command);
	return EXIT_DONE;
}

/* For the completions of shells. */
static void print_code(void *ctx, const char *code)
{
	(void)ctx;
	puts(code);
}

static int run_words(struct cli *c, struct words *w, const struct global_flags *flags)
{
	if (flags->version) {
		printf("tacit " TACIT_VERSION "\n");
		return EXIT_DONE;
	}
	if (flags->print_commands) {
		cli_print_commands();
		return EXIT_DONE;
	}
	if (flags->complete_code != NULL) {
		tacit_parcel_code_complete(tacit_cstr(flags->complete_code), print_code, NULL);
		return EXIT_DONE;
	}
	if (w->count > 0 && strcmp(w->list[0], "help") == 0)
		return print_help(w->count - 1, w->list + 1);
	if (flags->help)
		return print_help(w->count, w->list);
	if (w->count > 0)
		return run_command(c, w);
	if (!c->in_repl && term_is_tty(stdin) && term_is_tty(stdout))
		return repl_run(c);
	cli_print_usage(stderr);
	return EXIT_USAGE;
}

/* In the prompt, options hold for one line; the profile and the server are the prompt's own. */
int cli_dispatch(struct cli *c, int count, char **list)
{
	struct cli one = *c;
	struct global_flags flags = {0};
	struct words w = {.count = count, .list = list};
	if (!options_take_global(&one, &w, &flags))
		return cli_usage_error(NULL, w.problem);
	if (c->in_repl && (one.profile != c->profile || one.server != c->server))
		return cli_usage_error(
		        NULL, "The prompt has one profile and one server: quit first.");
	int status = run_words(&one, &w, &flags);
	c->host = one.host;
	return status;
}

/* --- the process ----------------------------------------------------------------------------- */

static void on_signal(int signo)
{
	cli_cancelled = signo;
}

/* Interrupted calls return, so that everything ends cleanly; a closed pipe is an error like others.
 */
static void catch_signals(void)
{
	struct sigaction stop = {.sa_handler = on_signal};
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGHUP, &stop, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

/* Keys and messages are in this memory: no core file, no debugger of the same user. */
static void hide_memory(void)
{
	const struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int main(int argc, char **argv)
{
	struct cli c = {.profile = "default"};
	hide_memory();
	catch_signals();
	term_init();
	int status = cli_dispatch(&c, argc - 1, argv + 1);
	cli_close(&c);
	if (fflush(stdout) != 0 && status == EXIT_DONE) {
		fprintf(stderr, "tacit: error: standard output cannot be written: %s\n",
		        strerror(errno));
		status = EXIT_FAILED;
	}
	return status;
}
