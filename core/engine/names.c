/* names.c - what a conversation is called: said by its members to each other, and put down sealed
 * for the own other devices. The server knows no name; what it calls a room of another kind of
 * client is shown where no member has said anything. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "crypto/encoding.h"
#include "engine/engine_int.h"
#include "wire/names.h"

enum tacit_err tacit_name_take(
        struct tacit_engine *e, struct tacit_conversation *c, struct tacit_bytes name)
{
	if (c->kind == TACIT_DIRECT || !tacit_conversation_name_valid(name) ||
	        tacit_bytes_eq(tacit_buf_view(&c->name), name))
		return TACIT_OK;
	tacit_buf_clear(&c->name);
	c->name_kept = false;
	c->name_dirty = e->changed = true;
	return tacit_buf_append(&c->name, name);
}

bool tacit_name_wanted(const struct tacit_conversation *c)
{
	return (c->kind == TACIT_GROUP || c->kind == TACIT_ROOM) && c->name.n == 0 &&
	       c->title.n == 0 && c->joined > 0;
}

bool tacit_name_unkept(const struct tacit_conversation *c)
{
	return c->name.n > 0 && !c->name_kept;
}

/* --- put down ------------------------------------------------------------------------------------
 */

static void record_id(const struct tacit_engine *e, const struct tacit_conversation *c,
        struct tacit_record_id *id)
{
	char text[40];
	snprintf(text, sizeof(text), "kept-name:%" PRIu64, c->id);
	tacit_record_id(e->store_key.p, tacit_cstr(text), id);
}

static enum tacit_err kept(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	struct tacit_conversation *c = tacit_op_at(e, op);
	if (a->err == TACIT_OK) {
		c->name_kept = true;
		c->name_dirty = e->changed = true;
	}
	return tacit_visit_go(e, op); /* else the next visit tries again */
}

enum tacit_err tacit_name_put(struct tacit_engine *e, struct tacit_op *op)
{
	enum tacit_err err;
	json_t *data;
	struct tacit_record_id id;
	struct tacit_buf padded = {0}, sealed = {0}, text = {0};
	const struct tacit_conversation *c = tacit_op_at(e, op);
	const struct tacit_content name = {
	        .kind = TACIT_CONTENT_TITLE, .text = tacit_buf_view(&c->name)};
	op->visit.name_asked = true;
	record_id(e, c, &id);
	TRY(tacit_content_encode(&name, &padded));
	TRY(tacit_record_seal(e->store_key.p, &id, tacit_buf_view(&padded), &e->env, &sealed));
	TRY(tacit_base64(TACIT_BASE64, tacit_buf_view(&sealed), &text));
	struct tacit_pair pair = {"key", tacit_buf_view(&text)};
	TRY(tacit_op_data(&pair, 1, &data));
	TRY(tacit_op_call(e, op,
	        &(struct tacit_call){.method = TACIT_PUT, .body = TACIT_BODY_SIGNED, .data = data},
	        kept, "/api/conversations/%" PRIu64 "/key", c->id));
out:
	tacit_buf_clear(&padded);
	tacit_buf_clear(&sealed);
	tacit_buf_clear(&text);
	return err;
}

static enum tacit_err take_kept(
        struct tacit_engine *e, struct tacit_conversation *c, const json_t *body)
{
	enum tacit_err err;
	struct tacit_bytes text;
	struct tacit_record_id id;
	struct tacit_content name;
	struct tacit_buf sealed = {0}, padded = {0};
	record_id(e, c, &id);
	TRY(tacit_json_text(body, "key", TACIT_REQUIRED, 2 * TACIT_MAX_WRAPPED_KEY, &text));
	TRY(tacit_unbase64(TACIT_BASE64, text, &sealed));
	TRY(tacit_record_open(e->store_key.p, &id, tacit_buf_view(&sealed), &padded));
	TRY(tacit_content_decode(tacit_buf_view(&padded), &name));
	TRY(name.kind == TACIT_CONTENT_TITLE ? TACIT_OK : TACIT_E_MALFORMED);
	TRY(tacit_name_take(e, c, name.text));
	c->name_kept = c->name.n > 0;
out:
	tacit_buf_clear(&sealed);
	tacit_buf_clear(&padded);
	return err;
}

static enum tacit_err got_kept(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	/* A server may keep it back; it can put nothing in its place. */
	enum tacit_err err =
	        a->err == TACIT_OK ? take_kept(e, tacit_op_at(e, op), a->body) : TACIT_OK;
	return err == TACIT_E_NOMEM ? err : tacit_visit_go(e, op);
}

enum tacit_err tacit_name_get(struct tacit_engine *e, struct tacit_op *op)
{
	op->visit.name_asked = true;
	return tacit_op_call(e, op, &(struct tacit_call){.method = TACIT_GET}, got_kept,
	        "/api/conversations/%" PRIu64 "/key", tacit_op_at(e, op)->id);
}

/* --- unread --------------------------------------------------------------------------------------
 */

static uint64_t read_up_to(const struct tacit_engine *e, const struct tacit_conversation *c)
{
	const struct tacit_member *self =
	        tacit_conversation_member(c, tacit_buf_view(&e->username));
	return self != NULL ? self->read : 0;
}

void tacit_silent_note(
        struct tacit_engine *e, struct tacit_conversation *c, const struct tacit_incoming *m)
{
	if (tacit_contact_is_self(e, m->username)) /* the server does not count it either */
		return;
	uint64_t *at = &c->silent[c->silent_next];
	uint64_t read = read_up_to(e, c);
	if (c->silent_more_last <= read)
		c->silent_more = 0;
	if (*at > read) {
		c->silent_more++;
		c->silent_more_last = *at;
	}
	*at = m->id;
	c->silent_next = (uint8_t)((c->silent_next + 1) % MAX_SILENT);
	c->group_dirty = e->changed = true;
}

uint64_t tacit_unread(const struct tacit_engine *e, const struct tacit_conversation *c)
{
	uint64_t read = read_up_to(e, c);
	uint64_t silent = c->silent_more_last > read ? c->silent_more : 0;
	for (size_t i = 0; i < MAX_SILENT; i++)
		silent += c->silent[i] > read;
	return c->unread > silent ? c->unread - silent : 0;
}
