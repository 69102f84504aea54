/* The relay's connection, over a wire that does what each case says. */
#include "client/relay.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/env.h"
#include "client/wire.h"
#include "support/tap.h"
#include "wire/ws.h"

#define KEY "Sec-WebSocket-Key: "
#define EVERYTHING SIZE_MAX

/* What comes, in pieces of at most `piece`, and how it takes what is sent: `first` bytes at once,
 * then nothing once, then everything. */
struct wire {
	int fds[2]; /* always writable, never readable */
	struct tacit_buf in, out;
	size_t taken, piece, first;
	bool answered, full, hung_up;
	unsigned reads;
};

static struct wire *last;

enum tacit_err wire_open(struct http *h, struct wire **out)
{
	struct wire *w = tacit_calloc(1, sizeof(*w));
	(void)h;
	if (w == NULL || socketpair(AF_UNIX, SOCK_STREAM, 0, w->fds) != 0) {
		tacit_free(w);
		return TACIT_E_NETWORK;
	}
	w->piece = w->first = EVERYTHING;
	*out = last = w;
	return TACIT_OK;
}

void wire_close(struct wire *w)
{
	if (w == NULL)
		return;
	close(w->fds[0]);
	close(w->fds[1]);
	tacit_buf_clear(&w->in);
	tacit_buf_clear(&w->out);
	tacit_free(w);
}

int wire_fd(const struct wire *w)
{
	return w->fds[0];
}

static enum tacit_err answer_upgrade(struct wire *w)
{
	char accept[TACIT_WS_ACCEPT_CHARS + 1];
	enum tacit_err err = tacit_buf_terminate(&w->out);
	const char *key = err == TACIT_OK ? strstr((const char *)w->out.p, KEY) : NULL;
	if (key == NULL)
		return TACIT_E_NETWORK;
	const uint8_t *at = (const uint8_t *)key + strlen(KEY);
	TRY(tacit_ws_accept(tacit_bytes(at, TACIT_WS_KEY_CHARS), accept));
	w->answered = true;
	TRY(tacit_buf_printf(&w->in,
	        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
	        "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
	        accept));
out:
	return err;
}

enum tacit_err wire_read(struct wire *w, uint8_t *room, size_t size, size_t *n)
{
	enum tacit_err err = TACIT_OK;
	*n = 0;
	w->reads++;
	if (!w->answered && w->out.n > 0)
		TRY(answer_upgrade(w));
	struct tacit_bytes left = tacit_bytes_part(tacit_buf_view(&w->in), w->taken, w->in.n);
	size_t most = size < w->piece ? size : w->piece;
	*n = left.n < most ? left.n : most;
	if (*n > 0)
		memcpy(room, left.p, *n);
	w->taken += *n;
	if (*n == 0 && w->hung_up)
		err = TACIT_E_NETWORK;
out:
	return err;
}

enum tacit_err wire_write(struct wire *w, struct tacit_bytes data, size_t *n)
{
	bool all = w->full || w->first == EVERYTHING;
	*n = all ? data.n : data.n < w->first ? data.n : w->first;
	w->first -= all ? 0 : *n;
	w->full = !all && *n == 0;
	return tacit_buf_append(&w->out, tacit_bytes(data.p, *n));
}

/* --- a connection ---------------------------------------------------------------------------- */

struct connection {
	struct tacit_env env;
	struct http *http;
	struct relay *relay;
};

static bool begin(struct connection *c)
{
	const struct http_options h = {.server = "http://127.0.0.1:1"};
	*c = (struct connection){.env = tap_env(7)};
	if (!CHECK_OK(http_open(&h, &c->http)))
		return false;
	const struct relay_options o = {.http = c->http, .env = &c->env, .query = "open=1"};
	if (!CHECK_OK(relay_open(&o, &c->relay)))
		return false;
	last->reads = 0;
	last->out.n = 0;
	return true;
}

static void end(struct connection *c)
{
	last->hung_up = true;
	relay_close(c->relay);
	http_close(c->http);
}

/* A message of n bytes with its type, that begin with mark. */
static bool say(size_t n, uint8_t mark)
{
	uint8_t *bytes = tacit_calloc(1, n);
	if (!CHECK(bytes != NULL))
		return false;
	memset(bytes + 1, mark, n - 1);
	bytes[0] = TACIT_RELAY_DATA;
	enum tacit_err err =
	        tacit_ws_write(&last->in, TACIT_WS_BINARY, tacit_bytes(bytes, n), NULL);
	tacit_free(bytes);
	return CHECK_OK(err);
}

static bool hears(struct connection *c, size_t n, uint8_t mark)
{
	struct tacit_relay_message m;
	bool got = false, same = true;
	if (!CHECK_OK(relay_next(c->relay, RELAY_FOR_EVER, &m, &got)) || !CHECK(got))
		return false;
	for (size_t i = 0; i < m.data.n; i++)
		same = same && m.data.p[i] == mark;
	return CHECK_INT(m.type, TACIT_RELAY_DATA) && CHECK_INT(m.data.n, n - 1) && CHECK(same);
}

/* --- cases ----------------------------------------------------------------------------------- */

/* It asked for more of the socket, got it, and has nothing to wait for any more. */
static void test_goes_on_when_all_has_left(void)
{
	struct connection c;
	static uint8_t data[TACIT_RELAY_MAX_MESSAGE - 1];
	const struct tacit_relay_message m = {
	        .type = TACIT_RELAY_DATA, .data = tacit_bytes(data, sizeof(data))};
	REQUIRE(begin(&c));
	last->first = 1000;
	CHECK_OK(relay_send(c.relay, &m));
	CHECK_INT(last->out.n, TACIT_WS_HEAD_BYTES + 1 + sizeof(data));
	CHECK_INT(last->reads, 1);
	end(&c);
}

static void test_many_at_once(void)
{
	struct connection c;
	REQUIRE(begin(&c));
	for (uint8_t i = 0; i < 5; i++)
		REQUIRE(say(1 + 70000, i));
	for (uint8_t i = 0; i < 5; i++)
		REQUIRE(hears(&c, 1 + 70000, i));
	CHECK(last->reads < 5);
	end(&c);
}

/* However they are cut, and wherever in the room the next one begins. */
static void test_any_pieces(void)
{
	static const size_t pieces[] = {1, 13, 4096, 65537, 300000, EVERYTHING};
	static const size_t sizes[] = {2, 126, 127, 65536, 65537, 131091, TACIT_RELAY_MAX_MESSAGE};
	struct connection c;
	REQUIRE(begin(&c));
	for (size_t p = 0; p < sizeof(pieces) / sizeof(*pieces); p++) {
		last->piece = pieces[p];
		for (size_t i = 0; i < 28; i++)
			REQUIRE(say(sizes[i % 7], (uint8_t)(p + i)));
		for (size_t i = 0; i < 28; i++)
			REQUIRE(hears(&c, sizes[i % 7], (uint8_t)(p + i)));
	}
	end(&c);
}

static void test_too_long(void)
{
	struct connection c;
	struct tacit_relay_message m;
	bool got;
	REQUIRE(begin(&c));
	REQUIRE(say(TACIT_RELAY_MAX_MESSAGE + 1, 1));
	CHECK_ERR(relay_next(c.relay, RELAY_FOR_EVER, &m, &got), TACIT_E_TOO_LARGE);
	CHECK(!got);
	end(&c);
}

/* The announced length alone is refused: nothing is waited for. */
static void test_much_too_long(void)
{
	struct connection c;
	struct tacit_relay_message m;
	uint8_t head[TACIT_WS_HEAD_BYTES];
	bool got;
	REQUIRE(begin(&c));
	size_t n = tacit_ws_head(TACIT_WS_BINARY, UINT64_MAX >> 1, NULL, head);
	CHECK_OK(tacit_buf_append(&last->in, tacit_bytes(head, n)));
	CHECK_ERR(relay_next(c.relay, RELAY_FOR_EVER, &m, &got), TACIT_E_TOO_LARGE);
	end(&c);
}

static void test_ping_between(void)
{
	struct connection c;
	REQUIRE(begin(&c));
	REQUIRE(say(100, 1));
	CHECK_OK(tacit_ws_write(&last->in, TACIT_WS_PING, tacit_cstr("there?"), NULL));
	REQUIRE(say(100, 2));
	REQUIRE(hears(&c, 100, 1));
	CHECK_INT(last->out.n, 0);
	REQUIRE(hears(&c, 100, 2));
	struct tacit_relay_message m;
	bool got;
	CHECK_OK(relay_next(c.relay, 0, &m, &got)); /* sends what is to be sent */
	CHECK(!got);
	REQUIRE(last->out.n > 0);
	CHECK_INT(last->out.p[0], 0x80 | TACIT_WS_PONG);
	end(&c);
}

static void test_closed(void)
{
	struct connection c;
	struct tacit_relay_message m;
	bool got;
	REQUIRE(begin(&c));
	REQUIRE(say(100, 1));
	CHECK_OK(tacit_ws_write_close(&last->in, TACIT_WS_GOING_AWAY, NULL));
	REQUIRE(hears(&c, 100, 1));
	CHECK_ERR(relay_next(c.relay, RELAY_FOR_EVER, &m, &got), TACIT_E_NETWORK);
	end(&c);
}

static const struct tap_case cases[] = {
        {"who sends goes on once all has left", test_goes_on_when_all_has_left},
        {"messages that come at once are read at once", test_many_at_once},
        {"messages come in any pieces", test_any_pieces},
        {"a message that is too long is refused", test_too_long},
        {"a length that is too long is refused", test_much_too_long},
        {"a ping between messages is answered", test_ping_between},
        {"what was said before the end is heard", test_closed},
};

int main(int argc, char **argv)
{
	return tap_main(argc, argv, cases, sizeof(cases) / sizeof(*cases));
}
