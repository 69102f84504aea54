/* lan.h - finding the other end on this network, without a server: multicast DNS and DNS-SD (RFC
 * 6762, 6763) by Avahi's embeddable stack, in this thread and without a daemon.
 *
 * What is published is a service `_tacit._tcp` whose name is made of the nameplate alone, under a
 * host name of random digits: nothing of the code's secret, of the person or of the files. */
#ifndef TACIT_CLIENT_LAN_H
#define TACIT_CLIENT_LAN_H

#include "base/env.h"
#include "base/err.h"
#include "e2e/parcel/ways.h"

struct lan;

/* Announces that this machine listens. Fails: IO (no network, or no multicast), NOMEM. */
TACIT_MUST_USE enum tacit_err lan_announce(
        const struct tacit_env *env, uint32_t nameplate, uint16_t port, struct lan **out);
/* Asks who announces it. Fails: as lan_announce. */
TACIT_MUST_USE enum tacit_err lan_ask(
        const struct tacit_env *env, uint32_t nameplate, struct lan **out);
/* Does what is due, without waiting; to be called ten times a second. found: what has been answered
 * since the last call, count 0 if nothing was. Fails: IO. */
TACIT_MUST_USE enum tacit_err lan_turn(struct lan *l, struct tacit_parcel_ways *found);
void lan_close(struct lan *l); /* NULL is fine */

#endif
