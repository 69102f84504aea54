#include "server/live/sids.h"

#include <string.h>

#include "base/alloc.h"
#include "crypto/secret.h"

#define FIRST_ROOM 64

struct sid_entry {
	uint8_t secret[SIDS_SECRET_BYTES];
	size_t limit; /* 0: nobody is here */
};

void sids_init(struct sids *s)
{
	*s = (struct sids){0};
	pthread_mutex_init(&s->lock, NULL);
}

void sids_clear(struct sids *s)
{
	tacit_free(s->entries);
	pthread_mutex_destroy(&s->lock);
}

/* Slots are given out from below, and so the entries are about as many as the sessions. */
static enum tacit_err make_room(struct sids *s, uint32_t slot)
{
	size_t room = s->room > 0 ? s->room : FIRST_ROOM;
	while (room <= slot)
		room *= 2;
	if (room == s->room)
		return TACIT_OK;
	struct sid_entry *entries = tacit_realloc(s->entries, room * sizeof(*entries));
	if (entries == NULL)
		return TACIT_E_NOMEM;
	memset(entries + s->room, 0, (room - s->room) * sizeof(*entries));
	s->entries = entries;
	s->room = (uint32_t)room;
	return TACIT_OK;
}

enum tacit_err sids_enter(
        struct sids *s, uint32_t slot, const uint8_t secret[SIDS_SECRET_BYTES], size_t limit)
{
	pthread_mutex_lock(&s->lock);
	enum tacit_err err = make_room(s, slot);
	if (err == TACIT_OK) {
		memcpy(s->entries[slot].secret, secret, SIDS_SECRET_BYTES);
		s->entries[slot].limit = limit;
	}
	pthread_mutex_unlock(&s->lock);
	return err;
}

void sids_leave(struct sids *s, uint32_t slot)
{
	pthread_mutex_lock(&s->lock);
	if (slot < s->room)
		s->entries[slot] = (struct sid_entry){0};
	pthread_mutex_unlock(&s->lock);
}

size_t sids_find(struct sids *s, uint32_t slot, const uint8_t secret[SIDS_SECRET_BYTES])
{
	size_t limit = 0;
	pthread_mutex_lock(&s->lock);
	if (slot < s->room && tacit_ct_eq(tacit_bytes(s->entries[slot].secret, SIDS_SECRET_BYTES),
	                              tacit_bytes(secret, SIDS_SECRET_BYTES)))
		limit = s->entries[slot].limit;
	pthread_mutex_unlock(&s->lock);
	return limit;
}
