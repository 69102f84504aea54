#include "support/tap.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/env.h"

static bool failed;
static const char *skipped;

bool tap_check(bool ok, const char *what, const char *file, int line)
{
	if (!ok) {
		failed = true;
		printf("# failed: %s at %s:%d\n", what, file, line);
	}
	return ok;
}

bool tap_check_int(long long got, long long want, const char *what, const char *file, int line)
{
	if (got != want) {
		failed = true;
		printf("# failed: %s is %lld, not %lld, at %s:%d\n", what, got, want, file, line);
	}
	return got == want;
}

bool tap_check_err(
        enum tacit_err got, enum tacit_err want, const char *what, const char *file, int line)
{
	if (got != want) {
		failed = true;
		printf("# failed: %s is %s, not %s, at %s:%d\n", what, tacit_err_name(got),
		        tacit_err_name(want), file, line);
	}
	return got == want;
}

static void print_bytes(const char *label, struct tacit_bytes b)
{
	printf("#   %s (%zu):", label, b.n);
	for (size_t i = 0; i < b.n && i < 48; i++)
		printf(" %02x", b.p[i]);
	printf("%s\n", b.n > 48 ? " ..." : "");
}

bool tap_check_bytes(struct tacit_bytes got, struct tacit_bytes want, const char *what,
        const char *file, int line)
{
	bool same = tacit_bytes_eq(got, want);
	if (!same) {
		failed = true;
		printf("# failed: %s differs at %s:%d\n", what, file, line);
		print_bytes("got", got);
		print_bytes("want", want);
	}
	return same;
}

void tap_skip(const char *reason)
{
	skipped = reason;
}

int tap_main(int argc, char **argv, const struct tap_case *cases, size_t count)
{
	const char *only = argc > 1 ? argv[1] : "";
	bool any_failed = false;
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..%zu\n", count);
	for (size_t i = 0; i < count; i++) {
		failed = false;
		skipped = strstr(cases[i].name, only) != NULL ? NULL : "not asked for";
		if (skipped == NULL)
			cases[i].run();
		printf("%s %zu - %s", failed ? "not ok" : "ok", i + 1, cases[i].name);
		if (skipped != NULL)
			printf(" # SKIP %s", skipped);
		printf("\n");
		any_failed |= failed;
	}
	return any_failed;
}

struct countdown {
	long left; /* allocations that still succeed; below zero once one has failed */
};

static int fail_at_zero(void *ctx)
{
	struct countdown *c = ctx;
	return c->left-- == 0;
}

void tap_alloc_sweep(enum tacit_err (*scenario)(void))
{
	for (long n = 0; n < 100000; n++) {
		struct countdown c = {.left = n};
		tacit_alloc_set_fault(fail_at_zero, &c);
		enum tacit_err err = scenario();
		tacit_alloc_set_fault(NULL, NULL);
		if (c.left >= 0) { /* fewer allocations than n + 1: the sweep is over */
			CHECK_OK(err);
			return;
		}
		if (err != TACIT_OK && err != TACIT_E_NOMEM) {
			printf("# with allocation %ld failing:\n", n);
			CHECK_ERR(err, TACIT_E_NOMEM);
		}
	}
	tap_check(false, "the sweep ends", __FILE__, __LINE__);
}

static int64_t fixed_now(void *ctx)
{
	(void)ctx;
	return 1700000000;
}

static uint64_t random_state;

static void seeded_random(void *ctx, uint8_t *out, size_t n)
{
	(void)ctx;
	for (size_t i = 0; i < n; i++) { /* xorshift64*: repeatable, not secret */
		random_state ^= random_state >> 12;
		random_state ^= random_state << 25;
		random_state ^= random_state >> 27;
		out[i] = (uint8_t)(random_state * 0x2545f4914f6cdd1dull >> 56);
	}
}

struct tacit_env tap_env(uint64_t seed)
{
	random_state = seed * 2 + 1;
	return (struct tacit_env){fixed_now, seeded_random, NULL};
}
