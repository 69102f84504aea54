/* complete.h - what could come next in a line of the prompt: commands, options, names, files. */
#ifndef TACIT_CLI_COMPLETE_H
#define TACIT_CLI_COMPLETE_H

#include "cli/cli.h"

/* As line.h wants it. */
void complete_line(struct cli *c, const char *before, size_t *word, struct tacit_buf *candidates);

#endif
