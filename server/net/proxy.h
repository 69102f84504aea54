/* proxy.h - addresses, networks, and what a trusted proxy says about its client. */
#ifndef TACIT_SERVER_NET_PROXY_H
#define TACIT_SERVER_NET_PROXY_H

#include "server/net/server.h"

/* "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80". The port is 0 when absent. */
bool net_address_parse(struct tacit_bytes text, struct sockaddr_storage *out);
/* ::ffff:192.0.2.1 becomes 192.0.2.1, so that one client has one address. */
void net_address_unmap(struct sockaddr_storage *a);
bool net_address_is_loopback(const struct sockaddr_storage *a);
bool net_prefixes_contain(
        const struct net_prefix *list, size_t count, const struct sockaddr_storage *a);

/* r->peer is the socket's peer and r->tls the socket's. When that peer is a trusted proxy: peer
 * becomes the rightmost address of X-Forwarded-For that is not trusted itself, and tls what the
 * last X-Forwarded-Proto says. Everyone else's X-Forwarded-* is ignored. */
void net_proxy_apply(const struct net_settings *s, struct http_request *r);

#endif
