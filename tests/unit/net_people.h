/* net_people.h - a server with an application of the tests' own (net_app.c), and clients by hand,
 * in the clear or under TLS (net_client.c). */
#ifndef TACIT_TESTS_NET_PEOPLE_H
#define TACIT_TESTS_NET_PEOPLE_H

#include <openssl/ssl.h>
#include <stdatomic.h>

#include "server/net/server.h"

/* --- the application: net_app.c --- */

#define BODY_LIMIT ((uint64_t)1024 * 1024)
#define FILE_BYTES ((size_t)6 * 1024 * 1024)

struct net_seen {
	atomic_uint plans, finished, aborted, streams, ends, incomplete, pieces_out;
	atomic_uint parked, abandoned;
	atomic_ullong streamed;
	atomic_bool overlapped;
};
extern struct net_seen seen;
extern struct http_handle parked; /* the last, when seen.parked tells of it */
extern const struct http_app app;
extern char cert_path[64], key_path[64], file_path[64];
extern atomic_uint every; /* one allocation out of so many fails; 0: none */

void fill_pattern(uint8_t *p, size_t n, uint64_t at);
struct http_response *text_answer(int status, const char *text);
bool set_up(void);
void tear_down(void);

/* --- clients: net_client.c --- */

extern bool with_tls;
extern SSL_CTX *client_context;

struct client {
	int fd;
	SSL *ssl;
	char *in; /* unread */
	size_t n, room;
};

struct answer {
	int status;
	char head[2048];
	uint8_t *body;
	size_t bytes;
};

void sleep_ms(long ms);
int64_t now_ms(void);
struct net_settings settings(void); /* as patient as a busy machine needs */
struct net_settings hasty(void);    /* what is about time-outs: 1 s, idle 2 s */
struct net_server *serve(struct net_settings s);
void shut(struct net_server *s);
bool connect_raw(struct client *c, const struct net_server *s, int receive_buffer);
bool connect_to(struct client *c, const struct net_server *s);
bool put_bytes(struct client *c, const void *p, size_t n);
bool put(struct client *c, const char *text);
/* The server may have had enough already. */
void put_chunk(struct client *c, const void *p, size_t n);
/* More bytes behind c->in; 0 at the end, -1 on error. */
ssize_t get_more(struct client *c);
void drop(struct client *c);
bool at_end(struct client *c);
bool has_line(const struct answer *a, const char *line);
/* One answer off the connection; status 0 when none came. bodiless: an answer to HEAD. */
struct answer get(struct client *c, bool bodiless);
int get_status(struct client *c);
bool body_is(const struct answer *a, const char *text);
bool expect(struct client *c, int status, const char *body);
bool serves(const struct net_server *s);
/* Runs a case in the clear and under TLS. */
void both(void (*run)(void));
bool eventually(atomic_uint *counter, unsigned value);

#define GET_HELLO "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"

#define IN_BOTH(name)                                                                              \
	static void name##_in_both(void)                                                           \
	{                                                                                          \
		both(name);                                                                        \
	}

#endif
