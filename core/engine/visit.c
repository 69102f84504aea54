/* visit.c - one conversation, brought up to date and written to: what is to be done next.
 *
 * Every step looks at how things are and does what is first in this list; then it looks again:
 *
 *   a commit of ours is under way        post it                          op_commit.c
 *   not in the group, or astray          a Welcome, an external commit    op_join.c
 *   something may be new                 read the pages                   op_read.c
 *   a sealed message waits               post it
 *   there is something to say, and the
 *   devices may not be those of the
 *   members (or an update is due)        ask, compare, commit             op_commit.c
 *   something is to be said              seal it
 *   else                                 done
 *
 * A commit of somebody else that came first just means that there is something new: whatever
 * happens in between, the loop ends with all members in one epoch, or at its bound. */
#include <stdio.h>

#include "engine/engine_int.h"

#define MAX_TURNS 200

struct tacit_conversation *tacit_op_at(const struct tacit_engine *e, const struct tacit_op *op)
{
	bool walks = op->todo_next < op->todo_count;
	return tacit_conversation_find(e, walks ? op->todo[op->todo_next] : op->conversation);
}

/* A group that was made, and never posted, is none. */
static void forget_unborn(struct tacit_engine *e, struct tacit_conversation *c)
{
	if (c != NULL && c->group != NULL && c->pending == NULL && tacit_group_epoch(c->group) == 0)
		tacit_membership_set(e, c, NULL);
}

static enum tacit_err enter(struct tacit_engine *e, struct tacit_op *op)
{
	enum tacit_err err;
	struct tacit_conversation *c = tacit_op_at(e, op);
	if (!tacit_op_hold(op, c, enter))
		return TACIT_OK;
	TRY(tacit_membership_load(e, c));
	forget_unborn(e, c);
	TRY(tacit_visit_go(e, op));
out:
	return err;
}

enum tacit_err tacit_visit_begin(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_visit *what)
{
	op->visit = *what;
	op->refreshed = false;
	op->stranger = (struct tacit_name){0};
	return enter(e, op);
}

static void release(const struct tacit_op *op, struct tacit_conversation *c)
{
	if (c != NULL && c->holder == op->id)
		c->holder = 0;
}

enum tacit_err tacit_visit_fail(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	struct tacit_conversation *c = tacit_op_at(e, op);
	forget_unborn(e, c);
	release(op, c);
	return op->visit.failed(e, op, a);
}

enum tacit_err tacit_visit_stop(
        struct tacit_engine *e, struct tacit_op *op, enum tacit_err why, const char *text)
{
	/* No answer, and nothing that a later try changes by itself. */
	const struct tacit_answer a = {.status = 200, .err = why, .text = tacit_cstr(text)};
	return tacit_visit_fail(e, op, &a);
}

enum tacit_err tacit_visit_forgive(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	TRY(tacit_op_warn(e, op, tacit_op_at(e, op), a->err,
	        "The devices in the conversation could not be changed yet: that is done before the "
	        "next message. (%.*s)",
	        (int)a->text.n, (const char *)a->text.p));
	TRY(op->visit.done(e, op));
out:
	return err;
}

static enum tacit_err end(struct tacit_engine *e, struct tacit_op *op)
{
	struct tacit_conversation *c = tacit_op_at(e, op);
	forget_unborn(e, c);
	release(op, c);
	return op->visit.done(e, op);
}

/* --- sending -----------------------------------------------------------------------------------
 */

static enum tacit_err posted(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	enum tacit_outcome outcome;
	struct tacit_bytes created = {0};
	bool own = op->sealed && !op->said;
	TRY(tacit_outbox_settle(e, op, tacit_op_at(e, op), a, &outcome));
	if (outcome == OUTCOME_KEPT || (outcome == OUTCOME_REFUSED && own))
		return tacit_visit_fail(e, op, a);
	if (own) {
		tacit_ignore(tacit_json_text(a->body, "created_at", TACIT_OPTIONAL, 64, &created),
		        "a time of another type is none");
		op->sent_at = tacit_answer_time(created);
		op->said = true;
	}
	TRY(tacit_visit_go(e, op));
out:
	return err;
}

static enum tacit_err post(struct tacit_engine *e, struct tacit_op *op, struct tacit_outgoing *o)
{
	return tacit_outbox_post(e, op, o, posted);
}

static bool has_own_content(const struct tacit_op *op)
{
	return op->kind == TACIT_CMD_SEND && !op->sealed;
}

static bool has_draft(
        const struct tacit_engine *e, const struct tacit_op *op, const struct tacit_conversation *c)
{
	return (op->kind == TACIT_CMD_SEND || op->kind == TACIT_CMD_SYNC) &&
	       tacit_outbox_draft(e, c->id) != NULL;
}

static bool has_something_to_say(
        const struct tacit_engine *e, const struct tacit_op *op, const struct tacit_conversation *c)
{
	return has_draft(e, op, c) || has_own_content(op) || c->name_due || tacit_receipts_due(c);
}

/* Who wrote a draft did not know of those who came since: it waits until they are written to
 * knowingly. */
static enum tacit_err check_draft(struct tacit_engine *e, struct tacit_op *op,
        const struct tacit_conversation *c, bool *waits)
{
	const struct tacit_outgoing *draft = tacit_outbox_draft(e, c->id);
	const struct tacit_member *m = draft != NULL && op->kind == TACIT_CMD_SYNC
	                                       ? tacit_outbox_newcomer(c, draft)
	                                       : NULL;
	char text[TACIT_MAX_USERNAME + 80];
	*waits = m != NULL;
	if (m == NULL)
		return TACIT_OK;
	snprintf(text, sizeof(text), "%s is in the conversation now; send again to include them.",
	        m->name.c);
	return tacit_visit_stop(e, op, TACIT_E_CONFLICT, text);
}

static enum tacit_err say(struct tacit_engine *e, struct tacit_op *op)
{
	enum tacit_err err;
	struct tacit_conversation *c = tacit_op_at(e, op);
	if (c->name_due) {
		c->name_due = false;
		c->name_dirty = e->changed = true;
		const struct tacit_content name = {.kind = TACIT_CONTENT_TITLE,
		        .sent_at = tacit_env_now(&e->env),
		        .text = tacit_buf_view(&c->name)};
		err = tacit_outbox_seal_silent(e, c, &name);
	} else if (tacit_receipts_due(c)) {
		err = tacit_receipts_seal(e, c);
	} else {
		err = tacit_outbox_seal(e, op, c);
	}
	if (err == TACIT_E_NOMEM)
		return err;
	if (err != TACIT_OK)
		return tacit_visit_stop(e, op, err, tacit_err_text(err));
	struct tacit_outgoing *o = tacit_outbox_of(e, c->id);
	/* A receipt that came to nothing is none. */
	return o != NULL ? post(e, op, o) : tacit_visit_go(e, op);
}

/* --- the loop ----------------------------------------------------------------------------------
 */

static bool is_alone(const struct tacit_engine *e, const struct tacit_conversation *c)
{
	struct tacit_leaf leaf;
	for (uint32_t i = 0; c->group != NULL && tacit_group_leaf(c->group, &i, &leaf); i++)
		if (!tacit_key_same(&leaf.account, &e->public))
			return false;
	return true;
}

static enum tacit_err talk(struct tacit_engine *e, struct tacit_op *op)
{
	bool waits;
	struct tacit_conversation *c = tacit_op_at(e, op);
	bool speaks = has_something_to_say(e, op, c);
	if (!speaks && !op->visit.commit)
		return end(e, op);
	enum tacit_err err = check_draft(e, op, c, &waits);
	if (err != TACIT_OK || waits)
		return err;
	if (op->kind == TACIT_CMD_SEND && tacit_send_newcomers(e, op, c, &err))
		return err;
	if (!op->visit.even)
		return tacit_commit_roster(e, op);
	op->visit.commit = false;
	if (speaks && (!tacit_membership_good(c) || is_alone(e, c))) {
		if (!has_own_content(op) && !has_draft(e, op, c))
			return end(e, op);
		return tacit_visit_stop(
		        e, op, TACIT_E_NO_DEVICE, tacit_err_text(TACIT_E_NO_DEVICE));
	}
	return speaks ? say(e, op) : tacit_visit_go(e, op);
}

enum tacit_err tacit_visit_go(struct tacit_engine *e, struct tacit_op *op)
{
	struct tacit_visit *v = &op->visit;
	struct tacit_conversation *c = tacit_op_at(e, op);
	if (++v->turns > MAX_TURNS)
		return tacit_visit_stop(e, op, TACIT_E_LIMIT,
		        "The server does not let this conversation come to rest.");
	if (c->pending != NULL && !tacit_group_is_pending(c->group))
		tacit_pending_clear(e, c); /* met in a page, or another commit was first */
	if (c->pending != NULL)
		return tacit_commit_post(e, op);
	if (!tacit_membership_good(c) && !v->nobody)
		return tacit_join(e, op);
	if (!v->read)
		return tacit_read_page(e, op);
	if (c->doubted > 0)
		return tacit_join_compare(e, op);
	if (tacit_name_wanted(c) && !v->name_asked)
		return tacit_name_get(e, op);
	if (tacit_name_unkept(c) && !v->name_asked)
		return tacit_name_put(e, op);
	struct tacit_outgoing *kept = tacit_outbox_of(e, c->id);
	return kept != NULL ? post(e, op, kept) : talk(e, op);
}
