/* notes.c - the host's own small records. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/writer.h"
#include "engine/engine_int.h"

static struct tacit_note *find(const struct tacit_engine *e, struct tacit_bytes name)
{
	for (struct tacit_note *n = e->notes; n != NULL; n = n->next)
		if (tacit_bytes_eq(tacit_buf_view(&n->name), name))
			return n;
	return NULL;
}

static void drop(struct tacit_engine *e, const struct tacit_note *gone)
{
	struct tacit_note **at = &e->notes;
	while (*at != NULL && *at != gone)
		at = &(*at)->next;
	struct tacit_note *n = *at;
	if (n == NULL)
		return;
	*at = n->next;
	tacit_buf_clear(&n->name);
	tacit_buf_clear(&n->value);
	tacit_free(n);
	e->note_count--;
}

enum tacit_err tacit_note_set(
        struct tacit_engine *e, struct tacit_bytes name, struct tacit_bytes value)
{
	enum tacit_err err;
	struct tacit_buf copy = {0};
	struct tacit_note *fresh = NULL, *n = find(e, name);
	if (value.n == 0) {
		drop(e, n);
		return TACIT_OK;
	}
	TRY(tacit_buf_append(&copy, value));
	if (n == NULL) {
		if (e->note_count >= MAX_NOTES) {
			err = TACIT_E_LIMIT;
			goto out;
		}
		n = fresh = tacit_calloc(1, sizeof(*fresh));
		err = fresh == NULL ? TACIT_E_NOMEM : tacit_buf_append(&fresh->name, name);
		if (err != TACIT_OK)
			goto out;
		fresh->next = e->notes;
		e->notes = fresh;
		e->note_count++;
		fresh = NULL;
	}
	tacit_buf_clear(&n->value);
	n->value = copy;
	copy = (struct tacit_buf){0};
out:
	tacit_buf_clear(&copy);
	tacit_free(fresh);
	return err;
}

static bool belongs(const struct tacit_note *n, uint64_t conversation)
{
	const uint8_t *colon = memchr(n->name.p, ':', n->name.n);
	if (colon == NULL)
		return false;
	char id[24];
	size_t at = (size_t)(colon - n->name.p) + 1;
	size_t digits = (size_t)snprintf(id, sizeof(id), "%" PRIu64, conversation);
	size_t rest = n->name.n - at;
	return rest >= digits && memcmp(n->name.p + at, id, digits) == 0 &&
	       (rest == digits || n->name.p[at + digits] == ':');
}

static enum tacit_err erase(struct tacit_engine *e, const struct tacit_note *n)
{
	enum tacit_err err;
	struct tacit_buf full = {0};
	TRY(tacit_buf_printf(&full, "note:%.*s", (int)n->name.n, (const char *)n->name.p));
	TRY(tacit_buf_terminate(&full));
	TRY(tacit_records_put(e, (const char *)full.p, tacit_bytes(NULL, 0)));
	drop(e, n);
out:
	tacit_buf_clear(&full);
	return err;
}

enum tacit_err tacit_notes_drop(struct tacit_engine *e, uint64_t conversation)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_note *next;
	for (struct tacit_note *n = e->notes; n != NULL && err == TACIT_OK; n = next) {
		next = n->next;
		if (belongs(n, conversation))
			err = erase(e, n);
	}
	return err;
}

enum tacit_err tacit_engine_note_put(struct tacit_engine *e, struct tacit_bytes name,
        struct tacit_bytes value, struct tacit_effects *fx)
{
	enum tacit_err err;
	struct tacit_buf full = {0}, plain = {0};
	struct tacit_effect *put;
	size_t before = fx->count;
	if (!e->unlocked)
		return TACIT_E_NOT_LOGGED_IN;
	if (name.n == 0 || name.n > 1024 || value.n > 1024 * 1024)
		return TACIT_E_TOO_LARGE;
	TRY(tacit_buf_append(&full, TACIT_STR("note:")));
	TRY(tacit_buf_append(&full, name));
	struct tacit_writer w = tacit_writer(&plain);
	tacit_write_u8(&w, RECORD_VERSION);
	tacit_write_u8(&w, RECORD_NOTE);
	tacit_write_vec16(&w, name);
	tacit_write_vec32(&w, value);
	TRY(tacit_writer_finish(&w));
	TRY(tacit_effects_add(fx, TACIT_EFFECT_PERSIST, &put));
	tacit_record_id(e->store_key.p, tacit_buf_view(&full), &put->id);
	if (value.n > 0)
		TRY(tacit_record_seal(
		        e->store_key.p, &put->id, tacit_buf_view(&plain), &e->env, &put->data));
	TRY(tacit_note_set(e, name, value));
out:
	if (err != TACIT_OK && fx->count > before)
		tacit_buf_clear(&fx->list[--fx->count].data);
	tacit_buf_clear(&full);
	tacit_buf_clear(&plain);
	return err;
}

enum tacit_err tacit_engine_note_get(
        const struct tacit_engine *e, struct tacit_bytes name, struct tacit_buf *value)
{
	const struct tacit_note *n = find(e, name);
	return n == NULL ? TACIT_E_NOT_FOUND : tacit_buf_append(value, tacit_buf_view(&n->value));
}
