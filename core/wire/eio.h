/* eio.h - Engine.IO protocol 4: packets, and several of them in the body of a polling request.
 * Source: github.com/socketio/engine.io-protocol (v4). No I/O. */
#ifndef TACIT_WIRE_EIO_H
#define TACIT_WIRE_EIO_H

#include "base/buf.h"
#include "base/err.h"

enum tacit_eio_type {
	TACIT_EIO_OPEN,
	TACIT_EIO_CLOSE,
	TACIT_EIO_PING,
	TACIT_EIO_PONG,
	TACIT_EIO_MESSAGE,
	TACIT_EIO_UPGRADE,
	TACIT_EIO_NOOP,
};

struct tacit_eio_packet {
	enum tacit_eio_type type;
	bool binary;             /* MESSAGE only: a binary WebSocket message, or base64 in a body */
	struct tacit_bytes data; /* behind the type's digit */
};

/* One text message of a WebSocket; a binary one is a binary MESSAGE as it stands. The data is
 * borrowed from text. Fails: MALFORMED. */
TACIT_MUST_USE enum tacit_err tacit_eio_parse(
        struct tacit_bytes text, struct tacit_eio_packet *out);
/* The text message for a packet that is not binary, appended. Fails: NOMEM; out is unchanged. */
TACIT_MUST_USE enum tacit_err tacit_eio_write(
        struct tacit_buf *out, enum tacit_eio_type type, struct tacit_bytes data);

/* Packets out of a polling body, one after the other. Starts as {.rest = body}. */
struct tacit_eio_payload {
	struct tacit_bytes rest;
	bool begun;
	struct tacit_buf decoded; /* of the binary packet that was given last */
};
/* out is borrowed from the body and from p, until the next call. Fails: NOT_FOUND (the end, after
 * at least one packet), MALFORMED, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_eio_payload_next(
        struct tacit_eio_payload *p, struct tacit_eio_packet *out);
void tacit_eio_payload_clear(struct tacit_eio_payload *p);
/* How many bytes tacit_eio_payload_append will add to a body that is not empty. */
size_t tacit_eio_payload_bytes(const struct tacit_eio_packet *packet);
/* One more packet in a body. Text with U+001E in it would be read as two packets: JSON has none.
 * Fails: NOMEM; out is unchanged then. */
TACIT_MUST_USE enum tacit_err tacit_eio_payload_append(
        struct tacit_buf *out, const struct tacit_eio_packet *packet);

/* The data of an OPEN packet. */
#define TACIT_EIO_MAX_SID 128
struct tacit_eio_open {
	char sid[TACIT_EIO_MAX_SID + 1]; /* letters, digits, '-', '_' */
	bool may_upgrade;                /* to a WebSocket */
	unsigned ping_interval_ms, ping_timeout_ms;
	uint64_t max_payload; /* bytes */
};
/* The JSON text, appended. Fails: NOMEM, BAD_NAME (the sid); out is unchanged then. */
TACIT_MUST_USE enum tacit_err tacit_eio_open_write(
        struct tacit_buf *out, const struct tacit_eio_open *open);
/* Fails: MALFORMED (also intervals of 0 or beyond a day), TOO_LARGE, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_eio_open_read(
        struct tacit_bytes data, struct tacit_eio_open *out);

#endif
