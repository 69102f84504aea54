/* names.h - user names in a body, as the ids of the users. */
#ifndef TACIT_SERVER_API_NAMES_H
#define TACIT_SERVER_API_NAMES_H

#include "server/api/call.h"

struct api_names {
	int64_t *ids; /* each once; owned */
	size_t count;
};

/* The array of names in this member of the body. A name that nobody has, or whose owner is
 * disabled, refuses USER_NOT_FOUND. Clear it in any case. READ lane. */
TACIT_MUST_USE enum tacit_err api_names_resolve(struct api_call *c, struct store *store,
        const char *member, enum tacit_presence presence, struct api_names *out);
/* The same for one name, added to what is there. */
TACIT_MUST_USE enum tacit_err api_names_add(
        struct api_call *c, struct store *store, struct tacit_bytes name, struct api_names *out);
void api_names_remove(struct api_names *n, int64_t id);
void api_names_clear(struct api_names *n);

#endif
