/* others.h - what the others of one conversation do, for a chat that is shown line by line: whether
 * they have read the newest message, and who types; and when they are to be told that we do. All
 * of it is the server's word. No I/O. */
#ifndef TACIT_CLI_OTHERS_H
#define TACIT_CLI_OTHERS_H

#include "engine/engine.h"

#define OTHERS_TYPING_LASTS 6 /* seconds, unless it is said again */
#define OTHERS_TYPING_EVERY 3 /* seconds: how often it is said again */

struct others_reader {
	char name[TACIT_MAX_USERNAME + 1];
	uint64_t message; /* up to which */
};

struct others { /* zeros, but for conversation and self */
	uint64_t conversation;
	char self[TACIT_MAX_USERNAME + 1];
	struct others_reader readers[TACIT_MAX_PARTICIPANTS];
	size_t count;
	uint64_t newest, told; /* messages; told: the newest of which it was said that it is read */
	bool own;              /* the newest is */
	char typist[TACIT_MAX_USERNAME + 1]; /* who types; empty: nobody */
	int64_t typing_until;
	bool saying; /* that we type */
	int64_t said_at;
};

/* CONVERSATION, MESSAGE, READ, MEMBER and TYPING of this conversation; ignores all else. now: in
 * seconds. True: who types is another one than before. */
bool others_take(struct others *o, const struct tacit_notice *n, int64_t now);
/* The same when time has passed. */
bool others_tick(struct others *o, int64_t now);
/* All others have read the newest message, which is an own one: true once for each. */
bool others_have_read(struct others *o);
/* text: what stands in the input line. True: they are to be told that we type, or (!*typing) no
 * longer do. What begins with a slash is a command. */
bool others_to_be_told(struct others *o, struct tacit_bytes text, int64_t now, bool *typing);

#endif
