/* live_app.h - the application behind the Socket.IO connections: who may connect, what they may
 * say, and what is looked after while they are there. */
#ifndef TACIT_SERVER_API_LIVE_APP_H
#define TACIT_SERVER_API_LIVE_APP_H

#include "server/api/live_people.h"

struct api;

/* live_connect.c: the callbacks of struct live_app. */
void live_app_connect(void *ctx, struct live_handle s, const struct live_hello *hello);
void live_app_gone(void *ctx, struct live_handle s, const struct live_identity *who);

/* The user's conversations hear what is true of the user now, if they had heard otherwise. READ
 * lane. Fails as store_ops.conversation_ids, and NOMEM. */
TACIT_MUST_USE enum tacit_err live_announce(
        struct api *a, struct store *store, int64_t user_id, int64_t now);
/* The same in a lane, some time soon. Any thread. */
void live_announce_later(struct api *a, int64_t user_id);

/* "online", "away", "hidden". */
bool live_state_read(struct tacit_bytes text, enum live_state *out);

/* Logins of open sockets are looked at again, and those that have ended are disconnected: all of
 * them when somebody says so here or in the store (another process), else those whose time is up.
 * READ lane. */
TACIT_MUST_USE enum tacit_err live_look_after(struct api *a, struct store *store, int64_t now);

#endif
