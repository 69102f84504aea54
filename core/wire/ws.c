#include "wire/ws.h"

#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"

#define FIN 0x80
#define RESERVED 0x70
#define OPCODE 0x0f
#define MASKED 0x80
#define LENGTH 0x7f
#define LENGTH_16 126
#define LENGTH_64 127

static enum tacit_err fail(struct tacit_ws_reader *r, uint16_t code)
{
	r->failed = true;
	r->close_code = code;
	if (code == TACIT_WS_TOO_BIG)
		return TACIT_E_TOO_LARGE;
	return code == TACIT_WS_INTERNAL_ERROR ? TACIT_E_NOMEM : TACIT_E_MALFORMED;
}

static bool is_control(uint8_t opcode)
{
	return (opcode & 0x8) != 0;
}

static bool is_known(uint8_t opcode)
{
	return opcode <= TACIT_WS_BINARY || (opcode >= TACIT_WS_CLOSE && opcode <= TACIT_WS_PONG);
}

static size_t length_bytes(const uint8_t *head)
{
	uint8_t length = head[1] & LENGTH;
	return length == LENGTH_16 ? 2 : length == LENGTH_64 ? 8 : 0;
}

static uint64_t payload_length(const uint8_t *head)
{
	uint8_t length = head[1] & LENGTH;
	size_t bytes = length_bytes(head);
	uint64_t n = bytes == 0 ? length : 0;
	for (size_t i = 0; i < bytes; i++)
		n = n << 8 | head[2 + i];
	return n;
}

/* Bytes of the head, as far as the first `there` of it tell. */
static size_t head_length(const uint8_t *head, size_t there)
{
	if (there < 2)
		return 2;
	return 2 + length_bytes(head) + ((head[1] & MASKED) != 0 ? TACIT_WS_MASK_BYTES : 0);
}

/* RFC 6455 5.2: the minimal number of bytes MUST be used, the most significant bit MUST be 0. */
static bool is_minimal(const uint8_t *head, uint64_t n)
{
	uint8_t length = head[1] & LENGTH;
	if (length == LENGTH_16)
		return n >= LENGTH_16;
	return length != LENGTH_64 || (n > 0xffff && n >> 63 == 0);
}

uint64_t tacit_ws_frame_bytes(struct tacit_bytes in)
{
	size_t head = head_length(in.p, in.n);
	if (in.n < head)
		return 0;
	uint64_t payload = payload_length(in.p);
	return payload < UINT64_MAX - head ? head + payload : UINT64_MAX;
}

/* What the first two bytes tell is refused before anything else is awaited. */
static bool start_is_good(const struct tacit_ws_reader *r)
{
	uint8_t opcode = r->head[0] & OPCODE;
	bool fin = (r->head[0] & FIN) != 0, masked = (r->head[1] & MASKED) != 0;
	if ((r->head[0] & RESERVED) != 0 || !is_known(opcode))
		return false;
	if (masked != (r->role == TACIT_WS_SERVER))
		return false;
	if (is_control(opcode))
		return fin && (r->head[1] & LENGTH) <= TACIT_WS_MAX_CONTROL;
	return (opcode == TACIT_WS_CONTINUATION) == (r->message_op != 0);
}

/* For what is passed on: the front, and all of the frame, of no more than that. */
static bool make_room(struct tacit_ws_reader *r)
{
	size_t n = (r->message.n == 0 ? r->front : 0) + (size_t)r->rest;
	if (r->message.p == NULL) {
		r->message.p = tacit_alloc(n);
		r->message.cap = r->message.p != NULL ? n : 0;
	}
	if (r->message.p == NULL || tacit_buf_reserve(&r->message, n) != TACIT_OK)
		return false;
	if (r->message.n == 0)
		r->message.n = r->front;
	return true;
}

static enum tacit_err begin_payload(struct tacit_ws_reader *r)
{
	r->opcode = r->head[0] & OPCODE;
	r->rest = payload_length(r->head);
	r->done = 0;
	r->in_payload = true;
	if (!is_minimal(r->head, r->rest))
		return fail(r, TACIT_WS_PROTOCOL_ERROR);
	if (is_control(r->opcode)) {
		r->control_bytes = 0;
		return TACIT_OK;
	}
	if (r->opcode != TACIT_WS_CONTINUATION) {
		r->message_op = r->opcode;
		r->message.n = 0;
	}
	r->finished = (r->head[0] & FIN) != 0;
	size_t before = r->message.n > r->front ? r->message.n - r->front : 0;
	if (r->rest > r->max_message || before > r->max_message - r->rest)
		return fail(r, TACIT_WS_TOO_BIG);
	return r->front == 0 || make_room(r) ? TACIT_OK : fail(r, TACIT_WS_INTERNAL_ERROR);
}

static enum tacit_err read_head(struct tacit_ws_reader *r, struct tacit_bytes *in)
{
	for (size_t want; r->head_bytes < (want = head_length(r->head, r->head_bytes));) {
		size_t n = want - r->head_bytes < in->n ? want - r->head_bytes : in->n;
		if (n == 0)
			return TACIT_OK;
		memcpy(r->head + r->head_bytes, in->p, n);
		*in = tacit_bytes_part(*in, n, in->n);
		bool first = r->head_bytes < 2;
		r->head_bytes = (uint8_t)(r->head_bytes + n);
		if (first && r->head_bytes == 2 && !start_is_good(r))
			return fail(r, TACIT_WS_PROTOCOL_ERROR);
	}
	return begin_payload(r);
}

/* Takes what comes next from where it was copied, or received, to. */
static void payload_came(struct tacit_ws_reader *r, uint8_t *p, size_t n)
{
	if (r->role == TACIT_WS_SERVER)
		tacit_ws_mask(p, n, r->done, r->head + r->head_bytes - TACIT_WS_MASK_BYTES);
	r->done += n;
	r->rest -= n;
}

/* A client's message that is all here needs no other place: nothing of it is to be changed. */
static bool can_stay(const struct tacit_ws_reader *r, struct tacit_bytes in)
{
	return r->role == TACIT_WS_CLIENT && !is_control(r->opcode) && r->finished &&
	       r->front == 0 && r->message.n == 0 && r->done == 0 && r->rest <= in.n;
}

/* Without front, memory grows with what has come, not with what was announced. */
static enum tacit_err read_payload(struct tacit_ws_reader *r, struct tacit_bytes *in)
{
	size_t n = r->rest < in->n ? (size_t)r->rest : in->n;
	uint8_t *to = r->control + r->control_bytes;
	if (n == 0)
		return TACIT_OK;
	if (can_stay(r, *in)) {
		r->view = tacit_bytes(in->p, n);
		to = NULL;
	} else if (is_control(r->opcode)) {
		memcpy(to, in->p, n);
		r->control_bytes = (uint8_t)(r->control_bytes + n);
	} else {
		size_t before = r->message.n;
		if (tacit_buf_append(&r->message, tacit_bytes(in->p, n)) != TACIT_OK)
			return fail(r, TACIT_WS_INTERNAL_ERROR);
		to = r->message.p + before;
	}
	payload_came(r, to, n);
	*in = tacit_bytes_part(*in, n, in->n);
	return TACIT_OK;
}

uint8_t *tacit_ws_place(struct tacit_ws_reader *r, size_t *room)
{
	bool has = r->front > 0 && !r->failed && r->in_payload && !is_control(r->opcode);
	*room = has ? (size_t)r->rest : 0;
	return *room > 0 ? r->message.p + r->message.n : NULL;
}

void tacit_ws_placed(struct tacit_ws_reader *r, size_t n)
{
	TACIT_ASSERT(n <= r->rest);
	payload_came(r, r->message.p + r->message.n, n);
	r->message.n += n;
}

/* RFC 6455 7.4: what may stand in a Close frame. */
static bool is_close_code(uint16_t code)
{
	if (code >= 3000 && code <= 4999)
		return true;
	return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

static enum tacit_err end_control(struct tacit_ws_reader *r, struct tacit_ws_message *out)
{
	out->opcode = (enum tacit_ws_opcode)r->opcode;
	out->data = tacit_bytes(r->control, r->control_bytes);
	if (r->opcode != TACIT_WS_CLOSE)
		return TACIT_OK;
	out->close_code = TACIT_WS_NO_STATUS;
	if (r->control_bytes == 0)
		return TACIT_OK;
	if (r->control_bytes < 2)
		return fail(r, TACIT_WS_PROTOCOL_ERROR);
	out->close_code = (uint16_t)(r->control[0] << 8 | r->control[1]);
	out->data = tacit_bytes_part(out->data, 2, out->data.n);
	if (!is_close_code(out->close_code))
		return fail(r, TACIT_WS_PROTOCOL_ERROR);
	return tacit_utf8_valid(out->data) ? TACIT_OK : fail(r, TACIT_WS_BAD_TEXT);
}

static enum tacit_err end_frame(
        struct tacit_ws_reader *r, struct tacit_ws_message *out, bool *whole)
{
	r->in_payload = false;
	r->head_bytes = 0;
	*whole = true;
	if (is_control(r->opcode))
		return end_control(r, out);
	*whole = r->finished;
	if (!r->finished)
		return TACIT_OK;
	out->opcode = (enum tacit_ws_opcode)r->message_op;
	out->data = r->view.n > 0 ? r->view : tacit_buf_view(&r->message);
	if (r->front > 0)
		out->data = tacit_bytes_part(out->data, r->front, out->data.n);
	r->view = tacit_bytes(NULL, 0);
	r->message_op = 0;
	if (out->opcode == TACIT_WS_TEXT && !tacit_utf8_valid(out->data))
		return fail(r, TACIT_WS_BAD_TEXT);
	return TACIT_OK;
}

enum tacit_err tacit_ws_next(struct tacit_ws_reader *r, struct tacit_bytes *in,
        struct tacit_ws_message *out, bool *whole)
{
	enum tacit_err err = TACIT_OK;
	*whole = false;
	*out = (struct tacit_ws_message){0};
	if (r->failed)
		return fail(r, r->close_code);
	while (!*whole) {
		if (!r->in_payload)
			TRY(read_head(r, in));
		if (!r->in_payload)
			break;
		TRY(read_payload(r, in));
		if (r->rest > 0)
			break;
		TRY(end_frame(r, out, whole));
	}
out:
	if (err != TACIT_OK) {
		*whole = false;
		*out = (struct tacit_ws_message){0};
	}
	return err;
}

struct tacit_buf tacit_ws_take(struct tacit_ws_reader *r)
{
	struct tacit_buf message = r->message;
	TACIT_ASSERT(r->front > 0 && r->message_op == 0);
	r->message = (struct tacit_buf){0};
	return message;
}

void tacit_ws_reader_rest(struct tacit_ws_reader *r)
{
	if (r->message_op == 0 && r->message.cap > 0)
		tacit_buf_clear(&r->message);
}

void tacit_ws_reader_clear(struct tacit_ws_reader *r)
{
	tacit_buf_clear(&r->message);
	r->message_op = 0;
}

size_t tacit_ws_head(enum tacit_ws_opcode opcode, uint64_t bytes, const uint8_t *mask,
        uint8_t out[TACIT_WS_HEAD_BYTES])
{
	size_t n = 2, wide = bytes < LENGTH_16 ? 0 : bytes <= 0xffff ? 2 : 8;
	out[0] = (uint8_t)(FIN | (unsigned)opcode);
	out[1] = wide == 0 ? (uint8_t)bytes : wide == 2 ? LENGTH_16 : LENGTH_64;
	for (size_t i = 0; i < wide; i++)
		out[n++] = (uint8_t)(bytes >> (8 * (wide - 1 - i)));
	if (mask == NULL)
		return n;
	out[1] |= MASKED;
	memcpy(out + n, mask, TACIT_WS_MASK_BYTES);
	return n + TACIT_WS_MASK_BYTES;
}

/* Blocks of a size that compilers make wide steps of. */
void tacit_ws_mask(uint8_t *p, size_t n, uint64_t at, const uint8_t mask[TACIT_WS_MASK_BYTES])
{
	uint8_t turned[32], block[32];
	size_t i = 0;
	for (size_t k = 0; k < sizeof(turned); k++)
		turned[k] = mask[(at + k) % TACIT_WS_MASK_BYTES];
	for (; n - i >= sizeof(block); i += sizeof(block)) {
		memcpy(block, p + i, sizeof(block));
		for (size_t k = 0; k < sizeof(block); k++)
			block[k] ^= turned[k];
		memcpy(p + i, block, sizeof(block));
	}
	for (; i < n; i++)
		p[i] ^= turned[i % sizeof(turned)];
}

enum tacit_err tacit_ws_write(struct tacit_buf *out, enum tacit_ws_opcode opcode,
        struct tacit_bytes data, const uint8_t *mask)
{
	uint8_t head[TACIT_WS_HEAD_BYTES];
	if (is_control((uint8_t)opcode) && data.n > TACIT_WS_MAX_CONTROL)
		return TACIT_E_TOO_LARGE;
	size_t n = tacit_ws_head(opcode, data.n, mask, head);
	enum tacit_err err = tacit_buf_reserve(out, n + data.n);
	if (err != TACIT_OK)
		return err;
	memcpy(out->p + out->n, head, n);
	if (data.n > 0)
		memcpy(out->p + out->n + n, data.p, data.n);
	if (mask != NULL)
		tacit_ws_mask(out->p + out->n + n, data.n, 0, mask);
	out->n += n + data.n;
	return TACIT_OK;
}

enum tacit_err tacit_ws_write_close(struct tacit_buf *out, uint16_t code, const uint8_t *mask)
{
	const uint8_t body[2] = {(uint8_t)(code >> 8), (uint8_t)code};
	return tacit_ws_write(out, TACIT_WS_CLOSE, tacit_bytes(body, sizeof(body)), mask);
}

enum tacit_err tacit_ws_accept(struct tacit_bytes key, char out[TACIT_WS_ACCEPT_CHARS + 1])
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	enum tacit_err err = TACIT_E_MALFORMED;
	struct tacit_buf nonce = {0}, text = {0};
	uint8_t joined[TACIT_WS_KEY_CHARS + sizeof(guid) - 1], digest[TACIT_HASH_MAX_BYTES];
	out[0] = '\0';
	if (key.n != TACIT_WS_KEY_CHARS)
		return err;
	TRY(tacit_unbase64(TACIT_BASE64, key, &nonce));
	TRY(nonce.n == 16 ? TACIT_OK : TACIT_E_MALFORMED);
	memcpy(joined, key.p, key.n);
	memcpy(joined + key.n, guid, sizeof(guid) - 1);
	TRY(tacit_hash(TACIT_SHA1, tacit_bytes(joined, sizeof(joined)), digest));
	TRY(tacit_base64(TACIT_BASE64, tacit_bytes(digest, tacit_hash_bytes(TACIT_SHA1)), &text));
	TACIT_ASSERT(text.n == TACIT_WS_ACCEPT_CHARS);
	memcpy(out, text.p, text.n);
	out[text.n] = '\0';
out:
	tacit_buf_clear(&nonce);
	tacit_buf_clear(&text);
	return err;
}
