#include "client/told.h"

#include "base/alloc.h"

#define REMEMBERED 1024 /* message ids, which are unique on a server */

struct mark {
	uint64_t conversation;
	uint64_t start; /* positions up to here are older than we are */
	uint64_t last;  /* the newest position that was looked at */
};

struct told {
	struct host *host;
	uint64_t turns; /* of other processes, that were looked at */
	struct mark *marks;
	size_t count;
	uint64_t ids[REMEMBERED];
	size_t next;
	enum tacit_err err; /* of a walk */
	bool first;
	struct mark *at;
	uint64_t newest;
	host_deliver *deliver;
	void *ctx;
};

static bool was_told(const struct told *t, uint64_t message)
{
	for (size_t i = 0; i < REMEMBERED; i++)
		if (t->ids[i] == message)
			return true;
	return false;
}

void told_notice(struct told *t, const struct tacit_notice *n)
{
	bool names = n->kind == TACIT_NOTICE_MESSAGE || n->kind == TACIT_NOTICE_DONE ||
	             n->kind == TACIT_NOTICE_REFUSED;
	if (names && n->message != 0 && !was_told(t, n->message))
		t->ids[t->next++ % REMEMBERED] = n->message;
}

static enum tacit_err see_newest(void *ctx, const struct tacit_notice *n, uint64_t position)
{
	struct told *t = ctx;
	(void)n;
	t->newest = position;
	return TACIT_OK;
}

static enum tacit_err see_entry(void *ctx, const struct tacit_notice *n, uint64_t position)
{
	struct told *t = ctx;
	bool message = n->kind == TACIT_NOTICE_MESSAGE || n->kind == TACIT_NOTICE_REFUSED;
	if (position <= t->at->start || !message || was_told(t, n->message))
		return TACIT_OK;
	told_notice(t, n);
	t->deliver(t->ctx, n);
	return TACIT_OK;
}

static struct mark *mark_of(struct told *t, uint64_t conversation)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->marks[i].conversation == conversation)
			return &t->marks[i];
	struct mark *marks = tacit_realloc(t->marks, (t->count + 1) * sizeof(*marks));
	if (marks == NULL)
		return NULL;
	t->marks = marks;
	marks[t->count] = (struct mark){.conversation = conversation};
	return &marks[t->count++];
}

/* Only where the history has grown is it read. */
static enum tacit_err look(struct told *t, struct mark *m)
{
	enum tacit_err err;
	t->newest = 0;
	TRY(host_history(
	        t->host, (struct host_span){m->conversation, UINT64_MAX, 1}, see_newest, t));
	bool grown = t->newest > m->last;
	m->last = t->newest > m->last ? t->newest : m->last;
	t->at = m;
	if (t->first)
		m->start = m->last;
	else if (grown)
		TRY(host_history(t->host,
		        (struct host_span){m->conversation, UINT64_MAX, TOLD_LOOKED_AT}, see_entry,
		        t));
out:
	return err;
}

static void each(void *ctx, const struct tacit_notice *n)
{
	struct told *t = ctx;
	struct mark *m = t->err == TACIT_OK ? mark_of(t, n->conversation) : NULL;
	if (t->err == TACIT_OK)
		t->err = m != NULL ? look(t, m) : TACIT_E_NOMEM;
}

static enum tacit_err walk(struct told *t)
{
	t->err = TACIT_OK;
	t->turns = host_turns_of_others(t->host);
	tacit_engine_each_conversation(host_engine(t->host), each, t);
	return t->err;
}

enum tacit_err told_new(struct host *h, struct told **out)
{
	*out = NULL;
	struct told *t = tacit_calloc(1, sizeof(*t));
	if (t == NULL)
		return TACIT_E_NOMEM;
	t->host = h;
	t->first = true;
	enum tacit_err err = walk(t);
	t->first = false;
	if (err == TACIT_OK)
		*out = t;
	else
		told_free(t);
	return err;
}

void told_free(struct told *t)
{
	if (t == NULL)
		return;
	tacit_free(t->marks);
	tacit_free(t);
}

enum tacit_err told_catch_up(struct told *t, host_deliver *deliver, void *ctx)
{
	if (t->turns == host_turns_of_others(t->host))
		return TACIT_OK;
	t->deliver = deliver;
	t->ctx = ctx;
	return walk(t);
}
