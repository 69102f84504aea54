#include "server/net/proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "server/net/http1.h"

static bool parse_number(struct tacit_bytes text, unsigned max, unsigned *out)
{
	unsigned n = 0;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		n = n * 10 + (unsigned)(text.p[i] - '0');
		if (n > max)
			return false;
	}
	*out = n;
	return text.n > 0;
}

static struct tacit_bytes after(struct tacit_bytes b, const uint8_t *at)
{
	return tacit_bytes(at + 1, (size_t)(b.p + b.n - at) - 1);
}

/* The host and, behind ':', the port of text; IPv6 stands in brackets when there is a port. */
static bool split_port(struct tacit_bytes text, struct tacit_bytes *host, unsigned *port)
{
	*port = 0;
	*host = text;
	if (text.n == 0)
		return false;
	const uint8_t *colon = memchr(text.p, ':', text.n);
	if (text.p[0] == '[') {
		const uint8_t *end = memchr(text.p, ']', text.n);
		if (end == NULL)
			return false;
		*host = tacit_bytes(text.p + 1, (size_t)(end - text.p) - 1);
		struct tacit_bytes rest = after(text, end);
		return rest.n == 0 ||
		       (rest.p[0] == ':' && parse_number(after(rest, rest.p), 65535, port));
	}
	if (colon == NULL || memchr(colon + 1, ':', after(text, colon).n) != NULL)
		return true;
	*host = tacit_bytes(text.p, (size_t)(colon - text.p));
	return parse_number(after(text, colon), 65535, port);
}

bool net_address_parse(struct tacit_bytes text, struct sockaddr_storage *out)
{
	char name[INET6_ADDRSTRLEN];
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	struct tacit_bytes host;
	unsigned port;
	*out = (struct sockaddr_storage){0};
	if (!split_port(text, &host, &port) || host.n == 0 || host.n >= sizeof(name))
		return false;
	memcpy(name, host.p, host.n);
	name[host.n] = 0;
	if (inet_pton(AF_INET, name, &v4.sin_addr) == 1) {
		v4.sin_port = htons((uint16_t)port);
		memcpy(out, &v4, sizeof(v4));
		return true;
	}
	if (inet_pton(AF_INET6, name, &v6.sin6_addr) != 1)
		return false;
	v6.sin6_port = htons((uint16_t)port);
	memcpy(out, &v6, sizeof(v6));
	return true;
}

/* The address's bytes in network order. */
static struct tacit_bytes raw(const struct sockaddr_storage *a)
{
	if (a->ss_family == AF_INET)
		return tacit_bytes(&((const struct sockaddr_in *)a)->sin_addr, 4);
	if (a->ss_family == AF_INET6)
		return tacit_bytes(&((const struct sockaddr_in6 *)a)->sin6_addr, 16);
	return tacit_bytes(NULL, 0);
}

void net_address_unmap(struct sockaddr_storage *a)
{
	struct sockaddr_in6 v6;
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	if (a->ss_family != AF_INET6)
		return;
	memcpy(&v6, a, sizeof(v6));
	if (!IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
		return;
	memcpy(&v4.sin_addr, &v6.sin6_addr.s6_addr[12], 4);
	v4.sin_port = v6.sin6_port;
	*a = (struct sockaddr_storage){0};
	memcpy(a, &v4, sizeof(v4));
}

bool net_address_is_loopback(const struct sockaddr_storage *a)
{
	struct tacit_bytes b = raw(a);
	if (b.n == 4)
		return b.p[0] == 127;
	return b.n == 16 && memcmp(b.p, &in6addr_loopback, 16) == 0;
}

static bool prefix_contains(const struct net_prefix *p, const struct sockaddr_storage *a)
{
	struct tacit_bytes net = raw(&p->address), address = raw(a);
	size_t whole = p->bits / 8;
	unsigned left = p->bits % 8;
	if (net.n == 0 || net.n != address.n || p->bits > net.n * 8)
		return false;
	if (memcmp(net.p, address.p, whole) != 0)
		return false;
	return left == 0 || (net.p[whole] ^ address.p[whole]) >> (8 - left) == 0;
}

bool net_prefixes_contain(
        const struct net_prefix *list, size_t count, const struct sockaddr_storage *a)
{
	for (size_t i = 0; i < count; i++)
		if (prefix_contains(&list[i], a))
			return true;
	return false;
}

enum tacit_err net_prefix_parse(const char *text, struct net_prefix *out)
{
	struct tacit_bytes all = tacit_cstr(text), address = all;
	const uint8_t *slash = all.n > 0 ? memchr(all.p, '/', all.n) : NULL;
	*out = (struct net_prefix){0};
	if (slash != NULL)
		address.n = (size_t)(slash - all.p);
	if (!net_address_parse(address, &out->address))
		return TACIT_E_USAGE;
	net_address_unmap(&out->address);
	out->bits = out->address.ss_family == AF_INET ? 32 : 128;
	if (slash != NULL && !parse_number(after(all, slash), out->bits, &out->bits))
		return TACIT_E_USAGE;
	return TACIT_OK;
}

/* From the right: each proxy appends the address that it saw, so what stands left of the first
 * untrusted one is hearsay. False when the walk has ended. */
static bool step_left(
        const struct net_settings *s, struct tacit_bytes *list, struct sockaddr_storage *client)
{
	struct sockaddr_storage a;
	while (list->n > 0 && net_prefixes_contain(s->proxies, s->proxy_count, client)) {
		size_t from = list->n;
		while (from > 0 && list->p[from - 1] != ',')
			from--;
		struct tacit_bytes part = tacit_bytes_part(*list, from, list->n), entry;
		list->n = from > 0 ? from - 1 : 0;
		if (!http1_list_next(&part, &entry))
			continue;
		if (!net_address_parse(entry, &a))
			return false;
		net_address_unmap(&a);
		*client = a;
	}
	return list->n == 0;
}

void net_proxy_apply(const struct net_settings *s, struct http_request *r)
{
	bool walking = true, proto_seen = false;
	if (s->proxy_count == 0 || !net_prefixes_contain(s->proxies, s->proxy_count, &r->peer))
		return;
	for (size_t i = r->header_count; i-- > 0;) {
		struct tacit_bytes list = r->headers[i].value, proto;
		if (walking && http1_is(r->headers[i].name, "x-forwarded-for"))
			walking = step_left(s, &list, &r->peer);
		if (!proto_seen && http1_is(r->headers[i].name, "x-forwarded-proto")) {
			while (http1_list_next(&list, &proto))
				r->tls = http1_is(proto, "https");
			proto_seen = true;
		}
	}
}
