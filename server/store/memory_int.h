/* memory_int.h - what the files of the memory backend share.
 *
 * The backend says in the plainest way what store.h means: the executable specification. All that
 * there is at one moment is a state: tables, which are arrays of rows. A state that others can see
 * is never changed. Whoever reads holds on to the state that was committed last. Whoever writes
 * copies the state, changes the copy, and puts it in the place of the old one when everything went
 * well: so each operation happens whole or not at all. Batches and marks remember a state to go
 * back to. Searching is by walking, everywhere. */
#ifndef TACIT_SERVER_STORE_MEMORY_INT_H
#define TACIT_SERVER_STORE_MEMORY_INT_H

#include <stdatomic.h>

#include "server/store/store.h"

/* --- rows. Each begins with its header. --- */
struct memory_text { /* bytes of any length; never changed, shared by the copies of a row */
	atomic_size_t holders;
	size_t n;
	uint8_t b[];
};
struct memory_row {
	struct memory_text *text; /* NULL: empty */
	int64_t conversation_id;  /* what it is a part of and goes along with; 0: none */
};

enum memory_table {
	MEMORY_META,
	MEMORY_SIGNATURE,
	MEMORY_TOKEN,
	MEMORY_USER,
	MEMORY_RECOVERY_CODE,
	MEMORY_SESSION,
	MEMORY_SPENT_REFRESH,
	MEMORY_DEVICE,
	MEMORY_CONVERSATION,
	MEMORY_PARTICIPANT,
	MEMORY_MESSAGE,
	MEMORY_FILE,
	MEMORY_UPLOAD,
	MEMORY_KEY_PACKAGE,
	MEMORY_GROUP,
	MEMORY_WELCOME,
	MEMORY_PARCEL,
	MEMORY_PARCEL_CLAIM,
	MEMORY_TABLES
};

#define MEMORY_WORD 64 /* names that the server itself gives, with their NUL */

struct memory_meta {
	struct memory_row row; /* text: the value */
	char key[MEMORY_WORD];
};
struct memory_signature {
	struct memory_row row;
	int64_t user_id, expires_at;
	uint8_t hash[16];
};
struct memory_token {
	struct memory_row row; /* text: the value */
	char kind[MEMORY_WORD];
	uint8_t hash[STORE_HASH_BYTES];
	int64_t expires_at;
};
struct memory_user {
	struct memory_row row; /* text: the wrapped key */
	struct store_user user;
};
struct memory_recovery_code {
	struct memory_row row;
	int64_t user_id;
	uint8_t hash[STORE_HASH_BYTES];
};
struct memory_session {
	struct memory_row row;
	int64_t id, user_id, expires_at;
	uint8_t token[STORE_HASH_BYTES], refresh[STORE_HASH_BYTES];
	bool tied; /* to this device */
	struct tacit_device_id device;
};
struct memory_spent_refresh { /* one that comes a second time is stolen */
	struct memory_row row;
	int64_t session_id;
	uint8_t refresh[STORE_HASH_BYTES];
};
struct memory_device {
	struct memory_row row;
	int64_t user_id;
	struct tacit_device device;
};
struct memory_conversation {
	struct memory_row row; /* text: the name; conversation_id: its own */
	enum store_kind kind;
	int64_t creator_id, created_at;
	int64_t expires_at;  /* 0: never */
	int64_t closed_at;   /* 0: not; else this is a tombstone */
	int64_t message_ttl; /* 0: none */
	enum store_ends_when ends_when;
	int64_t pair[2]; /* the two of a direct one, in order */
};
struct memory_participant {
	struct memory_row row; /* text: the wrapped key */
	int64_t user_id, joined_at;
	int64_t read_message_id, read_at; /* 0: none */
	bool has_key;
};
struct memory_message {
	struct memory_row row; /* text: the content, and behind it the extra */
	int64_t id, user_id, created_at;
	int64_t expires_at;   /* 0: never on its own */
	int64_t begins_epoch; /* of a commit; 0: it is none */
	size_t content_bytes;
	uint8_t client_id[STORE_CLIENT_ID_CHARS];
	size_t client_id_bytes; /* 0: none */
};
struct memory_file {
	struct memory_row row;
	struct store_file file;
};
struct memory_upload {
	struct memory_row row; /* text: the metadata, which upload leaves empty */
	struct store_upload upload;
};

struct memory_key_package {
	struct memory_row row; /* text: the package */
	struct tacit_device_id device;
	bool last_resort;
	int64_t not_after; /* 0: not said */
};
struct memory_group {
	struct memory_row row; /* text: the GroupInfo */
	int64_t epoch, message_id;
};
struct memory_welcome {        /* for one device; those of one commit have one id */
	struct memory_row row; /* text: the Welcome */
	int64_t id, user_id, epoch, message_id, created_at;
	struct tacit_device_id device;
};

struct memory_parcel {
	struct memory_row row;
	struct store_parcel parcel;
};
struct memory_parcel_claim {
	struct memory_row row;
	char parcel_id[STORE_FILE_ID_CHARS + 1];
	struct store_parcel_claim claim;
};

/* --- states --- */
struct memory_rows {
	void *rows;
	size_t count, room;
};
struct memory_state {
	atomic_size_t holders;
	struct memory_rows tables[MEMORY_TABLES];
	int64_t last_id[MEMORY_TABLES]; /* ids are never given twice */
};

/* An empty one, or a copy. NULL when out of memory. */
struct memory_state *memory_state_new(const struct memory_state *original);
void memory_state_hold(struct memory_state *s);
void memory_state_drop(struct memory_state *s); /* NULL is fine */

/* The row behind `after`, the first for NULL; NULL at the end. Only who has entered (see below) may
 * change it. */
void *memory_next(const struct memory_state *s, enum memory_table t, const void *after);
/* Copies *row into its place, with a text of its own. Pointers to rows of t are void afterwards.
 * Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err memory_add(
        struct memory_state *s, enum memory_table t, const void *row, struct tacit_bytes text);
/* Answers where a walk goes on: memory_next of it is the row behind. */
void *memory_delete(struct memory_state *s, enum memory_table t, void *row);
/* All rows of t that are part of a conversation. */
void memory_delete_parts(struct memory_state *s, enum memory_table t, int64_t conversation_id);
/* Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err memory_set_text(struct memory_row *row, struct tacit_bytes text);
struct tacit_bytes memory_text(const struct memory_row *row); /* valid as long as the state */

/* --- handles --- */
struct memory_mark { /* a state to go back to */
	struct memory_mark *before;
	struct memory_state *state;
};
struct memory {
	struct store base;
	struct memory_shared *shared;
	enum store_mode mode;
	int64_t now;                /* the handle's clock: see store.h */
	struct memory_state *batch; /* what the batch has come to; NULL outside of one */
	bool alone;                 /* the batch is of one operation, and ends with it */
	struct memory_mark *marks;  /* the latest first */
};

static inline struct memory *memory_of(struct store *s)
{
	return (struct memory *)s;
}

/* The handle's clock goes forward only. */
static inline void memory_time(struct memory *m, int64_t now)
{
	if (now > m->now)
		m->now = now;
}

/* What this handle sees now, held until memory_state_drop. Never NULL. */
struct memory_state *memory_look(struct memory *m);

/* An operation that writes: between the two *s may be changed. memory_leave keeps it when err is
 * OK, else drops it; it answers err, or why it could not be kept. *s may be NULL.
 * memory_enter fails: USAGE (a reader), STORE_BUSY, NOMEM. */
TACIT_MUST_USE enum tacit_err memory_enter(struct memory *m, struct memory_state **s);
TACIT_MUST_USE enum tacit_err memory_leave(
        struct memory *m, struct memory_state *s, enum tacit_err err);

/* --- across subjects: NULL when there is none --- */
struct memory_user *memory_user(const struct memory_state *s, int64_t id);
struct memory_conversation *memory_conversation(const struct memory_state *s, int64_t id);
struct memory_participant *memory_participant(
        const struct memory_state *s, int64_t conversation_id, int64_t user_id);
/* The same for one that is over at `now`. */
struct memory_message *memory_message(
        const struct memory_state *s, int64_t now, int64_t conversation_id, int64_t id);
/* Within an operation; out and existed as in store_ops.message_append. begins_epoch 0: no commit.
 */
TACIT_MUST_USE enum tacit_err memory_append(struct memory *m, struct memory_state *s,
        const struct store_new_message *n, int64_t begins_epoch, struct store_message *out,
        bool *existed);
/* Is there one of the same conversation, user and client_id? */
bool memory_has_message(const struct memory_state *s, const struct store_new_message *n);
/* With its bytes, which live as long as the state. */
struct store_message memory_describe(const struct memory_state *s, const struct memory_message *m);
/* Welcomes for a participant who is out. */
void memory_forget_member(struct memory_state *s, int64_t conversation_id, int64_t user_id);
/* What others have of a device that has gone or has another key: key packages, and Welcomes. */
enum memory_forget { MEMORY_FORGET_KEY_PACKAGES, MEMORY_FORGET_ALL };
void memory_forget_device(
        struct memory_state *s, const struct tacit_device_id *device, enum memory_forget what);
/* Is a deadline (0: none) over? */
static inline bool memory_is_over(int64_t expires_at, int64_t now)
{
	return expires_at != 0 && expires_at <= now;
}
/* May this user act in this conversation at `now`? Fails: NOT_FOUND for outsiders, GONE. */
TACIT_MUST_USE enum tacit_err memory_member(
        const struct memory_state *s, int64_t now, int64_t conversation_id, int64_t user_id);
/* Is there one of this id that lives? */
bool memory_parcel_lives(const struct memory_state *s, const char *id);
/* Claims that were only reserved go, and for a tombstone that is over all of them, with it. */
void memory_end_parcel(
        struct memory_state *s, struct memory_parcel *p, enum store_parcel_end why, int64_t now);
void memory_delete_parcel(struct memory_state *s, struct memory_parcel *p);
/* A session's end takes its spent refresh tokens along. Answers as memory_delete. */
void *memory_delete_session(struct memory_state *s, struct memory_session *session);
/* Does this user have this device? */
bool memory_has_device(
        const struct memory_state *s, int64_t user_id, const struct tacit_device_id *device);
/* Everything of a self-destructing one goes, a tombstone stays. */
TACIT_MUST_USE enum tacit_err memory_close_conversation(struct memory_state *s,
        struct memory_conversation *c, int64_t now, void (*gone)(void *ctx, const char *file_id),
        void *ctx);
/* The conversation itself and all its parts but the files, which must be gone by now. */
void memory_delete_conversation(struct memory_state *s, int64_t id);

TACIT_MUST_USE enum tacit_err memory_open(
        const char *name, enum store_mode mode, char why[256], struct store **out);

#endif
