/* live_call.h - one event of a client on its way through a lane. Internal to server/api.
 *
 * Made on the socket's loop with everything it needs copied in (one allocation), run in its lane,
 * answered from there: the acknowledgement if one was asked for, and for a refusal an `error`
 * event. One thread has it at a time.
 *
 *   loop: the account's allowance, fields -> READ or WRITE: run -> done: tell, acknowledge */
#ifndef TACIT_SERVER_API_LIVE_CALL_H
#define TACIT_SERVER_API_LIVE_CALL_H

#include "server/api/call.h"
#include "server/api/live_people.h"

struct live_call;

struct live_command {
	const char *name;
	unsigned cost; /* of the account's allowance */
	enum { LIVE_HERE, LIVE_READ, LIVE_WRITE } where;
	bool changes; /* something that stays: not for those who must sign */
	/* On the loop, must not block: takes the fields; LIVE_HERE: does all of it. */
	enum tacit_err (*begin)(struct live_call *c, const struct api_object *body);
	enum tacit_err (*run)(struct live_call *c, struct store *store);
	bool single; /* LIVE_WRITE: one change at most, and nothing behind it that can fail */
	void (*failed)(struct live_call *c); /* begin has begun, and it was refused; may be NULL */
};

struct live_call {
	struct job job; /* first: a job is a call */
	struct api *api;
	const struct live_command *command;
	struct live_handle socket;
	struct live_identity who;
	int64_t ack, now;
	size_t held; /* of api->held */

	int64_t room, message_id, after, limit;
	uint64_t join; /* 0: not yet */
	bool begun, typing;
	enum live_state state;
	struct tacit_bytes client_id;    /* into storage */
	struct tacit_buf content, extra; /* of a message */

	enum api_problem problem;
	unsigned retry_after;
	char detail[120];
	struct tacit_buf answer; /* the object of the acknowledgement, when it went well */
	struct live_outbox outbox;
	uint8_t storage[STORE_CLIENT_ID_CHARS];
};

/* One event: finds the command and sees it through. On the socket's loop. */
void live_call_start(struct api *a, struct live_handle s, const struct live_identity *who,
        const struct live_event *e);

TACIT_MUST_USE enum tacit_err live_refuse_call(struct live_call *c, enum api_problem p);
/* Fields of the body; refuse by themselves, naming the field. */
TACIT_MUST_USE enum tacit_err live_text(struct live_call *c, const struct api_object *body,
        const char *name, enum tacit_presence presence, size_t max, struct tacit_bytes *out);
/* A flag that is not there is true, and anything but true is false. */
bool live_flag(const struct api_object *body, const char *name);
TACIT_MUST_USE enum tacit_err live_integer(struct live_call *c, const struct api_object *body,
        const char *name, enum tacit_presence presence, int64_t min, int64_t *out);

/* The error event: the object of contract 1 with "event" (NULL: none) and "room_id" (0: none). */
void live_tell_problem(
        struct api *a, struct live_handle s, enum api_problem p, const char *event, int64_t room);

/* The table; the last has no name. */
extern const struct live_command live_commands[];

#endif
