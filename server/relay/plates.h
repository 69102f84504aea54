/* plates.h - nameplates: who waits under which, and which rest before they are given again. The
 * desk's own, on its thread. */
#ifndef TACIT_SERVER_RELAY_PLATES_H
#define TACIT_SERVER_RELAY_PLATES_H

#include "server/relay/desk.h"

/* Of the shortest ones that are free, any. 0: there is none. */
uint32_t plates_choose(struct desk *d);
/* Nobody finds e under its nameplate any more, if it has one. */
void plates_rest(struct desk *d, struct end *e);
/* How many of that address wait under one. */
unsigned plates_waiting(const struct desk *d, uint64_t address);
/* One that rests, by the ticket that it was opened with: for the next of several receivers.
 * 0: there is none. */
uint32_t plates_take_again(struct desk *d, const struct desk_nameplate *wanted);

#endif
