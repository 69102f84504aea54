/* The queue of letters. What leaves it is seen by tests/scenario/mail_reset.py. */
#include "server/mail/mail.h"

#include <string.h>

#include "crypto/secret.h"
#include "support/tap.h"

#define NOBODY_PORT 1 /* nobody listens there: each letter waits to be tried again */

static struct mail_settings settings(void)
{
	return (struct mail_settings){.env = tap_env(1),
	        .host = "127.0.0.1",
	        .port = NOBODY_PORT,
	        .from = "tacit@example.org"};
}

static enum tacit_err post_to(struct mailer *m, const char *to)
{
	const struct mail_letter l = {tacit_cstr(to), TACIT_STR("subject"), TACIT_STR("text\n")};
	return mailer_post(m, &l);
}

static void settings_are_checked(void)
{
	struct mailer *m;
	struct mail_settings s = settings();
	CHECK(mail_settings_problem(&s) == NULL);
	static const char *const bad[] = {"", "a b", "host/x", "host\r\nDATA", "u@host"};
	for (size_t i = 0; i < TACIT_COUNT(bad); i++) {
		s.host = bad[i];
		CHECK(mail_settings_problem(&s) != NULL);
		CHECK_ERR(mailer_new(&s, &m), TACIT_E_USAGE);
	}
	s = settings();
	s.from = "tacit@example.org>\r\nBcc: <eve@example.org";
	CHECK(mail_settings_problem(&s) != NULL);
	s = settings();
	s.user = "tacit";
	CHECK(mail_settings_problem(&s) != NULL);
}

static void an_address_brings_no_headers(void)
{
	struct mailer *m;
	const struct mail_settings s = settings();
	REQUIRE(mailer_new(&s, &m) == TACIT_OK);
	CHECK_ERR(post_to(m, "a@example.org\r\nBcc: eve@example.org"), TACIT_E_BAD_NAME);
	CHECK_ERR(post_to(m, "a@example.org>,<eve@example.org"), TACIT_E_BAD_NAME);
	CHECK_ERR(post_to(m, "nobody"), TACIT_E_BAD_NAME);
	mailer_free(m);
}

/* The thread may take one out meanwhile; it rests longer than it takes to fill the place. */
static void letters_that_wait_are_bounded(void)
{
	struct mailer *m;
	const struct mail_settings s = settings();
	size_t posted = 0;
	bool full = false;
	REQUIRE(mailer_new(&s, &m) == TACIT_OK);
	CHECK(!mailer_is_full(m));
	while (!full && posted < 4 * MAIL_MAX_WAITING) {
		full = post_to(m, "a@example.org") == TACIT_E_LIMIT && mailer_is_full(m);
		posted += !full;
	}
	CHECK(full && posted >= MAIL_MAX_WAITING);
	mailer_free(m);
}

static const struct tap_case cases[] = {
        {"settings are checked", settings_are_checked},
        {"an address brings no headers", an_address_brings_no_headers},
        {"letters that wait are bounded", letters_that_wait_are_bounded},
};

int main(int argc, char **argv)
{
	return tacit_crypto_init() == TACIT_OK ? tap_main(argc, argv, cases, TACIT_COUNT(cases))
	                                       : 1;
}
