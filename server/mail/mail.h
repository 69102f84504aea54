/* mail.h - letters that leave one after the other, by a thread of their own: whoever asks for one
 * never waits. Bounded: when the mail server is away for long, later letters are refused. */
#ifndef TACIT_SERVER_MAIL_MAIL_H
#define TACIT_SERVER_MAIL_MAIL_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/env.h"
#include "base/err.h"

#define MAIL_MAX_WAITING 256
#define MAIL_TRIES 3

struct mailer;

struct mail_settings { /* borrowed during mailer_new */
	struct tacit_env env;
	const char *host; /* loopback may speak in the clear, others must speak TLS */
	unsigned port;    /* 465: TLS from the start */
	const char *user; /* NULL: no login */
	struct tacit_bytes password;
	const char *from;
};

/* What is wrong with them, as a sentence, or NULL. */
const char *mail_settings_problem(const struct mail_settings *s);
/* Starts the thread. Fails: USAGE (mail_settings_problem), IO (no thread), NOMEM. */
TACIT_MUST_USE enum tacit_err mailer_new(const struct mail_settings *s, struct mailer **out);
/* Letters that wait are dropped. NULL is fine. */
void mailer_free(struct mailer *m);

/* to: an address (wire/names.h); subject: ASCII; text: UTF-8, lines ended by line feeds. All
 * copied. Any thread. Fails: LIMIT, BAD_NAME (to), NOMEM. */
struct mail_letter {
	struct tacit_bytes to, subject, text;
};
TACIT_MUST_USE enum tacit_err mailer_post(struct mailer *m, const struct mail_letter *l);
/* Any thread: would mailer_post fail with LIMIT now? */
bool mailer_is_full(struct mailer *m);

#endif
