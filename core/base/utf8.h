/* utf8.h - is this text, and is it safe to show on a terminal? */
#ifndef TACIT_BASE_UTF8_H
#define TACIT_BASE_UTF8_H

#include "base/bytes.h"

/* Well-formed UTF-8 (RFC 3629): no overlong form, no surrogate, nothing above U+10FFFF. */
bool tacit_utf8_valid(struct tacit_bytes text);

/* The code point at the front and its length in bytes; 0 when text is empty or malformed there. */
size_t tacit_utf8_next(struct tacit_bytes text, uint32_t *code_point);

/* A control that must not reach a terminal raw: C0, DEL, C1, and the bidirectional overrides and
 * isolates (U+202A..U+202E, U+2066..U+2069) that make text read other than it is. */
bool tacit_utf8_is_control(uint32_t code_point);

#endif
