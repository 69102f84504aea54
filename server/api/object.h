/* object.h - the object that a request or an event brings: its members, whichever way it was read.
 *
 * Most are flat, and read where they stand (wire/flat.h); a tree of JSON is made of the others
 * only. Both ways answer alike. Internal to server/api. */
#ifndef TACIT_SERVER_API_OBJECT_H
#define TACIT_SERVER_API_OBJECT_H

#include "wire/flat.h"
#include "wire/json.h"

/* One of the two at most; neither: there is no body, and nothing is in it. */
struct api_object {
	const json_t *tree; /* an object */
	const struct tacit_flat *flat;
};

/* What is read flat is an event. A body that stands between these two is one. */
#define API_OBJECT_BEFORE "[\"\","
#define API_OBJECT_AFTER "]"

/* Views into body, around which the two must stand. False: only a tree of it can tell more. */
bool api_object_flat(struct tacit_bytes body, struct tacit_flat *out);

/* The member is there; null is, too. */
bool api_object_has(const struct api_object *b, const char *name);
/* As tacit_json_text and tacit_json_integer. Fails: MALFORMED, TOO_LARGE (a text). */
TACIT_MUST_USE enum tacit_err api_object_text(const struct api_object *b, const char *name,
        enum tacit_presence presence, size_t max, struct tacit_bytes *out);
TACIT_MUST_USE enum tacit_err api_object_integer(const struct api_object *b, const char *name,
        enum tacit_presence presence, int64_t min, int64_t *out);
/* An array; *out is NULL for a missing optional one. null counts as missing. Fails: MALFORMED. */
TACIT_MUST_USE enum tacit_err api_object_array(const struct api_object *b, const char *name,
        enum tacit_presence presence, const json_t **out);

#endif
