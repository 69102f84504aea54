/* client.h - one Socket.IO client over a WebSocket for load programs: as little work as it can be
 * done with, so that the server is what is measured. Dies with a message when anything goes wrong.
 */
#ifndef TACIT_TESTS_BENCH_CLIENT_H
#define TACIT_TESTS_BENCH_CLIENT_H

#include <openssl/ssl.h>
#include <stdint.h>

#include "base/buf.h"

enum client_state {
	CLIENT_TLS,
	CLIENT_UPGRADE,
	CLIENT_OPENS,
	CLIENT_CONNECTS,
	CLIENT_JOINS,
	CLIENT_READY
};

struct client {
	int fd;
	SSL *ssl; /* NULL: in the clear */
	enum client_state state;
	uint32_t number;
	int64_t room;
	const char *token; /* borrowed; of its login */
	bool polls_write;
	uint64_t said;            /* messages, as whoever uses it counts */
	int64_t arrived_ns;       /* when the network brought what is being taken: client_now_ns */
	struct tacit_buf in, out; /* what is not whole yet; what is to be sent */
};

struct client_host {
	int poll;
	unsigned port;
	SSL_CTX *tls; /* NULL: in the clear */
	void *ctx;
	void (*ready)(void *ctx, struct client *c); /* has joined */
	void (*text)(
	        void *ctx, struct client *c, struct tacit_bytes payload); /* once it is ready */
};

_Noreturn void client_die(const char *what, const char *more);
/* The clock that the kernel notes arrivals by. */
int64_t client_now_ns(void);
/* Begins; c holds number, room and token, the rest is zero. */
void client_start(const struct client_host *h, struct client *c);
/* A text message, kept until client_flush. */
void client_say(struct client *c, struct tacit_bytes text);
void client_flush(const struct client_host *h, struct client *c);
/* After epoll. */
void client_turn(const struct client_host *h, struct client *c, uint32_t events);

#endif
