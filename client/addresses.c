#include "client/addresses.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool read_socket_address(const struct sockaddr *from, struct tacit_parcel_address *out)
{
	if (from == NULL)
		return false;
	if (from->sa_family == AF_INET) {
		struct sockaddr_in v4;
		memcpy(&v4, from, sizeof(v4));
		memcpy(out->b, mapped, sizeof(mapped));
		memcpy(out->b + sizeof(mapped), &v4.sin_addr, sizeof(v4.sin_addr));
		return true;
	}
	if (from->sa_family == AF_INET6) {
		struct sockaddr_in6 v6;
		memcpy(&v6, from, sizeof(v6));
		memcpy(out->b, &v6.sin6_addr, sizeof(out->b));
		return true;
	}
	return false;
}

static void add(struct tacit_parcel_ways *out, const struct tacit_parcel_address *a)
{
	for (size_t i = 0; i < out->count; i++)
		if (memcmp(out->list[i].b, a->b, sizeof(a->b)) == 0)
			return;
	if (out->count < TACIT_PARCEL_MAX_WAYS)
		out->list[out->count++] = *a;
}

enum tacit_err addresses_own(enum tacit_parcel_reach reach, struct tacit_parcel_ways *out)
{
	struct ifaddrs *all = NULL;
	out->count = 0;
	if (getifaddrs(&all) != 0)
		return TACIT_E_IO;
	for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
		struct tacit_parcel_address a;
		if ((i->ifa_flags & IFF_UP) != 0 && read_socket_address(i->ifa_addr, &a) &&
		        tacit_parcel_address_may(&a, reach))
			add(out, &a);
	}
	freeifaddrs(all);
	return TACIT_OK;
}

/* --- what people type ------------------------------------------------------------------------ */

struct typed {
	char host[256];
	char port[8];
};

static bool split(const char *text, struct typed *out)
{
	const char *host = text, *end = text + strlen(text), *colon = strrchr(text, ':');
	if (text[0] == '[') {
		host = text + 1;
		end = strchr(text, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return false;
		colon = end[1] == ':' ? end + 1 : NULL;
	} else if (colon != NULL && strchr(text, ':') == colon) {
		end = colon;
	} else {
		colon = NULL; /* none, or an IPv6 address without brackets */
	}
	size_t n = (size_t)(end - host);
	if (n == 0 || n >= sizeof(out->host))
		return false;
	memcpy(out->host, host, n);
	out->host[n] = '\0';
	if (colon == NULL)
		return true;
	int written = snprintf(out->port, sizeof(out->port), "%s", colon + 1);
	return written > 0 && (size_t)written < sizeof(out->port);
}

static bool read_port(const char *text, uint16_t *out)
{
	char *end;
	if (text[0] < '0' || text[0] > '9')
		return false;
	unsigned long n = strtoul(text, &end, 10);
	if (*end != '\0' || n > UINT16_MAX)
		return false;
	*out = (uint16_t)n;
	return true;
}

enum tacit_err addresses_find(const char *text, uint16_t port, struct tacit_parcel_ways *out)
{
	struct typed t = {.port = ""};
	const struct addrinfo want = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *all = NULL;
	*out = (struct tacit_parcel_ways){.port = port};
	if (!split(text, &t) || (t.port[0] != '\0' && !read_port(t.port, &out->port)))
		return TACIT_E_BAD_NAME;
	if (getaddrinfo(t.host, NULL, &want, &all) != 0)
		return TACIT_E_NOT_FOUND;
	for (const struct addrinfo *i = all; i != NULL; i = i->ai_next) {
		struct tacit_parcel_address a;
		if (read_socket_address(i->ai_addr, &a))
			add(out, &a);
	}
	freeaddrinfo(all);
	return out->count > 0 ? TACIT_OK : TACIT_E_NOT_FOUND;
}

void addresses_text(const struct tacit_parcel_address *a, uint16_t port, char out[ADDRESS_TEXT])
{
	char text[INET6_ADDRSTRLEN] = "";
	bool v4 = memcmp(a->b, mapped, sizeof(mapped)) == 0;
	if (inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a->b + sizeof(mapped) : a->b, text,
	            sizeof(text)) == NULL)
		text[0] = '\0';
	snprintf(out, ADDRESS_TEXT, v4 ? "%s:%u" : "[%s]:%u", text, (unsigned)port);
}
