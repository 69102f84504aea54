/* flat.h - JSON of the shape that is sent most, read where it stands: an array of a name and one
 * object whose members are texts and whole numbers,
 *
 *   ["send_message",{"room_id":7,"encrypted_content":"...","client_id":"..."}]
 *
 * It reads a part of JSON and nothing else: no escapes, no fractions, no deeper levels, no name
 * twice. What it takes, json.h takes too and reads alike; what it leaves is to be given to json.h,
 * which knows whether it is wrong. */
#ifndef TACIT_WIRE_FLAT_H
#define TACIT_WIRE_FLAT_H

#include "base/bytes.h"
#include "wire/json.h"

#define TACIT_FLAT_MEMBERS 8

struct tacit_flat_member {
	struct tacit_bytes name;
	enum { TACIT_FLAT_TEXT, TACIT_FLAT_INTEGER, TACIT_FLAT_NULL } type;
	struct tacit_bytes text;
	int64_t integer;
};
struct tacit_flat {
	struct tacit_bytes name;
	struct tacit_flat_member members[TACIT_FLAT_MEMBERS];
	size_t count;
};

/* Views into text. False: it is for json.h. */
bool tacit_flat_read(struct tacit_bytes text, struct tacit_flat *out);

/* NULL: there is none. */
const struct tacit_flat_member *tacit_flat_find(const struct tacit_flat *f, const char *name);
/* As tacit_json_text and tacit_json_integer. Fails: MALFORMED, TOO_LARGE (a text). */
TACIT_MUST_USE enum tacit_err tacit_flat_text(const struct tacit_flat *f, const char *name,
        enum tacit_presence presence, size_t max, struct tacit_bytes *out);
TACIT_MUST_USE enum tacit_err tacit_flat_integer(const struct tacit_flat *f, const char *name,
        enum tacit_presence presence, int64_t min, int64_t max, int64_t *out);

#endif
