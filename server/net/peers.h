/* peers.h - how many connections each address holds, over all loops. IPv6 counts by /64, which is
 * what one customer gets. */
#ifndef TACIT_SERVER_NET_PEERS_H
#define TACIT_SERVER_NET_PEERS_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/err.h"

struct net_peers;

/* For at most `capacity` connections at once. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err net_peers_new(
        size_t capacity, unsigned limit, struct net_peers **out);
void net_peers_free(struct net_peers *p); /* NULL is fine */
/* Any thread. False: the address has its fill, nothing is counted. */
bool net_peers_enter(struct net_peers *p, const struct sockaddr_storage *a);
void net_peers_leave(struct net_peers *p, const struct sockaddr_storage *a);

#endif
