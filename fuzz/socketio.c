/* A polling body of Engine.IO packets with Socket.IO packets in them: what can be read is written
 * back to the same bytes. The same input as an Engine.IO handshake. */
#include "wire/eio.h"
#include "wire/sio.h"

static void check_socket_packet(struct tacit_bytes text)
{
	struct tacit_sio_packet p, again;
	struct tacit_buf out = {0};
	json_t *data = NULL;
	if (tacit_sio_parse(text, &p) != TACIT_OK)
		return;
	TACIT_ASSERT(p.attachments <= TACIT_SIO_MAX_ATTACHMENTS);
	TACIT_ASSERT(tacit_sio_write(&out, &p) == TACIT_OK);
	TACIT_ASSERT(tacit_sio_parse(tacit_buf_view(&out), &again) == TACIT_OK);
	TACIT_ASSERT(again.type == p.type && again.ack == p.ack);
	TACIT_ASSERT(again.attachments == p.attachments);
	TACIT_ASSERT(tacit_bytes_eq(again.path, p.path) && tacit_bytes_eq(again.data, p.data));
	if (tacit_sio_data(&p, &data) != TACIT_OK)
		TACIT_ASSERT(data == NULL);
	json_decref(data);
	tacit_buf_clear(&out);
}

static void check_body(struct tacit_bytes body)
{
	struct tacit_eio_payload p = {.rest = body};
	struct tacit_eio_packet packet;
	struct tacit_buf out = {0};
	enum tacit_err err;
	while ((err = tacit_eio_payload_next(&p, &packet)) == TACIT_OK) {
		size_t most = out.n + tacit_eio_payload_bytes(&packet);
		TACIT_ASSERT(tacit_eio_payload_append(&out, &packet) == TACIT_OK);
		TACIT_ASSERT(out.n <= most);
		if (packet.type == TACIT_EIO_MESSAGE && !packet.binary)
			check_socket_packet(packet.data);
	}
	if (err == TACIT_E_NOT_FOUND)
		TACIT_ASSERT(tacit_bytes_eq(tacit_buf_view(&out), body));
	else
		TACIT_ASSERT(err == TACIT_E_MALFORMED);
	tacit_eio_payload_clear(&p);
	tacit_buf_clear(&out);
}

static void check_handshake(struct tacit_bytes text)
{
	struct tacit_eio_open open;
	struct tacit_buf out = {0};
	if (tacit_eio_open_read(text, &open) != TACIT_OK)
		return;
	TACIT_ASSERT(tacit_eio_open_write(&out, &open) == TACIT_OK);
	TACIT_ASSERT(tacit_eio_open_read(tacit_buf_view(&out), &open) == TACIT_OK);
	tacit_buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tacit_bytes in = tacit_bytes(data, size);
	check_body(in);
	check_socket_packet(in);
	check_handshake(in);
	return 0;
}
