/* The pure parts of the agent: its door, its settings, and the meeting of two who share a password.
 */
#include "agent/gate.h"
#include "agent/known.h"
#include "agent/meeting.h"
#include "agent/people.h"
#include "agent/session.h"
#include "agent/settings.h"
#include "crypto/secret.h"
#include "support/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PORT 8080

/* --- the door -------------------------------------------------------------------------------- */

static enum agent_problem by_host(const char *host)
{
	const struct gate_headers h = {.host = tacit_cstr(host), .host_count = 1};
	return gate_check(&h, PORT);
}

static enum agent_problem by_origin(const char *origin)
{
	const struct gate_headers h = {
	        .host = TACIT_STR("localhost:8080"), .origin = tacit_cstr(origin), .host_count = 1};
	return gate_check(&h, PORT);
}

static enum agent_problem by_site(const char *site)
{
	const struct gate_headers h = {.host = TACIT_STR("localhost:8080"),
	        .fetch_site = tacit_cstr(site),
	        .host_count = 1};
	return gate_check(&h, PORT);
}

static void names_of_loopback_are_let_in(void)
{
	static const char *const good[] = {"127.0.0.1:8080", "localhost:8080", "LocalHost:8080",
	        "[::1]:8080", "127.8.9.1:8080"};
	for (size_t i = 0; i < TACIT_COUNT(good); i++)
		CHECK_INT(by_host(good[i]), AGENT_FINE);
	const struct gate_headers plain = {.host = TACIT_STR("localhost"), .host_count = 1};
	CHECK_INT(gate_check(&plain, 80), AGENT_FINE);
}

static void other_names_are_not(void)
{
	static const char *const bad[] = {"", "evil.example", "evil.example:8080", "127.0.0.1",
	        "127.0.0.1:8081", "127.0.0.1:08080x", "127.0.0.1:", "127.0.0.1.evil.example:8080",
	        "localhost.evil.example:8080", "localhost.:8080", "[::2]:8080", "::1:8080", "[::1",
	        "[::1]8080", "[127.0.0.1]:8080", "128.0.0.1:8080", "0x7f.1:8080", "127.1:8080",
	        "127.0.0.1:8080@evil.example", "127.0.0.1:73616", "0.0.0.0:8080",
	        " localhost:8080"};
	for (size_t i = 0; i < TACIT_COUNT(bad); i++)
		CHECK_INT(by_host(bad[i]), AGENT_FOREIGN_HOST);
	const struct gate_headers none = {.host_count = 0};
	CHECK_INT(gate_check(&none, PORT), AGENT_FOREIGN_HOST);
	const struct gate_headers two = {.host = TACIT_STR("localhost:8080"), .host_count = 2};
	CHECK_INT(gate_check(&two, PORT), AGENT_FOREIGN_HOST);
}

static void pages_are_kept_out(void)
{
	CHECK_INT(by_origin("http://localhost:8080"), AGENT_FINE);
	static const char *const bad[] = {"null", "", "https://localhost:8080",
	        "http://localhost:3000", "http://evil.example", "http://evil.example:8080",
	        "http://localhost", "file://", "http://"};
	for (size_t i = 0; i < TACIT_COUNT(bad); i++)
		CHECK_INT(by_origin(bad[i]), AGENT_FOREIGN_ORIGIN);
	CHECK_INT(by_site("same-origin"), AGENT_FINE);
	CHECK_INT(by_site("none"), AGENT_FINE);
	CHECK_INT(by_site("cross-site"), AGENT_FOREIGN_ORIGIN);
	CHECK_INT(by_site("same-site"), AGENT_FOREIGN_ORIGIN);
	CHECK_INT(by_site(""), AGENT_FOREIGN_ORIGIN);
}

static void only_loopback_is_listened_on(void)
{
	char ip[GATE_IP_ROOM];
	uint16_t port = 0;
	CHECK(gate_listen_problem("127.0.0.1:8080", ip, &port) == NULL);
	CHECK(strcmp(ip, "127.0.0.1") == 0 && port == 8080);
	CHECK(gate_listen_problem("[::1]:0", ip, &port) == NULL);
	CHECK(strcmp(ip, "::1") == 0 && port == 0);
	CHECK(gate_listen_problem("localhost:1", ip, &port) == NULL);
	CHECK(strcmp(ip, "127.0.0.1") == 0 && port == 1);
	static const char *const bad[] = {"", ":", "8080", "127.0.0.1", "[::1]", "0.0.0.0:80",
	        "[::]:80", "example.org:80", "127.0.0.1:65536", "127.0.0.1:x", ":8080",
	        "10.0.0.1:80"};
	for (size_t i = 0; i < TACIT_COUNT(bad); i++)
		CHECK(gate_listen_problem(bad[i], ip, &port) != NULL);
}

static void bearer_tokens_are_found(void)
{
	CHECK_BYTES(gate_bearer(TACIT_STR("Bearer abc")), TACIT_STR("abc"));
	CHECK_BYTES(gate_bearer(TACIT_STR("bearer  abc")), TACIT_STR("abc"));
	CHECK_BYTES(gate_bearer(TACIT_STR("Bearer ")), TACIT_STR(""));
	CHECK_BYTES(gate_bearer(TACIT_STR("Basic abc")), TACIT_STR(""));
	CHECK_BYTES(gate_bearer(TACIT_STR("Bearerabc")), TACIT_STR(""));
	CHECK_BYTES(gate_bearer(tacit_bytes(NULL, 0)), TACIT_STR(""));
}

/* --- settings and problems -------------------------------------------------------------------- */

static void sizes_are_read(void)
{
	uint64_t n = 0;
	CHECK(agent_size_parse("1", &n) && n == 1);
	CHECK(agent_size_parse("512KiB", &n) && n == 512 * 1024);
	CHECK(agent_size_parse("100MiB", &n) && n == 100 * 1024 * 1024);
	CHECK(agent_size_parse("2G", &n) && n == (uint64_t)2 << 30);
	CHECK(agent_size_parse("1024TiB", &n) && n == (uint64_t)1 << 50);
	static const char *const bad[] = {"", "x", "-1", "1.5M", "1 MiB", "1EiB", "1025TiB",
	        "99999999999999999999", "KiB", "1mib"};
	for (size_t i = 0; i < TACIT_COUNT(bad); i++)
		CHECK(!agent_size_parse(bad[i], &n));
}

static void the_network_is_looked_at_unless_told_not_to(void)
{
	struct agent_settings s;
	char problem[200], folder[] = "/tmp/tacit-agent-XXXXXX";
	static const struct {
		const char *text;
		enum tacit_err err;
		bool lan;
	} words[] = {{"on", TACIT_OK, true}, {"", TACIT_OK, true}, {"off", TACIT_OK, false},
	        {"no", TACIT_E_USAGE, false}};
	REQUIRE(mkdtemp(folder) != NULL && setenv("UPLOAD_FOLDER", folder, 1) == 0);
	for (size_t i = 0; i < TACIT_COUNT(words); i++) {
		CHECK(setenv("TACIT_LAN", words[i].text, 1) == 0);
		CHECK_ERR(agent_settings_read(&s, problem, sizeof(problem)), words[i].err);
		CHECK(words[i].err != TACIT_OK || s.lan == words[i].lan);
		agent_settings_clear(&s);
	}
	CHECK(unsetenv("TACIT_LAN") == 0 && unsetenv("UPLOAD_FOLDER") == 0 && rmdir(folder) == 0);
}

static void every_error_means_something(void)
{
	CHECK_INT(agent_problem_status(agent_problem_of(TACIT_E_NETWORK)), 503);
	CHECK_INT(agent_problem_status(agent_problem_of(TACIT_E_BAD_PASSWORD)), 401);
	CHECK_INT(agent_problem_status(agent_problem_of(TACIT_E_EXISTS)), 409);
	CHECK_INT(agent_problem_status(agent_problem_of(TACIT_E_CRYPTO)), 500);
	CHECK_INT(agent_problem_of(TACIT_OK), AGENT_FINE);
	CHECK(strcmp(agent_problem_code(AGENT_INVALID_TOTP), "INVALID_TOTP") == 0);
	CHECK(strcmp(agent_problem_text(AGENT_INVALID_TOTP), "Invalid TOTP token") == 0);
}

/* --- meetings --------------------------------------------------------------------------------- */

static struct tacit_parcel_code code_of(const char *id, const char *password, const char *digits)
{
	struct tacit_parcel_code code;
	const struct meeting_secret secret = {
	        tacit_cstr(id), tacit_cstr(password), tacit_cstr(digits)};
	meeting_derive(&secret, &code);
	return code;
}

static enum tacit_err meet(const struct tacit_parcel_code *a, const struct tacit_parcel_code *b,
        uint8_t root[TACIT_PARCEL_ROOT_BYTES])
{
	enum tacit_err err;
	const struct tacit_env env = tap_env(7);
	struct meeting opener = {0}, joiner = {0};
	TRY(meeting_begin(&opener, a, TACIT_PARCEL_OPENER, &env));
	TRY(meeting_begin(&joiner, b, TACIT_PARCEL_JOINER, &env));
	TRY(meeting_within(&opener, &joiner, root));
	CHECK_BYTES(tacit_bytes(joiner.channel.root, TACIT_PARCEL_ROOT_BYTES),
	        tacit_bytes(root, TACIT_PARCEL_ROOT_BYTES));
out:
	meeting_clear(&opener);
	meeting_clear(&joiner);
	return err;
}

static void the_same_words_give_the_same_key(void)
{
	uint8_t root[TACIT_PARCEL_ROOT_BYTES];
	const struct tacit_parcel_code a = code_of("id", "password", "012345");
	const struct tacit_parcel_code b = code_of("id", "password", "012345");
	CHECK_OK(meet(&a, &b, root));
	CHECK_INT(strlen(a.secret), 34);
}

static void other_words_do_not(void)
{
	uint8_t root[TACIT_PARCEL_ROOT_BYTES];
	const struct tacit_parcel_code a = code_of("id", "password", "012345");
	const struct tacit_parcel_code others[] = {code_of("id", "password", "012346"),
	        code_of("id", "Password", "012345"), code_of("di", "password", "012345"),
	        code_of("id", "password0", "12345"), code_of("id", "passwor", "d012345")};
	for (size_t i = 0; i < TACIT_COUNT(others); i++)
		CHECK_ERR(meet(&a, &others[i], root), TACIT_E_BAD_PASSWORD);
}

static void the_relay_is_told_of_the_session_alone(void)
{
	uint8_t one[MEETING_RELAY_ID_BYTES], two[MEETING_RELAY_ID_BYTES];
	meeting_relay_id(TACIT_STR("one"), one);
	meeting_relay_id(TACIT_STR("two"), two);
	CHECK(!tacit_bytes_eq(tacit_bytes(one, sizeof(one)), tacit_bytes(two, sizeof(two))));
	meeting_relay_id(TACIT_STR("one"), two);
	CHECK_BYTES(tacit_bytes(one, sizeof(one)), tacit_bytes(two, sizeof(two)));
}

static void nameplates_are_of_the_id_alone(void)
{
	uint32_t one = meeting_nameplate(TACIT_STR("one"));
	CHECK(one >= 1 && one <= TACIT_PARCEL_MAX_NAMEPLATE);
	CHECK_INT(meeting_nameplate(TACIT_STR("one")), one);
	CHECK(meeting_nameplate(TACIT_STR("two")) != one);
	CHECK_INT(code_of("one", "password", "012345").nameplate, one);
}

static void codes_are_six_digits(void)
{
	const struct tacit_env env = tap_env(11);
	char code[MEETING_CODE_DIGITS + 1], last[MEETING_CODE_DIGITS + 1] = "";
	for (int i = 0; i < 100; i++) {
		meeting_make_code(&env, code);
		CHECK_INT(strspn(code, "0123456789"), MEETING_CODE_DIGITS);
		CHECK(strcmp(code, last) != 0);
		memcpy(last, code, sizeof(last));
	}
}

/* --- who guesses, and what is forgotten --------------------------------------------------------
 */

static void the_right_password_forgives_one_try(void)
{
	struct agent a = {.env = tap_env(1)};
	unsigned tries = 0, wait;
	REQUIRE(people_new(&a, &a.people) == TACIT_OK);
	while (tries < 1000 && people_may_try(a.people, TACIT_STR("erin"), &wait))
		tries++;
	CHECK(tries > 0 && tries < 100);
	people_forgive_try(a.people, TACIT_STR("Erin"));
	CHECK(people_may_try(a.people, TACIT_STR("erin"), &wait));
	CHECK(!people_may_try(a.people, TACIT_STR("erin"), &wait));
	CHECK(wait > 0);
	people_free(a.people);
}

struct seen {
	size_t count;
	struct known_session last;
};

static void see(void *ctx, const struct known_session *s)
{
	struct seen *seen = ctx;
	seen->count++;
	seen->last = *s;
}

static void what_was_known_is_known_again(void)
{
	struct known k, other;
	struct seen seen = {0};
	struct known_session s = {"", true};
	REQUIRE(known_open(&k, see, &seen) == TACIT_OK);
	CHECK(k.fd >= 0 && seen.count == 0);
	for (unsigned i = 0; i < 5000; i++) {
		snprintf(s.id, sizeof(s.id), "%032x", i);
		s.ours = i % 2 == 0;
		CHECK_OK(known_add(&k, &s));
	}
	CHECK_OK(known_open(&other, see, &seen)); /* somebody else has it */
	CHECK(other.fd < 0 && seen.count == 0);
	CHECK_OK(known_add(&other, &s));
	known_close(&other);
	known_close(&k);
	CHECK_OK(known_open(&k, see, &seen));
	CHECK_INT(seen.count, KNOWN_MAX);
	CHECK(strcmp(seen.last.id, s.id) == 0 && !seen.last.ours);
	CHECK(write(k.fd, "torn", 4) == 4);
	known_close(&k);
	seen.count = 0;
	CHECK_OK(known_open(&k, see, &seen));
	CHECK_INT(seen.count, KNOWN_MAX);
	CHECK(ftruncate(k.fd, 0) == 0);
	known_close(&k);
}

/* Or what a call begins with it would outlive it. */
static void a_session_that_is_forgotten_is_over_for_who_holds_it(void)
{
	struct agent a = {.env = tap_env(2), .settings = {.session_timeout_s = 3600}};
	struct session *s = NULL;
	REQUIRE(sessions_new(&a, &a.sessions) == TACIT_OK);
	REQUIRE(session_new(a.sessions, "0123456789abcdef0123456789abcdef", SESSION_JOINER, &s) ==
	        TACIT_OK);
	CHECK(session_is_open(s));
	session_remove(a.sessions, s);
	CHECK(!session_is_open(s) && s->stop != 0);
	CHECK(session_find(a.sessions, s->id) == NULL);
	session_drop(s);
	sessions_free(a.sessions);
}

static const struct tap_case cases[] = {
        {"names of loopback are let in", names_of_loopback_are_let_in},
        {"other names are not", other_names_are_not},
        {"pages are kept out", pages_are_kept_out},
        {"only loopback is listened on", only_loopback_is_listened_on},
        {"bearer tokens are found", bearer_tokens_are_found},
        {"sizes are read", sizes_are_read},
        {"the network is looked at unless told not to",
                the_network_is_looked_at_unless_told_not_to},
        {"every error means something", every_error_means_something},
        {"the same words give the same key", the_same_words_give_the_same_key},
        {"other words do not", other_words_do_not},
        {"the relay is told of the session alone", the_relay_is_told_of_the_session_alone},
        {"nameplates are of the id alone", nameplates_are_of_the_id_alone},
        {"codes are six digits", codes_are_six_digits},
        {"the right password forgives one try", the_right_password_forgives_one_try},
        {"what was known is known again", what_was_known_is_known_again},
        {"a session that is forgotten is over for who holds it",
                a_session_that_is_forgotten_is_over_for_who_holds_it},
};

/* Sessions are noted in the user's folder: here one that goes again. */
int main(int argc, char **argv)
{
	char folder[] = "/tmp/tacit-agent-XXXXXX", command[64];
	if (tacit_crypto_init() != TACIT_OK || mkdtemp(folder) == NULL ||
	        setenv("XDG_DATA_HOME", folder, 1) != 0)
		return 1;
	int status = tap_main(argc, argv, cases, TACIT_COUNT(cases));
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command) == 0 ? status : 1;
}
