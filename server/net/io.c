#include "server/net/io.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

static enum net_io_result after_errno(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? NET_IO_AGAIN
	                                                                 : NET_IO_DEAD;
}

static enum net_io_result after_tls(struct net_io *io, int result)
{
	switch (SSL_get_error(io->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		io->dry = true;
		return NET_IO_AGAIN;
	case SSL_ERROR_WANT_WRITE:
		io->needs_write = true;
		return NET_IO_AGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return NET_IO_END;
	default:
		/* SSL_shutdown must not be tried after this (SSL_get_error(3)). */
		SSL_set_quiet_shutdown(io->ssl, 1);
		return NET_IO_DEAD;
	}
}

static enum net_io_result receive_tls(struct net_io *io, uint8_t *p, size_t room, size_t *got)
{
	io->needs_write = false;
	while (*got < room) {
		size_t n = 0;
		ERR_clear_error();
		int result = SSL_read_ex(io->ssl, p + *got, room - *got, &n);
		if (result != 1) {
			enum net_io_result why = after_tls(io, result);
			return *got > 0 ? NET_IO_OK : why; /* an end comes again */
		}
		*got += n;
	}
	return NET_IO_OK;
}

enum net_io_result net_io_receive(struct net_io *io, uint8_t *p, size_t room, size_t *got)
{
	*got = 0;
	if (io->ssl != NULL)
		return receive_tls(io, p, room, got);
	ssize_t n = recv(io->fd, p, room, 0);
	if (n < 0)
		return after_errno();
	*got = (size_t)n;
	return n > 0 ? NET_IO_OK : NET_IO_END;
}

enum net_io_result net_io_receive_two(struct net_io *io, const struct iovec parts[2], size_t *got)
{
	*got = 0;
	if (io->ssl != NULL)
		return receive_tls(io, parts[0].iov_base, parts[0].iov_len, got);
	ssize_t n = readv(io->fd, parts, 2);
	if (n < 0)
		return after_errno();
	*got = (size_t)n;
	return n > 0 ? NET_IO_OK : NET_IO_END;
}

/* A record at a time. When the socket is full the record is made already: the next try must begin
 * with the same bytes, which holds because what was not sent is gathered again from its start. */
static enum net_io_result send_tls(struct net_io *io, const uint8_t *p, size_t bytes, size_t *sent)
{
	while (*sent < bytes) {
		size_t n = 0;
		ERR_clear_error();
		int result = SSL_write_ex(io->ssl, p + *sent, bytes - *sent, &n);
		if (result != 1) {
			enum net_io_result why = after_tls(io, result);
			io->needs_write = false; /* the sender waits for that himself */
			return why;
		}
		*sent += n;
	}
	return NET_IO_OK;
}

static size_t gather_parts(const struct iovec *parts, int count, uint8_t *gather)
{
	size_t n = 0;
	for (int i = 0; i < count; i++) {
		size_t room = NET_IO_GATHER_BYTES - n;
		size_t part = parts[i].iov_len < room ? parts[i].iov_len : room;
		if (part > 0)
			memcpy(gather + n, parts[i].iov_base, part);
		n += part;
	}
	return n;
}

enum net_io_result net_io_send(struct net_io *io, const struct iovec *parts, int count, bool more,
        uint8_t *gather, size_t *sent)
{
	*sent = 0;
	if (io->ssl != NULL)
		return send_tls(io, gather, gather_parts(parts, count, gather), sent);
	struct iovec copy[NET_IO_MAX_PARTS];
	if (count > NET_IO_MAX_PARTS)
		return NET_IO_DEAD;
	memcpy(copy, parts, (size_t)count * sizeof(*parts));
	struct msghdr message = {.msg_iov = copy, .msg_iovlen = (size_t)count};
	ssize_t n = sendmsg(io->fd, &message, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
	if (n < 0)
		return after_errno();
	*sent = (size_t)n;
	return NET_IO_OK;
}

static enum net_io_result send_file_tls(
        struct net_io *io, int file, uint64_t *at, size_t bytes, uint8_t *gather, size_t *sent)
{
	size_t want = bytes < NET_IO_GATHER_BYTES ? bytes : NET_IO_GATHER_BYTES;
	ssize_t n = pread(file, gather, want, (off_t)*at);
	if (n <= 0) /* the length is announced: a file that shrank ends the connection */
		return NET_IO_DEAD;
	enum net_io_result result = send_tls(io, gather, (size_t)n, sent);
	*at += *sent;
	return result;
}

enum net_io_result net_io_send_file(
        struct net_io *io, int file, uint64_t *at, uint64_t bytes, uint8_t *gather, size_t *sent)
{
	size_t most = bytes < SSIZE_MAX / 2 ? (size_t)bytes : (size_t)SSIZE_MAX / 2;
	*sent = 0;
	if (io->ssl != NULL)
		return send_file_tls(io, file, at, most, gather, sent);
	off_t offset = (off_t)*at;
	ssize_t n = sendfile(io->fd, file, &offset, most);
	if (n < 0)
		return after_errno();
	*at = (uint64_t)offset;
	*sent = (size_t)n;
	return n > 0 ? NET_IO_OK : NET_IO_DEAD;
}

bool net_io_has_more(const struct net_io *io)
{
	return io->ssl != NULL && !io->dry && SSL_has_pending(io->ssl);
}

void net_io_finish(struct net_io *io)
{
	if (io->ssl != NULL) {
		ERR_clear_error();
		SSL_shutdown(io->ssl); /* best effort: lengths are in the messages */
	}
	shutdown(io->fd, SHUT_WR);
}

void net_io_close(struct net_io *io)
{
	if (io->ssl != NULL && SSL_is_init_finished(io->ssl) && !SSL_get_shutdown(io->ssl)) {
		ERR_clear_error();
		SSL_shutdown(io->ssl);
	}
	SSL_free(io->ssl);
	if (io->fd >= 0)
		close(io->fd);
	*io = (struct net_io){.fd = -1};
}
