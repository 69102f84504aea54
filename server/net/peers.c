/* peers.c - an open-addressed table, at most half full, without tombstones: leaving moves the rest
 * of the run back. The hash is seeded, so that nobody can choose addresses that collide. */
#include "server/net/peers.h"

#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>

#include "base/alloc.h"

struct entry {
	uint64_t key;
	unsigned count; /* 0: free */
};

struct net_peers {
	pthread_mutex_t lock;
	uint64_t seed[2];
	size_t mask;
	unsigned limit;
	struct entry *entries;
};

enum tacit_err net_peers_new(size_t capacity, unsigned limit, struct net_peers **out)
{
	size_t size = 16;
	while (size < capacity * 2)
		size *= 2;
	*out = NULL;
	struct net_peers *p = tacit_calloc(1, sizeof(*p));
	if (p == NULL)
		return TACIT_E_NOMEM;
	p->entries = tacit_calloc(size, sizeof(*p->entries));
	if (p->entries == NULL) {
		tacit_free(p);
		return TACIT_E_NOMEM;
	}
	TACIT_ASSERT(getrandom(p->seed, sizeof(p->seed), 0) == (ssize_t)sizeof(p->seed));
	p->mask = size - 1;
	p->limit = limit;
	pthread_mutex_init(&p->lock, NULL);
	*out = p;
	return TACIT_OK;
}

void net_peers_free(struct net_peers *p)
{
	if (p == NULL)
		return;
	pthread_mutex_destroy(&p->lock);
	tacit_free(p->entries);
	tacit_free(p);
}

/* The upper half of an IPv6 address (the /64), or an IPv4 address where no such /64 is routed. */
static uint64_t key_of(const struct sockaddr_storage *a)
{
	uint64_t key = 0;
	if (a->ss_family == AF_INET6)
		memcpy(&key, &((const struct sockaddr_in6 *)a)->sin6_addr, sizeof(key));
	else
		memcpy(&key, &((const struct sockaddr_in *)a)->sin_addr, 4);
	return key;
}

static size_t home_of(const struct net_peers *p, uint64_t key)
{
	uint64_t x = key ^ p->seed[0]; /* murmur3's finaliser between two secret words */
	x = (x ^ x >> 33) * 0xff51afd7ed558ccdull;
	x = ((x ^ x >> 33) + p->seed[1]) * 0xc4ceb9fe1a85ec53ull;
	return (size_t)(x ^ x >> 33) & p->mask;
}

static size_t find(const struct net_peers *p, uint64_t key)
{
	size_t i = home_of(p, key);
	while (p->entries[i].count > 0 && p->entries[i].key != key)
		i = (i + 1) & p->mask;
	return i;
}

bool net_peers_enter(struct net_peers *p, const struct sockaddr_storage *a)
{
	uint64_t key = key_of(a);
	pthread_mutex_lock(&p->lock);
	struct entry *e = &p->entries[find(p, key)];
	bool ok = e->count < p->limit;
	if (ok) {
		e->key = key;
		e->count++;
	}
	pthread_mutex_unlock(&p->lock);
	return ok;
}

static void remove_at(struct net_peers *p, size_t hole)
{
	for (size_t i = (hole + 1) & p->mask; p->entries[i].count > 0; i = (i + 1) & p->mask) {
		size_t home = home_of(p, p->entries[i].key);
		/* May it move to the hole without passing its home? */
		if (((i - home) & p->mask) >= ((i - hole) & p->mask)) {
			p->entries[hole] = p->entries[i];
			p->entries[i].count = 0;
			hole = i;
		}
	}
}

void net_peers_leave(struct net_peers *p, const struct sockaddr_storage *a)
{
	pthread_mutex_lock(&p->lock);
	size_t i = find(p, key_of(a));
	TACIT_ASSERT(p->entries[i].count > 0);
	if (--p->entries[i].count == 0)
		remove_at(p, i);
	pthread_mutex_unlock(&p->lock);
}
