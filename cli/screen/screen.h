/* screen.h - `tacit chat` on a whole terminal: several conversations, live. */
#ifndef TACIT_CLI_SCREEN_SCREEN_H
#define TACIT_CLI_SCREEN_SCREEN_H

#include "cli/cli.h"

/* A terminal on both sides that can be drawn on; not with --json. */
bool screen_possible(const struct cli *c);

/* c has a host that is opened and unlocked; the server need not be there. The conversation is
 * shown first; 0: the one in which something was said last. Returns EXIT_DONE or the exit status;
 * what fails is told, once the terminal is given back. *shown: false when the terminal turned out
 * to be none to draw on, and nothing was done. */
int screen_run(struct cli *c, uint64_t conversation, bool *shown);

#endif
