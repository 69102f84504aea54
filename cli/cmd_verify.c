/* verify and accept-key: what two people compare, and what follows from it. */
#include <ctype.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/json_out.h"
#include "cli/qr.h"
#include "cli/show.h"

#define GROUPS_A_LINE 4
#define WORDS_A_LINE 6
#define MAX_NUMBER 128
#define MAX_WORDS 256

struct safety {
	const struct cli *cli;
	const char *user;
	char number[MAX_NUMBER]; /* as it is shown: groups of digits */
	char words[MAX_WORDS];
	bool verified, changed;
};

static void keep(char *out, size_t size, struct tacit_bytes text)
{
	if (text.n < size)
		snprintf(out, size, "%.*s", (int)text.n, (const char *)text.p);
}

static void on_safety(void *ctx, const struct tacit_notice *n)
{
	struct safety *s = ctx;
	if (n->kind != TACIT_NOTICE_SAFETY) {
		show_loud(s->cli, n);
		return;
	}
	keep(s->number, sizeof(s->number), n->text);
	keep(s->words, sizeof(s->words), n->detail);
	s->verified = n->flag;
	s->changed = n->err == TACIT_E_KEY_CHANGED;
	if (s->cli->json)
		json_out_notice(stdout, n);
}

/* What the QR code holds. */
static size_t digits_of(const char *text, char *out, size_t size)
{
	size_t n = 0;
	for (; *text != '\0'; text++)
		if (isdigit((unsigned char)*text) && n + 1 < size)
			out[n++] = *text;
	out[n] = '\0';
	return n;
}

static void print_parts(const char *text, int a_line)
{
	int part = 0;
	printf("    ");
	for (const char *p = text; *p != '\0'; p++) {
		if (*p != ' ')
			putchar(*p);
		else
			printf(++part % a_line == 0 ? "\n    " : "  ");
	}
	putchar('\n');
}

static void print_qr(const char *number)
{
	char digits[MAX_NUMBER];
	struct tacit_buf drawing = {0};
	size_t n = digits_of(number, digits, sizeof(digits));
	if (qr_draw(tacit_bytes(digits, n), term_colours(stdout) ? QR_COLOURED : QR_PLAIN,
	            &drawing) == TACIT_OK)
		fwrite(drawing.p, 1, drawing.n, stdout);
	tacit_buf_clear(&drawing);
}

static int ask_number(struct cli *c, struct safety *s)
{
	const struct tacit_command command = {
	        .kind = TACIT_CMD_SAFETY_NUMBER, .username = tacit_cstr(s->user)};
	int status = cli_open(c, CLI_UNLOCKED);
	if (status == EXIT_DONE)
		status = cli_run(c, &command, on_safety, s);
	if (status != EXIT_DONE || c->json)
		return status;
	printf("Safety number with %s%s:\n\n%s", s->user,
	        s->changed ? " (their NEW key, not accepted yet)" : "",
	        term_style(stdout, TERM_BOLD));
	print_parts(s->number, GROUPS_A_LINE);
	printf("%s\nIn words:\n\n", term_style(stdout, TERM_PLAIN));
	print_parts(s->words, WORDS_A_LINE);
	putchar('\n');
	if (term_is_tty(stdout))
		print_qr(s->number);
	fflush(stdout);
	return EXIT_DONE;
}

/* SET_VERIFIED with our number, which the person says is theirs, too; COMPARE with what came by
 * another way. */
static int set_verified(
        struct cli *c, const char *user, enum tacit_command_kind kind, const char *number)
{
	const struct tacit_command command = {
	        .kind = kind, .username = tacit_cstr(user), .text = tacit_cstr(number)};
	int status = cli_run(c, &command, NULL, NULL);
	if (status == EXIT_DONE && c->json) {
		json_t *o = json_out_new("verified");
		json_out_text(o, "username", tacit_cstr(user));
		json_out_print(stdout, o);
	}
	if (status == EXIT_DONE)
		cli_note(c, "%s is verified.", user);
	return status;
}

int cmd_verify(struct cli *c, const struct args *a)
{
	bool yes = false;
	struct safety s = {.cli = c, .user = a->list[0]};
	const char *theirs = cli_option(a, "compare");
	int status = ask_number(c, &s);
	if (status != EXIT_DONE)
		return status;
	if (theirs != NULL)
		return set_verified(c, s.user, TACIT_CMD_COMPARE, theirs);
	if (s.changed)
		return cli_fail_text(c, TACIT_E_KEY_CHANGED, "Their key has changed.",
		        "When the new number is theirs indeed: tacit accept-key, then verify "
		        "again.");
	if (s.verified || c->json || !term_is_tty(stdout)) {
		cli_note(c, "%s", s.verified ? "Verified already." : "Not verified yet.");
		return EXIT_DONE;
	}
	printf("Compare it with %s, face to face or by a call: both must see the same.\n", s.user);
	enum tacit_err err = term_confirm("Is it the same? Type yes or no: ", &yes);
	if (err != TACIT_OK)
		return cli_fail(c, err, NULL);
	if (yes)
		return set_verified(c, s.user, TACIT_CMD_SET_VERIFIED, s.number);
	cli_note(c, "Not verified.");
	return EXIT_DONE;
}

int cmd_accept_key(struct cli *c, const struct args *a)
{
	bool yes = cli_option(a, "yes") != NULL;
	struct safety s = {.cli = c, .user = a->list[0]};
	int status = ask_number(c, &s);
	if (status != EXIT_DONE)
		return status;
	if (!s.changed) {
		cli_note(c, "The key of %s has not changed.", s.user);
		return EXIT_DONE;
	}
	if (!yes) {
		enum tacit_err err =
		        term_confirm("Trust this key from now on? Type yes or no: ", &yes);
		if (err == TACIT_E_UNSUPPORTED)
			return cli_fail_text(c, err, "There is no terminal to ask on.",
			        "With --yes it is accepted without asking.");
		if (err != TACIT_OK)
			return cli_fail(c, err, NULL);
	}
	if (!yes)
		return cli_fail_text(c, TACIT_E_CANCELLED, "The key was not accepted.", NULL);
	const struct tacit_command accept = {.kind = TACIT_CMD_ACCEPT_KEY,
	        .username = tacit_cstr(s.user),
	        .text = tacit_cstr(s.number)};
	status = cli_run(c, &accept, NULL, NULL);
	if (status == EXIT_DONE)
		cli_note(c, "Accepted, but not verified: tacit verify %s", s.user);
	return status;
}
