/* wire.h - packets as frames: encoded once as WebSocket messages of a server, which polling answers
 * are made of, too. */
#ifndef TACIT_SERVER_LIVE_WIRE_H
#define TACIT_SERVER_LIVE_WIRE_H

#include "server/net/frame.h"
#include "wire/eio.h"
#include "wire/sio.h"
#include "wire/ws.h"

/* One Engine.IO packet. NULL: out of memory, as below. */
struct net_frame *wire_packet(const struct tacit_eio_packet *packet);
/* One Socket.IO packet with its attachments: packet->attachments of them. */
struct net_frame *wire_socket_packet(
        const struct tacit_sio_packet *packet, const struct tacit_bytes *binary);
/* The array's inside as the packet's data: packet->data is not read. */
struct net_frame *wire_array(const struct tacit_sio_packet *packet, struct tacit_bytes inside,
        const struct tacit_bytes *binary);
/* The same event for another namespace. */
struct net_frame *wire_readdress(const struct net_frame *f, struct tacit_bytes path);
struct net_frame *wire_close(uint16_t code);

/* The frame's packets behind those in a polling answer; WebSocket's own frames are left out.
 * Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err wire_to_polling(const struct net_frame *f, struct tacit_buf *answer);

#endif
