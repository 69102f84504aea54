/* tacit link, and tacit login --code: a new device of one's own, by a code. */
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/json_out.h"
#include "cli/qr.h"
#include "cli/show.h"
#include "client/parcel_link.h"
#include "crypto/random.h"
#include "e2e/parcel/parcel.h"

/* What is granted is good for five minutes; some of them pass before anybody is there. */
#define PATIENCE_S 240

struct linking {
	struct cli *cli;
	const struct args *args;
	bool gives;
	struct tacit_buf grant;
	struct tacit_buf device; /* what the new one calls itself; made clean */
	struct tacit_env env;
	struct tacit_parcel_code code;
	struct parcel_options options;
	struct parcel_result result;
	bool told; /* what has failed was said */
};

static bool talks(const struct linking *l)
{
	return !l->cli->quiet && !l->cli->json;
}

/* --- what both do ---------------------------------------------------------------------------- */

static void show_qr(const char *code)
{
	struct tacit_buf picture = {0};
	if (qr_draw(tacit_cstr(code), term_colours(stdout) ? QR_COLOURED : QR_PLAIN, &picture) ==
	        TACIT_OK)
		fwrite(picture.p, 1, picture.n, stdout);
	tacit_buf_clear(&picture);
}

static void on_code(void *ctx, const char *code)
{
	const struct linking *l = ctx;
	if (l->cli->json) {
		json_t *o = json_out_new("code");
		json_out_text(o, "code", tacit_cstr(code));
		json_out_print(stdout, o);
		return;
	}
	if (term_is_tty(stdout) || cli_option(l->args, "qr") != NULL)
		show_qr(code);
	if (!l->cli->quiet)
		printf("Code: %s%s%s\nOn the new device: tacit --server %s login --code %s\n",
		        term_style(stdout, TERM_BOLD), code, term_style(stdout, TERM_PLAIN),
		        http_server(host_http(l->cli->host)), code);
	else
		printf("%s\n", code);
	fflush(stdout);
}

static void on_state(void *ctx, enum parcel_state s)
{
	const struct linking *l = ctx;
	if (s == PARCEL_MET && !l->gives && talks(l))
		fprintf(stderr, "The code is right. Now say yes on the other device.\n");
}

static const struct parcel_ui ui = {.code = on_code, .state = on_state};

static void prepare(struct linking *l, struct cli *c, const struct args *a)
{
	*l = (struct linking){.cli = c, .args = a, .env = tacit_system_env()};
	l->options = (struct parcel_options){.http = host_http(c->host),
	        .env = &l->env,
	        .cancel = &cli_cancelled,
	        .ui = &ui,
	        .ctx = l,
	        .kind = cli_option(a, "digits") != NULL ? TACIT_PARCEL_CODE_DIGITS
	                                                : TACIT_PARCEL_CODE_WORDS};
}

static void release(struct linking *l)
{
	tacit_buf_clear(&l->grant);
	tacit_buf_clear(&l->device);
	tacit_wipe(&l->code, sizeof(l->code));
}

static int fail(const struct linking *l, enum tacit_err err)
{
	static const struct {
		enum tacit_err err;
		const char *text, *hint;
	} words[] = {
	        {TACIT_E_BAD_PASSWORD, "The code was wrong; it is used up.",
	                "Make a new one: tacit link."},
	        {TACIT_E_NOT_FOUND, "Nobody is waiting under that code.",
	                "It may be mistyped, used, or expired; or on another server (--server)."},
	        {TACIT_E_CONFLICT, "That is no code of tacit link: it is for files.",
	                "It is used up now."},
	        {TACIT_E_GONE, "The other device has gone.", "Begin again, with a new code."},
	        {TACIT_E_LIMIT, "The server has had too many codes from this address.",
	                "Wait a little, then try again."},
	};
	const char *text = l->result.problem[0] != '\0' ? l->result.problem : tacit_err_text(err);
	const char *hint =
	        err == TACIT_E_NETWORK ? "Is the server running, and is --server right?" : NULL;
	if (l->told)
		return EXIT_FAILED;
	for (size_t i = 0; i < TACIT_COUNT(words); i++)
		if (words[i].err == err && l->result.problem[0] == '\0') {
			text = words[i].text;
			hint = words[i].hint;
		}
	return cli_fail_text(l->cli, err, text, hint);
}

/* --- the device that has the account --------------------------------------------------------- */

static void on_granted(void *ctx, const struct tacit_notice *n)
{
	struct linking *l = ctx;
	if (n->kind != TACIT_NOTICE_DONE)
		show_loud(l->cli, n);
	else if (tacit_buf_reserve(&l->grant, n->text.n) == TACIT_OK)
		tacit_ignore(tacit_buf_append(&l->grant, n->text), "there is room");
}

/* The password is asked for though the keys are open: an unlocked machine that somebody finds does
 * not make them a device of their own. */
static int make_grant(struct linking *l)
{
	struct cli *c = l->cli;
	struct tacit_secret password = {0}, code = {0};
	int status = cli_password(c, "Password: ", &password);
	if (status == EXIT_DONE && tacit_engine_locked(host_engine(c->host)))
		status = cli_unlock_with(c, tacit_secret_view(&password));
	if (status == EXIT_DONE)
		status = cli_code(c, "TOTP or recovery code: ", &code);
	if (status == EXIT_DONE) {
		const struct tacit_command grant = {.kind = TACIT_CMD_GRANT,
		        .password = tacit_secret_view(&password),
		        .code = tacit_secret_view(&code),
		        .text = tacit_cstr(http_server(host_http(c->host)))};
		status = cli_run(c, &grant, on_granted, l);
	}
	tacit_secret_free(&password);
	tacit_secret_free(&code);
	return status == EXIT_DONE && l->grant.n == 0 ? cli_fail(c, TACIT_E_NOMEM, NULL) : status;
}

static void tell_device(const struct linking *l, const char *type)
{
	json_t *o = json_out_new(type);
	json_out_text(o, "device", tacit_buf_view(&l->device));
	json_out_print(stdout, o);
}

static enum tacit_err on_asked(void *ctx, struct tacit_bytes name, struct tacit_buf *grant)
{
	enum tacit_err err;
	struct linking *l = ctx;
	char prompt[4 * TACIT_PARCEL_MAX_DEVICE_NAME + 200];
	bool yes = cli_option(l->args, "yes") != NULL;
	struct tacit_bytes user = tacit_engine_username(host_engine(l->cli->host));
	TRY(term_clean(name, TERM_ONE_LINE, 0, &l->device));
	if (l->cli->json)
		tell_device(l, "asked");
	snprintf(prompt, sizeof(prompt),
	        "Link \"%.*s\" to your account %.*s? It will read what is sent from now on, write "
	        "in your name, and see with whom you talk. [y/N] ",
	        (int)l->device.n, (const char *)l->device.p, (int)user.n, (const char *)user.p);
	if (!yes)
		TRY(term_confirm(prompt, &yes));
	if (!yes) {
		snprintf(l->result.problem, sizeof(l->result.problem), "Not linked.");
		TRY(TACIT_E_REFUSED);
	}
	TRY(tacit_buf_reserve(grant, l->grant.n));
	TRY(tacit_buf_append(grant, tacit_buf_view(&l->grant)));
out:
	return err;
}

static int give(struct linking *l)
{
	const struct parcel_link_give how = {on_asked, PATIENCE_S};
	bool reached;
	enum tacit_err err = parcel_link_give(&l->options, &how, &l->result, &reached);
	if (err != TACIT_OK && reached && err != TACIT_E_REFUSED)
		return cli_fail_text(l->cli, err, "The new device has not said whether it is in.",
		        "Look at tacit devices; tacit devices revoke cuts it off.");
	if (err != TACIT_OK)
		return fail(l, err);
	if (l->cli->json)
		tell_device(l, "linked");
	cli_note(l->cli, "Linked: %.*s. tacit devices lists your devices.", (int)l->device.n,
	        (const char *)l->device.p);
	return EXIT_DONE;
}

int cmd_link(struct cli *c, const struct args *a)
{
	struct linking l;
	int status = cli_open(c, CLI_ACCOUNT);
	if (status != EXIT_DONE)
		return status;
	if (cli_option(a, "yes") == NULL && !term_can_ask())
		return cli_usage_error(
		        NULL, "There is no terminal to ask on before it is linked: say --yes.");
	prepare(&l, c, a);
	l.gives = true;
	status = make_grant(&l);
	if (status == EXIT_DONE)
		status = give(&l);
	release(&l);
	return status;
}

/* --- the new device -------------------------------------------------------------------------- */

static void on_notice(void *ctx, const struct tacit_notice *n)
{
	show_loud(ctx, n);
}

static enum tacit_err on_grant(void *ctx, struct tacit_bytes grant)
{
	struct linking *l = ctx;
	const struct tacit_command login = {.kind = TACIT_CMD_LOGIN, .text = grant};
	l->told = cli_run(l->cli, &login, on_notice, l->cli) != EXIT_DONE;
	return l->told ? TACIT_E_CANCELLED : TACIT_OK;
}

/* "-": from the terminal, or a line of standard input; it is good once. */
static int read_code(struct linking *l, const char *text)
{
	struct tacit_secret line = {0};
	int status = EXIT_DONE;
	struct tacit_bytes code = tacit_cstr(text);
	if (strcmp(text, "-") == 0) {
		status = cli_code(l->cli, "Code of the other device: ", &line);
		code = tacit_secret_view(&line);
	}
	enum tacit_err err =
	        status == EXIT_DONE ? tacit_parcel_code_parse(code, &l->code) : TACIT_OK;
	tacit_secret_free(&line);
	if (err != TACIT_OK)
		return cli_fail_text(l->cli, err,
		        err == TACIT_E_BAD_NAME ? "That code has a word that no code has."
		                                : "That is not a code.",
		        "A code is a number and two words, as 7-amber-falcon. It is still good.");
	l->options.code = &l->code;
	return status;
}

static void own_name(char out[TACIT_PARCEL_MAX_DEVICE_NAME + 1])
{
	out[TACIT_PARCEL_MAX_DEVICE_NAME] = '\0';
	if (gethostname(out, TACIT_PARCEL_MAX_DEVICE_NAME) != 0 || out[0] == '\0')
		snprintf(out, TACIT_PARCEL_MAX_DEVICE_NAME, "a device without a name");
}

int link_login(struct cli *c, const struct args *a)
{
	struct linking l;
	char name[TACIT_PARCEL_MAX_DEVICE_NAME + 1];
	own_name(name);
	prepare(&l, c, a);
	int status = read_code(&l, cli_option(a, "code"));
	const struct parcel_link_take how = {name, on_grant};
	enum tacit_err err = TACIT_OK;
	if (status == EXIT_DONE)
		err = parcel_link_take(&l.options, &how, &l.result);
	if (err != TACIT_OK)
		status = fail(&l, err);
	release(&l);
	return status;
}
