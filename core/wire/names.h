/* names.h - what a user, a password, an address and a file may be called. Shared by both sides. */
#ifndef TACIT_WIRE_NAMES_H
#define TACIT_WIRE_NAMES_H

#include "base/bytes.h"
#include "base/err.h"

/* 1 to 24 of ASCII letters, digits, '.', '_', '-' (contract 1), but not "." or "..", which cannot
 * stand in a URL path. */
bool tacit_username_valid(struct tacit_bytes name);
/* The form in which a username is bound into keys and numbers: ASCII lower-cased, cut at 24 bytes
 * (no valid one is longer). out has TACIT_MAX_USERNAME bytes; the length comes back. */
size_t tacit_username_lower(struct tacit_bytes name, uint8_t *out);
/* One '@', a plausible shape, printable ASCII, at most 254 bytes. Whether it exists, nobody knows.
 */
bool tacit_email_valid(struct tacit_bytes email);
/* UTF-8 without controls, 1 to 200 code points. */
bool tacit_conversation_name_valid(struct tacit_bytes name);

/* NULL when the password may be used, else the sentence that says why not (contract 6); static.
 * Letters of every script count: lacking a table, any code point from U+00C0 on is taken for one.
 */
const char *tacit_password_problem(struct tacit_bytes password);

/* Makes of a name from outside one path component that is safe to create: directories cut off,
 * controls and leading dots replaced, reserved names and emptiness avoided, at most 255 bytes, cut
 * at a code point. out has TACIT_MAX_FILE_NAME + 1 bytes and is NUL-terminated. */
void tacit_file_name_safe(struct tacit_bytes name, char *out);

#endif
