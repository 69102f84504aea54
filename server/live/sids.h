/* sids.h - which sessions live on a loop, as far as other threads need to know: whether a body that
 * is about to come is anybody's, and how much of it would be taken. */
#ifndef TACIT_SERVER_LIVE_SIDS_H
#define TACIT_SERVER_LIVE_SIDS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SIDS_SECRET_BYTES 16

struct sid_entry;

struct sids {
	pthread_mutex_t lock; /* of what follows */
	struct sid_entry *entries;
	uint32_t room;
};

void sids_init(struct sids *s);
void sids_clear(struct sids *s);

/* All of these: any thread. */

/* The session of that slot takes bodies of at most `limit` bytes, not 0. Once it is there, entering
 * it again with another limit does not fail. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err sids_enter(
        struct sids *s, uint32_t slot, const uint8_t secret[SIDS_SECRET_BYTES], size_t limit);
void sids_leave(struct sids *s, uint32_t slot);
/* The limit; 0: there is no such session. */
size_t sids_find(struct sids *s, uint32_t slot, const uint8_t secret[SIDS_SECRET_BYTES]);

#endif
