#include "server/api/ratelimit.h"

#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"

#define WAYS 8
#define LOCKS 16
#define TOKEN 60000u /* one token, in the unit of a bucket: a minute of milliseconds */

struct bucket {
	uint64_t key;   /* 0: free */
	uint64_t level; /* what is left, in 1/TOKEN */
	uint64_t at_ms;
};

struct set {
	struct bucket way[WAYS];
};

struct api_limiter {
	struct api_limit limit;
	uint64_t seed; /* so that nobody can choose keys of one set */
	size_t mask;
	pthread_mutex_t lock[LOCKS];
	struct set set[];
};

enum tacit_err api_limiter_new(
        struct api_limit limit, size_t sets, const struct tacit_env *env, struct api_limiter **out)
{
	*out = NULL;
	TACIT_ASSERT(sets > 0 && (sets & (sets - 1)) == 0);
	struct api_limiter *l = tacit_calloc(1, sizeof(*l) + sets * sizeof(struct set));
	if (l == NULL)
		return TACIT_E_NOMEM;
	l->limit = limit;
	l->mask = sets - 1;
	tacit_env_random(env, &l->seed, sizeof(l->seed));
	for (size_t i = 0; i < LOCKS; i++)
		(void)pthread_mutex_init(&l->lock[i], NULL);
	*out = l;
	return TACIT_OK;
}

void api_limiter_free(struct api_limiter *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < LOCKS; i++)
		(void)pthread_mutex_destroy(&l->lock[i]);
	tacit_free(l);
}

/* The finalizer of SplitMix64 (Steele et al. 2014): every bit of x reaches every bit. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static uint64_t level_now(const struct api_limiter *l, const struct bucket *b, uint64_t now_ms)
{
	uint64_t full = (uint64_t)l->limit.burst * TOKEN;
	uint64_t past = now_ms > b->at_ms ? now_ms - b->at_ms : 0;
	if (past > full / l->limit.per_minute)
		return full;
	uint64_t level = b->level + past * l->limit.per_minute;
	return level < full ? level : full;
}

/* The key's bucket, or a free one, or that of the quietest. */
static struct bucket *bucket_of(
        struct api_limiter *l, struct set *set, uint64_t key, uint64_t now_ms)
{
	struct bucket *best = &set->way[0];
	uint64_t best_level = 0;
	for (size_t i = 0; i < WAYS; i++) {
		struct bucket *b = &set->way[i];
		if (b->key == key)
			return b;
		uint64_t level = b->key == 0 ? UINT64_MAX : level_now(l, b, now_ms);
		if (level > best_level) {
			best = b;
			best_level = level;
		}
	}
	*best = (struct bucket){key, (uint64_t)l->limit.burst * TOKEN, now_ms};
	return best;
}

bool api_limiter_take(struct api_limiter *l, uint64_t key, unsigned cost, uint64_t now_ms,
        unsigned *retry_after_s)
{
	*retry_after_s = 0;
	if (l->limit.per_minute == 0)
		return true;
	uint64_t hash = mix(key ^ l->seed) | 1; /* never 0, the mark of a free bucket */
	size_t index = (size_t)(hash >> 8) & l->mask;
	pthread_mutex_t *lock = &l->lock[index % LOCKS];
	uint64_t price = (uint64_t)cost * TOKEN;

	(void)pthread_mutex_lock(lock);
	struct bucket *b = bucket_of(l, &l->set[index], hash, now_ms);
	uint64_t level = level_now(l, b, now_ms);
	bool enough = level >= price;
	if (enough)
		level -= price;
	b->level = level;
	b->at_ms = now_ms;
	(void)pthread_mutex_unlock(lock);

	if (!enough)
		*retry_after_s = (unsigned)((price - level) / l->limit.per_minute / 1000 + 1);
	return enough;
}

uint64_t api_address_key(const struct sockaddr_storage *address)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	uint64_t key = 0;
	if (address->ss_family == AF_INET) {
		struct sockaddr_in v4;
		memcpy(&v4, address, sizeof(v4));
		return 0x100000000u | v4.sin_addr.s_addr;
	}
	if (address->ss_family == AF_INET6) {
		struct sockaddr_in6 v6;
		uint32_t last;
		memcpy(&v6, address, sizeof(v6));
		memcpy(&last, v6.sin6_addr.s6_addr + 12, sizeof(last));
		if (memcmp(v6.sin6_addr.s6_addr, mapped, sizeof(mapped)) == 0)
			return 0x100000000u | last;
		memcpy(&key, v6.sin6_addr.s6_addr, sizeof(key));
	}
	return key;
}

uint64_t api_name_key(const char *name)
{
	uint64_t key = 0xcbf29ce484222325u; /* FNV-1a; the limiter mixes it with its seed */
	for (; *name != '\0'; name++) {
		unsigned char c = (unsigned char)*name;
		if (c >= 'A' && c <= 'Z')
			c = (unsigned char)(c + ('a' - 'A'));
		key = (key ^ c) * 0x100000001b3u;
	}
	return key;
}

uint64_t api_monotonic_ms(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}
