/* owners.h - how many sockets each user has, over all loops. Any thread. */
#ifndef TACIT_SERVER_LIVE_OWNERS_H
#define TACIT_SERVER_LIVE_OWNERS_H

#include <stdbool.h>

#include "server/live/live.h"

struct owners;

/* Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err owners_new(unsigned max_each, struct owners **out);
void owners_free(struct owners *o); /* NULL is fine */
/* *full: the user has one too many now; *oldest is no longer counted and is to be closed.
 * Fails: NOMEM; then s is not counted. */
TACIT_MUST_USE enum tacit_err owners_enter(struct owners *o, int64_t user_id, struct live_handle s,
        struct live_handle *oldest, bool *full);
void owners_leave(struct owners *o, int64_t user_id, struct live_handle s);

#endif
