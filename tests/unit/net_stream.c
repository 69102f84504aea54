/* Bodies and files that stream through the server, both ways, to slow readers, too. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net_people.h"
#include "support/tap.h"

/* Streams `bytes` of the pattern; what the server says about them must be right. */
static bool stream_up(struct client *c, size_t bytes, bool chunked)
{
	static uint8_t part[100000];
	uint64_t sum = 0;
	char text[120];
	snprintf(text, sizeof(text), "PUT /stream HTTP/1.1\r\nHost: a\r\n");
	bool ok = put(c, text);
	snprintf(text, sizeof(text),
	        chunked ? "Transfer-Encoding: chunked\r\n\r\n" : "Content-Length: %zu\r\n\r\n",
	        bytes);
	ok = ok && put(c, text);
	for (size_t at = 0; at < bytes && ok;) {
		size_t n = bytes - at < sizeof(part) ? bytes - at : sizeof(part);
		fill_pattern(part, n, at);
		for (size_t i = 0; i < n; i++)
			sum += part[i];
		snprintf(text, sizeof(text), "%zx\r\n", n);
		ok = (!chunked || put(c, text)) && put_bytes(c, part, n) &&
		     (!chunked || put(c, "\r\n"));
		at += n;
	}
	if (chunked)
		ok = ok && put(c, "0\r\n\r\n");
	snprintf(text, sizeof(text), "%llu %llu", (unsigned long long)bytes,
	        (unsigned long long)sum);
	return ok && expect(c, 200, text);
}

static void uploads_are_streamed(void)
{
	struct net_server *s = serve(settings());
	struct client c;
	REQUIRE(connect_to(&c, s));
	atomic_store(&seen.overlapped, false);
	CHECK(stream_up(&c, (size_t)24 * 1024 * 1024, false));
	CHECK(stream_up(&c, (size_t)5 * 1024 * 1024 + 1, true));
	CHECK(stream_up(&c, 0, false) && stream_up(&c, 0, true) && stream_up(&c, 1, false));
	CHECK(!atomic_load(&seen.overlapped));
	CHECK(put(&c, GET_HELLO) && expect(&c, 200, "hello"));
	CHECK(put(
	        &c, "PUT /early HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nunread" GET_HELLO));
	CHECK(expect(&c, 409, "not now") && expect(&c, 200, "hello"));
	unsigned before = atomic_load(&seen.incomplete);
	CHECK(put(&c, "PUT /stream?limit=70000 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
	              "chunked\r\n\r\n"));
	static char chunk[40000];
	for (int i = 0; i < 2; i++)
		put_chunk(&c, chunk, sizeof(chunk));
	CHECK(expect(&c, 413, "{\"status\":413}") && at_end(&c));
	CHECK(eventually(&seen.incomplete, before + 1));
	drop(&c);
	shut(s);
}

static bool download(struct client *c, size_t from, size_t bytes)
{
	char text[120];
	snprintf(text, sizeof(text), "GET /file?from=%zu&bytes=%zu HTTP/1.1\r\nHost: a\r\n\r\n",
	        from, bytes);
	if (!put(c, text))
		return false;
	struct answer a = get(c, false);
	uint8_t *want = malloc(bytes + 1);
	fill_pattern(want, bytes, from);
	bool ok = a.status == 200 && a.bytes == bytes && memcmp(a.body, want, bytes) == 0;
	free(want);
	free(a.body);
	return ok;
}

static void files_are_streamed(void)
{
	struct net_server *s = serve(settings());
	struct client c;
	REQUIRE(connect_to(&c, s));
	CHECK(download(&c, 0, FILE_BYTES));
	CHECK(download(&c, 12345, 3 * 1024 * 1024 + 17));
	CHECK(download(&c, FILE_BYTES - 1, 1) && download(&c, 5, 0));
	CHECK(put(&c, "HEAD /file?bytes=99 HTTP/1.1\r\nHost: a\r\n\r\n" GET_HELLO));
	struct answer a = get(&c, true);
	CHECK(a.status == 200 && has_line(&a, "\r\nContent-Length: 99\r\n"));
	free(a.body);
	CHECK(expect(&c, 200, "hello"));
	/* More than there is: the connection breaks rather than lie. */
	CHECK(!download(&c, FILE_BYTES - 10, 20));
	drop(&c);
	shut(s);
}

#define GET_MUCH "GET /file?from=0&bytes=3000000 HTTP/1.1\r\nHost: a\r\n\r\n"

static void a_slow_reader_gets_all(void)
{
	struct net_settings set = hasty();
	set.write_timeout_s = 2;
	struct net_server *s = serve(set);
	struct client c, other;
	REQUIRE(connect_raw(&c, s, 4096));
	CHECK(put(&c, GET_MUCH));
	for (int i = 0; i < 8; i++) {
		sleep_ms(300); /* more than the write timeout in all */
		CHECK(get_more(&c) > 0);
	}
	struct answer a = get(&c, false);
	CHECK(a.status == 200 && a.bytes == 3000000);
	free(a.body);
	drop(&c);
	shut(s);

	s = serve(settings());
	REQUIRE(connect_raw(&c, s, 4096) && connect_to(&other, s));
	CHECK(put(&c, GET_MUCH));
	CHECK(download(&other, 0, FILE_BYTES)); /* nobody waits for a slow one */
	a = get(&c, false);
	CHECK(a.status == 200 && a.bytes == 3000000);
	free(a.body);
	drop(&c);
	drop(&other);
	shut(s);
}

static void a_stuck_reader_is_dropped(void)
{
	struct net_server *s = serve(hasty());
	struct client c;
	struct net_stats stats;
	unsigned aborted = atomic_load(&seen.aborted);
	REQUIRE(connect_raw(&c, s, 4096));
	CHECK(put(&c, "GET /file?from=0&bytes=6000000 HTTP/1.1\r\nHost: a\r\n\r\n"));
	CHECK(eventually(&seen.aborted, aborted + 1));
	net_server_stats(s, &stats);
	CHECK_INT(stats.timeouts, 1);
	drop(&c);
	shut(s);
}

IN_BOTH(uploads_are_streamed)
IN_BOTH(files_are_streamed)

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"uploads are streamed", uploads_are_streamed_in_both},
	        {"files are streamed", files_are_streamed_in_both},
	        {"a slow reader gets all", a_slow_reader_gets_all},
	        {"a stuck reader is dropped", a_stuck_reader_is_dropped},
	};
	if (!set_up()) {
		printf("Bail out! no folder, certificate or lanes\n");
		return 1;
	}
	int status = tap_main(argc, argv, cases, TACIT_COUNT(cases));
	tear_down();
	return status;
}
