/* options.h - takes a command line apart: options anywhere, "--" ends them. */
#ifndef TACIT_CLI_OPTIONS_H
#define TACIT_CLI_OPTIONS_H

#include "cli/cli.h"

/* Moves the global options out of words into c, wherever they stand before "--"; the rest moves up.
 * With `leading`, stops at the first word that is not one. NULL, or what is wrong (in room). */
struct global_flags {
	bool help, version, print_commands;
};
const char *options_take_global(struct cli *c, int *count, char **words, struct global_flags *flags,
        char *room, size_t size);

/* A command's own options and its arguments; out->list points into words, which are reordered.
 * NULL, or what is wrong (in room). */
const char *options_parse(const struct command *command, int count, char **words, struct args *out,
        char *room, size_t size);

#endif
