/* http.h - a request, an answer, and the exchange between a loop and the application.
 *
 * net/ owns sockets and bytes; it knows nothing of routes or the store. The application plugs in
 * with struct http_app. All its calls are made on the loop thread that owns the connection and must
 * not block; the answer may come from any thread, through http_reply.
 *
 * An exchange is named by an http_handle (loop, slot, generation), never by pointer: when the
 * connection has gone in the meantime, a reply to its handle is dropped and freed. */
#ifndef TACIT_SERVER_NET_HTTP_H
#define TACIT_SERVER_NET_HTTP_H

#include <sys/socket.h>

#include "base/buf.h"
#include "base/err.h"

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_PATCH,
	HTTP_DELETE,
	HTTP_OPTIONS,
	HTTP_METHOD_COUNT
};

struct http_header {
	struct tacit_bytes name, value; /* as received; value without surrounding blanks */
};

#define HTTP_MAX_HEADERS 64
#define HTTP_MAX_HEAD_BYTES (16 * 1024)
#define HTTP_PIECE_BYTES (256 * 1024)

struct http_request {
	enum http_method method;
	struct tacit_bytes path;  /* starts with '/', percent-encoding as received, no query */
	struct tacit_bytes query; /* without '?'; may be empty */
	struct http_header headers[HTTP_MAX_HEADERS];
	size_t header_count;
	uint64_t content_length;      /* UINT64_MAX: chunked, length unknown */
	struct tacit_bytes body;      /* HTTP_BUFFER plans, in handle(): the whole body */
	struct sockaddr_storage peer; /* the client, after --behind-proxy was applied */
	bool tls; /* this connection, or the trusted proxy's X-Forwarded-Proto */
};

/* Case-insensitive; a view with p == NULL when absent. */
struct tacit_bytes http_header(const struct http_request *r, const char *name);
/* The value of a query parameter, percent-decoded into out (NUL-terminated).
 * Fails: NOT_FOUND, TOO_LARGE, MALFORMED. */
TACIT_MUST_USE enum tacit_err http_query(
        const struct http_request *r, const char *name, char *out, size_t room);
/* The value of a cookie; p == NULL when absent. */
struct tacit_bytes http_cookie(const struct http_request *r, const char *name);

struct http_handle {
	uint32_t loop, slot, generation;
};

/* Who takes the connection over after a 101 (net/line.h). */
struct net_line;
struct http_taker {
	/* The 101 has left, and the connection was moved to `loop`, on whose thread this is. With
	 * NULL, on any thread: it did not come to that. Exactly once. */
	void (*take)(void *ctx, struct net_line *line);
	void *ctx;
	uint32_t loop;
};

/* What to send. Made by http_response_new, filled by whoever answers, owned by http_reply. */
struct http_response {
	int status;
	const char *content_type; /* static; NULL: no body */
	struct tacit_buf headers; /* extra complete lines, each with CRLF */
	struct tacit_buf body;
	struct tacit_bytes fixed; /* instead of body; for ever there */
	bool no_store;            /* nobody keeps it (RFC 9111 5.2.2.5) */
	const char *policy;       /* static; the application's own, for its common_headers */
	int file;                 /* -1, or a descriptor to stream instead of body; owned */
	uint64_t file_from, file_bytes;
	bool close;                 /* end the connection after this answer */
	struct http_taker taker;    /* with a 101; take is NULL else */
	struct http_response *next; /* net's: its place in the mailbox of a loop ... */
	struct http_handle to;      /* ... and whom it is for */
};

struct http_response *http_response_new(int status); /* NULL when out of memory */
void http_response_free(struct http_response *r);
/* Appends "name: value\r\n"; a value with CR or LF is refused. Fails: NOMEM, MALFORMED. */
TACIT_MUST_USE enum tacit_err http_response_header(
        struct http_response *r, const char *name, const char *value);

enum http_plan_kind {
	HTTP_ANSWER, /* answer now with plan.answer; a body that was announced is not read */
	HTTP_BUFFER, /* collect the body (at most body_limit), then handle() */
	HTTP_STREAM, /* give the body in pieces to stream_data() */
};

struct http_plan {
	enum http_plan_kind kind;
	uint64_t body_limit;          /* 413 beyond */
	struct http_response *answer; /* HTTP_ANSWER: owned by net from now on */
	bool watched; /* HTTP_BUFFER: who ends his side while he waits for the answer has gone */
	void *route;  /* the application's own, handed back below */
};

struct http_app {
	void *ctx;
	/* The head of a request is complete. r lives until the exchange ends. */
	void (*plan)(void *ctx, const struct http_request *r, struct http_plan *plan);
	/* HTTP_BUFFER: the body is complete. r is valid during the call only: copy what a job
	 * needs. */
	void (*handle)(void *ctx, struct http_handle h, const struct http_request *r, void *route);
	/* HTTP_STREAM: begin returns the application's state for this body (NULL: it has replied
	 * already). Then each piece, of HTTP_PIECE_BYTES at most; the next one is given only after
	 * http_resume(h), so one is under way at a time (the loop fills the next one meanwhile, and
	 * reads no more than that). end() follows exactly once, after the last piece was resumed:
	 * complete tells whether the body came whole. After end() the state is the application's.
	 * When the peer goes away, what had come is still given before end(), so that a resumable
	 * upload loses nothing. After an early http_reply no further piece comes, only end(). */
	void *(*stream_begin)(
	        void *ctx, struct http_handle h, const struct http_request *r, void *route);
	void (*stream_data)(
	        void *ctx, struct http_handle h, void *state, struct tacit_buf *piece /* taken */);
	void (*stream_end)(void *ctx, struct http_handle h, void *state, bool complete);
	/* The peer of a watched exchange has gone before there was an answer: none to h will leave.
	 * May be NULL. */
	void (*abandoned)(
	        void *ctx, struct http_handle h, const struct http_request *r, void *route);
	/* Headers that stand on every answer, also on net's own errors: appended complete lines. */
	void (*common_headers)(void *ctx, const struct http_request *r /* may be NULL */,
	        const struct http_response *answer, struct tacit_buf *out);
	/* Body of net's own errors (400 408 413 417 431 501 503 505): the JSON error object. */
	void (*error_body)(void *ctx, int status, struct tacit_buf *out);
	/* Around all calls of one turn of a loop, so that what they wake is woken once. May be
	 * NULL. */
	void (*cork)(void);
	void (*uncork)(void);
	/* For an application that lives on the loops (net/letter.h); on the loop's thread, each may
	 * be NULL. Before anything else; after each turn of events, before the loop sleeps; when
	 * net_set_alarm's time has come; when the server stops: no new exchange comes, and lines
	 * should be ended; after everything else. */
	void (*loop_began)(void *ctx, uint32_t loop);
	void (*turn_over)(void *ctx, uint32_t loop);
	void (*alarm)(void *ctx, uint32_t loop);
	void (*loop_stops)(void *ctx, uint32_t loop);
	void (*loop_ended)(void *ctx, uint32_t loop);
	/* An exchange is over, for the access log and the metrics; exactly once for each plan(),
	 * and once for a head that could not be parsed (r is then empty but for peer and tls, never
	 * NULL). status 499: the peer went away before the answer had left. */
	void (*finished)(void *ctx, const struct http_request *r, void *route, int status,
	        uint64_t bytes_out, uint64_t microseconds);
};

/* Any thread. Takes r. */
void http_reply(struct http_handle h, struct http_response *r);
/* Any thread. The piece given to stream_data is done; read on. */
void http_resume(struct http_handle h);
/* Replies and resumes of this thread between the two wake each loop once, at the end. */
void http_cork(void);
void http_uncork(void);

#endif
