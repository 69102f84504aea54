/* json.h - jansson, used one way only: strict, bounded, no duplicate names.
 *
 * The one place where JSON from outside is parsed. Views returned by the getters are borrowed from
 * the value that they were read from. */
#ifndef TACIT_WIRE_JSON_H
#define TACIT_WIRE_JSON_H

#include <jansson.h>
#include "base/buf.h"
#include "base/err.h"

/* Makes jansson allocate through base/alloc.h. tacit_json_parse does it by itself; a program with
 * threads that uses jansson before that, calls it first. Thread-safe, may be called again. */
void tacit_json_init(void);

/* Any JSON value; not NUL inside strings, no duplicate names, depth and size bounded (limits.h).
 * *out is NULL on error; else the caller decrefs. Fails: MALFORMED, TOO_LARGE, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_json_parse(struct tacit_bytes text, json_t **out);
/* The same for a value that stands depth levels deep in a larger text: they count as its own. */
TACIT_MUST_USE enum tacit_err tacit_json_parse_part(
        struct tacit_bytes text, size_t depth, json_t **out);

/* Compact form, appended; on error out is unchanged. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_json_write(const json_t *value, struct tacit_buf *out);

enum tacit_presence { TACIT_REQUIRED, TACIT_OPTIONAL };

/* A member of an object, checked for type and length (bytes). A missing optional one gives an empty
 * view with p == NULL, or leaves *out as it was. null counts as missing.
 * Fails: MALFORMED (missing or wrong type), TOO_LARGE. */
TACIT_MUST_USE enum tacit_err tacit_json_text(const json_t *object, const char *name,
        enum tacit_presence presence, size_t max, struct tacit_bytes *out);
/* An integer in [min, max]. Fails: MALFORMED (missing, not an integer, or out of range). */
TACIT_MUST_USE enum tacit_err tacit_json_integer(const json_t *object, const char *name,
        enum tacit_presence presence, int64_t min, int64_t max, int64_t *out);

/* A member from UTF-8 text. Fails: NOMEM, MALFORMED (not UTF-8, or with a NUL, which
 * tacit_json_parse would refuse). */
TACIT_MUST_USE enum tacit_err tacit_json_set_text(
        json_t *object, const char *name, struct tacit_bytes text);

#endif
