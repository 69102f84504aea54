/* changes_int.h - what the parts of the engine share about entries of the history that change: what
 * is said about a message after it was said. Comes with engine_int.h. */
#ifndef TACIT_ENGINE_CHANGES_INT_H
#define TACIT_ENGINE_CHANGES_INT_H

#include "engine/engine_int.h"

#define MAX_CHANGES 256 /* of one conversation, that wait to be carried out */

/* --- log.c -------------------------------------------------------------------------------------
 */

/* One entry of the history as it is kept. Views are borrowed. */
struct tacit_entry {
	struct tacit_notice n;
	struct tacit_bytes reactions; /* MESSAGE: reactions.c */
};
TACIT_MUST_USE enum tacit_err tacit_entry_encode(
        const struct tacit_entry *entry, struct tacit_buf *out);
/* Fails: MALFORMED. */
TACIT_MUST_USE enum tacit_err tacit_entry_decode(struct tacit_bytes plain, struct tacit_entry *out);
/* What stands at a message's place is gone from the disk, and entry stands there (NULL: nothing).
 * Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_entry_replace(struct tacit_engine *e,
        const struct tacit_conversation *c, uint64_t message, const struct tacit_entry *entry);
/* Asks the host for the entry of a message: *request names the answer. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_entry_ask(struct tacit_engine *e,
        const struct tacit_conversation *c, uint64_t message, uint64_t *request);
/* The host's answer; room owns the views of out. NOT_FOUND when nothing readable stands there.
 * Fails also: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_entry_open(struct tacit_engine *e,
        const struct tacit_conversation *c, uint64_t message, struct tacit_bytes sealed,
        struct tacit_entry *out, struct tacit_buf *room);

/* --- reactions.c: who has said what to a message -------------------------------------------------
 */

struct tacit_reaction {
	struct tacit_bytes username, text; /* text empty: taken back, remembered for its id */
	uint64_t id;                       /* the message by which it was said */
};
bool tacit_reactions_valid(struct tacit_bytes list);
/* The list with one in it, in the order of ids; *changed is false, and out empty, when the same
 * person has said something later. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_reactions_put(struct tacit_bytes list,
        const struct tacit_reaction *one, struct tacit_buf *out, bool *changed);
/* One a line: username, space, text. At most list.n bytes are appended. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_reactions_show(struct tacit_bytes list, struct tacit_buf *out);

/* --- changes.c: edits, deletions and reactions, from their coming to the entry -------------------
 */

struct tacit_change {
	struct tacit_change *next; /* later */
	uint64_t message;          /* that it is about */
	uint64_t id;               /* where it stands */
	struct tacit_name by;
	struct tacit_buf content; /* encoded */
	bool waits;               /* for the message, which could not be opened yet */
	uint64_t asked;           /* in memory: the request for the entry; 0: none */
	bool dirty;
};

/* What by has said at id, proven. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_change_add(struct tacit_engine *e, struct tacit_conversation *c,
        const struct tacit_change *change, const struct tacit_content *content);
/* As it was stored; content is taken over. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_change_restore(
        struct tacit_conversation *c, struct tacit_change *from);
/* A message that changes waited for is there now. */
void tacit_changes_wake(struct tacit_engine *e, struct tacit_conversation *c, uint64_t message);
/* Those about from..last are gone. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_changes_drop(
        struct tacit_engine *e, struct tacit_conversation *c, uint64_t from, uint64_t last);
/* At the end of every step: asks for the entries that are to change. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_changes_follow_up(struct tacit_engine *e);
/* The host's answer to that. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_changes_recalled(
        struct tacit_engine *e, uint64_t request, struct tacit_bytes sealed);
void tacit_changes_free(struct tacit_conversation *c);

TACIT_MUST_USE enum tacit_err tacit_records_delete_change(struct tacit_engine *e,
        const struct tacit_conversation *c, const struct tacit_change *change);

#endif
