#include "client/parcel_turn.h"

#include "client/parcel_kept.h"

/* As much of a run as its journal needs. */
static bool open_journal(struct parcel_run *r, const struct parcel_source *source)
{
	return parcel_kept_open(r, "give", parcel_source_offer(source)) == TACIT_OK;
}

enum parcel_turn_state parcel_turn_look(
        const struct parcel_options *o, const struct parcel_source *source)
{
	struct parcel_run r = {.o = o, .journal = {.lock = -1}};
	enum parcel_turn_state state = PARCEL_TURN_NEW;
	bool found = false;
	/* One that another process has, or that cannot be read, is not gone on with. */
	if (open_journal(&r, source) && parcel_kept_load(&r, &found) == TACIT_OK && found)
		state = r.note.settled ? PARCEL_TURN_DONE : PARCEL_TURN_BEGUN;
	parcel_note_clear(&r.note);
	parcel_journal_close(&r.journal);
	return state;
}

void parcel_turn_forget(const struct parcel_options *o, const struct parcel_source *source)
{
	struct parcel_run r = {.o = o, .journal = {.lock = -1}};
	if (open_journal(&r, source))
		parcel_journal_forget(&r.journal);
	parcel_journal_close(&r.journal);
}
