/* sim - lives of people, devices and a server, each from one seed.
 *
 *   sim [--seeds FIRST LAST] [--seed N] [--steps N] [--trace] [--calm]
 *
 * Prints TAP, a line for each block of seeds. A seed that fails is named, and does the same again.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"
#include "sim/sim.h"

#define BLOCK 10 /* seeds in one line of output */
#define STEPS 80

struct totals {
	uint64_t failed, runs, crashes, restores, lost, commits, messages, read, changes, folded;
};

static bool run_once(const struct sim_options *o, struct totals *t, uint64_t *digest)
{
	static struct sim_world w;
	sim_world_init(&w, o);
	bool ok = sim_run(&w);
	*digest = w.digest;
	t->runs++;
	t->failed += !ok;
	t->crashes += w.count.crashes;
	t->restores += w.count.restores;
	t->lost += w.count.lost;
	t->commits += w.count.commits;
	t->messages += w.count.messages;
	t->read += w.count.read;
	t->changes += w.count.changes;
	t->folded += w.count.folded;
	sim_world_clear(&w);
	if (!ok)
		printf("# seed %" PRIu64 " fails; look at it with: sim --seed %" PRIu64
		       " --trace%s\n",
		        o->seed, o->seed, o->calm ? " --calm" : "");
	return ok;
}

/* The first seed of each block is run twice: a world that does not repeat itself explains nothing.
 */
static bool run_block(struct sim_options *o, uint64_t first, uint64_t last, struct totals *t)
{
	bool ok = true;
	uint64_t digest, again;
	for (o->seed = first; o->seed <= last; o->seed++) {
		ok &= run_once(o, t, &digest);
		if (o->seed != first || o->trace)
			continue;
		ok &= run_once(o, t, &again);
		if (again != digest) {
			printf("# seed %" PRIu64 " does not repeat itself\n", o->seed);
			ok = false;
		}
	}
	return ok;
}

static bool read_options(
        int argc, char **argv, struct sim_options *o, uint64_t *first, uint64_t *last)
{
	for (int i = 1; i < argc; i++) {
		bool more = i + 1 < argc;
		if (strcmp(argv[i], "--trace") == 0)
			o->trace = true;
		else if (strcmp(argv[i], "--calm") == 0)
			o->calm = true;
		else if (strcmp(argv[i], "--seed") == 0 && more)
			*first = *last = strtoull(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--steps") == 0 && more)
			o->steps = (unsigned)strtoul(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--seeds") == 0 && i + 2 < argc) {
			*first = strtoull(argv[++i], NULL, 10);
			*last = strtoull(argv[++i], NULL, 10);
		} else
			return false;
	}
	return *first <= *last;
}

int main(int argc, char **argv)
{
	struct sim_options o = {.steps = STEPS};
	struct totals t = {0};
	uint64_t first = 1, last = 20;
	if (!read_options(argc, argv, &o, &first, &last)) {
		fprintf(stderr, "usage: sim [--seeds FIRST LAST | --seed N] [--steps N] [--trace] "
		                "[--calm]\n");
		return 2;
	}
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	uint64_t blocks = (last - first) / BLOCK + 1;
	printf("TAP version 13\n1..%" PRIu64 "\n", blocks);
	sim_cast_init();
	for (uint64_t i = 0; i < blocks; i++) {
		uint64_t from = first + i * BLOCK;
		uint64_t to = from + BLOCK - 1 < last ? from + BLOCK - 1 : last;
		bool ok = run_block(&o, from, to, &t);
		printf("%s %" PRIu64 " - seeds %" PRIu64 " to %" PRIu64 "\n", ok ? "ok" : "not ok",
		        i + 1, from, to);
	}
	sim_cast_clear();
	printf("# %" PRIu64 " runs, %" PRIu64 " failed: %" PRIu64 " commits, %" PRIu64
	       " messages, read %" PRIu64 " times, %" PRIu64 " changes, looked at %" PRIu64
	       " times, %" PRIu64 " crashes, %" PRIu64 " restores, %" PRIu64
	       " requests or answers lost\n",
	        t.runs, t.failed, t.commits, t.messages, t.read, t.changes, t.folded, t.crashes,
	        t.restores, t.lost);
	return t.failed > 0;
}
