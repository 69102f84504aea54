/* keys.c - the caller's own wrapped key of a conversation. */
#include "base/alloc.h"
#include "server/api/call.h"
#include "server/api/handlers.h"

static enum tacit_err answer_key(struct api_call *c, struct tacit_bytes key)
{
	enum tacit_err err;
	struct api_json w;
	TRY(api_answer_json(c, 200, &w));
	api_json_base64(&w, "key", key);
	TRY(api_json_finish(&w));
out:
	return err;
}

enum tacit_err api_key_get(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct tacit_buf key = {0};
	TRY(store->ops->key_get(store, c->path.id, c->who.user_id, &key));
	TRY(answer_key(c, tacit_buf_view(&key)));
out:
	tacit_buf_clear(&key);
	return err;
}

static void key_free(struct api *a, void *work)
{
	(void)a;
	tacit_buf_clear(work);
	tacit_free(work);
}

enum tacit_err api_key_check(struct api_call *c, struct store *store)
{
	(void)store;
	struct tacit_buf *key = tacit_calloc(1, sizeof(*key));
	if (key == NULL)
		return TACIT_E_NOMEM;
	c->work = key;
	c->work_free = key_free;
	return api_base64(c, "key", TACIT_MAX_WRAPPED_KEY, key);
}

enum tacit_err api_key_put(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	const struct tacit_buf *key = c->work;
	TRY(store->ops->key_put(store, c->path.id, c->who.user_id, tacit_buf_view(key), c->now));
	TRY(answer_key(c, tacit_buf_view(key)));
out:
	return err;
}
