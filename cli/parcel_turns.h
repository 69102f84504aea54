/* parcel_turns.h - one code for several receivers: a process for each, so that they do not wait for
 * each other. The next one is let in when the one before has proven that it has the code; the first
 * who has not ends it for all who have not come yet. So the code still stands one wrong guess. */
#ifndef TACIT_CLI_PARCEL_TURNS_H
#define TACIT_CLI_PARCEL_TURNS_H

#include "cli/cli.h"
#include "client/parcel_turn.h"

struct parcel_crowd {
	/* In the process of one receiver: sends, and tells by parcel_turns_*; an exit status. */
	int (*run)(void *ctx, const struct parcel_turn *turn, int fd);
	void *ctx;
	const struct cli *cli;
	FILE *out;
	const struct parcel_options *options; /* but for their turn */
	const struct parcel_source *source;
	enum parcel_memory memory; /* ONCE: nobody is remembered */
};

#define PARCEL_TURNS_MOST 1000

/* count, at most PARCEL_TURNS_MOST; 0: until it is cancelled. Who had begun with an earlier process
 * is gone on with; those who are missing then get a code of their own. Returns an exit status: done
 * when all that came have all of it. */
int parcel_turns(unsigned count, const struct parcel_crowd *crowd);

/* The first one's: the code that the others are let in with. */
void parcel_turns_tell_code(int fd, const char *code);
/* Each: the receiver has the code. */
void parcel_turns_tell_met(int fd);

#endif
