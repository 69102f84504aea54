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
#include "engine/changes_int.h"
#include "wire/names.h"

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

static void forget_lost(struct tacit_engine *e, struct tacit_receipts *r, size_t i)
{
	memmove(r->lost + i, r->lost + i + 1, (--r->lost_count - i) * sizeof(r->lost[0]));
	r->dirty = e->changed = true;
}

void tacit_lost_drop(
        struct tacit_engine *e, struct tacit_conversation *c, uint64_t from, uint64_t last)
{
	struct tacit_receipts *r = &c->receipts;
	for (size_t i = r->lost_count; i > 0; i--)
		if (r->lost[i - 1].message >= from && r->lost[i - 1].message <= last)
			forget_lost(e, r, i - 1);
}

enum tacit_err tacit_receipts_add(struct tacit_engine *e, struct tacit_conversation *c,
        const struct tacit_incoming *m, enum tacit_err why)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_receipts *r = &c->receipts;
	struct tacit_lost lost = {.message = m->id, .at = r->astray, .time = m->time};
	if (!can_be_helped(why) || c->group == NULL || m->commit)
		return TACIT_OK;
	tacit_report_count(e, (struct tacit_trouble){.undecryptable = 1});
	if (m->id > c->joined && r->print_count > 0)
		lost.at = r->prints[r->print_count - 1];
	if (tacit_username_valid(m->username))
		tacit_name_set(&lost.by, m->username);
	if (r->lost_count == MAX_LOST) {
		TRY(tacit_changes_drop(e, c, r->lost[0].message, r->lost[0].message));
		forget_lost(e, r, 0);
	}
	r->lost[r->lost_count++] = lost;
	r->dirty = e->changed = true;
out:
	return err;
}

/* It stands where it was said, and not where it was said again. */
static enum tacit_err put_in_place(struct tacit_engine *e, struct tacit_op *op,
        struct tacit_conversation *c, const struct tacit_incoming *said,
        struct tacit_content *content)
{
	enum tacit_err err;
	struct tacit_notice n = {.content = *content};
	struct tacit_change change = {.id = said->id};
	TRY(tacit_entry_replace(e, c, said->id, NULL));
	if (tacit_content_is_shown(content)) {
		op->fetched++;
		TRY(tacit_incoming_show(e, op, c, said, &n));
		tacit_changes_wake(e, c, said->id);
	} else {
		tacit_silent_note(e, c, said); /* it was counted as unread when it was refused */
		tacit_name_set(&change.by, said->username);
		TRY(tacit_change_add(e, c, &change, content));
	}
out:
	tacit_content_wipe(&n.content);
	return err;
}

static bool is_theirs(const struct tacit_lost *lost, const struct tacit_incoming *m)
{
	struct tacit_bytes by = tacit_name_view(&lost->by);
	return by.n == 0 || tacit_name_same(by, m->username);
}

static enum tacit_err take_again(struct tacit_engine *e, struct tacit_op *op,
        struct tacit_conversation *c, const struct tacit_incoming *m,
        const struct tacit_content *content)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_receipts *r = &c->receipts;
	struct tacit_content inner = {0};
	struct tacit_incoming said = {.id = content->message, .username = m->username};
	size_t i = 0;
	tacit_silent_note(e, c, m); /* the message itself was counted where it stands */
	while (i < r->lost_count && r->lost[i].message != content->message)
		i++;
	if (i == r->lost_count || !is_theirs(&r->lost[i], m) ||
	        tacit_content_decode(content->inner, &inner) != TACIT_OK ||
	        !tacit_content_is_said(&inner))
		goto out;
	said.time = r->lost[i].time > 0 ? r->lost[i].time : m->time;
	forget_lost(e, r, i);
	TRY(put_in_place(e, op, c, &said, &inner));
out:
	tacit_content_wipe(&inner);
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

bool tacit_sent_has(const struct tacit_conversation *c, uint64_t message)
{
	return find_sent(c, message) != NULL;
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

/* What was taken back, or says something else now, is not said again as it was. */
static enum tacit_err drop_edits(struct tacit_engine *e, struct tacit_conversation *c,
        const struct tacit_content *change, uint64_t before)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_content kept = {0};
	struct tacit_sent **at = &c->receipts.sent;
	while (*at != NULL && err == TACIT_OK) {
		TRY(tacit_content_decode(tacit_buf_view(&(*at)->content), &kept));
		if (kept.kind == TACIT_CONTENT_EDIT && kept.message == change->message &&
		        (*at)->message < before)
			err = unlink_sent(e, c, at);
		else
			at = &(*at)->next;
		tacit_content_wipe(&kept);
	}
out:
	return err;
}

static enum tacit_err edit_sent(
        struct tacit_engine *e, struct tacit_sent *s, const struct tacit_content *change)
{
	enum tacit_err err;
	struct tacit_content kept;
	struct tacit_buf fresh = {0};
	TRY(tacit_content_decode(tacit_buf_view(&s->content), &kept));
	if (kept.kind != TACIT_CONTENT_TEXT)
		goto out;
	kept.text = change->text;
	TRY(tacit_content_encode(&kept, &fresh));
	tacit_buf_clear(&s->content);
	s->content = fresh;
	fresh = (struct tacit_buf){0};
	s->dirty = e->changed = true;
out:
	tacit_content_wipe(&kept);
	tacit_buf_clear(&fresh);
	return err;
}

enum tacit_err tacit_sent_change(struct tacit_engine *e, struct tacit_conversation *c,
        const struct tacit_content *change, uint64_t id)
{
	enum tacit_err err;
	struct tacit_sent *s = find_sent(c, change->message);
	if (change->kind == TACIT_CONTENT_REACTION)
		return TACIT_OK;
	TRY(drop_edits(e, c, change, id));
	if (change->kind == TACIT_CONTENT_DELETE)
		TRY(tacit_sent_drop(e, c, change->message, change->message));
	else if (s != NULL)
		TRY(edit_sent(e, s, change));
out:
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
