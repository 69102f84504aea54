/* relay.h - what a client and the relay of account-less transfers say to each other, each one
 * binary WebSocket message: docs/protocol-transfer.md 15.5. The relay forwards DATA and understands
 * nothing of it. */
#ifndef TACIT_WIRE_RELAY_H
#define TACIT_WIRE_RELAY_H

#include "base/buf.h"
#include "base/err.h"

#define TACIT_RELAY_PATH "/api/transfer"
#define TACIT_RELAY_ID_BYTES 32
/* DATA, its type included. */
#define TACIT_RELAY_MAX_MESSAGE (160 * 1024)

enum tacit_relay_type {
	TACIT_RELAY_DATA = 0,      /* either way: for the other end */
	TACIT_RELAY_NAMEPLATE = 1, /* to the opener */
	TACIT_RELAY_PAIRED = 2,    /* to both: the other end is there */
	TACIT_RELAY_ENDED = 3,     /* to a client, before the connection is closed */
	TACIT_RELAY_WRONG = 4,     /* from a client: the codes were not the same */
	TACIT_RELAY_KNOWN_AS = 5,  /* from a client: what this transfer will be resumed under */
};

enum tacit_relay_end {
	TACIT_RELAY_GONE = 1,     /* the other end */
	TACIT_RELAY_UNKNOWN = 2,  /* nobody waits under that nameplate */
	TACIT_RELAY_MISMATCH = 3, /* the other end said WRONG */
	TACIT_RELAY_LIMIT = 4,
	TACIT_RELAY_EXPIRED = 5,
	TACIT_RELAY_STOPPING = 6,
	TACIT_RELAY_MISUSED = 7,
	TACIT_RELAY_REPLACED = 8, /* the same end has connected anew */
	TACIT_RELAY_LEFT = 9,     /* the other end has gone, and does not come back */
};

struct tacit_relay_message {
	enum tacit_relay_type type;
	uint32_t nameplate;
	enum tacit_relay_end end;
	uint8_t role;            /* KNOWN_AS: 0 sends, 1 receives */
	struct tacit_bytes data; /* DATA; KNOWN_AS: the id. Borrowed */
};

/* Appended. Fails: NOMEM, USAGE (an id that is none). */
TACIT_MUST_USE enum tacit_err tacit_relay_write(
        struct tacit_buf *out, const struct tacit_relay_message *m);
/* Fails: MALFORMED, TRUNCATED, TRAILING, TOO_LARGE. */
TACIT_MUST_USE enum tacit_err tacit_relay_read(
        struct tacit_bytes in, struct tacit_relay_message *out);

#endif
