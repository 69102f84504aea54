#include "agent/inbox.h"

#include <stdlib.h>
#include <string.h>

#include "agent/exchange.h"
#include "base/alloc.h"

#define AROUND 64 /* events between messages: members, gaps, own messages */

/* --- conversations --------------------------------------------------------------------------- */

struct place {
	uint64_t conversation, unread;
	enum tacit_conversation_kind kind;
	struct tacit_buf title, members;
};

struct places {
	struct place *list;
	size_t count, cap;
	enum tacit_err err;
};

static void places_clear(struct places *p)
{
	for (size_t i = 0; i < p->count; i++) {
		tacit_buf_clear(&p->list[i].title);
		tacit_buf_clear(&p->list[i].members);
	}
	tacit_free(p->list);
}

static enum tacit_err add_place(struct places *p, const struct tacit_notice *n)
{
	enum tacit_err err;
	struct place *fresh;
	if (p->count == p->cap) {
		size_t cap = p->cap == 0 ? 16 : 2 * p->cap;
		struct place *list = tacit_realloc(p->list, cap * sizeof(*list));
		TRY(list != NULL ? TACIT_OK : TACIT_E_NOMEM);
		p->list = list;
		p->cap = cap;
	}
	fresh = &p->list[p->count++];
	*fresh = (struct place){
	        .conversation = n->conversation, .unread = n->count, .kind = n->conversation_kind};
	TRY(tacit_buf_append(&fresh->title, n->title));
	TRY(tacit_buf_append(&fresh->members, n->members));
out:
	return err;
}

static void on_place(void *ctx, const struct tacit_notice *n)
{
	struct places *p = ctx;
	if (p->err == TACIT_OK)
		p->err = add_place(p, n);
}

/* --- messages -------------------------------------------------------------------------------- */

struct entry {
	int64_t time;
	uint64_t message;
	json_t *object;
};

struct heap { /* the newest so far */
	struct entry *list;
	size_t count;
};

struct gathering {
	const struct inbox_wish *wish;
	struct tacit_bytes self;
	const struct place *place;
	uint64_t incoming, read; /* in the span, and of these so many were read before */
	uint64_t seen;
	struct heap heap;
};

static bool is_incoming(const struct tacit_notice *n)
{
	return (n->kind == TACIT_NOTICE_MESSAGE || n->kind == TACIT_NOTICE_REFUSED ||
	               n->kind == TACIT_NOTICE_DELETED) &&
	       !n->flag;
}

static enum tacit_err count_incoming(void *ctx, const struct tacit_notice *n, uint64_t position)
{
	struct gathering *g = ctx;
	(void)position;
	g->incoming += is_incoming(n);
	return TACIT_OK;
}

static json_t *others_of(const struct gathering *g, struct tacit_bytes sender)
{
	json_t *list = json_array();
	struct tacit_bytes rest = tacit_buf_view(&g->place->members);
	while (rest.n > 0) {
		const uint8_t *end = memchr(rest.p, '\n', rest.n);
		size_t n = end != NULL ? (size_t)(end - rest.p) : rest.n;
		if (n > 0 && !tacit_bytes_eq(tacit_bytes(rest.p, n), sender))
			json_array_append_new(list, json_stringn((const char *)rest.p, n));
		rest = tacit_bytes_part(rest, n + 1, rest.n);
	}
	return list;
}

static void put_file(json_t **o, const struct tacit_content *c)
{
	json_t *file = json_object();
	agent_put_text(&file, "id", c->file.id);
	agent_put_text(&file, "filename", c->file.name);
	agent_put_number(&file, "size", c->file.size);
	agent_put(o, "file", file);
}

static json_t *message_object(const struct gathering *g, const struct tacit_notice *n, bool is_read)
{
	json_t *o = json_object();
	bool group = g->place->kind != TACIT_DIRECT;
	struct tacit_bytes sender = n->flag && n->username.n == 0 ? g->self : n->username;
	agent_put_number(&o, "id", n->message);
	agent_put_text(&o, "sender", sender);
	agent_put_text(&o, "recipient", n->flag ? tacit_buf_view(&g->place->title) : g->self);
	agent_put(&o, "recipients", others_of(g, sender));
	agent_put_text(&o, "message", n->content.text);
	agent_put_text(&o, "content", n->content.text);
	agent_put_time(&o, "timestamp", n->time);
	agent_put_bool(&o, "is_read", is_read);
	agent_put_bool(&o, "is_group", group);
	agent_put_bool(&o, "own", n->flag);
	agent_put_number(&o, "conversation_id", n->conversation);
	if (group)
		agent_put_text(&o, "group", tacit_buf_view(&g->place->title));
	if (n->content.kind == TACIT_CONTENT_FILE)
		put_file(&o, &n->content);
	return o;
}

static int by_time(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return x->message < y->message ? -1 : x->message > y->message;
}

/* The oldest go. */
static void cut(struct heap *h, size_t limit)
{
	qsort(h->list, h->count, sizeof(*h->list), by_time);
	size_t gone = h->count > limit ? h->count - limit : 0;
	for (size_t i = 0; i < gone; i++)
		json_decref(h->list[i].object);
	memmove(h->list, h->list + gone, (h->count - gone) * sizeof(*h->list));
	h->count -= gone;
}

static bool is_wished(const struct gathering *g, const struct tacit_notice *n, bool is_read)
{
	const struct inbox_wish *w = g->wish;
	if (n->kind != TACIT_NOTICE_MESSAGE || (n->flag && w->whose == INBOX_INCOMING))
		return false;
	if (w->only_unread && is_read)
		return false;
	return w->from.n == 0 || tacit_bytes_eq(w->from, n->username);
}

static enum tacit_err take_entry(void *ctx, const struct tacit_notice *n, uint64_t position)
{
	struct gathering *g = ctx;
	(void)position;
	bool is_read = n->flag || g->seen < g->read;
	g->seen += is_incoming(n);
	if (!is_wished(g, n, is_read))
		return TACIT_OK;
	json_t *o = message_object(g, n, is_read);
	if (o == NULL)
		return TACIT_E_NOMEM;
	if (g->heap.count == 2 * INBOX_MOST)
		cut(&g->heap, g->wish->limit);
	g->heap.list[g->heap.count++] = (struct entry){n->time, n->message, o};
	return TACIT_OK;
}

static enum tacit_err gather_place(struct host *h, struct gathering *g)
{
	enum tacit_err err;
	uint64_t depth = g->wish->limit > g->place->unread ? g->wish->limit : g->place->unread;
	const struct host_span span = {g->place->conversation, UINT64_MAX,
	        (depth < INBOX_MOST ? depth : INBOX_MOST) + AROUND};
	g->incoming = g->seen = 0;
	TRY(host_history(h, span, count_incoming, g));
	g->read = g->incoming > g->place->unread ? g->incoming - g->place->unread : 0;
	TRY(host_history(h, span, take_entry, g));
	cut(&g->heap, g->wish->limit);
out:
	return err;
}

static enum tacit_err to_array(struct heap *h, json_t **out)
{
	*out = json_array();
	if (*out == NULL)
		return TACIT_E_NOMEM;
	for (size_t i = 0; i < h->count; i++) {
		json_t *o = h->list[i].object;
		h->list[i].object = NULL;
		if (json_array_append_new(*out, o) != 0) {
			json_decref(*out);
			*out = NULL;
			return TACIT_E_NOMEM;
		}
	}
	return TACIT_OK;
}

enum tacit_err inbox_gather(
        struct host *h, const struct inbox_wish *wish, struct inbox_unread *unread, json_t **out)
{
	enum tacit_err err;
	struct places places = {0};
	struct gathering g = {.wish = wish, .self = tacit_engine_username(host_engine(h))};
	*out = NULL;
	unread->count = 0;
	g.heap.list = tacit_calloc(2 * INBOX_MOST, sizeof(*g.heap.list));
	TRY(g.heap.list != NULL ? TACIT_OK : TACIT_E_NOMEM);
	tacit_engine_each_conversation(host_engine(h), on_place, &places);
	TRY(places.err);
	for (size_t i = 0; i < places.count; i++) {
		g.place = &places.list[i];
		TRY(gather_place(h, &g));
		if (g.place->unread > 0 && unread->count < unread->max)
			unread->conversations[unread->count++] = g.place->conversation;
	}
	TRY(to_array(&g.heap, out));
out:
	for (size_t i = 0; i < g.heap.count; i++)
		json_decref(g.heap.list[i].object);
	tacit_free(g.heap.list);
	places_clear(&places);
	return err;
}
