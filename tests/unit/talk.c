/* The client's side of the live protocol, against a server made of the same codecs. */
#include "client/talk.h"

#include <stdio.h>
#include <string.h>

#include "crypto/secret.h"
#include "support/tap.h"
#include "wire/eio.h"
#include "wire/ws.h"

#define OPEN_PACKET                                                                                \
	"0{\"sid\":\"abc\",\"upgrades\":[],\"pingInterval\":300,\"pingTimeout\":200,"              \
	"\"maxPayload\":1000000}"

static struct tacit_env env;
static struct talk *talk;
static struct tacit_ws_reader reader; /* the server's */

static void begin(void)
{
	env = tap_env(7);
	reader = (struct tacit_ws_reader){.role = TACIT_WS_SERVER, .max_message = 1 << 20};
	const struct talk_options o = {
	        .env = &env,
	        .server = "https://chat.example.org:8443",
	        .cookie = TACIT_STR("tacit_session=secret"),
	        .now = 1000,
	};
	CHECK_OK(talk_begin(&o, &talk));
}

static void end(void)
{
	tacit_ws_reader_clear(&reader);
	talk_free(talk);
	talk = NULL;
}

static bool has(struct tacit_bytes text, const char *part)
{
	size_t n = strlen(part);
	for (size_t i = 0; i + n <= text.n; i++)
		if (memcmp(text.p + i, part, n) == 0)
			return true;
	return false;
}

static void feed(const char *text)
{
	talk_input(talk, tacit_cstr(text), 2000);
}

/* The answer to what was asked, with another status or accept when given. */
static void answer_upgrade(const char *status, const char *accept)
{
	char text[400], right[TACIT_WS_ACCEPT_CHARS + 1];
	struct tacit_bytes out = talk_output(talk);
	const char *key = strstr((const char *)out.p, "Sec-WebSocket-Key: ") + 19;
	CHECK_OK(tacit_ws_accept(tacit_bytes(key, TACIT_WS_KEY_CHARS), right));
	snprintf(text, sizeof(text),
	        "HTTP/1.1 %s\r\nUpgrade: WebSocket\r\nconnection: upgrade\r\n"
	        "Sec-WebSocket-Accept: %s\r\n\r\n",
	        status, accept != NULL ? accept : right);
	talk_sent(talk, out.n);
	feed(text);
}

static void send_text(const char *text)
{
	struct tacit_buf frame = {0};
	CHECK_OK(tacit_ws_write(&frame, TACIT_WS_TEXT, tacit_cstr(text), NULL));
	for (size_t i = 0; i < frame.n; i++) /* in the smallest pieces */
		talk_input(talk, tacit_bytes(frame.p + i, 1), 2000);
	tacit_buf_clear(&frame);
}

/* The next message that the client sent, or "". */
static const char *sent(void)
{
	static char text[600];
	struct tacit_ws_message m;
	bool whole = false;
	struct tacit_bytes out = talk_output(talk);
	size_t before = out.n;
	text[0] = '\0';
	if (out.n == 0)
		return text;
	CHECK_OK(tacit_ws_next(&reader, &out, &m, &whole));
	CHECK(whole);
	snprintf(text, sizeof(text), "%s%.*s",
	        m.opcode == TACIT_WS_TEXT    ? ""
	        : m.opcode == TACIT_WS_PONG  ? "pong:"
	        : m.opcode == TACIT_WS_CLOSE ? "close:"
	                                     : "?",
	        (int)m.data.n, (const char *)m.data.p);
	talk_sent(talk, before - out.n);
	return text;
}

static void open_talk(void)
{
	begin();
	answer_upgrade("101 Switching Protocols", NULL);
	send_text(OPEN_PACKET);
	CHECK(strcmp(sent(), "40") == 0);
	CHECK_INT(talk_state(talk), TALK_GREETING);
	send_text("40{\"sid\":\"xyz\"}");
	CHECK_INT(talk_state(talk), TALK_OPEN);
}

static void asks_for_the_upgrade(void)
{
	begin();
	struct tacit_bytes out = talk_output(talk);
	CHECK(has(out, "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"));
	CHECK(has(out, "\r\nHost: chat.example.org:8443\r\n"));
	CHECK(has(out, "\r\nOrigin: https://chat.example.org:8443\r\n"));
	CHECK(has(out, "\r\nCookie: tacit_session=secret\r\n"));
	CHECK(has(out, "\r\n\r\n"));
	CHECK_INT(talk_state(talk), TALK_GREETING);
	end();
}

static void a_wrong_answer_ends_it(void)
{
	static const struct {
		const char *status, *accept;
		enum tacit_err err;
	} wrong[] = {
	        {"101 Switching Protocols", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", TACIT_E_UNSUPPORTED},
	        {"401 Unauthorized", NULL, TACIT_E_NOT_LOGGED_IN},
	        {"404 Not Found", NULL, TACIT_E_UNSUPPORTED},
	        {"503 Service Unavailable", NULL, TACIT_E_LIMIT},
	        {"abc", NULL, TACIT_E_UNSUPPORTED},
	};
	for (size_t i = 0; i < TACIT_COUNT(wrong); i++) {
		begin();
		answer_upgrade(wrong[i].status, wrong[i].accept);
		CHECK_INT(talk_state(talk), TALK_ENDED);
		CHECK_ERR(talk_problem(talk), wrong[i].err);
		end();
	}
	begin();
	for (int i = 0; i < 2000; i++)
		feed("X-Endless: head\r\n");
	CHECK_ERR(talk_problem(talk), TACIT_E_UNSUPPORTED);
	end();
}

static void events_go_both_ways(void)
{
	open_talk();
	send_text("42[\"new_message\",{\"id\":1},\"more\"]");
	send_text("42[\"bare\"]");
	send_text("42/other,[\"not ours\",{}]");
	struct talk_event *ev = talk_next(talk);
	REQUIRE(ev != NULL);
	CHECK_BYTES(tacit_buf_view(&ev->name), TACIT_STR("new_message"));
	CHECK_BYTES(tacit_buf_view(&ev->body), TACIT_STR("{\"id\":1}"));
	talk_event_free(ev);
	ev = talk_next(talk);
	REQUIRE(ev != NULL);
	CHECK_BYTES(tacit_buf_view(&ev->body), TACIT_STR("null"));
	talk_event_free(ev);
	CHECK(talk_next(talk) == NULL);
	CHECK_OK(talk_say(talk, "typing", TACIT_STR("{\"room_id\":1}")));
	CHECK(strcmp(sent(), "42[\"typing\",{\"room_id\":1}]") == 0);
	send_text("2");
	CHECK(strcmp(sent(), "3") == 0);
	talk_bye(talk);
	CHECK(strncmp(sent(), "close:", 6) == 0);
	end();
}

static void silence_ends_it(void)
{
	open_talk();
	CHECK_INT(talk_due(talk), 2500);
	talk_clock(talk, 2499);
	CHECK_INT(talk_state(talk), TALK_OPEN);
	talk_input(talk,
	        tacit_bytes("\x81\x01"
	                    "2",
	                3),
	        2400);
	talk_clock(talk, 2899);
	CHECK_INT(talk_state(talk), TALK_OPEN);
	talk_clock(talk, 2900);
	CHECK_ERR(talk_problem(talk), TACIT_E_NETWORK);
	CHECK_OK(talk_say(talk, "typing", TACIT_STR("{}")));
	end();
	begin();
	talk_clock(talk, 1000 + TALK_HANDSHAKE_MS);
	CHECK_INT(talk_state(talk), TALK_ENDED);
	end();
}

static void what_the_server_may_not_do(void)
{
	static const char *const bad[] = {
	        "0{}", "40{}", "9", "", "42[\"connect\",{}]", "42{}", "42[", "4"};
	for (size_t i = 0; i < TACIT_COUNT(bad); i++) {
		begin();
		answer_upgrade("101 Switching Protocols", NULL);
		if (i >= 2) {
			send_text(OPEN_PACKET);
			send_text("40{\"sid\":\"xyz\"}");
		}
		send_text(bad[i]);
		CHECK_INT(talk_state(talk), TALK_ENDED);
		end();
	}
	open_talk();
	talk_input(talk,
	        tacit_bytes("\x81\x81"
	                    "abcd2",
	                7),
	        2000); /* masked, as a client's */
	CHECK_ERR(talk_problem(talk), TACIT_E_MALFORMED);
	end();
	begin();
	answer_upgrade("101 Switching Protocols", NULL);
	send_text(OPEN_PACKET);
	send_text("44{\"message\":\"no\",\"data\":{\"code\":\"RATE_LIMITED\"}}");
	CHECK_ERR(talk_problem(talk), TACIT_E_LIMIT);
	end();
	begin();
	answer_upgrade("101 Switching Protocols", NULL);
	send_text(OPEN_PACKET);
	send_text("44{\"message\":\"Authentication required\"}");
	CHECK_ERR(talk_problem(talk), TACIT_E_NOT_LOGGED_IN);
	end();
	open_talk();
	send_text("41");
	CHECK_ERR(talk_problem(talk), TACIT_E_NETWORK);
	end();
}

static void too_many_are_one_word(void)
{
	size_t count = 0;
	char last[32] = "";
	open_talk();
	for (int i = 0; i < TALK_MAX_WAITING + 100; i++)
		send_text("42[\"x\",{}]");
	struct talk_event *ev;
	while ((ev = talk_next(talk)) != NULL) {
		count++;
		snprintf(last, sizeof(last), "%.*s", (int)ev->name.n, (const char *)ev->name.p);
		talk_event_free(ev);
	}
	CHECK_INT(count, TALK_MAX_WAITING + 1);
	CHECK(strcmp(last, "fell_behind") == 0);
	send_text("42[\"after\",{}]");
	ev = talk_next(talk);
	CHECK(ev != NULL);
	talk_event_free(ev);
	end();
}

static void feed_frame(enum tacit_ws_opcode op, struct tacit_bytes data)
{
	struct tacit_buf frame = {0};
	CHECK_OK(tacit_ws_write(&frame, op, data, NULL));
	talk_input(talk, tacit_buf_view(&frame), 2000);
	tacit_buf_clear(&frame);
}

static void large_ones_are_fewer(void)
{
	struct tacit_buf text = {0};
	struct talk_event *ev;
	size_t count = 0, bytes = 0;
	bool behind = false;
	char kib[1024];
	memset(kib, 'x', sizeof(kib));
	open_talk();
	CHECK_OK(tacit_buf_append(&text, TACIT_STR("42[\"x\",\"")));
	for (int i = 0; i < 8 * 1024; i++)
		CHECK_OK(tacit_buf_append(&text, tacit_bytes(kib, sizeof(kib))));
	CHECK_OK(tacit_buf_append(&text, TACIT_STR("\"]")));
	for (int i = 0; i < 10; i++)
		feed_frame(TACIT_WS_TEXT, tacit_buf_view(&text));
	while ((ev = talk_next(talk)) != NULL) {
		count++;
		bytes += ev->body.n;
		behind = tacit_bytes_eq(tacit_buf_view(&ev->name), TACIT_STR("fell_behind"));
		talk_event_free(ev);
	}
	CHECK_INT(count, 9); /* of 8 MiB each, and the word */
	CHECK(behind && bytes < TALK_MAX_WAITING_BYTES + TALK_MAX_MESSAGE);
	tacit_buf_clear(&text);
	end();
}

static void who_does_not_read_is_left(void)
{
	char text[125] = {0};
	open_talk();
	for (int i = 0; i < TALK_MAX_UNSENT / 125 + 10; i++)
		feed_frame(TACIT_WS_PING, tacit_bytes(text, sizeof(text)));
	CHECK_INT(talk_state(talk), TALK_ENDED);
	CHECK_ERR(talk_problem(talk), TACIT_E_NETWORK);
	CHECK(talk_output(talk).n < TALK_MAX_UNSENT + 1000);
	end();
}

static void waiting_events_are_freed_with_it(void)
{
	open_talk();
	struct tacit_buf frame = {0};
	CHECK_OK(tacit_ws_write(&frame, TACIT_WS_TEXT, TACIT_STR("42[\"x\",{\"id\":1}]"), NULL));
	talk_input(talk, tacit_buf_view(&frame), 2000);
	tacit_buf_clear(&frame);
	talk_free(talk);
	talk = NULL;
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"asks for the upgrade", asks_for_the_upgrade},
	        {"a wrong answer ends it", a_wrong_answer_ends_it},
	        {"events go both ways", events_go_both_ways},
	        {"silence ends it", silence_ends_it},
	        {"what the server may not do", what_the_server_may_not_do},
	        {"too many are one word", too_many_are_one_word},
	        {"large ones are fewer", large_ones_are_fewer},
	        {"who does not read is left", who_does_not_read_is_left},
	        {"waiting events are freed with it", waiting_events_are_freed_with_it},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
