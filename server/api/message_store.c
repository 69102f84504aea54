#include "server/api/message_store.h"

static void tell(const struct store_new_message *n, struct live_outbox *outbox,
        struct store_message *out, bool existed)
{
	out->content = n->content;
	out->extra = n->extra;
	out->client_id = n->client_id;
	if (!existed)
		live_tell_message(outbox, out);
}

enum tacit_err api_message_store(struct store *store, const struct store_new_message *n,
        struct live_outbox *outbox, struct store_message *out, bool *existed)
{
	enum tacit_err err;
	TRY(store->ops->message_append(store, n, out, existed));
	tell(n, outbox, out, *existed);
out:
	return err;
}

enum tacit_err api_commit_store(struct store *store, const struct store_new_commit *n,
        struct live_outbox *outbox, struct store_message *out, bool *existed)
{
	enum tacit_err err;
	TRY(store->ops->commit_append(store, n, out, existed));
	tell(&n->message, outbox, out, *existed);
out:
	return err;
}

void api_message_receipt(struct api_json *w, const char *place, const struct store_message *m)
{
	api_json_integer(w, "id", m->id);
	api_json_integer(w, place, m->conversation_id);
	api_json_time(w, "created_at", m->created_at);
	if (m->expires_at != 0)
		api_json_time(w, "expires_at", m->expires_at);
	if (m->begins_epoch > 0)
		api_json_integer(w, "epoch", m->begins_epoch);
	if (m->client_id.n > 0)
		api_json_text(w, "client_id", m->client_id);
}
