/* state_int.h - what an engine is made of: people, conversations and their groups, operations under
 * way, and the engine itself. Comes with engine_int.h. */
#ifndef TACIT_ENGINE_STATE_INT_H
#define TACIT_ENGINE_STATE_INT_H

#include "e2e/account.h"
#include "e2e/group.h"
#include "e2e/parcel/grant.h"
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
	uint64_t user_id; /* of a contact: 0 when the server was never asked */
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
	uint64_t holder;    /* in memory: the operation that seals or posts here */
	uint64_t id_series; /* in memory: how the client_ids that were given here begin */
	uint64_t ids_given; /* in memory */
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

#endif
