/* changes.c - an edit, a deletion or a reaction, from its coming to the entry that it is about.
 *
 *   comes --> kept --RECALL--> the entry --> rewritten, told; the change is forgotten
 *                                |-> nothing there: from before this device, or expired: forgotten
 *                                '-> not opened yet: waits until its sender says it again
 *
 * The history is the host's, so the entry is asked for. All that decides is in it: whose the
 * message is, by which edit it says what it says, who has reacted by which message. The id of a
 * change, which is the server's order, decides between changes; so they may come in any order, and
 * twice. */
#include <string.h>

#include "base/alloc.h"
#include "engine/changes_int.h"

static const struct tacit_op nobody = {.own_accord = true};

/* --- the list ------------------------------------------------------------------------------------
 */

static void free_change(struct tacit_change *change)
{
	tacit_buf_clear(&change->content);
	tacit_free(change);
}

static enum tacit_err unlink_change(
        struct tacit_engine *e, struct tacit_conversation *c, struct tacit_change **at)
{
	struct tacit_change *gone = *at;
	enum tacit_err err = tacit_records_delete_change(e, c, gone);
	if (err != TACIT_OK)
		return err;
	*at = gone->next;
	free_change(gone);
	return TACIT_OK;
}

enum tacit_err tacit_change_restore(struct tacit_conversation *c, struct tacit_change *from)
{
	struct tacit_change **at = &c->changes;
	while (*at != NULL && (*at)->id < from->id)
		at = &(*at)->next;
	if (*at != NULL && (*at)->id == from->id)
		return TACIT_E_MALFORMED;
	struct tacit_change *change = tacit_calloc(1, sizeof(*change));
	if (change == NULL)
		return TACIT_E_NOMEM;
	*change = *from;
	from->content = (struct tacit_buf){0};
	change->next = *at;
	*at = change;
	return TACIT_OK;
}

static bool is_known(const struct tacit_conversation *c, uint64_t id)
{
	const struct tacit_change *change = c->changes;
	while (change != NULL && change->id != id)
		change = change->next;
	return change != NULL;
}

/* Those that wait may wait for ever. */
static enum tacit_err make_room(struct tacit_engine *e, struct tacit_conversation *c)
{
	size_t count = 0;
	struct tacit_change **oldest = &c->changes;
	for (const struct tacit_change *change = c->changes; change != NULL; change = change->next)
		count++;
	if (count < MAX_CHANGES)
		return TACIT_OK;
	for (struct tacit_change **at = &c->changes; *at != NULL; at = &(*at)->next) {
		if (!(*at)->waits)
			continue;
		oldest = at;
		break;
	}
	return unlink_change(e, c, oldest);
}

enum tacit_err tacit_change_add(struct tacit_engine *e, struct tacit_conversation *c,
        const struct tacit_change *change, const struct tacit_content *content)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_change fresh = {
	        .message = content->message, .id = change->id, .by = change->by, .dirty = true};
	/* Nobody can speak of what comes later; and what was met twice is one. */
	if (content->message >= change->id || is_known(c, change->id))
		return TACIT_OK;
	TRY(make_room(e, c));
	TRY(tacit_content_encode(content, &fresh.content));
	TRY(tacit_change_restore(c, &fresh));
	e->changed = true;
	if (tacit_contact_is_self(e, tacit_name_view(&change->by)))
		TRY(tacit_sent_change(e, c, content, change->id));
out:
	tacit_buf_clear(&fresh.content);
	return err;
}

enum tacit_err tacit_changes_drop(
        struct tacit_engine *e, struct tacit_conversation *c, uint64_t from, uint64_t last)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_change **at = &c->changes;
	while (*at != NULL && err == TACIT_OK) {
		if ((*at)->message >= from && (*at)->message <= last)
			err = unlink_change(e, c, at);
		else
			at = &(*at)->next;
	}
	return err;
}

void tacit_changes_wake(struct tacit_engine *e, struct tacit_conversation *c, uint64_t message)
{
	for (struct tacit_change *change = c->changes; change != NULL; change = change->next) {
		if (change->message != message)
			continue;
		change->dirty |= change->waits;
		change->waits = false;
		change->asked = 0; /* what is under way is of the entry as it was */
		e->changed = true;
	}
}

void tacit_changes_free(struct tacit_conversation *c)
{
	while (c->changes != NULL) {
		struct tacit_change *change = c->changes;
		c->changes = change->next;
		free_change(change);
	}
}

/* --- asking --------------------------------------------------------------------------------------
 */

/* One question at a time about one message: the next is asked when its answer is written. */
static bool is_asked(const struct tacit_conversation *c, uint64_t message)
{
	for (const struct tacit_change *o = c->changes; o != NULL; o = o->next)
		if (o->message == message && o->asked != 0)
			return true;
	return false;
}

static enum tacit_err ask(struct tacit_engine *e, struct tacit_conversation *c, uint64_t message)
{
	uint64_t request;
	enum tacit_err err = tacit_entry_ask(e, c, message, &request);
	if (err != TACIT_OK)
		return err;
	for (struct tacit_change *o = c->changes; o != NULL; o = o->next)
		if (o->message == message)
			o->asked = request;
	e->changed = true;
	return TACIT_OK;
}

enum tacit_err tacit_changes_follow_up(struct tacit_engine *e)
{
	enum tacit_err err = TACIT_OK;
	for (struct tacit_conversation *c = e->conversations; c != NULL; c = c->next)
		for (struct tacit_change *o = c->changes; o != NULL && !c->closed; o = o->next)
			if (!o->waits && o->asked == 0 && !is_asked(c, o->message))
				TRY(ask(e, c, o->message));
out:
	return err;
}

/* --- carrying out --------------------------------------------------------------------------------
 */

/* An entry while changes are made to it. */
struct edited {
	struct tacit_entry entry;
	struct tacit_buf reactions;
	bool changed;
};

static enum tacit_err tell(struct tacit_engine *e, const struct edited *x,
        enum tacit_notice_kind kind, const struct tacit_notice *what)
{
	enum tacit_err err;
	struct tacit_buf shown = {0};
	struct tacit_notice n = *what;
	n.kind = kind;
	TRY(tacit_reactions_show(x->entry.reactions, &shown));
	n.detail = tacit_buf_view(&shown);
	TRY(tacit_op_tell(e, &nobody, &n));
out:
	tacit_buf_clear(&shown);
	tacit_content_wipe(&n.content);
	return err;
}

static enum tacit_err react(struct tacit_engine *e, const struct tacit_conversation *c,
        struct edited *x, const struct tacit_change *change, const struct tacit_content *content)
{
	enum tacit_err err;
	bool changed;
	struct tacit_buf list = {0};
	const struct tacit_reaction one = {
	        .username = tacit_name_view(&change->by), .text = content->text, .id = change->id};
	TRY(tacit_reactions_put(x->entry.reactions, &one, &list, &changed));
	if (!changed)
		goto out;
	tacit_buf_clear(&x->reactions);
	x->reactions = list;
	list = (struct tacit_buf){0};
	x->entry.reactions = tacit_buf_view(&x->reactions);
	x->changed = true;
	TRY(tell(e, x, TACIT_NOTICE_REACTION,
	        &(struct tacit_notice){
	                .conversation = c->id,
	                .message = change->message,
	                .username = one.username,
	                .text = one.text,
	                .count = change->id,
	                .flag = tacit_contact_is_self(e, one.username),
	        }));
out:
	tacit_buf_clear(&list);
	return err;
}

static enum tacit_err rewrite(struct tacit_engine *e, struct edited *x,
        const struct tacit_change *change, const struct tacit_content *content)
{
	struct tacit_notice *n = &x->entry.n;
	if (n->content.kind != TACIT_CONTENT_TEXT || change->id <= n->count)
		return TACIT_OK;
	n->content.text = content->text;
	n->count = change->id;
	x->changed = true;
	return tell(e, x, TACIT_NOTICE_EDITED, n);
}

static enum tacit_err take_back(
        struct tacit_engine *e, struct edited *x, const struct tacit_change *change)
{
	struct tacit_notice *n = &x->entry.n;
	tacit_content_wipe(&n->content);
	*n = (struct tacit_notice){
	        .kind = TACIT_NOTICE_DELETED,
	        .conversation = n->conversation,
	        .message = n->message,
	        .username = n->username,
	        .time = n->time,
	        .flag = tacit_contact_is_self(e, n->username),
	        .count = change->id,
	};
	x->entry.reactions = tacit_bytes(NULL, 0);
	x->changed = true;
	return tell(e, x, TACIT_NOTICE_DELETED, n);
}

static enum tacit_err carry_out(struct tacit_engine *e, struct tacit_conversation *c,
        struct edited *x, const struct tacit_change *change, const struct tacit_content *content)
{
	const struct tacit_notice *n = &x->entry.n;
	bool own = tacit_name_same(n->username, tacit_name_view(&change->by));
	/* Whose an unopened message is, is the server's word; but there is nothing to be lost. */
	if (n->kind == TACIT_NOTICE_REFUSED && own && content->kind == TACIT_CONTENT_DELETE) {
		tacit_lost_drop(e, c, change->message, change->message);
		return take_back(e, x, change);
	}
	if (n->kind != TACIT_NOTICE_MESSAGE)
		return TACIT_OK;
	if (content->kind == TACIT_CONTENT_REACTION)
		return react(e, c, x, change, content);
	if (!own)
		return tacit_op_warn(e, &nobody, c, TACIT_E_REFUSED,
		        "%s has tried to change what somebody else has said. It stays as it was.",
		        change->by.c);
	return content->kind == TACIT_CONTENT_EDIT ? rewrite(e, x, change, content)
	                                           : take_back(e, x, change);
}

static bool may_come_yet(const struct tacit_conversation *c, uint64_t message)
{
	for (size_t i = 0; i < c->receipts.lost_count; i++)
		if (c->receipts.lost[i].message == message)
			return true;
	return false;
}

/* All that this answer was asked for is done with, or waits. */
static enum tacit_err settle(struct tacit_engine *e, struct tacit_conversation *c, uint64_t request,
        const struct tacit_entry *entry)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_change **at = &c->changes;
	while (*at != NULL && err == TACIT_OK) {
		struct tacit_change *change = *at;
		bool waits =
		        entry->n.kind == TACIT_NOTICE_REFUSED && may_come_yet(c, change->message);
		if (change->asked == request && waits) {
			change->waits = change->dirty = e->changed = true;
			change->asked = 0;
		}
		if (change->asked == request)
			err = unlink_change(e, c, at);
		else
			at = &change->next;
	}
	return err;
}

static enum tacit_err take_entry(struct tacit_engine *e, struct tacit_conversation *c,
        uint64_t request, const struct tacit_entry *entry, uint64_t message)
{
	enum tacit_err err = TACIT_OK;
	struct edited x = {.entry = *entry};
	struct tacit_content content = {0};
	for (const struct tacit_change *o = c->changes; o != NULL; o = o->next) {
		if (o->asked != request)
			continue;
		TRY(tacit_content_decode(tacit_buf_view(&o->content), &content));
		TRY(carry_out(e, c, &x, o, &content));
	}
	if (x.changed)
		TRY(tacit_entry_replace(e, c, message, &x.entry));
	TRY(settle(e, c, request, &x.entry));
out:
	tacit_content_wipe(&x.entry.n.content);
	tacit_buf_clear(&x.reactions);
	return err;
}

static struct tacit_change *asked_by(
        const struct tacit_engine *e, uint64_t request, struct tacit_conversation **c)
{
	for (*c = e->conversations; *c != NULL; *c = (*c)->next)
		for (struct tacit_change *o = (*c)->changes; o != NULL; o = o->next)
			if (o->asked == request && !(*c)->closed)
				return o;
	return NULL;
}

enum tacit_err tacit_changes_recalled(
        struct tacit_engine *e, uint64_t request, struct tacit_bytes sealed)
{
	struct tacit_conversation *c;
	struct tacit_entry entry;
	struct tacit_buf room = {0};
	const struct tacit_change *first = asked_by(e, request, &c);
	if (first == NULL) /* expired meanwhile, or said again */
		return TACIT_OK;
	uint64_t message = first->message;
	enum tacit_err err = tacit_entry_open(e, c, message, sealed, &entry, &room);
	e->changed = true;
	if (err == TACIT_OK || err == TACIT_E_NOT_FOUND)
		err = take_entry(e, c, request, &entry, message);
	tacit_content_wipe(&entry.n.content);
	tacit_buf_clear(&room);
	return err;
}
