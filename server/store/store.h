/* store.h - what the server keeps, as domain operations. No SQL, row or connection crosses this
 * line.
 *
 * Every slot is mandatory. Each operation is one transaction: it happens whole or not at all.
 * Inside a batch (the writer's group commit) each operation is a part that can fail alone, and
 * durable only when batch_commit has returned OK. Reading handles (STORE_READER) may only be given
 * slots marked R. One handle, one thread. Times are Unix seconds; ids are positive and below 2^53.
 * What is over in a conversation is judged by the handle's own clock: the latest time that it was
 * given, by advance or by an operation. It never goes back, so nothing that was over comes to life
 * again when the machine's clock is set back.
 *
 * All slots may fail with STORE, STORE_FULL, STORE_BUSY, NOMEM; others are named. Views handed to
 * callbacks are borrowed for the call; a callback that returns an error stops the walk with it. */
#ifndef TACIT_SERVER_STORE_STORE_H
#define TACIT_SERVER_STORE_STORE_H

#include "base/buf.h"
#include "base/err.h"
#include "wire/device.h"
#include "wire/limits.h"

enum store_mode { STORE_READER, STORE_WRITER };

#define STORE_HASH_BYTES 32    /* SHA-256 of a random token: tokens themselves are never stored */
#define STORE_FILE_ID_CHARS 32 /* 128 random bits in hex */
#define STORE_CLIENT_ID_CHARS 64
#define STORE_MAX_UNREAD 1000                    /* store_conversation.unread stops counting here */
#define STORE_TOMBSTONE_SECONDS (30 * 24 * 3600) /* GONE for that long, NOT_FOUND afterwards */

/* Where things are in a data folder. */
#define STORE_DATABASE_NAME "tacit.db"
#define STORE_BLOB_FOLDER "blobs"

struct store_user {
	int64_t id;
	char username[TACIT_MAX_USERNAME + 1];
	char email[TACIT_MAX_EMAIL + 1];
	uint8_t public_key[32];
	char password_hash[128]; /* Argon2id string over what the client sent */
	uint8_t totp_sealed[80]; /* seed under the server's key */
	size_t totp_sealed_bytes;
	int64_t totp_last_step; /* a code works once */
	char encryption_iv[33]; /* hex, as the client sent it */
	int64_t quota_bytes;    /* -1: the server's default */
	int64_t created_at;
	bool admin, disabled;
};
/* A new user: the fields above but id and totp_last_step, and the wrapped key. */
struct store_new_login {
	const char *password_hash, *encryption_iv;
	struct tacit_bytes encrypted_private_key;
};

struct store_new_user {
	struct store_user user;
	struct tacit_bytes encrypted_private_key; /* text as the client sent it */
};

struct store_session { /* a login, with what every request needs of its user */
	int64_t id, user_id;
	char username[TACIT_MAX_USERNAME + 1];
	uint8_t public_key[32];
	int64_t expires_at;
	bool admin, disabled;
};

#define STORE_FROM_START (-1) /* message_page: after nothing, but still the oldest first */

enum store_kind { STORE_DIRECT = 1, STORE_GROUP = 2, STORE_ROOM = 3, STORE_SESSION = 4 };

/* How a session ends by people leaving it. */
enum store_ends_when { STORE_LAST_LEAVES = 0, STORE_ANYONE_LEAVES = 1 };

struct store_conversation {
	int64_t id;
	enum store_kind kind;
	struct tacit_bytes name; /* may be empty */
	int64_t creator_id, created_at;
	int64_t expires_at;      /* 0: never */
	int64_t message_ttl;     /* seconds that a message sent now lives; 0: no end of its own */
	int64_t last_message_id; /* 0: none */
	int64_t unread;          /* for the asking user */
	enum store_ends_when ends_when;
};
struct store_participant {
	int64_t user_id, joined_at;
	char username[TACIT_MAX_USERNAME + 1];
	uint8_t public_key[32];
	int64_t read_message_id, read_at; /* 0: none */
};
struct store_member {
	enum store_kind kind; /* of the conversation */
	int64_t creator_id, message_ttl;
	enum store_ends_when ends_when;
	char username[TACIT_MAX_USERNAME + 1];
};
struct store_new_message {
	int64_t conversation_id, user_id, now;
	struct tacit_bytes content;   /* opaque; may be empty */
	struct tacit_bytes extra;     /* opaque, what belongs to the content; may be empty */
	struct tacit_bytes client_id; /* may be empty */
};
struct store_message {
	int64_t id, conversation_id, user_id, created_at;
	int64_t expires_at;   /* 0: never on its own */
	int64_t begins_epoch; /* of a commit; 0: it is none */
	char username[TACIT_MAX_USERNAME + 1];
	struct tacit_bytes content, extra, client_id;
};
/* Key packages, commits, Welcomes and GroupInfos of RFC 9420: all opaque. */
#define STORE_MAX_KEY_PACKAGES 100 /* of one device, without the one of last resort */
#define STORE_WELCOME_SECONDS (90 * 24 * 3600)
struct store_stock {
	int64_t available; /* key packages that are given once, and have not lapsed */
	bool last_resort;
};
struct store_new_key_packages {
	int64_t user_id;
	struct tacit_device_id device;
	const struct tacit_bytes *list;
	size_t count;
	struct tacit_bytes last_resort; /* takes the former one's place; empty: that stays */
	int64_t not_after;              /* Unix seconds: then all of these lapse; 0: not said */
};
struct store_new_commit {
	struct store_new_message message;
	int64_t epoch; /* that it ends */
	struct tacit_bytes group_info;
	struct tacit_bytes welcome; /* empty: none */
	const struct tacit_device_id *joiners;
	size_t joiner_count;
};
struct store_group {
	int64_t epoch, message_id; /* 0: there is no group yet */
	struct tacit_bytes group_info;
};
struct store_welcome {
	int64_t id, conversation_id, epoch, message_id;
	struct tacit_bytes welcome;
};
struct store_file {
	char id[STORE_FILE_ID_CHARS + 1];
	int64_t owner_id;
	int64_t conversation_id, message_id; /* 0: none */
	int64_t bytes, created_at;
	int64_t expires_at; /* 0: never on its own; set by the store */
	uint8_t sha256[32];
};
struct store_upload { /* tus */
	char id[STORE_FILE_ID_CHARS + 1];
	int64_t owner_id, conversation_id;
	int64_t length; /* -1: not known yet (Upload-Defer-Length) */
	int64_t offset;
	int64_t expires_at, created_at;
	struct tacit_bytes metadata; /* Upload-Metadata as received */
};

/* What somebody without an account leaves for whoever has a link. Tokens are known by their hash.
 */
#define STORE_RECEIPT_BYTES 40 /* opaque: the receiver's to make */
#define STORE_PARCEL_KEPT_SECONDS                                                                  \
	(7 * 24 * 3600) /* what became of one is told so long after its end */
enum store_parcel_end {
	STORE_PARCEL_LIVES = 0,
	STORE_PARCEL_TAKEN = 1, /* as often as was allowed */
	STORE_PARCEL_REVOKED = 2,
	STORE_PARCEL_EXPIRED = 3,
};
struct store_parcel {
	char id[STORE_FILE_ID_CHARS + 1];
	uint8_t access[STORE_HASH_BYTES], owner[STORE_HASH_BYTES];
	int64_t head_bytes, bytes; /* those of its beginning, which no claim is spent by; all */
	int64_t offset;            /* that have come and are on disk */
	int64_t downloads;         /* that are allowed */
	int64_t lifetime;          /* seconds, from when all of it is there */
	int64_t created_at, expires_at;
	bool ready;
	enum store_parcel_end ended;
	int64_t ended_at;
};
enum store_claim_state {
	STORE_CLAIM_RESERVED = 1, /* lapses, and gives its place back */
	STORE_CLAIM_BEGUN = 2,    /* bytes of the content were given out: its place is spent */
	STORE_CLAIM_DONE = 3,     /* the receiver says that it has all of it */
};
struct store_parcel_claim {
	uint8_t token[STORE_HASH_BYTES];
	enum store_claim_state state;
	int64_t lapses_at, changed_at;
	uint8_t receipt[STORE_RECEIPT_BYTES]; /* of one that is done */
};

/* One turn of housekeeping. */
struct store_sweep {
	unsigned limit; /* of each kind; messages that were said on end go together */
	void (*gone)(void *ctx, const char *file_id); /* a file or an upload was deleted */
	/* A session's time was over: once for each who was in it, one session after the other. */
	void (*ended)(void *ctx, int64_t conversation_id, int64_t user_id);
	void *ctx;
	bool more;    /* out: the limit was reached: come again at once */
	int64_t next; /* out: when the next session, message or file is over, by the handle's
	               * clock; 0: nothing has an end */
};

struct store;

struct store_ops {
	const char *name;
	void (*close)(struct store *s);
	/* Sets the handle's clock forward; an earlier time changes nothing. */
	void (*advance)(struct store *s, int64_t now); /* R */

	/* Between the two all that a reading handle reads is of one moment, of read_begin or behind
	 * it, and costs less. For short: the writer's log goes on growing for as long. Nothing to a
	 * writing handle. */
	void (*read_begin)(struct store *s); /* R */
	void (*read_end)(struct store *s);   /* R */

	/* The writer's group commit. Operations outside a batch are a batch of one. */
	enum tacit_err (*batch_begin)(struct store *s);
	enum tacit_err (*batch_commit)(struct store *s);
	void (*batch_abort)(struct store *s);
	/* After batches, when their answers have left: what has to be done now and then, and may
	 * take milliseconds. idle: nobody waits for the next batch. Left out, it is done by a
	 * batch. */
	void (*settle)(struct store *s, bool idle);
	enum tacit_err (*mark)(struct store *s);
	enum tacit_err (*undo)(struct store *s);
	enum tacit_err (*release)(struct store *s);
	/* OK when a write would succeed now (health). */
	enum tacit_err (*probe)(struct store *s);

	/* --- settings of this installation (server id, key check, ...) --- */
	enum tacit_err (*meta_get)(
	        struct store *s, const char *key, struct tacit_buf *out); /* R NOT_FOUND */
	enum tacit_err (*meta_set)(struct store *s, const char *key, struct tacit_bytes value);

	/* --- replay: the same (scope, signature) once until it expires, or until those of its
	 * batch have expired that live longest. EXISTS --- */
	enum tacit_err (*signature_remember)(struct store *s, int64_t user_id /* 0: none yet */,
	        const uint8_t signature_hash[16], int64_t expires_at);

	/* --- short-lived things, each taken at most once: pending registrations, login tickets,
	 * invitations. kind separates them. take: NOT_FOUND also when expired or taken. --- */
	enum tacit_err (*token_put)(struct store *s, const char *kind,
	        const uint8_t hash[STORE_HASH_BYTES], struct tacit_bytes value, int64_t expires_at);
	enum tacit_err (*token_peek)(struct store *s, const char *kind,
	        const uint8_t hash[STORE_HASH_BYTES], int64_t now,
	        struct tacit_buf *value); /* R NOT_FOUND */
	enum tacit_err (*token_take)(struct store *s, const char *kind,
	        const uint8_t hash[STORE_HASH_BYTES], int64_t now,
	        struct tacit_buf *value); /* NOT_FOUND */
	/* Replaces the value of one that is there. NOT_FOUND */
	enum tacit_err (*token_update)(struct store *s, const char *kind,
	        const uint8_t hash[STORE_HASH_BYTES], int64_t now, struct tacit_bytes value);

	/* --- users. Names and addresses are unique without regard to case. --- */
	enum tacit_err (*user_create)(
	        struct store *s, const struct store_new_user *u, int64_t *id); /* EXISTS */
	/* Is the name, the address or the key taken? EXISTS */
	enum tacit_err (*user_available)(struct store *s, const char *username, const char *email,
	        const uint8_t public_key[32]); /* R */
	enum tacit_err (*user_by_id)(
	        struct store *s, int64_t id, struct store_user *out); /* R NOT_FOUND */
	enum tacit_err (*user_by_name)(
	        struct store *s, const char *username, struct store_user *out); /* R NOT_FOUND */
	/* Of an address that somebody has; the empty one is nobody's. */
	enum tacit_err (*user_by_email)(
	        struct store *s, const char *email, struct store_user *out); /* R NOT_FOUND */
	enum tacit_err (*user_wrapped_key)(
	        struct store *s, int64_t id, struct tacit_buf *out); /* R NOT_FOUND */
	/* Names that begin with prefix, in order, without the disabled. */
	enum tacit_err (*user_search)(struct store *s, struct tacit_bytes prefix, unsigned limit,
	        enum tacit_err (*row)(void *ctx, const struct store_user *u), void *ctx); /* R */
	/* All, for the administrator, after an id. */
	enum tacit_err (*user_list)(struct store *s, int64_t after_id, unsigned limit,
	        enum tacit_err (*row)(void *ctx, const struct store_user *u), void *ctx); /* R */
	/* Another password: what is hashed of it, and the key that is wrapped by it. Ends all
	 * sessions. NOT_FOUND */
	enum tacit_err (*user_set_login)(
	        struct store *s, int64_t id, const struct store_new_login *n);
	/* Disabling ends all sessions. NOT_FOUND */
	enum tacit_err (*user_set_disabled)(struct store *s, int64_t id, bool disabled);
	enum tacit_err (*user_set_admin)(struct store *s, int64_t id, bool admin);
	enum tacit_err (*user_set_quota)(struct store *s, int64_t id, int64_t quota_bytes);
	/* Bytes of complete files and of uploads under way (their whole length). */
	enum tacit_err (*user_usage)(struct store *s, int64_t id, int64_t *bytes); /* R */

	/* --- second factor --- */
	/* A TOTP time step may be used once, and never one before the last. CONFLICT */
	enum tacit_err (*totp_use)(struct store *s, int64_t user_id, int64_t step);
	enum tacit_err (*recovery_codes_set)(struct store *s, int64_t user_id,
	        const uint8_t (*hashes)[STORE_HASH_BYTES], size_t count);
	enum tacit_err (*recovery_code_use)(struct store *s, int64_t user_id,
	        const uint8_t hash[STORE_HASH_BYTES]); /* NOT_FOUND */

	/* --- sessions: one per login; a token for the cookie, one for refreshing --- */
	enum tacit_err (*session_create)(struct store *s, int64_t user_id,
	        const uint8_t token[STORE_HASH_BYTES], const uint8_t refresh[STORE_HASH_BYTES],
	        int64_t now, int64_t expires_at, int64_t *id);
	enum tacit_err (*session_by_token)(struct store *s, const uint8_t token[STORE_HASH_BYTES],
	        int64_t now, struct store_session *out); /* R NOT_FOUND */
	enum tacit_err (*session_by_id)(struct store *s, int64_t id, int64_t now,
	        struct store_session *out); /* R NOT_FOUND */
	/* Exchanges the refresh token; one that was exchanged before ends the session (theft).
	 * NOT_FOUND, REPLAY: the session was ended, so this one error must not be undone by the
	 * caller. */
	enum tacit_err (*session_refresh)(struct store *s,
	        const uint8_t old_refresh[STORE_HASH_BYTES],
	        const uint8_t new_refresh[STORE_HASH_BYTES], int64_t now, int64_t expires_at,
	        struct store_session *out);
	enum tacit_err (*session_end)(struct store *s, int64_t id); /* OK when gone already */
	enum tacit_err (*session_end_all)(
	        struct store *s, int64_t user_id, int64_t except_id /* 0: none */);
	/* The session is this device's from now on. The first tie lasts, so that nobody gets out of
	 * a device's removal by naming another. OK, and nothing happens, when it is tied already,
	 * or when it or the device is none of this user's. */
	enum tacit_err (*session_tie)(
	        struct store *s, int64_t id, int64_t user_id, const struct tacit_device_id *device);

	/* --- devices: opaque certified descriptions --- */
	enum tacit_err (*device_put)(struct store *s, int64_t user_id, const struct tacit_device *d,
	        int64_t now); /* LIMIT, EXISTS (another's id) */
	/* Ends the sessions that are tied to it; each is told to ended (NULL: to nobody), in the
	 * order of their ids. An error of ended undoes all of it. NOT_FOUND */
	enum tacit_err (*device_delete)(struct store *s, int64_t user_id,
	        const struct tacit_device_id *id,
	        enum tacit_err (*ended)(void *ctx, int64_t session_id), void *ctx);
	enum tacit_err (*device_list)(struct store *s, int64_t user_id,
	        enum tacit_err (*row)(void *ctx, int64_t user_id, const struct tacit_device *d),
	        void *ctx); /* R */
	/* Those of all participants of a conversation. */
	enum tacit_err (*device_list_conversation)(struct store *s, int64_t conversation_id,
	        enum tacit_err (*row)(void *ctx, int64_t user_id, const struct tacit_device *d),
	        void *ctx); /* R */

	/* --- conversations. Everything takes the asking user, and is NOT_FOUND for outsiders;
	 * GONE for a self-destroyed one that the user was in. --- */
	/* creator is among members or is added. A direct one between the same two comes back
	 * instead of being made again (*existed), and who had left it is in again. USAGE: a direct
	 * one of more than two, expires_at for another kind than STORE_SESSION. */
	enum tacit_err (*conversation_create)(struct store *s, enum store_kind kind,
	        int64_t creator_id, struct tacit_bytes name, const int64_t *members,
	        size_t member_count, int64_t now, int64_t expires_at, int64_t *id,
	        bool *existed); /* NOT_FOUND (a member) */
	enum tacit_err (*conversation_get)(struct store *s, int64_t id, int64_t user_id,
	        int64_t now, enum tacit_err (*row)(void *ctx, const struct store_conversation *c),
	        void *ctx); /* R */
	/* kind 0: all. Most recently active first. */
	enum tacit_err (*conversation_list)(struct store *s, int64_t user_id, int kind, int64_t now,
	        enum tacit_err (*row)(void *ctx, const struct store_conversation *c),
	        void *ctx); /* R */
	/* The same without a look at what is in them: ids only, in no order. */
	enum tacit_err (*conversation_ids)(struct store *s, int64_t user_id, int64_t now,
	        enum tacit_err (*row)(void *ctx, int64_t id), void *ctx); /* R */
	enum tacit_err (*conversation_member)(struct store *s, int64_t id, int64_t user_id,
	        int64_t now, struct store_member *out); /* R */
	enum tacit_err (*participant_list)(struct store *s, int64_t id, int64_t user_id,
	        enum tacit_err (*row)(void *ctx, const struct store_participant *p),
	        void *ctx); /* R */
	enum tacit_err (*participant_add)(struct store *s, int64_t id, int64_t user_id,
	        int64_t new_user_id, unsigned max_participants,
	        int64_t now); /* EXISTS, LIMIT, CONFLICT (direct), NOT_FOUND */
	/* Oneself, or by the creator another. The last one out takes the conversation along, a
	 * session as if it was closed; so does anyone where that was agreed. Who leaves a session
	 * by that is told GONE afterwards, and not NOT_FOUND. Deleted files are named to gone(). */
	enum tacit_err (*participant_remove)(struct store *s, int64_t id, int64_t user_id,
	        int64_t removed_user_id, void (*gone)(void *ctx, const char *file_id),
	        void *ctx); /* CONFLICT (not allowed) */
	/* How long messages live that are sent from now on, in seconds; 0: without end. What was
	 * sent before keeps its deadline. Any participant may. USAGE (negative) */
	enum tacit_err (*conversation_set_message_ttl)(
	        struct store *s, int64_t id, int64_t user_id, int64_t seconds, int64_t now);
	/* CONFLICT: not a session, or not its creator. */
	enum tacit_err (*conversation_set_ends_when)(struct store *s, int64_t id, int64_t user_id,
	        enum store_ends_when ends_when, int64_t now);
	/* Ends a self-destructing session at once; leaves a tombstone. CONFLICT for other kinds. */
	enum tacit_err (*conversation_close)(struct store *s, int64_t id, int64_t user_id,
	        int64_t now, void (*gone)(void *ctx, const char *file_id), void *ctx);

	/* --- messages --- */
	/* The same client_id of the same user here answers the message that is there (*existed).
	 * out->content, extra and client_id are not set. Its deadline is that of the conversation's
	 * message_ttl, by the handle's clock; from then on no operation sees it. */
	enum tacit_err (*message_append)(struct store *s, const struct store_new_message *m,
	        struct store_message *out, bool *existed);
	/* before/after: message ids, 0 none; after may be STORE_FROM_START. The newest `limit` of
	 * the range when only before (or nothing) is given, the oldest when after is; always in
	 * ascending order. *more tells whether the range holds others. */
	enum tacit_err (*message_page)(struct store *s, int64_t conversation_id, int64_t user_id,
	        int64_t before, int64_t after, unsigned limit,
	        enum tacit_err (*row)(void *ctx, const struct store_message *m), void *ctx,
	        bool *more); /* R */
	/* Never moves back; *moved: it went on. NOT_FOUND also for a message of another
	 * conversation. */
	enum tacit_err (*read_mark)(struct store *s, int64_t conversation_id, int64_t user_id,
	        int64_t message_id, int64_t now, bool *moved);

	/* --- MLS --- */
	/* Those of the device that have lapsed by the handle's clock go. Fails: NOT_FOUND (not a
	 * device of the user), LIMIT. */
	enum tacit_err (*key_packages_add)(
	        struct store *s, const struct store_new_key_packages *p, struct store_stock *stock);
	enum tacit_err (*key_packages_count)(struct store *s, int64_t user_id,
	        const struct tacit_device_id *device, struct store_stock *out); /* R NOT_FOUND */
	/* A key package of a participant's device, appended to out; it is gone then, but for the
	 * one of last resort, which is given when there is no other. What has lapsed is not there.
	 * NOT_FOUND (also when there is none). */
	enum tacit_err (*key_package_claim)(struct store *s, int64_t conversation_id,
	        int64_t user_id, const struct tacit_device_id *device, struct tacit_buf *out);
	/* A message that begins the next epoch. The joiners are devices of participants; those that
	 * are not (any more) get no Welcome. CONFLICT: another commit has ended this epoch already.
	 * The same client_id again answers the message that is there (*existed), as message_append
	 * does. A commit never expires. */
	enum tacit_err (*commit_append)(struct store *s, const struct store_new_commit *c,
	        struct store_message *out, bool *existed);
	/* The commits that end this epoch and later ones, in order. */
	enum tacit_err (*commit_list)(struct store *s, int64_t conversation_id, int64_t user_id,
	        int64_t epoch, unsigned limit,
	        enum tacit_err (*row)(void *ctx, const struct store_message *m), void *ctx); /* R */
	enum tacit_err (*group_get)(struct store *s, int64_t conversation_id, int64_t user_id,
	        enum tacit_err (*row)(void *ctx, const struct store_group *g), void *ctx); /* R */
	/* Oldest first. NOT_FOUND: not a device of the user. */
	enum tacit_err (*welcome_list)(struct store *s, int64_t user_id,
	        const struct tacit_device_id *device, unsigned limit,
	        enum tacit_err (*row)(void *ctx, const struct store_welcome *w), void *ctx); /* R */
	enum tacit_err (*welcome_delete)(struct store *s, int64_t user_id,
	        const struct tacit_device_id *device, int64_t id); /* NOT_FOUND */

	/* --- the caller's own wrapped conversation key --- */
	enum tacit_err (*key_get)(struct store *s, int64_t conversation_id, int64_t user_id,
	        struct tacit_buf *out); /* R NOT_FOUND */
	enum tacit_err (*key_put)(struct store *s, int64_t conversation_id, int64_t user_id,
	        struct tacit_bytes key, int64_t now);

	/* --- files: the row of a blob that is complete and on disk. quota_bytes is the server's
	 * default (negative: none); a quota set for the user goes before it. A file ends with its
	 * message, or without one as a message would that is sent with it. --- */
	enum tacit_err (*file_create)(struct store *s, const struct store_file *f,
	        int64_t quota_bytes); /* LIMIT (quota), NOT_FOUND (conversation, message), GONE,
	                                 EXISTS */
	/* For its owner, or the members of its conversation. */
	enum tacit_err (*file_get)(struct store *s, const char *id, int64_t user_id,
	        struct store_file *out); /* R NOT_FOUND */
	enum tacit_err (*file_delete)(struct store *s, const char *id,
	        int64_t user_id); /* NOT_FOUND; CONFLICT (not the owner) */
	/* Is there a file, an upload or a living parcel of this id? What has a body and is neither,
	 * is an orphan. */
	enum tacit_err (*file_exists)(struct store *s, const char *id); /* R NOT_FOUND */

	/* --- uploads under way (tus 1.0.0) --- */
	enum tacit_err (*upload_create)(struct store *s, const struct store_upload *u,
	        int64_t quota_bytes); /* LIMIT, NOT_FOUND, GONE, EXISTS */
	enum tacit_err (*upload_get)(struct store *s, const char *id, int64_t user_id, int64_t now,
	        enum tacit_err (*row)(void *ctx, const struct store_upload *u),
	        void *ctx); /* R NOT_FOUND, GONE (expired) */
	enum tacit_err (*upload_set_length)(struct store *s, const char *id, int64_t user_id,
	        int64_t length, int64_t quota_bytes); /* LIMIT, CONFLICT */
	enum tacit_err (*upload_advance)(struct store *s, const char *id, int64_t user_id,
	        int64_t from_offset, int64_t to_offset,
	        int64_t expires_at); /* CONFLICT (not at from_offset) */
	/* The upload becomes the file of the same id. */
	enum tacit_err (*upload_finish)(struct store *s, const char *id, int64_t user_id,
	        const uint8_t sha256[32], int64_t now); /* CONFLICT (incomplete) */
	enum tacit_err (*upload_delete)(
	        struct store *s, const char *id, int64_t user_id); /* NOT_FOUND */

	/* --- parcels. Their deadlines are by the handle's clock. One that has ended is GONE to
	 * everything but parcel_get, parcel_claim_list, parcel_revoke and parcel_commit, and
	 * NOT_FOUND when STORE_PARCEL_KEPT_SECONDS have passed. --- */
	/* Of p, what a store sets itself is ignored: offset, created_at, expires_at, ready, ended.
	 * idle_s: how long an upload waits for its next part. LIMIT: all parcels that live would
	 * have more than room_bytes; EXISTS. */
	enum tacit_err (*parcel_create)(
	        struct store *s, const struct store_parcel *p, int64_t idle_s, int64_t room_bytes);
	enum tacit_err (*parcel_get)(
	        struct store *s, const char *id, struct store_parcel *out); /* R NOT_FOUND */
	/* CONFLICT: not at from_offset, or beyond its end, or it is ready. */
	enum tacit_err (*parcel_advance)(struct store *s, const char *id, int64_t from_offset,
	        int64_t to_offset, int64_t idle_s);
	/* All of it is on disk: its lifetime begins. OK again when it is ready. CONFLICT (not all)
	 */
	enum tacit_err (*parcel_ready)(struct store *s, const char *id);
	/* Reserves one of the downloads for so many seconds; the same token again is OK and changes
	 * nothing. CONFLICT: not ready, or every download is reserved, begun or done. */
	enum tacit_err (*parcel_claim)(struct store *s, const char *id,
	        const uint8_t token[STORE_HASH_BYTES], int64_t lapse_s);
	/* One that has lapsed is not there. */
	enum tacit_err (*parcel_claim_get)(struct store *s, const char *id,
	        const uint8_t token[STORE_HASH_BYTES],
	        struct store_parcel_claim *out); /* R NOT_FOUND */
	/* A reserved claim is begun from now on. OK when it is already. NOT_FOUND (the claim) */
	enum tacit_err (*parcel_begin)(
	        struct store *s, const char *id, const uint8_t token[STORE_HASH_BYTES]);
	/* A reserved claim gives its place back. CONFLICT (begun or done), NOT_FOUND */
	enum tacit_err (*parcel_release)(
	        struct store *s, const char *id, const uint8_t token[STORE_HASH_BYTES]);
	/* A begun claim is done; OK when it is already, and then its receipt stays. *ended: it was
	 * the last that was allowed, and so the parcel's end. CONFLICT (nothing was given out),
	 * NOT_FOUND */
	enum tacit_err (*parcel_commit)(struct store *s, const char *id,
	        const uint8_t token[STORE_HASH_BYTES], const uint8_t receipt[STORE_RECEIPT_BYTES],
	        bool *ended);
	/* OK when it has ended already, which is how it has ended then. */
	enum tacit_err (*parcel_revoke)(struct store *s, const char *id); /* NOT_FOUND */
	/* Without those that have lapsed; in the order of their tokens. */
	enum tacit_err (*parcel_claim_list)(struct store *s, const char *id,
	        enum tacit_err (*row)(void *ctx, const struct store_parcel_claim *c),
	        void *ctx); /* R NOT_FOUND */

	/* --- housekeeping: everything whose time is over; conversations, messages, parcels and
	 * files by the handle's clock, the rest by now. Here and elsewhere the blobs of what gone()
	 * names may be deleted only once the change is committed. --- */
	enum tacit_err (*sweep)(struct store *s, int64_t now, struct store_sweep *w);

	enum tacit_err (*counts)(struct store *s, int64_t *users, int64_t *conversations,
	        int64_t *messages, int64_t *files); /* R */
	/* A consistent copy into a new file, while others go on. Fails: EXISTS, IO, UNSUPPORTED
	 * (memory: it has no form in a file). */
	enum tacit_err (*snapshot)(struct store *s, const char *path); /* R */
};

struct store { /* backends embed this first */
	const struct store_ops *ops;
	/* A writer tells each deadline that it writes, and when it wants to be swept again, in its
	 * own thread and before the commit: whoever sweeps for it comes behind. NULL: nobody. */
	void (*deadline)(void *ctx, int64_t at);
	void *deadline_ctx;
};

static inline void store_tell_deadline(struct store *s, int64_t at)
{
	if (at != 0 && s->deadline != NULL)
		s->deadline(s->deadline_ctx, at);
}

/* url: "sqlite:///abs/path" ("sqlite://" + path), or "memory:NAME" for one that is shared by the
 * handles of that name in this process, and ends with the last of them. The first writer makes the
 * store, and applies migrations under a lock. why gets a text for the operator on failure. Fails:
 * USAGE, STORE_CORRUPT, UNSUPPORTED (a newer schema), IO. */
TACIT_MUST_USE enum tacit_err store_open(
        const char *url, enum store_mode mode, char why[256], struct store **out);
void store_close(struct store *s); /* NULL is fine */

#endif
