/* sio.h - Socket.IO protocol 5: packets, and binary ones out of a text and its attachments.
 * Source: github.com/socketio/socket.io-protocol (v5). No I/O.
 *
 * A packet is the data of an Engine.IO MESSAGE. Its head is read without touching the JSON behind
 * it, so that floods can be refused first. */
#ifndef TACIT_WIRE_SIO_H
#define TACIT_WIRE_SIO_H

#include "wire/flat.h"
#include "wire/json.h"

#define TACIT_SIO_MAX_ATTACHMENTS 10 /* as the stock parser */
#define TACIT_SIO_MAX_NAMESPACE 64   /* bytes, the '/' included */

enum tacit_sio_type {
	TACIT_SIO_CONNECT,
	TACIT_SIO_DISCONNECT,
	TACIT_SIO_EVENT,
	TACIT_SIO_ACK,
	TACIT_SIO_CONNECT_ERROR,
	TACIT_SIO_BINARY_EVENT,
	TACIT_SIO_BINARY_ACK,
};

struct tacit_sio_packet {
	enum tacit_sio_type type;
	unsigned attachments;    /* BINARY_ only */
	struct tacit_bytes path; /* the namespace; "/" when it is left out, and then a literal */
	int64_t ack;             /* -1: none */
	struct tacit_bytes data; /* JSON text, not looked at; empty: none */
};

/* Borrowed from text. Fails: MALFORMED, TOO_LARGE (attachments, namespace, ack). */
TACIT_MUST_USE enum tacit_err tacit_sio_parse(
        struct tacit_bytes text, struct tacit_sio_packet *out);
/* The packet's text, appended; "/" is left out. Fails: NOMEM; out is unchanged then. */
TACIT_MUST_USE enum tacit_err tacit_sio_write(
        struct tacit_buf *out, const struct tacit_sio_packet *packet);

/* The packet's JSON, held against its type: an object or nothing with CONNECT, nothing with
 * DISCONNECT, an object or a text with CONNECT_ERROR, an array with the others; an event's begins
 * with a name that is not one of the reserved ones ("connect", "disconnect", ...). Placeholders of
 * a BINARY_ packet name one of its attachments. *out is NULL when there is none, and on error; else
 * the caller decrefs. Fails: MALFORMED, TOO_LARGE, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_sio_data(const struct tacit_sio_packet *packet, json_t **out);
/* The data of an EVENT as views into it, when it is a flat one; false: tacit_sio_data knows more.
 */
bool tacit_sio_flat(const struct tacit_sio_packet *packet, struct tacit_flat *out);

/* The packet that waits for its attachments. Starts as {0}. */
struct tacit_sio_assembly {
	struct tacit_buf text; /* not empty while one is under way */
	struct tacit_buf attachments[TACIT_SIO_MAX_ATTACHMENTS];
	size_t count, wanted;
	size_t bytes; /* of text and attachments */
};
static inline bool tacit_sio_assembling(const struct tacit_sio_assembly *a)
{
	return a->text.n > 0;
}
/* text: a packet's own, with at least one attachment. Fails: MALFORMED (one is under way), NOMEM,
 * TOO_LARGE (more than max bytes). */
TACIT_MUST_USE enum tacit_err tacit_sio_assembly_begin(
        struct tacit_sio_assembly *a, struct tacit_bytes text, unsigned attachments, size_t max);
/* *whole: that was the last. Fails: MALFORMED (none is awaited), NOMEM, TOO_LARGE (more than max
 * bytes in all). */
TACIT_MUST_USE enum tacit_err tacit_sio_assembly_add(
        struct tacit_sio_assembly *a, struct tacit_bytes data, size_t max, bool *whole);
void tacit_sio_assembly_clear(struct tacit_sio_assembly *a);

#endif
