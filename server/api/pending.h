/* pending.h - a registration that waits for its first TOTP code, as it lies in the token store. */
#ifndef TACIT_SERVER_API_PENDING_H
#define TACIT_SERVER_API_PENDING_H

#include "server/store/store.h"

#define API_PENDING_KIND "pending"
#define API_PENDING_SECONDS (10 * 60)
#define API_PENDING_TRIES 10

struct api_pending {
	struct store_new_user new_user; /* its key is a view into what it was decoded from */
	uint8_t tries;                  /* wrong codes so far */
	bool invited;
	uint8_t invitation[STORE_HASH_BYTES];
};

/* Appended. Fails: NOMEM, TOO_LARGE. */
TACIT_MUST_USE enum tacit_err api_pending_encode(
        const struct api_pending *p, struct tacit_buf *out);
/* Fails: TRUNCATED, TRAILING, TOO_LARGE. */
TACIT_MUST_USE enum tacit_err api_pending_decode(struct tacit_bytes in, struct api_pending *out);

#endif
