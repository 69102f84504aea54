/* desk.h - the ends that are connected, who waits for whom, and what passes between them. Touched
 * on the home loop's thread only, except the counters. */
#ifndef TACIT_SERVER_RELAY_DESK_H
#define TACIT_SERVER_RELAY_DESK_H

#include <stdatomic.h>

#include "server/net/line.h"
#include "server/relay/leavers.h"
#include "server/relay/relay.h"
#include "wire/relay.h"
#include "wire/ws.h"

#define DESK_RESTING 64 /* nameplates that were used last and are not given again yet */
#define DESK_TICKET_BYTES RELAY_TICKET_BYTES

/* Who holds the ticket may wait under its nameplate again. All zero: nobody. */
struct desk_nameplate {
	uint32_t number; /* 0: none */
	uint8_t ticket[DESK_TICKET_BYTES];
};

struct end {
	struct desk *desk;
	struct end *next, *prev; /* of all */
	struct net_line *line;
	struct tacit_ws_reader reader;
	struct net_ring ring;
	struct end *peer;
	uint64_t address;
	struct desk_nameplate nameplate; /* number 0: none, or claimed */
	bool known;                      /* id and role are there */
	uint8_t role, id[TACIT_RELAY_ID_BYTES];
	bool waits, paused;
	bool over; /* to be ended when the turn is over */
	uint16_t close_code;
	int64_t due_ms; /* while it waits */
	int64_t heard_ms, pinged_ms;
	bool stirred;
	struct end *next_stirred;
};

struct desk_counters {
	_Atomic uint64_t ends, waiting, pairs, wrong, bytes;
};

struct desk {
	struct relay_settings settings; /* every default filled in */
	struct desk_counters *counters;
	struct end all; /* head */
	size_t count;
	struct end *stirred;
	const struct end *looking; /* who is looked at; NULL once it is gone */
	struct desk_nameplate resting[DESK_RESTING];
	size_t rested;
	struct leavers leavers;
	int64_t looked_ms;
	bool stopping;
};

/* What somebody came for. */
struct arrival {
	enum relay_want want;            /* not NONSENSE, not LEAVE for desk_arrive */
	struct desk_nameplate nameplate; /* to claim, or to open again; the ticket of a new one */
	uint8_t role, id[TACIT_RELAY_ID_BYTES];
	uint64_t address;
};

/* counters outlive the desk. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err desk_new(
        const struct relay_settings *s, struct desk_counters *counters, struct desk **out);
/* Within take(): the line is an end from now on, or is turned away. */
void desk_arrive(struct desk *d, const struct arrival *a, struct net_line *line);
/* An end says that it is gone for good, beside its connection: that may be blocked by what the
 * other one does not read, or be no more. */
void desk_leave(struct desk *d, uint8_t role, const uint8_t id[TACIT_RELAY_ID_BYTES]);
/* When the turn is over: sends, ends, and looks at the clock. */
void desk_turn_over(struct desk *d);
/* The server stops. */
void desk_stop(struct desk *d);
void desk_free(struct desk *d);

#endif
