/* parcel_run.h - what both ends share: finding the other one, and finding it again. parcel_run.c is
 * the relay's side of it, parcel_way.c that of direct connections. */
#ifndef TACIT_CLIENT_PARCEL_RUN_H
#define TACIT_CLIENT_PARCEL_RUN_H

#include "client/parcel.h"
#include "client/parcel_journal.h"
#include "client/race.h"
#include "client/relay.h"
#include "e2e/parcel/parcel.h"

struct parcel_run {
	const struct parcel_options *o;
	enum tacit_parcel_role role;
	struct parcel_result *result;
	struct tacit_parcel *parcel;
	/* At most one of them; none: lost. */
	struct relay *relay;
	struct direct *direct;
	struct race race;
	struct lan *lan;
	enum parcel_route route;
	uint16_t port; /* that we listened on before; 0: none */
	struct tacit_parcel_code code;
	enum tacit_parcel_place place;
	bool rooted, paired, was_lost;
	int64_t give_up_at;  /* while something is lost */
	unsigned patience_s; /* of this run, and of this moment */
	unsigned pauses;
	struct tacit_parcel_event last; /* it came before the connection was lost */
	struct parcel_journal journal;
	struct parcel_note note;   /* root is the run's own */
	enum tacit_parcel_why why; /* it is given up, should it be */
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
/* The next event of the connection as it is: nothing is found again. Fails: GONE (no event in time,
 * or the other one has left), NETWORK, CANCELLED, and as tacit_parcel_input. */
TACIT_MUST_USE enum tacit_err parcel_run_hear(
        struct parcel_run *r, int timeout_ms, struct tacit_parcel_event *out);
/* After a call of the parcel's that may have sent something: a lost connection is no failure. */
TACIT_MUST_USE enum tacit_err parcel_run_sent(struct parcel_run *r, enum tacit_err err);
/* Says so to the other one, when err is not its own. */
void parcel_run_stop(struct parcel_run *r, enum tacit_err err);
void parcel_run_problem(struct parcel_run *r, const char *text);
/* What is remembered of a transfer that a later process may go on with; the root is added. */
TACIT_MUST_USE enum tacit_err parcel_run_remember(struct parcel_run *r);
/* What a journal's name depends on, beside the code or the files. */
const char *parcel_run_where(const struct parcel_run *r);
/* The note of an earlier process is loaded: from now on the run is rooted. */
void parcel_run_adopt(struct parcel_run *r);

/* --- within the two files --- */
void parcel_run_tell(struct parcel_run *r, enum parcel_state s);
bool parcel_run_cancelled(const struct parcel_run *r);
/* A code for a nameplate, unless there is one; it is told. */
void parcel_run_make_code(struct parcel_run *r, uint32_t nameplate);
/* Waits a little, longer each time. Fails: CANCELLED. */
TACIT_MUST_USE enum tacit_err parcel_run_pause(struct parcel_run *r);
TACIT_MUST_USE enum tacit_err parcel_run_take_message(
        struct parcel_run *r, const struct tacit_relay_message *m, struct tacit_parcel_event *out);

static inline bool parcel_way_has_server(const struct parcel_run *r)
{
	return r->route == PARCEL_FASTEST || r->route == PARCEL_RELAY_ONLY;
}
/* The relay's channel is open: tells the other end our addresses and hears its own; then the way is
 * the fastest direct connection, or remains the relay. What is heard meanwhile is r->last.
 * Fails: as parcel_run_take_message, and as the relay. */
TACIT_MUST_USE enum tacit_err parcel_way_seek(struct parcel_run *r);
/* Without a server: calls the other end or waits for it, until there is a connection, for a meeting
 * or, when rooted, for going on: then r->last is OPEN. Fails: BAD_NAME, NOT_FOUND, NETWORK, IO,
 * GONE (nobody came), CANCELLED, NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err parcel_way_meet(struct parcel_run *r);

#endif
