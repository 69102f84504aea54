/* race.h - several direct connections at once, of which one is to be the way of a transfer: those
 * that were made to the other end's addresses, and those that came. docs/protocol-transfer.md 15.7.
 *
 * With a root, each proves that it leads to the other end; without one (the two have not met yet)
 * it is the first that is there, or that came and said something that begins a meeting. */
#ifndef TACIT_CLIENT_RACE_H
#define TACIT_CLIENT_RACE_H

#include "base/env.h"
#include "client/direct.h"
#include "e2e/parcel/direct.h"

#define RACE_LANES 32   /* connections at once; strangers push out the oldest of strangers */
#define RACE_PROVE_S 10 /* for a connection to prove itself */

struct race_lane {
	struct direct *line; /* NULL: free */
	struct tacit_direct shake;
	bool called, ready;
	int64_t due;
};

/* Embedded; {0} is a closed one but for listeners, which race_init sets. */
struct race {
	const struct tacit_env *env;
	const volatile sig_atomic_t *cancel;
	enum tacit_parcel_role role;
	bool rooted;
	uint8_t root[TACIT_PARCEL_ROOT_BYTES];
	int listeners[2]; /* IPv4, IPv6; -1: none */
	uint16_t port;    /* that they listen on */
	struct race_lane lanes[RACE_LANES];
};

/* root: NULL when the two have not met. */
struct race_options {
	const struct tacit_env *env;
	const volatile sig_atomic_t *cancel;
	enum tacit_parcel_role role;
	const uint8_t *root;
};
void race_init(struct race *r, const struct race_options *o);
void race_close(struct race *r); /* and wipes */

/* on: which addresses of this machine, NULL for all; port 0: any. Fails: IO (the address is not
 * this machine's, or the port is taken). */
TACIT_MUST_USE enum tacit_err race_listen(
        struct race *r, const struct tacit_parcel_address *on, uint16_t port);
/* Begins a connection to each; what cannot be reached is passed over. */
void race_call(struct race *r, const struct tacit_parcel_ways *ways);

/* Goes on with whatever has happened. *winner: the lane that is the way, or -1: for the sender the
 * first that is proven, for the receiver the one that was chosen, without a root see above. */
void race_turn(struct race *r, int *winner);
/* Is anybody under way that we called, or that has come? */
bool race_runs(const struct race *r);
/* Adds what race_turn waits for; at most RACE_LANES + 2. */
size_t race_poll(const struct race *r, struct pollfd *out);
/* The winner, which is the caller's from now on; channel: open, with a root. The sender's CHOSEN
 * has been sent. Fails: as direct_send and tacit_direct_choose. */
TACIT_MUST_USE enum tacit_err race_take(
        struct race *r, int winner, struct direct **line, struct tacit_channel *channel);

#endif
