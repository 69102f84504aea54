/* tap.h - the smallest test harness: each case a function, output in TAP, seeds printed. */
#ifndef TACIT_TESTS_TAP_H
#define TACIT_TESTS_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/attr.h"
#include "base/bytes.h"
#include "base/err.h"

struct tap_case {
	const char *name;
	void (*run)(void);
};

/* Runs all cases (or those whose name contains argv[1]); the exit status for main. */
int tap_main(int argc, char **argv, const struct tap_case *cases, size_t count);

/* Checks: a failed one is printed with its place and fails the case, which goes on. */
bool tap_check(bool ok, const char *what, const char *file, int line);
bool tap_check_int(long long got, long long want, const char *what, const char *file, int line);
bool tap_check_err(
        enum tacit_err got, enum tacit_err want, const char *what, const char *file, int line);
bool tap_check_bytes(struct tacit_bytes got, struct tacit_bytes want, const char *what,
        const char *file, int line);

#define CHECK(cond) tap_check((cond), #cond, __FILE__, __LINE__)
#define CHECK_INT(got, want)                                                                       \
	tap_check_int((long long)(got), (long long)(want), #got, __FILE__, __LINE__)
#define CHECK_ERR(got, want) tap_check_err((got), (want), #got, __FILE__, __LINE__)
#define CHECK_OK(got) tap_check_err((got), TACIT_OK, #got, __FILE__, __LINE__)
#define CHECK_BYTES(got, want) tap_check_bytes((got), (want), #got, __FILE__, __LINE__)
/* For what a test cannot go on without. */
#define REQUIRE(cond)                                                                              \
	do {                                                                                       \
		if (!CHECK(cond))                                                                  \
			return;                                                                    \
	} while (0)

/* Marks the running case as skipped, with the reason. */
void tap_skip(const char *reason);

/* Runs scenario once counting allocations, then again with the 1st, 2nd, ... failing, until it
 * passes without a failure. Each failing run must return NOMEM (or, where the scenario says so by
 * returning OK, have coped) and leak nothing (ASan looks). */
void tap_alloc_sweep(enum tacit_err (*scenario)(void));

/* A clock that stands still and randomness from a seed: for tests that must repeat exactly. */
struct tacit_env;
struct tacit_env tap_env(uint64_t seed);

#endif
