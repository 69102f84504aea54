/* parcel_run.h - what both ends share: finding the other one, and finding it again. */
#ifndef TACIT_CLIENT_PARCEL_RUN_H
#define TACIT_CLIENT_PARCEL_RUN_H

#include "client/parcel.h"
#include "client/parcel_journal.h"
#include "client/relay.h"
#include "e2e/parcel/parcel.h"

struct parcel_run {
	const struct parcel_options *o;
	enum tacit_parcel_role role;
	struct parcel_result *result;
	struct tacit_parcel *parcel;
	struct relay *relay; /* NULL: lost */
	struct tacit_parcel_code code;
	enum tacit_parcel_place place;
	bool rooted, paired, was_lost;
	int64_t give_up_at;  /* while something is lost */
	unsigned patience_s; /* of this run, and of this moment */
	unsigned pauses;
	struct tacit_parcel_event last; /* it came before the connection was lost */
	struct parcel_journal journal;
	struct parcel_note note; /* root is the run's own */
};

/* Fails: NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err parcel_run_init(struct parcel_run *r, const struct parcel_options *o,
        enum tacit_parcel_role role, struct parcel_result *result);
void parcel_run_clear(struct parcel_run *r);
/* Opens a nameplate, claims one, or, when rooted, comes back. The code is told when it is there. */
TACIT_MUST_USE enum tacit_err parcel_run_begin(struct parcel_run *r);
/* The next event; NOTHING when the time is over. What is lost is found again meanwhile. */
TACIT_MUST_USE enum tacit_err parcel_run_next(
        struct parcel_run *r, int timeout_ms, struct tacit_parcel_event *out);
/* After a call of the parcel's that may have sent something: a lost connection is no failure. */
TACIT_MUST_USE enum tacit_err parcel_run_sent(struct parcel_run *r, enum tacit_err err);
/* Says so to the other one, when err is not its own. */
void parcel_run_stop(struct parcel_run *r, enum tacit_err err);
void parcel_run_problem(struct parcel_run *r, const char *text);
/* What is remembered of a transfer that a later process may go on with; the root is added. */
TACIT_MUST_USE enum tacit_err parcel_run_remember(struct parcel_run *r);
/* The note of an earlier process is loaded: from now on the run is rooted. */
void parcel_run_adopt(struct parcel_run *r);

#endif
