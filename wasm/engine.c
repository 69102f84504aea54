#include "engine/engine.h"

#include <math.h>

#include "base/alloc.h"
#include "wasm/abi.h"
#include "wasm/codec.h"
#include "wasm/room.h"

/* HttpOnly: the browser has the real one (abi.h). */
static const struct tacit_bytes placeholder_name = {(const uint8_t *)"tacit_session", 13};
static const struct tacit_bytes placeholder = {(const uint8_t *)"the browser's", 13};

static enum tacit_err give_engine(enum tacit_err made, struct tacit_engine *e)
{
	enum tacit_err err = made == TACIT_OK ? tacit_wasm_give_handle(e) : made;
	if (err != TACIT_OK)
		tacit_engine_free(e);
	return err;
}

enum tacit_err tacit_wasm_engine_create(void)
{
	struct tacit_engine *e = NULL;
	return give_engine(tacit_engine_new(tacit_wasm_env(), &e), e);
}

enum tacit_err tacit_wasm_engine_open(const uint8_t *profile, size_t n)
{
	struct tacit_engine *e = NULL;
	return give_engine(tacit_engine_open(tacit_wasm_env(), tacit_bytes(profile, n), &e), e);
}

void tacit_wasm_engine_free(struct tacit_engine *e)
{
	tacit_engine_free(e);
}

enum tacit_err tacit_wasm_engine_unlock(struct tacit_engine *e, const uint8_t *password, size_t n)
{
	return tacit_engine_unlock(e, tacit_bytes(password, n));
}

enum tacit_err tacit_wasm_engine_unlock_with_secret(
        struct tacit_engine *e, const uint8_t *secret, size_t n)
{
	return tacit_engine_unlock_with_secret(e, tacit_bytes(secret, n));
}

enum tacit_err tacit_wasm_engine_account_secret(struct tacit_engine *e)
{
	return tacit_wasm_give(tacit_engine_account_secret(e));
}

enum tacit_err tacit_wasm_engine_restore(struct tacit_engine *e, const uint8_t *record, size_t n)
{
	struct tacit_record_id id;
	struct tacit_reader r = tacit_reader(tacit_bytes(record, n));
	tacit_read_into(&r, id.b, sizeof(id.b));
	return r.err != TACIT_OK ? r.err : tacit_engine_restore(e, &id, r.rest);
}

/* --- steps ----------------------------------------------------------------------------------- */

/* A step that cannot be told is one that did not happen: the host throws the engine away, as it
 * does when a step cannot be persisted. */
static enum tacit_err give_step(enum tacit_err done, const uint64_t *op, struct tacit_effects *fx)
{
	enum tacit_err err = done;
	struct tacit_writer w = tacit_writer(tacit_wasm_begin());
	if (err == TACIT_OK) {
		if (op != NULL)
			tacit_write_u64(&w, *op);
		tacit_write_effects(&w, fx);
		err = tacit_writer_finish(&w);
	}
	tacit_effects_clear(fx);
	return err;
}

enum tacit_err tacit_wasm_engine_command(struct tacit_engine *e, const uint8_t *command, size_t n)
{
	uint64_t op = 0;
	struct tacit_said said;
	struct tacit_effects fx = {0};
	enum tacit_err err = tacit_read_command(tacit_bytes(command, n), &said);
	if (err == TACIT_OK)
		err = tacit_engine_command(e, &said.command, &op, &fx);
	tacit_said_clear(&said);
	return give_step(err, &op, &fx);
}

enum tacit_err tacit_wasm_engine_answer(
        struct tacit_engine *e, uint64_t request, int status, const uint8_t *body, size_t n)
{
	struct tacit_effects fx = {0};
	struct tacit_http_answer a = {.status = status, .body = tacit_bytes(body, n)};
	if (status >= 200 && status <= 299) {
		a.cookie_name = placeholder_name;
		a.cookie = placeholder;
	}
	return give_step(tacit_engine_answer(e, request, &a, &fx), NULL, &fx);
}

enum tacit_err tacit_wasm_engine_recalled(
        struct tacit_engine *e, uint64_t request, const uint8_t *sealed, size_t n)
{
	struct tacit_effects fx = {0};
	return give_step(tacit_engine_recalled(e, request, tacit_bytes(sealed, n), &fx), NULL, &fx);
}

enum tacit_err tacit_wasm_engine_live_up(struct tacit_engine *e)
{
	struct tacit_effects fx = {0};
	return give_step(tacit_engine_live_up(e, &fx), NULL, &fx);
}

void tacit_wasm_engine_live_down(struct tacit_engine *e)
{
	tacit_engine_live_down(e);
}

enum tacit_err tacit_wasm_engine_live_event(struct tacit_engine *e, const uint8_t *event, size_t n)
{
	struct tacit_effects fx = {0};
	struct tacit_reader r = tacit_reader(tacit_bytes(event, n));
	struct tacit_bytes name = tacit_read_vec32(&r, n);
	struct tacit_bytes body = tacit_read_vec32(&r, n);
	enum tacit_err err = tacit_reader_end(&r);
	if (err == TACIT_OK)
		err = tacit_engine_live_event(e, name, body, &fx);
	return give_step(err, NULL, &fx);
}

enum tacit_err tacit_wasm_engine_tick(struct tacit_engine *e)
{
	struct tacit_effects fx = {0};
	return give_step(tacit_engine_tick(e, &fx), NULL, &fx);
}

enum tacit_err tacit_wasm_engine_note_put(struct tacit_engine *e, const uint8_t *note, size_t n)
{
	struct tacit_effects fx = {0};
	struct tacit_reader r = tacit_reader(tacit_bytes(note, n));
	struct tacit_bytes name = tacit_read_vec32(&r, n);
	struct tacit_bytes value = tacit_read_vec32(&r, n);
	enum tacit_err err = tacit_reader_end(&r);
	if (err == TACIT_OK)
		err = tacit_engine_note_put(e, name, value, &fx);
	return give_step(err, NULL, &fx);
}

/* --- what is known --------------------------------------------------------------------------- */

double tacit_wasm_engine_due(const struct tacit_engine *e)
{
	int64_t due = tacit_engine_due(e);
	return due == INT64_MAX ? INFINITY : (double)due;
}

unsigned tacit_wasm_engine_state(const struct tacit_engine *e)
{
	return (tacit_engine_has_account(e) ? TACIT_WASM_ACCOUNT : 0u) |
	       (tacit_engine_locked(e) ? TACIT_WASM_LOCKED : 0u) |
	       (tacit_engine_logged_in(e) ? TACIT_WASM_LOGGED_IN : 0u);
}

enum tacit_err tacit_wasm_engine_username(const struct tacit_engine *e)
{
	return tacit_wasm_give(tacit_engine_username(e));
}

enum tacit_err tacit_wasm_engine_log_tag(const struct tacit_engine *e, uint64_t conversation)
{
	struct tacit_record_id tag;
	tacit_engine_log_tag(e, conversation, &tag);
	return tacit_wasm_give(tacit_bytes(tag.b, sizeof(tag.b)));
}

enum tacit_err tacit_wasm_engine_log_open(struct tacit_engine *e, const uint8_t *entry, size_t n)
{
	enum tacit_err err;
	struct tacit_notice notice = {0};
	struct tacit_buf room = {0};
	struct tacit_record_id tag;
	struct tacit_reader r = tacit_reader(tacit_bytes(entry, n));
	tacit_read_into(&r, tag.b, sizeof(tag.b));
	uint64_t position = tacit_read_u64(&r);
	TRY(r.err);
	TRY(tacit_engine_log_open(e, &tag, position, r.rest, &notice, &room));
	struct tacit_writer w = tacit_writer(tacit_wasm_begin());
	tacit_write_notice(&w, &notice);
	TRY(tacit_writer_finish(&w));
out:
	tacit_content_wipe(&notice.content);
	tacit_buf_clear(&room);
	return err;
}

struct list {
	struct tacit_writer w;
	uint32_t count;
};

static void begin_list(struct list *list)
{
	*list = (struct list){.w = tacit_writer(tacit_wasm_begin())};
	tacit_write_u32(&list->w, 0);
}

static void add(void *ctx, const struct tacit_notice *n)
{
	struct list *list = ctx;
	tacit_write_notice(&list->w, n);
	list->count++;
}

/* The count stands at the beginning, and is known at the end. */
static enum tacit_err end_list(struct list *list)
{
	enum tacit_err err = tacit_writer_finish(&list->w);
	for (size_t i = 0; err == TACIT_OK && i < 4; i++)
		list->w.out->p[i] = (uint8_t)(list->count >> (24 - 8 * i));
	return err;
}

enum tacit_err tacit_wasm_engine_conversations(const struct tacit_engine *e)
{
	struct list list;
	begin_list(&list);
	tacit_engine_each_conversation(e, add, &list);
	return end_list(&list);
}

enum tacit_err tacit_wasm_engine_outgoing(const struct tacit_engine *e)
{
	struct list list;
	begin_list(&list);
	enum tacit_err err = tacit_engine_each_outgoing(e, add, &list);
	return err != TACIT_OK ? err : end_list(&list);
}

enum tacit_err tacit_wasm_engine_note_get(
        const struct tacit_engine *e, const uint8_t *name, size_t n)
{
	return tacit_engine_note_get(e, tacit_bytes(name, n), tacit_wasm_begin());
}
