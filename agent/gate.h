/* gate.h - who may speak to the agent at all: pure decisions over header values.
 *
 * A web page can make its visitor's browser send requests to loopback. Two things give it away: the
 * Host that it believes to speak to (a name that was rebound to 127.0.0.1), and the Origin or
 * Sec-Fetch-Site that the browser adds. Programs of the user have neither. */
#ifndef TACIT_AGENT_GATE_H
#define TACIT_AGENT_GATE_H

#include "agent/problem.h"
#include "base/bytes.h"

struct gate_headers { /* p NULL: the header is not there */
	struct tacit_bytes host, origin, fetch_site;
	size_t host_count;
};

/* FINE, FOREIGN_HOST, FOREIGN_ORIGIN. */
enum agent_problem gate_check(const struct gate_headers *h, uint16_t port);

/* "127.0.0.1:8080", "[::1]:8080", "localhost:8080". ip gets the address as text without brackets,
 * port 0 is any free one. NULL, or the sentence that says why not; static. */
#define GATE_IP_ROOM 46
const char *gate_listen_problem(const char *listen, char ip[GATE_IP_ROOM], uint16_t *port);

/* The value after "Bearer " (any case, RFC 7235 2.1), empty when there is none. */
struct tacit_bytes gate_bearer(struct tacit_bytes authorization);

#endif
