/* message_store.h - a message on its way into the store, the same from both channels. WRITE lane.
 */
#ifndef TACIT_SERVER_API_MESSAGE_STORE_H
#define TACIT_SERVER_API_MESSAGE_STORE_H

#include "server/api/json_out.h"
#include "server/api/live_outbox.h"

/* Appends; what is new is told to the room. *out then has n's content, extra and client_id as
 * views. Fails as store_ops.message_append. */
TACIT_MUST_USE enum tacit_err api_message_store(struct store *store,
        const struct store_new_message *n, struct live_outbox *outbox, struct store_message *out,
        bool *existed);

/* The same for a commit. Fails as store_ops.commit_append. */
TACIT_MUST_USE enum tacit_err api_commit_store(struct store *store,
        const struct store_new_commit *n, struct live_outbox *outbox, struct store_message *out,
        bool *existed);

/* The members of the answer to who posted it, which is not longer than API_JSON_ROOM. */
void api_message_receipt(struct api_json *w, const char *place, const struct store_message *m);

#endif
