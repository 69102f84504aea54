#include "agent/gate.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#define LOOPBACK_ONLY                                                                              \
	"The agent holds your keys and listens on loopback only: 127.0.0.1:PORT or [::1]:PORT."
#define NOT_AN_ADDRESS "--listen takes ADDR:PORT, as 127.0.0.1:8080."

static bool equals(struct tacit_bytes b, const char *text)
{
	return b.n == strlen(text) && (b.n == 0 || strncasecmp((const char *)b.p, text, b.n) == 0);
}

/* A dotted quad of 127.0.0.0/8, ::1, or localhost; ip gets it as text where it is not NULL. */
static bool is_loopback(struct tacit_bytes name, char *ip)
{
	char text[GATE_IP_ROOM];
	struct in_addr four;
	struct in6_addr six;
	if (equals(name, "localhost"))
		name = TACIT_STR("127.0.0.1");
	if (name.n == 0 || name.n >= sizeof(text))
		return false;
	memcpy(text, name.p, name.n);
	text[name.n] = '\0';
	if (ip != NULL)
		memcpy(ip, text, name.n + 1);
	if (inet_pton(AF_INET, text, &four) == 1)
		return ntohl(four.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, text, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

static bool parse_port(struct tacit_bytes text, uint16_t *port)
{
	uint32_t n = 0;
	if (text.n == 0 || text.n > 5)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		n = 10 * n + (uint32_t)(text.p[i] - '0');
	}
	*port = (uint16_t)n;
	return n <= UINT16_MAX;
}

/* "name", "name:port", "[six]", "[six]:port"; without a port *port stays. An IPv6 address stands in
 * brackets, and nothing else does (RFC 3986 3.2.2). */
static bool split(struct tacit_bytes text, struct tacit_bytes *name, uint16_t *port)
{
	const uint8_t *colon;
	bool bracketed = text.n > 0 && text.p[0] == '[';
	if (bracketed) {
		const uint8_t *end = memchr(text.p, ']', text.n);
		if (end == NULL)
			return false;
		*name = tacit_bytes(text.p + 1, (size_t)(end - text.p) - 1);
		text = tacit_bytes(end + 1, text.n - name->n - 2);
		if (memchr(name->p, ':', name->n) == NULL)
			return false;
	} else {
		colon = memchr(text.p, ':', text.n);
		*name = tacit_bytes(text.p, colon != NULL ? (size_t)(colon - text.p) : text.n);
		text = tacit_bytes(text.p + name->n, text.n - name->n);
	}
	if (text.n == 0)
		return true;
	return text.p[0] == ':' && parse_port(tacit_bytes(text.p + 1, text.n - 1), port);
}

static bool is_ours(struct tacit_bytes authority, uint16_t our_port)
{
	struct tacit_bytes name;
	uint16_t port = 80;
	return authority.n > 0 && split(authority, &name, &port) && port == our_port &&
	       is_loopback(name, NULL);
}

enum agent_problem gate_check(const struct gate_headers *h, uint16_t port)
{
	const struct tacit_bytes scheme = TACIT_STR("http://");
	if (h->host_count != 1 || !is_ours(h->host, port))
		return AGENT_FOREIGN_HOST;
	if (h->fetch_site.p != NULL && !equals(h->fetch_site, "same-origin") &&
	        !equals(h->fetch_site, "none"))
		return AGENT_FOREIGN_ORIGIN;
	if (h->origin.p == NULL)
		return AGENT_FINE;
	if (!equals(tacit_bytes_part(h->origin, 0, scheme.n), "http://") ||
	        !is_ours(tacit_bytes_part(h->origin, scheme.n, h->origin.n), port))
		return AGENT_FOREIGN_ORIGIN;
	return AGENT_FINE;
}

const char *gate_listen_problem(const char *listen, char ip[GATE_IP_ROOM], uint16_t *port)
{
	struct tacit_bytes text = tacit_cstr(listen), name;
	const uint8_t *colon = memchr(text.p, ':', text.n);
	if (text.n == 0 || colon == NULL || text.p[text.n - 1] == ']')
		return NOT_AN_ADDRESS;
	if (!split(text, &name, port))
		return NOT_AN_ADDRESS;
	return is_loopback(name, ip) ? NULL : LOOPBACK_ONLY;
}

struct tacit_bytes gate_bearer(struct tacit_bytes authorization)
{
	if (!equals(tacit_bytes_part(authorization, 0, 7), "Bearer "))
		return tacit_bytes(NULL, 0);
	size_t from = 7;
	while (from < authorization.n && authorization.p[from] == ' ')
		from++;
	return tacit_bytes_part(authorization, from, authorization.n);
}
