/* mls_cast.h - four who may be in a group, three of them who are, and what one does told to the
 * others. */
#ifndef TACIT_TESTS_UNIT_MLS_CAST_H
#define TACIT_TESTS_UNIT_MLS_CAST_H

#include "mls_people.h"

enum { A, B, C, D, PEOPLE };

struct cast {
	struct person p[PEOPLE];
	struct person *all[PEOPLE + 1]; /* who is in, then NULL */
};

bool cast_init(struct cast *c, uint16_t suite);
void cast_clear(struct cast *c);
void set_members(struct cast *c, const int *who, size_t count);
#define MEMBERS(c, ...)                                                                            \
	set_members(c, (const int[]){__VA_ARGS__}, TACIT_COUNT(((const int[]){__VA_ARGS__})))

/* A, B and C in a group. */
bool three(struct cast *c, uint16_t suite);
/* from's commit, to all but itself, who accepts it; they all agree then. */
bool spread(struct cast *c, struct person *from, struct tacit_bytes commit);
/* The same with a commit of these proposals. */
bool commit_and_spread(
        struct cast *c, struct person *from, const struct tacit_mls_proposal *p, size_t n);

#endif
