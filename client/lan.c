#include "client/lan.h"

#include <avahi-common/malloc.h>
#include <avahi-common/simple-watch.h>
#include <avahi-core/core.h>
#include <avahi-core/log.h>
#include <avahi-core/lookup.h>
#include <avahi-core/publish.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"

#define SERVICE "_tacit._tcp"
#define DOMAIN "local"
#define NAME_BYTES 8 /* of the nameplate's hash, and of the random host name */
#define ANSWERS 2    /* one resolver for IPv4, one for IPv6 */

struct lan {
	AvahiSimplePoll *poll;
	AvahiServer *server;
	AvahiSEntryGroup *group;
	AvahiSServiceResolver *resolvers[ANSWERS];
	char name[2 * NAME_BYTES + 1];
	uint16_t port; /* 0: asks */
	bool running, failed, again[ANSWERS];
	struct tacit_parcel_ways found;
};

static void be_silent(AvahiLogLevel level, const char *text)
{
	(void)level;
	(void)text;
}

static void name_of(uint32_t nameplate, char out[2 * NAME_BYTES + 1])
{
	char text[40];
	uint8_t digest[TACIT_SHA256_BYTES];
	snprintf(text, sizeof(text), "tacit nameplate %u", (unsigned)nameplate);
	tacit_sha256(tacit_cstr(text), digest);
	tacit_hex(tacit_bytes(digest, NAME_BYTES), out);
}

/* --- announcing ------------------------------------------------------------------------------ */

static void on_group(
        AvahiServer *server, AvahiSEntryGroup *group, AvahiEntryGroupState state, void *ctx)
{
	struct lan *l = ctx;
	(void)server;
	(void)group;
	/* Somebody else has the same nameplate here, or there is no network. */
	if (state == AVAHI_ENTRY_GROUP_COLLISION || state == AVAHI_ENTRY_GROUP_FAILURE)
		l->failed = true;
}

static bool announce(struct lan *l)
{
	l->group = avahi_s_entry_group_new(l->server, on_group, l);
	return l->group != NULL &&
	       avahi_server_add_service(l->server, l->group, AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC, 0,
	               l->name, SERVICE, NULL, NULL, l->port, NULL) == 0 &&
	       avahi_s_entry_group_commit(l->group) == 0;
}

static void on_server(AvahiServer *server, AvahiServerState state, void *ctx)
{
	struct lan *l = ctx;
	(void)server;
	if (state == AVAHI_SERVER_RUNNING)
		l->running = true; /* l->server may not be there yet: the rest in the next turn */
	else if (state != AVAHI_SERVER_REGISTERING)
		l->failed = true;
}

/* --- asking ---------------------------------------------------------------------------------- */

static void keep(struct lan *l, const AvahiAddress *a, uint16_t port)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	struct tacit_parcel_address b;
	if (a->proto == AVAHI_PROTO_INET) {
		memcpy(b.b, mapped, sizeof(mapped));
		memcpy(b.b + sizeof(mapped), &a->data.ipv4.address, 4);
	} else {
		memcpy(b.b, a->data.ipv6.address, sizeof(b.b));
	}
	if (port < TACIT_PARCEL_LEAST_PORT ||
	        !tacit_parcel_address_may(&b, TACIT_PARCEL_ELSEWHERE) ||
	        l->found.count == TACIT_PARCEL_MAX_WAYS)
		return;
	l->found.port = port;
	l->found.list[l->found.count++] = b;
}

static void on_answer(AvahiSServiceResolver *resolver, AvahiIfIndex interface,
        AvahiProtocol protocol, AvahiResolverEvent event, const char *name, const char *type,
        const char *domain, const char *host, const AvahiAddress *address, uint16_t port,
        AvahiStringList *text, AvahiLookupResultFlags flags, void *ctx)
{
	struct lan *l = ctx;
	(void)interface, (void)protocol, (void)name, (void)type, (void)domain, (void)host;
	(void)text, (void)flags;
	if (event == AVAHI_RESOLVER_FOUND && address != NULL)
		keep(l, address, port);
	/* Nobody has answered yet. */
	for (size_t i = 0; event == AVAHI_RESOLVER_FAILURE && i < ANSWERS; i++)
		l->again[i] |= l->resolvers[i] == resolver;
}

static bool ask(struct lan *l)
{
	static const AvahiProtocol kinds[ANSWERS] = {AVAHI_PROTO_INET, AVAHI_PROTO_INET6};
	bool any = false;
	for (size_t i = 0; i < ANSWERS; i++) {
		if (l->resolvers[i] != NULL && !l->again[i]) {
			any = true;
			continue;
		}
		if (l->resolvers[i] != NULL)
			avahi_s_service_resolver_free(l->resolvers[i]);
		l->again[i] = false;
		/* Over IPv6 no address of IPv4 is published. */
		l->resolvers[i] = avahi_s_service_resolver_new(l->server, AVAHI_IF_UNSPEC, kinds[i],
		        l->name, SERVICE, DOMAIN, kinds[i], 0, on_answer, l);
		any |= l->resolvers[i] != NULL;
	}
	return any;
}

/* --- life ------------------------------------------------------------------------------------ */

static AvahiServer *new_server(const struct tacit_env *env, struct lan *l)
{
	AvahiServerConfig c;
	uint8_t random[NAME_BYTES];
	char hex[2 * NAME_BYTES + 1], host[sizeof(hex) + 8];
	int problem;
	tacit_env_random(env, random, sizeof(random));
	tacit_hex(tacit_bytes(random, sizeof(random)), hex);
	snprintf(host, sizeof(host), "tacit-%s", hex);
	avahi_server_config_init(&c);
	avahi_free(c.host_name);
	c.host_name = avahi_strdup(host);
	c.publish_hinfo = c.publish_workstation = c.publish_domain = 0;
	c.enable_wide_area = 0;
	c.disable_publishing = l->port == 0;
	AvahiServer *s =
	        avahi_server_new(avahi_simple_poll_get(l->poll), &c, on_server, l, &problem);
	avahi_server_config_free(&c);
	return s;
}

static enum tacit_err begin(
        const struct tacit_env *env, uint32_t nameplate, uint16_t port, struct lan **out)
{
	*out = NULL;
	struct lan *l = tacit_calloc(1, sizeof(*l));
	if (l == NULL)
		return TACIT_E_NOMEM;
	avahi_set_log_function(be_silent);
	l->port = port;
	name_of(nameplate, l->name);
	l->poll = avahi_simple_poll_new();
	l->server = l->poll != NULL ? new_server(env, l) : NULL;
	if (l->server == NULL) {
		lan_close(l);
		return TACIT_E_IO;
	}
	*out = l;
	return TACIT_OK;
}

enum tacit_err lan_announce(
        const struct tacit_env *env, uint32_t nameplate, uint16_t port, struct lan **out)
{
	*out = NULL;
	return port != 0 ? begin(env, nameplate, port, out) : TACIT_E_IO;
}

enum tacit_err lan_ask(const struct tacit_env *env, uint32_t nameplate, struct lan **out)
{
	return begin(env, nameplate, 0, out);
}

enum tacit_err lan_turn(struct lan *l, struct tacit_parcel_ways *found)
{
	*found = (struct tacit_parcel_ways){0};
	/* It handles one thing at a time; so much is never due at once. */
	for (int i = 0; i < 32 && !l->failed; i++)
		if (avahi_simple_poll_iterate(l->poll, 0) != 0)
			l->failed = true;
	if (!l->failed && l->running && l->port != 0 && l->group == NULL)
		l->failed = !announce(l);
	if (!l->failed && l->port == 0)
		l->failed = !ask(l);
	if (l->failed)
		return TACIT_E_IO;
	*found = l->found;
	l->found = (struct tacit_parcel_ways){0};
	return TACIT_OK;
}

void lan_close(struct lan *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < ANSWERS; i++)
		if (l->resolvers[i] != NULL)
			avahi_s_service_resolver_free(l->resolvers[i]);
	if (l->group != NULL)
		avahi_s_entry_group_free(l->group);
	if (l->server != NULL)
		avahi_server_free(l->server);
	if (l->poll != NULL)
		avahi_simple_poll_free(l->poll);
	tacit_free(l);
}
