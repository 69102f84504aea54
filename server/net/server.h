/* server.h - listeners and loops: starts threads, accepts, ends gracefully. libevent inside.
 *
 * One SO_REUSEPORT listener and one event_base per loop. Limits and timeouts are all here. */
#ifndef TACIT_SERVER_NET_SERVER_H
#define TACIT_SERVER_NET_SERVER_H

#include "server/net/http.h"

struct net_prefix { /* an address or network, for --behind-proxy */
	struct sockaddr_storage address;
	unsigned bits;
};

struct net_settings {
	const char *listen;             /* "127.0.0.1:5000", "[::1]:5000" */
	const char *tls_cert, *tls_key; /* PEM paths; both or neither */
	const struct net_prefix *proxies;
	size_t proxy_count;
	unsigned loops;           /* 0: one per core */
	unsigned max_connections; /* per loop; beyond: accept stops; default 10000 */
	/* Beyond: closed at once. Proxies are never counted. 0: 256, and loopback is exempt too. */
	unsigned max_connections_per_address;
	unsigned head_timeout_s; /* from first byte to end of head; default 10 */
	unsigned idle_timeout_s; /* keep-alive, between requests; default 75 */
	unsigned body_min_rate; /* bytes per second, averaged; slower bodies get 408; default 256 */
	unsigned write_timeout_s; /* no progress when writing; default 30 */
};

/* "10.0.0.0/8", "2001:db8::/32", "192.0.2.1". Fails: USAGE. */
TACIT_MUST_USE enum tacit_err net_prefix_parse(const char *text, struct net_prefix *out);

struct net_server;

/* Binds and listens, starts nothing. Copies s and app; s->proxies and the paths must outlive it.
 *  *why gets static text or strerror text for the operator.
 * Fails: USAGE (address, TLS files), IO (bind), NOMEM. */
TACIT_MUST_USE enum tacit_err net_server_new(const struct net_settings *s,
        const struct http_app *app, const char **why, struct net_server **out);
/* What net_server_new would find wrong with the address and the TLS files; binds nothing. Same
 * errors, but IO. */
TACIT_MUST_USE enum tacit_err net_server_check(const struct net_settings *s, const char **why);
/* The port bound, for "--listen 127.0.0.1:0". */
unsigned net_server_port(const struct net_server *s);
/* Reads certificate and key again (on SIGHUP); connections that are open keep theirs. On error the
 * old ones stay in use. Any thread. Fails: USAGE (no TLS, or the files), NOMEM. */
TACIT_MUST_USE enum tacit_err net_server_reload_tls(struct net_server *s, const char **why);
/* Starts the loop threads. Fails: IO, NOMEM. */
TACIT_MUST_USE enum tacit_err net_server_start(struct net_server *s);
/* Stops accepting, lets exchanges under way finish for at most grace_s, then closes and joins. The
 * lanes must still run: a piece of a body that is under way is waited for a little longer. */
void net_server_stop(struct net_server *s, unsigned grace_s);
void net_server_free(struct net_server *s);

/* Cores that this process may run on, at least 1. */
unsigned net_cores(void);

struct net_stats {
	uint64_t connections_open, connections_total, bytes_in, bytes_out, refused_connections,
	        malformed_requests, timeouts;
};
void net_server_stats(const struct net_server *s, struct net_stats *out); /* any thread */

#endif
