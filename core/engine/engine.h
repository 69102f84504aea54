/* engine.h - the logic of a client, once, without I/O: for the command line, the agent, the
 * browser.
 *
 * A host makes one engine per profile, gives it commands and the server's answers, and carries out
 * the effects that come back, in their order:
 *
 *   PERSIST sorts before SEND and DELIVER of the same step. The host writes all PERSIST and LOG
 *   effects of a step in one transaction and stops at the first effect that fails: then nothing of
 *   the step has left the machine, and the engine is thrown away and restored from the store.
 *   The same holds when a call here returns NOMEM after it began to change something: from then on
 *   every call returns NOMEM, and the host restores.
 *
 * Everything that the engine persists is sealed already (e2e/record.h): a host stores opaque bytes.
 * The engine decides everything about security: which keys are pinned, which devices count, what is
 * refused. Hosts decide nothing, they draw.
 *
 * One thread per engine. Slow calls: REGISTER, LOGIN and tacit_engine_unlock (Argon2id, about 0.2
 * s). */
#ifndef TACIT_ENGINE_ENGINE_H
#define TACIT_ENGINE_ENGINE_H

#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"
#include "crypto/secret.h"
#include "e2e/record.h"
#include "wire/content.h"
#include "wire/device.h"
#include "wire/limits.h"

struct tacit_engine;

/* --- life ------------------------------------------------------------------------------------ */

/* A profile that has no account yet. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_engine_new(
        const struct tacit_env *env, struct tacit_engine **out);
void tacit_engine_free(struct tacit_engine *e); /* wipes; NULL is fine */

/* A profile with an account begins locked: profile is the PROFILE record as it was persisted (it is
 * readable without a key: username, address, wrapped account secret). Unlock once, by the password
 * or by the account secret that the host had kept in a safe place (kernel keyring), then feed every
 * stored record to restore. Fails: MALFORMED, UNSUPPORTED, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_engine_open(
        const struct tacit_env *env, struct tacit_bytes profile, struct tacit_engine **out);
/* Fails: BAD_PASSWORD, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_engine_unlock(
        struct tacit_engine *e, struct tacit_bytes password);
/* Fails: BAD_PASSWORD (not this account's secret), NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_engine_unlock_with_secret(
        struct tacit_engine *e, struct tacit_bytes account_secret);
/* The account secret, to be kept in a safe place; empty when locked. Borrowed. */
struct tacit_bytes tacit_engine_account_secret(const struct tacit_engine *e);
/* One stored record; any order. Fails: BAD_SEAL, MALFORMED, UNSUPPORTED, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_engine_restore(
        struct tacit_engine *e, const struct tacit_record_id *id, struct tacit_bytes sealed);

/* Whether the server is told how many messages could not be opened here, or never came: bare
 * numbers, at the end of a SYNC. Off at first, and to be set for each engine. */
void tacit_engine_set_telemetry(struct tacit_engine *e, bool on);

/* --- commands -------------------------------------------------------------------------------- */

enum tacit_command_kind {
	TACIT_CMD_REGISTER,    /* username, email, password, text: invitation (may be empty) */
	TACIT_CMD_VERIFY_TOTP, /* code: ends a registration */
	TACIT_CMD_LOGIN,  /* username, email, password, code: TOTP or recovery code. On a profile
	                   * without account: a new device. email may be empty on a known profile.
	                   * Or text alone, without account: what another device has granted */
	TACIT_CMD_LOGOUT, /* ends the session on the server; local state stays, sealed */
	TACIT_CMD_WHOAMI,
	TACIT_CMD_USERS,         /* text: prefix -> USER notices */
	TACIT_CMD_CONVERSATIONS, /* refresh the list -> CONVERSATION notices */
	TACIT_CMD_SYNC,          /* fetch and open what is new; conversation 0: everywhere */
	TACIT_CMD_SEND,    /* conversation, or username (direct chat, made when needed); content:
	                    * TEXT, FILE, or about a message that the history has: REACTION; EDIT,
	                    * DELETE of an own one (of this account), else FAILED: NOT_FOUND, GONE
	                    * (deleted), REFUSED (of somebody else) */
	TACIT_CMD_RESOLVE, /* username -> its direct conversation, made when needed (CONVERSATION)
	                    */
	TACIT_CMD_CREATE_GROUP,   /* text: name; users */
	TACIT_CMD_ADD,            /* conversation, users */
	TACIT_CMD_REMOVE,         /* conversation, username (own name: leave) */
	TACIT_CMD_MARK_READ,      /* conversation, message: 0 = the newest known */
	TACIT_CMD_SAFETY_NUMBER,  /* username -> SAFETY notice */
	TACIT_CMD_SET_VERIFIED,   /* username: the person compared the number, and it is the same */
	TACIT_CMD_ACCEPT_KEY,     /* username: trust the changed key from now on; not verified.
	                           * Both, text: the number that was shown; KEY_CHANGED when it is not
	                           * that of the key any more. Empty: whatever the key is */
	TACIT_CMD_DEVICES,        /* own devices -> DEVICE notices */
	TACIT_CMD_REVOKE_DEVICE,  /* text: device id in hex */
	TACIT_CMD_TYPING,         /* conversation, flag: says so to the others, if that can be said
	                           * live; never waits */
	TACIT_CMD_CREATE_SESSION, /* users, seconds: a conversation that destroys itself then */
	TACIT_CMD_CLOSE_SESSION,  /* conversation: destroys it now, for everybody -> CLOSED */
	TACIT_CMD_DROP,       /* text: the id of a message that waits (OUTGOING): it is not sent.
	                       * DONE: flag: it was sealed, and may have arrived all the same */
	TACIT_CMD_RESET_PASSWORD, /* text: the token of the server's letter; password: the new one.
	                           * The account is unlocked: its key is wrapped anew, and stays
	                           * the same. Every session at the server has ended then */
	TACIT_CMD_SET_EXPIRY, /* conversation, seconds: how long messages that are sent from
	                       * now on are kept there; 0: for good */
	TACIT_CMD_COMPARE,    /* username, text: the number that the other one has, in digits or
	                       * words (e2e/safety_number.h). The same: verified, and a changed key
	                       * accepted; else FAILED: BAD_SIGNATURE, or MALFORMED where it is no
	                       * number at all, and nothing changes */
	TACIT_CMD_CREATE_ROOM, /* text: name, which the server keeps in the clear (the host says so
	                        * before); users. Else a group */
	TACIT_CMD_KEEP_CONTACT, /* username, text: the account key (32 bytes) that they have proven
	                         * to have (e2e/parcel/card.h): pinned and verified from now on.
	                         * FAILED: KEY_CHANGED (another one is known, or the server gives
	                         * out another: then it is pinned all the same, and what the server
	                         * says is refused), REFUSED (the key is somebody else's) */
	TACIT_CMD_GRANT, /* password, code, text: the server's URL. For a new device of this account:
	                  * DONE: text: what it logs in with, within five minutes; secret */
};

struct tacit_command { /* all views borrowed for the call */
	enum tacit_command_kind kind;
	struct tacit_bytes username, email, text;
	struct tacit_bytes password, code; /* secret */
	uint64_t conversation, message, seconds;
	bool flag;
	const struct tacit_bytes *users;
	size_t user_count;
	const struct tacit_content *content;
};

/* --- effects --------------------------------------------------------------------------------- */

enum tacit_effect_kind {
	TACIT_EFFECT_PERSIST, /* put record id = data; empty data: delete it */
	TACIT_EFFECT_PROFILE, /* put the PROFILE record = data */
	TACIT_EFFECT_LOG,   /* add one message to the history: (conversation tag, position) = data;
	                     * an existing one at that place stays (it was logged before). What is
	                     * rewritten is purged first */
	TACIT_EFFECT_PURGE, /* the history of tag `id` from `position` to `until`, both included,
	                     * is to be gone, from the disk's free pages, too; in the same
	                     * transaction as PERSIST */
	TACIT_EFFECT_SEND,  /* an HTTP request; give the answer to tacit_engine_answer */
	TACIT_EFFECT_DELIVER, /* something for the person */
	TACIT_EFFECT_RECALL,  /* give what the history has at (tag `id`, position), after what was
	                       * persisted, to tacit_engine_recalled */
	TACIT_EFFECT_LIVE,    /* path: the name of a live event, data: its body (JSON); dropped when
	                       * there is no live connection */
	TACIT_EFFECT_COOKIE,  /* the session cookie is in data (empty: forget it): the host keeps it
	                       * in  memory and sends it; the engine has persisted it already */
};

enum tacit_http_method { TACIT_GET, TACIT_POST, TACIT_PUT, TACIT_DELETE };

enum tacit_notice_kind {
	TACIT_NOTICE_DONE,   /* the command `op` succeeded. SEND: conversation, message, time;
	                      * SYNC: count of new messages; others: conversation if any */
	TACIT_NOTICE_FAILED, /* ... failed: err, and text for the person. SEND: flag: the message
	                      * is kept, and goes out before the next SEND or SYNC there */
	TACIT_NOTICE_TOTP_SETUP,     /* text: otpauth URI; detail: the secret in base32 */
	TACIT_NOTICE_RECOVERY_CODES, /* text: codes, one a line: shown once */
	TACIT_NOTICE_USER,
	TACIT_NOTICE_CONVERSATION, /* asked for; or its name is another; or this account is in it
	                            * now (of a direct one a message tells it). flag: direct, and
	                            * the other one's key is verified; detail: the message up to
	                            * which each of members has read, one a line (0: none, or
	                            * oneself) */
	TACIT_NOTICE_MESSAGE,      /* one message, proven and opened (or own). count: the edit by
	                            * which it says what it says, 0: none. detail: reactions, one a
	                            * line: username, space, what was said */
	TACIT_NOTICE_REFUSED, /* a message that is not shown: err, text says why, in clear words.
	                       * flag: an own kept one that the server will not take; content */
	TACIT_NOTICE_MISSING, /* `count` messages of username never came before this point */
	TACIT_NOTICE_KEY_CHANGED, /* username has another account key now: loud */
	TACIT_NOTICE_SAFETY,   /* text: the number; detail: in words; flag: verified already; err
	                        * KEY_CHANGED: it is the number of the changed key, which is not
	                        * accepted yet */
	TACIT_NOTICE_DEVICE,   /* text: id in hex; flag: this very device; time: created */
	TACIT_NOTICE_READ,     /* username has read conversation up to message */
	TACIT_NOTICE_MEMBER,   /* username is in the conversation now (flag), or no longer (!flag),
	                        * and nobody here asked for it; text: the sentence */
	TACIT_NOTICE_WARNING,  /* err, text: the server does something that it should not: loud */
	TACIT_NOTICE_EXPIRY,   /* how long messages are kept in a conversation has changed: count,
	                        * in seconds (0: for good), username: who set it, by the server's
	                        * word (may be empty);
	                        * text: the sentence */
	TACIT_NOTICE_EXPIRED,  /* the messages `message` to `count` of a conversation are gone */
	TACIT_NOTICE_CLOSED,   /* a conversation has destroyed itself, and all that was kept of it
	                        * here is gone; title; text: the sentence */
	TACIT_NOTICE_TYPING,   /* username writes in the conversation (flag), or no longer. Not
	                        * proven: the server's word, as READ and PRESENCE are */
	TACIT_NOTICE_OUTGOING, /* an own message that waits to be sent: content, title, time; text:
	                        * its id; flag: it is sealed, and may have left already */
	TACIT_NOTICE_PRESENCE, /* username is there (flag), or not; text: online, away, offline */
	/* What became of a MESSAGE that was told, or is in the history. The history says the same:
	 * as it was then is gone from it. */
	TACIT_NOTICE_EDITED,   /* the MESSAGE as it is now; count: the message by which */
	TACIT_NOTICE_DELETED,  /* its sender, username, has taken it back; its reactions are gone.
	                        * The  history has this in its place */
	TACIT_NOTICE_REACTION, /* username has said text to it (empty: took that back; flag: own);
	                        * detail: all its reactions, as of a MESSAGE */
};

enum tacit_conversation_kind { TACIT_DIRECT = 1, TACIT_GROUP, TACIT_ROOM, TACIT_SESSION };

struct tacit_notice { /* views are owned by the effect that carries the notice */
	enum tacit_notice_kind kind;
	uint64_t op;
	enum tacit_err err;
	struct tacit_bytes text, detail;
	struct tacit_bytes username; /* sender, user, ... */
	uint64_t conversation, message;
	enum tacit_conversation_kind conversation_kind;
	struct tacit_bytes title;     /* conversation: its name, or the other person's username */
	struct tacit_bytes members;   /* conversation: usernames, one a line */
	uint64_t count;               /* unread, or missing */
	uint64_t seconds;             /* CONVERSATION: how long messages are kept; 0: for good */
	int64_t time;                 /* created, or sent (the server's time); CONVERSATION: when
	                               * it destroys itself, 0: never */
	struct tacit_content content; /* MESSAGE, EDITED */
	bool flag;                    /* MESSAGE: own; USER: verified; ... */
};

struct tacit_effect {
	enum tacit_effect_kind kind;
	struct tacit_record_id
	        id;               /* PERSIST: the record; LOG, PURGE, RECALL: the conversation's tag
	                           */
	uint64_t position, until; /* LOG: ascending in time; message id * 8 + 0 to 7, so that a
	                           * message and what is said about it stand together */
	uint64_t request;         /* SEND, RECALL: names the answer */
	enum tacit_http_method method; /* SEND */
	struct tacit_buf path;         /* SEND: path and query, NUL-terminated */
	struct tacit_buf data;         /* PERSIST, LOG, PROFILE, SEND body (JSON), COOKIE */
	struct tacit_notice notice;    /* DELIVER */
	struct tacit_buf notice_bytes; /* what the notice's views point into */
};

struct tacit_effects {
	struct tacit_effect *list;
	size_t count, cap;
};
void tacit_effects_clear(struct tacit_effects *fx); /* wipes and frees */

/* Begins a command; it ends with exactly one DONE or FAILED notice that carries *op. An error
 * return means that the command was not begun and fx is unchanged. Fails: USAGE, NOT_LOGGED_IN
 * (locked, or no account), NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_engine_command(struct tacit_engine *e,
        const struct tacit_command *c, uint64_t *op, struct tacit_effects *fx);

struct tacit_http_answer {
	int status; /* 0: no answer came (network) */
	struct tacit_bytes body;
	struct tacit_bytes
	        cookie; /* value of a Set-Cookie for tacit_session or tacit_pending; may be empty */
	struct tacit_bytes cookie_name;
};
/* The answer to a SEND. Retries on network failure are the host's choice: it may send the same
 * bytes again within the signature window only if no answer came; the engine re-signs when asked by
 * answering status 0 (it emits a fresh SEND up to three times, then FAILED).
 * Fails: USAGE (unknown request), NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_engine_answer(struct tacit_engine *e, uint64_t request,
        const struct tacit_http_answer *a, struct tacit_effects *fx);

/* The answer to a RECALL: the entry as it is stored, empty when there is none. An answer that is
 * not waited for any more changes nothing. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_engine_recalled(struct tacit_engine *e, uint64_t request,
        struct tacit_bytes sealed, struct tacit_effects *fx);

/* --- live ------------------------------------------------------------------------------------ */

/* The host has a live connection to the server (docs/protocol.md), authenticated by the session
 * cookie. The engine decides what is joined, opens what comes in order, and fetches over HTTP what
 * did not come: each message is told once, whichever way it came.
 *
 * What it does of its own accord is told with op 0, and ends without DONE or FAILED; its SENDs are
 * answered like any. Fail: NOMEM; live_event also: MALFORMED (ignored: nothing has changed). */
TACIT_MUST_USE enum tacit_err tacit_engine_live_up(
        struct tacit_engine *e, struct tacit_effects *fx);
void tacit_engine_live_down(struct tacit_engine *e);
/* body: the event's first argument, JSON. */
TACIT_MUST_USE enum tacit_err tacit_engine_live_event(struct tacit_engine *e,
        struct tacit_bytes name, struct tacit_bytes body, struct tacit_effects *fx);
/* e was restored while the connection stayed: takes from `before` what it had joined. */
void tacit_engine_live_adopt(struct tacit_engine *e, const struct tacit_engine *before);

/* When something is due even if nothing happens, in Unix seconds (INT64_MAX: never): messages whose
 * time is over, a failed fetch that is to be tried again. Then call tick. Fails: NOMEM. */
int64_t tacit_engine_due(const struct tacit_engine *e);
TACIT_MUST_USE enum tacit_err tacit_engine_tick(struct tacit_engine *e, struct tacit_effects *fx);

/* --- what is known locally, without asking the server ----------------------------------------- */

bool tacit_engine_has_account(const struct tacit_engine *e);
bool tacit_engine_locked(const struct tacit_engine *e);
bool tacit_engine_logged_in(const struct tacit_engine *e); /* has a session cookie */
struct tacit_bytes tacit_engine_username(const struct tacit_engine *e);
struct tacit_bytes tacit_engine_cookie(
        const struct tacit_engine *e); /* "name=value", or empty; secret */
struct tacit_parcel_seat; /* e2e/parcel/card.h */
/* Our card for the end of a transfer at seat, appended. Fails: NOT_LOGGED_IN (no account, or
 * locked), USAGE (a server that is none), NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_engine_card(const struct tacit_engine *e,
        const struct tacit_parcel_seat *seat, struct tacit_bytes server, struct tacit_buf *out);

/* The tag under which a conversation's history is logged. */
void tacit_engine_log_tag(
        const struct tacit_engine *e, uint64_t conversation, struct tacit_record_id *out);
/* Where a message stands in it. */
uint64_t tacit_engine_log_position(uint64_t message);
/* Opens one history entry; the notice is a MESSAGE, DELETED, REFUSED, MISSING, MEMBER,
 * WARNING, EXPIRY or KEY_CHANGED as it was delivered; a MESSAGE as it is now. Views are owned by
 * room. Fails: BAD_SEAL, MALFORMED, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_engine_log_open(struct tacit_engine *e,
        const struct tacit_record_id *tag, uint64_t position, struct tacit_bytes sealed,
        struct tacit_notice *out, struct tacit_buf *room);
/* The conversation whose title or direct partner is name; 0: none or more than one. */
uint64_t tacit_engine_find_conversation(const struct tacit_engine *e, struct tacit_bytes name);
/* Calls each for every known conversation (CONVERSATION notices). */
void tacit_engine_each_conversation(const struct tacit_engine *e,
        void (*each)(void *ctx, const struct tacit_notice *n), void *ctx);

/* Calls each for every message that waits to be sent (OUTGOING notices), in the order in which
 * those of a conversation will go. Fails: MALFORMED, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_engine_each_outgoing(const struct tacit_engine *e,
        void (*each)(void *ctx, const struct tacit_notice *n), void *ctx);

/* A host's own small record (a half-done upload, a setting), sealed like the rest: the effect to
 * store it. One whose name begins with a word, ':' and the id of a conversation, and ends there or
 * goes on after another ':', goes with the conversation when that is destroyed. Empty value:
 * delete. Fails: NOT_LOGGED_IN (locked), NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_engine_note_put(struct tacit_engine *e, struct tacit_bytes name,
        struct tacit_bytes value, struct tacit_effects *fx);
/* Fails: NOT_FOUND, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_engine_note_get(
        const struct tacit_engine *e, struct tacit_bytes name, struct tacit_buf *value);

#endif
