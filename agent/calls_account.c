/* calls_account.c - register, and the second factor. docs/agent.md says what that means here: the
 * server always wants one, so the agent plays the authenticator app until the user takes the secret
 * over. */
#include <stdio.h>
#include <string.h>

#include "agent/account_form.h"
#include "agent/calls.h"
#include "agent/people.h"
#include "agent/profile.h"
#include "wire/names.h"

enum tacit_err call_refuse_host(struct exchange *x, const struct host *h, enum tacit_err err)
{
	enum agent_problem p = agent_problem_of(err);
	const char *text = h != NULL ? host_problem(h) : "";
	if (p == AGENT_INTERNAL || text[0] == '\0')
		return agent_refuse(x, p);
	if (p == AGENT_USER_EXISTS)
		return agent_refuse(x, p);
	return agent_refuse_because(x, p, text);
}

/* --- register -------------------------------------------------------------------------------- */

static enum tacit_err read_registration(struct account_form *f)
{
	enum tacit_err err;
	TRY(agent_text(f->x, "username", 200, &f->username));
	if (!tacit_username_valid(f->username))
		TRY(agent_refuse_because(f->x, AGENT_INVALID_FIELD,
		        "A username is 1 to 24 letters, digits, '.', '_' or '-'."));
	TRY(agent_text(f->x, "password", SIZE_MAX, &f->password));
	const char *problem = tacit_password_problem(f->password);
	if (problem != NULL)
		TRY(agent_refuse_because(f->x, AGENT_WEAK_PASSWORD, problem));
	TRY(agent_optional_text(f->x, "invitation", 200, &f->invitation));
	TRY(account_form_email(f));
out:
	return err;
}

static void take(struct tacit_bytes text, char *out, size_t max)
{
	size_t n = text.n <= max ? text.n : 0;
	if (n > 0)
		memcpy(out, text.p, n);
	out[n] = '\0';
}

static void on_registered(void *ctx, const struct tacit_notice *n)
{
	struct totp_keep *k = ctx;
	if (n->kind == TACIT_NOTICE_TOTP_SETUP) {
		take(n->detail, k->secret, TOTP_MAX_SECRET);
		take(n->text, k->uri, TOTP_MAX_URI);
	}
	if (n->kind == TACIT_NOTICE_RECOVERY_CODES)
		take(n->text, k->recovery, TOTP_MAX_RECOVERY);
}

/* The secret is on disk before the server can have made the account: from there on nobody else has
 * it, and without it nobody logs in. */
static enum tacit_err keep_secret(struct account_form *f)
{
	enum tacit_err err;
	const struct pending_owner owner = account_form_owner(f);
	struct pending p = {.keep = f->keep};
	p.keep.mode = TOTP_QUIET;
	take(f->email, p.email, TACIT_MAX_EMAIL);
	TRY(pending_put(&owner, &p));
out:
	tacit_wipe(&p, sizeof(p));
	return err;
}

/* The server's second step, by the secret that it has just given. */
static enum tacit_err verify(struct account_form *f)
{
	enum tacit_err err;
	char code[TOTP_CODE_ROOM] = "";
	TRY(totp_take_code(&f->keep, tacit_env_now(&f->x->agent->env), code));
	TRY(keep_secret(f));
	const struct tacit_command verify_totp = {
	        .kind = TACIT_CMD_VERIFY_TOTP, .code = tacit_cstr(code)};
	err = host_run(f->host, &verify_totp, on_registered, &f->keep);
out:
	tacit_wipe(code, sizeof(code));
	return err;
}

/* Its answer did not come, or only that to a second try: has it made the account? */
static enum tacit_err look_for_account(struct account_form *f, enum tacit_err verified)
{
	enum tacit_err err;
	char code[TOTP_CODE_ROOM] = "";
	if (tacit_engine_has_account(host_engine(f->host)))
		return TACIT_OK;
	TRY(totp_take_code(&f->keep, tacit_env_now(&f->x->agent->env), code));
	err = account_form_log_in(f, tacit_cstr(code));
	if (err == TACIT_E_BAD_PASSWORD)
		err = verified;
out:
	tacit_wipe(code, sizeof(code));
	return err;
}

static enum tacit_err verify_surely(struct account_form *f)
{
	const struct pending_owner owner = account_form_owner(f);
	enum tacit_err err = verify(f);
	if (err == TACIT_E_BAD_PASSWORD) {
		pending_forget(&owner);
		return agent_refuse_because(f->x, AGENT_INVALID_TOTP,
		        "Invalid TOTP token: the clocks of this machine and of the server are too "
		        "far apart.");
	}
	return err == TACIT_OK ? TACIT_OK : look_for_account(f, err);
}

static enum tacit_err make_account(struct account_form *f)
{
	enum tacit_err err;
	const struct tacit_command make = {
	        .kind = TACIT_CMD_REGISTER,
	        .username = f->username,
	        .email = f->email,
	        .password = f->password,
	        .text = f->invitation,
	};
	const struct pending_owner owner = account_form_owner(f);
	if (tacit_engine_has_account(host_engine(f->host)))
		return agent_refuse(f->x, AGENT_USER_EXISTS);
	TRY(host_run(f->host, &make, on_registered, &f->keep));
	TRY(f->keep.secret[0] != '\0' ? TACIT_OK : TACIT_E_MALFORMED);
	TRY(verify_surely(f));
	f->keep.mode = TOTP_QUIET;
	TRY(totp_save(f->host, &f->keep));
	pending_forget(&owner);
	TRY(host_remember_server(f->host));
out:
	return err;
}

static void put_lines(json_t **o, const char *name, const char *text)
{
	json_t *list = json_array();
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");
		if (n > 0 && json_array_append_new(list, json_stringn(text, n)) != 0)
			break;
		text += text[n] == '\n' ? n + 1 : n;
	}
	agent_put(o, name, list);
}

enum tacit_err call_register(struct exchange *x)
{
	enum tacit_err err;
	struct account_form f = {.x = x};
	unsigned wait;
	TRY(read_registration(&f));
	if (!people_may_try(x->agent->people, f.username, &wait)) {
		x->retry_after_s = wait;
		TRY(agent_refuse(x, AGENT_RATE_LIMITED));
	}
	people_begin_admission(x->agent->people);
	err = profile_create(x->agent, f.username, &f.host);
	if (err == TACIT_OK)
		err = make_account(&f);
	if (err != TACIT_OK && x->problem == AGENT_FINE)
		err = call_refuse_host(x, f.host, err);
	profile_discard(x->agent, f.username, f.host);
	people_end_admission(x->agent->people);
	TRY(err);
	json_t *o = json_object();
	agent_put_text(&o, "message", TACIT_STR("User registered successfully"));
	account_form_put_user(&o, &f);
	put_lines(&o, "recovery_codes", f.keep.recovery);
	TRY(agent_answer(x, MHD_HTTP_CREATED, o));
out:
	account_form_clear(&f);
	return err;
}

/* --- the second factor ------------------------------------------------------------------------ */

static enum tacit_err set_mode(void *ctx, struct totp_keep *k)
{
	const enum totp_mode *mode = ctx;
	if (k->mode == TOTP_UNKNOWN)
		return TACIT_E_NOT_FOUND;
	k->mode = *mode;
	return TACIT_OK;
}

static enum tacit_err change_mode(struct exchange *x, enum totp_mode mode, struct totp_keep *k)
{
	struct host *h = people_lock(x->login);
	enum tacit_err err = totp_change(h, set_mode, &mode, k);
	people_unlock(x->login);
	return err == TACIT_E_NOT_FOUND ? agent_refuse(x, AGENT_TOTP_ELSEWHERE) : err;
}

enum tacit_err call_totp_setup(struct exchange *x)
{
	enum tacit_err err;
	struct totp_keep k = {0};
	struct tacit_buf picture = {0};
	TRY(change_mode(x, TOTP_ASKED, &k));
	TRY(totp_qr(k.uri, &picture));
	json_t *o = json_object();
	agent_put_text(&o, "secret", tacit_cstr(k.secret));
	agent_put_text(&o, "qr_code", tacit_buf_view(&picture));
	agent_put_text(&o, "message", TACIT_STR("From now on each login needs a TOTP token"));
	agent_put_text(&o, "otpauth_uri", tacit_cstr(k.uri));
	agent_put_text(&o, "provisioning_uri", tacit_cstr(k.uri));
	agent_put_bool(&o, "enabled", true);
	TRY(agent_answer(x, MHD_HTTP_OK, o));
out:
	tacit_wipe(&k, sizeof(k));
	tacit_buf_clear(&picture);
	return err;
}

enum tacit_err call_totp_disable(struct exchange *x)
{
	enum tacit_err err;
	struct totp_keep k = {0};
	TRY(change_mode(x, TOTP_QUIET, &k));
	json_t *o = json_object();
	agent_put_text(&o, "message", TACIT_STR("Logins need no TOTP token any more"));
	agent_put_bool(&o, "enabled", false);
	TRY(agent_answer(x, MHD_HTTP_OK, o));
out:
	tacit_wipe(&k, sizeof(k));
	return err;
}
