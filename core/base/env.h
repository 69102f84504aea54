/* env.h - what the host lends to core: time and randomness. Nothing else comes in this way. */
#ifndef TACIT_BASE_ENV_H
#define TACIT_BASE_ENV_H

#include <stddef.h>
#include <stdint.h>

struct tacit_env {
	int64_t (*now)(void *ctx); /* Unix seconds, UTC */
	/* Fills out with n unpredictable bytes; cannot fail (a host that cannot, aborts). */
	void (*random)(void *ctx, uint8_t *out, size_t n);
	void *ctx;
};

static inline int64_t tacit_env_now(const struct tacit_env *env)
{
	return env->now(env->ctx);
}

static inline void tacit_env_random(const struct tacit_env *env, void *out, size_t n)
{
	env->random(env->ctx, (uint8_t *)out, n);
}

#endif
