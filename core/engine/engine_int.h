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

#include "engine/state_int.h"

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
/* This account is no longer in it. */
void tacit_conversation_put_out(struct tacit_engine *e, struct tacit_conversation *c);
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
        struct tacit_engine *e, struct tacit_op *op, struct tacit_conversation *c);
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
/* A UUID (RFC 9562 5.8) that begins as its neighbours do: the server keeps the ids of a sender in
 * order, and finds the place of the next one beside the last. It tells nobody the time. */
void tacit_client_id(
        struct tacit_engine *e, struct tacit_conversation *c, char out[CLIENT_ID_CHARS]);

/* --- the operations
 * ------------------------------------------------------------------------------- */

tacit_op_step tacit_op_register, tacit_op_verify_totp, tacit_op_login, tacit_op_logout,
        tacit_op_whoami, tacit_op_users, tacit_op_conversations, tacit_op_sync, tacit_op_send,
        tacit_op_resolve_cmd, tacit_op_create_group, tacit_op_add, tacit_op_remove,
        tacit_op_mark_read, tacit_op_safety_number, tacit_op_set_verified, tacit_op_accept_key,
        tacit_op_devices, tacit_op_revoke_device, tacit_op_typing, tacit_op_create_session,
        tacit_op_close_session, tacit_op_set_expiry, tacit_op_drop, tacit_op_reset_password,
        tacit_op_compare, tacit_op_create_room, tacit_op_keep_contact, tacit_op_grant;
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
