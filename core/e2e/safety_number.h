/* safety_number.h - what two people compare to know that nobody stands between them. */
#ifndef TACIT_E2E_SAFETY_NUMBER_H
#define TACIT_E2E_SAFETY_NUMBER_H

#include "base/bytes.h"
#include "crypto/sign.h"

#define TACIT_SAFETY_GROUPS 12 /* of five digits */
#define TACIT_SAFETY_WORDS 24  /* of the list of transfer codes, which tell themselves apart */

/* The same number, twice. Groups and words are followed by a space, the last by a NUL. */
struct tacit_safety {
	char digits[TACIT_SAFETY_GROUPS * 6];
	char words[TACIT_SAFETY_WORDS * 9];
};

/* The same for both sides: the two people are put in order first. 200 bits (in words 192) of
 * HMAC-SHA-512, iterated 5200 times over both keys and both usernames (valid ones, 24 bytes at
 * most; upper and lower case are the same), so that trying out look-alike keys is dear. */
void tacit_safety_number(const struct tacit_sign_public *a, struct tacit_bytes a_name,
        const struct tacit_sign_public *b, struct tacit_bytes b_name, struct tacit_safety *out);
/* What somebody typed, or what was scanned: the digits or the words. How they are set apart, and
 * upper and lower case, are of no account; all of them must be there. */
bool tacit_safety_same(const struct tacit_safety *ours, struct tacit_bytes theirs);
/* Whether that is a number at all, whosever: as many digits, or as many words of the list. What is
 * not was mistyped, or is another code, and says nothing about anybody's key. */
bool tacit_safety_formed(struct tacit_bytes theirs);

#endif
