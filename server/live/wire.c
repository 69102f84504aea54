#include "server/live/wire.h"

#include <string.h>

static struct net_frame *seal(enum tacit_err err, struct tacit_buf *b)
{
	struct net_frame *f = err == TACIT_OK ? net_frame_copy(tacit_buf_view(b)) : NULL;
	tacit_buf_clear(b);
	return f;
}

struct net_frame *wire_packet(const struct tacit_eio_packet *packet)
{
	uint8_t head[TACIT_WS_HEAD_BYTES];
	size_t digit = packet->binary ? 0 : 1;
	size_t n = tacit_ws_head(packet->binary ? TACIT_WS_BINARY : TACIT_WS_TEXT,
	        packet->data.n + digit, NULL, head);
	struct net_frame *f = net_frame_new(n + digit + packet->data.n);
	if (f == NULL)
		return NULL;
	memcpy(f->data, head, n);
	if (digit > 0)
		f->data[n] = (uint8_t)('0' + packet->type);
	if (packet->data.n > 0)
		memcpy(f->data + n + digit, packet->data.p, packet->data.n);
	return f;
}

/* text: the Engine.IO packet. */
static enum tacit_err append_all(struct tacit_buf *out, struct tacit_bytes text,
        const struct tacit_bytes *binary, size_t count)
{
	enum tacit_err err;
	TRY(tacit_ws_write(out, TACIT_WS_TEXT, text, NULL));
	for (size_t i = 0; i < count; i++)
		TRY(tacit_ws_write(out, TACIT_WS_BINARY, binary[i], NULL));
out:
	return err;
}

static struct net_frame *frame_of(
        struct tacit_bytes text, const struct tacit_bytes *binary, size_t count)
{
	const struct tacit_eio_packet packet = {
	        .type = TACIT_EIO_MESSAGE, .data = tacit_bytes_part(text, 1, text.n)};
	struct tacit_buf all = {0};
	if (count == 0)
		return wire_packet(&packet);
	return seal(append_all(&all, text, binary, count), &all);
}

static enum tacit_err append_head(struct tacit_buf *out, const struct tacit_sio_packet *packet)
{
	enum tacit_err err;
	TRY(tacit_buf_append(out, TACIT_STR("4")));
	TRY(tacit_sio_write(out, packet));
out:
	return err;
}

struct net_frame *wire_socket_packet(
        const struct tacit_sio_packet *packet, const struct tacit_bytes *binary)
{
	struct tacit_buf text = {0};
	struct net_frame *f = NULL;
	if (append_head(&text, packet) == TACIT_OK)
		f = frame_of(tacit_buf_view(&text), binary, packet->attachments);
	tacit_buf_clear(&text);
	return f;
}

/* head, inside and "]": what is long is copied once. */
static struct net_frame *close_array(struct tacit_bytes head, struct tacit_bytes inside)
{
	uint8_t front[TACIT_WS_HEAD_BYTES];
	const size_t text = head.n + inside.n + 1;
	const size_t n = tacit_ws_head(TACIT_WS_TEXT, text, NULL, front);
	struct net_frame *f = net_frame_new(n + text);
	if (f == NULL)
		return NULL;
	memcpy(f->data, front, n);
	memcpy(f->data + n, head.p, head.n);
	if (inside.n > 0)
		memcpy(f->data + n + head.n, inside.p, inside.n);
	f->data[n + text - 1] = ']';
	return f;
}

struct net_frame *wire_array(const struct tacit_sio_packet *packet, struct tacit_bytes inside,
        const struct tacit_bytes *binary)
{
	enum tacit_err err;
	struct tacit_sio_packet head = *packet;
	struct tacit_buf text = {0};
	struct net_frame *f = NULL;
	head.data = TACIT_STR("[");
	TRY(append_head(&text, &head));
	if (packet->attachments == 0) {
		f = close_array(tacit_buf_view(&text), inside);
		goto out;
	}
	TRY(tacit_buf_append(&text, inside));
	TRY(tacit_buf_append(&text, TACIT_STR("]")));
	f = frame_of(tacit_buf_view(&text), binary, packet->attachments);
out:
	tacit_buf_clear(&text);
	return f;
}

/* The next of the messages that a frame holds. We wrote them: whole, unmasked, well-formed. */
static bool next_message(
        struct tacit_bytes *rest, enum tacit_ws_opcode *opcode, struct tacit_bytes *data)
{
	if (rest->n < 2)
		return false;
	size_t wide = rest->p[1] == 126 ? 2 : rest->p[1] == 127 ? 8 : 0;
	uint64_t n = wide == 0 ? rest->p[1] : 0;
	for (size_t i = 0; i < wide; i++)
		n = n << 8 | rest->p[2 + i];
	*opcode = (enum tacit_ws_opcode)(rest->p[0] & 0x0f);
	*data = tacit_bytes_part(*rest, 2 + wide, (size_t)n);
	*rest = tacit_bytes_part(*rest, 2 + wide + (size_t)n, rest->n);
	return true;
}

struct net_frame *wire_readdress(const struct net_frame *f, struct tacit_bytes path)
{
	enum tacit_err err;
	enum tacit_ws_opcode opcode;
	struct tacit_bytes rest = tacit_bytes(f->data, f->bytes), data;
	struct tacit_sio_packet packet;
	struct tacit_buf text = {0}, all = {0};
	if (!next_message(&rest, &opcode, &data) ||
	        tacit_sio_parse(tacit_bytes_part(data, 1, data.n), &packet) != TACIT_OK)
		return NULL;
	packet.path = path;
	TRY(append_head(&text, &packet));
	TRY(append_all(&all, tacit_buf_view(&text), NULL, 0));
	TRY(tacit_buf_append(&all, rest));
out:
	tacit_buf_clear(&text);
	return seal(err, &all);
}

struct net_frame *wire_close(uint16_t code)
{
	struct tacit_buf b = {0};
	return seal(tacit_ws_write_close(&b, code, NULL), &b);
}

enum tacit_err wire_to_polling(const struct net_frame *f, struct tacit_buf *answer)
{
	struct tacit_bytes rest = tacit_bytes(f->data, f->bytes), data;
	enum tacit_ws_opcode opcode;
	enum tacit_err err = TACIT_OK;
	while (err == TACIT_OK && next_message(&rest, &opcode, &data)) {
		struct tacit_eio_packet packet = {
		        .type = TACIT_EIO_MESSAGE, .binary = true, .data = data};
		if (opcode == TACIT_WS_TEXT)
			err = tacit_eio_parse(data, &packet);
		else if (opcode != TACIT_WS_BINARY)
			continue;
		if (err == TACIT_OK)
			err = tacit_eio_payload_append(answer, &packet);
	}
	return err;
}
