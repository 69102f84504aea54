/* group_talk.c - messages of a group: what leaves, and what comes.
 *
 * What MLS protects is `version, number, newest message seen, hash of the history, content`. */
#include <string.h>

#include "base/alloc.h"
#include "base/reader.h"
#include "base/writer.h"
#include "e2e/group_int.h"
#include "e2e/mls/message.h"

#define PLAIN_VERSION 1

enum tacit_err tacit_group_protect(struct tacit_group *g, const struct tacit_self *self,
        struct tacit_bytes content, struct tacit_buf *out)
{
	enum tacit_err err;
	struct tacit_buf plain = {0};
	struct tacit_writer w = tacit_writer(&plain);
	struct tacit_mls_host host = tacit_group_host(self, TACIT_STRICT);
	struct tacit_history_claim claim = tacit_history_claim(&g->history);
	TRY(tacit_group_is_pending(g) || tacit_group_is_over(g) ? TACIT_E_CONFLICT : TACIT_OK);
	TRY(content.n <= TACIT_MAX_CONTENT ? TACIT_OK : TACIT_E_TOO_LARGE);
	tacit_write_u8(&w, PLAIN_VERSION);
	tacit_write_u64(&w, g->next_order);
	tacit_write_u64(&w, claim.message);
	tacit_write_raw(&w, tacit_bytes(claim.hash, sizeof(claim.hash)));
	tacit_write_raw(&w, content);
	TRY(tacit_writer_finish(&w));
	TRY(tacit_mls_group_protect(
	        g->mls, &host, tacit_bytes(NULL, 0), tacit_buf_view(&plain), out));
	g->next_order++;
	g->age.messages++;
out:
	tacit_buf_clear(&plain);
	return err;
}

void tacit_group_unsend(struct tacit_group *g)
{
	g->next_order--;
}

void tacit_group_event_clear(struct tacit_group_event *e)
{
	tacit_free(e->added);
	tacit_free(e->gone);
	tacit_buf_clear(&e->plain);
	*e = (struct tacit_group_event){0};
}

/* --- messages ------------------------------------------------------------------------------- */

static enum tacit_err take_message(struct tacit_group *g, const struct tacit_mls_event *from,
        uint64_t message, struct tacit_group_event *ev)
{
	enum tacit_err err;
	struct tacit_history_claim claim;
	struct tacit_reader r = tacit_reader(tacit_buf_view(&from->plain));
	if (tacit_read_u8(&r) != PLAIN_VERSION)
		tacit_reader_fail(&r, TACIT_E_UNSUPPORTED);
	uint64_t order = tacit_read_u64(&r);
	claim.message = tacit_read_u64(&r);
	tacit_read_into(&r, claim.hash, sizeof(claim.hash));
	TRY(r.err);
	TRY(tacit_buf_append(&ev->plain, r.rest));
	ev->history_differs = tacit_history_contradicts(&g->history, &claim, message);
	if (ev->kind == TACIT_GROUP_OWN) {
		/* A state from a backup: what it has sent since counts as sent. */
		g->next_order = order >= g->next_order ? order + 1 : g->next_order;
		goto out;
	}
	TRY(tacit_order_count(g, &ev->sender, order, &ev->missing));
out:
	return err;
}

/* --- commits -------------------------------------------------------------------------------- */

static struct tacit_leaf *find_leaf(
        struct tacit_leaf *list, size_t count, const struct tacit_leaf *leaf)
{
	for (size_t i = 0; i < count; i++)
		if (tacit_leaf_same(&list[i], leaf))
			return &list[i];
	return NULL;
}

/* A leaf that was only renewed is in both lists, and belongs in neither. */
static void cancel_renewed(struct tacit_group_event *ev)
{
	size_t gone = 0;
	for (size_t i = 0; i < ev->gone_count; i++) {
		struct tacit_leaf *again = find_leaf(ev->added, ev->added_count, &ev->gone[i]);
		if (again == NULL)
			ev->gone[gone++] = ev->gone[i];
		else
			*again = ev->added[--ev->added_count];
	}
	ev->gone_count = gone;
}

static enum tacit_err take_changes(const struct tacit_mls_event *from, struct tacit_group_event *ev)
{
	enum tacit_err err = TACIT_OK;
	ev->added = tacit_calloc(from->change_count + 1, sizeof(*ev->added));
	ev->gone = tacit_calloc(from->change_count + 1, sizeof(*ev->gone));
	TRY(ev->added != NULL && ev->gone != NULL ? TACIT_OK : TACIT_E_NOMEM);
	for (size_t i = 0; i < from->change_count; i++) {
		const struct tacit_mls_change *c = &from->changes[i];
		if (c->kind == TACIT_MLS_ADDED)
			TRY(tacit_leaf_decode(
			        tacit_buf_view(&c->after), &ev->added[ev->added_count++]));
		else if (c->kind == TACIT_MLS_REMOVED_MEMBER)
			TRY(tacit_leaf_decode(
			        tacit_buf_view(&c->before), &ev->gone[ev->gone_count++]));
	}
	cancel_renewed(ev);
out:
	return err;
}

static enum tacit_err take_commit(struct tacit_group *g, const struct tacit_self *self,
        const struct tacit_mls_event *from, uint64_t message, struct tacit_group_event *ev)
{
	enum tacit_err err;
	TRY(take_changes(from, ev));
	ev->joined = from->external;
	ev->removed = from->removed;
	ev->lost = from->dropped_pending;
	ev->accepted = from->own;
	for (size_t i = 0; i < from->change_count; i++) {
		struct tacit_leaf leaf;
		const struct tacit_buf *b = &from->changes[i].after;
		if (from->changes[i].kind != TACIT_MLS_UPDATED && b->n > 0 &&
		        tacit_leaf_decode(tacit_buf_view(b), &leaf) == TACIT_OK)
			tacit_order_forget(g, &leaf);
	}
	for (size_t i = 0; i < ev->gone_count; i++)
		tacit_order_forget(g, &ev->gone[i]);
	if (ev->accepted)
		g->age = (struct tacit_group_age){.updated_at = tacit_env_now(self->env)};
	g->tree_version++;
	if (!ev->removed)
		TRY(tacit_group_begin_history(g, message));
out:
	return err;
}

/* --- both ----------------------------------------------------------------------------------- */

bool tacit_group_is_commit(struct tacit_bytes message)
{
	struct tacit_mls_message m;
	struct tacit_mls_address to;
	return tacit_mls_message_decode(message, &m) == TACIT_OK &&
	       tacit_mls_message_address(&m, &to) && to.content_type == TACIT_MLS_CONTENT_COMMIT;
}

bool tacit_group_epoch_of(struct tacit_bytes message, uint64_t *epoch)
{
	struct tacit_mls_message m;
	struct tacit_mls_address to = {0};
	bool ok = tacit_mls_message_decode(message, &m) == TACIT_OK &&
	          tacit_mls_message_address(&m, &to);
	*epoch = to.epoch;
	return ok;
}

/* A commit of an epoch before ours has done its work already: by our own accept, or before we came.
 */
static bool is_earlier_commit(const struct tacit_group *g, struct tacit_bytes bytes)
{
	struct tacit_mls_message m;
	struct tacit_mls_address to;
	return tacit_mls_message_decode(bytes, &m) == TACIT_OK &&
	       tacit_mls_message_address(&m, &to) && to.content_type == TACIT_MLS_CONTENT_COMMIT &&
	       tacit_bytes_eq(to.group_id, tacit_mls_group_id(g->mls)) &&
	       to.epoch < tacit_mls_group_epoch(g->mls);
}

static enum tacit_err read_sender(const struct tacit_self *self, const struct tacit_mls_event *from,
        struct tacit_group_event *ev)
{
	enum tacit_err err;
	TRY(from->sender_leaf.n > 0 ? TACIT_OK : TACIT_E_UNKNOWN_SENDER);
	TRY(tacit_leaf_decode(tacit_buf_view(&from->sender_leaf), &ev->sender));
	TRY(self->belongs(self->ctx, &ev->sender.account) ? TACIT_OK : TACIT_E_UNKNOWN_SENDER);
out:
	return err;
}

/* Who comes by itself must be known. For whom a member lets in, that member answers: it may be
 * somebody who has left again before this device looked, and whoever does not belong is removed
 * before a word is protected. External commits are never PrivateMessages (RFC 9420 12.4.3.2). */
static enum tacit_strictness strictness_for(struct tacit_bytes message)
{
	struct tacit_mls_message m;
	bool member = tacit_mls_message_decode(message, &m) == TACIT_OK &&
	              m.wire_format == TACIT_MLS_PRIVATE_MESSAGE;
	return member ? TACIT_JOINING : TACIT_STRICT;
}

static enum tacit_err process_one(struct tacit_group *g, const struct tacit_self *self,
        uint64_t message, struct tacit_bytes bytes, struct tacit_group_event *ev)
{
	enum tacit_err err;
	struct tacit_mls_event from = {0};
	struct tacit_mls_host host = tacit_group_host(self, strictness_for(bytes));
	TRY(g->joining ? TACIT_E_CONFLICT : TACIT_OK);
	if (is_earlier_commit(g, bytes)) {
		ev->kind = TACIT_GROUP_EARLIER;
		return TACIT_OK;
	}
	TRY(tacit_mls_group_process(g->mls, &host, bytes, &from));
	if (from.kind == TACIT_MLS_EVENT_OWN) {
		ev->kind = TACIT_GROUP_OWN;
		goto out;
	}
	if (from.kind == TACIT_MLS_EVENT_COMMIT) {
		ev->kind = TACIT_GROUP_COMMIT;
		TRY(take_commit(g, self, &from, message, ev));
		if (!ev->accepted)
			TRY(read_sender(self, &from, ev));
		goto out;
	}
	/* Proposals by reference are not tacit's. */
	TRY(from.kind == TACIT_MLS_EVENT_APPLICATION ? TACIT_OK : TACIT_E_REFUSED);
	ev->kind = TACIT_GROUP_MESSAGE;
	TRY(read_sender(self, &from, ev));
	if (tacit_leaf_same(&ev->sender, &self->leaf))
		ev->kind = TACIT_GROUP_OWN;
	TRY(take_message(g, &from, message, ev));
out:
	tacit_mls_event_clear(&from);
	return err;
}

enum tacit_err tacit_group_process(struct tacit_group *g, const struct tacit_self *self,
        uint64_t message, struct tacit_bytes bytes, struct tacit_group_event *ev)
{
	*ev = (struct tacit_group_event){0};
	enum tacit_err err = process_one(g, self, message, bytes, ev);
	if (err != TACIT_OK) {
		struct tacit_leaf sender = ev->sender;
		tacit_group_event_clear(ev);
		ev->sender = sender;
	}
	if (err == TACIT_E_NOMEM || (err == TACIT_OK && ev->kind == TACIT_GROUP_COMMIT))
		return err;
	enum tacit_err counted = tacit_history_add(&g->history, message, bytes);
	return err != TACIT_OK ? err : counted;
}
