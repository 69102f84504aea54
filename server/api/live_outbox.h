/* live_outbox.h - what the live side is to be told once a change is on disk.
 *
 * A WRITE step puts it in, its done() sends it: after the commit and in the order of the commits,
 * so that events come in the order of the store. What was undone tells nothing. */
#ifndef TACIT_SERVER_API_LIVE_OUTBOX_H
#define TACIT_SERVER_API_LIVE_OUTBOX_H

#include "server/live/live.h"
#include "server/store/store.h"

struct live_outbox {
	struct tacit_buf posts; /* of struct live_post */
	bool recheck;           /* sessions have ended that the step could not name */
	bool has_message;
	struct store_message message; /* its views stay the step's until the outbox is sent */
};

struct live_person {
	int64_t user_id;
	char username[TACIT_MAX_USERNAME + 1];
};

struct live_mark {
	struct live_person who;
	int64_t message_id, read_at; /* up to which message, and when that was said */
};

enum live_change { LIVE_ADDED, LIVE_REMOVED, LIVE_LEFT };

/* Whole, with its content; one for each step. It becomes an event only when somebody is there to
 * hear it, so that a post costs nothing more where nobody listens. */
void live_tell_message(struct live_outbox *o, const struct store_message *m);
/* All of these fail: NOMEM. */
TACIT_MUST_USE enum tacit_err live_tell_read(
        struct live_outbox *o, int64_t room, const struct live_mark *mark);
/* The same at once, and to one socket of the room alone. */
TACIT_MUST_USE enum tacit_err live_whisper_read(
        struct live_handle s, int64_t room, const struct live_mark *mark);
/* How long messages live that are sent from now on; 0: without end. */
TACIT_MUST_USE enum tacit_err live_tell_expiry(
        struct live_outbox *o, int64_t room, int64_t seconds, const struct live_person *by);
/* To the room; those that it is about get it on all their sockets, and LIVE_REMOVED and LIVE_LEFT
 * take these out of the room first. */
TACIT_MUST_USE enum tacit_err live_tell_participants(struct live_outbox *o, int64_t room,
        enum live_change change, const struct live_person *people, size_t count,
        const struct live_person *by);
/* The room is over: its members are told on all their sockets, which leave it. reason: "closed",
 * "expired". */
TACIT_MUST_USE enum tacit_err live_tell_closed(struct live_outbox *o, int64_t room,
        const char *reason, const int64_t *members, size_t count);
/* The sockets of this login, with session_id 0 of the user, are disconnected. */
TACIT_MUST_USE enum tacit_err live_tell_end(
        struct live_outbox *o, int64_t user_id, int64_t session_id);

/* After the commit. live may be NULL: then nobody is told. Leaves o empty. */
void live_outbox_send(struct live_outbox *o, struct live *live);
void live_outbox_clear(struct live_outbox *o);

#endif
