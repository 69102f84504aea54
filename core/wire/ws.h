/* ws.h - WebSocket frames (RFC 6455): bytes in, messages out, and back, for either side.
 *
 * No I/O. Strict where the RFC says MUST: no reserved bit (no extension is negotiated), no reserved
 * opcode, shortest lengths, control frames whole and of at most 125 bytes, masked from clients and
 * only from them, text in UTF-8, close codes that may stand on the wire. */
#ifndef TACIT_WIRE_WS_H
#define TACIT_WIRE_WS_H

#include "base/buf.h"
#include "base/err.h"

#define TACIT_WS_HEAD_BYTES 14 /* the longest head: 2, 8 of length, 4 of mask */
#define TACIT_WS_MASK_BYTES 4
#define TACIT_WS_KEY_CHARS 24    /* Sec-WebSocket-Key */
#define TACIT_WS_ACCEPT_CHARS 28 /* Sec-WebSocket-Accept */
#define TACIT_WS_MAX_CONTROL 125

enum tacit_ws_opcode {
	TACIT_WS_CONTINUATION = 0x0,
	TACIT_WS_TEXT = 0x1,
	TACIT_WS_BINARY = 0x2,
	TACIT_WS_CLOSE = 0x8,
	TACIT_WS_PING = 0x9,
	TACIT_WS_PONG = 0xa,
};

/* RFC 6455 7.4.1 */
enum tacit_ws_close {
	TACIT_WS_NORMAL = 1000,
	TACIT_WS_GOING_AWAY = 1001,
	TACIT_WS_PROTOCOL_ERROR = 1002,
	TACIT_WS_NO_STATUS = 1005, /* never on the wire: a Close without a body */
	TACIT_WS_BAD_TEXT = 1007,
	TACIT_WS_TOO_BIG = 1009,
	TACIT_WS_INTERNAL_ERROR = 1011,
	TACIT_WS_TRY_LATER = 1013,
};

enum tacit_ws_role { TACIT_WS_SERVER, TACIT_WS_CLIENT }; /* what we are */

/* Starts as {.role, .max_message, .front}; everything else is its own. Holds memory only while a
 * message has come in part, and what was given last until the next call. */
struct tacit_ws_reader {
	enum tacit_ws_role role;
	size_t max_message; /* bytes of one message, over all its frames */
	/* Not 0: messages are to be passed on. So many bytes are left free before each, its memory
	 * is there once its length is known, and it can be taken out (tacit_ws_take). */
	size_t front;

	uint8_t head[TACIT_WS_HEAD_BYTES];
	uint8_t head_bytes;
	bool in_payload;
	bool finished, failed;
	uint8_t opcode;     /* of the frame */
	uint8_t message_op; /* of the message under way; 0: none */
	uint8_t control_bytes;
	uint64_t rest, done; /* bytes of the frame's payload to come, and taken */
	uint16_t close_code; /* why the last call failed, for our Close frame */
	struct tacit_buf message;
	uint8_t control[TACIT_WS_MAX_CONTROL];
	struct tacit_bytes view; /* a message that lies whole in what came */
};

struct tacit_ws_message {
	enum tacit_ws_opcode opcode; /* never CONTINUATION */
	struct tacit_bytes data;     /* borrowed; CLOSE: the reason */
	uint16_t close_code;         /* CLOSE only; NO_STATUS when there was none */
};

/* Takes bytes off the front of *in until a message or a control frame is whole (*whole) or *in is
 * empty. What is given is the reader's until the next call; a client's may lie where it came, in
 * what *in was. After an error the reader is done for: every later call fails alike. Fails:
 * MALFORMED, TOO_LARGE, NOMEM; r->close_code says what to tell the peer. */
TACIT_MUST_USE enum tacit_err tacit_ws_next(struct tacit_ws_reader *r, struct tacit_bytes *in,
        struct tacit_ws_message *out, bool *whole);
/* The frame that begins at in, its head included; 0: too little has come to tell. Judges nothing.
 * Who has it whole before he gives it to a client's reader saves a copy. */
uint64_t tacit_ws_frame_bytes(struct tacit_bytes in);

/* With front: where the next bytes of the payload under way belong, *room of them, so that they can
 * be received there at once; *room 0: nowhere. Then the same number is told to tacit_ws_placed, and
 * the next call of tacit_ws_next gives the message, if it is whole. */
uint8_t *tacit_ws_place(struct tacit_ws_reader *r, size_t *room);
void tacit_ws_placed(struct tacit_ws_reader *r, size_t n);
/* With front: the message that was given last, behind its front, is the caller's. */
struct tacit_buf tacit_ws_take(struct tacit_ws_reader *r);

/* Gives memory back when no message is under way: at the end of a turn. */
void tacit_ws_reader_rest(struct tacit_ws_reader *r);
void tacit_ws_reader_clear(struct tacit_ws_reader *r);

/* The head of a frame that is a whole message; mask is NULL for a server's. Returns its length. */
size_t tacit_ws_head(enum tacit_ws_opcode opcode, uint64_t bytes, const uint8_t *mask,
        uint8_t out[TACIT_WS_HEAD_BYTES]);
/* RFC 6455 5.3, in place; at: how many bytes of the payload came before p. */
void tacit_ws_mask(uint8_t *p, size_t n, uint64_t at, const uint8_t mask[TACIT_WS_MASK_BYTES]);
/* A whole message, appended. A control frame's data is at most 125 bytes. Fails: NOMEM, TOO_LARGE;
 * out is unchanged then. */
TACIT_MUST_USE enum tacit_err tacit_ws_write(struct tacit_buf *out, enum tacit_ws_opcode opcode,
        struct tacit_bytes data, const uint8_t *mask);
/* A Close frame without a reason, appended. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_ws_write_close(
        struct tacit_buf *out, uint16_t code, const uint8_t *mask);

/* RFC 6455 4.2.2: what answers a Sec-WebSocket-Key. Fails: MALFORMED (not base64 of 16 bytes),
 * NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_ws_accept(
        struct tacit_bytes key, char out[TACIT_WS_ACCEPT_CHARS + 1]);

#endif
