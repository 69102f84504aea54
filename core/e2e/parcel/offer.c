#include "e2e/parcel/offer.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/reader.h"
#include "base/writer.h"
#include "wire/limits.h"
#include "wire/names.h"

#define VERSION 1
#define FLAG_FOLDER 1
#define FLAG_EXECUTABLE 2
#define LEAST_ENTRY (1 + 8 + 8 + 2) /* bytes of an entry beside its path */
#define MOST_BYTES (UINT64_C(1) << 60)

enum tacit_err tacit_parcel_offer_encode(const struct tacit_parcel_offer *o, struct tacit_buf *out)
{
	struct tacit_writer w = tacit_writer(out);
	size_t before = out->n;
	tacit_write_u8(&w, VERSION);
	tacit_write_u8(&w, (uint8_t)o->kind);
	tacit_write_u64(&w, o->total);
	tacit_write_u32(&w, (uint32_t)o->count);
	if (o->count > TACIT_PARCEL_MAX_ENTRIES)
		tacit_writer_fail(&w, TACIT_E_TOO_LARGE);
	for (size_t i = 0; i < o->count && w.err == TACIT_OK; i++) {
		const struct tacit_parcel_entry *e = &o->entries[i];
		struct tacit_bytes path = tacit_cstr(e->path);
		tacit_write_u8(&w, (uint8_t)((e->folder ? FLAG_FOLDER : 0) |
		                             (e->executable ? FLAG_EXECUTABLE : 0)));
		tacit_write_u64(&w, e->size);
		tacit_write_u64(&w, e->modified > 0 ? (uint64_t)e->modified : 0);
		tacit_write_vec16(&w, path);
		if (path.n > TACIT_PARCEL_MAX_PATH || out->n - before > TACIT_PARCEL_MAX_OFFER)
			tacit_writer_fail(&w, TACIT_E_TOO_LARGE);
	}
	return tacit_writer_finish(&w);
}

void tacit_parcel_offer_clear(struct tacit_parcel_offer *o)
{
	tacit_free(o->entries);
	tacit_free(o->paths);
	*o = (struct tacit_parcel_offer){0};
}

/* --- paths ----------------------------------------------------------------------------------- */

/* Inside a folder a name may begin with a dot, as in ".config"; at the top, where a person would
 * not see it, it may not. 0: nothing of the name would be left, and another one be longer. */
static size_t safe_part(struct tacit_bytes part, bool top, char *out)
{
	char safe[TACIT_MAX_FILE_NAME + 1];
	size_t dot = !top && part.p[0] == '.' ? 1 : 0;
	tacit_file_name_safe(tacit_bytes_part(part, dot, part.n), safe);
	size_t n = dot + strlen(safe);
	if (n > part.n)
		return 0;
	if (dot > 0)
		out[0] = '.';
	memcpy(out + dot, safe, n - dot);
	return n;
}

static bool climbs(struct tacit_bytes part)
{
	return (part.n == 1 && part.p[0] == '.') ||
	       (part.n == 2 && part.p[0] == '.' && part.p[1] == '.');
}

/* out has path.n + 1 bytes. */
static enum tacit_err safe_path(struct tacit_bytes path, char *out)
{
	size_t n = 0, depth = 0;
	for (struct tacit_bytes rest = path;; depth++) {
		const uint8_t *slash = rest.n > 0 ? memchr(rest.p, '/', rest.n) : NULL;
		struct tacit_bytes part = rest;
		if (slash != NULL)
			part.n = (size_t)(slash - rest.p);
		if (part.n == 0 || part.n > TACIT_MAX_FILE_NAME || climbs(part) ||
		        depth == TACIT_PARCEL_MAX_DEPTH)
			return TACIT_E_MALFORMED;
		size_t safe = safe_part(part, depth == 0, out + n);
		if (safe == 0)
			return TACIT_E_MALFORMED;
		n += safe;
		if (slash == NULL)
			break;
		out[n++] = '/';
		rest = tacit_bytes_part(rest, part.n + 1, rest.n);
	}
	out[n] = '\0';
	return TACIT_OK;
}

/* Component by component: "a/b" stands right after "a", before "a.b". */
static int compare_paths(const char *a, const char *b)
{
	for (; *a == *b && *a != '\0'; a++, b++)
		continue;
	unsigned char x = (unsigned char)*a, y = (unsigned char)*b;
	if (x == y)
		return 0;
	if (x == '\0' || y == '\0')
		return x == '\0' ? -1 : 1;
	if (x == '/' || y == '/')
		return x == '/' ? -1 : 1;
	return x < y ? -1 : 1;
}

static int compare_entries(const void *a, const void *b)
{
	const struct tacit_parcel_entry *const *x = a, *const *y = b;
	return compare_paths((*x)->path, (*y)->path);
}

static bool is_inside(const char *path, const char *folder)
{
	size_t n = strlen(folder);
	return strncmp(path, folder, n) == 0 && path[n] == '/';
}

/* Sorted, what is inside of an entry follows it: neighbours tell. */
static enum tacit_err check_names(const struct tacit_parcel_offer *o)
{
	enum tacit_err err = TACIT_OK;
	if (o->count < 2)
		return TACIT_OK;
	const struct tacit_parcel_entry **sorted = tacit_calloc(o->count, sizeof(*sorted));
	if (sorted == NULL)
		return TACIT_E_NOMEM;
	for (size_t i = 0; i < o->count; i++)
		sorted[i] = &o->entries[i];
	qsort(sorted, o->count, sizeof(*sorted), compare_entries);
	for (size_t i = 1; i < o->count && err == TACIT_OK; i++) {
		const struct tacit_parcel_entry *a = sorted[i - 1], *b = sorted[i];
		if (strcmp(a->path, b->path) == 0)
			err = TACIT_E_EXISTS;
		else if (!a->folder && is_inside(b->path, a->path))
			err = TACIT_E_MALFORMED;
	}
	tacit_free(sorted);
	return err;
}

/* --- decoding -------------------------------------------------------------------------------- */

static enum tacit_err check_kind(const struct tacit_parcel_offer *o)
{
	bool fits = false;
	switch (o->kind) {
	case TACIT_PARCEL_TEXT:
		fits = o->count == 0 && o->total <= TACIT_PARCEL_MAX_TEXT;
		break;
	case TACIT_PARCEL_FILE:
		fits = o->count == 1 && !o->entries[0].folder &&
		       strchr(o->entries[0].path, '/') == NULL;
		break;
	case TACIT_PARCEL_FILES:
		fits = o->count > 0;
		break;
	case TACIT_PARCEL_FOLDER:
		fits = o->count > 0 && o->entries[0].folder &&
		       strchr(o->entries[0].path, '/') == NULL;
		for (size_t i = 1; i < o->count && fits; i++)
			fits = is_inside(o->entries[i].path, o->entries[0].path);
		break;
	}
	return fits ? TACIT_OK : TACIT_E_MALFORMED;
}

static enum tacit_err read_entry(struct tacit_reader *r, struct tacit_parcel_entry *e, char **room)
{
	uint8_t flags = tacit_read_u8(r);
	e->size = tacit_read_u64(r);
	uint64_t modified = tacit_read_u64(r);
	struct tacit_bytes path = tacit_read_vec16(r, TACIT_PARCEL_MAX_PATH);
	if (r->err != TACIT_OK)
		return r->err;
	e->folder = (flags & FLAG_FOLDER) != 0;
	e->executable = (flags & FLAG_EXECUTABLE) != 0;
	if ((flags & ~(FLAG_FOLDER | FLAG_EXECUTABLE)) != 0 || e->size > MOST_BYTES ||
	        modified > INT64_MAX || (e->folder && (e->size > 0 || e->executable)))
		return TACIT_E_MALFORMED;
	e->modified = (int64_t)modified;
	e->path = *room;
	enum tacit_err err = safe_path(path, *room);
	*room += path.n + 1;
	return err;
}

static enum tacit_err read_entries(struct tacit_reader *r, struct tacit_parcel_offer *o)
{
	enum tacit_err err = TACIT_OK;
	uint64_t sum = 0;
	size_t count = tacit_read_u32(r);
	if (count > TACIT_PARCEL_MAX_ENTRIES)
		return TACIT_E_TOO_LARGE;
	if (r->err != TACIT_OK || count > r->rest.n / LEAST_ENTRY)
		return TACIT_E_TRUNCATED;
	if (count > 0) {
		o->entries = tacit_calloc(count, sizeof(*o->entries));
		o->paths = tacit_alloc(r->rest.n);
		if (o->entries == NULL || o->paths == NULL)
			return TACIT_E_NOMEM;
	}
	char *room = o->paths;
	for (; o->count < count; o->count++) {
		TRY(read_entry(r, &o->entries[o->count], &room));
		sum += o->entries[o->count].size;
		TRY(sum <= MOST_BYTES ? TACIT_OK : TACIT_E_TOO_LARGE);
	}
	if (count > 0 && sum != o->total)
		err = TACIT_E_MALFORMED;
out:
	return err;
}

enum tacit_err tacit_parcel_offer_decode(struct tacit_bytes in, struct tacit_parcel_offer *out)
{
	enum tacit_err err;
	struct tacit_reader r = tacit_reader(in);
	*out = (struct tacit_parcel_offer){0};
	TRY(in.n <= TACIT_PARCEL_MAX_OFFER ? TACIT_OK : TACIT_E_TOO_LARGE);
	uint8_t version = tacit_read_u8(&r), kind = tacit_read_u8(&r);
	if (r.err == TACIT_OK && version != VERSION)
		TRY(TACIT_E_UNSUPPORTED);
	if (kind < TACIT_PARCEL_TEXT || kind > TACIT_PARCEL_FOLDER)
		tacit_reader_fail(&r, TACIT_E_MALFORMED);
	out->kind = (enum tacit_parcel_kind)kind;
	out->total = tacit_read_u64(&r);
	TRY(r.err);
	TRY(read_entries(&r, out));
	TRY(tacit_reader_end(&r));
	TRY(check_kind(out));
	TRY(check_names(out));
out:
	if (err != TACIT_OK)
		tacit_parcel_offer_clear(out);
	return err;
}
