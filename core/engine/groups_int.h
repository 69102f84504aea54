/* groups_int.h - what the parts of the engine share about groups: who is in, how a conversation is
 * brought up to date, what comes, what is asked for again, what it is called. Comes with
 * engine_int.h. */
#ifndef TACIT_ENGINE_GROUPS_INT_H
#define TACIT_ENGINE_GROUPS_INT_H

#include "engine/engine_int.h"

/* --- membership.c: this device in a group ------------------------------------------------------
 */

/* For whom a conversation is: the callback context of tacit_self. */
struct tacit_belonging {
	const struct tacit_engine *e;
	const struct tacit_conversation *c;
};
/* Borrows b, which lives as long. c NULL: no group is asked about. */
struct tacit_self tacit_self_in(
        struct tacit_engine *e, const struct tacit_conversation *c, struct tacit_belonging *b);
/* Loads the group where it is stored and not loaded. A state that does not open is none: it is
 * joined anew. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_membership_load(
        struct tacit_engine *e, struct tacit_conversation *c);
/* In a group that can be used: loaded, not over, not stray, not waiting for its own commit. */
bool tacit_membership_good(const struct tacit_conversation *c);
/* c takes the group over (NULL: none any more). */
void tacit_membership_set(
        struct tacit_engine *e, struct tacit_conversation *c, struct tacit_group *group);
/* An epoch has begun, in which the group is now. Fails: NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_membership_began(
        struct tacit_engine *e, struct tacit_conversation *c);
/* This device came by the commit at message. Fails: NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_membership_joined(
        struct tacit_engine *e, struct tacit_conversation *c, uint64_t message);
/* The group cannot be followed: told, and joined anew by the visit. */
TACIT_MUST_USE enum tacit_err tacit_membership_astray(struct tacit_engine *e,
        const struct tacit_op *op, struct tacit_conversation *c, enum tacit_err why,
        const char *what);
/* Who was added and who went by a commit is told. */
TACIT_MUST_USE enum tacit_err tacit_membership_tell(struct tacit_engine *e,
        const struct tacit_op *op, struct tacit_conversation *c,
        const struct tacit_group_event *ev);
/* The pending commit is settled, or of no use. */
void tacit_pending_clear(struct tacit_engine *e, struct tacit_conversation *c);
void tacit_pending_free(struct tacit_pending_commit *p);

/* --- key_packages.c ----------------------------------------------------------------------------
 */

/* Sees that the server has enough of them, then runs op->after, whatever it said. */
tacit_op_step tacit_key_packages_offer;
bool tacit_key_packages_due(const struct tacit_engine *e);
/* The one that the Welcome is for; NULL: none. */
struct tacit_key_package *tacit_key_package_for(
        const struct tacit_engine *e, struct tacit_bytes welcome);
/* It was used: gone, but for a last resort. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_key_package_used(
        struct tacit_engine *e, struct tacit_key_package *k);
/* As it was stored; taken over. Fails: LIMIT, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_key_package_add(
        struct tacit_engine *e, const struct tacit_key_package *from);
void tacit_key_packages_free(struct tacit_engine *e);

/* --- visit.c, op_join.c, op_commit.c, op_read.c: one conversation, brought up to date ------------
 */

/* The conversation at hand of an operation. */
struct tacit_conversation *tacit_op_at(const struct tacit_engine *e, const struct tacit_op *op);
/* Takes the conversation at hand, or waits for it; reads what is new there, sends what waits and
 * op->content, and runs done. What goes wrong is told by failed, in which the visit is over. */
TACIT_MUST_USE enum tacit_err tacit_visit_begin(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_visit *what);
/* A `failed` for changes of members, which are made on the server already: told, and done. */
tacit_op_then tacit_visit_forgive;
/* The next thing to do. */
tacit_op_step tacit_visit_go;
TACIT_MUST_USE enum tacit_err tacit_visit_fail(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a);
/* The same for what no answer says. */
TACIT_MUST_USE enum tacit_err tacit_visit_stop(
        struct tacit_engine *e, struct tacit_op *op, enum tacit_err why, const char *text);
/* True when somebody is there of whom the writer had not heard: SEND has failed with that (*err).
 */
bool tacit_send_newcomers(struct tacit_engine *e, struct tacit_op *op,
        const struct tacit_conversation *c, enum tacit_err *err);
/* Into the group: by a Welcome, or by an external commit. */
tacit_op_step tacit_join;
/* A message did not open in the present epoch: is this device's group the server's? If there are
 * two, that one is joined. */
tacit_op_step tacit_join_compare;
/* The group is to have the devices of the members: asks for them, and commits the difference. */
tacit_op_step tacit_commit_roster;
/* Posts the pending commit. */
tacit_op_step tacit_commit_post;
/* The pages after `seen`. */
tacit_op_step tacit_read_page;
/* Asks who the members are, once in a visit, then goes on. */
tacit_op_step tacit_read_members;
/* Asks who op->stranger is: somebody who was in the conversation before. */
tacit_op_step tacit_read_person;
/* The messages of a page that follow what was seen. */
enum tacit_page_end {
	PAGE_READ,
	PAGE_NEEDS_MEMBERS, /* somebody is named who may have come since */
	PAGE_NEEDS_PERSON,  /* somebody has spoken who is not there any more, and was never known */
	PAGE_NEEDS_GROUP,   /* this device is not in the group, or not any more */
};
TACIT_MUST_USE enum tacit_err tacit_read_messages(struct tacit_engine *e, struct tacit_op *op,
        struct tacit_conversation *c, const json_t *messages, enum tacit_page_end *end);
/* Tells what could not be read because it was said before this device was there. */
TACIT_MUST_USE enum tacit_err tacit_read_end(
        struct tacit_engine *e, struct tacit_op *op, struct tacit_conversation *c);

/* --- incoming.c: one message ---------------------------------------------------------------------
 */

struct tacit_incoming {
	uint64_t id;
	struct tacit_bytes username; /* by the server's word */
	int64_t time, expires;
	struct tacit_buf bytes;
	bool readable;
	bool commit; /* by the server's word */
	uint64_t epoch;
};
/* Clear bytes. Fails: MALFORMED (the page is), NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_incoming_read(
        const json_t *item, const struct tacit_conversation *c, struct tacit_incoming *out);
TACIT_MUST_USE enum tacit_err tacit_incoming_take(struct tacit_engine *e, struct tacit_op *op,
        struct tacit_conversation *c, const struct tacit_incoming *m, enum tacit_page_end *end);

/* Shows a message as one of m's sender. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_incoming_show(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, const struct tacit_incoming *m, struct tacit_notice *n);

/* --- receipts.c: what could not be opened is asked for again
 * --------------------------------------
 */

bool tacit_receipts_due(const struct tacit_conversation *c);
/* m could not be opened. Where its sender can help, he is asked. Fails: NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_receipts_add(struct tacit_engine *e,
        struct tacit_conversation *c, const struct tacit_incoming *m, enum tacit_err why);
/* What another one says about that. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_receipts_take(struct tacit_engine *e, struct tacit_op *op,
        struct tacit_conversation *c, const struct tacit_incoming *m,
        const struct tacit_content *content);
/* Seals the next receipt, or the next message that is sent again; it may be none. Fails: protect's
 * errors. */
TACIT_MUST_USE enum tacit_err tacit_receipts_seal(
        struct tacit_engine *e, struct tacit_conversation *c);
/* Remembers the fingerprint of the group's epoch. Fails: NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_receipts_print(
        struct tacit_engine *e, struct tacit_conversation *c);
/* Is that an own message that was acknowledged, of the newest? */
bool tacit_sent_has(const struct tacit_conversation *c, uint64_t message);
/* An own message is in its place; content is encoded. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_sent_add(struct tacit_engine *e, struct tacit_conversation *c,
        uint64_t message, struct tacit_bytes content);
/* Those from..last are gone. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_sent_drop(
        struct tacit_engine *e, struct tacit_conversation *c, uint64_t from, uint64_t last);
/* So are those that could not be opened. */
void tacit_lost_drop(
        struct tacit_engine *e, struct tacit_conversation *c, uint64_t from, uint64_t last);
/* A deletion or an edit of the own account, at id: what is kept to be sent again follows it. Fails:
 * NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_sent_change(struct tacit_engine *e,
        struct tacit_conversation *c, const struct tacit_content *change, uint64_t id);
void tacit_receipts_free(struct tacit_conversation *c);

TACIT_MUST_USE enum tacit_err tacit_op_todo(struct tacit_op *op, uint64_t conversation);

/* --- names.c: what a conversation is called, end to end ------------------------------------------
 */

/* A member calls it so. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_name_take(
        struct tacit_engine *e, struct tacit_conversation *c, struct tacit_bytes name);
/* Puts it down for the own other devices; the answer goes back to the visit. */
tacit_op_step tacit_name_put, tacit_name_get;
bool tacit_name_wanted(const struct tacit_conversation *c);
bool tacit_name_unkept(const struct tacit_conversation *c);
/* A message that nobody reads: not counted as unread. */
void tacit_silent_note(
        struct tacit_engine *e, struct tacit_conversation *c, const struct tacit_incoming *m);
uint64_t tacit_unread(const struct tacit_engine *e, const struct tacit_conversation *c);

#endif
