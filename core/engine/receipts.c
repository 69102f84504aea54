/* receipts.c - what could not be opened is asked for, and said again.
 *
 *   here: does not open -> lost --UNOPENED--> its sender: sent before --AGAIN--> all: who lacks it
 *                                                                                shows it
 *
 * Each message is asked for once by each device, once more if the keys have changed since and it
 * has not come (the first question may not have been understood either), and sent again once by its
 * sender. A receipt says
 * in which epoch its sender was, and the fingerprint of it: two devices that were in the same epoch
 * of one conversation, and not in the same group, have been told apart by the server. */
#include <string.h>

#include "base/alloc.h"
#include "engine/engine_int.h"

#define MAX_ASKS 3

/* --- fingerprints --------------------------------------------------------------------------------
 */

enum tacit_err tacit_receipts_print(struct tacit_engine *e, struct tacit_conversation *c)
{
	enum tacit_err err;
	struct tacit_receipts *r = &c->receipts;
	struct tacit_print p = {.epoch = tacit_group_epoch(c->group)};
	TRY(tacit_group_fingerprint(c->group, p.fingerprint));
	if (r->print_count == MAX_PRINTS)
		memmove(r->prints, r->prints + 1, --r->print_count * sizeof(p));
	r->prints[r->print_count++] = p;
	r->dirty = e->changed = true;
out:
	return err;
}

static enum tacit_err compare_prints(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, const struct tacit_incoming *m,
        const struct tacit_content *content)
{
	for (size_t i = 0; i < c->receipts.print_count; i++) {
		const struct tacit_print *p = &c->receipts.prints[i];
		if (p->epoch != content->epoch ||
		        memcmp(p->fingerprint, content->fingerprint, sizeof(p->fingerprint)) == 0)
			continue;
		return tacit_op_warn(e, op, c, TACIT_E_ORDER_CHANGED,
		        "%.*s was in another group than this device: the server has split the "
		        "conversation.",
		        (int)m->username.n, (const char *)m->username.p);
	}
	return TACIT_OK;
}

/* --- what this device lacks ----------------------------------------------------------------------
 */

static bool can_be_helped(enum tacit_err why)
{
	return why == TACIT_E_BAD_SEAL || why == TACIT_E_BAD_SIGNATURE || why == TACIT_E_GONE ||
	       why == TACIT_E_MALFORMED || why == TACIT_E_TRUNCATED || why == TACIT_E_TRAILING;
}

enum tacit_err tacit_receipts_add(struct tacit_engine *e, struct tacit_conversation *c,
        const struct tacit_incoming *m, enum tacit_err why)
{
	struct tacit_receipts *r = &c->receipts;
	struct tacit_lost lost = {.message = m->id, .at = r->astray};
	if (!can_be_helped(why) || c->group == NULL || m->commit)
		return TACIT_OK;
	tacit_report_count(e, (struct tacit_trouble){.undecryptable = 1});
	if (m->id > c->joined && r->print_count > 0)
		lost.at = r->prints[r->print_count - 1];
	if (r->lost_count == MAX_LOST)
		memmove(r->lost, r->lost + 1, --r->lost_count * sizeof(lost));
	r->lost[r->lost_count++] = lost;
	r->dirty = e->changed = true;
	return TACIT_OK;
}

static enum tacit_err take_again(struct tacit_engine *e, struct tacit_op *op,
        struct tacit_conversation *c, const struct tacit_incoming *m,
        const struct tacit_content *content)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_receipts *r = &c->receipts;
	struct tacit_notice n = {0};
	size_t i = 0;
	while (i < r->lost_count && r->lost[i].message != content->message)
		i++;
	if (i == r->lost_count || tacit_content_decode(content->inner, &n.content) != TACIT_OK ||
	        n.content.kind > TACIT_CONTENT_FILE) {
		tacit_silent_note(e, c, m);
		goto out;
	}
	memmove(r->lost + i, r->lost + i + 1, (--r->lost_count - i) * sizeof(r->lost[0]));
	r->dirty = e->changed = true;
	op->fetched++;
	TRY(tacit_incoming_show(e, op, c, m, &n));
out:
	tacit_content_wipe(&n.content);
	return err;
}

/* --- what others lack ----------------------------------------------------------------------------
 */

static struct tacit_sent *find_sent(const struct tacit_conversation *c, uint64_t message)
{
	for (struct tacit_sent *s = c->receipts.sent; s != NULL; s = s->next)
		if (s->message == message)
			return s;
	return NULL;
}

static void want(struct tacit_engine *e, struct tacit_conversation *c, uint64_t message)
{
	struct tacit_receipts *r = &c->receipts;
	const struct tacit_sent *s = find_sent(c, message);
	for (size_t i = 0; i < r->wanted_count; i++)
		if (r->wanted[i] == message)
			return;
	if (s == NULL || s->again || r->wanted_count == MAX_LOST)
		return;
	r->wanted[r->wanted_count++] = message;
	r->dirty = e->changed = true;
}

enum tacit_err tacit_receipts_take(struct tacit_engine *e, struct tacit_op *op,
        struct tacit_conversation *c, const struct tacit_incoming *m,
        const struct tacit_content *content)
{
	if (content->kind == TACIT_CONTENT_AGAIN)
		return take_again(e, op, c, m, content);
	tacit_silent_note(e, c, m);
	want(e, c, content->message);
	return compare_prints(e, op, c, m, content);
}

/* --- saying it -----------------------------------------------------------------------------------
 */

static bool is_due(const struct tacit_conversation *c, const struct tacit_lost *lost)
{
	return lost->asks == 0 || (lost->asks < MAX_ASKS && lost->asked_in < c->epoch_seen);
}

bool tacit_receipts_due(const struct tacit_conversation *c)
{
	for (size_t i = 0; i < c->receipts.lost_count; i++)
		if (is_due(c, &c->receipts.lost[i]))
			return true;
	return c->receipts.wanted_count > 0;
}

static enum tacit_err say_again(struct tacit_engine *e, struct tacit_conversation *c)
{
	struct tacit_receipts *r = &c->receipts;
	struct tacit_sent *s = find_sent(c, r->wanted[--r->wanted_count]);
	if (s == NULL || s->again)
		return TACIT_OK;
	s->again = s->dirty = true;
	const struct tacit_content again = {.kind = TACIT_CONTENT_AGAIN,
	        .sent_at = tacit_env_now(&e->env),
	        .message = s->message,
	        .inner = tacit_buf_view(&s->content)};
	return tacit_outbox_seal_silent(e, c, &again);
}

enum tacit_err tacit_receipts_seal(struct tacit_engine *e, struct tacit_conversation *c)
{
	struct tacit_receipts *r = &c->receipts;
	size_t i = 0;
	r->dirty = e->changed = true;
	if (r->wanted_count > 0)
		return say_again(e, c);
	while (!is_due(c, &r->lost[i]))
		i++;
	r->lost[i].asks++;
	r->lost[i].asked_in = c->epoch_seen;
	struct tacit_content receipt = {.kind = TACIT_CONTENT_UNOPENED,
	        .sent_at = tacit_env_now(&e->env),
	        .message = r->lost[i].message,
	        .epoch = r->lost[i].at.epoch};
	memcpy(receipt.fingerprint, r->lost[i].at.fingerprint, sizeof(receipt.fingerprint));
	return tacit_outbox_seal_silent(e, c, &receipt);
}

/* --- own messages, for a while -------------------------------------------------------------------
 */

static enum tacit_err unlink_sent(
        struct tacit_engine *e, struct tacit_conversation *c, struct tacit_sent **at)
{
	struct tacit_sent *gone = *at;
	enum tacit_err err = tacit_records_delete_sent(e, c, gone);
	if (err != TACIT_OK)
		return err;
	*at = gone->next;
	tacit_buf_clear(&gone->content);
	tacit_free(gone);
	return TACIT_OK;
}

enum tacit_err tacit_sent_add(struct tacit_engine *e, struct tacit_conversation *c,
        uint64_t message, struct tacit_bytes content)
{
	enum tacit_err err;
	struct tacit_sent **at = &c->receipts.sent;
	struct tacit_sent *s = tacit_calloc(1, sizeof(*s));
	if (s == NULL)
		return TACIT_E_NOMEM;
	TRY(tacit_buf_append(&s->content, content));
	s->message = message;
	s->dirty = e->changed = true;
	while (*at != NULL && (*at)->message > message)
		at = &(*at)->next;
	s->next = *at;
	*at = s;
	s = NULL;
	at = &c->receipts.sent;
	for (size_t i = 0; i < SENT_KEPT && *at != NULL; i++)
		at = &(*at)->next;
	while (*at != NULL)
		TRY(unlink_sent(e, c, at));
out:
	tacit_free(s);
	return err;
}

enum tacit_err tacit_sent_drop(
        struct tacit_engine *e, struct tacit_conversation *c, uint64_t from, uint64_t last)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_sent **at = &c->receipts.sent;
	while (*at != NULL && err == TACIT_OK) {
		if ((*at)->message >= from && (*at)->message <= last)
			err = unlink_sent(e, c, at);
		else
			at = &(*at)->next;
	}
	return err;
}

void tacit_receipts_free(struct tacit_conversation *c)
{
	while (c->receipts.sent != NULL) {
		struct tacit_sent *s = c->receipts.sent;
		c->receipts.sent = s->next;
		tacit_buf_clear(&s->content);
		tacit_free(s);
	}
}
