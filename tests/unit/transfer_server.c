#define _GNU_SOURCE /* strcasestr */
#include "transfer_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attr.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"

#define MAX_HEAD 8192

struct request {
	char head[MAX_HEAD];
	size_t n, body_start; /* bytes in head; where the body begins in it */
};

static bool send_all(int fd, const void *data, size_t n)
{
	const uint8_t *p = data;
	while (n > 0) {
		ssize_t put = send(fd, p, n, MSG_NOSIGNAL);
		if (put <= 0)
			return false;
		p += put;
		n -= (size_t)put;
	}
	return true;
}

static bool read_head(int fd, struct request *r)
{
	r->n = 0;
	for (;;) {
		ssize_t got = recv(fd, r->head + r->n, sizeof(r->head) - 1 - r->n, 0);
		if (got <= 0)
			return false;
		r->n += (size_t)got;
		r->head[r->n] = '\0';
		char *end = strstr(r->head, "\r\n\r\n");
		if (end != NULL) {
			r->body_start = (size_t)(end - r->head) + 4;
			return true;
		}
		if (r->n + 1 == sizeof(r->head))
			return false;
	}
}

static unsigned long long number(const struct request *r, const char *name)
{
	const char *line = strcasestr(r->head, name);
	return line != NULL ? strtoull(line + strlen(name), NULL, 10) : 0;
}

static bool answer(int fd, const char *status, const char *headers)
{
	char text[512];
	int n = snprintf(
	        text, sizeof(text), "HTTP/1.1 %s\r\n%sContent-Length: 0\r\n\r\n", status, headers);
	return send_all(fd, text, (size_t)n);
}

static void digest(const struct peer *p, char out[65])
{
	uint8_t sum[TACIT_SHA256_BYTES];
	tacit_sha256(tacit_bytes(p->file, p->size), sum);
	sum[0] ^= p->lie_about_hash;
	tacit_hex(tacit_bytes(sum, sizeof(sum)), out);
}

static bool tell_offset(struct peer *p, int fd, const char *status)
{
	char headers[256];
	char sum[65];
	int n = snprintf(headers, sizeof(headers), "Upload-Offset: %zu\r\n", p->size);
	if (p->size == p->expected) {
		digest(p, sum);
		snprintf(
		        headers + n, sizeof(headers) - (size_t)n, "Tacit-File-Sha256: %s\r\n", sum);
	}
	return answer(fd, status, headers);
}

static bool take_create(struct peer *p, int fd, const struct request *r)
{
	p->created++;
	p->exists = true;
	p->size = 0;
	p->expected = number(r, "Upload-Length: ");
	TACIT_ASSERT(p->expected <= PEER_MAX_FILE);
	return answer(fd, "201 Created", "Location: /api/files/tus/abcdef0123456789\r\n");
}

/* Stores as it comes; a cut leaves what had come. */
static bool take_patch(struct peer *p, int fd, const struct request *r)
{
	size_t left = number(r, "Content-Length: ");
	p->patches++;
	if (!p->exists || number(r, "Upload-Offset: ") != p->size)
		return answer(fd, p->exists ? "409 Conflict" : "404 Not Found", "");
	const char *part = r->head + r->body_start;
	size_t n = r->n - r->body_start;
	char room[65536];
	while (left > 0) {
		if (n == 0) {
			ssize_t got = recv(fd, room, sizeof(room), 0);
			if (got <= 0)
				return false;
			part = room;
			n = (size_t)got;
		}
		n = n < left ? n : left;
		if (p->cut_body_at > 0 && p->size + n > p->cut_body_at) {
			memcpy(p->file + p->size, part, p->cut_body_at - p->size);
			p->size = p->cut_body_at;
			p->cut_body_at = 0;
			return false;
		}
		memcpy(p->file + p->size, part, n);
		p->size += n;
		left -= n;
		n = 0;
	}
	return tell_offset(p, fd, "204 No Content");
}

static bool give_file(struct peer *p, int fd, const struct request *r)
{
	char head[256];
	unsigned long long from = 0, to = 0;
	const char *range = strcasestr(r->head, "Range: bytes=");
	p->gets++;
	if (!p->exists)
		return answer(fd, "404 Not Found", "");
	bool part = range != NULL && !p->ignore_range &&
	            sscanf(range + 13, "%llu-%llu", &from, &to) == 2;
	if (!part) {
		from = 0;
		to = p->size - 1;
	}
	to = to < p->size ? to : p->size - 1;
	if (from > to)
		return answer(fd, "416 Range Not Satisfiable", "");
	int n = snprintf(head, sizeof(head),
	        "HTTP/1.1 %s\r\nContent-Length: %llu\r\nContent-Range: bytes %llu-%llu/%zu\r\n\r\n",
	        part ? "206 Partial Content" : "200 OK", to - from + 1, from, to, p->size);
	if (!send_all(fd, head, (size_t)n))
		return false;
	size_t count = (size_t)(to - from + 1);
	if (p->cut_answer_at > from && p->cut_answer_at < from + count) {
		count = p->cut_answer_at - (size_t)from;
		p->cut_answer_at = 0;
		send_all(fd, p->file + from, count);
		return false;
	}
	return send_all(fd, p->file + from, count);
}

static bool handle(struct peer *p, int fd, const struct request *r)
{
	if (p->forget) {
		p->forget = false;
		p->exists = false;
	}
	if (strncmp(r->head, "POST /api/files/tus ", 20) == 0)
		return take_create(p, fd, r);
	if (strncmp(r->head, "PATCH ", 6) == 0)
		return take_patch(p, fd, r);
	if (strncmp(r->head, "HEAD ", 5) == 0)
		return p->exists ? tell_offset(p, fd, "200 OK") : answer(fd, "404 Not Found", "");
	if (strncmp(r->head, "DELETE ", 7) == 0) {
		p->deleted++;
		p->exists = false;
		return answer(fd, "204 No Content", "");
	}
	return give_file(p, fd, r);
}

static void *serve(void *ctx)
{
	struct peer *p = ctx;
	for (;;) {
		struct request r;
		int fd = accept(p->listener, NULL, NULL);
		if (fd < 0)
			return NULL;
		bool on = true;
		while (on && read_head(fd, &r)) {
			pthread_mutex_lock(&p->mutex);
			on = handle(p, fd, &r);
			pthread_mutex_unlock(&p->mutex);
		}
		const struct linger reset = {1, 0};
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		shutdown(fd, SHUT_WR);
		close(fd);
	}
}

void peer_start(struct peer *p)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(at);
	memset(p, 0, sizeof(*p));
	pthread_mutex_init(&p->mutex, NULL);
	p->listener = socket(AF_INET, SOCK_STREAM, 0);
	TACIT_ASSERT(p->listener >= 0 && bind(p->listener, (struct sockaddr *)&at, n) == 0 &&
	             listen(p->listener, 8) == 0 &&
	             getsockname(p->listener, (struct sockaddr *)&at, &n) == 0);
	p->port = ntohs(at.sin_port);
	TACIT_ASSERT(pthread_create(&p->thread, NULL, serve, p) == 0);
}

void peer_settle(const struct peer *p)
{
	static const char ask[] = "HEAD / HTTP/1.1\r\n\r\n";
	const struct sockaddr_in at = {.sin_family = AF_INET,
	        .sin_port = htons((uint16_t)p->port),
	        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	char said[1024];
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	TACIT_ASSERT(fd >= 0 && connect(fd, (const struct sockaddr *)&at, sizeof(at)) == 0 &&
	             send_all(fd, ask, sizeof(ask) - 1) && recv(fd, said, sizeof(said), 0) > 0);
	close(fd);
}

void peer_stop(struct peer *p)
{
	shutdown(p->listener, SHUT_RDWR);
	pthread_join(p->thread, NULL);
	close(p->listener);
	pthread_mutex_destroy(&p->mutex);
}
