/* States: tables, rows and texts. */
#include <string.h>

#include "base/alloc.h"
#include "server/store/memory_int.h"

static int compare_numbers(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int compare_devices(const void *a, const void *b)
{
	const struct memory_device *x = a, *y = b;
	int order = compare_numbers(x->user_id, y->user_id);
	return order != 0 ? order : memcmp(x->device.id.b, y->device.id.b, sizeof(y->device.id.b));
}

static int compare_participants(const void *a, const void *b)
{
	const struct memory_participant *x = a, *y = b;
	int order = compare_numbers(x->row.conversation_id, y->row.conversation_id);
	return order != 0 ? order : compare_numbers(x->user_id, y->user_id);
}

static int compare_claims(const void *a, const void *b)
{
	const struct memory_parcel_claim *x = a, *y = b;
	int order = strcmp(x->parcel_id, y->parcel_id);
	return order != 0 ? order : memcmp(x->claim.token, y->claim.token, STORE_HASH_BYTES);
}

#define ROW(type) sizeof(struct memory_##type)
static const struct {
	size_t row_bytes;
	int (*compare)(const void *a, const void *b); /* NULL: in the order of adding */
} kinds[MEMORY_TABLES] = {
        [MEMORY_META] = {ROW(meta), NULL},
        [MEMORY_SIGNATURE] = {ROW(signature), NULL},
        [MEMORY_TOKEN] = {ROW(token), NULL},
        [MEMORY_USER] = {ROW(user), NULL},
        [MEMORY_RECOVERY_CODE] = {ROW(recovery_code), NULL},
        [MEMORY_SESSION] = {ROW(session), NULL},
        [MEMORY_SPENT_REFRESH] = {ROW(spent_refresh), NULL},
        [MEMORY_DEVICE] = {ROW(device), compare_devices},
        [MEMORY_CONVERSATION] = {ROW(conversation), NULL},
        [MEMORY_PARTICIPANT] = {ROW(participant), compare_participants},
        [MEMORY_MESSAGE] = {ROW(message), NULL},
        [MEMORY_FILE] = {ROW(file), NULL},
        [MEMORY_UPLOAD] = {ROW(upload), NULL},
        [MEMORY_KEY_PACKAGE] = {ROW(key_package), NULL},
        [MEMORY_GROUP] = {ROW(group), NULL},
        [MEMORY_WELCOME] = {ROW(welcome), NULL},
        [MEMORY_PARCEL] = {ROW(parcel), NULL},
        [MEMORY_PARCEL_CLAIM] = {ROW(parcel_claim), compare_claims},
};

static struct memory_row *row_at(const struct memory_state *s, enum memory_table t, size_t at)
{
	return (struct memory_row *)(void *)((char *)s->tables[t].rows + at * kinds[t].row_bytes);
}

static size_t place_of(const struct memory_state *s, enum memory_table t, const void *row)
{
	return (size_t)((const char *)row - (const char *)s->tables[t].rows) / kinds[t].row_bytes;
}

static enum tacit_err make_text(struct tacit_bytes bytes, struct memory_text **out)
{
	*out = NULL;
	if (bytes.n == 0)
		return TACIT_OK;
	if (bytes.n > SIZE_MAX - sizeof(struct memory_text))
		return TACIT_E_NOMEM;
	struct memory_text *text = tacit_alloc(sizeof(*text) + bytes.n);
	if (text == NULL)
		return TACIT_E_NOMEM;
	atomic_init(&text->holders, 1);
	text->n = bytes.n;
	memcpy(text->b, bytes.p, bytes.n);
	*out = text;
	return TACIT_OK;
}

static void drop_text(struct memory_text *text)
{
	if (text != NULL && atomic_fetch_sub(&text->holders, 1) == 1)
		tacit_free(text);
}

struct tacit_bytes memory_text(const struct memory_row *row)
{
	return row->text != NULL ? tacit_bytes(row->text->b, row->text->n) : tacit_bytes(NULL, 0);
}

enum tacit_err memory_set_text(struct memory_row *row, struct tacit_bytes bytes)
{
	struct memory_text *text;
	enum tacit_err err = make_text(bytes, &text);
	if (err != TACIT_OK)
		return err;
	drop_text(row->text);
	row->text = text;
	return TACIT_OK;
}

static bool copy_table(
        struct memory_state *s, enum memory_table t, const struct memory_rows *original)
{
	if (original->count == 0)
		return true;
	/* One more: most operations add at most one row. */
	void *rows = tacit_calloc(original->count + 1, kinds[t].row_bytes);
	if (rows == NULL)
		return false;
	memcpy(rows, original->rows, original->count * kinds[t].row_bytes);
	s->tables[t] = (struct memory_rows){rows, original->count, original->count + 1};
	for (size_t i = 0; i < original->count; i++) {
		struct memory_text *text = row_at(s, t, i)->text;
		if (text != NULL)
			atomic_fetch_add(&text->holders, 1);
	}
	return true;
}

struct memory_state *memory_state_new(const struct memory_state *original)
{
	struct memory_state *s = tacit_calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	atomic_init(&s->holders, 1);
	if (original == NULL)
		return s;
	memcpy(s->last_id, original->last_id, sizeof(s->last_id));
	for (enum memory_table t = 0; t < MEMORY_TABLES; t++)
		if (!copy_table(s, t, &original->tables[t])) {
			memory_state_drop(s);
			return NULL;
		}
	return s;
}

void memory_state_hold(struct memory_state *s)
{
	atomic_fetch_add(&s->holders, 1);
}

void memory_state_drop(struct memory_state *s)
{
	if (s == NULL || atomic_fetch_sub(&s->holders, 1) != 1)
		return;
	for (enum memory_table t = 0; t < MEMORY_TABLES; t++) {
		for (size_t i = 0; i < s->tables[t].count; i++)
			drop_text(row_at(s, t, i)->text);
		tacit_free(s->tables[t].rows);
	}
	tacit_free(s);
}

void *memory_next(const struct memory_state *s, enum memory_table t, const void *after)
{
	size_t at = after == NULL ? 0 : place_of(s, t, after) + 1;
	return at < s->tables[t].count ? row_at(s, t, at) : NULL;
}

static enum tacit_err make_room(struct memory_state *s, enum memory_table t)
{
	struct memory_rows *table = &s->tables[t];
	if (table->count < table->room)
		return TACIT_OK;
	size_t room = table->room * 2 + 4;
	if (room > SIZE_MAX / kinds[t].row_bytes)
		return TACIT_E_NOMEM;
	void *rows = tacit_realloc(table->rows, room * kinds[t].row_bytes);
	if (rows == NULL)
		return TACIT_E_NOMEM;
	table->rows = rows;
	table->room = room;
	return TACIT_OK;
}

enum tacit_err memory_add(
        struct memory_state *s, enum memory_table t, const void *row, struct tacit_bytes bytes)
{
	enum tacit_err err;
	struct memory_text *text = NULL;
	TRY(make_room(s, t));
	TRY(make_text(bytes, &text));
	size_t at = s->tables[t].count++;
	while (kinds[t].compare != NULL && at > 0 &&
	        kinds[t].compare(row_at(s, t, at - 1), row) > 0) {
		memcpy(row_at(s, t, at), row_at(s, t, at - 1), kinds[t].row_bytes);
		at--;
	}
	memcpy(row_at(s, t, at), row, kinds[t].row_bytes);
	row_at(s, t, at)->text = text;
out:
	return err;
}

void *memory_delete(struct memory_state *s, enum memory_table t, void *row)
{
	size_t at = place_of(s, t, row);
	drop_text(row_at(s, t, at)->text);
	s->tables[t].count--;
	memmove(row, (char *)row + kinds[t].row_bytes,
	        (s->tables[t].count - at) * kinds[t].row_bytes);
	return at > 0 ? row_at(s, t, at - 1) : NULL;
}

void memory_delete_parts(struct memory_state *s, enum memory_table t, int64_t conversation_id)
{
	for (struct memory_row *row = NULL; (row = memory_next(s, t, row)) != NULL;)
		if (row->conversation_id == conversation_id)
			row = memory_delete(s, t, row);
}
