/* parcel_turn.h - what a sender to several receivers has left behind: one journal for each of them,
 * by number. Who has not begun has none; a code that was told is never opened again by a later
 * process, so it stands one guess whatever happens. */
#ifndef TACIT_CLIENT_PARCEL_TURN_H
#define TACIT_CLIENT_PARCEL_TURN_H

#include "client/parcel.h"

enum parcel_turn_state {
	PARCEL_TURN_NEW,   /* nobody, or nobody who counts any more */
	PARCEL_TURN_BEGUN, /* who has a part; parcel_give goes on with it */
	PARCEL_TURN_DONE,  /* who has all */
};

/* Of o->turn->number. With o->fresh it is forgotten. */
enum parcel_turn_state parcel_turn_look(
        const struct parcel_options *o, const struct parcel_source *source);
/* All are through: nothing of that number is remembered. */
void parcel_turn_forget(const struct parcel_options *o, const struct parcel_source *source);

#endif
