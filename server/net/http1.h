/* http1.h - HTTP/1.1 requests out of bytes (RFC 9112). No I/O, no allocation, no clock.
 *
 * Stricter than the RFC wherever leniency has been a way to smuggle a request past a proxy: no bare
 * LF, no obs-fold, no blank before a colon, no Transfer-Encoding beside Content-Length or in
 * HTTP/1.0, no coding but chunked, one Content-Length at most, no trailers, origin-form targets. */
#ifndef TACIT_SERVER_NET_HTTP1_H
#define TACIT_SERVER_NET_HTTP1_H

#include "server/net/http.h"

enum http1_result { HTTP1_MORE, HTTP1_DONE, HTTP1_REFUSED };

/* How far the search for the end of a head has come, so that no byte is looked at twice however
 * slowly they come. Starts as {0}. */
struct http1_scan {
	size_t seen, line;
};

/* in: all bytes since the head began. DONE: the head is the first *bytes of it, the empty line
 * included. REFUSED: *status is the answer to give. */
enum http1_result http1_find_end(
        struct tacit_bytes in, struct http1_scan *s, size_t *bytes, int *status);

/* What the connection must know beyond the request. */
struct http1_head {
	bool chunked;
	bool close; /* the peer wants it, or speaks HTTP/1.0 */
	bool expect_continue;
};

/* head: one head as found above. Fills method, path, query, headers and content_length of r, as
 * views into head. 0, or the status to refuse it with. */
int http1_parse_head(struct tacit_bytes head, struct http_request *r, struct http1_head *info);

enum http1_chunk_state {
	HTTP1_CHUNK_SIZE,
	HTTP1_CHUNK_EXTENSION,
	HTTP1_CHUNK_SIZE_LF,
	HTTP1_CHUNK_DATA,
	HTTP1_CHUNK_DATA_CR,
	HTTP1_CHUNK_DATA_LF,
	HTTP1_CHUNK_LAST_CR,
	HTTP1_CHUNK_LAST_LF,
	HTTP1_CHUNK_DONE,
	HTTP1_CHUNK_BAD,
};

/* A body in chunks (RFC 9112 7.1). Starts as {0}. */
struct http1_chunked {
	enum http1_chunk_state state;
	uint64_t rest;   /* of the chunk's data */
	unsigned digits; /* of its size */
	unsigned extra;  /* bytes of its extensions */
};

/* Takes bytes off the front of *in. *data is the next part of the body, a view into it of at most
 * room bytes, empty when there is none yet. MORE: call again, with more input once *in is empty. */
enum http1_result http1_chunked_next(
        struct http1_chunked *c, struct tacit_bytes *in, size_t room, struct tacit_bytes *data);

/* Case-insensitive equality with a lower-case literal. */
bool http1_is(struct tacit_bytes text, const char *lower);
/* A token of RFC 9110 5.6.2, not empty. */
bool http1_is_token(struct tacit_bytes text);
/* 0 to 15; -1: not a hexadecimal digit. */
int http1_hex_digit(uint8_t c);
/* The next element of a comma-separated list, blanks removed; false at its end. */
bool http1_list_next(struct tacit_bytes *list, struct tacit_bytes *element);

#endif
