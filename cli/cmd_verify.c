/* verify and accept-key: what two people compare, and what follows from it. */
#include <ctype.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/json_out.h"
#include "cli/qr.h"
#include "cli/show.h"

#define GROUPS_A_LINE 4
#define MAX_NUMBER 128

struct safety {
	const struct cli *cli;
	const char *user;
	char number[MAX_NUMBER]; /* as it is shown: groups of digits */
	bool verified, changed;
};

static void on_safety(void *ctx, const struct tacit_notice *n)
{
	struct safety *s = ctx;
	if (n->kind != TACIT_NOTICE_SAFETY) {
		show_loud(s->cli, n);
		return;
	}
	if (n->text.n < sizeof(s->number))
		snprintf(s->number, sizeof(s->number), "%.*s", (int)n->text.n,
		        (const char *)n->text.p);
	s->verified = n->flag;
	s->changed = n->err == TACIT_E_KEY_CHANGED;
	if (s->cli->json)
		json_out_notice(stdout, n);
}

/* Digits alone: how they are spaced is of no account. */
static size_t digits_of(const char *text, char *out, size_t size)
{
	size_t n = 0;
	for (; *text != '\0'; text++)
		if (isdigit((unsigned char)*text) && n + 1 < size)
			out[n++] = *text;
	out[n] = '\0';
	return n;
}

static void print_number(const char *number)
{
	int group = 0;
	printf("    ");
	for (const char *p = number; *p != '\0'; p++) {
		if (*p != ' ')
			putchar(*p);
		else
			printf(++group % GROUPS_A_LINE == 0 ? "\n    " : "  ");
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
	print_number(s->number);
	printf("%s\n", term_style(stdout, TERM_PLAIN));
	if (term_is_tty(stdout))
		print_qr(s->number);
	fflush(stdout);
	return EXIT_DONE;
}

static int set_verified(struct cli *c, const struct safety *s)
{
	const char *user = s->user;
	const struct tacit_command command = {.kind = TACIT_CMD_SET_VERIFIED,
	        .username = tacit_cstr(user),
	        .text = tacit_cstr(s->number)};
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

/* A number that came by another way, held against ours. */
static int compare(struct cli *c, const struct safety *s, const char *theirs)
{
	char a[MAX_NUMBER];
	char b[MAX_NUMBER];
	digits_of(s->number, a, sizeof(a));
	digits_of(theirs, b, sizeof(b));
	if (a[0] == '\0' || strcmp(a, b) != 0)
		return cli_fail_text(c, TACIT_E_BAD_SIGNATURE, "The numbers are NOT the same.",
		        "Somebody may stand between you. Send nothing that must stay secret.");
	return set_verified(c, s);
}

int cmd_verify(struct cli *c, const struct args *a)
{
	bool yes = false;
	struct safety s = {.cli = c, .user = a->list[0]};
	const char *theirs = cli_option(a, "compare");
	int status = ask_number(c, &s);
	if (status != EXIT_DONE)
		return status;
	if (s.changed)
		return cli_fail_text(c, TACIT_E_KEY_CHANGED, "Their key has changed.",
		        "When the new number is theirs indeed: tacit accept-key, then verify "
		        "again.");
	if (theirs != NULL)
		return compare(c, &s, theirs);
	if (s.verified || c->json || !term_is_tty(stdout)) {
		cli_note(c, "%s", s.verified ? "Verified already." : "Not verified yet.");
		return EXIT_DONE;
	}
	printf("Compare it with %s, face to face or by a call: both must see the same.\n", s.user);
	enum tacit_err err = term_confirm("Is it the same? Type yes or no: ", &yes);
	if (err != TACIT_OK)
		return cli_fail(c, err, NULL);
	if (yes)
		return set_verified(c, &s);
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
