#include "client/race.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "client/addresses.h"
#include "support/tap.h"

#define PATIENCE 30000 /* turns of a millisecond */

static struct tacit_env env;

/* --- addresses ------------------------------------------------------------------------------- */

static void addresses_are_read_as_people_type(void)
{
	static const struct {
		const char *typed, *shown;
	} good[] = {
	        {"192.168.1.7", "192.168.1.7:5010"},
	        {"192.168.1.7:80", "192.168.1.7:80"},
	        {"::1", "[::1]:5010"},
	        {"[fd00::7]", "[fd00::7]:5010"},
	        {"[fd00::7]:65535", "[fd00::7]:65535"},
	        {"127.0.0.1:0", "127.0.0.1:0"},
	};
	static const char *const bad[] = {"", ":5", "[::1", "[::1]x", "1.2.3.4:65536",
	        "1.2.3.4:", "1.2.3.4:-1", "1.2.3.4:+1", "1.2.3.4: 1", "1.2.3.4:1x"};
	struct tacit_parcel_ways w;
	char text[ADDRESS_TEXT];
	for (size_t i = 0; i < TACIT_COUNT(good); i++) {
		CHECK_OK(addresses_find(good[i].typed, 5010, &w));
		CHECK_INT(w.count, 1);
		addresses_text(&w.list[0], w.port, text);
		CHECK(strcmp(text, good[i].shown) == 0);
	}
	for (size_t i = 0; i < TACIT_COUNT(bad); i++)
		CHECK_ERR(addresses_find(bad[i], 5010, &w), TACIT_E_BAD_NAME);
}

static void loopback_is_told_on_one_machine_only(void)
{
	struct tacit_parcel_ways w = {.port = 1};
	CHECK_OK(addresses_own(TACIT_PARCEL_ELSEWHERE, &w));
	for (size_t i = 0; i < w.count; i++)
		CHECK(tacit_parcel_address_may(&w.list[i], TACIT_PARCEL_ELSEWHERE));
	CHECK_OK(addresses_own(TACIT_PARCEL_SAME_MACHINE, &w));
	CHECK(w.count > 0);
}

/* --- a connection ---------------------------------------------------------------------------- */

/* A listener of our own, and a connection to it. */
struct wires {
	struct direct *one;
	int raw;
};

static int listen_somewhere(uint16_t *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 || listen(fd, 16) != 0 ||
	        getsockname(fd, (struct sockaddr *)&a, &n) != 0)
		return -1;
	*port = ntohs(a.sin_port);
	return fd;
}

static struct tacit_parcel_ways loopback(uint16_t port)
{
	return (struct tacit_parcel_ways){.port = port,
	        .count = 1,
	        .list = {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1}}}};
}

static bool join(struct wires *w)
{
	uint16_t port = 0;
	bool ready = false;
	int listener = listen_somewhere(&port);
	const struct tacit_parcel_ways at = loopback(port);
	*w = (struct wires){.raw = -1};
	if (listener < 0 || direct_call(&at.list[0], port, NULL, &w->one) != TACIT_OK)
		return false;
	w->raw = accept(listener, NULL, NULL);
	close(listener);
	for (int i = 0; i < PATIENCE && !ready; i++) {
		struct pollfd p = direct_poll(w->one);
		poll(&p, 1, 1);
		if (direct_ready(w->one, &ready) != TACIT_OK)
			return false;
	}
	return ready && w->raw >= 0;
}

static void put(int fd, const char *bytes, size_t n)
{
	CHECK_INT(send(fd, bytes, n, MSG_NOSIGNAL), (ssize_t)n);
}

static void messages_come_as_they_were_sent(void)
{
	struct wires w;
	struct tacit_bytes m;
	struct direct *other;
	bool got;
	static uint8_t large[TACIT_PARCEL_MAX_MESSAGE];
	REQUIRE(join(&w));
	CHECK_OK(direct_adopt(w.raw, NULL, &other));
	memset(large, 9, sizeof(large));
	CHECK_OK(direct_send(w.one, TACIT_STR("one")));
	CHECK_OK(direct_send(w.one, tacit_bytes(NULL, 0)));
	CHECK_OK(direct_send(w.one, tacit_bytes(large, sizeof(large))));
	CHECK_ERR(direct_send(w.one, tacit_bytes(large, sizeof(large) + 1)), TACIT_E_TOO_LARGE);
	CHECK_OK(direct_next(other, DIRECT_FOR_EVER, &m, &got));
	CHECK_BYTES(m, TACIT_STR("one"));
	direct_again(other);
	CHECK_OK(direct_next(other, DIRECT_FOR_EVER, &m, &got));
	CHECK_BYTES(m, TACIT_STR("one"));
	CHECK_OK(direct_next(other, DIRECT_FOR_EVER, &m, &got));
	CHECK(got && m.n == 0);
	CHECK_OK(direct_next(other, DIRECT_FOR_EVER, &m, &got));
	CHECK_BYTES(m, tacit_bytes(large, sizeof(large)));
	CHECK_OK(direct_next(other, 0, &m, &got));
	CHECK(!got);
	direct_close(w.one);
	CHECK_ERR(direct_next(other, DIRECT_FOR_EVER, &m, &got), TACIT_E_NETWORK);
	CHECK_ERR(direct_send(other, TACIT_STR("x")), TACIT_E_NETWORK);
	direct_finish(other);
}

static int count_allocation(void *ctx)
{
	++*(size_t *)ctx;
	return 0;
}

/* Reads all, a little at a time; ends with 0 if each message says its number. */
static int read_slowly(int fd, size_t count)
{
	static uint8_t message[4 + TACIT_PARCEL_MAX_MESSAGE];
	for (size_t i = 0; i < count; i++) {
		for (size_t at = 0; at < sizeof(message);) {
			const struct timespec pause = {0, 100000};
			size_t n = sizeof(message) - at < 16384 ? sizeof(message) - at : 16384;
			ssize_t got = recv(fd, message + at, n, 0);
			if (got <= 0)
				return 1;
			at += (size_t)got;
			nanosleep(&pause, NULL);
		}
		if (message[4] != i % 256 || message[sizeof(message) - 1] != i % 256)
			return 1;
	}
	return 0;
}

/* Also while the other end says something that is not read meanwhile. */
static void what_a_slow_reader_leaves_does_not_pile_up(void)
{
	enum { COUNT = 32 };
	struct wires w;
	static uint8_t large[TACIT_PARCEL_MAX_MESSAGE];
	size_t allocations = 0;
	int status = -1, small = 4096;
	REQUIRE(join(&w));
	CHECK_INT(
	        setsockopt(direct_poll(w.one).fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	put(w.raw, "\0\0\0\1x", 5);
	pid_t child = fork();
	if (child == 0)
		_exit(read_slowly(w.raw, COUNT));
	close(w.raw);
	tacit_alloc_set_fault(count_allocation, &allocations);
	for (size_t i = 0; i < COUNT; i++) {
		/* Every second one is made where it leaves from. */
		uint8_t *at = i % 2 == 0 ? large : direct_place(w.one, sizeof(large));
		REQUIRE(at != NULL && (i % 2 == 0 || at == direct_place(w.one, 1)));
		memset(at, (int)(i % 256), sizeof(large));
		CHECK_OK(direct_send(w.one, tacit_bytes(at, sizeof(large))));
	}
	tacit_alloc_set_fault(NULL, NULL);
	CHECK(allocations <= 4); /* the room grows to what may wait, and then it is there */
	direct_finish(w.one);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void what_is_too_long_or_cut_is_refused(void)
{
	struct wires w;
	struct tacit_bytes m;
	bool got;
	REQUIRE(join(&w));
	put(w.raw, "\0\2\0\x13", 4); /* a byte too many */
	CHECK_ERR(direct_next(w.one, DIRECT_FOR_EVER, &m, &got), TACIT_E_TOO_LARGE);
	close(w.raw);
	direct_close(w.one);
	REQUIRE(join(&w));
	put(w.raw, "\0\0\0\5abcd", 8);
	close(w.raw);
	CHECK_ERR(direct_next(w.one, DIRECT_FOR_EVER, &m, &got), TACIT_E_NETWORK);
	CHECK(!got);
	direct_close(w.one);
}

static void nobody_there_is_noticed(void)
{
	uint16_t port = 0;
	int listener = listen_somewhere(&port);
	const struct tacit_parcel_ways at = loopback(port);
	struct direct *d = NULL;
	bool ready = false;
	enum tacit_err err;
	close(listener);
	err = direct_call(&at.list[0], port, NULL, &d);
	for (int i = 0; i < PATIENCE && err == TACIT_OK && !ready; i++) {
		struct pollfd p = direct_poll(d);
		poll(&p, 1, 1);
		err = direct_ready(d, &ready);
	}
	CHECK_ERR(err, TACIT_E_NETWORK);
	direct_close(d);
}

/* --- races ----------------------------------------------------------------------------------- */

struct runners {
	struct race give, take;
	uint8_t root[TACIT_PARCEL_ROOT_BYTES], other[TACIT_PARCEL_ROOT_BYTES];
};

static bool line_up(struct runners *r, bool rooted)
{
	const struct race_options give = {&env, NULL, TACIT_PARCEL_SENDER, rooted ? r->root : NULL};
	const struct race_options take = {
	        &env, NULL, TACIT_PARCEL_RECEIVER, rooted ? r->other : NULL};
	const struct tacit_parcel_ways home = loopback(0);
	race_init(&r->give, &give);
	race_init(&r->take, &take);
	return race_listen(&r->give, &home.list[0], 0) == TACIT_OK;
}

static void leave(struct runners *r)
{
	race_close(&r->give);
	race_close(&r->take);
}

/* The sender's winner; then the receiver's, whose lane it says CHOSEN on. */
static void run(struct runners *r, struct direct **give, struct tacit_channel *give_channel,
        struct direct **take, struct tacit_channel *take_channel)
{
	int winner = -1;
	for (int i = 0; i < PATIENCE && *take == NULL; i++) {
		race_turn(&r->give, &winner);
		if (winner >= 0 && *give == NULL)
			CHECK_OK(race_take(&r->give, winner, give, give_channel));
		race_turn(&r->take, &winner);
		if (winner >= 0)
			CHECK_OK(race_take(&r->take, winner, take, take_channel));
		usleep(1000);
	}
}

static void a_proven_connection_wins(void)
{
	struct runners r = {.root = {1}, .other = {1}};
	struct direct *give = NULL, *take = NULL;
	struct tacit_channel a = {0}, b = {0};
	uint8_t sealed[64], room[64], type;
	struct tacit_bytes body;
	REQUIRE(line_up(&r, true));
	const struct tacit_parcel_ways at = loopback(r.give.port);
	struct direct *idle = NULL;
	CHECK_OK(direct_call(&at.list[0], at.port, NULL, &idle)); /* says nothing */
	race_call(&r.take, &at);
	race_call(&r.take, &at);
	CHECK(race_runs(&r.take));
	run(&r, &give, &a, &take, &b);
	REQUIRE(give != NULL && take != NULL);
	CHECK_OK(tacit_channel_seal(&a, 5, TACIT_STR("hello"), sealed));
	CHECK_OK(tacit_channel_open(&b, tacit_bytes(sealed, 2 + 5 + 16), room, &type, &body));
	CHECK_BYTES(body, TACIT_STR("hello"));
	tacit_channel_clear(&a);
	tacit_channel_clear(&b);
	direct_close(give);
	direct_close(take);
	direct_close(idle);
	leave(&r);
}

static void another_root_never_wins(void)
{
	struct runners r = {.root = {1}, .other = {2}};
	int winner = -1;
	REQUIRE(line_up(&r, true));
	const struct tacit_parcel_ways at = loopback(r.give.port);
	race_call(&r.take, &at);
	for (int i = 0; i < PATIENCE && race_runs(&r.take) && winner < 0; i++) {
		race_turn(&r.give, &winner);
		CHECK_INT(winner, -1);
		race_turn(&r.take, &winner);
		usleep(1000);
	}
	CHECK_INT(winner, -1);
	CHECK(!race_runs(&r.take));
	leave(&r);
}

static void wait_ready(struct direct *d)
{
	bool ready = false;
	for (int i = 0; i < PATIENCE && !ready; i++) {
		struct pollfd p = direct_poll(d);
		poll(&p, 1, 1);
		CHECK_OK(direct_ready(d, &ready));
	}
}

/* Of strangers, who begins a meeting; and what they said is still to be read. */
static void a_meeting_is_told_from_noise(void)
{
	struct runners r = {0};
	struct direct *noise = NULL, *guest = NULL, *won = NULL;
	struct tacit_channel none = {0};
	uint8_t pake[68] = {1, 1, 1, 4};
	bool got;
	int winner = -1;
	struct tacit_bytes m;
	REQUIRE(line_up(&r, false));
	const struct tacit_parcel_ways at = loopback(r.give.port);
	CHECK_OK(direct_call(&at.list[0], at.port, NULL, &noise));
	wait_ready(noise);
	CHECK_OK(direct_send(noise, TACIT_STR("GET / HTTP/1.1")));
	for (int i = 0; i < 20; i++) {
		race_turn(&r.give, &winner);
		CHECK_INT(winner, -1);
		usleep(1000);
	}
	CHECK_OK(direct_call(&at.list[0], at.port, NULL, &guest));
	wait_ready(guest);
	CHECK_OK(direct_send(guest, tacit_bytes(pake, sizeof(pake))));
	for (int i = 0; i < PATIENCE && winner < 0; i++) {
		race_turn(&r.give, &winner);
		usleep(1000);
	}
	REQUIRE(winner >= 0);
	CHECK_OK(race_take(&r.give, winner, &won, &none));
	CHECK_OK(direct_next(won, 0, &m, &got));
	CHECK_BYTES(m, tacit_bytes(pake, sizeof(pake)));
	direct_close(won);
	direct_close(guest);
	direct_close(noise);
	leave(&r);
}

static void a_taken_port_is_told(void)
{
	struct runners r = {.root = {1}, .other = {1}};
	const struct tacit_parcel_ways home = loopback(0);
	REQUIRE(line_up(&r, true));
	CHECK_ERR(race_listen(&r.take, &home.list[0], r.give.port), TACIT_E_IO);
	leave(&r);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"addresses are read as people type", addresses_are_read_as_people_type},
	        {"loopback is told on one machine only", loopback_is_told_on_one_machine_only},
	        {"messages come as they were sent", messages_come_as_they_were_sent},
	        {"what a slow reader leaves does not pile up",
	                what_a_slow_reader_leaves_does_not_pile_up},
	        {"what is too long or cut is refused", what_is_too_long_or_cut_is_refused},
	        {"nobody there is noticed", nobody_there_is_noticed},
	        {"a proven connection wins", a_proven_connection_wins},
	        {"another root never wins", another_root_never_wins},
	        {"a meeting is told from noise", a_meeting_is_told_from_noise},
	        {"a taken port is told", a_taken_port_is_told},
	};
	env = tap_env(11);
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
