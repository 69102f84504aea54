/* session.h - transfers without an account: sessions that two parties share, on one agent or on
 * two.
 *
 *   create --> WAITING --the right password--> JOINED --close, time is up, BYE--> CLOSED
 *                 |  --a wrong one, MEETING_TRIES times--> LOCKED
 *   join (another machine's session) ------> JOINED, or LOCKED after as many wrong guesses of ours
 *
 * What is over, also by the end of an earlier process (known.h), stays a while as a name, so that
 * it can be told from what never was. A session is locked while it is looked at; files and threads
 * hold it by session_keep. */
#ifndef TACIT_AGENT_SESSION_H
#define TACIT_AGENT_SESSION_H

#include <pthread.h>

#include "agent/meeting.h"
#include "agent/shelf.h"

#define SESSION_MAX 64        /* with those that are over */
#define SESSION_MAX_FILES 256 /* of one session */

enum session_state { SESSION_WAITING, SESSION_JOINED, SESSION_LOCKED, SESSION_CLOSED };
enum session_part { SESSION_CREATOR, SESSION_JOINER };

struct session {
	struct session *next;
	struct agent *agent;
	atomic_uint users;
	char id[AGENT_ID_CHARS + 1];
	enum session_part part;
	pthread_mutex_t lock; /* of all below, but stop */
	pthread_cond_t changed;
	enum session_state state;
	bool local;   /* both parties are here */
	bool guessed; /* only a count of our guesses at somebody's session */
	bool joining; /* one of them is under way */
	bool online;  /* waits at the relay */
	bool linked;  /* the other agent is there */
	bool met;     /* it has been, at least once */
	bool before;  /* it was of an earlier process, and ended with it */
	bool nearby;  /* the two have met on this network, without a server */
	unsigned tries_left;
	struct tacit_parcel_code code; /* WAITING: secret; what a joiner must know */
	struct meeting next_meeting;   /* WAITING: the one that the next joiner gets */
	char public_key[2 * TACIT_SPAKE2_MESSAGE_BYTES + 1];
	char verification_code[MEETING_CODE_DIGITS + 1]; /* a creator's */
	uint8_t root[TACIT_PARCEL_ROOT_BYTES];           /* JOINED, with another agent; secret */
	struct tacit_secret key;                         /* of the files at rest */
	struct shelf_file *files;
	size_t file_count;
	uint64_t moved;             /* bytes that went over the link: it lives */
	int64_t created_at;         /* Unix seconds */
	int64_t active_s;           /* monotonic, of the last call that counts */
	volatile sig_atomic_t stop; /* for the link's thread */
	bool threaded, thread_done;
	pthread_t thread;
};

struct sessions;

/* With those of an earlier process, closed. Fails: IO, STORE_FULL, NOMEM. */
TACIT_MUST_USE enum tacit_err sessions_new(struct agent *a, struct sessions **out);
/* Closes all, tells the others, ends the threads. NULL is fine. */
void sessions_free(struct sessions *s);
/* Closes what is over its time, and forgets what has been closed for long. */
void sessions_sweep(struct sessions *s);
size_t sessions_count(struct sessions *s); /* that are not over */

/* A new one of this id (NULL: a fresh one), held for the caller. Fails: LIMIT, EXISTS, NOMEM,
 * CRYPTO. */
TACIT_MUST_USE enum tacit_err session_new(
        struct sessions *s, const char *id, enum session_part part, struct session **out);
/* Held for the caller; NULL: there is none. */
struct session *session_find(struct sessions *s, const char *id);
void session_drop(struct session *s); /* NULL is fine */
/* As if it had never been; the caller's hold stays. */
void session_remove(struct sessions *all, struct session *s);

/* From now on it will be known, also after the end of the process. Fails: IO, STORE_FULL. */
TACIT_MUST_USE enum tacit_err session_note(struct sessions *all, const struct session *s);

/* --- with the session locked --- */
/* It is closed: refuses x with the reason. */
enum tacit_err session_refuse_closed(struct exchange *x, const struct session *s);
/* What it holds goes: files, keys. */
void session_end(struct session *s, enum session_state state);
void session_touch(struct session *s);
/* Takes ownership. Fails: LIMIT, GONE (not open any more); the file is dropped then. */
TACIT_MUST_USE enum tacit_err session_add_file(struct session *s, struct shelf_file *f);
struct shelf_file *session_find_file(struct session *s, const char *id);
/* The next joiner's meeting is made. Fails: CRYPTO, NOMEM. */
TACIT_MUST_USE enum tacit_err session_prepare(struct session *s);
bool session_is_open(const struct session *s);
/* Starts the thread that keeps the link. Fails: IO. */
TACIT_MUST_USE enum tacit_err session_link(struct session *s);

#endif
