/* messages.c - the ordered list of opaque messages of a conversation, and read marks. */
#include "base/alloc.h"
#include "server/api/handlers.h"
#include "server/api/call.h"
#include "server/api/message_form.h"
#include "server/api/message_page.h"
#include "server/api/message_store.h"

#define PAGE_BYTES ((size_t)1024 * 1024) /* beyond, a page is cut short: has_more tells */

/* --- reading ------------------------------------------------------------------------------- */

static enum tacit_err add_read_mark(void *ctx, const struct store_participant *p)
{
	struct api_json *w = ctx;
	if (p->read_message_id == 0)
		return TACIT_OK;
	api_json_open_object(w, NULL);
	api_json_integer(w, "user_id", p->user_id);
	api_json_text(w, "username", tacit_cstr(p->username));
	api_json_integer(w, "message_id", p->read_message_id);
	api_json_time(w, "read_at", p->read_at);
	api_json_close_object(w);
	return w->err;
}

enum tacit_err api_messages_page(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct api_json w;
	int64_t before = 0, after = -1, limit = API_PAGE_DEFAULT;
	bool more = false;
	TRY(api_query_integer(c, "before", 0, TACIT_MAX_INTEGER, &before));
	TRY(api_query_integer(c, "after", 0, TACIT_MAX_INTEGER, &after));
	TRY(api_query_integer(c, "limit", 1, API_PAGE_MAX, &limit));
	after = api_message_page_after(after);
	TRY(api_answer_json(c, 200, &w));
	api_json_open_array(&w, "messages");
	struct api_message_page page = {.w = &w,
	        .write = api_message_http,
	        .start = c->answer->body.n,
	        .max_bytes = PAGE_BYTES,
	        .from_oldest = after != 0};
	TRY(store->ops->message_page(store, c->path.id, c->who.user_id, before, after,
	        (unsigned)limit, api_message_page_add, &page, &more));
	api_json_close_array(&w);
	api_json_bool(&w, "has_more", more || page.cut);
	api_json_open_array(&w, "message_read_statuses");
	TRY(store->ops->participant_list(store, c->path.id, c->who.user_id, add_read_mark, &w));
	api_json_close_array(&w);
	TRY(api_json_finish(&w));
out:
	return err;
}

/* --- posting ------------------------------------------------------------------------------- */

struct post {
	struct tacit_buf content, extra;
	struct tacit_bytes client_id; /* in the call's body */
};

static void post_free(struct api *a, void *work)
{
	struct post *p = work;
	(void)a;
	tacit_buf_clear(&p->content);
	tacit_buf_clear(&p->extra);
	tacit_free(p);
}

/* `content` in base64, or `encrypted_content` as live clients send it; never both. */
static enum tacit_err read_content(struct api_call *c, struct post *p)
{
	enum tacit_err err;
	struct api_message_form form;
	struct tacit_bytes content;
	TRY(api_text(c, "content", TACIT_OPTIONAL, SIZE_MAX, &content));
	bool strings = content.p == NULL && api_object_has(&c->data, "encrypted_content");
	TRY(api_text(c, "encrypted_content", strings ? TACIT_REQUIRED : TACIT_OPTIONAL, SIZE_MAX,
	        &form.encrypted_content));
	TRY(api_text(c, "iv", TACIT_OPTIONAL, API_MAX_IV, &form.iv));
	TRY(api_text(c, "message_hash", TACIT_OPTIONAL, API_MAX_IV, &form.message_hash));
	if (content.p != NULL && form.encrypted_content.p != NULL)
		TRY(api_refuse_member(c, API_INVALID_VALUE, "encrypted_content"));
	if (!strings)
		TRY(api_base64_open(c, "content", TACIT_MAX_ENVELOPE, &p->content));
	err = api_message_pack(&form, &p->content, &p->extra);
	if (err == TACIT_E_TOO_LARGE)
		err = api_refuse_member(c, API_INVALID_VALUE, "encrypted_content");
out:
	return err;
}

enum tacit_err api_message_check(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	(void)store;
	struct post *p = tacit_calloc(1, sizeof(*p));
	if (p == NULL)
		return TACIT_E_NOMEM;
	c->work = p;
	c->work_free = post_free;
	TRY(read_content(c, p));
	TRY(api_text(c, "client_id", TACIT_OPTIONAL, STORE_CLIENT_ID_CHARS, &p->client_id));
out:
	return err;
}

enum tacit_err api_message_append(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct api_json w;
	const struct post *p = c->work;
	struct store_message m = {0};
	bool existed = false;
	const struct store_new_message n = {.conversation_id = c->path.id,
	        .user_id = c->who.user_id,
	        .now = c->now,
	        .content = tacit_buf_view(&p->content),
	        .extra = tacit_buf_view(&p->extra),
	        .client_id = p->client_id};
	TRY(api_answer_json(c, 201, &w)); /* first: behind the change nothing may fail */
	TRY(api_message_store(store, &n, &c->outbox, &m, &existed));
	c->answer->status = existed ? 200 : 201;
	api_message_receipt(&w, "conversation_id", &m);
	TRY(api_json_finish(&w));
out:
	return err;
}

/* --- read marks ---------------------------------------------------------------------------- */

enum tacit_err api_read_mark(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct api_json w;
	int64_t message_id = 0;
	bool moved = false;
	TRY(api_integer(c, "message_id", TACIT_REQUIRED, 1, &message_id));
	TRY(store->ops->read_mark(store, c->path.id, c->who.user_id, message_id, c->now, &moved));
	if (moved) {
		const struct live_mark mark = {api_caller(c), message_id, c->now};
		TRY(live_tell_read(&c->outbox, c->path.id, &mark));
	}
	TRY(api_answer_json(c, 200, &w));
	api_json_integer(&w, "message_id", message_id);
	api_json_time(&w, "read_at", c->now);
	TRY(api_json_finish(&w));
out:
	return err;
}
