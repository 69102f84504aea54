#include "crypto/random.h"

#include <sodium.h>
#include <time.h>

void tacit_random(void *out, size_t n)
{
	randombytes_buf(out, n);
}

static int64_t system_now(void *ctx)
{
	(void)ctx;
	return (int64_t)time(NULL);
}

static void system_random(void *ctx, uint8_t *out, size_t n)
{
	(void)ctx;
	tacit_random(out, n);
}

struct tacit_env tacit_system_env(void)
{
	return (struct tacit_env){system_now, system_random, NULL};
}
