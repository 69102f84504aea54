#include <stdio.h>

#include "cli/commands.h"
#include "cli/json_out.h"
#include "cli/show.h"

struct form {
	struct tacit_buf username, email;
	struct tacit_secret password, code;
};

static int ask(const struct cli *c, const char *given, const char *prompt, struct tacit_buf *out)
{
	enum tacit_err err =
	        given != NULL ? tacit_buf_append(out, tacit_cstr(given)) : term_ask(prompt, out);
	if (err == TACIT_E_UNSUPPORTED)
		return cli_fail_text(c, err, "There is no terminal to ask on.",
		        "A new device needs --username and --email.");
	return err == TACIT_OK ? EXIT_DONE : cli_fail(c, err, NULL);
}

/* A profile that is known needs neither name nor address; its password is checked here first. */
static int fill_form(struct cli *c, const struct args *a, struct form *f)
{
	bool known = tacit_engine_has_account(host_engine(c->host));
	const char *username = a->count > 0 ? a->list[0] : cli_option(a, "username");
	int status = EXIT_DONE;
	if (!known)
		status = ask(c, username, "Username: ", &f->username);
	if (!known && status == EXIT_DONE)
		status = ask(c, cli_option(a, "email"), "E-mail: ", &f->email);
	if (known && username != NULL &&
	        !tacit_bytes_eq(tacit_cstr(username), tacit_engine_username(host_engine(c->host))))
		return cli_fail_text(c, TACIT_E_EXISTS, "This profile belongs to another account.",
		        "Give another --profile NAME for another account.");
	if (status == EXIT_DONE)
		status = cli_password(c, "Password: ", &f->password);
	if (status == EXIT_DONE && known && tacit_engine_locked(host_engine(c->host)))
		status = cli_unlock_with(c, tacit_secret_view(&f->password));
	if (status == EXIT_DONE)
		status = cli_code(c, "TOTP or recovery code: ", &f->code);
	return status;
}

static void on_notice(void *ctx, const struct tacit_notice *n)
{
	show_loud(ctx, n);
}

static int finish(struct cli *c, bool new_device)
{
	enum tacit_err err = host_remember_server(c->host);
	if (err != TACIT_OK)
		return cli_fail(c, err, NULL);
	tacit_ignore(host_keep_unlocked(c->host), "no keyring here: the next command asks");
	struct tacit_bytes name = tacit_engine_username(host_engine(c->host));
	if (c->json) {
		json_t *o = json_out_new("logged_in");
		json_out_text(o, "username", name);
		json_out_bool(o, "new_device", new_device);
		json_out_print(stdout, o);
	}
	cli_note(c, "You are %.*s.", (int)name.n, (const char *)name.p);
	if (new_device)
		cli_note(c, "This is a new device: it reads what is sent from now on.");
	return EXIT_DONE;
}

struct standing {
	bool counted;
	size_t waiting;
};

static void on_device(void *ctx, const struct tacit_notice *n)
{
	struct standing *s = ctx;
	if (n->kind == TACIT_NOTICE_DEVICE && n->flag)
		s->counted = true;
}

static void on_outgoing(void *ctx, const struct tacit_notice *n)
{
	struct standing *s = ctx;
	(void)n;
	s->waiting++;
}

/* The account is good, but this device may be none of it any more. */
static int check_device(struct cli *c)
{
	char text[160];
	struct standing s = {0};
	const struct tacit_command devices = {.kind = TACIT_CMD_DEVICES};
	const struct tacit_command logout = {.kind = TACIT_CMD_LOGOUT};
	int status = cli_run(c, &devices, on_device, &s);
	if (status != EXIT_DONE || s.counted)
		return EXIT_DONE; /* logged in, whatever has become of the question */
	enum tacit_err err = tacit_engine_each_outgoing(host_engine(c->host), on_outgoing, &s);
	if (err != TACIT_OK)
		return cli_fail(c, err, NULL);
	/* Nothing is to go out from here any more, nor to look as if nothing came. */
	status = cli_run(c, &logout, NULL, NULL);
	if (status != EXIT_DONE)
		return status;
	snprintf(text, sizeof(text),
	        "This device was removed from your account: it can neither read nor write.");
	if (s.waiting > 0)
		snprintf(text, sizeof(text),
		        "This device was removed from your account. Messages that were not sent: "
		        "%zu; tacit outbox list shows them.",
		        s.waiting);
	return cli_fail_text(c, TACIT_E_NO_DEVICE, text, CLI_HINT_REMOVED);
}

static int login_by_code(struct cli *c, const struct args *a)
{
	if (tacit_engine_has_account(host_engine(c->host)))
		return cli_fail_text(c, TACIT_E_EXISTS, "This profile has an account already.",
		        "Give another --profile NAME for another one.");
	int status = link_login(c, a);
	return status == EXIT_DONE ? finish(c, true) : status;
}

int cmd_login(struct cli *c, const struct args *a)
{
	struct form f = {0};
	int status = cli_open(c, CLI_ANY);
	if (status != EXIT_DONE)
		return status;
	if (cli_option(a, "code") != NULL)
		return login_by_code(c, a);
	bool new_device = !tacit_engine_has_account(host_engine(c->host));
	status = fill_form(c, a, &f);
	if (status == EXIT_DONE) {
		struct tacit_bytes name = tacit_buf_view(&f.username);
		const struct tacit_command command = {
		        .kind = TACIT_CMD_LOGIN,
		        .username = new_device ? name : tacit_engine_username(host_engine(c->host)),
		        .email = tacit_buf_view(&f.email),
		        .password = tacit_secret_view(&f.password),
		        .code = tacit_secret_view(&f.code),
		};
		status = cli_run(c, &command, on_notice, c);
	}
	tacit_secret_free(&f.password);
	tacit_secret_free(&f.code);
	if (status == EXIT_DONE)
		status = finish(c, new_device);
	if (status == EXIT_DONE && !new_device)
		status = check_device(c);
	tacit_buf_clear(&f.username);
	tacit_buf_clear(&f.email);
	return status;
}

int cmd_logout(struct cli *c, const struct args *a)
{
	(void)a;
	const struct tacit_command logout = {.kind = TACIT_CMD_LOGOUT};
	int status = cli_open(c, CLI_UNLOCKED);
	if (status != EXIT_DONE)
		return status;
	status = cli_run(c, &logout, NULL, NULL);
	host_forget_secret(c->host);
	cli_close(c);
	if (status == EXIT_DONE)
		cli_note(c, "Logged out. What is on this device stays, sealed.");
	return status;
}

int cmd_lock(struct cli *c, const struct args *a)
{
	(void)a;
	int status = cli_open(c, CLI_ACCOUNT);
	if (status != EXIT_DONE)
		return status;
	host_forget_secret(c->host);
	cli_close(c); /* in the prompt the engine holds the keys as well */
	return EXIT_DONE;
}

int cmd_unlock(struct cli *c, const struct args *a)
{
	(void)a;
	int status = cli_open(c, CLI_UNLOCKED);
	if (status != EXIT_DONE)
		return status;
	if (host_keep_unlocked(c->host) != TACIT_OK)
		return cli_fail_text(c, TACIT_E_UNSUPPORTED,
		        "The kernel keeps no secrets here, so each command asks for the password.",
		        NULL);
	return EXIT_DONE;
}
