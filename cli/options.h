/* options.h - takes a command line apart: options anywhere, "--" ends them. */
#ifndef TACIT_CLI_OPTIONS_H
#define TACIT_CLI_OPTIONS_H

#include "cli/cli.h"

struct words {
	int count;
	char **list;       /* borrowed; parsing reorders it */
	char problem[200]; /* what is wrong, once a call has returned false */
};

struct global_flags {
	bool help, version, print_commands;
	const char *complete_code; /* NULL: not asked for */
};

/* Moves the global options out of the words into c and flags, wherever they stand before "--". */
bool options_take_global(struct cli *c, struct words *w, struct global_flags *flags);

/* The options and arguments of a command whose name was taken off; out points into the words. */
bool options_parse(const struct command *command, struct words *w, struct args *out);

#endif
