/* dialog.h - one conversation as the screen knows it: what was said, who has read it, where it is
 * scrolled to. Nothing here draws or waits.
 *
 * Every text in it is clean: it has gone through term_clean on its way in, and nowhere else. */
#ifndef TACIT_CLI_SCREEN_DIALOG_H
#define TACIT_CLI_SCREEN_DIALOG_H

#include "base/buf.h"
#include "engine/engine.h"

#define OUTGOING_ID 36 /* characters at most */

enum entry_kind {
	ENTRY_TEXT,
	ENTRY_FILE,
	ENTRY_REFUSED, /* a message that is not shown, and why */
	ENTRY_DELETED, /* taken back by its sender */
	ENTRY_ASIDE,   /* who came and went; what the program says here */
	ENTRY_LOUD,    /* changed keys, warnings, messages that never came */
};

enum entry_state {
	ENTRY_THEIRS,
	ENTRY_WAITING, /* own, not on the server yet */
	ENTRY_SENT,
	ENTRY_NOT_SENT, /* own, and the server will not take it */
};

struct entry {
	enum entry_kind kind;
	enum entry_state state;
	uint64_t position; /* in the history; UINT64_MAX: waiting, at the end */
	uint64_t message;  /* 0: none, or not known yet */
	uint64_t ticket;   /* of the command that sends it; 0: none */
	int64_t time;
	struct tacit_buf name; /* of the sender */
	struct tacit_buf text; /* FILE: "name, size", and after a line feed what was said to it */
	struct tacit_buf reactions; /* "bob +1, carol ha" */
	uint64_t reply_to;          /* 0: none */
	bool edited;
	char file[TACIT_MAX_FILE_ID + 1];
	char outgoing[OUTGOING_ID + 1]; /* WAITING: its id in the outbox; empty: not known */
};

struct reader {
	struct tacit_buf name;
	uint64_t message; /* has read up to this one */
};

/* The last line of the pane: the end of an entry, less some lines. Following: the newest. */
struct anchor {
	bool following;
	size_t entry;  /* an index; not past the last */
	size_t hidden; /* lines of it below the pane */
};

struct dialog {
	uint64_t id;
	enum tacit_conversation_kind kind;
	struct tacit_buf title;    /* clean */
	struct tacit_buf username; /* direct: as the engine calls the other one */
	struct tacit_buf members;  /* as the engine calls them, one a line */
	size_t member_count;
	bool verified;
	bool changed;    /* somebody's key has changed, not accepted yet */
	bool gone;       /* closed, or left: nothing more comes */
	int64_t ends;    /* when it destroys itself, Unix seconds; 0: never */
	uint64_t kept;   /* how long messages are, seconds; 0: for good */
	uint64_t newest; /* message */
	uint64_t unread;
	uint64_t counted; /* the message up to which the server has counted the unread ones */

	struct entry *entries; /* ascending by position */
	size_t count, cap;
	bool asked, whole; /* an older page is under way; there is no older one */
	size_t got;        /* entries of it that came */
	uint64_t oldest;   /* where the next older page ends */
	uint64_t fresh;    /* the message before which the line of new ones stands; 0: none */
	uint64_t marked;   /* read mark that was sent last */
	struct anchor anchor;

	struct reader *readers;
	size_t reader_count;
	struct tacit_buf typing; /* who types, clean; empty: nobody */
	int64_t typing_until;    /* seconds */
	struct tacit_buf draft;  /* typed here and not sent */
};

void dialog_clear(struct dialog *d); /* wipes and frees */

/* What the engine says about the conversation itself, read marks included. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err dialog_describe(struct dialog *d, const struct tacit_notice *n);

/* One MESSAGE, DELETED, REFUSED, MISSING, KEY_CHANGED, MEMBER or WARNING notice, from the history
 * (position) or as it came (0): then it may count as unread. One that is there already is not put
 * in again, but a message is from then on as it is said now; and an own message that waited here
 * becomes the sent one. *is_new: it was put in. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err dialog_add(
        struct dialog *d, const struct tacit_notice *n, uint64_t position, bool *is_new);
/* An EDITED, DELETED or REACTION notice: nothing, when the message is not here. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err dialog_change(struct dialog *d, const struct tacit_notice *n);
/* The entry of a message; NULL: it is not here. */
struct entry *dialog_message(const struct dialog *d, uint64_t message);
/* The newest message, own or of others, that can be spoken of; 0: none. */
uint64_t dialog_newest(const struct dialog *d, bool own);
/* A text of one's own, on its way by a ticket; reply_to: the message that it answers, or 0.
 * Fails: NOMEM. */
struct dialog_text {
	struct tacit_bytes text;
	uint64_t reply_to;
};
TACIT_MUST_USE enum tacit_err dialog_add_waiting(
        struct dialog *d, uint64_t ticket, int64_t now, struct dialog_text said);
/* An OUTGOING notice: own messages of an earlier run wait, too. One that waits here already is not
 * put in again. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err dialog_add_outgoing(struct dialog *d, const struct tacit_notice *n);
/* The program says something here; text may be from outside. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err dialog_add_aside(
        struct dialog *d, int64_t now, enum entry_kind kind, struct tacit_bytes text);

/* How the command with this ticket ended: by n (DONE: it is sent; FAILED: it waits, or not even
 * that). False: no entry waits for it. */
bool dialog_settle(struct dialog *d, uint64_t ticket, const struct tacit_notice *n);

/* The messages from `first` to `last` have disappeared. */
void dialog_expire(struct dialog *d, uint64_t first, uint64_t last);
/* The conversation has destroyed itself: nothing of it stays here. */
void dialog_close(struct dialog *d);

/* Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err dialog_read_by(
        struct dialog *d, struct tacit_bytes username, uint64_t message);
TACIT_MUST_USE enum tacit_err dialog_typing(
        struct dialog *d, struct tacit_bytes username, int64_t until);

/* Forgets all but the newest `keep` entries: they are in the history, and come again when they are
 * looked at. Only while the newest are followed. */
void dialog_trim(struct dialog *d, size_t keep);

/* The newest message of others; 0: none. */
uint64_t dialog_newest_of_others(const struct dialog *d);
/* Puts the line of new messages before the first of the newest `unread` of others. */
void dialog_mark_fresh(struct dialog *d);

#endif
