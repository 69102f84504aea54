#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/config.h"
#include "support/tap.h"

#define SECRET_TEXT "0123456789abcdef0123456789abcdef"

static struct config c;
static char why[256];

/* Flags as one text of words, the environment likewise. */
static enum tacit_err read_both(const char *flags, const char *environment)
{
	char texts[2][1024];
	char *lists[2][32] = {{"tacitd"}, {"HOME=/home/nobody"}};
	int counts[2] = {1, 1};
	(void)snprintf(texts[0], sizeof(texts[0]), "%s", flags);
	(void)snprintf(texts[1], sizeof(texts[1]), "%s", environment);
	for (int i = 0; i < 2; i++) {
		char *rest = NULL;
		for (char *w = strtok_r(texts[i], " ", &rest); w != NULL;
		        w = strtok_r(NULL, " ", &rest))
			lists[i][counts[i]++] = w;
		lists[i][counts[i]] = NULL;
	}
	config_clear(&c);
	return config_read(&c, counts[0], lists[0], lists[1], why);
}

static void write_file(char path[32], const char *text)
{
	(void)snprintf(path, 32, "/tmp/tacit-config-XXXXXX");
	int fd = mkstemp(path);
	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	if (fd >= 0)
		close(fd);
}

static enum tacit_err read_file(const char *text, const char *flags, const char *environment)
{
	char path[32], all[512];
	write_file(path, text);
	(void)snprintf(all, sizeof(all), "--config %s %s", path, flags);
	enum tacit_err err = read_both(all, environment);
	unlink(path);
	return err;
}

static void test_defaults(void)
{
	CHECK_OK(read_both("", ""));
	CHECK_INT(c.action, CONFIG_SERVE);
	CHECK(strcmp(c.listen, "127.0.0.1:5000") == 0);
	CHECK(strcmp(c.data, "/home/nobody/.local/share/tacit/server") == 0);
	CHECK_INT(c.max_file_size, 100 * 1024 * 1024);
	CHECK_INT(c.signature_window, 300);
	CHECK(c.ttl_min == 1 && c.ttl_max == 31622400);
	CHECK_INT(c.registration, API_REGISTRATION_OPEN);
	CHECK_INT(c.metrics, API_METRICS_LOOPBACK);
	CHECK_INT(c.log_format, LOG_TEXT);
	CHECK(c.access_log && !c.require_signed && c.database_url == NULL && c.secret.n == 0);
	CHECK_OK(read_both("", "XDG_DATA_HOME=/var/data"));
	CHECK(strcmp(c.data, "/var/data/tacit/server") == 0);
}

static void test_precedence(void)
{
	const char *file = "max-file-size = 3M\nquota-bytes = 30M\nupload-expiry = 33\n";
	CHECK_OK(read_file(file, "--max-file-size 1M", "MAX_FILE_SIZE=2M QUOTA_BYTES=20M"));
	CHECK_INT(c.max_file_size, 1024 * 1024);
	CHECK_INT(c.quota_bytes, 20 * 1024 * 1024);
	CHECK_INT(c.upload_expiry, 33);
	CHECK_INT(c.session_lifetime, 2592000);
	CHECK_OK(read_file(file, "", "MAX_FILE_SIZE="));
	CHECK_INT(c.max_file_size, 3 * 1024 * 1024); /* empty is not given */
}

static void test_forms(void)
{
	CHECK_OK(read_both(
	        "--listen=[::1]:0 --max-file-size=2TiB --require-signed --directory exact", ""));
	CHECK(strcmp(c.listen, "[::1]:0") == 0 && c.require_signed);
	CHECK_INT(c.max_file_size, INT64_C(2) << 40);
	CHECK_INT(c.directory, API_DIRECTORY_EXACT);
	CHECK_OK(read_file(
	        "# comment\n\n  listen=127.0.0.1:1\t\r\nlog-format = json\naccess-log = off\n", "",
	        ""));
	CHECK(strcmp(c.listen, "127.0.0.1:1") == 0 && !c.access_log);
	CHECK_INT(c.log_format, LOG_JSON);
	CHECK_OK(read_both("--behind-proxy 10.0.0.0/8,::1 --listen 0.0.0.0:80", ""));
	CHECK_INT(c.proxy_count, 2);
	CHECK_OK(read_both("", "SECRET_KEY=" SECRET_TEXT));
	CHECK_BYTES(tacit_secret_view(&c.secret), TACIT_STR(SECRET_TEXT));
	CHECK_OK(read_file("secret-key = " SECRET_TEXT "\n", "", ""));
	CHECK_INT(c.secret.n, 32);
	CHECK_OK(read_both("", "REDIS_URL=redis://x"));
	CHECK_INT(c.ignored_count, 1);
	CHECK(strcmp(c.ignored[0], "REDIS_URL") == 0);
}

static void test_mail(void)
{
	CHECK_OK(read_both("--smtp-from a@example.org",
	        "SMTP_HOST=mail.example.org SMTP_PORT=465 SMTP_USER=u SMTP_PASSWORD=p"));
	CHECK(strcmp(c.smtp_host, "mail.example.org") == 0);
	CHECK(strcmp(c.smtp_from, "a@example.org") == 0 && strcmp(c.smtp_user, "u") == 0);
	CHECK_INT(c.smtp_port, 465);
	CHECK_BYTES(tacit_secret_view(&c.smtp_password), TACIT_STR("p"));
	CHECK_OK(read_both("", ""));
	CHECK(c.smtp_host == NULL && c.smtp_password.n == 0);
	CHECK_INT(c.smtp_port, 587);
	CHECK_ERR(read_both("", "SMTP_PORT=0"), TACIT_E_USAGE);
	CHECK_ERR(read_both("", "SMTP_PORT=x"), TACIT_E_USAGE);
	CHECK_ERR(read_both("--smtp-password p", ""), TACIT_E_USAGE);
}

static void test_mail_settings(void)
{
	struct mail_settings s = {
	        .host = "mail.example.org", .port = 587, .from = "tacit@example.org"};
	CHECK(mail_settings_problem(&s) == NULL);
	s.user = "u";
	CHECK(mail_settings_problem(&s) != NULL);
	s.password = TACIT_STR("p");
	CHECK(mail_settings_problem(&s) == NULL);
	static const char *const hosts[] = {"", "a b", "a/b", "a@b", "a\r\nb", "[::1]"};
	for (size_t i = 0; i < TACIT_COUNT(hosts); i++) {
		s.host = hosts[i];
		CHECK(mail_settings_problem(&s) != NULL);
	}
	s.host = "::1";
	CHECK(mail_settings_problem(&s) == NULL);
	s.from = "a@b>\r\nBcc: x@y";
	CHECK(mail_settings_problem(&s) != NULL);
	s.from = NULL;
	CHECK(mail_settings_problem(&s) != NULL);
}

static void test_actions(void)
{
	static const struct {
		const char *flag;
		enum config_action action;
	} actions[] = {{"--check", CONFIG_CHECK}, {"--print-routes", CONFIG_PRINT_ROUTES},
	        {"--print-web-hash", CONFIG_PRINT_WEB}, {"--help", CONFIG_HELP},
	        {"-h", CONFIG_HELP}, {"--version", CONFIG_VERSION}, {"-V", CONFIG_VERSION}};
	for (size_t i = 0; i < TACIT_COUNT(actions); i++) {
		CHECK_OK(read_both(actions[i].flag, ""));
		CHECK_INT(c.action, actions[i].action);
	}
	struct tacit_buf help = {0};
	CHECK_OK(config_help(&help));
	CHECK_OK(tacit_buf_terminate(&help));
	CHECK(strstr((const char *)help.p, "--behind-proxy") != NULL);
	CHECK(strstr((const char *)help.p, "MAX_FILE_SIZE") != NULL);
	tacit_buf_clear(&help);
}

static void refused(const char *flags, const char *environment, const char *word)
{
	CHECK_ERR(read_both(flags, environment), TACIT_E_USAGE);
	if (!CHECK(strstr(why, word) != NULL))
		printf("# %s %s: %s\n", flags, environment, why);
}

static void test_refused(void)
{
	refused("--colour blue", "", "--colour");
	refused("listen", "", "is not a flag");
	refused("--listen", "", "needs a value");
	refused("--secret-key " SECRET_TEXT, "", "never a flag");
	refused("--redis-url x", "", "is not known");
	refused("", "SECRET_KEY=short", "32 to 1024");
	refused("--rate-login x", "", "is not a number");
	refused("--rate-login 1x", "", "is not a number");
	refused("--rate-login -1", "", "is not a number");
	refused("--rate-login 1000001", "", "must be 0 to 1000000");
	refused("--rate-login 99999999999999999999", "", "is not a number");
	refused("--max-file-size 0", "", "must be");
	refused("--max-file-size 1X", "", "is not a size");
	refused("--max-file-size 9000000TiB", "", "is not a size");
	refused("--access-log=maybe", "", "neither yes nor no");
	refused("--registration closed", "", "open invite off");
	refused("--ttl-min 0", "", "must be 1 to");
	refused("--ttl-min 61", "TTL_MAX=60", "is more than ttl-max");
	refused("--tls-cert x", "", "goes with tls-key");
	refused("", "SSL_KEY_PATH=x", "goes with tls-key");
	refused("--listen 0.0.0.0:5000", "", "plain HTTP is refused");
	refused("--listen 127.evil.example:5000.example:1 --tls-key x", "", "tls");
	refused("--listen 127.0.0.1", "", "ADDRESS:PORT");
	refused("--listen ::1:5000", "", "ADDRESS:PORT");
	refused("--listen 127.0.0.1:x", "", "ADDRESS:PORT");
	refused("--listen 127.0.0.1:", "", "ADDRESS:PORT");
	refused("--behind-proxy nonsense", "", "must be addresses");
	refused("--database-url postgresql://x", "", "only sqlite");
	CHECK_ERR(read_both("--config /nonexistent/file", ""), TACIT_E_IO);
	CHECK(strstr(why, "/nonexistent/file") != NULL);
}

static void test_bad_files(void)
{
	static const char *const bad[] = {"colour = blue\n", "listen\n", "config = /etc/x\n",
	        "rate-login = x\n", "= x\n", "secret-key = short\n"};
	for (size_t i = 0; i < TACIT_COUNT(bad); i++)
		CHECK_ERR(read_file(bad[i], "", ""), TACIT_E_USAGE);
	CHECK(strstr(why, "short") == NULL); /* the value of a secret is never repeated */
	CHECK_OK(read_file("rate-login = x\n", "--rate-login 1", "")); /* a flag goes before it */
	static char large[70000];
	memset(large, '#', sizeof(large) - 1);
	CHECK_ERR(read_file(large, "", ""), TACIT_E_USAGE);
}

static void test_no_home(void)
{
	char *const none[] = {NULL}, *const argv[] = {"tacitd", NULL};
	config_clear(&c);
	CHECK_ERR(config_read(&c, 1, argv, none, why), TACIT_E_USAGE);
	CHECK(strstr(why, "--data") != NULL);
	char *const relative[] = {"HOME=somewhere", NULL};
	CHECK(config_default_data(relative) == NULL);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"what nobody sets", test_defaults},
	        {"flag, environment, file, default", test_precedence},
	        {"every form of a value", test_forms},
	        {"mail", test_mail},
	        {"settings of mail", test_mail_settings},
	        {"actions and help", test_actions},
	        {"what is refused says why", test_refused},
	        {"bad files", test_bad_files},
	        {"no home folder", test_no_home},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	int status = tap_main(argc, argv, cases, TACIT_COUNT(cases));
	config_clear(&c);
	return status;
}
