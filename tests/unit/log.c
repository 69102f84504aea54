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

/* A request's line: all but the time, of which only the form is known. */
static void check_access(enum log_format format, const struct log_request *r, const char *want)
{
	char line[300], time[25];
	size_t n = log_format_access(format, r, line, sizeof(line));
	size_t at = format == LOG_JSON ? 9 : 0;
	CHECK_INT(n, strlen(line));
	REQUIRE(n > at + 24);
	memcpy(time, line + at, 24);
	time[24] = '\0';
	for (size_t i = 0; i < 24; i++)
		time[i] = (char)(time[i] >= '0' && time[i] <= '9' ? '9' : time[i]);
	CHECK_BYTES(tacit_cstr(time), TACIT_STR("9999-99-99T99:99:99.999Z"));
	CHECK_BYTES(tacit_cstr(line + at + 24), tacit_cstr(want));
}

static void test_access(void)
{
	struct sockaddr_storage peer = {0};
	const struct sockaddr_in v4 = {
	        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	memcpy(&peer, &v4, sizeof(v4));
	struct log_request r = {.method = "POST",
	        .route = "/api/rooms/{id}",
	        .status = 201,
	        .bytes = 12345678901234,
	        .microseconds = 1002003,
	        .peer = &peer};
	check_access(LOG_TEXT, &r,
	        " info request: POST /api/rooms/{id} 201 12345678901234 bytes 1002.003 ms from "
	        "127.0.0.0/24");
	check_access(LOG_JSON, &r,
	        "\",\"level\":\"info\",\"event\":\"request\",\"method\":\"POST\","
	        "\"route\":\"/api/rooms/{id}\",\"status\":201,\"bytes\":12345678901234,"
	        "\"ms\":1002.003,\"from\":\"127.0.0.0/24\"}");
	r = (struct log_request){.method = "-", .route = "-", .status = 499};
	check_access(LOG_TEXT, &r, " info request: - - 499 0 bytes 0.000 ms from -");
	char room[30];
	CHECK_INT(log_format_access(LOG_TEXT, &r, room, sizeof(room)), sizeof(room) - 1);
	CHECK_INT(strlen(room), sizeof(room) - 1);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"one event, one line", test_lines},
	        {"a long text is cut", test_short_room},
	        {"addresses are shortened", test_addresses},
	        {"a request's line", test_access},
	};
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
