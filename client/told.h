/* told.h - which messages a runner has told, so that those which another process of the profile has
 * sent or fetched meanwhile can be told from the history: once, too. */
#ifndef TACIT_CLIENT_TOLD_H
#define TACIT_CLIENT_TOLD_H

#include "client/host.h"

struct told;

/* What the history holds now counts as told. Fails: as host_history. */
TACIT_MUST_USE enum tacit_err told_new(struct host *h, struct told **out);
void told_free(struct told *t); /* NULL is fine */
/* Everything that is told goes past here. */
void told_notice(struct told *t, const struct tacit_notice *n);
/* Gives deliver the messages in the history that were not told, the last TOLD_LOOKED_AT of a
 * conversation at most; and what has become of those that were told (EDITED: a message as it is now,
 * its reactions included; DELETED). Does nothing while no other process has written. Fails: as host_history. */
#define TOLD_LOOKED_AT 256
TACIT_MUST_USE enum tacit_err told_catch_up(struct told *t, host_deliver *deliver, void *ctx);

#endif
