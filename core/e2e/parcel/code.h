/* code.h - the short codes with which two devices find each other: docs/protocol-transfer.md 15.1.
 *
 * `7-amber-falcon` is a nameplate, which the relay gives and knows, and a secret of words, or of
 * digits (`7-048-153`), which it never learns. */
#ifndef TACIT_E2E_PARCEL_CODE_H
#define TACIT_E2E_PARCEL_CODE_H

#include "base/bytes.h"
#include "base/env.h"
#include "base/err.h"

#define TACIT_PARCEL_WORDS 256 /* in the list: a word is a byte */
#define TACIT_PARCEL_WORDS_IN_CODE 2
#define TACIT_PARCEL_MOST_WORDS 4
#define TACIT_PARCEL_DIGITS 6
#define TACIT_PARCEL_MAX_NAMEPLATE 999999999u
#define TACIT_PARCEL_SECRET_ROOM 40 /* four words of eight letters with hyphens, and a NUL */
#define TACIT_PARCEL_CODE_ROOM 56

/* Secret: wipe with tacit_wipe. */
struct tacit_parcel_code {
	uint32_t nameplate;
	char secret[TACIT_PARCEL_SECRET_ROOM]; /* normal: "amber-falcon", "048153" */
};

enum tacit_parcel_code_kind { TACIT_PARCEL_CODE_WORDS, TACIT_PARCEL_CODE_DIGITS };

/* A fresh secret for a nameplate, uniform over 2^16 (words) or 10^6 (digits). */
void tacit_parcel_code_make(enum tacit_parcel_code_kind kind, uint32_t nameplate,
        const struct tacit_env *env, struct tacit_parcel_code *out);
/* What a person typed: case does not count, spaces and punctuation are as good as hyphens, and four
 * letters of a word are enough. A word that is not in the list is found here, before it costs the
 * code. Fails: MALFORMED (no nameplate, or the rest is neither two to four words nor six digits),
 * BAD_NAME (a word that is not in the list). out is zeroed on error. */
TACIT_MUST_USE enum tacit_err tacit_parcel_code_parse(
        struct tacit_bytes text, struct tacit_parcel_code *out);
/* As it is shown: "7-amber-falcon", "7-048-153". */
void tacit_parcel_code_text(const struct tacit_parcel_code *code, char out[TACIT_PARCEL_CODE_ROOM]);

/* Every text that goes on from the last, unfinished word of what was typed so far; nothing while
 * the nameplate is typed. Returns how many there are. */
size_t tacit_parcel_code_complete(
        struct tacit_bytes typed, void (*each)(void *ctx, const char *code), void *ctx);

/* The word of a byte. */
const char *tacit_parcel_word(uint8_t index);

#endif
