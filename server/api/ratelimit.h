/* ratelimit.h - token buckets for very many keys in a table that never grows.
 *
 * A key falls into a set of eight; when the set is full, the bucket that is fullest (the quietest
 * key) is given away. So a flood of keys can make the limiter forget the quiet, never the loud. */
#ifndef TACIT_SERVER_API_RATELIMIT_H
#define TACIT_SERVER_API_RATELIMIT_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/env.h"
#include "base/err.h"

struct api_limit {
	unsigned per_minute; /* tokens that come back; 0: no limit at all */
	unsigned burst;      /* tokens of a rested bucket */
};

struct api_limiter;

/* sets: a power of two. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err api_limiter_new(
        struct api_limit limit, size_t sets, const struct tacit_env *env, struct api_limiter **out);
void api_limiter_free(struct api_limiter *l);

/* Takes cost tokens. False when there are too few: *retry_after_s tells when to try again.
 * now_ms: a clock that never goes back. Any thread. */
TACIT_MUST_USE bool api_limiter_take(struct api_limiter *l, uint64_t key, unsigned cost,
        uint64_t now_ms, unsigned *retry_after_s);

/* What counts as one address: an IPv4 address, an IPv6 /64. */
uint64_t api_address_key(const struct sockaddr_storage *address);
/* A key from a name, without regard to case. */
uint64_t api_name_key(const char *name);
/* Milliseconds of the monotonic clock. */
uint64_t api_monotonic_ms(void);

#endif
