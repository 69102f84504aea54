/* incoming.c - one message that the server gives out: opened, refused, or the next epoch. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "crypto/encoding.h"
#include "engine/changes_int.h"
#include "wire/names.h"

/* --- reading -------------------------------------------------------------------------------------
 */

enum tacit_err tacit_incoming_read(
        const json_t *item, const struct tacit_conversation *c, struct tacit_incoming *out)
{
	enum tacit_err err;
	struct tacit_bytes content, created, expires;
	uint64_t conversation;
	int64_t epoch = -1;
	TRY(tacit_answer_id(item, "id", &out->id));
	TRY(tacit_answer_id(item, "conversation_id", &conversation));
	if (conversation != c->id) {
		err = TACIT_E_MALFORMED;
		goto out;
	}
	TRY(tacit_json_text(item, "created_at", TACIT_OPTIONAL, 64, &created));
	out->time = tacit_answer_time(created);
	TRY(tacit_json_text(item, "expires_at", TACIT_OPTIONAL, 64, &expires));
	out->expires = tacit_answer_time(expires);
	TRY(tacit_json_integer(item, "epoch", TACIT_OPTIONAL, 0, TACIT_MAX_INTEGER, &epoch));
	out->commit = epoch >= 0;
	out->epoch = out->commit ? (uint64_t)epoch : 0;
	/* What follows is one message's own matter: a bad one is refused, the others are read. */
	err = tacit_json_text(item, "username", TACIT_REQUIRED, TACIT_MAX_USERNAME, &out->username);
	if (err == TACIT_OK && !tacit_username_valid(out->username))
		err = TACIT_E_MALFORMED;
	if (err != TACIT_OK)
		out->username = tacit_bytes(NULL, 0);
	if (err == TACIT_OK)
		err = tacit_json_text(item, "content", TACIT_REQUIRED,
		        ((size_t)(out->commit ? TACIT_MAX_COMMIT : TACIT_MAX_ENVELOPE) + 2) / 3 * 4,
		        &content);
	if (err == TACIT_OK)
		err = tacit_unbase64(TACIT_BASE64, content, &out->bytes);
	out->readable = err == TACIT_OK;
	if (err != TACIT_E_NOMEM)
		err = TACIT_OK;
out:
	return err;
}

static const char *reason(enum tacit_err why)
{
	switch (why) {
	case TACIT_E_BAD_SIGNATURE:
		return "the signature is not theirs";
	case TACIT_E_UNKNOWN_SENDER:
		return "it is signed by nobody who is in this conversation";
	case TACIT_E_KEY_CHANGED:
		return "it is signed by somebody else";
	case TACIT_E_WRONG_RECIPIENT:
		return "it was not sealed for this conversation";
	case TACIT_E_REPLAY:
		return "it was here before";
	case TACIT_E_GONE:
		return "the keys for it are not here any more";
	case TACIT_E_CONFLICT:
		return "it stands where it does not belong";
	case TACIT_E_BAD_SEAL:
		return "it was changed on the way";
	case TACIT_E_UNSUPPORTED:
		return "it needs a newer version of tacit";
	case TACIT_E_LIMIT:
	case TACIT_E_TOO_LARGE:
		return "it is beyond what is allowed";
	default:
		return "it is not in the expected form";
	}
}

static enum tacit_err refuse(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, const struct tacit_incoming *m, enum tacit_err why)
{
	enum tacit_err err;
	struct tacit_buf text = {0};
	bool named = m->username.n > 0;
	TRY(tacit_buf_printf(&text, "A message that claims to be from %.*s was refused: %s.",
	        named ? (int)m->username.n : 8, named ? (const char *)m->username.p : "somebody",
	        reason(why)));
	struct tacit_notice n = {
	        .kind = TACIT_NOTICE_REFUSED,
	        .err = why,
	        .text = tacit_buf_view(&text),
	        .username = m->username,
	        .conversation = c->id,
	        .message = m->id,
	        .time = m->time,
	};
	TRY(tacit_log_put(e, c, m->id, LOG_MESSAGE, &n));
	TRY(tacit_op_tell(e, op, &n));
out:
	tacit_buf_clear(&text);
	return err;
}

static enum tacit_err tell_missing(struct tacit_engine *e, const struct tacit_op *op,
        const struct tacit_conversation *c, const struct tacit_incoming *m, uint64_t count)
{
	enum tacit_err err;
	struct tacit_notice n = {
	        .kind = TACIT_NOTICE_MISSING,
	        .username = m->username,
	        .conversation = c->id,
	        .message = m->id,
	        .count = count,
	        .time = m->time,
	};
	tacit_report_count(
	        e, (struct tacit_trouble){
	                   .missing = (uint32_t)(count < UINT32_MAX ? count : UINT32_MAX)});
	TRY(tacit_log_put(e, c, m->id, LOG_BEFORE, &n));
	TRY(tacit_op_tell(e, op, &n));
out:
	return err;
}

enum tacit_err tacit_incoming_show(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, const struct tacit_incoming *m, struct tacit_notice *n)
{
	enum tacit_err err;
	n->kind = TACIT_NOTICE_MESSAGE;
	n->username = m->username;
	n->conversation = c->id;
	n->message = m->id;
	n->time = m->time;
	n->flag = tacit_contact_is_self(e, m->username);
	TRY(tacit_log_put(e, c, m->id, LOG_MESSAGE, n));
	TRY(tacit_op_tell(e, op, n));
out:
	return err;
}

/* --- a message
 * ----------------------------------------------------------------------------------- */

/* The name that is shown is the one to which the proven key is pinned; a server that says another
 * one lies. */
static enum tacit_err check_name(
        struct tacit_engine *e, const struct tacit_incoming *m, const struct tacit_group_event *ev)
{
	struct tacit_name own;
	const struct tacit_name *proven = tacit_contact_by_key(e, &ev->sender.account, &own);
	return proven != NULL && tacit_name_same(tacit_name_view(proven), m->username)
	               ? TACIT_OK
	               : TACIT_E_KEY_CHANGED;
}

/* A gap is told once; after it, and where messages expire, histories differ without a lie. */
static enum tacit_err check_history(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, const struct tacit_incoming *m,
        const struct tacit_group_event *ev)
{
	enum tacit_err err = TACIT_OK;
	uint64_t epoch = tacit_group_epoch(c->group);
	bool gap = c->gap_epoch == epoch;
	if (ev->missing > 0) {
		c->gap_epoch = epoch;
		TRY(tell_missing(e, op, c, m, ev->missing));
	}
	if (ev->history_differs && !gap && c->life.ttl == 0 && c->life.count == 0)
		TRY(tacit_op_warn(e, op, c, TACIT_E_ORDER_CHANGED,
		        "%.*s was shown another history of this conversation than this device: the "
		        "server has changed the order of messages, or shows different ones to "
		        "different people.",
		        (int)m->username.n, (const char *)m->username.p));
out:
	return err;
}

static enum tacit_err take_name(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, struct tacit_bytes name)
{
	enum tacit_err err;
	bool same = tacit_bytes_eq(tacit_conversation_title(e, c), name);
	TRY(tacit_name_take(e, c, name));
	if (!same && c->known)
		TRY(tacit_conversation_tell(e, op, c));
out:
	return err;
}

static enum tacit_err take_change(struct tacit_engine *e, struct tacit_conversation *c,
        const struct tacit_incoming *m, const struct tacit_content *content)
{
	struct tacit_change change = {.id = m->id};
	tacit_silent_note(e, c, m);
	tacit_name_set(&change.by, m->username);
	return tacit_change_add(e, c, &change, content);
}

static enum tacit_err take_content(struct tacit_engine *e, struct tacit_op *op,
        struct tacit_conversation *c, const struct tacit_incoming *m,
        const struct tacit_group_event *ev)
{
	enum tacit_err err;
	struct tacit_notice n = {0};
	enum tacit_err why = tacit_content_decode(tacit_buf_view(&ev->plain), &n.content);
	if (why != TACIT_OK) {
		err = refuse(e, op, c, m, why);
		goto out;
	}
	switch (n.content.kind) {
	case TACIT_CONTENT_TEXT:
	case TACIT_CONTENT_FILE:
		op->fetched++;
		TRY(tacit_incoming_show(e, op, c, m, &n));
		break;
	case TACIT_CONTENT_REACTION:
	case TACIT_CONTENT_EDIT:
	case TACIT_CONTENT_DELETE:
		TRY(take_change(e, c, m, &n.content));
		break;
	case TACIT_CONTENT_TITLE:
		tacit_silent_note(e, c, m);
		TRY(take_name(e, op, c, n.content.text));
		break;
	default:
		TRY(tacit_receipts_take(e, op, c, m, &n.content));
	}
	err = TACIT_OK;
out:
	tacit_content_wipe(&n.content);
	return err;
}

static enum tacit_err take_message(struct tacit_engine *e, struct tacit_op *op,
        struct tacit_conversation *c, const struct tacit_incoming *m,
        const struct tacit_group_event *ev)
{
	enum tacit_err err = check_name(e, m, ev);
	if (err != TACIT_OK)
		return refuse(e, op, c, m, err);
	TRY(check_history(e, op, c, m, ev));
	TRY(take_content(e, op, c, m, ev));
out:
	return err;
}

/* --- a commit
 * ------------------------------------------------------------------------------------ */

static enum tacit_err take_commit(struct tacit_engine *e, struct tacit_op *op,
        struct tacit_conversation *c, const struct tacit_incoming *m,
        const struct tacit_group_event *ev, enum tacit_page_end *end)
{
	enum tacit_err err = TACIT_OK;
	if (ev->lost || (ev->accepted && c->pending == NULL))
		tacit_pending_clear(e, c);
	if (ev->accepted && c->pending != NULL) {
		c->name_due |= c->pending->joiner_count > 0 && c->name.n > 0;
		c->name_dirty = true;
		if (c->pending->epoch == 0)
			TRY(tacit_membership_joined(e, c, m->id));
		tacit_pending_clear(e, c);
	}
	if (!ev->removed)
		TRY(tacit_membership_began(e, c));
	op->visit.even = false;
	if (ev->removed)
		*end = PAGE_NEEDS_GROUP;
	else
		TRY(tacit_membership_tell(e, op, c, ev));
out:
	return err;
}

static const char *astray_reason(enum tacit_err why)
{
	switch (why) {
	case TACIT_E_ORDER_CHANGED:
		return "the server has kept back a change of its keys";
	case TACIT_E_BAD_CERTIFICATE:
		return "a change of its keys lets in a device that nobody has certified";
	case TACIT_E_UNKNOWN_SENDER:
		return "a change of its keys lets in somebody who is not in it";
	case TACIT_E_REFUSED:
		return "a change of its keys is not allowed";
	default:
		return "a change of its keys is not what its members made";
	}
}

/* A server takes any bytes for a commit: who posted them can be named by its word alone. */
static enum tacit_err lead_astray(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, const struct tacit_incoming *m, enum tacit_err why)
{
	char what[200];
	bool named = m->commit && m->username.n > 0;
	snprintf(what, sizeof(what), "%s%s%.*s%s", astray_reason(why),
	        named ? " (by the server's word, it came from " : "",
	        named ? (int)m->username.n : 0, named ? (const char *)m->username.p : "",
	        named ? ")" : "");
	return tacit_membership_astray(e, op, c, why, what);
}

/* Sealed in an epoch in which this device was not in the group, by somebody who did not know yet
 * that it is: before it came, or after it was put out and before it was let in again. Each epoch in
 * which it was has left its fingerprint. */
static bool is_from_before(const struct tacit_conversation *c, const struct tacit_incoming *m)
{
	uint64_t epoch;
	const struct tacit_receipts *r = &c->receipts;
	if (c->rejoined != 0 || r->print_count == 0 ||
	        !tacit_group_epoch_of(tacit_buf_view(&m->bytes), &epoch) ||
	        epoch >= r->prints[r->print_count - 1].epoch)
		return false;
	for (size_t i = 0; i < r->print_count; i++)
		if (r->prints[i].epoch == epoch)
			return false;
	return epoch > r->prints[0].epoch || r->print_count < MAX_PRINTS;
}

/* Sealed in an epoch of the number of ours: changed on the way, or there are two such epochs. */
static bool is_of_now(const struct tacit_conversation *c, const struct tacit_incoming *m)
{
	uint64_t epoch;
	return tacit_group_epoch_of(tacit_buf_view(&m->bytes), &epoch) &&
	       epoch == tacit_group_epoch(c->group);
}

static bool is_sent_by_us(const struct tacit_engine *e, const struct tacit_conversation *c,
        const struct tacit_incoming *m)
{
	const struct tacit_outgoing *o = tacit_outbox_of(e, c->id);
	return o != NULL && tacit_bytes_eq(tacit_buf_view(&o->envelope), tacit_buf_view(&m->bytes));
}

/* What does not open, and whether that is the message's own matter, or the group's. */
static enum tacit_err take_failed(struct tacit_engine *e, struct tacit_op *op,
        struct tacit_conversation *c, const struct tacit_incoming *m, enum tacit_err why,
        enum tacit_page_end *end)
{
	enum tacit_err err;
	if (why == TACIT_E_UNKNOWN_SENDER && m->commit && !op->refreshed) {
		*end = PAGE_NEEDS_MEMBERS;
		return TACIT_OK;
	}
	if (m->commit || why == TACIT_E_ORDER_CHANGED) {
		*end = PAGE_NEEDS_GROUP;
		return lead_astray(e, op, c, m, why);
	}
	/* Sealed before this device came anew, and not acknowledged yet. */
	if (is_sent_by_us(e, c, m))
		return tacit_outbox_met(e, op, c, tacit_buf_view(&m->bytes), m->id, m->time);
	/* Sealed before this device came anew; the server's answer was its acknowledgement. */
	if ((m->id == c->own_last || tacit_sent_has(c, m->id)) &&
	        tacit_contact_is_self(e, m->username))
		return TACIT_OK;
	if (why == TACIT_E_GONE && is_from_before(c, m)) {
		op->earlier++;
		return TACIT_OK;
	}
	if (why == TACIT_E_BAD_SEAL && is_of_now(c, m))
		c->doubted = tacit_group_epoch(c->group);
	TRY(tacit_receipts_add(e, c, m, why));
	TRY(refuse(e, op, c, m, why));
out:
	return err;
}

/* --- both
 * ---------------------------------------------------------------------------------------- */

/* From before this device was in the group; or from between two times that it was. */
static enum tacit_err take_earlier(struct tacit_engine *e, struct tacit_op *op,
        struct tacit_conversation *c, const struct tacit_incoming *m)
{
	enum tacit_err err;
	if (m->commit)
		return TACIT_OK;
	if (m->id > c->rejoined || tacit_contact_is_self(e, m->username)) {
		op->earlier++;
		return TACIT_OK;
	}
	TRY(tacit_receipts_add(e, c, m, TACIT_E_GONE));
	TRY(refuse(e, op, c, m, TACIT_E_GONE));
out:
	return err;
}

static enum tacit_err dispatch(struct tacit_engine *e, struct tacit_op *op,
        struct tacit_conversation *c, const struct tacit_incoming *m,
        const struct tacit_group_event *ev, enum tacit_page_end *end)
{
	switch (ev->kind) {
	case TACIT_GROUP_COMMIT:
		return take_commit(e, op, c, m, ev, end);
	case TACIT_GROUP_OWN:
		return m->commit ? TACIT_OK
		                 : tacit_outbox_met(
		                           e, op, c, tacit_buf_view(&m->bytes), m->id, m->time);
	case TACIT_GROUP_EARLIER:
		return TACIT_OK;
	default:
		return take_message(e, op, c, m, ev);
	}
}

enum tacit_err tacit_incoming_take(struct tacit_engine *e, struct tacit_op *op,
        struct tacit_conversation *c, const struct tacit_incoming *m, enum tacit_page_end *end)
{
	enum tacit_err err;
	struct tacit_group_event ev = {0};
	struct tacit_belonging b;
	struct tacit_self self = tacit_self_in(e, c, &b);
	if (m->id <= c->joined)
		return is_sent_by_us(e, c, m) ? tacit_outbox_met(e, op, c,
		                                        tacit_buf_view(&m->bytes), m->id, m->time)
		                              : take_earlier(e, op, c, m);
	if (!tacit_membership_good(c) && op->visit.nobody && !m->commit)
		return refuse(e, op, c, m, TACIT_E_MALFORMED); /* another kind of client's */
	if (!tacit_membership_good(c)) {
		*end = PAGE_NEEDS_GROUP;
		return TACIT_OK;
	}
	/* The server counts epochs by what it calls a commit: the rest must not be one. */
	bool fits = m->readable && tacit_group_is_commit(tacit_buf_view(&m->bytes)) == m->commit;
	err = m->readable ? TACIT_E_CONFLICT : TACIT_E_MALFORMED;
	c->group_dirty = e->changed = true;
	if (fits)
		err = tacit_group_process(c->group, &self, m->id, tacit_buf_view(&m->bytes), &ev);
	/* The history may have what the events do not. */
	if (op->by_event && err != TACIT_E_NOMEM &&
	        (err != TACIT_OK || ev.missing > 0 || ev.history_differs))
		err = TACIT_E_ORDER_CHANGED;
	else if (err == TACIT_OK)
		err = dispatch(e, op, c, m, &ev, end);
	else if (err != TACIT_E_NOMEM)
		err = take_failed(e, op, c, m, err, end);
	tacit_group_event_clear(&ev);
	return err;
}
