#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "server/log.h"
#include "support/tap.h"

static void check_event(enum log_format format, const char *text, const char *want_end)
{
	char line[300];
	size_t n = log_format_event(format, LOG_WARNING, "word", text, line, sizeof(line));
	size_t end = strlen(want_end);
	CHECK_INT(n, strlen(line));
	if (CHECK(n >= end))
		CHECK_BYTES(tacit_bytes(line + n - end, end), tacit_cstr(want_end));
}

static void test_lines(void)
{
	check_event(LOG_TEXT, "a sentence", "Z warning word: a sentence");
	check_event(LOG_JSON, "a sentence",
	        "\"level\":\"warning\",\"event\":\"word\",\"text\":\"a sentence\"}");
	/* Nothing breaks out of a line or of a JSON text. */
	check_event(LOG_TEXT, "two\nlines\r\x1b[0m", "word: two lines  [0m");
	check_event(LOG_JSON, "a\"b\\c\n", "\"text\":\"a'b'c \"}");
}

static void test_short_room(void)
{
	char line[32], all[2000];
	memset(all, 'x', sizeof(all) - 1);
	all[sizeof(all) - 1] = '\0';
	size_t n = log_format_event(LOG_TEXT, LOG_ERROR, "word", all, line, sizeof(line));
	CHECK_INT(n, sizeof(line) - 1);
	CHECK_INT(strlen(line), n);
}

static void check_short(int family, const char *text, const char *want)
{
	struct sockaddr_storage peer = {0};
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	char got[LOG_ADDRESS_CHARS];
	if (family == AF_INET && CHECK(inet_pton(AF_INET, text, &v4.sin_addr) == 1))
		memcpy(&peer, &v4, sizeof(v4));
	if (family == AF_INET6 && CHECK(inet_pton(AF_INET6, text, &v6.sin6_addr) == 1))
		memcpy(&peer, &v6, sizeof(v6));
	log_short_address(&peer, got);
	CHECK_BYTES(tacit_cstr(got), tacit_cstr(want));
}

static void test_addresses(void)
{
	char got[LOG_ADDRESS_CHARS];
	check_short(AF_INET, "192.0.2.77", "192.0.2.0/24");
	check_short(AF_INET6, "::ffff:192.0.2.77", "192.0.2.0/24");
	check_short(AF_INET6, "2001:db8:1:2:3:4:5:6", "2001:db8:1::/48");
	check_short(AF_UNSPEC, "", "-");
	log_short_address(NULL, got);
	CHECK_BYTES(tacit_cstr(got), TACIT_STR("-"));
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"one event, one line", test_lines},
	        {"a long text is cut", test_short_room},
	        {"addresses are shortened", test_addresses},
	};
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
