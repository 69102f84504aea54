/* load.c - drives one HTTP endpoint over many keep-alive connections and prints a line of JSON.
 *
 *   load PORT CONNECTIONS SECONDS STATUS < requests
 *
 * stdin: requests, each "LENGTH\n" followed by that many raw bytes, used once each, in order. Every
 * connection has one request under way. Stops after SECONDS or when the requests are used up. An
 * answer with another status than STATUS counts as an error. Bounded in time and count by its
 * input. */
#define _GNU_SOURCE /* strcasestr */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"

#define MAX_CONNECTIONS 4096
#define ANSWER_ROOM (64 * 1024)

struct connection {
	int fd;
	size_t received;
	double sent_at;
	char answer[ANSWER_ROOM];
};

struct requests {
	char *bytes;
	struct tacit_bytes *list;
	size_t count, next;
};

struct result {
	float *latencies;
	size_t done, errors;
};

static double seconds_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void read_requests(struct requests *r)
{
	size_t cap = 1 << 20, n = 0;
	r->bytes = malloc(cap);
	for (size_t got; r->bytes != NULL && (got = fread(r->bytes + n, 1, cap - n, stdin)) > 0;) {
		n += got;
		if (n == cap)
			r->bytes = realloc(r->bytes, cap *= 2);
	}
	size_t room = 1024;
	r->list = malloc(room * sizeof(*r->list));
	for (size_t at = 0; at < n;) {
		char *end;
		size_t length = strtoul(r->bytes + at, &end, 10);
		at = (size_t)(end - r->bytes) + 1;
		if (*end != '\n' || length > n - at)
			die("requests are malformed");
		if (r->count == room)
			r->list = realloc(r->list, (room *= 2) * sizeof(*r->list));
		if (r->list == NULL)
			die("memory");
		r->list[r->count++] = tacit_bytes(r->bytes + at, length);
		at += length;
	}
}

static int connect_to(unsigned port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
		die("fcntl");
	return fd;
}

static bool send_next(struct connection *c, struct requests *r)
{
	if (r->next == r->count)
		return false;
	struct tacit_bytes b = r->list[r->next++];
	c->received = 0;
	c->sent_at = seconds_now();
	while (b.n > 0) {
		ssize_t sent = send(c->fd, b.p, b.n, MSG_NOSIGNAL);
		if (sent < 0 && errno != EAGAIN)
			die("send");
		if (sent > 0)
			b = tacit_bytes(b.p + sent, b.n - (size_t)sent);
	}
	return true;
}

/* 0: more to come; else the status. Answers of the measured calls fit the room. */
static int answer_status(struct connection *c)
{
	c->answer[c->received] = 0;
	char *end = strstr(c->answer, "\r\n\r\n");
	if (end == NULL)
		return 0;
	char *length = strcasestr(c->answer, "\r\nContent-Length:");
	size_t body = length != NULL && length < end ? strtoul(length + 17, NULL, 10) : 0;
	if (c->received < (size_t)(end + 4 - c->answer) + body)
		return 0;
	return (int)strtol(c->answer + 9, NULL, 10);
}

static void on_readable(struct connection *c, struct requests *r, struct result *out, int want)
{
	ssize_t n = recv(c->fd, c->answer + c->received, ANSWER_ROOM - 1 - c->received, 0);
	if (n == 0 || (n < 0 && errno != EAGAIN))
		die("the server closed a connection");
	if (n < 0)
		return;
	c->received += (size_t)n;
	int status = answer_status(c);
	if (status == 0)
		return;
	if (status != want && out->errors++ == 0)
		fprintf(stderr, "load: unexpected answer: %.300s\n", c->answer);
	out->latencies[out->done++] = (float)(seconds_now() - c->sent_at);
	if (!send_next(c, r))
		c->sent_at = 0;
}

static int by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

static void print_result(struct result *r, double took)
{
	qsort(r->latencies, r->done, sizeof(float), by_value);
	double p50 = r->done > 0 ? (double)r->latencies[r->done / 2] : 0;
	double p99 = r->done > 0 ? (double)r->latencies[r->done * 99 / 100] : 0;
	printf("{\"requests\": %zu, \"errors\": %zu, \"seconds\": %.3f, \"per_second\": %.1f, "
	       "\"p50_ms\": %.3f, \"p99_ms\": %.3f}\n",
	        r->done, r->errors, took, (double)r->done / took, p50 * 1e3, p99 * 1e3);
}

int main(int argc, char **argv)
{
	if (argc != 5) {
		fprintf(stderr, "usage: load PORT CONNECTIONS SECONDS STATUS < requests\n");
		return 2;
	}
	unsigned port = (unsigned)strtoul(argv[1], NULL, 10);
	size_t count = strtoul(argv[2], NULL, 10);
	double limit = strtod(argv[3], NULL);
	int want = (int)strtol(argv[4], NULL, 10);
	struct requests requests = {0};
	read_requests(&requests);
	if (count == 0 || count > MAX_CONNECTIONS || requests.count < count)
		die("too few requests or too many connections");

	struct connection *all = calloc(count, sizeof(*all));
	struct result result = {.latencies = calloc(requests.count, sizeof(float))};
	int poll = epoll_create1(EPOLL_CLOEXEC);
	if (all == NULL || result.latencies == NULL || poll < 0)
		die("set-up");
	for (size_t i = 0; i < count; i++) {
		all[i].fd = connect_to(port);
		struct epoll_event ev = {.events = EPOLLIN, .data.ptr = &all[i]};
		if (epoll_ctl(poll, EPOLL_CTL_ADD, all[i].fd, &ev) != 0)
			die("epoll");
	}
	double start = seconds_now();
	for (size_t i = 0; i < count; i++)
		send_next(&all[i], &requests);
	while (result.done < requests.next && seconds_now() - start < limit) {
		struct epoll_event ready[256];
		int n = epoll_wait(poll, ready, 256, 1000);
		for (int i = 0; i < n; i++)
			on_readable(ready[i].data.ptr, &requests, &result, want);
	}
	print_result(&result, seconds_now() - start);
	return result.errors > 0;
}
