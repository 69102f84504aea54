/* safety_number.h - what two people compare to know that nobody stands between them. */
#ifndef TACIT_E2E_SAFETY_NUMBER_H
#define TACIT_E2E_SAFETY_NUMBER_H

#include "base/bytes.h"
#include "crypto/sign.h"

/* Twelve groups of five digits, each followed by a space, the last by a NUL. */
#define TACIT_SAFETY_NUMBER_CHARS (12 * 6)

/* The same for both sides: the two people are put in order first. 200 bits of HMAC-SHA-512,
 * iterated 5200 times over both keys and both usernames (valid ones, 24 bytes at most; upper and
 * lower case are the same), so that trying out look-alike keys is dear. */
void tacit_safety_number(const struct tacit_sign_public *a, struct tacit_bytes a_name,
        const struct tacit_sign_public *b, struct tacit_bytes b_name,
        char out[TACIT_SAFETY_NUMBER_CHARS]);

#endif
