/* wire.h - bytes to and from the server: a TCP connection, with TLS and its verification exactly as
 * for requests (http.h). Never blocks once it is there. One thread. */
#ifndef TACIT_CLIENT_WIRE_H
#define TACIT_CLIENT_WIRE_H

#include "client/http.h"

struct wire;

/* Waits for the connection, under the eye of h's watch. h must outlive the wire.
 * Fails: NETWORK (see http_problem), CANCELLED, NOMEM. */
TACIT_MUST_USE enum tacit_err wire_open(struct http *h, struct wire **out);
void wire_close(struct wire *w); /* NULL is fine */
/* For poll(2). Readable is a hint: with TLS, read until nothing comes. */
int wire_fd(const struct wire *w);
/* *n: how much was taken; 0 when nothing can be at this moment. Fail: NETWORK (closed, broken). */
TACIT_MUST_USE enum tacit_err wire_read(struct wire *w, uint8_t *room, size_t size, size_t *n);
TACIT_MUST_USE enum tacit_err wire_write(struct wire *w, struct tacit_bytes data, size_t *n);

#endif
