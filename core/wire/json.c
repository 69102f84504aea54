#include "wire/json.h"

#include <malloc.h>
#include <string.h>
#include <threads.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "wire/limits.h"

/* jansson reports some failed allocations as syntax errors; this tells them apart. */
static _Thread_local bool out_of_memory;

static void *json_alloc(size_t n)
{
	void *p = tacit_alloc(n);
	if (p == NULL)
		out_of_memory = true;
	return p;
}

/* Password hashes, TOTP seeds and recovery codes pass through jansson: as texts, and in the rooms
 * of its lexer and printer, which nobody else can reach. */
static void json_free(void *p)
{
	if (p != NULL)
		explicit_bzero(p, malloc_usable_size(p));
	tacit_free(p);
}

static void install(void)
{
	json_set_alloc_funcs(json_alloc, json_free);
}

void tacit_json_init(void)
{
	static once_flag once = ONCE_FLAG_INIT;
	call_once(&once, install);
}

/* jansson recurses up to 2048 levels, and has no setting for it. For text that is JSON the count is
 * exact; text that is not, jansson refuses anyway. */
static bool too_deep(struct tacit_bytes text, size_t depth)
{
	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];
		if (c == '"') {
			for (i++; i < text.n && text.p[i] != '"'; i++)
				i += text.p[i] == '\\';
		} else if (c == '{' || c == '[') {
			if (++depth > TACIT_MAX_JSON_DEPTH)
				return true;
		} else if ((c == '}' || c == ']') && depth > 0) {
			depth--;
		}
	}
	return false;
}

enum tacit_err tacit_json_parse(struct tacit_bytes text, json_t **out)
{
	return tacit_json_parse_part(text, 0, out);
}

enum tacit_err tacit_json_parse_part(struct tacit_bytes text, size_t depth, json_t **out)
{
	*out = NULL;
	if (text.n > TACIT_MAX_JSON_BODY || too_deep(text, depth))
		return TACIT_E_TOO_LARGE;
	/* jansson passes over a NUL behind a number: what it reads would not be what stands there.
	 */
	if (text.n == 0 || memchr(text.p, 0, text.n) != NULL)
		return TACIT_E_MALFORMED;
	tacit_json_init();
	out_of_memory = false;
	json_error_t why;
	*out = json_loadb(
	        (const char *)text.p, text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
	if (out_of_memory) { /* jansson's lexer drops bytes then, and may succeed all the same */
		json_decref(*out);
		*out = NULL;
	}
	if (*out != NULL)
		return TACIT_OK;
	return out_of_memory ? TACIT_E_NOMEM : TACIT_E_MALFORMED;
}

static int append(const char *part, size_t n, void *ctx)
{
	return tacit_buf_append(ctx, tacit_bytes(part, n)) == TACIT_OK ? 0 : -1;
}

enum tacit_err tacit_json_write(const json_t *value, struct tacit_buf *out)
{
	tacit_json_init();
	size_t start = out->n;
	if (json_dump_callback(value, append, out, JSON_COMPACT | JSON_ENCODE_ANY) == 0)
		return TACIT_OK;
	out->n = start;
	return TACIT_E_NOMEM;
}

/* NULL when it is not there; *err says whether that is an error. */
static const json_t *member(
        const json_t *object, const char *name, enum tacit_presence presence, enum tacit_err *err)
{
	const json_t *value = json_object_get(object, name);
	if (json_is_null(value))
		value = NULL;
	*err = value == NULL && presence == TACIT_REQUIRED ? TACIT_E_MALFORMED : TACIT_OK;
	return value;
}

enum tacit_err tacit_json_text(const json_t *object, const char *name, enum tacit_presence presence,
        size_t max, struct tacit_bytes *out)
{
	*out = tacit_bytes(NULL, 0);
	enum tacit_err err;
	const json_t *value = member(object, name, presence, &err);
	if (value == NULL)
		return err;
	if (!json_is_string(value))
		return TACIT_E_MALFORMED;
	if (json_string_length(value) > max)
		return TACIT_E_TOO_LARGE;
	*out = tacit_bytes(json_string_value(value), json_string_length(value));
	return TACIT_OK;
}

enum tacit_err tacit_json_integer(const json_t *object, const char *name,
        enum tacit_presence presence, int64_t min, int64_t max, int64_t *out)
{
	enum tacit_err err;
	const json_t *value = member(object, name, presence, &err);
	if (value == NULL)
		return err;
	if (!json_is_integer(value))
		return TACIT_E_MALFORMED;
	int64_t x = json_integer_value(value);
	if (x < min || x > max)
		return TACIT_E_MALFORMED;
	*out = x;
	return TACIT_OK;
}

enum tacit_err tacit_json_set_text(json_t *object, const char *name, struct tacit_bytes text)
{
	if (!tacit_utf8_valid(text) || (text.n > 0 && memchr(text.p, 0, text.n) != NULL))
		return TACIT_E_MALFORMED;
	tacit_json_init();
	json_t *value = json_stringn_nocheck(text.n > 0 ? (const char *)text.p : "", text.n);
	return value != NULL && json_object_set_new(object, name, value) == 0 ? TACIT_OK
	                                                                      : TACIT_E_NOMEM;
}
