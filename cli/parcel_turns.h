/* parcel_turns.h - one code for several receivers: a process for each, so that they do not wait for
 * each other. The next one is let in when the one before has proven that it has the code; the first
 * who has not ends it for all who have not come yet. So the code still stands one wrong guess. */
#ifndef TACIT_CLI_PARCEL_TURNS_H
#define TACIT_CLI_PARCEL_TURNS_H

#include "cli/cli.h"
#include "client/parcel.h"

/* Runs in the process of one receiver: sends, and tells by parcel_turns_*; an exit status. */
typedef int parcel_turn_run(void *ctx, const struct parcel_turn *turn, int fd);

/* count 0: until it is cancelled. Returns an exit status: done when all that came have all of it.
 */
int parcel_turns(unsigned count, parcel_turn_run *run, void *ctx);

/* The first one's: the code that the others are let in with. */
void parcel_turns_tell_code(int fd, const char *code);
/* Each: the receiver has the code. */
void parcel_turns_tell_met(int fd);

#endif
