/* outbox.c - a message from its writing to the server's acknowledgement.
 *
 *   (none) --keep--> draft: the server could not be reached; sealed when it can
 *   (none), draft --seal--> kept --post--> sent: logged, removed
 *                            ^  |--------> refused for good: removed; its order is given back only
 *                            |               when this was the first time that the bytes left
 *                            |--- no answer, or not now: the same bytes and client id go out again
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "crypto/encoding.h"
#include "engine/changes_int.h"

struct tacit_outgoing *tacit_outbox_of(const struct tacit_engine *e, uint64_t conversation)
{
	for (struct tacit_outgoing *o = e->outbox; o != NULL; o = o->next)
		if (o->conversation == conversation && o->draft == 0)
			return o;
	return NULL;
}

struct tacit_outgoing *tacit_outbox_draft(const struct tacit_engine *e, uint64_t conversation)
{
	struct tacit_outgoing *oldest = NULL;
	for (struct tacit_outgoing *o = e->outbox; o != NULL; o = o->next)
		if (o->conversation == conversation && o->draft != 0 &&
		        (oldest == NULL || o->draft < oldest->draft))
			oldest = o;
	return oldest;
}

void tacit_outbox_free(struct tacit_outgoing *o)
{
	if (o == NULL)
		return;
	tacit_buf_clear(&o->envelope);
	tacit_buf_clear(&o->content);
	tacit_buf_clear(&o->readers);
	tacit_free(o);
}

static void unlink_entry(struct tacit_engine *e, struct tacit_outgoing *gone)
{
	struct tacit_outgoing **at = &e->outbox;
	while (*at != gone)
		at = &(*at)->next;
	*at = gone->next;
	tacit_outbox_free(gone);
}

enum tacit_err tacit_outbox_remove(struct tacit_engine *e, struct tacit_outgoing *o)
{
	enum tacit_err err = tacit_records_delete_outgoing(e, o);
	if (err == TACIT_OK)
		unlink_entry(e, o);
	return err;
}

enum tacit_err tacit_outbox_drop(struct tacit_engine *e, uint64_t conversation)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_outgoing *next;
	for (struct tacit_outgoing *o = e->outbox; o != NULL && err == TACIT_OK; o = next) {
		next = o->next;
		if (o->conversation != conversation)
			continue;
		err = tacit_outbox_remove(e, o);
	}
	return err;
}

static enum tacit_err check_room(const struct tacit_engine *e, const struct tacit_outgoing *from)
{
	size_t drafts = 0;
	for (const struct tacit_outgoing *o = e->outbox; o != NULL; o = o->next) {
		if (o->conversation != from->conversation)
			continue;
		drafts += o->draft != 0;
		if (o->draft == from->draft)
			return TACIT_E_CONFLICT;
	}
	return from->draft != 0 && drafts >= MAX_DRAFTS ? TACIT_E_LIMIT : TACIT_OK;
}

enum tacit_err tacit_outbox_add(
        struct tacit_engine *e, const struct tacit_outgoing *from, struct tacit_outgoing **out)
{
	enum tacit_err err;
	struct tacit_outgoing *o = NULL;
	*out = NULL;
	TRY(check_room(e, from));
	o = tacit_calloc(1, sizeof(*o));
	if (o == NULL)
		return TACIT_E_NOMEM;
	memcpy(o->client_id, from->client_id, sizeof(o->client_id));
	o->conversation = from->conversation;
	o->draft = from->draft;
	o->left = from->left;
	TRY(tacit_buf_append(&o->envelope, tacit_buf_view(&from->envelope)));
	TRY(tacit_buf_append(&o->content, tacit_buf_view(&from->content)));
	TRY(tacit_buf_append(&o->readers, tacit_buf_view(&from->readers)));
	o->next = e->outbox;
	e->outbox = o;
	*out = o;
	o = NULL;
out:
	tacit_outbox_free(o);
	return err;
}

void tacit_client_id(
        struct tacit_engine *e, struct tacit_conversation *c, char out[CLIENT_ID_CHARS])
{
	if (c->ids_given == 0)
		tacit_env_random(&e->env, &c->id_series, sizeof(c->id_series));
	uint64_t series = c->id_series, number = c->ids_given++;
	snprintf(out, CLIENT_ID_CHARS, "%08x-%04x-8%03x-%04x-%012" PRIx64, (unsigned)(series >> 32),
	        (unsigned)(series >> 16) & 0xffff, (unsigned)series & 0xfff,
	        (unsigned)(number >> 48 & 0x3fff) | 0x8000, number & 0xffffffffffff);
}

enum tacit_err tacit_outbox_keep(
        struct tacit_engine *e, struct tacit_op *op, struct tacit_conversation *c)
{
	enum tacit_err err;
	struct tacit_outgoing fresh = {.conversation = c->id, .draft = 1}, *o;
	for (o = e->outbox; o != NULL; o = o->next)
		if (o->conversation == c->id && o->draft >= fresh.draft)
			fresh.draft = o->draft + 1;
	for (size_t i = 0; i < c->member_count; i++)
		if (c->members[i].in)
			TRY(tacit_buf_printf(&fresh.readers, "%s\n", c->members[i].name.c));
	tacit_client_id(e, c, fresh.client_id);
	TRY(tacit_buf_append(&fresh.content, tacit_buf_view(&op->content)));
	TRY(tacit_outbox_add(e, &fresh, &o));
	o->dirty = e->changed = true;
	op->drafted = true;
out:
	tacit_buf_clear(&fresh.content);
	tacit_buf_clear(&fresh.readers);
	return err;
}

static bool has_line(struct tacit_bytes lines, struct tacit_bytes name)
{
	for (size_t at = 0, end; at < lines.n; at = end + 1) {
		for (end = at; end < lines.n && lines.p[end] != '\n'; end++)
			continue;
		if (tacit_name_same(tacit_bytes_part(lines, at, end - at), name))
			return true;
	}
	return false;
}

const struct tacit_member *tacit_outbox_newcomer(
        const struct tacit_conversation *c, const struct tacit_outgoing *draft)
{
	for (size_t i = 0; i < c->member_count; i++)
		if (c->members[i].in && !has_line(tacit_buf_view(&draft->readers),
		                                tacit_name_view(&c->members[i].name)))
			return &c->members[i];
	return NULL;
}

static void become_sealed(struct tacit_outgoing *draft, struct tacit_buf *envelope)
{
	draft->envelope = *envelope;
	*envelope = (struct tacit_buf){0};
	tacit_buf_clear(&draft->readers);
	draft->draft = 0;
	draft->dirty = true;
}

static enum tacit_err protect(struct tacit_engine *e, struct tacit_conversation *c,
        struct tacit_bytes content, struct tacit_buf *out)
{
	struct tacit_belonging b;
	struct tacit_self self = tacit_self_in(e, c, &b);
	if (!tacit_membership_good(c))
		return TACIT_E_CONFLICT;
	c->group_dirty = e->changed = true;
	return tacit_group_protect(c->group, &self, content, out);
}

static enum tacit_err add_sealed(
        struct tacit_engine *e, struct tacit_conversation *c, struct tacit_bytes content)
{
	enum tacit_err err;
	struct tacit_outgoing fresh = {.conversation = c->id}, *o;
	TRY(protect(e, c, content, &fresh.envelope));
	tacit_client_id(e, c, fresh.client_id);
	TRY(tacit_buf_append(&fresh.content, content));
	TRY(tacit_outbox_add(e, &fresh, &o));
	o->dirty = true;
out:
	tacit_buf_clear(&fresh.envelope);
	tacit_buf_clear(&fresh.content);
	return err;
}

enum tacit_err tacit_outbox_seal(
        struct tacit_engine *e, struct tacit_op *op, struct tacit_conversation *c)
{
	enum tacit_err err;
	struct tacit_buf envelope = {0};
	struct tacit_outgoing *draft = tacit_outbox_draft(e, c->id);
	if (draft == NULL) {
		TRY(add_sealed(e, c, tacit_buf_view(&op->content)));
		op->sealed = true;
		return TACIT_OK;
	}
	TRY(protect(e, c, tacit_buf_view(&draft->content), &envelope));
	become_sealed(draft, &envelope);
out:
	tacit_buf_clear(&envelope);
	return err;
}

enum tacit_err tacit_outbox_seal_silent(
        struct tacit_engine *e, struct tacit_conversation *c, const struct tacit_content *content)
{
	enum tacit_err err;
	struct tacit_buf encoded = {0};
	TRY(tacit_content_encode(content, &encoded));
	TRY(add_sealed(e, c, tacit_buf_view(&encoded)));
out:
	tacit_buf_clear(&encoded);
	return err;
}

enum tacit_err tacit_outbox_post(
        struct tacit_engine *e, struct tacit_op *op, struct tacit_outgoing *o, tacit_op_then *then)
{
	enum tacit_err err;
	json_t *data = NULL;
	struct tacit_buf text = {0};
	TRY(tacit_base64(TACIT_BASE64, tacit_buf_view(&o->envelope), &text));
	struct tacit_pair pairs[] = {
	        {"content", tacit_buf_view(&text)},
	        {"client_id", tacit_cstr(o->client_id)},
	};
	TRY(tacit_op_data(pairs, TACIT_COUNT(pairs), &data));
	o->op = op->id;
	op->acked = false;
	TRY(tacit_op_call(e, op,
	        &(struct tacit_call){.method = TACIT_POST, .body = TACIT_BODY_SIGNED, .data = data},
	        then, "/api/conversations/%llu/messages", (unsigned long long)o->conversation));
out:
	tacit_buf_clear(&text);
	return err;
}

/* The operation that sends it says so with its own end: *own_end. */
static void tell_sender(
        const struct tacit_engine *e, const struct tacit_outgoing *o, uint64_t id, bool *own_end)
{
	*own_end = false;
	for (struct tacit_op *sender = e->ops; sender != NULL; sender = sender->next) {
		if (sender->id != o->op)
			continue;
		sender->acked = true;
		*own_end = sender->sealed && !sender->said;
		if (*own_end)
			sender->message = id;
	}
}

static enum tacit_err keep_said(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, const struct tacit_outgoing *o, const struct tacit_notice *n)
{
	enum tacit_err err;
	bool own_end;
	struct tacit_change change = {.id = n->message};
	bool shown = tacit_content_is_shown(&n->content);
	TRY(tacit_sent_add(e, c, n->message, tacit_buf_view(&o->content)));
	if (shown) {
		TRY(tacit_log_put(e, c, n->message, LOG_MESSAGE, n));
	} else {
		tacit_name_set(&change.by, n->username);
		TRY(tacit_change_add(e, c, &change, &n->content));
	}
	tell_sender(e, o, n->message, &own_end);
	if (shown && !own_end)
		TRY(tacit_op_tell(e, op, n));
out:
	return err;
}

/* The own message is in its place: into the history, and out of the outbox. */
static enum tacit_err acknowledge(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, struct tacit_outgoing *o, uint64_t id, int64_t time)
{
	enum tacit_err err;
	bool own_end;
	struct tacit_notice n = {
	        .kind = TACIT_NOTICE_MESSAGE,
	        .conversation = c->id,
	        .message = id,
	        .username = tacit_buf_view(&e->username),
	        .time = time,
	        .flag = true,
	};
	TRY(tacit_content_decode(tacit_buf_view(&o->content), &n.content));
	if (tacit_content_is_said(&n.content))
		TRY(keep_said(e, op, c, o, &n));
	else
		tell_sender(e, o, id, &own_end);
	if (id > c->own_last)
		c->own_last = id;
	c->moved_at = e->next_request;
	c->group_dirty = true;
	TRY(tacit_records_delete_outgoing(e, o));
	unlink_entry(e, o);
out:
	tacit_content_wipe(&n.content);
	return err;
}

/* The answer of a server that has taken the message. */
static enum tacit_err settle_sent(struct tacit_engine *e, struct tacit_op *op,
        struct tacit_conversation *c, struct tacit_outgoing *o, const json_t *body)
{
	enum tacit_err err;
	struct tacit_bytes created, expires;
	uint64_t id;
	TRY(tacit_answer_id(body, "id", &id));
	TRY(tacit_json_text(body, "created_at", TACIT_OPTIONAL, 64, &created));
	TRY(tacit_json_text(body, "expires_at", TACIT_OPTIONAL, 64, &expires));
	if (id <= c->seen || id <= c->own_last)
		TRY(tacit_op_warn(e, op, c, TACIT_E_ORDER_CHANGED,
		        "The server gives a new message a place where another one stands."));
	TRY(acknowledge(e, op, c, o, id, tacit_answer_time(created)));
	TRY(tacit_lifetime_logged(e, c, id, tacit_answer_time(expires)));
out:
	return err;
}

enum tacit_err tacit_outbox_refuse(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, struct tacit_outgoing *o, const struct tacit_answer *a)
{
	enum tacit_err err;
	struct tacit_notice n = {
	        .kind = TACIT_NOTICE_REFUSED,
	        .err = a->err,
	        .conversation = c->id,
	        .username = tacit_buf_view(&e->username),
	        .text = a->text,
	        .flag = true,
	        .time = tacit_env_now(&e->env),
	};
	/* A message that left before may have arrived though no answer did: the others would refuse
	 * the next one of its order. They rather miss one that never was. */
	if (o->draft == 0 && !o->left && op->call.tries == 1 && tacit_membership_good(c))
		tacit_group_unsend(c->group);
	c->group_dirty = true;
	bool own_end = op->sealed && !op->said && o->op == op->id;
	if (!own_end) {
		TRY(tacit_content_decode(tacit_buf_view(&o->content), &n.content));
		if (tacit_content_is_said(&n.content))
			TRY(tacit_op_tell(e, op, &n));
	}
	TRY(tacit_records_delete_outgoing(e, o));
	unlink_entry(e, o);
	err = TACIT_OK;
out:
	tacit_content_wipe(&n.content);
	return err;
}

static bool is_final(int status)
{
	return status >= 400 && status < 500 && status != 401 && status != 408 && status != 429;
}

enum tacit_err tacit_outbox_settle(struct tacit_engine *e, struct tacit_op *op,
        struct tacit_conversation *c, const struct tacit_answer *a, enum tacit_outcome *out)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_outgoing *o = tacit_outbox_of(e, c->id);
	*out = OUTCOME_KEPT;
	if (op->acked || o == NULL) {
		*out = OUTCOME_SENT;
		return TACIT_OK;
	}
	if (a->err == TACIT_OK) {
		TRY(settle_sent(e, op, c, o, a->body));
		*out = OUTCOME_SENT;
	} else if (is_final(a->status)) {
		TRY(tacit_membership_load(e, c));
		TRY(tacit_outbox_refuse(e, op, c, o, a));
		*out = OUTCOME_REFUSED;
	} else {
		o->left = true;
	}
out:
	return err;
}

/* It was refused, and is here all the same; or the store is older than the message. The person
 * should know that it was said. */
static enum tacit_err tell_unaccounted(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, uint64_t id)
{
	c->own_last = id;
	c->group_dirty = true;
	return tacit_op_warn(e, op, c, TACIT_E_CONFLICT,
	        "The others were given something that this device sent and does not count as sent: "
	        "the server had refused it, or this profile is an older copy.");
}

enum tacit_err tacit_outbox_met(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, struct tacit_bytes envelope, uint64_t id, int64_t time)
{
	struct tacit_outgoing *o = tacit_outbox_of(e, c->id);
	if (o == NULL || !tacit_bytes_eq(tacit_buf_view(&o->envelope), envelope))
		return id > c->own_last ? tell_unaccounted(e, op, c, id) : TACIT_OK;
	return acknowledge(e, op, c, o, id, time);
}
