/* op_outbox.c - what waits to be sent: telling it, and DROP, which has it never sent. */
#include "engine/engine_int.h"

/* Those that come before: of an older conversation, sealed before drafts, older drafts first. */
static bool is_before(const struct tacit_outgoing *a, const struct tacit_outgoing *b)
{
	return a->conversation != b->conversation ? a->conversation < b->conversation
	                                          : a->draft < b->draft;
}

static const struct tacit_outgoing *next_after(
        const struct tacit_engine *e, const struct tacit_outgoing *last)
{
	const struct tacit_outgoing *next = NULL;
	for (const struct tacit_outgoing *o = e->outbox; o != NULL; o = o->next)
		if ((last == NULL || is_before(last, o)) && (next == NULL || is_before(o, next)))
			next = o;
	return next;
}

enum tacit_err tacit_engine_each_outgoing(const struct tacit_engine *e,
        void (*each)(void *ctx, const struct tacit_notice *n), void *ctx)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_notice n = {0};
	for (const struct tacit_outgoing *o = next_after(e, NULL); o != NULL;
	        o = next_after(e, o)) {
		const struct tacit_conversation *c = tacit_conversation_find(e, o->conversation);
		n = (struct tacit_notice){
		        .kind = TACIT_NOTICE_OUTGOING,
		        .conversation = o->conversation,
		        .text = tacit_cstr(o->client_id),
		        .username = tacit_buf_view(&e->username),
		        .flag = o->draft == 0,
		};
		if (c != NULL && c->known) {
			n.conversation_kind = c->kind;
			n.title = tacit_conversation_title(e, c);
		}
		TRY(tacit_content_decode(tacit_buf_view(&o->content), &n.content));
		if (!tacit_content_is_said(&n.content)) /* between clients */
			continue;
		n.time = n.content.sent_at;
		each(ctx, &n);
		tacit_content_wipe(&n.content);
	}
out:
	tacit_content_wipe(&n.content);
	return err;
}

static struct tacit_outgoing *named(const struct tacit_engine *e, struct tacit_bytes id)
{
	struct tacit_outgoing *o = e->outbox;
	while (o != NULL && !tacit_bytes_eq(tacit_cstr(o->client_id), id))
		o = o->next;
	return o;
}

/* The number of a sealed one is not given back: it may have left, and the receivers would then find
 * two messages of one number, which looks like forgery. They rather miss one. */
enum tacit_err tacit_op_drop(struct tacit_engine *e, struct tacit_op *op)
{
	enum tacit_err err;
	struct tacit_outgoing *o = named(e, tacit_buf_view(&op->text));
	const struct tacit_conversation *c =
	        o != NULL ? tacit_conversation_find(e, o->conversation) : NULL;
	if (o == NULL)
		return tacit_op_fail(e, op, TACIT_E_NOT_FOUND, TACIT_STR("No such message waits."));
	if (o->op != 0 || (c != NULL && c->holder != 0))
		return tacit_op_fail(
		        e, op, TACIT_E_CONFLICT, TACIT_STR("It is being sent just now."));
	const struct tacit_notice done = {.conversation = o->conversation, .flag = o->draft == 0};
	TRY(tacit_outbox_remove(e, o));
	TRY(tacit_op_done(e, op, &done));
out:
	return err;
}
