/* The agent's second factor: which codes it takes, and what outlives a registration that was cut
 * off. */
#include "agent/pending.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/random.h"
#include "support/tap.h"

#define SECRET "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" /* RFC 6238 Appendix B: "12345678901234567890"   \
	                                           */
#define HALF_MINUTE 30

static struct totp_keep keep_of(int64_t last_step)
{
	return (struct totp_keep){
	        .mode = TOTP_QUIET, .last_step = last_step, .secret = SECRET, .uri = "otpauth://x"};
}

/* --- codes ----------------------------------------------------------------------------------- */

static void codes_are_those_of_the_standard(void)
{
	char code[TOTP_CODE_ROOM];
	struct totp_keep k = keep_of(59 / HALF_MINUTE - 1);
	CHECK_OK(totp_take_code(&k, 59, code));
	CHECK(strcmp(code, "287082") == 0); /* Appendix B, 59 s, the last six of eight digits */
	k = keep_of(1111111109 / HALF_MINUTE - 1);
	CHECK_OK(totp_take_code(&k, 1111111109, code));
	CHECK(strcmp(code, "081804") == 0);
}

/* The server takes one step before now; so the oldest serves first, unless it is about to end. */
static void a_code_that_ends_soon_is_not_begun_with(void)
{
	char code[TOTP_CODE_ROOM];
	struct totp_keep k = keep_of(0);
	CHECK_OK(totp_take_code(&k, 1000 * HALF_MINUTE + 1, code));
	CHECK_INT(k.last_step, 999);
	k = keep_of(0);
	CHECK_OK(totp_take_code(&k, 1000 * HALF_MINUTE + 29, code));
	CHECK_INT(k.last_step, 1000);
}

static void no_code_is_taken_twice(void)
{
	char code[TOTP_CODE_ROOM];
	struct totp_keep k = keep_of(0);
	for (int64_t step = 999; step <= 1001; step++) {
		CHECK_OK(totp_take_code(&k, 1000 * HALF_MINUTE, code));
		CHECK_INT(k.last_step, step);
	}
	CHECK_ERR(totp_take_code(&k, 1000 * HALF_MINUTE, code), TACIT_E_LIMIT);
	memcpy(k.recovery, "AAAA-BBBB\nCCCC\n", 16);
	CHECK_OK(totp_take_code(&k, 1000 * HALF_MINUTE, code));
	CHECK(strcmp(code, "AAAA-BBBB") == 0 && strcmp(k.recovery, "CCCC\n") == 0);
}

static void a_given_code_counts_once(void)
{
	struct totp_keep k = keep_of(0);
	CHECK_ERR(totp_check(&k, 59, TACIT_STR("287083")), TACIT_E_BAD_PASSWORD);
	CHECK_ERR(totp_check(&k, 59, TACIT_STR("")), TACIT_E_BAD_PASSWORD);
	CHECK_OK(totp_check(&k, 59 + HALF_MINUTE, TACIT_STR("287082")));
	CHECK_ERR(totp_check(&k, 59, TACIT_STR("287082")), TACIT_E_BAD_PASSWORD);
	k = keep_of(0);
	CHECK_ERR(totp_check(&k, 59 + 2 * HALF_MINUTE, TACIT_STR("287082")), TACIT_E_BAD_PASSWORD);
}

static void what_is_kept_comes_back(void)
{
	struct tacit_buf text = {0};
	struct totp_keep in = keep_of(7), out;
	memcpy(in.recovery, "one\ntwo\n", 9);
	CHECK_OK(totp_encode(&in, &text));
	CHECK_OK(totp_decode(tacit_buf_view(&text), &out));
	CHECK(out.mode == in.mode && out.last_step == 7 && strcmp(out.secret, SECRET) == 0);
	CHECK(strcmp(out.uri, in.uri) == 0 && strcmp(out.recovery, in.recovery) == 0);
	text.p[0] = '[';
	CHECK_ERR(totp_decode(tacit_buf_view(&text), &out), TACIT_E_MALFORMED);
	CHECK_OK(totp_decode(tacit_bytes(NULL, 0), &out));
	CHECK_INT(out.mode, TOTP_UNKNOWN);
	tacit_buf_clear(&text);
}

/* --- a registration that was cut off -----------------------------------------------------------
 */

static struct agent agent;
static char folder[64], file[160];

static struct pending_owner owner(const char *name, const char *password)
{
	return (struct pending_owner){&agent, tacit_cstr(name), tacit_cstr(password)};
}

static void put_one(const struct pending_owner *o)
{
	struct pending p = {.keep = keep_of(3), .email = "alice@example.org"};
	CHECK_OK(pending_put(o, &p));
}

static void the_right_password_brings_it_back(void)
{
	struct pending p;
	struct stat st;
	const struct pending_owner o = owner("Alice", "a password 1!"),
	                           other_case = owner("alice", "a password 1!"),
	                           other = owner("bob", "a password 1!");
	put_one(&o);
	CHECK(stat(file, &st) == 0 && (st.st_mode & 0777) == 0600);
	CHECK_OK(pending_get(&other_case, &p));
	CHECK(strcmp(p.email, "alice@example.org") == 0 && strcmp(p.keep.secret, SECRET) == 0);
	CHECK(p.keep.mode == TOTP_QUIET && p.keep.last_step == 3);
	CHECK_ERR(pending_get(&other, &p), TACIT_E_NOT_FOUND);
	pending_forget(&o);
	CHECK_ERR(pending_get(&o, &p), TACIT_E_NOT_FOUND);
	CHECK(p.keep.secret[0] == '\0');
}

static void another_password_does_not(void)
{
	struct pending p;
	const struct pending_owner o = owner("alice", "a password 1!"),
	                           wrong = owner("alice", "a password 2!");
	put_one(&o);
	CHECK_ERR(pending_get(&wrong, &p), TACIT_E_BAD_PASSWORD);
	CHECK(p.keep.secret[0] == '\0');
	CHECK_OK(pending_get(&o, &p));
}

static void overwrite(off_t at, const char *bytes)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	CHECK(fd >= 0 && pwrite(fd, bytes, strlen(bytes), at) == (ssize_t)strlen(bytes));
	close(fd);
}

static void what_was_changed_is_refused(void)
{
	struct pending p;
	struct stat st;
	const struct pending_owner o = owner("alice", "a password 1!");
	put_one(&o);
	REQUIRE(stat(file, &st) == 0);
	overwrite(st.st_size - 40, "AAAA");
	CHECK_ERR(pending_get(&o, &p), TACIT_E_BAD_SEAL);
	overwrite(0, "x");
	CHECK_ERR(pending_get(&o, &p), TACIT_E_MALFORMED);
	CHECK(truncate(file, 0) == 0);
	CHECK_ERR(pending_get(&o, &p), TACIT_E_IO);
	put_one(&o);
	CHECK(chmod(file, 0640) == 0);
	CHECK_ERR(pending_get(&o, &p), TACIT_E_IO);
	pending_forget(&o);
}

static const struct tap_case cases[] = {
        {"codes are those of the standard", codes_are_those_of_the_standard},
        {"a code that ends soon is not begun with", a_code_that_ends_soon_is_not_begun_with},
        {"no code is taken twice", no_code_is_taken_twice},
        {"a given code counts once", a_given_code_counts_once},
        {"what is kept comes back", what_is_kept_comes_back},
        {"the right password brings it back", the_right_password_brings_it_back},
        {"another password does not", another_password_does_not},
        {"what was changed is refused", what_was_changed_is_refused},
};

int main(int argc, char **argv)
{
	char command[100];
	snprintf(folder, sizeof(folder), "/tmp/tacit-agent-totp-XXXXXX");
	if (tacit_crypto_init() != TACIT_OK || totp_init() != TACIT_OK || mkdtemp(folder) == NULL ||
	        setenv("XDG_DATA_HOME", folder, 1) != 0)
		return 1;
	agent.env = tacit_system_env();
	/* The digits are the first of the SHA-256 of no server's address. */
	snprintf(file, sizeof(file), "%s/tacit/agent/agent-alice-e3b0c442.registering", folder);
	int status = tap_main(argc, argv, cases, TACIT_COUNT(cases));
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command) == 0 ? status : 1;
}
