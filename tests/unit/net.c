/* A small application behind a real server on loopback, in the clear and under TLS. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/env.h"
#include "net_people.h"
#include "support/tap.h"

static void keep_alive(void)
{
	struct net_server *s = serve(settings());
	struct client c;
	struct net_stats stats;
	REQUIRE(connect_to(&c, s));
	for (int i = 0; i < 3; i++) {
		CHECK(put(&c, GET_HELLO));
		struct answer a = get(&c, false);
		CHECK_INT(a.status, 200);
		CHECK(body_is(&a, "hello") && has_line(&a, "\r\nX-Common: yes\r\n"));
		CHECK(has_line(&a, "\r\nContent-Type: text/plain\r\n") &&
		        has_line(&a, "\r\nDate: "));
		CHECK(has_line(&a, " GMT\r\n") && !has_line(&a, "Connection:"));
		free(a.body);
	}
	CHECK(put(&c, "HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n"));
	struct answer a = get(&c, true);
	CHECK(a.status == 200 && has_line(&a, "\r\nContent-Length: 5\r\n"));
	free(a.body);
	CHECK(put(&c, "GET /empty HTTP/1.1\r\nHost: a\r\n\r\n"));
	a = get(&c, false);
	CHECK(a.status == 204 && !has_line(&a, "Content-Length"));
	free(a.body);
	CHECK(put(&c, "GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
	a = get(&c, false);
	CHECK(a.status == 404 && has_line(&a, "\r\nConnection: close\r\n"));
	free(a.body);
	CHECK(at_end(&c));
	drop(&c);
	REQUIRE(connect_to(&c, s));
	CHECK(put(&c, "GET /hello HTTP/1.0\r\n\r\n"));
	CHECK(expect(&c, 200, "hello") && at_end(&c));
	drop(&c);
	net_server_stats(s, &stats);
	CHECK_INT(stats.connections_total, 2);
	CHECK(stats.bytes_in > 100 && stats.bytes_out > 500);
	shut(s);
}

static void pipelining(void)
{
	static char text[20000];
	struct net_server *s = serve(settings());
	struct client c;
	size_t n = 0;
	char body[40];
	for (int i = 0; i < 60; i++) {
		snprintf(body, sizeof(body), "request %d", i);
		n += (size_t)snprintf(text + n, sizeof(text) - n,
		        "POST /%s HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n%s",
		        i % 3 == 0 ? "later?ms=1" : "echo", strlen(body), body);
	}
	REQUIRE(connect_to(&c, s));
	for (int slow = 0; slow < 2; slow++) { /* at once, then in splinters */
		for (size_t at = 0; at < n; at += slow ? 37 : n)
			CHECK(put_bytes(&c, text + at, !slow ? n : n - at < 37 ? n - at : 37));
		for (int i = 0; i < 60; i++) {
			snprintf(body, sizeof(body), "request %d", i);
			CHECK(expect(&c, 200, body));
		}
	}
	CHECK_INT(c.n, 0);
	drop(&c);
	shut(s);
}

static void bodies_are_collected(void)
{
	static char big[300000];
	char head[200];
	struct net_server *s = serve(settings());
	struct client c;
	REQUIRE(connect_to(&c, s));
	memset(big, 'b', sizeof(big));
	snprintf(head, sizeof(head),
	        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", sizeof(big));
	CHECK(put(&c, head) && put_bytes(&c, big, sizeof(big)));
	struct answer a = get(&c, false);
	CHECK(a.status == 200 && a.bytes == sizeof(big) && memcmp(a.body, big, sizeof(big)) == 0);
	free(a.body);
	CHECK(put(&c,
	        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"));
	sleep_ms(20);
	CHECK(put(&c, "lo\r\n7;x\r\n, world\r\n0\r\n\r\n" GET_HELLO));
	CHECK(expect(&c, 200, "hello, world") && expect(&c, 200, "hello"));
	/* One byte too many, announced; then found out. */
	CHECK(put(&c, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n"));
	CHECK(expect(&c, 413, "{\"status\":413}"));
	drop(&c);
	REQUIRE(connect_to(&c, s));
	CHECK(put(&c, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"));
	for (int i = 0; i < 4; i++)
		put_chunk(&c, big, sizeof(big));
	CHECK(expect(&c, 413, "{\"status\":413}") && at_end(&c));
	drop(&c);
	REQUIRE(connect_to(&c, s));
	CHECK(put(
	        &c, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"));
	CHECK(expect(&c, 400, "{\"status\":400}") && at_end(&c));
	drop(&c);
	shut(s);
}

static void continue_is_said(void)
{
	struct net_server *s = serve(settings());
	struct client c;
	REQUIRE(connect_to(&c, s));
	for (int i = 0; i < 2; i++) {
		CHECK(put(&c, i == 0 ? "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: "
		                       "100-continue\r\nContent-Length: 2\r\n\r\n"
		                     : "PUT /stream HTTP/1.1\r\nHost: a\r\nExpect: "
		                       "100-continue\r\nContent-Length: 2\r\n\r\n"));
		CHECK_INT(get_status(&c), 100);
		CHECK(put(&c, "hi") && expect(&c, 200, i == 0 ? "hi" : "2 209"));
	}
	/* Refused: the final answer comes instead, and an end. */
	CHECK(put(&c, "POST /nowhere HTTP/1.1\r\nHost: a\r\nExpect: "
	              "100-continue\r\nContent-Length: 2\r\n\r\n"));
	struct answer a = get(&c, false);
	CHECK(a.status == 404 && has_line(&a, "Connection: close"));
	CHECK(at_end(&c));
	free(a.body);
	drop(&c);
	shut(s);
}

static void unread_bodies_do_not_cost_the_answer(void)
{
	static char big[4 * 1024 * 1024];
	struct net_server *s = serve(settings());
	struct client c;
	REQUIRE(connect_to(&c, s));
	/* A small rest is skipped, and the connection lives on. */
	CHECK(put(&c, "POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n"));
	CHECK(expect(&c, 404, "nothing here"));
	CHECK(put_bytes(&c, big, 60000) && put(&c, GET_HELLO) && expect(&c, 200, "hello"));
	/* A large one ends it, but the answer arrives even when the client only sends at first. */
	CHECK(put(&c, "POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 4194304\r\n\r\n"));
	CHECK(put_bytes(&c, big, sizeof(big)));
	struct answer a = get(&c, false);
	CHECK(a.status == 404 && has_line(&a, "Connection: close"));
	CHECK(at_end(&c));
	free(a.body);
	drop(&c);
	shut(s);
}

static void garbage_is_refused(void)
{
	uint8_t noise[3000];
	struct net_server *s = serve(settings());
	struct net_stats stats;
	struct client c;
	struct tacit_env env = tap_env(7);
	REQUIRE(connect_to(&c, s));
	CHECK(put(&c, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" GET_HELLO));
	CHECK(expect(&c, 400, "{\"status\":400}") && at_end(&c));
	drop(&c);
	REQUIRE(connect_to(&c, s));
	CHECK(put(&c, "BREW / HTTP/1.1\r\nHost: a\r\n\r\n"));
	CHECK(expect(&c, 501, "{\"status\":501}") && at_end(&c));
	drop(&c);
	REQUIRE(connect_to(&c, s));
	memset(noise, 'x', sizeof(noise));
	put(&c, "GET /");
	for (int i = 0; i < 8; i++)
		put_bytes(&c, noise, sizeof(noise));
	CHECK(expect(&c, 431, "{\"status\":431}") && at_end(&c));
	drop(&c);
	for (int i = 0; i < 50; i++) { /* also where a TLS hello should stand */
		REQUIRE(i % 2 == 0 ? connect_to(&c, s) : connect_raw(&c, s, 0));
		tacit_env_random(&env, noise, sizeof(noise));
		put_bytes(&c, noise, 1 + noise[0]);
		drop(&c);
	}
	net_server_stats(s, &stats);
	CHECK(stats.malformed_requests >= 3);
	CHECK(serves(s));
	shut(s);
}

static void proxies_are_believed(void)
{
	struct net_settings set = settings();
	struct net_prefix proxy;
	struct client c;
	static const char ask[] =
	        "GET /who HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6, 1.2.3.4\r\n"
	        "X-Forwarded-Proto: https\r\n\r\n";
	struct net_server *s = serve(set);
	REQUIRE(connect_to(&c, s));
	CHECK(put(&c, ask) && expect(&c, 200, "127.0.0.1 plain"));
	drop(&c);
	shut(s);
	CHECK_OK(net_prefix_parse("127.0.0.0/8", &proxy));
	set.proxies = &proxy;
	set.proxy_count = 1;
	s = serve(set);
	REQUIRE(connect_to(&c, s));
	CHECK(put(&c, ask) && expect(&c, 200, "1.2.3.4 tls"));
	drop(&c);
	shut(s);
}

static void settings_are_checked(void)
{
	const char *why = NULL;
	struct net_server *s = serve(settings()), *second = NULL;
	char taken[40];
	struct net_settings set = settings();
	snprintf(taken, sizeof(taken), "127.0.0.1:%u", net_server_port(s));
	set.listen = taken;
	CHECK_ERR(net_server_new(&set, &app, &why, &second), TACIT_E_IO);
	CHECK(why != NULL && second == NULL);
	set.listen = "localhost";
	CHECK_ERR(net_server_new(&set, &app, &why, &second), TACIT_E_USAGE);
	set = settings();
	set.tls_cert = cert_path;
	CHECK_ERR(net_server_new(&set, &app, &why, &second), TACIT_E_USAGE);
	set.tls_key = cert_path; /* no key in there */
	CHECK_ERR(net_server_new(&set, &app, &why, &second), TACIT_E_USAGE);
	set.tls_key = file_path;
	CHECK_ERR(net_server_new(&set, &app, &why, &second), TACIT_E_USAGE);
	CHECK_ERR(net_server_reload_tls(s, &why), TACIT_E_USAGE);
	set = settings();
	CHECK_OK(net_server_new(&set, &app, &why, &second));
	net_server_free(second); /* never started */
	shut(s);
}

static void tls_is_modern(void)
{
	struct client c;
	const unsigned char *protocol = NULL;
	const char *why;
	unsigned bytes = 0;
	with_tls = true;
	struct net_server *s = serve(settings());
	REQUIRE(connect_to(&c, s));
	SSL_get0_alpn_selected(c.ssl, &protocol, &bytes);
	CHECK_BYTES(tacit_bytes(protocol, bytes), TACIT_STR("http/1.1"));
	CHECK_INT(SSL_version(c.ssl), TLS1_3_VERSION);
	CHECK_OK(net_server_reload_tls(s, &why));
	CHECK(put(&c, GET_HELLO) && expect(&c, 200, "hello"));
	CHECK(serves(s));
	drop(&c);
	SSL_CTX_set_max_proto_version(client_context, TLS1_2_VERSION);
	CHECK(serves(s));
	SSL_CTX_set_security_level(client_context, 0);
	SSL_CTX_set_min_proto_version(client_context, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(client_context, TLS1_1_VERSION);
	CHECK(!connect_to(&c, s));
	drop(&c);
	SSL_CTX_set_max_proto_version(client_context, 0);
	SSL_CTX_set_alpn_protos(client_context, (const unsigned char *)"\2h2", 3);
	CHECK(!connect_to(&c, s));
	drop(&c);
	SSL_CTX_set_alpn_protos(client_context, (const unsigned char *)"\2h2\10http/1.1", 12);
	shut(s);
	with_tls = false;
}

static void memory_may_run_out(void)
{
	static char part[20000];
	struct net_server *s = serve(settings());
	struct client c;
	for (unsigned n = 2; n < 12; n++) {
		for (int i = 0; i < 6; i++) {
			if (connect_raw(&c, s, 0)) {
				atomic_store(&every, n);
				put(&c, GET_HELLO
				        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
				        "chunked\r\n\r\n4e20\r\n");
				put_bytes(&c, part, sizeof(part));
				put(&c, "\r\n0\r\n\r\nGET /file?bytes=5000 HTTP/1.1\r\nHo");
				put(&c, "st: a\r\n\r\nBAD\r\n\r\n");
				while (get_more(&c) > 0)
					continue;
				atomic_store(&every, 0);
			}
			drop(&c);
		}
		CHECK(serves(s));
	}
	shut(s);
}

IN_BOTH(keep_alive)
IN_BOTH(pipelining)
IN_BOTH(bodies_are_collected)
IN_BOTH(continue_is_said)
IN_BOTH(unread_bodies_do_not_cost_the_answer)
IN_BOTH(garbage_is_refused)

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"keep-alive", keep_alive_in_both},
	        {"pipelining", pipelining_in_both},
	        {"bodies are collected", bodies_are_collected_in_both},
	        {"continue is said", continue_is_said_in_both},
	        {"unread bodies do not cost the answer",
	                unread_bodies_do_not_cost_the_answer_in_both},
	        {"garbage is refused", garbage_is_refused_in_both},
	        {"proxies are believed", proxies_are_believed},
	        {"settings are checked", settings_are_checked},
	        {"TLS is modern", tls_is_modern},
	        {"memory may run out", memory_may_run_out},
	};
	if (!set_up()) {
		printf("Bail out! no folder, certificate or lanes\n");
		return 1;
	}
	int status = tap_main(argc, argv, cases, TACIT_COUNT(cases));
	tear_down();
	return status;
}
