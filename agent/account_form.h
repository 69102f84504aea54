/* account_form.h - what a program has said of an account, on its way through register or login. */
#ifndef TACIT_AGENT_ACCOUNT_FORM_H
#define TACIT_AGENT_ACCOUNT_FORM_H

#include "agent/exchange.h"
#include "agent/pending.h"

/* Secret: clear with account_form_clear, which leaves the host. Empty is {.x = x}. */
struct account_form {
	struct exchange *x;
	struct tacit_bytes username, password, email, invitation, totp;
	char digits[16];
	struct tacit_buf made_email;
	struct host *host;
	struct totp_keep keep;
};
void account_form_clear(struct account_form *f);

struct pending_owner account_form_owner(const struct account_form *f);
/* The member "email", or the address that stands for none. Fails: REFUSED, NOMEM. */
TACIT_MUST_USE enum tacit_err account_form_email(struct account_form *f);
/* A session at the server, by this code. Fails: as host_run; BAD_PASSWORD. */
TACIT_MUST_USE enum tacit_err account_form_log_in(struct account_form *f, struct tacit_bytes code);
/* "user" and "username" of an answer. */
void account_form_put_user(json_t **o, const struct account_form *f);

#endif
