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
#include "engine/engine_int.h"
#include "wire/names.h"

#define NAME_BYTES 80

enum record_type {
	TYPE_DEVICE = 1,
	TYPE_SESSION,
	TYPE_CONTACT,
	TYPE_CONVERSATION,
	TYPE_GROUP,
	TYPE_OUTGOING,
	TYPE_NOTE = RECORD_NOTE,
	TYPE_DRAFT,
	TYPE_LIFETIME,
	TYPE_TREE,
	TYPE_COMMIT,
	TYPE_NAME,
	TYPE_RECEIPTS,
	TYPE_SENT,
	TYPE_KEY_PACKAGE
};

#define MAX_STATE (64 * 1024 * 1024)

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

static void numbered_name(const char *what, uint64_t id, char out[NAME_BYTES])
{
	snprintf(out, NAME_BYTES, "%s:%" PRIu64, what, id);
}

static void outgoing_name(const struct tacit_outgoing *o, char out[NAME_BYTES])
{
	snprintf(out, NAME_BYTES, "outgoing:%s", o->client_id);
}

static void sent_name(uint64_t conversation, uint64_t message, char out[NAME_BYTES])
{
	snprintf(out, NAME_BYTES, "sent:%" PRIu64 ":%" PRIu64, conversation, message);
}

static void key_package_name(const struct tacit_key_package *k, char out[NAME_BYTES])
{
	char hex[2 * sizeof(k->id) + 1];
	tacit_hex(tacit_bytes(k->id, sizeof(k->id)), hex);
	snprintf(out, NAME_BYTES, "key-package:%s", hex);
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

/* Finishes a record begun with begin_record. */
static enum tacit_err put_record(
        struct tacit_engine *e, const char *name, struct tacit_writer *w, struct tacit_buf *plain)
{
	enum tacit_err err = tacit_writer_finish(w);
	if (err == TACIT_OK)
		err = tacit_records_put(e, name, tacit_buf_view(plain));
	tacit_buf_clear(plain);
	return err;
}

static struct tacit_writer begin_record(struct tacit_buf *plain, enum record_type type)
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
	struct tacit_writer w = begin_record(&plain, TYPE_DEVICE);
	TRY(tacit_device_encode(&e->device, &device));
	tacit_write_vec16(&w, tacit_buf_view(&device));
	tacit_write_raw(&w, tacit_secret_view(&e->device_sk));
	tacit_write_u8(&w, e->device_published);
	tacit_write_u64(&w, (uint64_t)e->stock_asked_at);
	TRY(put_record(e, "device", &w, &plain));
	e->device_dirty = false;
out:
	tacit_buf_clear(&plain);
	tacit_buf_clear(&device);
	return err;
}

static enum tacit_err put_session(struct tacit_engine *e)
{
	struct tacit_buf plain = {0};
	struct tacit_writer w = begin_record(&plain, TYPE_SESSION);
	tacit_write_u64(&w, e->user_id);
	tacit_write_vec16(&w, tacit_buf_view(&e->cookie));
	e->session_dirty = false;
	return put_record(e, "session", &w, &plain);
}

static enum tacit_err put_contact(struct tacit_engine *e, struct tacit_contact *c)
{
	char name[NAME_BYTES];
	struct tacit_buf plain = {0};
	struct tacit_writer w = begin_record(&plain, TYPE_CONTACT);
	tacit_write_u64(&w, c->pinned.user_id);
	tacit_write_vec8(&w, tacit_name_view(&c->pinned.name));
	tacit_write_raw(&w, tacit_bytes(c->pinned.key.b, sizeof(c->pinned.key.b)));
	tacit_write_raw(&w, tacit_bytes(c->changed_key.b, sizeof(c->changed_key.b)));
	tacit_write_u64(&w, c->changed_user_id);
	tacit_write_u8(&w, c->changed);
	tacit_write_u8(&w, c->verified);
	contact_name(c, name);
	c->dirty = false;
	return put_record(e, name, &w, &plain);
}

static enum tacit_err put_conversation(struct tacit_engine *e, struct tacit_conversation *c)
{
	char name[NAME_BYTES];
	struct tacit_buf plain = {0};
	struct tacit_writer w = begin_record(&plain, TYPE_CONVERSATION);
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
	numbered_name("conversation", c->id, name);
	c->dirty = false;
	return put_record(e, name, &w, &plain);
}

static void write_place(struct tacit_writer *w, const struct tacit_conversation *c)
{
	tacit_write_u64(w, c->id);
	tacit_write_u64(w, c->seen);
	tacit_write_u64(w, c->own_last);
	tacit_write_u8(w, c->event_slot);
	tacit_write_u64(w, c->joined);
	tacit_write_u64(w, c->rejoined);
	tacit_write_u64(w, c->epoch_seen);
	tacit_write_u64(w, c->gap_epoch);
	tacit_write_u8(w, c->stray);
	for (size_t i = 0; i < MAX_SILENT; i++)
		tacit_write_u64(w, c->silent[i]);
	tacit_write_u8(w, c->silent_next);
}

static enum tacit_err put_tree(struct tacit_engine *e, struct tacit_conversation *c)
{
	enum tacit_err err;
	char name[NAME_BYTES];
	struct tacit_buf plain = {0}, tree = {0};
	struct tacit_writer w = begin_record(&plain, TYPE_TREE);
	TRY(tacit_group_save_tree(c->group, &tree));
	tacit_write_u64(&w, c->id);
	tacit_write_vec32(&w, tacit_buf_view(&tree));
	numbered_name("tree", c->id, name);
	TRY(put_record(e, name, &w, &plain));
	c->tree_saved = tacit_group_tree_version(c->group);
out:
	tacit_buf_clear(&plain);
	tacit_buf_clear(&tree);
	return err;
}

static enum tacit_err put_group(struct tacit_engine *e, struct tacit_conversation *c)
{
	enum tacit_err err;
	char name[NAME_BYTES];
	struct tacit_buf plain = {0}, state = {0};
	struct tacit_writer w = begin_record(&plain, TYPE_GROUP);
	if (c->group != NULL)
		TRY(tacit_group_save_state(c->group, &state));
	write_place(&w, c);
	tacit_write_vec32(&w, tacit_buf_view(c->group != NULL ? &state : &c->stored_state));
	numbered_name("group", c->id, name);
	TRY(put_record(e, name, &w, &plain));
	if (c->group != NULL && c->tree_saved != tacit_group_tree_version(c->group))
		TRY(put_tree(e, c));
	c->group_dirty = false;
out:
	tacit_buf_clear(&plain);
	tacit_buf_clear(&state);
	return err;
}

static enum tacit_err put_pending(struct tacit_engine *e, struct tacit_conversation *c)
{
	char name[NAME_BYTES];
	struct tacit_buf plain = {0};
	const struct tacit_pending_commit *p = c->pending;
	numbered_name("commit", c->id, name);
	c->pending_dirty = false;
	if (p == NULL)
		return tacit_records_put(e, name, tacit_bytes(NULL, 0));
	struct tacit_writer w = begin_record(&plain, TYPE_COMMIT);
	tacit_write_u64(&w, c->id);
	tacit_write_vec8(&w, tacit_cstr(p->client_id));
	tacit_write_u64(&w, p->epoch);
	tacit_write_u8(&w, p->external);
	tacit_write_vec32(&w, tacit_buf_view(&p->commit));
	tacit_write_vec32(&w, tacit_buf_view(&p->welcome));
	tacit_write_vec32(&w, tacit_buf_view(&p->group_info));
	tacit_write_u32(&w, (uint32_t)p->joiner_count);
	for (size_t i = 0; i < p->joiner_count; i++)
		tacit_write_raw(&w, tacit_bytes(p->joiners[i].b, sizeof(p->joiners[i].b)));
	return put_record(e, name, &w, &plain);
}

static enum tacit_err put_name(struct tacit_engine *e, struct tacit_conversation *c)
{
	char name[NAME_BYTES];
	struct tacit_buf plain = {0};
	struct tacit_writer w = begin_record(&plain, TYPE_NAME);
	tacit_write_u64(&w, c->id);
	tacit_write_vec16(&w, tacit_buf_view(&c->name));
	tacit_write_u8(&w, c->name_due);
	tacit_write_u8(&w, c->name_kept);
	numbered_name("name", c->id, name);
	c->name_dirty = false;
	return put_record(e, name, &w, &plain);
}

static void write_print(struct tacit_writer *w, const struct tacit_print *p)
{
	tacit_write_u64(w, p->epoch);
	tacit_write_raw(w, tacit_bytes(p->fingerprint, sizeof(p->fingerprint)));
}

static enum tacit_err put_receipts(struct tacit_engine *e, struct tacit_conversation *c)
{
	char name[NAME_BYTES];
	struct tacit_buf plain = {0};
	struct tacit_receipts *r = &c->receipts;
	struct tacit_writer w = begin_record(&plain, TYPE_RECEIPTS);
	tacit_write_u64(&w, c->id);
	tacit_write_u8(&w, (uint8_t)r->lost_count);
	for (size_t i = 0; i < r->lost_count; i++) {
		tacit_write_u64(&w, r->lost[i].message);
		write_print(&w, &r->lost[i].at);
		tacit_write_u8(&w, r->lost[i].asked);
	}
	tacit_write_u8(&w, (uint8_t)r->wanted_count);
	for (size_t i = 0; i < r->wanted_count; i++)
		tacit_write_u64(&w, r->wanted[i]);
	tacit_write_u8(&w, (uint8_t)r->print_count);
	for (size_t i = 0; i < r->print_count; i++)
		write_print(&w, &r->prints[i]);
	write_print(&w, &r->astray);
	numbered_name("receipts", c->id, name);
	r->dirty = false;
	return put_record(e, name, &w, &plain);
}

static enum tacit_err put_sent(
        struct tacit_engine *e, const struct tacit_conversation *c, struct tacit_sent *s)
{
	char name[NAME_BYTES];
	struct tacit_buf plain = {0};
	struct tacit_writer w = begin_record(&plain, TYPE_SENT);
	tacit_write_u64(&w, c->id);
	tacit_write_u64(&w, s->message);
	tacit_write_u8(&w, s->again);
	tacit_write_vec32(&w, tacit_buf_view(&s->content));
	sent_name(c->id, s->message, name);
	s->dirty = false;
	return put_record(e, name, &w, &plain);
}

enum tacit_err tacit_records_delete_sent(
        struct tacit_engine *e, const struct tacit_conversation *c, const struct tacit_sent *s)
{
	char name[NAME_BYTES];
	sent_name(c->id, s->message, name);
	e->changed = true;
	return tacit_records_put(e, name, tacit_bytes(NULL, 0));
}

static enum tacit_err put_key_package(struct tacit_engine *e, struct tacit_key_package *k)
{
	char name[NAME_BYTES];
	struct tacit_buf plain = {0};
	struct tacit_writer w = begin_record(&plain, TYPE_KEY_PACKAGE);
	tacit_write_raw(&w, tacit_bytes(k->id, sizeof(k->id)));
	tacit_write_u8(&w, k->last_resort);
	tacit_write_u8(&w, k->offered);
	tacit_write_u64(&w, (uint64_t)k->made_at);
	tacit_write_vec32(&w, tacit_buf_view(&k->secret));
	key_package_name(k, name);
	k->dirty = false;
	return put_record(e, name, &w, &plain);
}

enum tacit_err tacit_records_delete_key_package(
        struct tacit_engine *e, const struct tacit_key_package *k)
{
	char name[NAME_BYTES];
	key_package_name(k, name);
	e->changed = true;
	return tacit_records_put(e, name, tacit_bytes(NULL, 0));
}

static enum tacit_err put_outgoing(struct tacit_engine *e, struct tacit_outgoing *o)
{
	char name[NAME_BYTES];
	struct tacit_buf plain = {0};
	/* A draft and what becomes of it are one record: sealing replaces it. */
	struct tacit_writer w = begin_record(&plain, o->draft != 0 ? TYPE_DRAFT : TYPE_OUTGOING);
	tacit_write_vec8(&w, tacit_cstr(o->client_id));
	tacit_write_u64(&w, o->conversation);
	if (o->draft != 0)
		tacit_write_u64(&w, o->draft);
	tacit_write_vec32(&w, tacit_buf_view(o->draft != 0 ? &o->readers : &o->envelope));
	tacit_write_vec32(&w, tacit_buf_view(&o->content));
	outgoing_name(o, name);
	o->dirty = false;
	return put_record(e, name, &w, &plain);
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
	struct tacit_writer w = begin_record(&plain, TYPE_LIFETIME);
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
	numbered_name("lifetime", c->id, name);
	c->life.dirty = false;
	return put_record(e, name, &w, &plain);
}

enum tacit_err tacit_records_drop_conversation(struct tacit_engine *e, uint64_t conversation)
{
	static const char *const kinds[] = {
	        "conversation", "group", "tree", "commit", "name", "receipts", "lifetime"};
	enum tacit_err err = TACIT_OK;
	char name[NAME_BYTES];
	for (size_t i = 0; i < TACIT_COUNT(kinds) && err == TACIT_OK; i++) {
		numbered_name(kinds[i], conversation, name);
		err = tacit_records_put(e, name, tacit_bytes(NULL, 0));
	}
	return err;
}

static enum tacit_err flush_conversation(struct tacit_engine *e, struct tacit_conversation *c)
{
	enum tacit_err err = TACIT_OK;
	if (c->dirty)
		TRY(put_conversation(e, c));
	if (c->group_dirty)
		TRY(put_group(e, c));
	if (c->pending_dirty)
		TRY(put_pending(e, c));
	if (c->name_dirty)
		TRY(put_name(e, c));
	if (c->receipts.dirty)
		TRY(put_receipts(e, c));
	for (struct tacit_sent *s = c->receipts.sent; s != NULL; s = s->next)
		if (s->dirty)
			TRY(put_sent(e, c, s));
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
			TRY(put_key_package(e, k));
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
	numbered_name("conversation", id, name);
out:
	tacit_free(members);
	return err;
}

static enum tacit_err replace_stored(struct tacit_buf *to, struct tacit_bytes from)
{
	tacit_buf_clear(to);
	return tacit_buf_append(to, from);
}

static void read_place(struct tacit_reader *r, struct tacit_conversation *c)
{
	c->seen = tacit_read_u64(r);
	c->own_last = tacit_read_u64(r);
	c->event_slot = tacit_read_u8(r);
	c->joined = tacit_read_u64(r);
	c->rejoined = tacit_read_u64(r);
	c->epoch_seen = tacit_read_u64(r);
	c->gap_epoch = tacit_read_u64(r);
	c->stray = tacit_read_u8(r) != 0;
	for (size_t i = 0; i < MAX_SILENT; i++)
		c->silent[i] = tacit_read_u64(r);
	c->silent_next = (uint8_t)(tacit_read_u8(r) % MAX_SILENT);
}

/* Loaded when it is used: both parts are needed for that. */
static enum tacit_err decode_group(
        struct tacit_engine *e, struct tacit_reader *r, char name[NAME_BYTES])
{
	enum tacit_err err;
	struct tacit_conversation seen = {.id = tacit_read_u64(r)}, *c;
	read_place(r, &seen);
	struct tacit_bytes state = tacit_read_vec32(r, MAX_STATE);
	TRY(tacit_reader_end(r));
	TRY(tacit_conversation_get(e, seen.id, &c));
	TRY(replace_stored(&c->stored_state, state));
	c->seen = seen.seen;
	c->own_last = seen.own_last;
	c->event_slot = seen.event_slot;
	c->joined = seen.joined;
	c->rejoined = seen.rejoined;
	c->epoch_seen = seen.epoch_seen;
	c->gap_epoch = seen.gap_epoch;
	c->stray = seen.stray;
	memcpy(c->silent, seen.silent, sizeof(c->silent));
	c->silent_next = seen.silent_next;
	numbered_name("group", c->id, name);
out:
	return err;
}

static enum tacit_err decode_tree(
        struct tacit_engine *e, struct tacit_reader *r, char name[NAME_BYTES])
{
	enum tacit_err err;
	struct tacit_conversation *c;
	uint64_t id = tacit_read_u64(r);
	struct tacit_bytes tree = tacit_read_vec32(r, MAX_STATE);
	TRY(tacit_reader_end(r));
	TRY(tacit_conversation_get(e, id, &c));
	TRY(replace_stored(&c->stored_tree, tree));
	numbered_name("tree", id, name);
out:
	return err;
}

static enum tacit_err read_joiners(struct tacit_reader *r, struct tacit_pending_commit *p)
{
	size_t count = tacit_read_u32(r);
	if (count > r->rest.n / TACIT_DEVICE_ID_BYTES)
		tacit_reader_fail(r, TACIT_E_MALFORMED);
	if (r->err != TACIT_OK)
		return r->err;
	p->joiners = tacit_calloc(count + 1, sizeof(*p->joiners));
	if (p->joiners == NULL)
		return TACIT_E_NOMEM;
	p->joiner_count = count;
	for (size_t i = 0; i < count; i++)
		tacit_read_into(r, p->joiners[i].b, sizeof(p->joiners[i].b));
	return tacit_reader_end(r);
}

static enum tacit_err decode_commit(
        struct tacit_engine *e, struct tacit_reader *r, char name[NAME_BYTES])
{
	enum tacit_err err;
	struct tacit_conversation *c;
	struct tacit_pending_commit *p = tacit_calloc(1, sizeof(*p));
	if (p == NULL)
		return TACIT_E_NOMEM;
	uint64_t id = tacit_read_u64(r);
	struct tacit_bytes client_id = tacit_read_vec8(r, CLIENT_ID_CHARS - 1);
	p->epoch = tacit_read_u64(r);
	p->external = tacit_read_u8(r) != 0;
	struct tacit_bytes commit = tacit_read_vec32(r, TACIT_MAX_COMMIT);
	struct tacit_bytes welcome = tacit_read_vec32(r, TACIT_MAX_GROUP_INFO);
	struct tacit_bytes info = tacit_read_vec32(r, TACIT_MAX_GROUP_INFO);
	TRY(read_joiners(r, p));
	if (client_id.n > 0)
		memcpy(p->client_id, client_id.p, client_id.n);
	TRY(tacit_buf_append(&p->commit, commit));
	TRY(tacit_buf_append(&p->welcome, welcome));
	TRY(tacit_buf_append(&p->group_info, info));
	TRY(tacit_conversation_get(e, id, &c));
	tacit_pending_free(c->pending);
	c->pending = p;
	p = NULL;
	numbered_name("commit", id, name);
out:
	tacit_pending_free(p);
	return err;
}

static enum tacit_err decode_name(
        struct tacit_engine *e, struct tacit_reader *r, char name[NAME_BYTES])
{
	enum tacit_err err;
	struct tacit_conversation *c;
	uint64_t id = tacit_read_u64(r);
	struct tacit_bytes own = tacit_read_vec16(r, 4 * TACIT_MAX_CONVERSATION_NAME);
	bool due = tacit_read_u8(r) != 0, kept = tacit_read_u8(r) != 0;
	TRY(tacit_reader_end(r));
	TRY(tacit_conversation_get(e, id, &c));
	tacit_buf_clear(&c->name);
	TRY(tacit_buf_append(&c->name, own));
	c->name_due = due && own.n > 0;
	c->name_kept = kept;
	numbered_name("name", id, name);
out:
	return err;
}

static void read_print(struct tacit_reader *r, struct tacit_print *p)
{
	p->epoch = tacit_read_u64(r);
	tacit_read_into(r, p->fingerprint, sizeof(p->fingerprint));
}

static size_t read_count(struct tacit_reader *r, size_t max)
{
	size_t count = tacit_read_u8(r);
	if (count > max)
		tacit_reader_fail(r, TACIT_E_MALFORMED);
	return r->err == TACIT_OK ? count : 0;
}

static enum tacit_err decode_receipts(
        struct tacit_engine *e, struct tacit_reader *r, char name[NAME_BYTES])
{
	enum tacit_err err;
	struct tacit_conversation *c;
	struct tacit_receipts got = {0};
	uint64_t id = tacit_read_u64(r);
	got.lost_count = read_count(r, MAX_LOST);
	for (size_t i = 0; i < got.lost_count; i++) {
		got.lost[i].message = tacit_read_u64(r);
		read_print(r, &got.lost[i].at);
		got.lost[i].asked = tacit_read_u8(r) != 0;
	}
	got.wanted_count = read_count(r, MAX_LOST);
	for (size_t i = 0; i < got.wanted_count; i++)
		got.wanted[i] = tacit_read_u64(r);
	got.print_count = read_count(r, MAX_PRINTS);
	for (size_t i = 0; i < got.print_count; i++)
		read_print(r, &got.prints[i]);
	read_print(r, &got.astray);
	TRY(tacit_reader_end(r));
	TRY(tacit_conversation_get(e, id, &c));
	got.sent = c->receipts.sent;
	c->receipts = got;
	numbered_name("receipts", id, name);
out:
	return err;
}

static enum tacit_err decode_sent(
        struct tacit_engine *e, struct tacit_reader *r, char name[NAME_BYTES])
{
	enum tacit_err err;
	struct tacit_conversation *c;
	uint64_t id = tacit_read_u64(r), message = tacit_read_u64(r);
	bool again = tacit_read_u8(r) != 0;
	struct tacit_bytes content = tacit_read_vec32(r, TACIT_MAX_CONTENT);
	TRY(tacit_reader_end(r));
	TRY(tacit_conversation_get(e, id, &c));
	TRY(tacit_sent_add(e, c, message, content));
	for (struct tacit_sent *s = c->receipts.sent; s != NULL; s = s->next) {
		s->again |= again && s->message == message;
		s->dirty &= s->message != message;
	}
	sent_name(id, message, name);
out:
	return err;
}

static enum tacit_err decode_key_package(
        struct tacit_engine *e, struct tacit_reader *r, char name[NAME_BYTES])
{
	enum tacit_err err;
	struct tacit_key_package k = {0};
	tacit_read_into(r, k.id, sizeof(k.id));
	k.last_resort = tacit_read_u8(r) != 0;
	k.offered = tacit_read_u8(r) != 0;
	k.made_at = (int64_t)tacit_read_u64(r);
	struct tacit_bytes secret = tacit_read_vec32(r, UINT16_MAX);
	TRY(tacit_reader_end(r));
	if (k.made_at < 0 || k.made_at > TACIT_MAX_INTEGER)
		TRY(TACIT_E_MALFORMED);
	TRY(tacit_buf_append(&k.secret, secret));
	key_package_name(&k, name);
	TRY(tacit_key_package_add(e, &k));
	k.secret = (struct tacit_buf){0};
out:
	tacit_buf_clear(&k.secret);
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
	TRY(tacit_reader_end(r));
	struct tacit_conversation *c;
	TRY(tacit_conversation_get(e, id, &c));
	tacit_free(c->life.spans);
	c->life = life;
	life.spans = NULL;
	numbered_name("lifetime", id, name);
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
		TRY(decode_group(e, &r, fixed));
		break;
	case TYPE_OUTGOING:
	case TYPE_DRAFT:
		TRY(decode_outgoing(e, &r, type == TYPE_DRAFT, fixed));
		break;
	case TYPE_LIFETIME:
		TRY(decode_lifetime(e, &r, fixed));
		break;
	case TYPE_TREE:
		TRY(decode_tree(e, &r, fixed));
		break;
	case TYPE_COMMIT:
		TRY(decode_commit(e, &r, fixed));
		break;
	case TYPE_NAME:
		TRY(decode_name(e, &r, fixed));
		break;
	case TYPE_RECEIPTS:
		TRY(decode_receipts(e, &r, fixed));
		break;
	case TYPE_SENT:
		TRY(decode_sent(e, &r, fixed));
		break;
	case TYPE_KEY_PACKAGE:
		TRY(decode_key_package(e, &r, fixed));
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
