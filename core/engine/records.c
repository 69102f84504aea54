/* records.c - every record that the engine keeps: its name, its layout, and the way back.
 *
 * A plaintext is: version, type, body. The name of a record follows from its body, and the id by
 * which the host stores it from the name (e2e/record.h): a record at another place does not open.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/reader.h"
#include "base/writer.h"
#include "crypto/encoding.h"
#include "engine/records_int.h"
#include "wire/names.h"

/* --- names -------------------------------------------------------------------------------------
 */

static void contact_name(const struct tacit_contact *c, char out[NAME_BYTES])
{
	char folded[TACIT_MAX_USERNAME + 1] = {0};
	for (size_t i = 0; i < TACIT_MAX_USERNAME && c->pinned.name.c[i] != 0; i++) {
		char x = c->pinned.name.c[i];
		folded[i] = x >= 'A' && x <= 'Z' ? (char)(x - 'A' + 'a') : x;
	}
	snprintf(out, NAME_BYTES, "contact:%s", folded);
}

void tacit_record_numbered(const char *what, uint64_t id, char out[NAME_BYTES])
{
	snprintf(out, NAME_BYTES, "%s:%" PRIu64, what, id);
}

static void outgoing_name(const struct tacit_outgoing *o, char out[NAME_BYTES])
{
	snprintf(out, NAME_BYTES, "outgoing:%s", o->client_id);
}

/* --- out ----------------------------------------------------------------------------------------
 */

enum tacit_err tacit_records_put(struct tacit_engine *e, const char *name, struct tacit_bytes plain)
{
	enum tacit_err err;
	struct tacit_effect *fx;
	TRY(tacit_effects_add(&e->stage[STAGE_STORE], TACIT_EFFECT_PERSIST, &fx));
	tacit_record_id(e->store_key.p, tacit_cstr(name), &fx->id);
	if (plain.n > 0)
		TRY(tacit_record_seal(e->store_key.p, &fx->id, plain, &e->env, &fx->data));
out:
	return err;
}

/* Finishes a record begun with tacit_record_begin. */
enum tacit_err tacit_record_put(
        struct tacit_engine *e, const char *name, struct tacit_writer *w, struct tacit_buf *plain)
{
	enum tacit_err err = tacit_writer_finish(w);
	if (err == TACIT_OK)
		err = tacit_records_put(e, name, tacit_buf_view(plain));
	tacit_buf_clear(plain);
	return err;
}

struct tacit_writer tacit_record_begin(struct tacit_buf *plain, enum record_type type)
{
	struct tacit_writer w = tacit_writer(plain);
	/* Room enough for the small ones that hold secrets: they must not move. */
	enum tacit_err err = tacit_buf_reserve(plain, 512 + MAX_COOKIE);
	if (err != TACIT_OK)
		tacit_writer_fail(&w, err);
	tacit_write_u8(&w, RECORD_VERSION);
	tacit_write_u8(&w, (uint8_t)type);
	return w;
}

static enum tacit_err put_device(struct tacit_engine *e)
{
	enum tacit_err err;
	struct tacit_buf plain = {0}, device = {0};
	struct tacit_writer w = tacit_record_begin(&plain, TYPE_DEVICE);
	TRY(tacit_device_encode(&e->device, &device));
	tacit_write_vec16(&w, tacit_buf_view(&device));
	tacit_write_raw(&w, tacit_secret_view(&e->device_sk));
	tacit_write_u8(&w, e->device_published);
	tacit_write_u64(&w, (uint64_t)e->stock_asked_at);
	tacit_write_u32(&w, e->trouble.undecryptable);
	tacit_write_u32(&w, e->trouble.missing);
	TRY(tacit_record_put(e, "device", &w, &plain));
	e->device_dirty = false;
out:
	tacit_buf_clear(&plain);
	tacit_buf_clear(&device);
	return err;
}

static enum tacit_err put_session(struct tacit_engine *e)
{
	struct tacit_buf plain = {0};
	struct tacit_writer w = tacit_record_begin(&plain, TYPE_SESSION);
	tacit_write_u64(&w, e->user_id);
	tacit_write_vec16(&w, tacit_buf_view(&e->cookie));
	e->session_dirty = false;
	return tacit_record_put(e, "session", &w, &plain);
}

static enum tacit_err put_contact(struct tacit_engine *e, struct tacit_contact *c)
{
	char name[NAME_BYTES];
	struct tacit_buf plain = {0};
	struct tacit_writer w = tacit_record_begin(&plain, TYPE_CONTACT);
	tacit_write_u64(&w, c->pinned.user_id);
	tacit_write_vec8(&w, tacit_name_view(&c->pinned.name));
	tacit_write_raw(&w, tacit_bytes(c->pinned.key.b, sizeof(c->pinned.key.b)));
	tacit_write_raw(&w, tacit_bytes(c->changed_key.b, sizeof(c->changed_key.b)));
	tacit_write_u64(&w, c->changed_user_id);
	tacit_write_u8(&w, c->changed);
	tacit_write_u8(&w, c->verified);
	contact_name(c, name);
	c->dirty = false;
	return tacit_record_put(e, name, &w, &plain);
}

static enum tacit_err put_conversation(struct tacit_engine *e, struct tacit_conversation *c)
{
	char name[NAME_BYTES];
	struct tacit_buf plain = {0};
	struct tacit_writer w = tacit_record_begin(&plain, TYPE_CONVERSATION);
	tacit_write_u64(&w, c->id);
	tacit_write_u8(&w, (uint8_t)c->kind);
	tacit_write_u8(&w, c->in);
	tacit_write_vec16(&w, tacit_buf_view(&c->title));
	tacit_write_u64(&w, c->last);
	tacit_write_u64(&w, c->unread);
	tacit_write_u32(&w, (uint32_t)c->member_count);
	for (size_t i = 0; i < c->member_count; i++) {
		tacit_write_vec8(&w, tacit_name_view(&c->members[i].name));
		tacit_write_u8(&w, c->members[i].in);
		tacit_write_u64(&w, c->members[i].read);
	}
	tacit_record_numbered("conversation", c->id, name);
	c->dirty = false;
	return tacit_record_put(e, name, &w, &plain);
}

static enum tacit_err put_outgoing(struct tacit_engine *e, struct tacit_outgoing *o)
{
	char name[NAME_BYTES];
	struct tacit_buf plain = {0};
	/* A draft and what becomes of it are one record: sealing replaces it. */
	struct tacit_writer w =
	        tacit_record_begin(&plain, o->draft != 0 ? TYPE_DRAFT : TYPE_OUTGOING);
	tacit_write_vec8(&w, tacit_cstr(o->client_id));
	tacit_write_u64(&w, o->conversation);
	if (o->draft != 0)
		tacit_write_u64(&w, o->draft);
	tacit_write_vec32(&w, tacit_buf_view(o->draft != 0 ? &o->readers : &o->envelope));
	tacit_write_vec32(&w, tacit_buf_view(&o->content));
	outgoing_name(o, name);
	o->dirty = false;
	return tacit_record_put(e, name, &w, &plain);
}

enum tacit_err tacit_records_delete_outgoing(struct tacit_engine *e, const struct tacit_outgoing *o)
{
	char name[NAME_BYTES];
	outgoing_name(o, name);
	e->changed = true;
	return tacit_records_put(e, name, tacit_bytes(NULL, 0));
}

static enum tacit_err put_lifetime(struct tacit_engine *e, struct tacit_conversation *c)
{
	char name[NAME_BYTES];
	struct tacit_buf plain = {0};
	struct tacit_writer w = tacit_record_begin(&plain, TYPE_LIFETIME);
	tacit_write_u64(&w, c->id);
	tacit_write_u64(&w, c->life.ttl);
	tacit_write_u64(&w, (uint64_t)c->life.closes_at);
	tacit_write_u8(&w, c->life.sealed);
	tacit_write_u8(&w, (uint8_t)c->life.count);
	for (size_t i = 0; i < c->life.count; i++) {
		tacit_write_u64(&w, c->life.spans[i].from);
		tacit_write_u64(&w, c->life.spans[i].last);
		tacit_write_u64(&w, (uint64_t)c->life.spans[i].expires);
	}
	tacit_write_u64(&w, c->life.ended);
	tacit_record_numbered("lifetime", c->id, name);
	c->life.dirty = false;
	return tacit_record_put(e, name, &w, &plain);
}

enum tacit_err tacit_records_drop_conversation(struct tacit_engine *e, uint64_t conversation)
{
	static const char *const kinds[] = {
	        "conversation", "group", "tree", "commit", "name", "receipts", "lifetime"};
	enum tacit_err err = TACIT_OK;
	char name[NAME_BYTES];
	for (size_t i = 0; i < TACIT_COUNT(kinds) && err == TACIT_OK; i++) {
		tacit_record_numbered(kinds[i], conversation, name);
		err = tacit_records_put(e, name, tacit_bytes(NULL, 0));
	}
	return err;
}

static enum tacit_err flush_conversation(struct tacit_engine *e, struct tacit_conversation *c)
{
	enum tacit_err err = TACIT_OK;
	if (c->dirty)
		TRY(put_conversation(e, c));
	TRY(tacit_records_flush_group(e, c));
	if (c->life.dirty)
		TRY(put_lifetime(e, c));
out:
	return err;
}

enum tacit_err tacit_records_flush(struct tacit_engine *e)
{
	enum tacit_err err = TACIT_OK;
	if (e->device_dirty)
		TRY(put_device(e));
	if (e->session_dirty)
		TRY(put_session(e));
	for (struct tacit_key_package *k = e->key_packages; k != NULL; k = k->next)
		if (k->dirty)
			TRY(tacit_record_put_key_package(e, k));
	for (struct tacit_contact *c = e->contacts; c != NULL; c = c->next)
		if (c->dirty)
			TRY(put_contact(e, c));
	for (struct tacit_conversation *c = e->conversations; c != NULL; c = c->next)
		if (!c->closed)
			TRY(flush_conversation(e, c));
	for (struct tacit_outgoing *o = e->outbox; o != NULL; o = o->next)
		if (o->dirty)
			TRY(put_outgoing(e, o));
out:
	return err;
}

/* --- back ---------------------------------------------------------------------------------------
 */

static enum tacit_err decode_device(struct tacit_engine *e, struct tacit_reader *r)
{
	enum tacit_err err;
	struct tacit_bytes device = tacit_read_vec16(r, 1024);
	struct tacit_bytes sk = tacit_read_view(r, sizeof(struct tacit_sign_sk));
	e->device_published = tacit_read_u8(r) != 0;
	e->stock_asked_at = (int64_t)tacit_read_u64(r);
	if (r->rest.n > 0) { /* the first stores had no such fields */
		e->trouble.undecryptable = tacit_read_u32(r);
		e->trouble.missing = tacit_read_u32(r);
	}
	TRY(tacit_reader_end(r));
	TRY(tacit_device_decode(device, &e->device));
	TRY(tacit_secret_copy(&e->device_sk, sk));
out:
	return err;
}

static enum tacit_err decode_session(struct tacit_engine *e, struct tacit_reader *r)
{
	enum tacit_err err;
	e->user_id = tacit_read_u64(r);
	struct tacit_bytes cookie = tacit_read_vec16(r, MAX_COOKIE);
	TRY(tacit_reader_end(r));
	tacit_buf_clear(&e->cookie);
	TRY(tacit_buf_append(&e->cookie, cookie));
out:
	return err;
}

static bool read_name(struct tacit_reader *r, struct tacit_name *out)
{
	struct tacit_bytes name = tacit_read_vec8(r, TACIT_MAX_USERNAME);
	*out = (struct tacit_name){0};
	if (r->err == TACIT_OK && !tacit_username_valid(name))
		tacit_reader_fail(r, TACIT_E_MALFORMED);
	if (r->err == TACIT_OK)
		tacit_name_set(out, name);
	return r->err == TACIT_OK;
}

static enum tacit_err decode_contact(
        struct tacit_engine *e, struct tacit_reader *r, char name[NAME_BYTES])
{
	enum tacit_err err;
	struct tacit_contact seen = {0};
	seen.pinned.user_id = tacit_read_u64(r);
	read_name(r, &seen.pinned.name);
	tacit_read_into(r, seen.pinned.key.b, sizeof(seen.pinned.key.b));
	tacit_read_into(r, seen.changed_key.b, sizeof(seen.changed_key.b));
	seen.changed_user_id = tacit_read_u64(r);
	seen.changed = tacit_read_u8(r) != 0;
	seen.verified = tacit_read_u8(r) != 0;
	TRY(tacit_reader_end(r));
	contact_name(&seen, name);
	struct tacit_contact *c = tacit_contact_find(e, tacit_name_view(&seen.pinned.name));
	if (c == NULL)
		TRY(tacit_contact_add(e, &seen.pinned, &c));
	seen.next = c->next;
	*c = seen;
out:
	return err;
}

static enum tacit_err read_members(
        struct tacit_reader *r, struct tacit_member *members, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		read_name(r, &members[i].name);
		members[i].in = tacit_read_u8(r) != 0;
		members[i].read = tacit_read_u64(r);
	}
	return tacit_reader_end(r);
}

static enum tacit_err decode_conversation(
        struct tacit_engine *e, struct tacit_reader *r, char name[NAME_BYTES])
{
	enum tacit_err err;
	struct tacit_member *members = NULL;
	uint64_t id = tacit_read_u64(r);
	uint8_t kind = tacit_read_u8(r);
	bool in = tacit_read_u8(r) != 0;
	struct tacit_bytes title = tacit_read_vec16(r, 4 * TACIT_MAX_CONVERSATION_NAME);
	uint64_t last = tacit_read_u64(r), unread = tacit_read_u64(r);
	size_t count = tacit_read_u32(r);
	/* A name takes two bytes at least, so the rest bounds the count before memory is asked for.
	 */
	if (kind < TACIT_DIRECT || kind > TACIT_SESSION || count > r->rest.n / 2) {
		err = TACIT_E_MALFORMED;
		goto out;
	}
	members = tacit_calloc(count + 1, sizeof(*members));
	if (members == NULL) {
		err = TACIT_E_NOMEM;
		goto out;
	}
	TRY(read_members(r, members, count));
	struct tacit_conversation *c;
	TRY(tacit_conversation_get(e, id, &c));
	tacit_buf_clear(&c->title);
	TRY(tacit_buf_append(&c->title, title));
	tacit_free(c->members);
	c->members = members;
	c->member_count = count;
	members = NULL;
	c->kind = (enum tacit_conversation_kind)kind;
	c->in = in;
	c->last = last;
	c->unread = unread;
	c->known = true;
	tacit_record_numbered("conversation", id, name);
out:
	tacit_free(members);
	return err;
}

static enum tacit_err decode_lifetime(
        struct tacit_engine *e, struct tacit_reader *r, char name[NAME_BYTES])
{
	enum tacit_err err;
	struct tacit_lifetime life = {0};
	uint64_t id = tacit_read_u64(r);
	life.ttl = tacit_read_u64(r);
	life.closes_at = (int64_t)tacit_read_u64(r);
	life.sealed = tacit_read_u8(r) != 0;
	life.count = tacit_read_u8(r);
	life.spans = tacit_calloc(MAX_SPANS, sizeof(*life.spans));
	if (life.spans == NULL)
		TRY(TACIT_E_NOMEM);
	if (life.count > MAX_SPANS)
		TRY(TACIT_E_MALFORMED);
	for (size_t i = 0; i < life.count; i++) {
		life.spans[i].from = tacit_read_u64(r);
		life.spans[i].last = tacit_read_u64(r);
		life.spans[i].expires = (int64_t)tacit_read_u64(r);
	}
	if (r->rest.n > 0) /* the first stores had no such field */
		life.ended = tacit_read_u64(r);
	TRY(tacit_reader_end(r));
	struct tacit_conversation *c;
	TRY(tacit_conversation_get(e, id, &c));
	tacit_free(c->life.spans);
	c->life = life;
	life.spans = NULL;
	tacit_record_numbered("lifetime", id, name);
out:
	tacit_free(life.spans);
	return err;
}

static enum tacit_err decode_outgoing(
        struct tacit_engine *e, struct tacit_reader *r, bool draft, char name[NAME_BYTES])
{
	enum tacit_err err;
	struct tacit_outgoing seen = {.left = true}, *o;
	struct tacit_bytes client_id = tacit_read_vec8(r, CLIENT_ID_CHARS - 1);
	seen.conversation = tacit_read_u64(r);
	seen.draft = draft ? tacit_read_u64(r) : 0;
	struct tacit_bytes first = tacit_read_vec32(r, TACIT_MAX_ENVELOPE);
	struct tacit_bytes content = tacit_read_vec32(r, TACIT_MAX_ENVELOPE);
	TRY(tacit_reader_end(r));
	if (draft && seen.draft == 0) {
		err = TACIT_E_MALFORMED;
		goto out;
	}
	if (client_id.n > 0)
		memcpy(seen.client_id, client_id.p, client_id.n);
	TRY(tacit_buf_append(draft ? &seen.readers : &seen.envelope, first));
	TRY(tacit_buf_append(&seen.content, content));
	outgoing_name(&seen, name);
	TRY(tacit_outbox_add(e, &seen, &o));
out:
	tacit_buf_clear(&seen.envelope);
	tacit_buf_clear(&seen.content);
	tacit_buf_clear(&seen.readers);
	return err;
}

static enum tacit_err decode_note(
        struct tacit_engine *e, struct tacit_reader *r, struct tacit_buf *name)
{
	enum tacit_err err;
	struct tacit_bytes own = tacit_read_vec16(r, UINT16_MAX);
	struct tacit_bytes value = tacit_read_vec32(r, 16 * 1024 * 1024);
	TRY(tacit_reader_end(r));
	TRY(tacit_note_set(e, own, value));
	TRY(tacit_buf_append(name, TACIT_STR("note:")));
	TRY(tacit_buf_append(name, own));
out:
	return err;
}

enum tacit_err tacit_records_decode(
        struct tacit_engine *e, struct tacit_bytes plain, struct tacit_buf *name)
{
	enum tacit_err err = TACIT_OK;
	char fixed[NAME_BYTES] = {0};
	struct tacit_reader r = tacit_reader(plain);
	if (tacit_read_u8(&r) != RECORD_VERSION)
		return TACIT_E_UNSUPPORTED;
	uint8_t type = tacit_read_u8(&r);
	switch (type) {
	case TYPE_DEVICE:
		snprintf(fixed, sizeof(fixed), "device");
		TRY(decode_device(e, &r));
		break;
	case TYPE_SESSION:
		snprintf(fixed, sizeof(fixed), "session");
		TRY(decode_session(e, &r));
		break;
	case TYPE_CONTACT:
		TRY(decode_contact(e, &r, fixed));
		break;
	case TYPE_CONVERSATION:
		TRY(decode_conversation(e, &r, fixed));
		break;
	case TYPE_GROUP:
		TRY(tacit_record_read_group(e, &r, fixed));
		break;
	case TYPE_OUTGOING:
	case TYPE_DRAFT:
		TRY(decode_outgoing(e, &r, type == TYPE_DRAFT, fixed));
		break;
	case TYPE_LIFETIME:
		TRY(decode_lifetime(e, &r, fixed));
		break;
	case TYPE_TREE:
		TRY(tacit_record_read_tree(e, &r, fixed));
		break;
	case TYPE_COMMIT:
		TRY(tacit_record_read_commit(e, &r, fixed));
		break;
	case TYPE_NAME:
		TRY(tacit_record_read_name(e, &r, fixed));
		break;
	case TYPE_RECEIPTS:
		TRY(tacit_record_read_receipts(e, &r, fixed));
		break;
	case TYPE_SENT:
		TRY(tacit_record_read_sent(e, &r, fixed));
		break;
	case TYPE_KEY_PACKAGE:
		TRY(tacit_record_read_key_package(e, &r, fixed));
		break;
	case TYPE_CHANGE:
		TRY(tacit_record_read_change(e, &r, fixed));
		break;
	case TYPE_NOTE:
		TRY(decode_note(e, &r, name));
		break;
	default:
		err = TACIT_E_UNSUPPORTED;
		goto out;
	}
	TRY(tacit_buf_append(name, tacit_cstr(fixed)));
out:
	return err;
}
