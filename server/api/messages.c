/* messages.c - the ordered list of opaque messages of a conversation, and read marks. */
#include <string.h>

#include "base/alloc.h"
#include "server/api/handlers.h"
#include "server/api/call.h"

#define PAGE_DEFAULT 50
#define PAGE_MAX 200
#define PAGE_BYTES ((size_t)1024 * 1024) /* beyond, a page is cut short: has_more tells */

/* --- reading ------------------------------------------------------------------------------- */

struct page {
	struct api_json *w;
	size_t start; /* of the first message in the answer */
	size_t ends[PAGE_MAX];
	size_t count;
	bool from_oldest, cut;
};

/* The oldest message goes, and the comma behind it. */
static void drop_first(struct page *p)
{
	struct tacit_buf *b = p->w->out;
	size_t bytes = p->ends[0] - p->start + 1;
	memmove(b->p + p->start, b->p + p->start + bytes, b->n - p->start - bytes);
	b->n -= bytes;
	p->count--;
	for (size_t i = 0; i < p->count; i++)
		p->ends[i] = p->ends[i + 1] - bytes;
}

static void write_message(struct api_json *w, const struct store_message *m)
{
	api_json_open_object(w, NULL);
	api_json_integer(w, "id", m->id);
	api_json_integer(w, "conversation_id", m->conversation_id);
	api_json_integer(w, "user_id", m->user_id);
	api_json_text(w, "username", tacit_cstr(m->username));
	api_json_base64(w, "content", m->content);
	if (m->client_id.n > 0)
		api_json_text(w, "client_id", m->client_id);
	else
		api_json_null(w, "client_id");
	api_json_time(w, "created_at", m->created_at);
	api_json_close_object(w);
}

/* One message is always given. What is too much goes at the end that the client asks for next. */
static enum tacit_err add_message(void *ctx, const struct store_message *m)
{
	struct page *p = ctx;
	size_t more = m->content.n / 3 * 4;
	bool full = p->count > 0 && p->w->out->n - p->start + more > PAGE_BYTES;
	p->cut = p->cut || full;
	if (p->cut && p->from_oldest)
		return TACIT_OK;
	write_message(p->w, m);
	if (p->w->err != TACIT_OK)
		return p->w->err;
	p->ends[p->count++] = p->w->out->n;
	while (p->count > 1 && p->w->out->n - p->start > PAGE_BYTES)
		drop_first(p);
	return TACIT_OK;
}

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
	int64_t before = 0, after = -1, limit = PAGE_DEFAULT;
	bool more = false;
	TRY(api_query_integer(c, "before", 0, TACIT_MAX_INTEGER, &before));
	TRY(api_query_integer(c, "after", 0, TACIT_MAX_INTEGER, &after));
	TRY(api_query_integer(c, "limit", 1, PAGE_MAX, &limit));
	/* A client that has nothing yet asks for what is after 0: the oldest, not the newest. */
	if (after <= 0)
		after = after < 0 ? 0 : STORE_FROM_START;
	TRY(api_answer_json(c, 200, &w));
	api_json_open_array(&w, "messages");
	struct page page = {.w = &w, .start = c->answer->body.n, .from_oldest = after != 0};
	TRY(store->ops->message_page(store, c->path.id, c->who.user_id, before, after,
	        (unsigned)limit, add_message, &page, &more));
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
	struct tacit_buf content;
	struct tacit_bytes client_id; /* in the call's body */
};

static void post_free(struct api *a, void *work)
{
	struct post *p = work;
	(void)a;
	tacit_buf_clear(&p->content);
	tacit_free(p);
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
	TRY(api_base64(c, "content", TACIT_MAX_ENVELOPE, &p->content));
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
	        .client_id = p->client_id};
	TRY(store->ops->message_append(store, &n, &m, &existed));
	TRY(api_answer_json(c, existed ? 200 : 201, &w));
	api_json_integer(&w, "id", m.id);
	api_json_integer(&w, "conversation_id", m.conversation_id);
	api_json_time(&w, "created_at", m.created_at);
	if (p->client_id.n > 0)
		api_json_text(&w, "client_id", p->client_id);
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
	TRY(api_answer_json(c, 200, &w));
	api_json_integer(&w, "message_id", message_id);
	api_json_time(&w, "read_at", c->now);
	TRY(api_json_finish(&w));
out:
	return err;
}
