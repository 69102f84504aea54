/* engine_int.h - what the parts of the engine share. Nothing here is for hosts.
 *
 * Invariants:
 * - Whatever changes what must survive marks its record dirty; the end of the step seals every
 * dirty record into a PERSIST effect. So a step persists all that it changed, or (NOMEM) breaks the
 * engine.
 * - A conversation has at most one commit under way, one sealed message in the outbox, and drafts
 *   behind it; an operation that works there holds the conversation (`holder`), and the others
 * wait.
 * - Nothing is sealed for a device that is not in the group, and nobody is let into the group but
 *   certified devices of people whose key is pinned (roster.c).
 * - A contact's key is pinned at first sight, and one key belongs to one name.
 * - An operation has one request under way at most. */
#ifndef TACIT_ENGINE_ENGINE_INT_H
#define TACIT_ENGINE_ENGINE_INT_H

#include "e2e/account.h"
#include "e2e/group.h"
#include "engine/effects.h"
#include "engine/engine.h"
#include "wire/json.h"

#define MAX_CONTACTS 65536
#define MAX_CONVERSATIONS 16384
#define MAX_MEMBERS_EVER 4096 /* of one conversation, those who left included */
#define MAX_NOTES 4096
#define MAX_DRAFTS 64  /* of one conversation */
#define MAX_PAGES 4096 /* of messages, in one SYNC */
#define PAGE_MESSAGES 50
#define MAX_COOKIE 4096
#define RECORD_VERSION 2
#define RECORD_NOTE 7      /* the type of a host's own record, see records.c */
#define MAX_SENTENCE 300   /* of a server's error, bytes */
#define CLIENT_ID_CHARS 37 /* a UUID and a NUL */
#define EVENT_SLOTS 8      /* history positions per message id, see log.c */
#define REQUEST_TRIES 3
#define WARNINGS_KEPT 64
#define MAX_SPANS 128 /* of messages that expire, in one conversation */
#define MAX_WELCOMES 32
#define MAX_LOST 16   /* messages of a conversation that could not be opened, and are waited for */
#define MAX_PRINTS 16 /* epochs whose fingerprints are remembered */
#define SENT_KEPT 32  /* own messages of a conversation that can be sent again */
#define MAX_SILENT 32 /* messages between clients, which nobody reads, that the server counts */
#define KEY_PACKAGES_OFFERED 20
#define KEY_PACKAGES_LEAST 10
#define KEY_PACKAGES_KEPT 128 /* private halves, of all that were ever offered and may be used */

struct tacit_name {
	char c[TACIT_MAX_USERNAME + 1];
};

static inline struct tacit_bytes tacit_name_view(const struct tacit_name *n)
{
	return tacit_cstr(n->c);
}

/* What the server says about a person, well-formed but not believed yet. */
struct tacit_person {
	uint64_t user_id;
	struct tacit_name name;
	struct tacit_sign_public key;
};

struct tacit_contact {
	struct tacit_contact *next;
	struct tacit_person pinned;
	struct tacit_sign_public changed_key; /* what the server gives now, when `changed` */
	uint64_t changed_user_id;
	bool changed, verified, dirty;
};

struct tacit_member {
	struct tacit_name name;
	uint64_t read;       /* up to this message */
	int64_t joined;      /* by the server's word; 0: unknown. In memory only */
	bool in;             /* false: was in; what it sent then still opens */
	uint64_t announced;  /* in memory only: the operation that told that it is in now */
	bool no_device_told; /* in memory only */
};

/* Messages from..last are gone at `expires`. */
struct tacit_span {
	uint64_t from, last;
	int64_t expires;
};

struct tacit_lifetime {
	uint64_t ttl;             /* seconds, of messages that come now; 0: for good */
	int64_t closes_at;        /* a session's end; 0: none */
	struct tacit_span *spans; /* ascending in `from` but for neighbours */
	size_t count;
	uint64_t ended; /* the newest message whose time was over */
	bool sealed;    /* the last span takes no more: the setting has changed since */
	bool dirty;
	/* In memory only: who has set it to how long, by the server's last word. */
	struct tacit_name by;
	uint64_t by_seconds;
};

/* A commit of ours, from its making to the server's word about its place. The bytes are kept, so
 * that the very same one can be posted again. */
struct tacit_pending_commit {
	char client_id[CLIENT_ID_CHARS];
	uint64_t epoch; /* that it ends */
	bool external;  /* by it we join: the group is not in force before */
	bool left;      /* in memory: it may have arrived by an earlier request */
	struct tacit_buf commit, welcome, group_info;
	struct tacit_device_id *joiners; /* for whom the Welcome is */
	size_t joiner_count;
};

/* What could not be opened, and what is kept for those who could not open it (receipts.c). */
struct tacit_print { /* of an epoch in which this device was */
	uint64_t epoch;
	uint8_t fingerprint[TACIT_SHA256_BYTES];
};
struct tacit_lost {
	uint64_t message;
	struct tacit_name by; /* whose it is, by the server's word; empty: not known */
	int64_t time;         /* stored, by the server's word; 0: not known */
	struct tacit_print at;
	uint8_t asks;      /* how often its sender was told */
	uint64_t asked_in; /* in which epoch, the last time */
};
struct tacit_sent {
	struct tacit_sent *next; /* older */
	uint64_t message;
	struct tacit_buf content; /* encoded */
	bool again;               /* it was sent again already */
	bool dirty;
};
struct tacit_receipts {
	struct tacit_lost lost[MAX_LOST]; /* oldest first */
	size_t lost_count;
	uint64_t wanted[MAX_LOST]; /* own messages that somebody could not open */
	size_t wanted_count;
	struct tacit_print prints[MAX_PRINTS]; /* oldest first */
	size_t print_count;
	struct tacit_print astray; /* the last epoch before the group could not be followed */
	struct tacit_sent *sent;   /* newest first */
	bool dirty;
};

/* What is known of a conversation by the live connection of this moment: in memory only. */
enum tacit_live_state { LIVE_OUT, LIVE_JOINING, LIVE_IN };
struct tacit_live_room {
	enum tacit_live_state state;
	uint64_t wanted; /* a message up to here came live, and was not opened */
	bool behind;     /* something may be missing: fetch */
};

struct tacit_conversation {
	struct tacit_conversation *next;
	uint64_t id;
	enum tacit_conversation_kind kind;
	struct tacit_buf title;
	struct tacit_member *members; /* the own account among them */
	size_t member_count;
	bool known; /* its description was seen; else only its state was restored so far */
	bool in;
	uint64_t last; /* the newest message, by the server */
	uint64_t unread;
	uint64_t seen;      /* every message up to here was opened or refused */
	uint64_t own_last;  /* the newest message that this device sent */
	uint64_t moved_at;  /* in memory: how many requests were made before one of both moved */
	uint8_t event_slot; /* the next free history slot after `seen` */
	/* Loaded from the two records at first use (membership.c). */
	struct tacit_group *group;
	struct tacit_buf stored_state, stored_tree;
	uint64_t tree_saved; /* the version that the store has; in memory */
	uint64_t joined;     /* the commit by which this device came: what is before is not ours */
	uint64_t rejoined;   /* of what is before this, something may be lost that was ours */
	uint64_t epoch_seen; /* the highest that the server ever had here */
	uint64_t gap_epoch;  /* in this epoch something is known to be missing */
	bool stray;          /* the group cannot be followed any more: to be joined anew */
	uint64_t doubted;    /* in memory: in this epoch a message did not open that should have */
	struct tacit_pending_commit *pending;
	struct tacit_buf name; /* what a member of the group calls it; empty: nobody has */
	bool name_due;         /* it is to be told to those who are new */
	bool name_kept;        /* the own other devices can find it */
	struct tacit_receipts receipts;
	struct tacit_change *changes; /* to be carried out in the history, oldest first */
	uint64_t silent[MAX_SILENT];
	uint8_t silent_next;
	uint64_t silent_more, silent_more_last; /* how many were forgotten unread, and the last */
	bool dirty, group_dirty, pending_dirty, name_dirty;
	bool closed; /* destroyed; unlinked when no operation can point at it */
	struct tacit_lifetime life;
	struct tacit_live_room live;
	uint64_t holder; /* in memory: the operation that seals or posts here */
};

/* A message that the server has not acknowledged: sealed, or a draft, which is sealed for those who
 * are there when it goes out. */
struct tacit_outgoing {
	struct tacit_outgoing *next;
	char client_id[CLIENT_ID_CHARS];
	uint64_t conversation;
	struct tacit_buf envelope; /* the exact bytes: a retry sends them again */
	struct tacit_buf content;  /* encoded; for the own history */
	uint64_t draft;            /* its place among the drafts there; 0: it is sealed */
	struct tacit_buf readers;  /* of a draft: who was there then, one a line */
	bool left;                 /* in memory: it may have arrived by an earlier request */
	uint64_t op;               /* in memory: who sends it now */
	bool dirty;
};

/* The private half of a key package that others may have. */
struct tacit_key_package {
	struct tacit_key_package *next;
	uint8_t id[8]; /* of its record */
	bool last_resort;
	bool offered; /* the server has said that it has it */
	int64_t made_at;
	struct tacit_buf secret;
	bool dirty;
};

/* Messages that could not be read here, and the server was not told of yet. */
struct tacit_trouble {
	uint32_t undecryptable, missing;
};

struct tacit_note {
	struct tacit_note *next;
	struct tacit_buf name, value;
};

struct tacit_op;

struct tacit_answer {
	int status;
	const json_t *body;      /* an object, or NULL */
	enum tacit_err err;      /* OK only for 2xx with an object */
	struct tacit_bytes text; /* what to tell the person when err is not OK */
	struct tacit_bytes code; /* the server's machine word; may be empty */
	struct tacit_bytes cookie, cookie_name;
};

/* One transition of an operation. NOMEM breaks the step, another error fails the operation. */
typedef enum tacit_err tacit_op_step(struct tacit_engine *e, struct tacit_op *op);
typedef enum tacit_err tacit_op_then(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a);
struct tacit_entry;
struct tacit_change;
/* With the entry that was asked for; NULL: nothing stands there. */
typedef enum tacit_err tacit_op_recalled(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_entry *entry);

enum tacit_body { TACIT_BODY_NONE, TACIT_BODY_PLAIN, TACIT_BODY_SIGNED };

struct tacit_call {
	uint64_t request; /* 0: none under way */
	enum tacit_http_method method;
	enum tacit_body body;
	struct tacit_buf path;
	json_t *data;
	unsigned tries;
	bool once; /* twice would be two: when no answer comes, the person decides */
	tacit_op_then *then;
};

struct tacit_leaves {
	struct tacit_leaf *list;
	size_t count;
	bool stranger; /* the list names someone who is not known to be in the conversation */
};

/* What an operation does in the conversation at hand (visit.c), one thing after another. */
struct tacit_visit {
	bool commit;           /* bring the group to its members even when nothing is to be said */
	bool read;             /* everything is read */
	bool even;             /* the devices in the group are those of the members */
	bool nobody;           /* the server says that nobody has begun the group */
	bool name_asked;       /* for the name that another own device has put down */
	unsigned turns;        /* requests so far */
	unsigned joins;        /* external commits so far */
	bool looked_again;     /* for a Welcome, when the group has this device already */
	unsigned refusals;     /* of commits of ours */
	uint64_t roster_epoch; /* where the group was when the devices were asked for */
	uint64_t refused_epoch;
	tacit_op_step *done;
	tacit_op_then *failed; /* with the answer, or one that stands for what went wrong here */
};

struct tacit_op {
	struct tacit_op *next;
	uint64_t id;
	enum tacit_command_kind kind;
	struct tacit_call call;
	tacit_op_step *waiting; /* to be run when `conversation` is free */
	tacit_op_step *after;   /* what follows a common part (resolving a name) */
	bool ended;
	bool own_accord; /* no command: told without its id, ends in silence */
	bool by_event;   /* reads one live event, not a page of the history */

	struct tacit_buf username, email, text, content;
	struct tacit_secret password, code;
	struct tacit_name *users;
	size_t user_count;
	uint64_t conversation, message, seconds;
	bool flag;
	uint64_t recall; /* the request for an entry of the history, of `about`; 0: none */
	uint64_t about;
	tacit_op_recalled *recalled;

	struct tacit_account account; /* of a login on a new device */
	struct tacit_buf wrapped;
	uint8_t iv[TACIT_WRAP_IV_BYTES];
	uint64_t *todo; /* conversations to fetch */
	size_t todo_count, todo_next;
	uint64_t asked;       /* the number of its newest request */
	uint64_t asked_after; /* of the page under way */
	size_t listed;        /* conversations on earlier pages of the list */
	unsigned limit, pages;
	uint64_t fetched; /* new messages told */
	uint64_t earlier; /* messages of this conversation from before this device */
	uint64_t lost;    /* messages that were for this device, and cannot be opened any more */
	bool refreshed;   /* the members were asked for again already */
	struct tacit_name stranger; /* who was asked for last, being no member */
	bool welcomed;              /* the Welcomes were asked for already */
	struct tacit_visit visit;
	bool sealed;                /* its message is made, and was in the outbox at least */
	bool drafted;               /* its message is kept, and not sealed */
	bool acked;                 /* the message that this operation sends is in its place */
	bool said;                  /* and this is known to it */
	int64_t sent_at;            /* by the server's clock */
	struct tacit_leaves leaves; /* who should be in the group at hand */
	uint64_t used_welcomes[MAX_WELCOMES];
	size_t used_welcome_count;
	bool device_checked; /* this device is not a revoked one */
};

/* A registration between REGISTER and VERIFY_TOTP: in memory only. */
struct tacit_pending {
	struct tacit_account account;
	struct tacit_buf username, email, wrapped;
	uint8_t iv[TACIT_WRAP_IV_BYTES];
	bool there;
};

enum tacit_stage { STAGE_STORE, STAGE_COOKIE, STAGE_OUT, STAGE_COUNT };

struct tacit_engine {
	struct tacit_env env;
	struct tacit_effects stage[STAGE_COUNT]; /* of the step in hand */
	bool broken;
	uint64_t warned[WARNINGS_KEPT]; /* in memory: what was told already is not told again */
	size_t warned_next;
	bool changed; /* the step in hand has changed something */

	bool has_account, unlocked;
	struct tacit_buf username, email, wrapped; /* the PROFILE record */
	uint8_t iv[TACIT_WRAP_IV_BYTES];
	struct tacit_sign_public public;
	struct tacit_account account;
	struct tacit_secret store_key;

	struct tacit_device device;
	struct tacit_secret device_sk; /* of device.signature_key; empty: no device yet */
	bool device_published, device_dirty;
	struct tacit_key_package *key_packages;
	size_t key_package_count;
	int64_t stock_asked_at; /* when the server's stock of them was last looked at; 0: it is due
	                         */
	struct tacit_trouble trouble; /* in the device's record */
	bool telemetry;               /* it is counted, and told: the host says so */
	bool reporting;               /* just now */
	struct tacit_buf cookie;      /* "name=value" */
	uint64_t user_id;
	bool session_dirty;

	struct tacit_contact *contacts;
	size_t contact_count;
	struct tacit_conversation *conversations;
	size_t conversation_count;
	struct tacit_outgoing *outbox;
	struct tacit_note *notes;
	size_t note_count;

	struct {
		bool up;
		bool list_wanted; /* the list of conversations may have changed */
		uint64_t op;      /* the fetch under way; 0: none */
		uint64_t room;    /* where it fetches; 0: the list */
		int64_t retry_at; /* after a fetch that failed; 0: now */
		size_t joining;   /* joins that wait for their history */
	} live;

	struct tacit_pending pending;
	struct tacit_op *ops;
	uint64_t next_op, next_request, next_recall;
};

/* --- op.c: operations, their requests and ends -------------------------------------------------
 */

TACIT_MUST_USE enum tacit_err tacit_op_new(
        struct tacit_engine *e, const struct tacit_command *c, struct tacit_op **out);
void tacit_op_free(struct tacit_op *op);
/* Gives free what op holds: conversations, entries of the outbox. */
void tacit_op_release(struct tacit_engine *e, const struct tacit_op *op);
/* Begins a request. path is printf'd, data is taken over (NULL: no memory, or no body). */
TACIT_MUST_USE TACIT_PRINTF(5, 6) enum tacit_err
        tacit_op_call(struct tacit_engine *e, struct tacit_op *op, const struct tacit_call *call,
                tacit_op_then *then, const char *path, ...);
TACIT_MUST_USE enum tacit_err tacit_op_get(
        struct tacit_engine *e, struct tacit_op *op, tacit_op_then *then, const char *path);
/* The request of op again, signed anew. */
TACIT_MUST_USE enum tacit_err tacit_op_emit(struct tacit_engine *e, struct tacit_op *op);
/* Both end the operation with its one notice; n may be NULL, its kind, op are filled in. */
TACIT_MUST_USE enum tacit_err tacit_op_done(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_notice *n);
TACIT_MUST_USE enum tacit_err tacit_op_fail(
        struct tacit_engine *e, struct tacit_op *op, enum tacit_err why, struct tacit_bytes text);
TACIT_MUST_USE enum tacit_err tacit_op_fail_answer(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a);
/* Delivers a notice that belongs to op. */
TACIT_MUST_USE enum tacit_err tacit_op_tell(
        struct tacit_engine *e, const struct tacit_op *op, const struct tacit_notice *n);
/* A WARNING whose sentence is printf'd; the same one is told once in an engine's life. */
TACIT_MUST_USE TACIT_PRINTF(5, 6) enum tacit_err
        tacit_op_warn(struct tacit_engine *e, const struct tacit_op *op,
                struct tacit_conversation *c, enum tacit_err why, const char *fmt, ...);
/* Takes the conversation, or waits for it: then step runs later, and *held is false. */
bool tacit_op_hold(struct tacit_op *op, struct tacit_conversation *c, tacit_op_step *step);

/* --- answer.c: what the server said --------------------------------------------------------------
 */

/* *body is owned by the caller. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_answer_read(
        const struct tacit_http_answer *from, struct tacit_answer *out, json_t **body);
/* Unix seconds of an RFC 3339 time in UTC; 0 when it is none. */
int64_t tacit_answer_time(struct tacit_bytes text);
/* An id in [1, 2^53). Fails: MALFORMED. */
TACIT_MUST_USE enum tacit_err tacit_answer_id(
        const json_t *object, const char *name, uint64_t *out);
/* A member that is an array of at most max elements; a missing one is an error. Fails: MALFORMED.
 */
TACIT_MUST_USE enum tacit_err tacit_answer_list(
        const json_t *object, const char *name, size_t max, const json_t **out);
/* Fails: MALFORMED. */
TACIT_MUST_USE enum tacit_err tacit_answer_person(
        const json_t *object, const char *id_member, struct tacit_person *out);

/* --- profile.c, records.c, log.c, notes.c: what is kept ------------------------------------------
 */

TACIT_MUST_USE enum tacit_err tacit_profile_encode(
        const struct tacit_engine *e, struct tacit_buf *out);
TACIT_MUST_USE enum tacit_err tacit_profile_decode(struct tacit_bytes in, struct tacit_engine *e);
/* The account of a profile is known from now on. Takes account over. Fails: NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_profile_unlock(
        struct tacit_engine *e, struct tacit_account *account);
/* Username and email, account and wrapping become this profile; a device is made; all is persisted.
 */
TACIT_MUST_USE enum tacit_err tacit_profile_adopt(
        struct tacit_engine *e, struct tacit_account *account, const struct tacit_pending *from);
TACIT_MUST_USE enum tacit_err tacit_profile_session(
        struct tacit_engine *e, struct tacit_bytes cookie_name, struct tacit_bytes cookie);

/* Seals every dirty record into the stage. */
TACIT_MUST_USE enum tacit_err tacit_records_flush(struct tacit_engine *e);
TACIT_MUST_USE enum tacit_err tacit_records_delete_outgoing(
        struct tacit_engine *e, const struct tacit_outgoing *o);
TACIT_MUST_USE enum tacit_err tacit_records_delete_key_package(
        struct tacit_engine *e, const struct tacit_key_package *k);
TACIT_MUST_USE enum tacit_err tacit_records_delete_sent(
        struct tacit_engine *e, const struct tacit_conversation *c, const struct tacit_sent *s);
/* Seals plain under the name; an empty plain deletes. */
TACIT_MUST_USE enum tacit_err tacit_records_put(
        struct tacit_engine *e, const char *name, struct tacit_bytes plain);
TACIT_MUST_USE enum tacit_err tacit_records_decode(
        struct tacit_engine *e, struct tacit_bytes plain, struct tacit_buf *name);

enum tacit_log_slot { LOG_BEFORE = 0, LOG_MESSAGE = 1, LOG_EVENTS = 2 };
TACIT_MUST_USE enum tacit_err tacit_log_put(struct tacit_engine *e,
        const struct tacit_conversation *c, uint64_t message, unsigned slot,
        const struct tacit_notice *n);
/* Delivers the notice and puts it into the history after the newest message. */
TACIT_MUST_USE enum tacit_err tacit_log_event(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, const struct tacit_notice *n);
/* The entries position..until are gone. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_log_purge(struct tacit_engine *e,
        const struct tacit_conversation *c, uint64_t position, uint64_t until);

/* Deletes the notes that belong to a conversation. */
TACIT_MUST_USE enum tacit_err tacit_notes_drop(struct tacit_engine *e, uint64_t conversation);
/* Deletes every record of a conversation, but for its notes and outbox. */
TACIT_MUST_USE enum tacit_err tacit_records_drop_conversation(
        struct tacit_engine *e, uint64_t conversation);
TACIT_MUST_USE enum tacit_err tacit_note_set(
        struct tacit_engine *e, struct tacit_bytes name, struct tacit_bytes value);

/* --- live.c, lifetime.c ------------------------------------------------------------------------
 */

/* At the end of every step: joins what is to be joined, begins the fetch that is due. */
TACIT_MUST_USE enum tacit_err tacit_live_follow_up(struct tacit_engine *e);
/* An event for the server; body NULL is NOMEM. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_live_emit(
        struct tacit_engine *e, const char *name, const json_t *body);
/* A fetch of our own accord has ended. */
void tacit_live_fetched(struct tacit_engine *e, const struct tacit_op *op, enum tacit_err how);
/* Begins an operation of our own accord (engine.c). */
TACIT_MUST_USE enum tacit_err tacit_engine_begin(
        struct tacit_engine *e, const struct tacit_command *c, uint64_t *id);
/* Ends a step that begins with err: everything goes to fx, or nothing (engine.c). */
TACIT_MUST_USE enum tacit_err tacit_engine_finish(
        struct tacit_engine *e, enum tacit_err err, struct tacit_effects *fx);
/* Opens messages of c that follow what it has seen (op_read.c). *whole is false where a sender is
 * unknown: what is left is to be fetched. An event is one message; where something is missing
 * before it, or it would be refused, nothing is told of it (ORDER_CHANGED), but the group's state
 * may have advanced. Fails: MALFORMED, ORDER_CHANGED, NOMEM, CRYPTO. */
enum tacit_sync_from { TACIT_FROM_PAGE, TACIT_FROM_EVENT };
TACIT_MUST_USE enum tacit_err tacit_sync_take(struct tacit_engine *e, struct tacit_conversation *c,
        const json_t *messages, enum tacit_sync_from from, bool *whole);

/* The message at id was put into the history; expires is when it is over, 0: never. Fails: NOMEM.
 */
TACIT_MUST_USE enum tacit_err tacit_lifetime_logged(
        struct tacit_engine *e, struct tacit_conversation *c, uint64_t id, int64_t expires);
/* What the server's description says of it. A change is told. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_lifetime_set(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, uint64_t ttl, int64_t closes_at);
/* Whether the server may have destroyed that message in order, or is about to. */
bool tacit_lifetime_ends(const struct tacit_conversation *c, uint64_t message);
/* The next moment at which something of c is over; INT64_MAX: none. */
int64_t tacit_lifetime_due(const struct tacit_conversation *c);
/* What is over now, goes. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_lifetime_end(
        struct tacit_engine *e, struct tacit_conversation *c);
/* A session is over: everything of it goes, here and at the host. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_conversation_close(
        struct tacit_engine *e, const struct tacit_op *op, struct tacit_conversation *c);

/* --- contacts.c ----------------------------------------------------------------------------------
 */

bool tacit_name_same(struct tacit_bytes a, struct tacit_bytes b);   /* ASCII case does not count */
void tacit_name_set(struct tacit_name *n, struct tacit_bytes from); /* a valid username */
bool tacit_contact_is_self(const struct tacit_engine *e, struct tacit_bytes name);
struct tacit_contact *tacit_contact_find(const struct tacit_engine *e, struct tacit_bytes name);
TACIT_MUST_USE enum tacit_err tacit_contact_add(
        struct tacit_engine *e, const struct tacit_person *p, struct tacit_contact **out);
/* Compares what the server says with what is pinned; pins at first sight. Tells about a changed
 * key. Also for the own account. Fails: KEY_CHANGED, REFUSED (the directory contradicts itself; a
 * WARNING was delivered), LIMIT, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_contact_observe(
        struct tacit_engine *e, const struct tacit_op *op, const struct tacit_person *p);
/* The pinned account key behind a name, the own included; NULL when unknown. */
const struct tacit_sign_public *tacit_contact_key(
        const struct tacit_engine *e, struct tacit_bytes name);
/* The name to which a key is pinned, the own included; NULL: nobody. */
const struct tacit_name *tacit_contact_by_key(
        const struct tacit_engine *e, const struct tacit_sign_public *key, struct tacit_name *own);
bool tacit_key_same(const struct tacit_sign_public *a, const struct tacit_sign_public *b);

/* --- conversations.c -----------------------------------------------------------------------------
 */

struct tacit_conversation *tacit_conversation_find(const struct tacit_engine *e, uint64_t id);
TACIT_MUST_USE enum tacit_err tacit_conversation_get(
        struct tacit_engine *e, uint64_t id, struct tacit_conversation **out);
/* The one in which both still are. */
struct tacit_conversation *tacit_conversation_direct(
        const struct tacit_engine *e, struct tacit_bytes username);
struct tacit_member *tacit_conversation_member(
        const struct tacit_conversation *c, struct tacit_bytes username);
void tacit_conversation_free(struct tacit_conversation *c);
/* Takes in the server's description. *out is NULL when it cannot be accepted: a WARNING was
 * delivered. Fails: MALFORMED, NOMEM, LIMIT. */
TACIT_MUST_USE enum tacit_err tacit_conversation_absorb(struct tacit_engine *e,
        const struct tacit_op *op, const json_t *object, struct tacit_conversation **out);
/* The same for a list of participants alone. Fails: MALFORMED, REFUSED (told), NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_conversation_absorb_members(struct tacit_engine *e,
        const struct tacit_op *op, struct tacit_conversation *c, const json_t *participants);
/* Somebody who has left before this device knew of them. Told. Fails: LIMIT, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_conversation_add_former(struct tacit_engine *e,
        const struct tacit_op *op, struct tacit_conversation *c, const struct tacit_name *name);
TACIT_MUST_USE enum tacit_err tacit_conversation_read(struct tacit_engine *e,
        const struct tacit_op *op, struct tacit_conversation *c, struct tacit_bytes username,
        uint64_t message);
/* The title of a direct chat is the other one's name. Borrowed. */
struct tacit_bytes tacit_conversation_title(
        const struct tacit_engine *e, const struct tacit_conversation *c);
/* The views of the notice are borrowed from c and members. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_conversation_describe(const struct tacit_engine *e,
        const struct tacit_conversation *c, struct tacit_buf *members, struct tacit_notice *out);
TACIT_MUST_USE enum tacit_err tacit_conversation_tell(
        struct tacit_engine *e, const struct tacit_op *op, const struct tacit_conversation *c);

/* --- roster.c, outbox.c --------------------------------------------------------------------------
 */

/* The devices of a conversation that may receive: owner in it, key pinned and unchanged,
 * certificate good. Fails: MALFORMED, KEY_CHANGED, REFUSED, BAD_CERTIFICATE, LIMIT, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_roster_read(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, const json_t *devices, struct tacit_leaves *out);
void tacit_roster_clear(struct tacit_leaves *l);

/* The sealed one. */
struct tacit_outgoing *tacit_outbox_of(const struct tacit_engine *e, uint64_t conversation);
/* The oldest draft. */
struct tacit_outgoing *tacit_outbox_draft(const struct tacit_engine *e, uint64_t conversation);
/* Keeps op->content, not sealed for anybody. Fails: LIMIT, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_outbox_keep(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_conversation *c);
/* Someone who is in the conversation now and was not when the draft was kept; or NULL. */
const struct tacit_member *tacit_outbox_newcomer(
        const struct tacit_conversation *c, const struct tacit_outgoing *draft);
/* The server will not have it: told with its content, and dropped. */
TACIT_MUST_USE enum tacit_err tacit_outbox_refuse(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, struct tacit_outgoing *o, const struct tacit_answer *a);
/* Seals the oldest draft there for the group, or, where there is none, op->content, which it puts
 * into the outbox. Fails: protect's errors. */
TACIT_MUST_USE enum tacit_err tacit_outbox_seal(
        struct tacit_engine *e, struct tacit_op *op, struct tacit_conversation *c);
/* Seals what clients say to each other. Fails: protect's errors. */
TACIT_MUST_USE enum tacit_err tacit_outbox_seal_silent(
        struct tacit_engine *e, struct tacit_conversation *c, const struct tacit_content *content);
TACIT_MUST_USE enum tacit_err tacit_outbox_add(
        struct tacit_engine *e, const struct tacit_outgoing *from, struct tacit_outgoing **out);
TACIT_MUST_USE enum tacit_err tacit_outbox_post(
        struct tacit_engine *e, struct tacit_op *op, struct tacit_outgoing *o, tacit_op_then *then);
enum tacit_outcome {
	OUTCOME_SENT,    /* acknowledged: in the history, out of the outbox */
	OUTCOME_KEPT,    /* nobody knows, or not now: stays */
	OUTCOME_REFUSED, /* for good: out of the outbox */
};
/* What the answer to a post means; own says that op itself made the message. *message is its id. */
TACIT_MUST_USE enum tacit_err tacit_outbox_settle(struct tacit_engine *e, struct tacit_op *op,
        struct tacit_conversation *c, const struct tacit_answer *a, enum tacit_outcome *out);
/* The sync has met the message at id, stored at `time`, sent by this device. */
TACIT_MUST_USE enum tacit_err tacit_outbox_met(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, struct tacit_bytes envelope, uint64_t id, int64_t time);
/* Everything that waits in a conversation goes, untold. */
TACIT_MUST_USE enum tacit_err tacit_outbox_drop(struct tacit_engine *e, uint64_t conversation);
/* One goes, untold. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_outbox_remove(struct tacit_engine *e, struct tacit_outgoing *o);
void tacit_outbox_free(struct tacit_outgoing *o);
/* RFC 4122 4.4. */
void tacit_uuid(struct tacit_engine *e, char out[CLIENT_ID_CHARS]);

/* --- the operations
 * ------------------------------------------------------------------------------- */

tacit_op_step tacit_op_register, tacit_op_verify_totp, tacit_op_login, tacit_op_logout,
        tacit_op_whoami, tacit_op_users, tacit_op_conversations, tacit_op_sync, tacit_op_send,
        tacit_op_resolve_cmd, tacit_op_create_group, tacit_op_add, tacit_op_remove,
        tacit_op_mark_read, tacit_op_safety_number, tacit_op_set_verified, tacit_op_accept_key,
        tacit_op_devices, tacit_op_revoke_device, tacit_op_typing, tacit_op_create_session,
        tacit_op_close_session, tacit_op_set_expiry, tacit_op_drop, tacit_op_reset_password;
/* Finds or makes the direct conversation with op->username, sets op->conversation, runs op->after.
 */
tacit_op_step tacit_op_resolve;
/* Publishes the device of this profile, and key packages, then runs op->after, whatever the server
 * said. */
tacit_op_step tacit_op_publish;

/* A JSON object with one text member for each pair "name", view...; NULL when out of memory. */
struct tacit_pair {
	const char *name;
	struct tacit_bytes text;
};
TACIT_MUST_USE enum tacit_err tacit_op_data(
        const struct tacit_pair *pairs, size_t count, json_t **out);

/* op_report.c. Tells the server what was counted, then runs op->after, whatever it said. */
tacit_op_step tacit_report;
void tacit_report_count(struct tacit_engine *e, struct tacit_trouble t);

#include "engine/groups_int.h"

#endif
