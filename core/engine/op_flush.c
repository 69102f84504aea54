/* op_flush.c - a SYNC empties the outbox of the conversation at hand, before it reads there.
 *
 *   what is sealed: POST -> settled; each draft: GET the devices -> sealed -> POST -> settled;
 *   then op->after, whether something had to stay or not */
#include <inttypes.h>
#include <stdio.h>

#include "engine/engine_int.h"

static struct tacit_conversation *current(const struct tacit_engine *e, const struct tacit_op *op)
{
	return tacit_conversation_find(e, op->todo[op->todo_next]);
}

/* What waits in one conversation (a full quota, a changed key) must not keep others out. */
static enum tacit_err leave_waiting(
        struct tacit_engine *e, struct tacit_op *op, enum tacit_err why, struct tacit_bytes text)
{
	enum tacit_err err;
	struct tacit_conversation *c = current(e, op);
	TRY(tacit_op_warn(e, op, c, why, "A message that waits here could not be sent yet. (%.*s)",
	        (int)text.n, (const char *)text.p));
	c->holder = 0;
	TRY(op->after(e, op));
out:
	return err;
}

static enum tacit_err flushed(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	enum tacit_outcome outcome;
	struct tacit_conversation *c = current(e, op);
	TRY(tacit_outbox_settle(e, op, c, a, &outcome));
	if (outcome == OUTCOME_KEPT && (a->status == 0 || a->status == 401))
		return tacit_op_fail_answer(e, op, a);
	if (outcome == OUTCOME_KEPT)
		return leave_waiting(e, op, a->err, a->text);
	TRY(tacit_op_flush(e, op));
out:
	return err;
}

static enum tacit_err seal_draft(struct tacit_engine *e, struct tacit_op *op, const json_t *body)
{
	enum tacit_err err;
	struct tacit_leaves leaves = {0};
	struct tacit_conversation *c = current(e, op);
	const json_t *devices;
	TRY(tacit_answer_list(body, "devices", TACIT_MAX_RECIPIENTS, &devices));
	TRY(tacit_roster_read(e, op, c, devices, &leaves));
	if (leaves.stranger) /* joined since the list was fetched: the next SYNC tells */
		err = TACIT_E_CONFLICT;
	else
		err = tacit_outbox_seal(e, op, c, &leaves);
out:
	tacit_roster_clear(&leaves);
	return err;
}

static enum tacit_err got_devices(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	struct tacit_conversation *c = current(e, op);
	struct tacit_outgoing *draft = tacit_outbox_draft(e, c->id);
	if (a->status == 0 || a->status == 401)
		return tacit_op_fail_answer(e, op, a);
	if (a->status == 403 || a->status == 404 || a->status == 410) {
		TRY(tacit_outbox_refuse(e, op, c, draft, a));
		return tacit_op_flush(e, op);
	}
	if (a->err != TACIT_OK)
		return leave_waiting(e, op, a->err, a->text);
	err = seal_draft(e, op, a->body);
	if (err == TACIT_E_NOMEM)
		return err;
	if (err != TACIT_OK)
		return leave_waiting(e, op, err, tacit_cstr(tacit_err_text(err)));
	TRY(tacit_outbox_post(e, op, draft, flushed));
out:
	return err;
}

/* The one that is sealed, then each draft. Who wrote a draft did not know of those who came since:
 * it waits until they are written to knowingly. */
enum tacit_err tacit_op_flush(struct tacit_engine *e, struct tacit_op *op)
{
	struct tacit_conversation *c = current(e, op);
	struct tacit_outgoing *kept = tacit_outbox_of(e, c->id);
	struct tacit_outgoing *draft = tacit_outbox_draft(e, c->id);
	char text[TACIT_MAX_USERNAME + 80];
	if (kept != NULL)
		return tacit_outbox_post(e, op, kept, flushed);
	if (draft == NULL) {
		c->holder = 0;
		return op->after(e, op);
	}
	const struct tacit_member *m = tacit_outbox_newcomer(c, draft);
	if (m != NULL) {
		snprintf(text, sizeof(text),
		        "%s is in the conversation now; send again to include them.", m->name.c);
		return leave_waiting(e, op, TACIT_E_CONFLICT, tacit_cstr(text));
	}
	snprintf(text, sizeof(text), "/api/conversations/%" PRIu64 "/devices", c->id);
	return tacit_op_get(e, op, got_devices, text);
}
