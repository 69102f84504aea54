/* How connections to the server end: by either side, by a limit, by its stopping. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "net_people.h"
#include "support/tap.h"

static void slow_peers_are_shown_out(void)
{
	struct net_settings set = hasty();
	set.body_min_rate = 1000;
	struct net_server *s = serve(set);
	struct client idle, head, drip, body;
	struct net_stats stats;
	int64_t begun = now_ms();
	REQUIRE(connect_to(&idle, s) && connect_to(&head, s) && connect_to(&drip, s) &&
	        connect_to(&body, s));
	CHECK(put(&idle, GET_HELLO) && expect(&idle, 200, "hello"));
	CHECK(put(&head, "GET /hello HTTP/1.1\r\nHo"));
	CHECK(put(&body, "PUT /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc"));
	CHECK(put(&drip, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"));
	struct pollfd answered = {.fd = drip.fd, .events = POLLIN};
	for (int i = 0; i < 40 && poll(&answered, 1, 0) == 0; i++) { /* 20 bytes a second */
		put(&drip, "x");
		sleep_ms(50);
	}
	CHECK(expect(&head, 408, "{\"status\":408}") && at_end(&head));
	CHECK(expect(&body, 408, "{\"status\":408}") && at_end(&body));
	CHECK(expect(&drip, 408, "{\"status\":408}") && at_end(&drip));
	CHECK(at_end(&idle));
	int64_t took = now_ms() - begun;
	CHECK(took > 900 && took < 45000); /* by these settings, and not those of others */
	net_server_stats(s, &stats);
	CHECK_INT(stats.timeouts, 3);
	drop(&idle);
	drop(&head);
	drop(&drip);
	drop(&body);
	shut(s);
}

static void half_open_is_answered(void)
{
	struct net_server *s = serve(settings());
	struct client c;
	REQUIRE(connect_to(&c, s));
	CHECK(put(&c, "POST /later?ms=100 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"));
	if (c.ssl != NULL)
		SSL_shutdown(c.ssl);
	shutdown(c.fd, SHUT_WR);
	CHECK(expect(&c, 200, "hi") && at_end(&c));
	drop(&c);
	shut(s);
}

#define GET_PARKED "GET /parked HTTP/1.1\r\nHost: a\r\n\r\n"

/* The answer never comes; without being watched, it would be waited for for ever. */
static void who_leaves_is_noticed(void)
{
	struct net_server *s = serve(settings());
	struct client c;
	unsigned abandoned_before = atomic_load(&seen.abandoned), kept = atomic_load(&seen.parked);
	for (unsigned i = 1; i <= 3; i++) {
		REQUIRE(connect_to(&c, s));
		CHECK(put(&c, GET_PARKED));
		if (i > 1)
			CHECK(eventually(&seen.parked, kept + i));
		if (i == 3) { /* half of it is gone: that counts, too */
			if (c.ssl != NULL)
				SSL_shutdown(c.ssl);
			shutdown(c.fd, SHUT_WR);
			CHECK(get_more(&c) <= 0);
		}
		drop(&c);
		CHECK(eventually(&seen.abandoned, abandoned_before + i));
	}
	shut(s);
	CHECK_INT(atomic_load(&seen.abandoned), abandoned_before + 3);
}

static void who_is_watched_may_say_more(void)
{
	struct net_server *s = serve(settings());
	struct client c;
	unsigned abandoned_before = atomic_load(&seen.abandoned), kept = atomic_load(&seen.parked);
	REQUIRE(connect_to(&c, s));
	for (unsigned i = 1; i <= 2; i++) { /* behind the head, or later */
		CHECK(put(&c, i == 1 ? GET_PARKED GET_HELLO : GET_PARKED));
		REQUIRE(eventually(&seen.parked, kept + i));
		if (i == 2)
			CHECK(put(&c, "G") && put(&c, &GET_HELLO[1]));
		http_reply(parked, text_answer(200, "at last"));
		CHECK(expect(&c, 200, "at last"));
		CHECK(expect(&c, 200, "hello"));
	}
	CHECK_INT(atomic_load(&seen.abandoned), abandoned_before);
	drop(&c);
	shut(s);
}

/* So many connections are left. */
static bool come_to(const struct net_server *s, uint64_t open)
{
	struct net_stats stats;
	net_server_stats(s, &stats);
	for (int i = 0; i < 6000 && stats.connections_open != open; i++) {
		sleep_ms(10);
		net_server_stats(s, &stats);
	}
	return stats.connections_open == open;
}

static unsigned open_descriptors(void)
{
	unsigned n = 0;
	for (int fd = 0; fd < 400; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void abrupt_ends_leave_nothing(void)
{
	static char part[300000];
	struct linger reset = {.l_onoff = 1};
	struct net_server *s = serve(settings());
	struct client c;
	unsigned descriptors = open_descriptors(), aborted = atomic_load(&seen.aborted);
	unsigned ends = atomic_load(&seen.ends), incomplete = atomic_load(&seen.incomplete);
	unsigned long long streamed = atomic_load(&seen.streamed);
	for (int i = 0; i < 10; i++) { /* the answer finds nobody */
		REQUIRE(connect_to(&c, s));
		CHECK(put(&c,
		        "POST /later?ms=100 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"));
		setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		drop(&c);
	}
	for (int i = 0; i < 10;
	        i++) { /* in the middle of a body: what came is given, then the end */
		REQUIRE(connect_to(&c, s));
		CHECK(put(
		        &c, "PUT /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n"));
		CHECK(put_bytes(&c, part, sizeof(part)));
		/* Not a reset, which would take along what the server has not read yet. */
		shutdown(c.fd, SHUT_WR);
		CHECK(get_more(&c) <= 0);
		drop(&c);
	}
	CHECK(eventually(&seen.ends, ends + 10));
	CHECK(eventually(&seen.incomplete, incomplete + 10));
	CHECK(atomic_load(&seen.streamed) - streamed == 10 * sizeof(part));
	CHECK(eventually(&seen.aborted, aborted + 10) ||
	        atomic_load(&seen.aborted) >
	                aborted + 10); /* a reset may come before its request */
	CHECK(come_to(s, 0));
	CHECK_INT(open_descriptors(), descriptors);
	CHECK(serves(s));
	shut(s);
}

static void stale_handles_lead_nowhere(void)
{
	struct net_server *s = serve(settings());
	struct http_response *r = http_response_new(200);
	unsigned descriptors = open_descriptors();
	REQUIRE(r != NULL);
	r->file = open(file_path, O_RDONLY | O_CLOEXEC);
	http_reply((struct http_handle){0, 0, 77777}, r);
	http_resume((struct http_handle){0, 0, 77777});
	http_reply((struct http_handle){200, 5, 1}, http_response_new(200));
	http_resume((struct http_handle){200, 5, 1});
	CHECK(serves(s));
	shut(s);
	CHECK(open_descriptors() < descriptors);
	http_reply((struct http_handle){0, 0, 1}, http_response_new(200));
}

static void connections_are_limited(void)
{
	struct net_settings set = settings();
	struct client c[3];
	struct net_stats stats;
	set.loops = 1;
	set.max_connections = 2;
	struct net_server *s = serve(set);
	REQUIRE(connect_to(&c[0], s) && connect_to(&c[1], s) && connect_to(&c[2], s));
	CHECK(put(&c[0], GET_HELLO) && expect(&c[0], 200, "hello"));
	CHECK(put(&c[2], GET_HELLO)); /* waits in the backlog */
	struct pollfd readable = {.fd = c[2].fd, .events = POLLIN};
	CHECK_INT(poll(&readable, 1, 200), 0);
	drop(&c[1]);
	CHECK(expect(&c[2], 200, "hello"));
	drop(&c[0]);
	drop(&c[2]);
	shut(s);

	set.loops = 2;
	set.max_connections = 100;
	set.max_connections_per_address = 2;
	s = serve(set);
	int served = 0, last = 0;
	for (int i = 0; i < 3; i++) { /* in any order: there are two loops */
		REQUIRE(connect_to(&c[i], s));
		bool ok = put(&c[i], GET_HELLO) && expect(&c[i], 200, "hello");
		served += ok;
		last = ok ? i : last;
	}
	CHECK_INT(served, 2);
	net_server_stats(s, &stats);
	CHECK_INT(stats.refused_connections, 1);
	drop(&c[last]);
	CHECK(come_to(s, 1));
	CHECK(serves(s));
	for (int i = 0; i < 3; i++)
		if (i != last)
			drop(&c[i]);
	shut(s);
}

struct stopping {
	struct net_server *server;
	unsigned grace;
	int64_t took;
};

static void *stop_server(void *ctx)
{
	struct stopping *s = ctx;
	int64_t begun = now_ms();
	net_server_stop(s->server, s->grace);
	s->took = now_ms() - begun;
	return NULL;
}

static void stopping_is_graceful(void)
{
	struct net_settings set = settings();
	struct stopping stop = {.server = serve(set), .grace = 60};
	struct client idle, busy, late;
	pthread_t thread;
	unsigned plans = atomic_load(&seen.plans);
	REQUIRE(connect_to(&idle, stop.server) && connect_to(&busy, stop.server));
	CHECK(put(&idle, GET_HELLO) && expect(&idle, 200, "hello"));
	CHECK(put(&busy,
	        "POST /later?ms=500 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi" GET_HELLO));
	CHECK(eventually(&seen.plans, plans + 2));
	REQUIRE(pthread_create(&thread, NULL, stop_server, &stop) == 0);
	CHECK(at_end(&idle)); /* at once */
	bool let_in = true;
	for (int i = 0; i < 3000 && let_in; i++) { /* by the other loop's listener, at first */
		let_in = connect_to(&late, stop.server);
		drop(&late);
		sleep_ms(10);
	}
	CHECK(!let_in);
	struct answer a = get(&busy, false);
	CHECK(a.status == 200 && body_is(&a, "hi") && has_line(&a, "Connection: close"));
	CHECK(at_end(&busy));
	free(a.body);
	drop(&busy);
	drop(&idle);
	pthread_join(thread, NULL);
	CHECK(stop.took < 45000); /* it does not sit out its time */
	net_server_free(stop.server);
}

static void stopping_is_bounded(void)
{
	struct net_settings set = settings();
	struct stopping stop = {.server = serve(set), .grace = 1};
	struct client c, upload;
	REQUIRE(connect_to(&c, stop.server) && connect_to(&upload, stop.server));
	unsigned ends = atomic_load(&seen.ends), streams = atomic_load(&seen.streams);
	unsigned kept = atomic_load(&seen.parked);
	CHECK(put(&c, GET_PARKED)); /* which is never answered */
	CHECK(put(&upload, "PUT /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 200\r\n\r\nhi"));
	CHECK(eventually(&seen.parked, kept + 1) && eventually(&seen.streams, streams + 1));
	stop_server(&stop);
	CHECK(stop.took > 900 && stop.took < 45000); /* and not when peers are cut off, in 60 s */
	CHECK(atomic_load(&seen.ends) == ends + 1);
	CHECK(get_status(&c) == 0);
	drop(&c);
	drop(&upload);
	net_server_free(stop.server);
	http_reply(parked, text_answer(200, "too late")); /* to who is not there any more */
}

IN_BOTH(slow_peers_are_shown_out)
IN_BOTH(half_open_is_answered)
IN_BOTH(who_leaves_is_noticed)
IN_BOTH(who_is_watched_may_say_more)
IN_BOTH(abrupt_ends_leave_nothing)
IN_BOTH(stopping_is_graceful)

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"slow peers are shown out", slow_peers_are_shown_out_in_both},
	        {"half-open is answered", half_open_is_answered_in_both},
	        {"who leaves is noticed", who_leaves_is_noticed_in_both},
	        {"who is watched may say more", who_is_watched_may_say_more_in_both},
	        {"abrupt ends leave nothing", abrupt_ends_leave_nothing_in_both},
	        {"stale handles lead nowhere", stale_handles_lead_nowhere},
	        {"connections are limited", connections_are_limited},
	        {"stopping is graceful", stopping_is_graceful_in_both},
	        {"stopping is bounded", stopping_is_bounded},
	};
	if (!set_up()) {
		printf("Bail out! no folder, certificate or lanes\n");
		return 1;
	}
	int status = tap_main(argc, argv, cases, TACIT_COUNT(cases));
	tear_down();
	return status;
}
