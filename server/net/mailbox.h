/* mailbox.h - how other threads reach a loop: answers and resumes, named by handle.
 *
 * The boxes are static and outlive their loops, so that a handle whose loop has ended leads to a
 * closed box instead of freed memory. Posting takes the box's lock for a few instructions, and
 * writes the eventfd only when the box was empty: a loop that is behind is woken once. */
#ifndef TACIT_SERVER_NET_MAILBOX_H
#define TACIT_SERVER_NET_MAILBOX_H

#include "server/net/http.h"
#include "server/net/letter.h"

#define MAILBOX_COUNT 256 /* loops in one process */
#define MAILBOX_BATCH 64  /* resumes taken at a time */

/* *generation: where the loop's exchanges begin to count, so that no handle of an earlier loop with
 * the same number fits. *wake is an eventfd, owned by the box. Fails: LIMIT, IO. */
TACIT_MUST_USE enum tacit_err mailbox_open(uint32_t *box, uint32_t *generation, int *wake);
/* What is in the box is freed, and what comes from now on. */
void mailbox_close(uint32_t box, uint32_t generation);

/* Room for so many resumes at once; a loop asks before it gives a piece away, so that http_resume
 * cannot fail. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err mailbox_reserve(uint32_t box, size_t resumes);

/* Asks the loop to end gracefully within grace_s. */
void mailbox_stop(uint32_t box, unsigned grace_s);

struct mailbox_content {
	struct http_response *replies; /* chained, oldest first; owned by the taker */
	struct net_letter *letters;    /* likewise */
	struct http_handle resumed[MAILBOX_BATCH];
	size_t resumed_count;
	bool stop;
	unsigned grace_s;
};
/* False when the box was empty. */
bool mailbox_take(uint32_t box, struct mailbox_content *out);

#endif
