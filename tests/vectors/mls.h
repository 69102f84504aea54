/* mls.h - the official vectors of MLS (mlswg/mls-implementations, test-vectors.md): what its kinds
 * of file share. A kind is one struct mls_vectors in a file of its own, listed in the table of
 * mls.c. */
#ifndef TACIT_TESTS_VECTORS_MLS_H
#define TACIT_TESTS_VECTORS_MLS_H

#include "e2e/mls/suite.h"
#include "vectors/vectors.h"

struct mls_vectors {
	/* The file is known by its first entry, which has all of these members (NULL: no more). */
	const char *members[4];
	/* What is wrong with an entry, in a few words; NULL when nothing is. suite is the one of
	 * the member "cipher_suite", NULL when there is no such member; entries of suites that we
	 * do not offer never come here. hex_member's bytes live until the entry is done. */
	const char *(*check)(const json_t *entry, const struct tacit_mls_suite *suite);
};

extern const struct mls_vectors mls_crypto_basics;
extern const struct mls_vectors mls_key_schedule, mls_psk_secret, mls_transcript, mls_secret_tree,
        mls_protection, mls_deserialization, mls_messages, mls_welcome, mls_passive;
extern const struct mls_vectors mls_tree_math, mls_tree_operations, mls_tree_validation,
        mls_treekem;

/* A member that is an array of entries of its own, and one that is text or a number. */
#define MLS_EACH(entry, name, i, each)                                                             \
	json_array_foreach(json_object_get((entry), (name)), (i), (each))
struct tacit_bytes text_member(const json_t *object, const char *name);
uint64_t number_member(const json_t *object, const char *name);

/* The member is exactly these bytes. */
bool is_member(const json_t *object, const char *name, const uint8_t *got, size_t n);
/* The same of a value that is no member (an entry of an array). */
bool is_hex(const json_t *value, const uint8_t *got, size_t n);

/* A private key of n bytes into out: the vectors leave leading zeroes of NIST curves' keys out. */
bool private_key_member(const json_t *object, const char *name, uint8_t *out, size_t n);

/* Randomness of a counter, for what draws some but is not compared; and the time of the vectors. */
struct tacit_env mls_env(void);

#endif
