/* upgrade.h - from an HTTP connection to a WebSocket, the client's side (RFC 6455 4.1). No I/O. */
#ifndef TACIT_CLIENT_UPGRADE_H
#define TACIT_CLIENT_UPGRADE_H

#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"
#include "wire/ws.h"

#define UPGRADE_MAX_HEAD (16 * 1024)

struct upgrade {
	char accept[TACIT_WS_ACCEPT_CHARS + 1];
	struct tacit_buf head; /* of the answer, while it comes */
};

/* server: its origin. cookie: "name=value", secret; may be empty. The request is appended to out.
 * Fails: NOMEM, CRYPTO. */
struct upgrade_request {
	const struct tacit_env *env;
	const char *server, *path;
	struct tacit_bytes cookie;
};
TACIT_MUST_USE enum tacit_err upgrade_begin(
        struct upgrade *u, const struct upgrade_request *r, struct tacit_buf *out);
/* Takes the answer's head off the front of *in; what follows is frames. *done: it was whole, and
 * right. Fails: NOT_LOGGED_IN (401, 403), LIMIT (429, 5xx), UNSUPPORTED (anything else that is no
 * WebSocket), NOMEM. */
TACIT_MUST_USE enum tacit_err upgrade_take(struct upgrade *u, struct tacit_bytes *in, bool *done);
void upgrade_clear(struct upgrade *u);

#endif
