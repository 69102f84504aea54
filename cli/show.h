/* show.h - how notices look to a person: messages, files, warnings. With --json: json_out. */
#ifndef TACIT_CLI_SHOW_H
#define TACIT_CLI_SHOW_H

#include "cli/cli.h"

/* One message, refusal, gap, changed key, member or warning: a line or more on stdout (loud ones
 * too, when they belong to a conversation that is being shown). Others print nothing. */
void show_event(const struct cli *c, const struct tacit_notice *n);
/* The bold line above a conversation's messages. Nothing with --json. */
void show_heading(const struct cli *c, uint64_t conversation);
/* What must be said whatever is being done: changed keys, warnings. On stderr. */
void show_loud(const struct cli *c, const struct tacit_notice *n);
bool show_is_loud(const struct tacit_notice *n);
/* Something that belongs into the history of a conversation. */
bool show_is_event(const struct tacit_notice *n);

/* What became of a message: edited, deleted, or somebody has reacted to it. */
bool show_is_change(const struct tacit_notice *n);

/* The names in a notice's `members`: "alice, bob". */
void show_members(struct tacit_bytes members);

/* Remembers which users are verified, for the marks; asks the engine only. Cheap. */
bool show_is_verified(const struct cli *c, struct tacit_bytes username);

#endif
