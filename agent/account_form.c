#include "agent/account_form.h"

#include "agent/profile.h"
#include "wire/names.h"

void account_form_clear(struct account_form *f)
{
	tacit_buf_clear(&f->made_email);
	tacit_wipe(&f->keep, sizeof(f->keep));
	tacit_wipe(f->digits, sizeof(f->digits));
}

struct pending_owner account_form_owner(const struct account_form *f)
{
	return (struct pending_owner){f->x->agent, f->username, f->password};
}

enum tacit_err account_form_email(struct account_form *f)
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

enum tacit_err account_form_log_in(struct account_form *f, struct tacit_bytes code)
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

void account_form_put_user(json_t **o, const struct account_form *f)
{
	json_t *user = json_object();
	agent_put_text(&user, "username", f->username);
	if (!profile_email_is_placeholder(f->email) && f->email.n > 0)
		agent_put_text(&user, "email", f->email);
	agent_put(o, "user", user);
	agent_put_text(o, "username", f->username);
}
