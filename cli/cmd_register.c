#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/json_out.h"
#include "cli/qr.h"
#include "cli/show.h"
#include "wire/names.h"

#define CODE_TRIES 3

struct form {
	struct tacit_buf username, email;
	struct tacit_secret password, invitation;
};

static int usage(const char *text)
{
	return cli_usage_error(
	        cli_find_command(1, (char *[]){(char *)"register"}, &(int){0}), text);
}

struct question {
	const char *prompt, *problem;
	bool (*valid)(struct tacit_bytes answer);
};

/* An answer by option, or asked for until it is valid. */
static int fill_in(
        const struct cli *c, const char *given, const struct question *q, struct tacit_buf *out)
{
	if (given != NULL) {
		if (!q->valid(tacit_cstr(given)))
			return usage(q->problem);
		enum tacit_err err = tacit_buf_append(out, tacit_cstr(given));
		return err == TACIT_OK ? EXIT_DONE : cli_fail(c, err, NULL);
	}
	for (;;) {
		out->n = 0;
		enum tacit_err err = term_ask(q->prompt, out);
		if (err == TACIT_E_UNSUPPORTED)
			return usage("Without a terminal, --username and --email are needed.");
		if (err != TACIT_OK)
			return cli_fail(c, err, NULL);
		if (q->valid(tacit_buf_view(out)))
			return EXIT_DONE;
		fprintf(stderr, "%s\n", q->problem);
	}
}

static int ask_new_password(struct cli *c, struct tacit_secret *out)
{
	struct tacit_secret again = {0};
	for (;;) {
		int status = cli_password(c, "Password: ", out);
		if (status != EXIT_DONE)
			return status;
		const char *problem = tacit_password_problem(tacit_secret_view(out));
		if (problem != NULL && c->password_file != NULL)
			return cli_fail_text(c, TACIT_E_WEAK_PASSWORD, problem, NULL);
		if (problem != NULL) {
			fprintf(stderr, "%s.\n", problem);
			continue;
		}
		if (c->password_file != NULL)
			return EXIT_DONE;
		status = cli_password(c, "Password again: ", &again);
		bool same = status == EXIT_DONE &&
		            tacit_ct_eq(tacit_secret_view(out), tacit_secret_view(&again));
		tacit_secret_free(&again);
		if (status != EXIT_DONE || same)
			return status;
		fprintf(stderr, "The two are not the same.\n");
	}
}

/* --- what comes back ------------------------------------------------------------------------- */

static void show_totp(const struct cli *c, const struct tacit_notice *n)
{
	struct tacit_buf drawing = {0};
	if (c->json) {
		json_out_notice(stdout, n);
		return;
	}
	printf("\nScan this with an authenticator app:\n\n");
	if (qr_draw(n->text, term_colours(stdout) ? QR_COLOURED : QR_PLAIN, &drawing) == TACIT_OK)
		fwrite(drawing.p, 1, drawing.n, stdout);
	printf("\nor type the secret into it:  %s", term_style(stdout, TERM_BOLD));
	term_put_text(stdout, n->detail, TERM_ONE_LINE, 0);
	printf("%s\nor open:  ", term_style(stdout, TERM_PLAIN));
	term_put_text(stdout, n->text, TERM_ONE_LINE, 0);
	printf("\n\n");
	fflush(stdout);
	tacit_buf_clear(&drawing);
}

static void show_recovery(const struct cli *c, const struct tacit_notice *n)
{
	if (c->json) {
		json_out_notice(stdout, n);
		return;
	}
	printf("\nRecovery codes, each good for one login without the authenticator:\n\n  %s",
	        term_style(stdout, TERM_BOLD));
	term_put_text(stdout, n->text, TERM_MANY_LINES, 2);
	printf("%s\n\nThey are shown this once. Print them or keep them in a password manager.\n\n",
	        term_style(stdout, TERM_PLAIN));
	fflush(stdout);
}

static void on_notice(void *ctx, const struct tacit_notice *n)
{
	const struct cli *c = ctx;
	if (n->kind == TACIT_NOTICE_TOTP_SETUP)
		show_totp(c, n);
	else if (n->kind == TACIT_NOTICE_RECOVERY_CODES)
		show_recovery(c, n);
	else
		show_loud(c, n);
}

/* A mistyped code is asked for again; a script has one try. */
static int verify(struct cli *c)
{
	bool person = c->code_file == NULL && term_is_tty(stdin);
	for (int tries = 1;; tries++) {
		struct tacit_secret code = {0};
		int status = cli_code(c, "Code from the app: ", &code);
		if (status != EXIT_DONE)
			return status;
		const struct tacit_command command = {
		        .kind = TACIT_CMD_VERIFY_TOTP, .code = tacit_secret_view(&code)};
		enum tacit_err err = host_run(c->host, &command, on_notice, c);
		tacit_secret_free(&code);
		if (err == TACIT_OK)
			return EXIT_DONE;
		cli_fail_host(c, err);
		if (!person || tries == CODE_TRIES || err == TACIT_E_CANCELLED)
			return EXIT_FAILED;
	}
}

static int finish(struct cli *c)
{
	enum tacit_err err = host_remember_server(c->host);
	if (err != TACIT_OK)
		return cli_fail(c, err, NULL);
	tacit_ignore(host_keep_unlocked(c->host), "no keyring here: the next command asks");
	struct tacit_bytes name = tacit_engine_username(host_engine(c->host));
	if (c->json) {
		json_t *o = json_out_new("registered");
		json_out_text(o, "username", name);
		json_out_text(o, "server", tacit_cstr(http_server(host_http(c->host))));
		json_out_print(stdout, o);
	}
	cli_note(c, "You are %.*s. Try: tacit users, tacit send USER, tacit chat USER", (int)name.n,
	        (const char *)name.p);
	return EXIT_DONE;
}

static const struct question username_question = {"Username: ",
        "A username is 1 to 24 letters, digits, '.', '_' or '-'.", tacit_username_valid};
static const struct question email_question = {
        "E-mail: ", "That is not an e-mail address.", tacit_email_valid};

static int fill_form(struct cli *c, const struct args *a, struct form *f)
{
	const char *given = a->count > 0 ? a->list[0] : cli_option(a, "username");
	int status = fill_in(c, given, &username_question, &f->username);
	if (status == EXIT_DONE)
		status = fill_in(c, cli_option(a, "email"), &email_question, &f->email);
	if (status == EXIT_DONE)
		status = ask_new_password(c, &f->password);
	return status;
}

int cmd_register(struct cli *c, const struct args *a)
{
	struct form f = {0};
	int status = cli_open(c, CLI_ANY);
	if (status != EXIT_DONE)
		return status;
	if (tacit_engine_has_account(host_engine(c->host)))
		return cli_fail_text(c, TACIT_E_EXISTS, "This profile has an account already.",
		        "Give another --profile NAME for another account.");
	const char *invitation_file = cli_option(a, "invitation-file");
	status = fill_form(c, a, &f);
	if (status == EXIT_DONE && invitation_file != NULL)
		status = cli_secret_file(c, invitation_file, "invitation", &f.invitation);
	if (status == EXIT_DONE) {
		const struct tacit_command command = {
		        .kind = TACIT_CMD_REGISTER,
		        .username = tacit_buf_view(&f.username),
		        .email = tacit_buf_view(&f.email),
		        .password = tacit_secret_view(&f.password),
		        .text = tacit_secret_view(&f.invitation),
		};
		status = cli_run(c, &command, on_notice, c);
	}
	tacit_secret_free(&f.password);
	tacit_secret_free(&f.invitation);
	if (status == EXIT_DONE)
		status = verify(c);
	if (status == EXIT_DONE)
		status = finish(c);
	tacit_buf_clear(&f.username);
	tacit_buf_clear(&f.email);
	return status;
}
