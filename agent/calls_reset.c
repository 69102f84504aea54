/* calls_reset.c - a password that was forgotten: the server sends a letter; with its token and the
 * keys that are still open here the account gets another one. Neither alone is enough. */
#include "agent/calls.h"
#include "agent/people.h"
#include "agent/profile.h"
#include "client/http.h"
#include "wire/names.h"

#define MAX_TOKEN 200

/* The server's answer in the agent's words. */
static enum tacit_err refuse_answer(
        struct exchange *x, struct http *h, int status, enum tacit_err err)
{
	if (err == TACIT_E_NETWORK)
		return agent_refuse(x, AGENT_SERVER_UNREACHABLE);
	if (status == 503 || status == 404)
		return agent_refuse(x, AGENT_MAIL_UNAVAILABLE);
	return agent_refuse_because(x, agent_problem_of(err), http_problem(h));
}

static enum tacit_err ask_server(struct exchange *x, json_t *body)
{
	enum tacit_err err;
	struct http *h = NULL;
	struct tacit_buf text = {0};
	struct http_answer answer = {0};
	const struct agent *a = x->agent;
	const struct http_options o = {a->server, a->o->ca_file, a->o->insecure_http, a->o->cancel};
	TRY(http_open(&o, &h));
	TRY(tacit_json_write(body, &text));
	const struct http_request r = {.method = "POST",
	        .path = "/api/forgot-password",
	        .content_type = "application/json",
	        .body = tacit_buf_view(&text)};
	err = http_perform(h, &r, &answer);
	if (err == TACIT_OK)
		err = http_refusal(h, &answer);
	if (err != TACIT_OK)
		err = refuse_answer(x, h, answer.status, err);
out:
	http_answer_clear(&answer);
	tacit_buf_clear(&text);
	http_close(h);
	return err;
}

enum tacit_err call_forgot_password(struct exchange *x)
{
	enum tacit_err err;
	struct tacit_bytes email;
	json_t *body = json_object(), *o = json_object();
	TRY(agent_text(x, "email", TACIT_MAX_EMAIL, &email));
	if (!tacit_email_valid(email))
		TRY(agent_refuse_because(x, AGENT_INVALID_FIELD, "That is not an e-mail address."));
	agent_put_text(&body, "email", email);
	TRY(body != NULL ? TACIT_OK : TACIT_E_NOMEM);
	TRY(ask_server(x, body));
	agent_put_text(&o, "message",
	        TACIT_STR("If somebody has that address, a letter with a token is on its way"));
	err = agent_answer(x, MHD_HTTP_OK, o);
	o = NULL;
out:
	json_decref(body);
	json_decref(o);
	return err;
}

/* "NAME.TOKEN"; the token has no dot. */
static struct tacit_bytes name_in(struct tacit_bytes token)
{
	size_t n = token.n;
	while (n > 0 && token.p[n - 1] != '.')
		n--;
	return tacit_bytes_part(token, 0, n > 0 ? n - 1 : 0);
}

static enum tacit_err reset(struct exchange *x, struct host *h, const struct tacit_command *c)
{
	enum tacit_err err = host_run(h, c, NULL, NULL);
	/* One of another account's letters says no more than one that is over. */
	if (err == TACIT_E_NOT_LOGGED_IN)
		return agent_refuse(x, AGENT_RESET_TOKEN_EXPIRED);
	return err == TACIT_OK ? TACIT_OK : call_refuse_host(x, h, err);
}

/* By the keys of who is logged in, else by those that the kernel keeps for the command line. */
static enum tacit_err reset_account(
        struct exchange *x, struct tacit_bytes username, const struct tacit_command *c)
{
	enum tacit_err err;
	struct people *people = x->agent->people;
	struct host *h = NULL;
	struct login *l = people_login_of(people, username);
	if (l != NULL) {
		err = reset(x, people_lock(l), c);
		people_unlock(l);
		if (err == TACIT_OK)
			people_end_account(people, l);
		people_release(people, l);
		return err;
	}
	err = profile_open(x->agent, username, &h);
	if (err == TACIT_OK)
		err = host_unlock_kept(h);
	if (err == TACIT_E_NOT_FOUND)
		err = agent_refuse(x, AGENT_KEYS_ELSEWHERE);
	TRY(err);
	TRY(reset(x, h, c));
out:
	host_close(h);
	return err;
}

enum tacit_err call_reset_password(struct exchange *x)
{
	enum tacit_err err;
	struct tacit_bytes token, password;
	TRY(agent_text(x, "token", MAX_TOKEN, &token));
	TRY(agent_text(x, "new_password", SIZE_MAX, &password));
	const char *problem = tacit_password_problem(password);
	if (problem != NULL)
		TRY(agent_refuse_because(x, AGENT_WEAK_PASSWORD, problem));
	struct tacit_bytes username = name_in(token);
	if (!tacit_username_valid(username))
		TRY(agent_refuse(x, AGENT_RESET_TOKEN_EXPIRED));
	const struct tacit_command c = {
	        .kind = TACIT_CMD_RESET_PASSWORD, .text = token, .password = password};
	TRY(reset_account(x, username, &c));
	json_t *o = json_object();
	agent_put_text(&o, "message", TACIT_STR("Password has been reset; log in again"));
	TRY(agent_answer(x, MHD_HTTP_OK, o));
out:
	return err;
}
