/* records_group.c - records of groups: where this device is in them, what waits, what is kept. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "crypto/encoding.h"
#include "engine/changes_int.h"
#include "engine/records_int.h"
#include "wire/names.h"

#define MAX_STATE (64 * 1024 * 1024)

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
	struct tacit_writer w = tacit_record_begin(&plain, TYPE_TREE);
	TRY(tacit_group_save_tree(c->group, &tree));
	tacit_write_u64(&w, c->id);
	tacit_write_vec32(&w, tacit_buf_view(&tree));
	tacit_record_numbered("tree", c->id, name);
	TRY(tacit_record_put(e, name, &w, &plain));
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
	struct tacit_writer w = tacit_record_begin(&plain, TYPE_GROUP);
	if (c->group != NULL)
		TRY(tacit_group_save_state(c->group, &state));
	write_place(&w, c);
	tacit_write_vec32(&w, tacit_buf_view(c->group != NULL ? &state : &c->stored_state));
	tacit_write_u64(&w, c->silent_more);
	tacit_write_u64(&w, c->silent_more_last);
	tacit_record_numbered("group", c->id, name);
	TRY(tacit_record_put(e, name, &w, &plain));
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
	tacit_record_numbered("commit", c->id, name);
	c->pending_dirty = false;
	if (p == NULL)
		return tacit_records_put(e, name, tacit_bytes(NULL, 0));
	struct tacit_writer w = tacit_record_begin(&plain, TYPE_COMMIT);
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
	return tacit_record_put(e, name, &w, &plain);
}

static enum tacit_err put_name(struct tacit_engine *e, struct tacit_conversation *c)
{
	char name[NAME_BYTES];
	struct tacit_buf plain = {0};
	struct tacit_writer w = tacit_record_begin(&plain, TYPE_NAME);
	tacit_write_u64(&w, c->id);
	tacit_write_vec16(&w, tacit_buf_view(&c->name));
	tacit_write_u8(&w, c->name_due);
	tacit_write_u8(&w, c->name_kept);
	tacit_record_numbered("name", c->id, name);
	c->name_dirty = false;
	return tacit_record_put(e, name, &w, &plain);
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
	struct tacit_writer w = tacit_record_begin(&plain, TYPE_RECEIPTS);
	tacit_write_u64(&w, c->id);
	tacit_write_u8(&w, (uint8_t)r->lost_count);
	for (size_t i = 0; i < r->lost_count; i++) {
		tacit_write_u64(&w, r->lost[i].message);
		write_print(&w, &r->lost[i].at);
		tacit_write_u8(&w, r->lost[i].asks);
		tacit_write_u64(&w, r->lost[i].asked_in);
	}
	tacit_write_u8(&w, (uint8_t)r->wanted_count);
	for (size_t i = 0; i < r->wanted_count; i++)
		tacit_write_u64(&w, r->wanted[i]);
	tacit_write_u8(&w, (uint8_t)r->print_count);
	for (size_t i = 0; i < r->print_count; i++)
		write_print(&w, &r->prints[i]);
	write_print(&w, &r->astray);
	for (size_t i = 0; i < r->lost_count; i++) {
		tacit_write_vec8(&w, tacit_name_view(&r->lost[i].by));
		tacit_write_u64(&w, (uint64_t)r->lost[i].time);
	}
	tacit_record_numbered("receipts", c->id, name);
	r->dirty = false;
	return tacit_record_put(e, name, &w, &plain);
}

static enum tacit_err put_sent(
        struct tacit_engine *e, const struct tacit_conversation *c, struct tacit_sent *s)
{
	char name[NAME_BYTES];
	struct tacit_buf plain = {0};
	struct tacit_writer w = tacit_record_begin(&plain, TYPE_SENT);
	tacit_write_u64(&w, c->id);
	tacit_write_u64(&w, s->message);
	tacit_write_u8(&w, s->again);
	tacit_write_vec32(&w, tacit_buf_view(&s->content));
	sent_name(c->id, s->message, name);
	s->dirty = false;
	return tacit_record_put(e, name, &w, &plain);
}

enum tacit_err tacit_records_delete_sent(
        struct tacit_engine *e, const struct tacit_conversation *c, const struct tacit_sent *s)
{
	char name[NAME_BYTES];
	sent_name(c->id, s->message, name);
	e->changed = true;
	return tacit_records_put(e, name, tacit_bytes(NULL, 0));
}

static void change_name(uint64_t conversation, uint64_t id, char out[NAME_BYTES])
{
	snprintf(out, NAME_BYTES, "change:%" PRIu64 ":%" PRIu64, conversation, id);
}

static enum tacit_err put_change(
        struct tacit_engine *e, const struct tacit_conversation *c, struct tacit_change *change)
{
	char name[NAME_BYTES];
	struct tacit_buf plain = {0};
	struct tacit_writer w = tacit_record_begin(&plain, TYPE_CHANGE);
	tacit_write_u64(&w, c->id);
	tacit_write_u64(&w, change->id);
	tacit_write_u8(&w, change->waits);
	tacit_write_vec8(&w, tacit_name_view(&change->by));
	tacit_write_vec32(&w, tacit_buf_view(&change->content));
	change_name(c->id, change->id, name);
	change->dirty = false;
	return tacit_record_put(e, name, &w, &plain);
}

enum tacit_err tacit_records_delete_change(struct tacit_engine *e,
        const struct tacit_conversation *c, const struct tacit_change *change)
{
	char name[NAME_BYTES];
	change_name(c->id, change->id, name);
	e->changed = true;
	return tacit_records_put(e, name, tacit_bytes(NULL, 0));
}

enum tacit_err tacit_record_put_key_package(struct tacit_engine *e, struct tacit_key_package *k)
{
	char name[NAME_BYTES];
	struct tacit_buf plain = {0};
	struct tacit_writer w = tacit_record_begin(&plain, TYPE_KEY_PACKAGE);
	tacit_write_raw(&w, tacit_bytes(k->id, sizeof(k->id)));
	tacit_write_u8(&w, k->last_resort);
	tacit_write_u8(&w, k->offered);
	tacit_write_u64(&w, (uint64_t)k->made_at);
	tacit_write_vec32(&w, tacit_buf_view(&k->secret));
	key_package_name(k, name);
	k->dirty = false;
	return tacit_record_put(e, name, &w, &plain);
}

enum tacit_err tacit_records_delete_key_package(
        struct tacit_engine *e, const struct tacit_key_package *k)
{
	char name[NAME_BYTES];
	key_package_name(k, name);
	e->changed = true;
	return tacit_records_put(e, name, tacit_bytes(NULL, 0));
}

enum tacit_err tacit_records_flush_group(struct tacit_engine *e, struct tacit_conversation *c)
{
	enum tacit_err err = TACIT_OK;
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
	for (struct tacit_change *change = c->changes; change != NULL; change = change->next)
		if (change->dirty)
			TRY(put_change(e, c, change));
out:
	return err;
}

/* --- back ---------------------------------------------------------------------------------------
 */

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
enum tacit_err tacit_record_read_group(
        struct tacit_engine *e, struct tacit_reader *r, char name[NAME_BYTES])
{
	enum tacit_err err;
	struct tacit_conversation seen = {.id = tacit_read_u64(r)}, *c;
	read_place(r, &seen);
	struct tacit_bytes state = tacit_read_vec32(r, MAX_STATE);
	if (r->rest.n > 0) { /* the first stores counted no more than they could name */
		seen.silent_more = tacit_read_u64(r);
		seen.silent_more_last = tacit_read_u64(r);
	}
	TRY(tacit_reader_end(r));
	TRY(tacit_conversation_get(e, seen.id, &c));
	TRY(replace_stored(&c->stored_state, state));
	c->silent_more = seen.silent_more;
	c->silent_more_last = seen.silent_more_last;
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
	tacit_record_numbered("group", c->id, name);
out:
	return err;
}

enum tacit_err tacit_record_read_tree(
        struct tacit_engine *e, struct tacit_reader *r, char name[NAME_BYTES])
{
	enum tacit_err err;
	struct tacit_conversation *c;
	uint64_t id = tacit_read_u64(r);
	struct tacit_bytes tree = tacit_read_vec32(r, MAX_STATE);
	TRY(tacit_reader_end(r));
	TRY(tacit_conversation_get(e, id, &c));
	TRY(replace_stored(&c->stored_tree, tree));
	tacit_record_numbered("tree", id, name);
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

enum tacit_err tacit_record_read_commit(
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
	tacit_record_numbered("commit", id, name);
out:
	tacit_pending_free(p);
	return err;
}

enum tacit_err tacit_record_read_name(
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
	tacit_record_numbered("name", id, name);
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

static void read_sender(struct tacit_reader *r, struct tacit_name *out)
{
	struct tacit_bytes name = tacit_read_vec8(r, TACIT_MAX_USERNAME);
	if (r->err == TACIT_OK && tacit_username_valid(name))
		tacit_name_set(out, name);
}

static void read_senders(struct tacit_reader *r, struct tacit_receipts *out)
{
	for (size_t i = 0; i < out->lost_count; i++) {
		read_sender(r, &out->lost[i].by);
		out->lost[i].time = (int64_t)tacit_read_u64(r);
	}
}

enum tacit_err tacit_record_read_receipts(
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
		got.lost[i].asks = tacit_read_u8(r);
		got.lost[i].asked_in = tacit_read_u64(r);
	}
	got.wanted_count = read_count(r, MAX_LOST);
	for (size_t i = 0; i < got.wanted_count; i++)
		got.wanted[i] = tacit_read_u64(r);
	got.print_count = read_count(r, MAX_PRINTS);
	for (size_t i = 0; i < got.print_count; i++)
		read_print(r, &got.prints[i]);
	read_print(r, &got.astray);
	if (r->rest.n > 0) /* the first stores did not say whose */
		read_senders(r, &got);
	TRY(tacit_reader_end(r));
	TRY(tacit_conversation_get(e, id, &c));
	got.sent = c->receipts.sent;
	c->receipts = got;
	tacit_record_numbered("receipts", id, name);
out:
	return err;
}

enum tacit_err tacit_record_read_sent(
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

enum tacit_err tacit_record_read_change(
        struct tacit_engine *e, struct tacit_reader *r, char name[NAME_BYTES])
{
	enum tacit_err err;
	struct tacit_conversation *c;
	struct tacit_change seen = {0};
	struct tacit_content said = {0};
	uint64_t id = tacit_read_u64(r);
	seen.id = tacit_read_u64(r);
	seen.waits = tacit_read_u8(r) != 0;
	read_sender(r, &seen.by);
	struct tacit_bytes content = tacit_read_vec32(r, TACIT_MAX_CONTENT);
	TRY(tacit_reader_end(r));
	TRY(tacit_content_decode(content, &said));
	if (!tacit_content_is_change(&said) || seen.by.c[0] == 0 || said.message >= seen.id)
		TRY(TACIT_E_MALFORMED);
	seen.message = said.message;
	TRY(tacit_buf_append(&seen.content, content));
	TRY(tacit_conversation_get(e, id, &c));
	TRY(tacit_change_restore(c, &seen));
	change_name(id, seen.id, name);
out:
	tacit_buf_clear(&seen.content);
	return err;
}

enum tacit_err tacit_record_read_key_package(
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
