/* log.c - the history: notices, sealed, each bound to its conversation and its place.
 *
 * A message id has EVENT_SLOTS places: 0 what is missing before it, 1 the message or its refusal,
 * 2 and up what happened after it (a changed key, a new member, a warning). When the places of one
 * message are used up, further events are told but not kept. The message itself is rewritten when
 * its text changes, when somebody reacts, and when it is taken back (changes.c). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/reader.h"
#include "base/writer.h"
#include "engine/changes_int.h"

#define LOG_FIRST 1
#define LOG_VERSION 2 /* with reactions */
#define MAX_REACTIONS_BYTES (1024 * 1024)

static void entry_id(const struct tacit_engine *e, const struct tacit_record_id *tag,
        uint64_t position, struct tacit_record_id *out)
{
	static const char label[] = "log-entry:";
	uint8_t name[sizeof(label) - 1 + TACIT_RECORD_ID_BYTES + 8];
	memcpy(name, label, sizeof(label) - 1);
	memcpy(name + sizeof(label) - 1, tag->b, TACIT_RECORD_ID_BYTES);
	for (size_t i = 0; i < 8; i++)
		name[sizeof(name) - 1 - i] = (uint8_t)(position >> (8 * i));
	tacit_record_id(e->store_key.p, tacit_bytes(name, sizeof(name)), out);
}

void tacit_engine_log_tag(
        const struct tacit_engine *e, uint64_t conversation, struct tacit_record_id *out)
{
	char name[40];
	*out = (struct tacit_record_id){0};
	if (!e->unlocked)
		return;
	snprintf(name, sizeof(name), "log:%" PRIu64, conversation);
	tacit_record_id(e->store_key.p, tacit_cstr(name), out);
}

enum tacit_err tacit_entry_encode(const struct tacit_entry *entry, struct tacit_buf *out)
{
	enum tacit_err err;
	struct tacit_buf content = {0};
	const struct tacit_notice *n = &entry->n;
	if (n->content.kind != 0)
		TRY(tacit_content_encode(&n->content, &content));
	struct tacit_writer w = tacit_writer(out);
	tacit_write_u8(&w, LOG_VERSION);
	tacit_write_u8(&w, (uint8_t)n->kind);
	tacit_write_u8(&w, n->flag);
	tacit_write_u32(&w, (uint32_t)n->err);
	tacit_write_u64(&w, n->conversation);
	tacit_write_u64(&w, n->message);
	tacit_write_u64(&w, n->count);
	tacit_write_u64(&w, (uint64_t)n->time);
	tacit_write_vec8(&w, n->username);
	tacit_write_vec16(&w, n->text);
	tacit_write_vec32(&w, tacit_buf_view(&content));
	tacit_write_vec32(&w, entry->reactions);
	TRY(tacit_writer_finish(&w));
out:
	tacit_buf_clear(&content);
	return err;
}

static bool is_kept(uint8_t kind)
{
	return kind <= TACIT_NOTICE_EXPIRY || kind == TACIT_NOTICE_DELETED;
}

enum tacit_err tacit_entry_decode(struct tacit_bytes plain, struct tacit_entry *out)
{
	enum tacit_err err;
	*out = (struct tacit_entry){0};
	struct tacit_entry entry = {0};
	struct tacit_notice *n = &entry.n;
	struct tacit_reader r = tacit_reader(plain);
	uint8_t version = tacit_read_u8(&r);
	uint8_t kind = tacit_read_u8(&r);
	if (version < LOG_FIRST || version > LOG_VERSION || !is_kept(kind))
		tacit_reader_fail(&r, TACIT_E_MALFORMED);
	n->kind = (enum tacit_notice_kind)kind;
	n->flag = tacit_read_u8(&r) != 0;
	n->err = (enum tacit_err)tacit_read_u32(&r);
	n->conversation = tacit_read_u64(&r);
	n->message = tacit_read_u64(&r);
	n->count = tacit_read_u64(&r);
	n->time = (int64_t)tacit_read_u64(&r);
	n->username = tacit_read_vec8(&r, TACIT_MAX_USERNAME);
	n->text = tacit_read_vec16(&r, UINT16_MAX);
	struct tacit_bytes content = tacit_read_vec32(&r, TACIT_MAX_ENVELOPE);
	if (version > LOG_FIRST)
		entry.reactions = tacit_read_vec32(&r, MAX_REACTIONS_BYTES);
	TRY(tacit_reader_end(&r));
	TRY(tacit_reactions_valid(entry.reactions) ? TACIT_OK : TACIT_E_MALFORMED);
	if (content.n > 0)
		TRY(tacit_content_decode(content, &n->content));
	*out = entry;
out:
	tacit_content_wipe(&entry.n.content);
	return err == TACIT_OK ? TACIT_OK : TACIT_E_MALFORMED;
}

static enum tacit_err put(struct tacit_engine *e, const struct tacit_conversation *c,
        uint64_t position, const struct tacit_entry *entry)
{
	enum tacit_err err;
	struct tacit_record_id id;
	struct tacit_effect *fx;
	struct tacit_buf plain = {0};
	TRY(tacit_effects_add(&e->stage[STAGE_STORE], TACIT_EFFECT_LOG, &fx));
	tacit_engine_log_tag(e, c->id, &fx->id);
	fx->position = position;
	entry_id(e, &fx->id, fx->position, &id);
	TRY(tacit_entry_encode(entry, &plain));
	TRY(tacit_record_seal(e->store_key.p, &id, tacit_buf_view(&plain), &e->env, &fx->data));
	e->changed = true;
out:
	tacit_buf_clear(&plain);
	return err;
}

enum tacit_err tacit_log_put(struct tacit_engine *e, const struct tacit_conversation *c,
        uint64_t message, unsigned slot, const struct tacit_notice *n)
{
	struct tacit_entry entry = {.n = *n};
	enum tacit_err err = put(e, c, message * EVENT_SLOTS + slot, &entry);
	tacit_content_wipe(&entry.n.content);
	return err;
}

enum tacit_err tacit_log_purge(struct tacit_engine *e, const struct tacit_conversation *c,
        uint64_t position, uint64_t until)
{
	struct tacit_effect *fx;
	enum tacit_err err = tacit_effects_add(&e->stage[STAGE_STORE], TACIT_EFFECT_PURGE, &fx);
	if (err != TACIT_OK)
		return err;
	tacit_engine_log_tag(e, c->id, &fx->id);
	fx->position = position;
	fx->until = until;
	e->changed = true;
	return TACIT_OK;
}

/* --- an entry that changes -----------------------------------------------------------------------
 */

uint64_t tacit_engine_log_position(uint64_t message)
{
	return message * EVENT_SLOTS + LOG_MESSAGE;
}

enum tacit_err tacit_entry_replace(struct tacit_engine *e, const struct tacit_conversation *c,
        uint64_t message, const struct tacit_entry *entry)
{
	enum tacit_err err;
	TRY(tacit_log_purge(e, c, tacit_engine_log_position(message), tacit_engine_log_position(message)));
	if (entry != NULL)
		TRY(put(e, c, tacit_engine_log_position(message), entry));
out:
	return err;
}

enum tacit_err tacit_entry_ask(struct tacit_engine *e, const struct tacit_conversation *c,
        uint64_t message, uint64_t *request)
{
	struct tacit_effect *fx;
	enum tacit_err err = tacit_effects_add(&e->stage[STAGE_OUT], TACIT_EFFECT_RECALL, &fx);
	if (err != TACIT_OK)
		return err;
	tacit_engine_log_tag(e, c->id, &fx->id);
	fx->position = tacit_engine_log_position(message);
	fx->request = *request = ++e->next_recall;
	return TACIT_OK;
}

static enum tacit_err open_entry(struct tacit_engine *e, const struct tacit_record_id *id,
        struct tacit_bytes sealed, struct tacit_entry *out, struct tacit_buf *room)
{
	enum tacit_err err;
	*out = (struct tacit_entry){0};
	tacit_buf_clear(room);
	TRY(tacit_record_open(e->store_key.p, id, sealed, room));
	/* For the reactions as they are shown: the views must not move. */
	TRY(tacit_buf_reserve(room, room->n + 1));
	TRY(tacit_entry_decode(tacit_buf_view(room), out));
out:
	return err;
}

enum tacit_err tacit_entry_open(struct tacit_engine *e, const struct tacit_conversation *c,
        uint64_t message, struct tacit_bytes sealed, struct tacit_entry *out,
        struct tacit_buf *room)
{
	struct tacit_record_id tag, id;
	*out = (struct tacit_entry){0};
	if (sealed.n == 0)
		return TACIT_E_NOT_FOUND;
	tacit_engine_log_tag(e, c->id, &tag);
	entry_id(e, &tag, tacit_engine_log_position(message), &id);
	enum tacit_err err = open_entry(e, &id, sealed, out, room);
	return err == TACIT_OK || err == TACIT_E_NOMEM ? err : TACIT_E_NOT_FOUND;
}

/* --- events --------------------------------------------------------------------------------------
 */

enum tacit_err tacit_log_event(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, const struct tacit_notice *n)
{
	enum tacit_err err;
	if (c->event_slot < LOG_EVENTS)
		c->event_slot = LOG_EVENTS;
	if (c->event_slot < EVENT_SLOTS) {
		TRY(tacit_log_put(e, c, c->seen, c->event_slot, n));
		c->event_slot++;
		c->group_dirty = true;
	}
	TRY(tacit_op_tell(e, op, n));
out:
	return err;
}

enum tacit_err tacit_engine_log_open(struct tacit_engine *e, const struct tacit_record_id *tag,
        uint64_t position, struct tacit_bytes sealed, struct tacit_notice *out,
        struct tacit_buf *room)
{
	enum tacit_err err;
	struct tacit_record_id id;
	struct tacit_entry entry = {0};
	*out = (struct tacit_notice){0};
	if (!e->unlocked)
		return TACIT_E_BAD_SEAL;
	entry_id(e, tag, position, &id);
	TRY(open_entry(e, &id, sealed, &entry, room));
	size_t at = room->n;
	TRY(tacit_reactions_show(entry.reactions, room));
	entry.n.detail = tacit_bytes_part(tacit_buf_view(room), at, room->n - at);
	*out = entry.n;
out:
	tacit_content_wipe(&entry.n.content);
	return err;
}
