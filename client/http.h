/* http.h - one connection to one server, one request at a time, over libcurl.
 *
 * TLS is verified. Plain http:// is refused but for loopback, unless the caller insists. Redirects
 * are not followed. Retries belong to those who know what is safe to repeat; only a kept connection
 * that turns out closed before a byte of answer came is opened anew. Answers are bounded. One
 * thread per handle. */
#ifndef TACIT_CLIENT_HTTP_H
#define TACIT_CLIENT_HTTP_H

#include <signal.h>

#include "base/buf.h"
#include "base/err.h"

#define HTTP_MAX_ANSWER (64 * 1024 * 1024)
#define HTTP_MAX_SERVER 512

struct http;

struct http_options {
	const char *server;  /* https://host[:port], http://127.0.0.1:port; no path */
	const char *ca_file; /* NULL: the system's */
	bool insecure_http;
	const volatile sig_atomic_t *cancel; /* not zero: give up; NULL: never */
};

/* What is wrong with a server's address, as a sentence, or NULL. */
const char *http_server_problem(const char *server, bool insecure_http);

/* Fails: BAD_NAME (see http_server_problem), NOMEM. */
TACIT_MUST_USE enum tacit_err http_open(const struct http_options *o, struct http **out);
void http_close(struct http *h); /* NULL is fine */

/* Company for a call that waits: turn is called whenever one of the descriptors can be read, and
 * once a second at least; true gives the call up (CANCELLED). Then `cancel` of the options is not
 * looked at: it belongs to another thread. */
#define HTTP_WATCHED 2
struct http_watch {
	int fds[HTTP_WATCHED]; /* -1: none */
	bool (*turn)(void *ctx);
	void *ctx;
};
/* Borrowed until it is set again; NULL ends it. Its descriptors may change between turns. */
void http_set_watch(struct http *h, const struct http_watch *w);

/* The server's origin, as it was given, without a slash at the end. */
const char *http_server(const struct http *h);
/* Is the server on this machine, by the address that it has? */
bool http_server_is_here(const struct http *h);
/* Why the last call failed, as a sentence: the network's words or the server's. May be empty. From
 * outside: to be sanitised before it is shown. */
const char *http_problem(const struct http *h);

/* Did the last call fail because the server's certificate is not trusted? */
bool http_untrusted(const struct http *h);

enum { HTTP_READ_ABORT = 0x10000000 }; /* what curl calls CURL_READFUNC_ABORT */

struct http_request {
	const char *method;        /* "GET", ... */
	const char *path;          /* with query */
	struct tacit_bytes cookie; /* "name=value", secret; may be empty */
	const char *content_type;  /* NULL: no body */
	struct tacit_bytes body;
	const char *const *headers; /* more of them: "Name: value" */
	size_t header_count;
	/* A body that is made while it is sent, of read_bytes: gives the next bytes, at most n. */
	size_t (*read)(void *ctx, uint8_t *room, size_t n);
	uint64_t read_bytes;
	/* Takes the body of a 2xx answer as it comes; false gives up. NULL: it goes to answer.body.
	 */
	bool (*write)(void *ctx, struct tacit_bytes part);
	void *ctx; /* for read and write */
};

struct http_answer {
	int status;
	struct tacit_buf body;
	char cookie_name[32];
	struct tacit_buf cookie; /* value of tacit_session or tacit_pending; secret */
	char location[256];
	char content_range[96];
	char file_sha256[65];  /* Tacit-File-Sha256 */
	int64_t upload_offset; /* -1: none */
};
void http_answer_clear(struct http_answer *a); /* wipes and frees */

/* An answer of any status is OK. out is filled anew.
 * Fails: NETWORK (see http_problem), CANCELLED, TOO_LARGE, IO (read or write gave up), NOMEM. */
TACIT_MUST_USE enum tacit_err http_perform(
        struct http *h, const struct http_request *r, struct http_answer *out);

/* The error that a status stands for (OK for 2xx); http_problem is the server's sentence then. */
TACIT_MUST_USE enum tacit_err http_refusal(struct http *h, const struct http_answer *a);

#endif
