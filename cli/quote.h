/* quote.h - the beginning of a message that another one is about: from the history, or, while the
 * host is lent to a runner, from what was shown. */
#ifndef TACIT_CLI_QUOTE_H
#define TACIT_CLI_QUOTE_H

#include "cli/cli.h"

#define QUOTE_TEXT 48 /* code points, about */

struct quote {
	uint64_t conversation, message;
	bool own, deleted;
	char name[TACIT_MAX_USERNAME + 1];
	char text[4 * QUOTE_TEXT]; /* one line; not clean for a terminal */
};

/* Those that were shown last. */
struct quotes {
	struct quote list[256];
	size_t next;
};

void quotes_free(struct quotes *quotes); /* wipes; NULL is fine */
/* A MESSAGE, EDITED or DELETED notice that is shown. quotes may be NULL. */
void quote_remember(struct quotes *quotes, const struct tacit_notice *n);
/* False: it is not here, or not any more. */
bool quote_find(const struct cli *c, uint64_t conversation, uint64_t message, struct quote *out);
/* The newest that was shown there, own or of somebody else, and is not deleted; 0: none. */
uint64_t quote_newest(const struct quotes *quotes, uint64_t conversation, bool own);
/* "bob: hello all", clean, on one line. Nothing more when it was not found. */
void quote_put(FILE *to, const struct quote *q);

#endif
