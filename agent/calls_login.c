/* calls_login.c - login and logout: by a code of the agent's making, of the user's, or by what a
 * registration that was cut off has left (docs/agent.md, "The second factor"). */
#include <stdio.h>
#include <string.h>

#include "agent/account_form.h"
#include "agent/calls.h"
#include "agent/people.h"
#include "agent/profile.h"
#include "wire/names.h"

static enum tacit_err refuse_login(struct account_form *f, enum tacit_err err)
{
	if (f->x->problem != AGENT_FINE)
		return err;
	if (err != TACIT_E_BAD_PASSWORD)
		return call_refuse_host(f->x, f->host, err);
	bool code = strstr(host_problem(f->host), "TOTP") != NULL;
	return agent_refuse(f->x, code ? AGENT_INVALID_TOTP : AGENT_INVALID_CREDENTIALS);
}

/* Is there still a session at the server? One that cannot be asked now is believed in. */
static bool has_session(struct account_form *f)
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

static enum tacit_err wait_for_code(struct account_form *f)
{
	f->x->retry_after_s = 30;
	return agent_refuse_because(f->x, AGENT_RATE_LIMITED,
	        "The server takes each code once; the next one comes within half a minute.");
}

static enum tacit_err quiet_code(struct account_form *f)
{
	enum tacit_err err;
	struct moment m = {.now = tacit_env_now(&f->x->agent->env)};
	err = totp_change(f->host, take_own, &m, &f->keep);
	if (err == TACIT_E_CONFLICT)
		err = agent_refuse(f->x, AGENT_TOTP_REQUIRED);
	if (err == TACIT_E_LIMIT)
		err = wait_for_code(f);
	TRY(err);
	TRY(account_form_log_in(f, tacit_cstr(m.code)));
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
static enum tacit_err asked_code(struct account_form *f)
{
	enum tacit_err err;
	struct moment m = {.now = tacit_env_now(&f->x->agent->env), .given = f->totp};
	if (f->totp.n != TOTP_DIGITS)
		return account_form_log_in(f, f->totp);
	err = totp_change(f->host, check_given, &m, &f->keep);
	if (err == TACIT_E_BAD_PASSWORD)
		err = agent_refuse(f->x, AGENT_INVALID_TOTP);
	TRY(err);
	if (!has_session(f))
		TRY(account_form_log_in(f, f->totp));
out:
	return err;
}

/* What a registration that was cut off has left, if it has. */
static bool recall(struct account_form *f, struct pending *p)
{
	const struct pending_owner owner = account_form_owner(f);
	return pending_get(&owner, p) == TACIT_OK;
}

/* The profile has it from now on. */
static enum tacit_err adopt(struct account_form *f, const struct totp_keep *k)
{
	enum tacit_err err;
	const struct pending_owner owner = account_form_owner(f);
	f->keep = *k;
	TRY(totp_save(f->host, k));
	pending_forget(&owner);
out:
	return err;
}

static enum tacit_err load_keep(struct account_form *f)
{
	enum tacit_err err;
	const struct pending_owner owner = account_form_owner(f);
	struct pending p = {0};
	TRY(totp_load(f->host, &f->keep));
	if (f->keep.mode != TOTP_UNKNOWN)
		pending_forget(
		        &owner); /* of one that was cut off when the profile had it already */
	else if (recall(f, &p))
		TRY(adopt(f, &p.keep));
out:
	tacit_wipe(&p, sizeof(p));
	return err;
}

static enum tacit_err pass_second_factor(struct account_form *f)
{
	enum tacit_err err;
	TRY(load_keep(f));
	if (f->keep.mode != TOTP_QUIET && f->totp.n == 0)
		TRY(agent_refuse(f->x, AGENT_TOTP_REQUIRED));
	if (f->keep.mode == TOTP_UNKNOWN)
		TRY(account_form_log_in(f, f->totp));
	else if (f->keep.mode == TOTP_ASKED)
		TRY(asked_code(f));
	else if (!has_session(f))
		TRY(quiet_code(f));
out:
	return err;
}

/* An account that this machine does not know yet: a new device of it. The server wants a code. */
static enum tacit_err become_device(struct account_form *f)
{
	enum tacit_err err;
	const struct pending_owner owner = account_form_owner(f);
	TRY(profile_create(f->x->agent, f->username, &f->host));
	TRY(account_form_log_in(f, f->totp));
	/* The user has the second factor: a registration that was cut off here came to nothing. */
	pending_forget(&owner);
	TRY(host_remember_server(f->host));
out:
	return err;
}

/* The server may have made the account, and only its answer be lost. */
static enum tacit_err finish_registration(struct account_form *f)
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
	TRY(account_form_log_in(f, tacit_cstr(code)));
	TRY(adopt(f, &p.keep));
	TRY(host_remember_server(f->host));
out:
	f->email = tacit_bytes(NULL, 0);
	tacit_wipe(code, sizeof(code));
	tacit_wipe(&p, sizeof(p));
	return err;
}

static enum tacit_err enter(struct account_form *f)
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
static enum tacit_err read_code(struct account_form *f, const char *name)
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

static enum tacit_err read_login(struct account_form *f)
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
	TRY(account_form_email(f));
	if (!people_may_try(x->agent->people, f->username, &wait)) {
		x->retry_after_s = wait;
		TRY(agent_refuse(x, AGENT_RATE_LIMITED));
	}
out:
	return err;
}

static enum tacit_err answer_login(struct account_form *f, const char *word)
{
	json_t *o = json_object();
	agent_put_text(&o, "message", TACIT_STR("Login successful"));
	account_form_put_user(&o, f);
	agent_put_text(&o, "token", tacit_cstr(word));
	agent_put_number(&o, "expires_in", PEOPLE_IDLE_S);
	agent_put_bool(&o, "totp_enabled", f->keep.mode != TOTP_QUIET);
	return agent_answer(f->x, MHD_HTTP_OK, o);
}

enum tacit_err call_login(struct exchange *x)
{
	enum tacit_err err;
	struct account_form f = {.x = x};
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
	account_form_clear(&f);
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
