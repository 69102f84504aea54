/* vectors.h - what the runners of the official test vectors share. */
#ifndef TACIT_TESTS_VECTORS_H
#define TACIT_TESTS_VECTORS_H

#include <jansson.h>

#include "base/buf.h"

/* The result of one file. */
struct tally {
	size_t passed, failed;
	size_t not_applicable; /* of suites or sizes that we do not offer */
	char first_failure[160];
};

void tally_pass(struct tally *t);
TACIT_PRINTF(2, 3) void tally_fail(struct tally *t, const char *fmt, ...);

/* A kind of file, recognised by what is in it. */
struct vector_format {
	bool (*knows)(const json_t *root);
	void (*run)(const json_t *root, struct tally *t);
};

/* A kind of file that is not JSON. */
struct vector_text_format {
	bool (*knows)(struct tacit_bytes text);
	void (*run)(struct tacit_bytes text, struct tally *t);
};

extern const struct vector_text_format spake2_format;
extern const struct vector_format wycheproof_format, hpke_format, xwing_format, mls_format;

/* The bytes of a member in hex, which live until hex_forget; empty when there is no such member.
 * A member that is not hex ends the program with a failure. */
struct tacit_bytes hex_member(const json_t *object, const char *name);
void hex_forget(void);

#endif
