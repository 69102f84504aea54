/* slash.h - what is typed behind a slash: taken apart, and completed. */
#ifndef TACIT_CLI_SCREEN_SLASH_H
#define TACIT_CLI_SCREEN_SLASH_H

#include "cli/screen/model.h"

#define SLASH_WORDS 32

enum slash_kind {
	SLASH_HELP,
	SLASH_CHAT,
	SLASH_ABOUT, /* reply, react, edit, delete */
	SLASH_FILE,
	SLASH_GET,
	SLASH_VERIFY,
	SLASH_ACCEPT_KEY,
	SLASH_GROUP,
	SLASH_MEMBERS,
	SLASH_LEAVE,
	SLASH_SESSION,
	SLASH_CLOSE,
	SLASH_EXPIRE,
	SLASH_SEARCH,
	SLASH_QUIT,
};

struct slash_command {
	const char *name, *args, *help;
	enum slash_kind kind;
	bool whole; /* one argument: the rest of the line, spaces and all */
	int min, max;
	char completes; /* u: users, c: conversations, f: files here, p: paths, 0: nothing */
};

struct slash {
	const struct slash_command *command;
	int count;
	char *words[SLASH_WORDS]; /* into room */
	char *room;
	const char *problem; /* a sentence, when it is not a command that can be run */
};

/* line begins with a slash and is not "//". A word with spaces stands in double quotes. out is to
 * be cleared whatever comes. Fails: NOMEM; USAGE (problem says why). */
TACIT_MUST_USE enum tacit_err slash_parse(const char *line, struct slash *out);
void slash_clear(struct slash *s);

extern const struct slash_command slash_commands[];
extern const size_t slash_command_count;

/* What could stand at the end of `before`, one a line; *word: how many of its last bytes that would
 * replace. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err slash_complete(
        const struct model *m, const char *before, size_t *word, struct tacit_buf *candidates);

#endif
