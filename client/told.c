#include "client/told.h"

#include "base/alloc.h"

#define REMEMBERED 1024 /* messages */

/* How a message was told. */
struct known {
	uint64_t conversation, message; /* ids are unique on a server */
	enum tacit_notice_kind kind;    /* MESSAGE, REFUSED or DELETED; DONE: it was not told how */
	uint64_t edit;                  /* by which it said what it said; 0: none */
	uint64_t reactions;             /* a sum over them */
};

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
	struct known known[REMEMBERED];
	size_t next;
	enum tacit_err err; /* of a walk */
	bool first;
	struct mark *at;
	uint64_t newest;
	host_deliver *deliver;
	void *ctx;
};

static struct known *find(struct told *t, uint64_t message)
{
	for (size_t i = 0; i < REMEMBERED; i++)
		if (t->known[i].message == message)
			return &t->known[i];
	return NULL;
}

static bool was_told(struct told *t, uint64_t message)
{
	return find(t, message) != NULL;
}

/* FNV-1a: only to see that something is another. */
static uint64_t sum(struct tacit_bytes text)
{
	uint64_t h = 14695981039346656037u;
	for (size_t i = 0; i < text.n; i++)
		h = (h ^ text.p[i]) * 1099511628211u;
	return text.n > 0 ? h : 0;
}

/* As it stands in the history. */
static struct known state_of(const struct tacit_notice *n)
{
	bool said = n->kind == TACIT_NOTICE_MESSAGE || n->kind == TACIT_NOTICE_EDITED;
	return (struct known){.conversation = n->conversation,
	        .message = n->message,
	        .kind = n->kind == TACIT_NOTICE_EDITED ? TACIT_NOTICE_MESSAGE : n->kind,
	        .edit = said ? n->count : 0,
	        .reactions = said ? sum(n->detail) : 0};
}

void told_notice(struct told *t, const struct tacit_notice *n)
{
	struct known *known = n->message != 0 ? find(t, n->message) : NULL;
	bool changes = n->kind == TACIT_NOTICE_MESSAGE || n->kind == TACIT_NOTICE_EDITED ||
	               n->kind == TACIT_NOTICE_DELETED;
	bool names = n->kind == TACIT_NOTICE_MESSAGE || n->kind == TACIT_NOTICE_DONE ||
	             n->kind == TACIT_NOTICE_REFUSED;
	if (known != NULL && n->kind == TACIT_NOTICE_REACTION)
		known->reactions = sum(n->detail);
	else if (known != NULL && changes)
		*known = state_of(n);
	else if (known == NULL && names && n->message != 0)
		t->known[t->next++ % REMEMBERED] = state_of(n);
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

/* What another process has changed of what was told here. */
static enum tacit_err look_again(struct told *t, struct known *known)
{
	struct tacit_notice n;
	struct tacit_buf room = {0};
	enum tacit_err err = host_entry(t->host, known->conversation, known->message, &n, &room);
	const struct known now = err == TACIT_OK ? state_of(&n) : *known;
	if (known->kind == TACIT_NOTICE_DONE)
		*known = now;
	bool other = now.kind != known->kind || now.edit != known->edit ||
	             now.reactions != known->reactions;
	if (other && n.kind == TACIT_NOTICE_MESSAGE && known->kind == TACIT_NOTICE_MESSAGE)
		n.kind = TACIT_NOTICE_EDITED;
	if (other) {
		told_notice(t, &n);
		t->deliver(t->ctx, &n);
	}
	tacit_content_wipe(&n.content);
	tacit_buf_clear(&room);
	return err == TACIT_E_NOT_FOUND ? TACIT_OK : err; /* a change, or expired */
}

static enum tacit_err walk(struct told *t)
{
	t->err = TACIT_OK;
	t->turns = host_turns_of_others(t->host);
	tacit_engine_each_conversation(host_engine(t->host), each, t);
	for (size_t i = 0; i < REMEMBERED && t->err == TACIT_OK && !t->first; i++)
		if (t->known[i].message != 0)
			t->err = look_again(t, &t->known[i]);
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
