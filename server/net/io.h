/* io.h - a non-blocking socket, in the clear or under TLS: one set of calls for both.
 *
 * Not bufferevents: a bufferevent reads 4 KiB at a time into a chain that must be copied out of,
 * arms its write event for each answer and its two timeouts for each read, and writes one TLS
 * record for each chunk. Here a request is one recv into the loop's own buffer, an answer one
 * sendmsg or one record, an upload goes straight into the piece that the application gets, and a
 * file leaves by sendfile. libevent keeps the loop, the events, the timers and accepting. */
#ifndef TACIT_SERVER_NET_IO_H
#define TACIT_SERVER_NET_IO_H

#include <openssl/ssl.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/bytes.h"

enum net_io_result {
	NET_IO_OK,
	NET_IO_AGAIN, /* nothing moved: wait for the socket */
	NET_IO_END,   /* the peer has finished sending */
	NET_IO_DEAD,
};

struct net_io {
	int fd;
	SSL *ssl;         /* NULL: in the clear */
	bool dry;         /* TLS has nothing left that it has read from the socket */
	bool needs_write; /* TLS must write before it can read on: a handshake */
};

#define NET_IO_MAX_PARTS 128 /* of one send */
/* What an encrypted answer is gathered in: one for each loop. */
#define NET_IO_GATHER_BYTES ((size_t)128 * 1024)

/* At most room bytes, as many as are there. OK: *got > 0. */
enum net_io_result net_io_receive(struct net_io *io, uint8_t *p, size_t room, size_t *got);
/* The same into the first part, and, in the clear, what is more into the second. */
enum net_io_result net_io_receive_two(struct net_io *io, const struct iovec parts[2], size_t *got);
/* more: something follows at once. *sent may be less than all (then the socket is full) and is
 * right also with AGAIN. */
enum net_io_result net_io_send(struct net_io *io, const struct iovec *parts, int count, bool more,
        uint8_t *gather, size_t *sent);
/* Up to `bytes` of the file from *at on, which moves on. */
enum net_io_result net_io_send_file(
        struct net_io *io, int file, uint64_t *at, uint64_t bytes, uint8_t *gather, size_t *sent);
/* Bytes wait inside TLS, for which the socket will raise no event. */
bool net_io_has_more(const struct net_io *io);
/* Our side is finished; the peer may still send. */
void net_io_finish(struct net_io *io);
/* Closes; safe to call again. */
void net_io_close(struct net_io *io);

#endif
