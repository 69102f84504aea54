/* calls_account.c - register, login, logout, and the second factor. docs/agent.md says what the
 * second factor means here: the server always wants one, so the agent plays the authenticator app
 * until the user takes the secret over. */
#include <stdio.h>
#include <string.h>

#include "agent/calls.h"
#include "agent/pending.h"
#include "agent/people.h"
#include "agent/profile.h"
#include "agent/totp.h"
#include "wire/names.h"

#define NO_BYTES tacit_bytes(NULL, 0)

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

struct form {
	struct exchange *x;
	struct tacit_bytes username, password, email, invitation, totp;
	char digits[16];
	struct tacit_buf made_email;
	struct host *host;
	struct totp_keep keep;
};

static struct pending_owner owner_of(const struct form *f)
{
	return (struct pending_owner){f->x->agent, f->username, f->password};
}

static void form_clear(struct form *f)
{
	tacit_buf_clear(&f->made_email);
	tacit_wipe(&f->keep, sizeof(f->keep));
	tacit_wipe(f->digits, sizeof(f->digits));
}

static enum tacit_err read_email(struct form *f)
{
	enum tacit_err err;
	TRY(agent_optional_text(f->x, "email", TACIT_MAX_EMAIL, &f->email));
	if (f->email.n > 0)
		return tacit_email_valid(f->email) ? TACIT_OK
		                                   : agent_refuse_because(f->x, AGENT_INVALID_FIELD,
		                                             "That is not an e-mail address.");
	TRY(profile_placeholder_email(f->username, &f->made_email));
	f->email = tacit_buf_view(&f->made_email);
out:
	return err;
}

static enum tacit_err read_registration(struct form *f)
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
	TRY(read_email(f));
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

static enum tacit_err log_in_at_server(struct form *f, struct tacit_bytes code)
{
	const struct tacit_command login = {
	        .kind = TACIT_CMD_LOGIN,
	        .username = f->username,
	        .email = f->email,
	        .password = f->password,
	        .code = code,
	};
	return host_run(f->host, &login, NULL, NULL);
}

/* The secret is on disk before the server can have made the account: from there on nobody else has
 * it, and without it nobody logs in. */
static enum tacit_err keep_secret(struct form *f)
{
	enum tacit_err err;
	const struct pending_owner owner = owner_of(f);
	struct pending p = {.keep = f->keep};
	p.keep.mode = TOTP_QUIET;
	take(f->email, p.email, TACIT_MAX_EMAIL);
	TRY(pending_put(&owner, &p));
out:
	tacit_wipe(&p, sizeof(p));
	return err;
}

/* The server's second step, by the secret that it has just given. */
static enum tacit_err verify(struct form *f)
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
static enum tacit_err look_for_account(struct form *f, enum tacit_err verified)
{
	enum tacit_err err;
	char code[TOTP_CODE_ROOM] = "";
	if (tacit_engine_has_account(host_engine(f->host)))
		return TACIT_OK;
	TRY(totp_take_code(&f->keep, tacit_env_now(&f->x->agent->env), code));
	err = log_in_at_server(f, tacit_cstr(code));
	if (err == TACIT_E_BAD_PASSWORD)
		err = verified;
out:
	tacit_wipe(code, sizeof(code));
	return err;
}

static enum tacit_err verify_surely(struct form *f)
{
	const struct pending_owner owner = owner_of(f);
	enum tacit_err err = verify(f);
	if (err == TACIT_E_BAD_PASSWORD) {
		pending_forget(&owner);
		return agent_refuse_because(f->x, AGENT_INVALID_TOTP,
		        "Invalid TOTP token: the clocks of this machine and of the server are too "
		        "far apart.");
	}
	return err == TACIT_OK ? TACIT_OK : look_for_account(f, err);
}

static enum tacit_err make_account(struct form *f)
{
	enum tacit_err err;
	const struct tacit_command make = {
	        .kind = TACIT_CMD_REGISTER,
	        .username = f->username,
	        .email = f->email,
	        .password = f->password,
	        .text = f->invitation,
	};
	const struct pending_owner owner = owner_of(f);
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

static void put_user(json_t **o, const struct form *f)
{
	json_t *user = json_object();
	agent_put_text(&user, "username", f->username);
	if (!profile_email_is_placeholder(f->email) && f->email.n > 0)
		agent_put_text(&user, "email", f->email);
	agent_put(o, "user", user);
	agent_put_text(o, "username", f->username);
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
	struct form f = {.x = x};
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
	put_user(&o, &f);
	put_lines(&o, "recovery_codes", f.keep.recovery);
	TRY(agent_answer(x, MHD_HTTP_CREATED, o));
out:
	form_clear(&f);
	return err;
}

/* --- login ----------------------------------------------------------------------------------- */

static enum tacit_err refuse_login(struct form *f, enum tacit_err err)
{
	if (f->x->problem != AGENT_FINE)
		return err;
	if (err != TACIT_E_BAD_PASSWORD)
		return call_refuse_host(f->x, f->host, err);
	bool code = strstr(host_problem(f->host), "TOTP") != NULL;
	return agent_refuse(f->x, code ? AGENT_INVALID_TOTP : AGENT_INVALID_CREDENTIALS);
}

/* Is there still a session at the server? One that cannot be asked now is believed in. */
static bool has_session(struct form *f)
{
	const struct tacit_command who = {.kind = TACIT_CMD_WHOAMI};
	if (!tacit_engine_logged_in(host_engine(f->host)))
		return false;
	enum tacit_err err = host_run(f->host, &who, NULL, NULL);
	return err == TACIT_OK || err == TACIT_E_NETWORK;
}

struct moment {
	int64_t now;
	struct tacit_bytes given;
	char code[TOTP_CODE_ROOM];
};

static enum tacit_err take_own(void *ctx, struct totp_keep *k)
{
	struct moment *m = ctx;
	/* The user may have taken the secret over since this login began. */
	return k->mode == TOTP_QUIET ? totp_take_code(k, m->now, m->code) : TACIT_E_CONFLICT;
}

static enum tacit_err wait_for_code(struct form *f)
{
	f->x->retry_after_s = 30;
	return agent_refuse_because(f->x, AGENT_RATE_LIMITED,
	        "The server takes each code once; the next one comes within half a minute.");
}

static enum tacit_err quiet_code(struct form *f)
{
	enum tacit_err err;
	struct moment m = {.now = tacit_env_now(&f->x->agent->env)};
	err = totp_change(f->host, take_own, &m, &f->keep);
	if (err == TACIT_E_CONFLICT)
		err = agent_refuse(f->x, AGENT_TOTP_REQUIRED);
	if (err == TACIT_E_LIMIT)
		err = wait_for_code(f);
	TRY(err);
	TRY(log_in_at_server(f, tacit_cstr(m.code)));
out:
	tacit_wipe(&m, sizeof(m));
	return err;
}

static enum tacit_err check_given(void *ctx, struct totp_keep *k)
{
	const struct moment *m = ctx;
	return totp_check(k, m->now, m->given);
}

/* A code of the user's, which the agent can check by itself; a recovery code only the server can.
 */
static enum tacit_err asked_code(struct form *f)
{
	enum tacit_err err;
	struct moment m = {.now = tacit_env_now(&f->x->agent->env), .given = f->totp};
	if (f->totp.n != TOTP_DIGITS)
		return log_in_at_server(f, f->totp);
	err = totp_change(f->host, check_given, &m, &f->keep);
	if (err == TACIT_E_BAD_PASSWORD)
		err = agent_refuse(f->x, AGENT_INVALID_TOTP);
	TRY(err);
	if (!has_session(f))
		TRY(log_in_at_server(f, f->totp));
out:
	return err;
}

/* What a registration that was cut off has left, if it has. */
static bool recall(struct form *f, struct pending *p)
{
	const struct pending_owner owner = owner_of(f);
	return pending_get(&owner, p) == TACIT_OK;
}

/* The profile has it from now on. */
static enum tacit_err adopt(struct form *f, const struct totp_keep *k)
{
	enum tacit_err err;
	const struct pending_owner owner = owner_of(f);
	f->keep = *k;
	TRY(totp_save(f->host, k));
	pending_forget(&owner);
out:
	return err;
}

static enum tacit_err load_keep(struct form *f)
{
	enum tacit_err err;
	struct pending p = {0};
	TRY(totp_load(f->host, &f->keep));
	if (f->keep.mode == TOTP_UNKNOWN && recall(f, &p))
		TRY(adopt(f, &p.keep));
out:
	tacit_wipe(&p, sizeof(p));
	return err;
}

static enum tacit_err pass_second_factor(struct form *f)
{
	enum tacit_err err;
	TRY(load_keep(f));
	if (f->keep.mode != TOTP_QUIET && f->totp.n == 0)
		TRY(agent_refuse(f->x, AGENT_TOTP_REQUIRED));
	if (f->keep.mode == TOTP_UNKNOWN)
		TRY(log_in_at_server(f, f->totp));
	else if (f->keep.mode == TOTP_ASKED)
		TRY(asked_code(f));
	else if (!has_session(f))
		TRY(quiet_code(f));
out:
	return err;
}

/* An account that this machine does not know yet: a new device of it. The server wants a code. */
static enum tacit_err become_device(struct form *f)
{
	enum tacit_err err;
	TRY(profile_create(f->x->agent, f->username, &f->host));
	TRY(log_in_at_server(f, f->totp));
	TRY(host_remember_server(f->host));
out:
	return err;
}

/* The server may have made the account, and only its answer be lost. */
static enum tacit_err finish_registration(struct form *f)
{
	enum tacit_err err;
	struct pending p = {0};
	char code[TOTP_CODE_ROOM] = "";
	if (!recall(f, &p))
		TRY(agent_refuse(f->x, AGENT_INVALID_CREDENTIALS));
	f->email = tacit_cstr(p.email);
	err = totp_take_code(&p.keep, tacit_env_now(&f->x->agent->env), code);
	if (err == TACIT_E_LIMIT)
		err = wait_for_code(f);
	TRY(err);
	TRY(profile_create(f->x->agent, f->username, &f->host));
	TRY(log_in_at_server(f, tacit_cstr(code)));
	TRY(adopt(f, &p.keep));
	TRY(host_remember_server(f->host));
out:
	f->email = tacit_bytes(NULL, 0);
	tacit_wipe(code, sizeof(code));
	tacit_wipe(&p, sizeof(p));
	return err;
}

static enum tacit_err enter(struct form *f)
{
	enum tacit_err err;
	struct agent *a = f->x->agent;
	err = profile_open(a, f->username, &f->host);
	if (err == TACIT_E_NOT_FOUND)
		return f->totp.n > 0 ? become_device(f) : finish_registration(f);
	TRY(err);
	TRY(host_unlock(f->host, f->password));
	TRY(pass_second_factor(f));
out:
	return err;
}

/* Some programs send the code as a number, which has lost its leading zeros. */
static enum tacit_err read_code(struct form *f, const char *name)
{
	const json_t *number = json_object_get(f->x->json, name);
	if (!json_is_integer(number))
		return agent_optional_text(f->x, name, 64, &f->totp);
	json_int_t n = json_integer_value(number);
	if (n < 0 || n > 999999)
		return agent_refuse(f->x, AGENT_INVALID_TOTP);
	snprintf(f->digits, sizeof(f->digits), "%06d", (int)n);
	f->totp = tacit_cstr(f->digits);
	return TACIT_OK;
}

static enum tacit_err read_login(struct form *f)
{
	enum tacit_err err;
	struct exchange *x = f->x;
	unsigned wait;
	TRY(agent_text(x, "username", 200, &f->username));
	TRY(agent_text(x, "password", SIZE_MAX, &f->password));
	TRY(read_code(f, "totp"));
	if (f->totp.n == 0)
		TRY(read_code(f, "totp_code"));
	if (!tacit_username_valid(f->username) || f->password.n > TACIT_MAX_PASSWORD)
		TRY(agent_refuse(x, AGENT_INVALID_CREDENTIALS));
	TRY(read_email(f));
	if (!people_may_try(x->agent->people, f->username, &wait)) {
		x->retry_after_s = wait;
		TRY(agent_refuse(x, AGENT_RATE_LIMITED));
	}
out:
	return err;
}

static enum tacit_err answer_login(struct form *f, const char *word)
{
	json_t *o = json_object();
	agent_put_text(&o, "message", TACIT_STR("Login successful"));
	put_user(&o, f);
	agent_put_text(&o, "token", tacit_cstr(word));
	agent_put_number(&o, "expires_in", PEOPLE_IDLE_S);
	agent_put_bool(&o, "totp_enabled", f->keep.mode != TOTP_QUIET);
	return agent_answer(f->x, MHD_HTTP_OK, o);
}

enum tacit_err call_login(struct exchange *x)
{
	enum tacit_err err;
	struct form f = {.x = x};
	struct people *people = x->agent->people;
	char word[PEOPLE_WORD_CHARS + 1] = "";
	TRY(read_login(&f));
	people_begin_admission(people);
	err = enter(&f);
	if (err != TACIT_OK)
		err = refuse_login(&f, err);
	if (err != TACIT_OK)
		profile_discard(x->agent, f.username, f.host);
	else
		err = people_enter(people, f.host, word);
	people_end_admission(people);
	TRY(err);
	people_forgive_try(people, f.username);
	snprintf(x->cookie, sizeof(x->cookie),
	        "tacit_agent=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%d", word,
	        PEOPLE_IDLE_S);
	TRY(answer_login(&f, word));
out:
	tacit_wipe(word, sizeof(word));
	form_clear(&f);
	return err;
}

enum tacit_err call_logout(struct exchange *x)
{
	people_leave(x->agent->people, x->login);
	snprintf(x->cookie, sizeof(x->cookie),
	        "tacit_agent=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
	json_t *o = json_object();
	agent_put_text(&o, "message", TACIT_STR("Logged out successfully"));
	return agent_answer(x, MHD_HTTP_OK, o);
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
