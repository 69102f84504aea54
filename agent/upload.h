/* upload.h - a file that comes as multipart/form-data: sealed to the disk while it comes. */
#ifndef TACIT_AGENT_UPLOAD_H
#define TACIT_AGENT_UPLOAD_H

#include "agent/exchange.h"
#include "agent/session.h"

/* The session of x takes an upload. Fails: REFUSED, NOMEM. */
TACIT_MUST_USE enum tacit_err upload_begin(struct exchange *x);
/* The HTTP library's iterator over fields. cls: the exchange. */
enum MHD_Result upload_on_field(void *cls, enum MHD_ValueKind kind, const char *key,
        const char *filename, const char *type, const char *encoding, const char *data,
        uint64_t off, size_t size);
/* All has come: the file is in the session from now on, held for the caller. Fails: REFUSED, and as
 * shelf_finish. */
TACIT_MUST_USE enum tacit_err upload_finish(struct exchange *x, struct shelf_file **out);
struct session *upload_session(const struct exchange *x);
void upload_drop(struct exchange *x); /* none: nothing happens */

#endif
