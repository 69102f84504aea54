/* live_watch.h - a thread that has live_look_after run once a second. */
#ifndef TACIT_SERVER_API_LIVE_WATCH_H
#define TACIT_SERVER_API_LIVE_WATCH_H

#include "server/api/api.h"

struct live_watch;

/* After the pool and the live side were set. Fails: NOMEM, IO. */
TACIT_MUST_USE enum tacit_err live_watch_start(struct api *a, struct live_watch **out);
/* Before the pool stops. Waits for the look under way; NULL is fine. */
void live_watch_stop(struct live_watch *w);

#endif
