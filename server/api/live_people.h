/* live_people.h - who is connected, and what others may know of it. Never stored.
 *
 * A person is online when one of their sockets is, away when the best of them is away, and offline
 * to others when all are hidden or gone. What was last told of a person is remembered here, and one
 * thread tells at a time: so the last thing told is the last that was true. Any thread; loops do
 * not call those that tell, which may take as long as somebody has rooms. */
#ifndef TACIT_SERVER_API_LIVE_PEOPLE_H
#define TACIT_SERVER_API_LIVE_PEOPLE_H

#include "server/api/live_outbox.h"

enum live_state { LIVE_OFFLINE, LIVE_HIDDEN, LIVE_AWAY, LIVE_ONLINE };

struct live_people;

struct live_people *live_people_new(void); /* NULL when out of memory */
void live_people_free(struct live_people *p);

struct live_guest {
	struct live_handle handle;
	struct live_identity who;
	int64_t expires_at; /* of the login */
	enum live_state state;
};

/* Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err live_people_enter(
        struct live_people *p, const struct live_guest *s, const char *username);
void live_people_leave(struct live_people *p, int64_t user_id, struct live_handle s);
void live_people_set_state(
        struct live_people *p, int64_t user_id, struct live_handle s, enum live_state state);
/* The login lasts until then. */
void live_people_extend(struct live_people *p, int64_t user_id, int64_t session_id, int64_t until);

/* Tells what is true of the user now to these rooms, if it is not what was told last. False: out of
 * memory; then it counts as not told. */
bool live_people_announce(struct live_people *p, struct live *live, int64_t user_id,
        const int64_t *rooms, size_t count);
/* Sends s, which has joined the room, who of these users is there. Others hear nothing. */
void live_people_describe(struct live_people *p, struct live_handle s, int64_t room,
        const int64_t *users, size_t count);

/* Users of whom something else is true than was told. Appends ids (int64_t), at most limit.
 * Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err live_people_untold(
        struct live_people *p, size_t limit, struct tacit_buf *ids);
/* Logins of open sockets that expire until then; appends struct live_identity, one for each
 * socket. INT64_MAX: all. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err live_people_logins(
        struct live_people *p, int64_t until, struct tacit_buf *out);

#endif
