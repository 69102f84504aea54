/* direct.h - a TCP connection to the other end of a transfer, with nothing between: messages of
 * e2e/parcel, each behind its length (u32): docs/protocol-transfer.md 15.7. Keeps no secret and
 * proves nothing by itself. Waits with poll(2), and never longer than told. One thread. */
#ifndef TACIT_CLIENT_DIRECT_H
#define TACIT_CLIENT_DIRECT_H

#include <poll.h>
#include <signal.h>

#include "base/buf.h"
#include "base/err.h"
#include "e2e/parcel/ways.h"

struct direct;

#define DIRECT_DEAD_S 30 /* unanswered for so long, a connection is lost */

enum { DIRECT_FOR_EVER = -1 };

/* Begins to connect. Fails: NETWORK, NOMEM. */
TACIT_MUST_USE enum tacit_err direct_call(const struct tacit_parcel_address *to, uint16_t port,
        const volatile sig_atomic_t *cancel, struct direct **out);
/* Takes the connection fd over, also when it fails. Fails: NETWORK, NOMEM. */
TACIT_MUST_USE enum tacit_err direct_adopt(
        int fd, const volatile sig_atomic_t *cancel, struct direct **out);
void direct_close(struct direct *d); /* at once; NULL is fine */
/* What was sent leaves, if it does soon, and the other end hangs up first, or soon. */
void direct_finish(struct direct *d);

/* Is the connection there? Fails: NETWORK (refused, unreachable). */
TACIT_MUST_USE enum tacit_err direct_ready(struct direct *d, bool *ready);
/* What it waits for, for poll(2). */
struct pollfd direct_poll(const struct direct *d);

/* Waits only while too much is on its way. Fails: NETWORK, CANCELLED, TOO_LARGE, NOMEM. */
TACIT_MUST_USE enum tacit_err direct_send(struct direct *d, struct tacit_bytes message);
/* Where a message of n bytes is best made, for direct_send to find it there. NULL: no memory. */
uint8_t *direct_place(struct direct *d, size_t n);
/* The next message, borrowed until the next call. *got false: the time is over. Sends meanwhile.
 * Fails: NETWORK (closed, broken), TOO_LARGE, CANCELLED. */
TACIT_MUST_USE enum tacit_err direct_next(
        struct direct *d, int timeout_ms, struct tacit_bytes *message, bool *got);
/* The next call of direct_next gives the last message again. */
void direct_again(struct direct *d);

#endif
