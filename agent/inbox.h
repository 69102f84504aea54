/* inbox.h - gathers the newest messages of all conversations as JSON, bounded. */
#ifndef TACIT_AGENT_INBOX_H
#define TACIT_AGENT_INBOX_H

#include "client/host.h"
#include "wire/json.h"

#define INBOX_DEFAULT 200
#define INBOX_MOST 1000

enum inbox_whose { INBOX_INCOMING, INBOX_ALL };

struct inbox_wish {
	uint64_t limit;
	enum inbox_whose whose;
	bool only_unread;
	struct tacit_bytes from; /* a username; empty: everybody */
};

/* The newest messages that fit the wish, oldest first, from what is stored here. *out: an array,
 * the caller's. unread gets the conversations that have some, at most max of them. Fails: NOMEM,
 * and as host_history. */
struct inbox_unread {
	uint64_t *conversations;
	size_t count, max;
};
TACIT_MUST_USE enum tacit_err inbox_gather(
        struct host *h, const struct inbox_wish *wish, struct inbox_unread *unread, json_t **out);

#endif
